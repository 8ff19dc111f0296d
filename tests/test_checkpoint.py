"""A checkpoint runs its function twice: what it draws, what it keeps, and what it refuses."""

import collections
import functools
import random
import sys
import types
import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import GraphError, StaleArrayError


def block(x, w):
    return ac.tanh(ac.sin(x) @ w) + x


def test_a_checkpoint_computes_the_same(device):
    rng = np.random.default_rng(0)
    x, w = (device.array(rng.normal(size=(3, 3))) for _ in range(2))

    def loss(x, w, wrap):
        run = wrap(block)
        return ac.sum(run(run(x, w), w) ** 2)

    for order in (ac.grad, ac.jacobian, lambda f, n: ac.jacobian(ac.grad(f, n), n)):
        same = order(lambda x, w: loss(x, w, lambda f: f), (0, 1))(x, w)
        found = order(lambda x, w: loss(x, w, ac.checkpoint), (0, 1))(x, w)
        for one, other in zip(leaves_of(same), leaves_of(found), strict=True):
            np.testing.assert_allclose(device.numpy(one), device.numpy(other), rtol=1e-12)
    vector = device.array(rng.normal(size=(3, 3)))
    np.testing.assert_allclose(
        *(
            device.numpy(ac.jvp(lambda x, c=c: c(block)(x, w), (x,), (vector,))[1])
            for c in (ac.checkpoint, lambda f: f)
        ),
        rtol=1e-12,
    )
    whole = ac.jacobian(lambda x: ac.checkpoint(block)(x, w))(x)
    np.testing.assert_allclose(
        device.numpy(whole), device.numpy(ac.jacobian(lambda x: block(x, w))(x)), rtol=1e-12
    )


def leaves_of(tree):
    return [
        leaf for entry in tree for leaf in (leaves_of(entry) if type(entry) is tuple else [entry])
    ]


def test_a_checkpoint_keeps_only_its_arguments():
    import tracemalloc

    def long(x):
        for _ in range(50):
            x = ac.tanh(x * 1.01)
        return x

    x = ac.Tensor(np.ones(100_000), requires_grad=True)
    kept = {}
    for wrap in (lambda f: f, ac.checkpoint):
        tracemalloc.start()
        y = wrap(long)(x)
        kept[wrap], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        x.grad = None
        ac.sum(y).backward()
        kept[wrap] = kept[wrap], x.grad.numpy()
    (plain, expected), (less, found) = kept.values()
    assert less < plain / 20
    np.testing.assert_array_equal(found, expected)


GENERATOR = np.random.default_rng(3)


def test_a_checkpoint_draws_the_same_numbers_again():
    own = ac.random.default_rng(1)

    def noisy(x, generator):
        noise = np.random.normal(size=3) + GENERATOR.normal(size=3) + generator.normal(size=3)
        return x * noise * own.normal(size=3)

    x = ac.Tensor(np.ones(3), requires_grad=True)
    y = ac.checkpoint(noisy)(x, np.random.default_rng(0))
    following = GENERATOR.bit_generator.state
    y.backward(np.ones(3))
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    assert GENERATOR.bit_generator.state == following


def test_a_checkpoint_reaches_the_parameters_of_a_module():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2))
    x = np.ones((5, 3), "f4")
    expected = ac.gradients(ac.sum(model(x)), list(model.parameters()))
    ac.sum(ac.checkpoint(model)(x)).backward()
    for parameter, g in zip(model.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.grad.numpy(), g.numpy())


def test_a_checkpoint_that_changes_is_refused():
    w = [ac.Tensor(1.0, requires_grad=True), ac.Tensor(2.0, requires_grad=True)]
    x = ac.Tensor(1.0, requires_grad=True)
    y = ac.checkpoint(lambda x: x * w.pop())(x)
    with pytest.raises(GraphError, match="run again"):
        y.backward()
    w = ac.Tensor(1.0, requires_grad=True)
    y = ac.checkpoint(lambda x: x * w)(x)
    with ac.no_grad():
        w[...] = 2
    with pytest.raises(StaleArrayError):
        y.backward()


