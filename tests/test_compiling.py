"""Compiled functions: the bits of plain calls, and never a stale answer."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled

X = np.array([0.3, -1.2, 2.0])
RNG = np.random.default_rng(0)


def bits(tree):
    """Arrays, Tensors and numbers as comparable bytes."""
    if isinstance(tree, tuple | list):
        return [bits(entry) for entry in tree]
    array = tree.detach().numpy() if isinstance(tree, ac.Tensor) else np.asarray(tree)
    return str(array.dtype), array.shape, array.tobytes()


def assert_same(plain, *arguments, programs=1):
    """Two compiled calls give the bits of the plain one, the second without another trace."""
    compiled = Compiled(plain)
    expected = bits(plain(*arguments))
    for _ in range(2):
        found = compiled(*(a.copy() if isinstance(a, np.ndarray) else a for a in arguments))
        assert bits(found) == expected
    assert not compiled.plain, compiled.plain
    assert len(compiled.programs) == programs
    return compiled


# ---- functions -----------------------------------------------------------------------------------


def loss(x, w):
    return ac.sum(np.tanh(x @ w) ** 2 * np.exp(-x[:, :2]))


@pytest.mark.parametrize(
    "transform",
    [
        ac.grad,
        ac.value_and_grad,
        lambda f: ac.grad(f, (0, 1)),
        ac.hessian,
        lambda f: lambda x, w: ac.hvp(f)(x, w, np.cos(x)),
        lambda f: lambda x, w: ac.jvp(f, (x, w), (np.sin(x), w)),
        lambda f: lambda x, w: ac.grad(lambda x: ac.sum(ac.grad(f)(x, w) ** 2))(x),
        lambda f: lambda x, w: ac.jacobian(lambda x: np.tanh(x @ w))(x),
    ],
)
def test_transforms(transform):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    compiled = assert_same(transform(loss), x, w)
    for _ in range(3):
        x, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
        assert bits(compiled(x, w)) == bits(transform(loss)(x, w))
    assert len(compiled.programs) == 1


def test_the_source_is_numpy_in_the_users_names():
    compiled = assert_same(lambda x, weight: np.exp(x) @ weight + 1.0, X, np.eye(3))
    lines = compiled.source.splitlines()
    assert "def step(x, weight):" in lines
    assert "    np.exp(x, out=exp)" in lines
    assert lines[-1] == "    return add"


def test_equal_unused_and_constant_calls_are_left_out():
    def f(x):
        np.cos(x)
        return np.sin(x) + np.sin(x) * np.exp(np.arange(3.0))

    lines = assert_same(f, X).source.splitlines()
    source = "\n".join(line for line in lines if not line.strip().startswith("#"))
    assert source.count("np.sin") == 1
    assert "cos" not in source
    assert "np.exp" not in source  # of a plain array: computed while tracing


def test_trees_keywords_and_static_values():
    def f(tree, power, scale=1.0):
        return {"out": [tree["a"] ** power * scale, tree["b"][0]]}

    compiled = Compiled(f)
    for power, scale in ((2, 1.0), (3, 1.0), (2, 2.0), (2.0, 1.0), (True, 1.0)):
        tree = {"a": X, "b": (X * 2,)}
        found, expected = compiled(tree, power, scale=scale), f(tree, power, scale=scale)
        assert bits(found["out"]) == bits(expected["out"])
    assert len(compiled.programs) == 5


def test_another_shape_dtype_or_layout_makes_another_program():
    compiled = Compiled(lambda x: np.sum(x * 2, axis=0))
    arrays = [np.ones((2, 3)), np.ones((4, 3)), np.ones((2, 3), np.float32), np.ones((3, 2)).T]
    for array in (*arrays, *arrays):
        assert bits(compiled(array)) == bits(np.sum(array * 2, axis=0))
    assert len(compiled.programs) == 4


def test_what_is_not_an_array_runs_plainly():
    compiled = Compiled(lambda x: x * 2)
    x = ac.Tensor(X, requires_grad=True)
    compiled(x).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
    assert compiled("a") == "aa"
    assert compiled([1, 2]) == [1, 2, 1, 2]
    assert not compiled.plain
    assert ac.grad(Compiled(lambda x: ac.sum(x**2)))(X).tolist() == (2 * X).tolist()


# ---- guards --------------------------------------------------------------------------------------


def test_a_decision_by_value_is_made_again():
    def f(x):
        if np.sum(x) > 0:
            return np.sin(x)
        return x * int(np.argmax(x))

    compiled = Compiled(f)
    for x in (X, -X, X, -X, np.roll(-X, 1), X):
        assert bits(compiled(x)) == bits(f(x))
    assert len(compiled.programs) == 3
    assert "if not greater:" in compiled.programs[0]


def test_a_size_that_depends_on_values_is_checked():
    def f(x):
        return np.cumsum(x[x > 0]), np.nonzero(x)[0]

    compiled = Compiled(f)
    for x in (X, -X, np.zeros(3), X + 1, X):
        assert bits(compiled(x)) == bits(f(x))


def test_guards_that_keep_changing_end_in_plain_calls():
    compiled = Compiled(lambda x: x * float(np.sum(x)))
    for i in range(8):
        compiled(X + i)
    with pytest.warns(ac.AutogradWarning, match="its guards keep changing"):
        assert bits(compiled(X + 8)) == bits((X + 8) * float(np.sum(X + 8)))
    assert bits(compiled(X + 9)) == bits((X + 9) * float(np.sum(X + 9)))


def test_nan_and_minus_zero_are_values_of_guards():
    compiled = Compiled(lambda x: x * float(x[0]))
    for x in (np.array([np.nan]), np.array([0.0]), np.array([-0.0]), np.array([np.nan])):
        assert bits(compiled(x)) == bits(x * float(x[0]))
    assert len(compiled.programs) == 3


# ---- what a function reaches ---------------------------------------------------------------------

WEIGHT = np.eye(3)


def reads_a_global(x):
    return np.tanh(WEIGHT @ x)


def test_a_global_array_may_change_and_be_replaced(monkeypatch):
    compiled = Compiled(reads_a_global)
    for _ in range(2):
        assert bits(compiled(X)) == bits(reads_a_global(X))
    monkeypatch.setitem(globals(), "WEIGHT", WEIGHT * 3)
    assert bits(compiled(X)) == bits(reads_a_global(X))
    WEIGHT[0] = 7
    assert bits(compiled(X)) == bits(reads_a_global(X))
    assert len(compiled.programs) == 1
    monkeypatch.setitem(globals(), "WEIGHT", np.ones((2, 3)))
    assert bits(compiled(X)) == bits(reads_a_global(X))


def test_plain_arithmetic_on_a_captured_array_is_followed():
    state = {"a": [np.ones(3)], "b": (np.ones(3), 2.0)}
    scale = np.full(3, 2.0)

    def f(x):
        return x * (state["a"][0] * 2 + state["b"][0] + scale.sum())

    compiled = Compiled(f)
    assert bits(compiled(X)) == bits(f(X))
    for change in (
        lambda: state["a"].__setitem__(0, np.full(3, 5.0)),
        lambda: state["b"][0].fill(4.0),
        lambda: scale.fill(9.0),
        lambda: state.update(a=[np.zeros(3)]),
        lambda: state.update(b=(np.zeros(3), 2.0)),
    ):
        change()
        assert bits(compiled(X)) == bits(f(X))
    assert not compiled.plain
    assert type(state["a"][0]) is np.ndarray


def test_other_values_and_objects_may_be_replaced():
    class Settings:
        scale = 1.0

    settings, layers, flag = Settings(), [np.eye(3)], True
    settings.act = np.tanh

    def f(x):
        for layer in layers:
            x = settings.act(layer @ x) * settings.scale
        return x if flag else -x

    compiled = Compiled(f)
    assert bits(compiled(X)) == bits(f(X))
    for change in (
        lambda: setattr(settings, "scale", 2),
        lambda: setattr(settings, "scale", 2.0),
        lambda: setattr(settings, "act", np.sin),
        lambda: layers.append(np.full((3, 3), 0.5)),
        lambda: layers.pop(0),
    ):
        change()
        assert bits(compiled(X)) == bits(f(X))
    flag = False
    assert bits(compiled(X)) == bits(f(X))
    assert not compiled.plain
    del settings.act
    with pytest.raises(AttributeError, match="act"):
        compiled(X)


def test_a_model_may_be_updated_rebound_and_replaced():
    def build(seed):
        return nn.Sequential(
            nn.Linear(3, 4, generator=seed), nn.Tanh(), nn.Linear(4, 2, generator=1)
        )

    model = build(0)
    compiled = Compiled(lambda x: model(x))
    x = np.random.default_rng(0).normal(size=(5, 3))
    with ac.no_grad():
        for change in (
            lambda: None,
            lambda: model[0].weight.data.fill(0.3),
            lambda: setattr(model[0].weight, "data", np.full((4, 3), 0.2)),
            lambda: setattr(model[0], "weight", nn.Parameter(np.full((4, 3), 0.1))),
        ):
            change()
            assert bits(compiled(x)) == bits(model(x))
        model = build(5)
        assert bits(compiled(x)) == bits(model(x))
    assert not compiled.plain
    with pytest.warns(ac.AutogradWarning, match="its result requires a gradient"):
        assert compiled(x).requires_grad


def test_random_draws_are_calls_from_the_same_stream():
    generators = [np.random.default_rng(0), np.random.default_rng(0)]

    def draws(generator, x, limit):
        mask = generator.random(3) < limit
        shift = generator.normal(size=3) * generator.uniform()
        return ac.sum(ac.sigmoid(x * mask + shift)) if mask[0] else x * generator.normal()

    compiled = Compiled(lambda x, limit=0.5: draws(generators[0], x, limit))
    for i in range(30):
        assert bits(compiled(X * i)) == bits(draws(generators[1], X * i, 0.5))
    assert not compiled.plain
    assert len(compiled.programs) == 2


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (lambda x: x * np.random.default_rng().random(3), "makes a generator"),
        (lambda x: x * np.random.random(3), "not followed"),
        (lambda x: RNG.shuffle(np.ones(2)) or x, "shuffle"),
    ],
)
def test_other_random_numbers_run_plainly(f, reason):
    compiled = Compiled(f)
    with pytest.warns(ac.AutogradWarning, match=reason):
        compiled(X)
    compiled(X)


def test_a_number_that_is_returned_is_no_decision():
    def f(x):
        total = np.sum(x).item()
        return total, -total / 2 + 1, {"half": abs(total) * 0.5}

    compiled = Compiled(f)
    for i in range(12):
        assert bits(compiled(X * i)[:2]) == bits(f(X * i)[:2])
        assert compiled(X * i)[2] == f(X * i)[2]
        assert type(compiled(X)[0]) is float
    assert len(compiled.programs) == 1
    assert not compiled.plain
    with pytest.warns(ac.AutogradWarning, match="as text"):
        assert Compiled(lambda x: f"{np.sum(x).item():.2f}")(X) == "1.10"


def test_what_a_function_changes_besides_arrays_is_not_lost():
    seen, counter = [], {"calls": 0}

    def f(x):
        seen.append(1)
        counter["calls"] += 1
        return x * counter["calls"]

    compiled = Compiled(f)
    with pytest.warns(ac.AutogradWarning, match="it changes calls"):
        found = [compiled(X) for _ in range(3)]
    assert bits(found) == bits([X, X * 2, X * 3])
    assert (len(seen), counter["calls"]) == (3, 3)


def test_a_plain_array_that_changes_between_its_uses_is_noticed():
    def f(x):
        buffer = np.zeros(3)
        one = x * buffer
        buffer[0] = 5.0
        return one + x * buffer

    compiled = Compiled(f)
    with pytest.warns(ac.AutogradWarning, match="a plain array is written to"):
        assert bits(compiled(X)) == bits(f(X))


def test_an_argument_that_is_written_to_runs_plainly():
    def f(x):
        x += 1
        return x * 2

    compiled, x = Compiled(f), X.copy()
    with pytest.warns(ac.AutogradWarning, match="it writes to an argument"):
        assert bits(compiled(x)) == bits((X + 1) * 2)
    assert bits(x) == bits(X + 1)


def test_results_belong_to_the_caller():
    ones = np.ones(3)
    compiled = Compiled(lambda x: (x * 2, np.zeros_like(x), ones, x[1:]))
    compiled(X)
    one, two = compiled(X), compiled(X)
    one[0][:] = one[1][:] = 9
    assert bits(compiled(X)) == bits((X * 2, np.zeros(3), np.ones(3), X[1:]))
    assert two[2] is ones
    assert np.shares_memory(two[3], X)


def test_nothing_traced_is_left_behind():
    kept = {"last": np.zeros(3)}

    def f(x):
        kept["last"] = x * 2
        f.other = x * 3
        return x

    compiled = Compiled(f)
    for i in range(4):
        compiled(X + i)
        assert type(kept["last"]) is type(f.other) is np.ndarray
        assert bits((kept["last"], f.other)) == bits(((X + i) * 2, (X + i) * 3))
    assert not compiled.plain
