"""A checkpoint draws the same numbers again, wherever their generator stands."""

import collections
import functools
import random
import sys
import types

import numpy as np
import pytest

import autograd_core as ac
import nn

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