# ---- generators, wherever they stand -------------------------------------------------------------

SHARED = np.random.default_rng(5)
TOOLS = types.ModuleType("tools")
TOOLS.generator = np.random.default_rng(6)
sys.modules["tools_of_a_test"] = TOOLS


class Drop(nn.Module):
    def __init__(self, rng):
        self.rng = rng

    def forward(self, x):
        return x * (self.rng.random(x.shape) > 0.5)


class OfTheClass:
    rng = np.random.default_rng(7)

    def __call__(self, x):
        return x * self.rng.normal(size=x.shape)


class Slotted:
    __slots__ = ("rng",)

    def __init__(self):
        self.rng = np.random.default_rng(8)

    def noisy(self, x):
        return x * self.rng.normal(size=x.shape)


class Global:
    def __call__(self, x):
        return helper(x)


def helper(x):
    return [x * SHARED.normal(size=x.shape) for _ in range(2)][1]


def through_a_module(x):
    return x * TOOLS.generator.normal(size=x.shape)


def through_an_import(x):
    from tools_of_a_test import generator

    return x * generator.normal(size=x.shape)


def drawing(draw):
    return lambda x: x * np.array([draw() for _ in range(x.size)])


def default(x, rng=np.random.default_rng(9)):  # noqa: B008
    return x * rng.normal(size=x.shape)


def wrapped():
    @functools.wraps(helper)
    @functools.lru_cache
    def function(x):
        return helper(x)

    return lambda x: function(x.detach()) * x


def held(container):
    model = nn.Sequential(nn.Linear(3, 3, generator=np.random.default_rng(1)))
    model.more = container
    return lambda x: model(x) * sum(rng.normal() for rng in rngs(container))


def rngs(container):
    values = container.values() if isinstance(container, dict) else container
    for value in values:
        yield from [value] if hasattr(value, "normal") else rngs(value)


def in_objects(x):
    box = np.empty(1, object)
    box[0] = np.random.default_rng(3)
    return lambda x: x * box[0].normal(size=x.shape)


def new():
    return np.random.default_rng(4)


