"""What a program depends on besides the values of arrays: places, kinds, classes, arguments."""

from dataclasses import dataclass

import numpy as np
import pytest

import autograd_core as ac
import nn

X = np.arange(1.0, 4.0)
SCALE = 2.0


def both(scenario):
    """What a scenario returns plainly, which it has to return compiled."""
    expected, found = scenario(lambda f: f), scenario(ac.compile)
    np.testing.assert_equal(found, expected)
    assert str(found) == str(expected)
    return found


# arrays of which the values are not used


def test_an_array_that_is_there_or_not():
    def scenario(through):
        class Holder:
            mask = np.ones(3)

        f = through(lambda x: x * 2 if Holder.mask is not None else x * 3)
        f(X)
        Holder.mask = None
        return f(X)

    assert both(scenario)[0] == 3


@pytest.mark.parametrize(
    "of", [len, lambda a: a.size, lambda a: float(a.dtype == np.float32), lambda a: a.ndim + 1]
)
@pytest.mark.parametrize("new", [np.zeros((20, 3)), np.zeros(10, np.float32)])
def test_the_size_or_dtype_of_an_array(of, new):
    def scenario(through):
        data = {"x": np.zeros((10, 3))}
        f = through(lambda x: x.sum() * of(data["x"]))
        first = f(X)
        data["x"] = new
        return first, f(X)

    both(scenario)


def test_a_result_of_the_shape_of_an_array():
    def scenario(through):
        class Holder:
            h = np.ones(3)

        f = through(lambda x: np.zeros_like(Holder.h) + 1)
        f(X)
        Holder.h = np.ones((2, 2), "f4")
        return f(X)

    assert both(scenario).dtype == np.float32


def test_the_number_of_parameters():
    def scenario(through):
        model = nn.Linear(2, 1)
        f = through(lambda x: x * sum(p.size for p in model.parameters()))
        f(X)
        model.weight.data = np.ones((1, 5))
        return f(X)

    both(scenario)


def test_two_places_with_one_array():
    def scenario(through):
        held = {"a": X.copy(), "b": X.copy()}
        f = through(lambda x: x * (2 if held["a"] is held["b"] else 3))
        found = [f(X)]
        held["b"] = held["a"]
        found.append(f(X))
        held["b"] = X.copy()
        return [*found, f(X)]

    assert [each[0] for each in both(scenario)] == [3, 2, 3]


def test_a_number_that_becomes_none():
    class Holder:
        traced_numbers = ("k",)

    def scenario(through):
        holder = Holder()
        holder.k = 2.0
        f = through(lambda x: x * 2 if holder.k is not None else x)
        f(X)
        holder.k = None
        return f(X)

    assert both(scenario)[0] == 1


@pytest.mark.filterwarnings("ignore:compile")
def test_an_array_that_the_function_replaces_and_does_not_read():
    class Holder:
        last = None

    holder = Holder()
    holder.last = np.zeros(3)

    def f(x):
        holder.last = x * 2
        return x + 1

    compiled = ac.compile(f)
    for i in range(3):
        compiled(X + i)
        np.testing.assert_array_equal(holder.last, (X + i) * 2)
    assert len(compiled.programs) == 1
    holder.last = None
    compiled(X)
    np.testing.assert_array_equal(holder.last, X * 2)


# classes


class Table:
    def __getitem__(self, x):
        return SCALE * x

    def __matmul__(self, x):
        return SCALE * x

    def __len__(self):
        return int(SCALE)

    def __enter__(self):
        return SCALE

    def __exit__(self, *_):
        pass


class Made:
    def __init__(self):
        self.v = SCALE


@dataclass
class Settled:
    v: float = 0.0

    def __post_init__(self):
        self.v = SCALE


class Described:
    def __get__(self, instance, owner=None):
        return SCALE


class Holder:
    described = Described()
    y = 0
    scaled = property(lambda self: self.y, lambda self, x: setattr(self, "y", x * SCALE))


class Loose(nn.Module):
    def __getattr__(self, name):
        return SCALE


class Scaled(list):
    def __getitem__(self, i):
        return SCALE


TABLE, HOLDER, LOOSE, SCALED = Table(), Holder(), Loose(), Scaled([1.0])


def enter(x):
    with TABLE as scale:
        return x * scale


def set_property(x):
    HOLDER.scaled = x
    return HOLDER.y * 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x: TABLE[x], lambda x: TABLE @ x, lambda x: x * len(TABLE), lambda x: x * Made().v,
        lambda x: x * Settled().v, lambda x: x * HOLDER.described, lambda x: x * LOOSE.missing,
        lambda x: x * SCALED[0], enter, set_property,
    ],
    ids=["getitem", "matmul", "len", "init", "post_init", "descriptor", "getattr", "list", "enter",
         "property"],
)  # fmt: skip
def test_special_methods_are_looked_through(function, monkeypatch):
    compiled = ac.compile(function)
    np.testing.assert_array_equal(compiled(X), X * 2)
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    np.testing.assert_array_equal(compiled(X), X * 5)


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_attributes_of_containers(kind):
    class Named(kind):
        pass

    def scenario(through):
        held = Named({0: 2.0} if kind is dict else [2.0])
        held.k = 3.0
        f = through(lambda x: x * held[0] * held.k)
        f(X)
        held.k = 4.0
        return f(X)

    assert both(scenario)[0] == 8


def test_a_class_or_the_code_of_a_function_is_replaced():
    class A:
        def scale(self):
            return 2.0

    class B(A):
        def scale(self):
            return 3.0

    def of_class(through):
        one = A()
        f = through(lambda x: x * one.scale())
        f(X)
        one.__class__ = B
        return f(X)

    def of_code(through):
        def g(x):
            return x * 2

        def h(x):
            return x * 3

        f = through(lambda x: g(x))
        f(X)
        g.__code__ = h.__code__
        return f(X)

    assert both(of_class)[0] == both(of_code)[0] == 3
