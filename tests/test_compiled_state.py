"""Compiled functions that went wrong once: state, aliases, sizes, errors."""

import copy
import types

import numpy as np
import pytest

from autograd_core.compiling import Compiled
from autograd_core.compiling.arrays import TraceArray
from autograd_core.transforms.tree import leaves
from tests.test_compiling import X, bits


class Holder:
    """An object for state."""


def windows(x):
    view = np.lib.stride_tricks.sliding_window_view(x * 2, 2)
    return view.sum(1) + np.sin(np.exp(x) * 3)[:2]


def kept_apart(x):
    return x * 2, x * 2, np.arange(3.0)


def sized(x):
    n = (x > 0).sum()
    part = x[:n]
    return part.sum() / (part.size + 1)


def typed(x):
    return np.exp(np.linalg.eigvals(np.diag(x[1:]) + np.array([[0, 1], [-1, 0]]))) * 2


def caught(x):
    try:
        np.linalg.cholesky(np.diag(x))
    except np.linalg.LinAlgError:
        return x * 0
    return x + 1


def named_results(x):
    u, s, vh = np.linalg.svd(np.outer(x, x) + np.eye(3))
    return np.linalg.eigh(np.outer(x, x)), (s, {0: x * 2}), u @ vh


def asked_for_its_type(x):
    total = x.sum()
    if isinstance(x, np.ndarray) and np.isscalar(total):
        return x * 2
    return x * 3


PROGRAMS = {
    "windows": windows, "kept_apart": kept_apart, "sized": sized, "typed": typed, "caught": caught,
    "named_results": named_results, "asked_for_its_type": asked_for_its_type,
    "powers": lambda x: (abs(x[0]) ** x[1], x.sum() ** 3, (x + 0j) ** 2, x**-1, abs(x) ** 0.5),
    "numbers alike": lambda x: [x * n for n in (np.float32(0), np.float32(-0.0), 0j, -0j)],
    "out by position": lambda x: np.cumsum(x * 2, 0, None, np.empty(3)) + np.clip(x, 0, 1),
    "a copy": lambda x: np.add(copy.copy(x), 1, out=(copy.copy(x),)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore:compile")
def test_programs_that_went_wrong(name):
    f, rng = PROGRAMS[name], np.random.default_rng(0)
    compiled = Compiled(f)
    for _ in range(12):
        x = rng.normal(size=3)
        plain, found = f(x), compiled(x)
        assert type(found) is type(plain)
        assert bits([leaf for _, leaf in leaves(found)]) == bits([v for _, v in leaves(plain)])
        for _, leaf in leaves(found):
            if isinstance(leaf, np.ndarray) and leaf.flags.writeable:
                leaf[...] = 99  # belongs to the caller
    assert not any(isinstance(leaf, TraceArray) for _, leaf in leaves(found))


@pytest.mark.filterwarnings("ignore:compile")
def test_writes_happen_once():
    for_plain, for_compiled = np.ones(3), np.ones(3)
    runs = []
    for array in (for_plain, for_compiled):

        def f(x, array=None, held={"array": array}):  # noqa: B006
            held["array"] += x
            positive = x[x > 0]
            return positive.sum() + held["array"].sum()

        runs.append(f)
    compiled = Compiled(runs[1])
    for x in (X, -X, X, np.ones(3)):
        assert bits(compiled(x)) == bits(runs[0](x))
        assert bits(for_plain) == bits(for_compiled)


@pytest.mark.filterwarnings("ignore:compile")
@pytest.mark.parametrize("kind", ["slots", "namespace", "class", "set", "iterator", "generator"])
def test_state_that_is_not_looked_through_is_not_frozen(kind):
    class Slotted:
        __slots__ = ("n",)

    class Shared:
        n = 0

    slotted, space, seen, numbers = Slotted(), types.SimpleNamespace(n=0), set(), iter(range(99))
    slotted.n = 0

    def step(x):
        if kind == "slots":
            slotted.n += 1
            return x * slotted.n
        if kind == "namespace":
            space.n += 1
            return x * space.n
        if kind == "class":
            Shared.n += 1
            return x * Shared.n
        if kind == "set":
            seen.add(len(seen))
            return x * len(seen)
        if kind == "iterator":
            return x * (next(numbers) + 1)
        return x * np.random.default_rng().normal()

    compiled = Compiled(step)
    found = [compiled(X) for _ in range(4)]
    if kind == "generator":
        assert len({out.tobytes() for out in found}) == 4
    else:
        assert bits(found) == bits([X * (i + 1) for i in range(4)])


@pytest.mark.filterwarnings("ignore:compile")
def test_an_argument_that_is_a_captured_array_is_not_taken_for_it():
    array = np.ones(3)
    compiled = Compiled(lambda x: x * 2 + array)
    for x in (array, X, array, X):
        assert bits(compiled(x)) == bits(x * 2 + array)


@pytest.mark.filterwarnings("ignore:compile")
def test_an_interrupt_leaves_nothing_behind():
    held = {"array": np.ones(3)}

    def f(x):
        if x[0] > 0:
            raise KeyboardInterrupt
        return x * held["array"]

    with pytest.raises(KeyboardInterrupt):
        Compiled(f)(X)
    assert type(held["array"]) is np.ndarray


@pytest.mark.filterwarnings("ignore:compile")
def test_a_compiled_function_in_another():
    array = np.ones(3)
    inner = Compiled(lambda x: x * array)
    outer = Compiled(lambda x: inner(x) + array * inner(array))
    for value in (1.0, 5.0):
        array[:] = value
        assert bits(outer(X)) == bits(X * array + array * (array * array))


def test_a_decision_that_reads_what_is_written_later():
    """Running means are written in the forward pass, weights by the update; a decision in between
    that depends on the weights comes first."""
    results = []
    for through in (lambda f: f, Compiled):
        mean, w = np.zeros(3), np.ones(3)

        def step(x, mean=mean, w=w):
            mean += 0.1 * (x - mean)
            y = w * x
            factor = 0.5 if (y * y).sum() > 4 else 2.0
            w -= 0.1 * factor * y
            return factor, y.sum()

        run = through(step)
        found = [run(np.array([1.0, 2.0, s])) for s in (0.5, 3.0, -1.0, 0.0, 2.0)]
        results.append((found, mean, w))
    assert run.programs
    assert not run.plain
    np.testing.assert_equal(results[0], results[1])