PLACES = {
    "a module of a module": lambda: nn.Sequential(nn.Sequential(nn.Tanh(), Drop(new()))),
    "ours": lambda: Drop(ac.random.default_rng(2)),
    "a RandomState": lambda: Drop(np.random.RandomState(2)),
    "a bit generator": lambda: Drop(np.random.Generator(np.random.MT19937(3))),
    "a list": lambda: held([[new()], []]),
    "a dict": lambda: held({"a": {"b": new()}}),
    "a tuple": lambda: held(((new(),),)),
    "a set": lambda: held({new()}),
    "a deque": lambda: held(collections.deque([new()])),
    "an object array": lambda: in_objects(None),
    "a class": OfTheClass,
    "slots": lambda: Slotted().noisy,
    "a namespace": lambda: (lambda o: lambda x: o.inner.noisy(x))(
        types.SimpleNamespace(inner=Slotted())
    ),
    "a function behind a function": Global,
    "a module by name": lambda: through_a_module,
    "an import inside": lambda: through_an_import,
    "a closure of a closure": lambda: (lambda f: lambda x: f(x))(drawing(new().normal)),
    "a default": lambda: default,
    "a partial": lambda: functools.partial(lambda rng, x: x * rng.normal(size=3), new()),
    "a partial's keyword": lambda: functools.partial(lambda x, rng: x * rng.normal(), rng=new()),
    "a bound method of a generator": lambda: drawing(new().normal),
    "random": lambda: drawing(random.random),
    "random's gauss": lambda: drawing(lambda: random.gauss(0.0, 1.0)),
    "a random.Random": lambda: drawing(random.Random(1).random),
    "np.random": lambda: drawing(np.random.normal),
    "a checkpoint in a checkpoint": lambda: ac.checkpoint(ac.checkpoint(Drop(new()))),
    "a method of a cached function": wrapped,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_generator_is_set_back_and_put_back(place):
    f, x = PLACES[place](), ac.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    loss = ac.checkpoint(lambda x: (lambda y: (y, ac.sum(y * y)))(f(x)))
    y, total = loss(x)
    before = ac.transforms.generators.States(f).states
    total.backward()
    after = ac.transforms.generators.States(f).states
    assert repr(before) == repr(after)
    assert x.grad is not None
    following = f(x).detach().numpy()
    assert not np.array_equal(following, y.detach().numpy())


def test_states_that_are_put_back_after_an_error():
    rng, calls = np.random.default_rng(0), []

    def f(x):
        calls.append(1)
        y = x * rng.normal()
        if len(calls) > 1:
            raise ZeroDivisionError
        return y

    y = ac.checkpoint(f)(ac.Tensor(1.0, requires_grad=True))
    before = rng.bit_generator.state
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert rng.bit_generator.state == before


def test_higher_orders_and_batches_of_noise():
    def f(model, x):
        return ac.sum(model(x) ** 3)

    for order in (ac.grad, ac.hessian, lambda f: ac.jacobian(ac.jacobian(ac.grad(f)))):
        x = np.array([1.0, 2.0, 3.0])
        plain, saved = nn.Sequential(Drop(new())), nn.Sequential(Drop(new()))
        expected = order(lambda x, m=plain: f(m, x))(x)
        found = order(lambda x, m=saved: f(ac.checkpoint(m), x))(x)
        np.testing.assert_array_equal(found, expected)
        assert np.any(found)


class DeviceBits:
    """A bit generator whose state is an array on its device, as CuPy's are."""

    def __init__(self, state):
        self._state = state

    def random_raw(self):
        self._state[...] = self._state * 3 % 1009
        return self._state * 1


def test_a_generator_whose_state_lives_on_a_device(device):
    bits = DeviceBits(device.array([5, 6, 7]))
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = ac.checkpoint(lambda x: x * bits.random_raw())(x)
    ac.sum(y).backward()
    np.testing.assert_array_equal(device.numpy(x.grad) * [1, 2, 3], device.numpy(y))
    np.testing.assert_array_equal(device.numpy(bits._state), [15, 18, 21])


# ---- the second run is compared with the first ---------------------------------------------------


def counting(values):
    calls = iter(values)
    return lambda x: x * next(calls)


CHANGES = {
    "a number": lambda: counting([1.0, 1.0000001]),
    "a sign": lambda: (lambda f: lambda x: ac.where(f(x) > 0, x, -x))(counting([1.0, -1.0])),
    "one element": lambda: (lambda c: lambda x: ac.where(x > next(c), x, 9.0))(iter([0.5, 1.5])),
    "an order": lambda: (lambda c: lambda x: x[next(c)])(iter([[0, 1, 2], [2, 1, 0]])),
    "a shape": lambda: (lambda c: lambda x: x[next(c)])(iter([slice(3), slice(2)])),
    "a dtype": lambda: (lambda c: lambda x: x.astype(next(c)))(iter(["f4", "f8"])),
    "a structure": lambda: (lambda c: lambda x: [x * 2] * next(c))(iter([1, 2])),
    "one result of two": lambda: (lambda f: lambda x: (x * 2, f(x)))(counting([1.0, 2.0])),
    "a result beside": lambda: (lambda c: lambda x: (x * 2, next(c)))(iter([1, 2])),
    "booleans beside": lambda: (lambda f: lambda x: (x * 2, f(x) > 0))(counting([1.0, -1.0])),
    "NaN": lambda: counting([1.0, np.nan]),
    "a number without axes": lambda: (lambda f: lambda x: ac.sum(f(x)))(counting([1.0, 2.0])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_function_that_is_not_deterministic_is_refused(change, device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    f = CHANGES[change]()
    y = ac.checkpoint(f)(x)
    first = y[0] if isinstance(y, tuple | list) else y
    with pytest.raises(GraphError, match=r"not deterministic: when.*again.*(result|returned)"):
        ac.sum(first).backward()
    assert x.grad is None


def test_what_the_function_reads_and_was_overwritten_is_noticed():
    x, c, array = ac.Tensor(np.ones(3), requires_grad=True), ac.Tensor(np.ones(3)), np.ones(3)
    for f, write in (
        (lambda x: x * c, lambda: c.__imul__(2.0)),
        (lambda x: x * c, lambda: setattr(c, "data", np.full(3, 7.0))),
        (lambda x: x * array, lambda: array.__imul__(2.0)),
        (functools.partial(lambda a, x: x * a, array), lambda: array.__imul__(2.0)),
    ):
        y = ac.checkpoint(f)(x)
        write()
        with pytest.raises(GraphError, match=r"not deterministic.*other values.*before backward"):
            ac.sum(y).backward()
    w = ac.Tensor(np.ones(3), requires_grad=True)
    y = ac.checkpoint(lambda x: x * w)(x)
    w.data = np.full(3, 2.0)
    with pytest.raises(GraphError, match="not deterministic"):
        ac.sum(y).backward()


def test_what_is_the_same_is_no_difference(device):
    """NaN, infinities, views, results without axes or elements, the argument itself."""
    x = ac.Tensor(device.array([-1.0, 0.0, 4.0, 9.0]), requires_grad=True)

    def f(x):
        root, low = ac.sqrt(x), ac.log(x)
        return {
            "views": (root[::-1], root.reshape(2, 2).T, ac.broadcast_to(root[3], (2, 2)), x),
            "others": [low, x[3], ac.sum(x), x[:0], x > 0, 3, "text", None, root.astype("f4")],
            "complex": root * (1 + 2j),
        }

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = ac.checkpoint(f)(x)
        (result["views"][1][1, 1] + result["others"][2] + result["views"][0][1]).backward()
    np.testing.assert_allclose(device.numpy(x.grad)[2:], [1.25, 1 + 1 / 6])


def test_long_doubles_are_compared_without_their_padding():
    x = ac.Tensor(np.arange(1, 5, dtype=np.longdouble), requires_grad=True)
    ac.sum(ac.checkpoint(lambda x: ac.sqrt(x) * (1 + 0j))(x).real).backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.5 / np.sqrt(np.arange(1, 5)))
    y = ac.checkpoint(counting([np.longdouble(1), np.longdouble(1) + np.finfo("g").eps]))(x)
    with pytest.raises(GraphError, match="not deterministic"):
        ac.sum(y).backward()


def test_a_device_may_round_differently(device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = ac.checkpoint(counting([1.0, 1.0 + 1e-13]))(x)
    if device.home == "cpu":
        with pytest.raises(GraphError, match="not deterministic"):
            ac.sum(y).backward()
    else:
        ac.sum(y).backward()
        np.testing.assert_allclose(device.numpy(x.grad), [1, 1, 1])


def test_a_result_that_was_overwritten_since_is_no_difference(device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = ac.checkpoint(lambda x: x * 2.0)(x)
    z = y * 3.0
    with ac.no_grad():
        y.data *= 5.0
    ac.sum(z).backward()
    np.testing.assert_array_equal(device.numpy(x.grad), [6, 6, 6])


def test_the_comparison_keeps_no_result_alive():
    import weakref

    x = ac.Tensor(np.ones(1000), requires_grad=True)
    y = ac.checkpoint(lambda x: ac.sin(x))(x)
    array = weakref.ref(y.data)
    z = ac.sum(y)
    del y
    assert array() is None
    z.backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.cos(np.ones(1000)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "c8", "c16"])
def test_any_nan_is_the_same_as_another(dtype):
    plain = np.array([np.nan, 1.0], dtype)
    other = plain.copy()
    other[:1] = -plain[:1]
    assert plain[:1].tobytes() != other[:1].tobytes()
    x = ac.Tensor(np.ones(2, dtype), requires_grad=True)
    noises = iter([plain, other])
    y = ac.checkpoint(lambda x: (x * 2, ac.Tensor(next(noises))))(x)[0]
    ac.sum(y.real).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2])
