"""Hooks in passes that take a stack of gradients see them one at a time, as in any other pass."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import ShapeError

X = np.array([0.3, -0.5, 1.0])
MATRIX = np.array([[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]])


def every_other(replaced):
    """A hook that replaces the first gradient, the third … of those that it is given."""
    count = iter(range(1000))
    return lambda g: None if next(count) % 2 else replaced(g)


HOOKS = {
    "looks": lambda: lambda g: None,
    "bounds the norm": lambda: lambda g: g / ac.sqrt(ac.sum(g * g)),
    "reverses": lambda: lambda g: g[::-1],
    "returns a constant": lambda: lambda g: ac.arange(3.0).to(g.device),
    "replaces some": lambda: every_other(lambda g: g * g),
    "writes": lambda: lambda g: g.__setitem__(slice(1, None), g[:-1] * 2.0),
    "writes to some": lambda: every_other(lambda g: g.fill(1.0)),
}


def hooked(name, matrix, seen):
    def function(x):
        h = ac.sin(x)
        h.register_hook(lambda g: seen.append(g.shape))
        h.register_hook(HOOKS[name]())
        h.register_hook(lambda g: g * g[0])
        return matrix @ h

    return function


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_sees_one_gradient_at_a_time(name, device):
    x, seen = device.array(X), []
    f = hooked(name, device.array(MATRIX), seen)
    _, pullback = ac.vjp(f, x)
    rows = [device.numpy(pullback(device.array(row))[0]) for row in np.eye(2)]
    np.testing.assert_allclose(device.numpy(ac.jacobian(f)(x)), rows, rtol=1e-14)
    assert seen == [(3,)] * 4


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_in_a_recorded_pass_over_a_stack(name, device):
    """A Jacobian of a Jacobian, beside the Jacobian of its rows: hooks run in passes that are
    recorded, and in passes through those."""
    x, seen = device.array(X), []
    f = hooked(name, device.array(MATRIX), seen)

    def by_rows(x):
        _, pullback = ac.vjp(f, x)
        return ac.stack([pullback(device.array(row))[0] for row in np.eye(2)])

    expected = device.numpy(ac.jacobian(by_rows)(x))
    del seen[:]
    found = device.numpy(ac.jacobian(ac.jacobian(f))(x))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
    assert set(seen) == {(3,)}


def test_a_hook_of_a_number_and_of_the_argument_itself(device):
    def f(x):
        x.register_hook(lambda g: g * ac.max(g))
        total = ac.sum(x)
        total.register_hook(lambda g: g * g if g.ndim == 0 else g * np.nan)
        return total * device.array([1.0, 2.0])

    found = device.numpy(ac.jacobian(f)(device.array(X)))
    np.testing.assert_array_equal(found, [[1.0] * 3, [16.0] * 3])


def test_a_hook_of_float32_in_a_checkpoint_and_under_a_custom_gradient(device):
    seen = []

    @ac.custom_gradient
    def double(x):
        return x * 2, lambda g: g * 2

    def f(x):
        h = double(x)
        h.register_hook(lambda g: seen.append((g.shape, g.dtype)) or (g / ac.sum(abs(g))))
        return h * device.array(np.float32([1, -3, 5]))

    x = device.array(np.float32(X))
    expected = 2 * np.diag(np.float32([1, -1, 1]))
    for function in (f, ac.checkpoint(f)):
        found = device.numpy(ac.jacobian(function)(x))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
    assert set(seen) == {((3,), np.dtype("f4"))}


def test_what_a_hook_returns_must_have_the_shape_of_one_gradient():
    def f(x):
        h = x * 2.0
        h.register_hook(lambda g: ac.stack([g, g]))
        return h

    with pytest.raises(
        ShapeError, match=r"of its argument, \(2,\); it returned one of shape \(2, 2\)"
    ):
        ac.jacobian(f)(np.ones(2))
