"""Arguments that a compiled function changes, error states, graphs, the bits of complex numbers."""

from dataclasses import dataclass

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradWarning, FreedGraphError
from tests.test_compiled_places import X, both


def append(items, x):
    items.append(x * 2)


def replace(items, x):
    items[0] = x * 2


@pytest.mark.filterwarnings("ignore:compile")
@pytest.mark.parametrize("change", [append, replace])
def test_a_list_argument_is_changed(change):
    def scenario(through):
        f, items = through(change), [X]
        f(items, X)
        f(items, X + 1)
        return items

    both(scenario)


@pytest.mark.filterwarnings("ignore:compile")
def test_a_dict_argument_is_changed():
    def scenario(through):
        d = {"x": X}
        through(lambda d: d.update(y=d["x"] * 2))(d)
        return d

    assert sorted(both(scenario)) == ["x", "y"]


def set_data(t):
    t.data = t.data * 2
    return t.data


def differentiate(t):
    t.requires_grad = True
    ac.sum(t * t).backward()
    return t.grad.data


@pytest.mark.parametrize("change", [set_data, differentiate])
def test_a_tensor_argument_is_changed(change):
    def scenario(through):
        t = ac.Tensor(X.copy())
        return str(through(change)(t)), str(t.data), str(t.grad), t.requires_grad

    with pytest.warns(AutogradWarning, match="changes an argument"):
        both(scenario)


def test_a_tensor_argument_with_a_gradient():
    def scenario(through):
        f = through(lambda t: t * 1 if t.grad is None else t + t.grad)
        t = ac.Tensor(X)
        first = f(t)
        t.grad = ac.Tensor(X * 10)
        return first.data, f(t).data

    both(scenario)


@pytest.mark.filterwarnings("ignore:compile")
def test_arguments_with_attributes_of_their_own():
    class Named(dict):
        pass

    def scenario(through):
        f = through(lambda d: d["a"] * d.k)
        found = []
        for k in (3, 5):
            d = Named(a=X)
            d.k = k
            found.append(f(d))
        return found

    assert both(scenario)[1][0] == 5


@dataclass
class Left:
    a: np.ndarray


@dataclass
class Right:
    a: np.ndarray


def test_dataclasses_of_two_kinds():
    def scenario(through):
        f = through(lambda d: d.a * (2 if isinstance(d, Left) else 3))
        return [f(Left(X)), f(Right(X))]

    assert [each[0] for each in both(scenario)] == [2, 3]


# error states, graphs


@pytest.mark.filterwarnings("ignore:compile")
def test_traced_under_an_error_state_of_its_own():
    with np.errstate(over="raise", divide="raise"):
        ac.compile(ac.sigmoid)(np.ones(2))

    def scenario(through):
        f = through(ac.sigmoid)
        with np.errstate(over="raise", divide="raise"):
            f(np.ones(2))
        return f(np.array([-710.0, 3.0]))

    assert both(scenario)[0] > 0


@pytest.mark.filterwarnings("ignore:compile")
def test_a_graph_that_was_recorded_outside():
    def scenario(through):
        p = nn.Parameter(np.ones(3))
        y = p * p * p

        def f(x):
            p.grad = None
            ac.sum(y * x).backward(retain_graph=True)
            return p.grad.data * 1

        f = through(f)
        f(X)
        p.data = X * 2
        return f(X)

    assert both(scenario).tolist() == [3, 6, 9]


@pytest.mark.filterwarnings("ignore:compile")
def test_a_graph_that_is_freed():
    p = nn.Parameter(X.copy())
    y = ac.sum(p * p)

    def f(x):
        p.grad = None
        y.backward()
        return p.grad.data * x

    compiled = ac.compile(f)
    compiled(X)
    for _ in range(3):
        with pytest.raises(FreedGraphError):
            compiled(X)


# complex numbers, masks


@pytest.mark.parametrize(
    "function",
    [lambda x: x.sum() * x[1], lambda x: abs(x.sum()), lambda x: (x[:1] + 0) * x[1:2] + 0,
     ac.grad(lambda x: ac.sum(ac.abs(x * x * x) ** 2))],
)  # fmt: skip
@pytest.mark.parametrize("size", [2, 3])
def test_bits_of_complex_numbers(function, size):
    random = np.random.default_rng(0)
    compiled = ac.compile(function)
    for _ in range(100):
        x = random.normal(size=size) + 1j * random.normal(size=size)
        assert np.asarray(compiled(x)).tobytes() == np.asarray(function(x)).tobytes()


def test_blocks_of_complex_numbers_with_a_last_element():
    x = np.exp(1j * np.arange(2**17 + 1))

    def f(x):
        return x * x * x * x

    np.testing.assert_array_equal(ac.compile(f)(x), f(x))


@pytest.mark.filterwarnings("ignore:compile")
def test_an_unused_write_that_fails():
    def f(x):
        u = x * 1
        u[x > 1] = np.arange(2.0)
        return x * 2

    compiled = ac.compile(f)
    compiled(X)
    with pytest.raises(ValueError, match="assign"):
        compiled(X * 9)
