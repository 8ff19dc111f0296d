"""A function with a gradient of its own."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import (
    ShapeError,
)
from tests.transformed import X


def test_a_custom_gradient_has_every_order():
    @ac.custom_gradient
    def cube(x):
        square = x * x
        return square * x, lambda g: 3 * g * square

    assert ac.grad(cube)(2.0) == 12
    assert ac.grad(ac.grad(cube))(2.0) == 12
    assert ac.grad(ac.grad(ac.grad(cube)))(2.0) == 6
    np.testing.assert_allclose(ac.hessian(lambda x: ac.sum(cube(x)))(X), np.diag(6 * X))
    assert ac.jvp(cube, (2.0,), (1.0,))[1] == 12
    assert cube(2.0) == 8


def test_a_custom_gradient_may_be_another_one():
    @ac.custom_gradient
    def clipped(tree, y):
        return {"x": tree["a"] * y}, lambda g: ({"a": ac.clip(g["x"] * y, -1, 1)}, None)

    x = ac.Tensor(X, requires_grad=True)
    y = ac.Tensor(3.0, requires_grad=True)
    ac.sum(clipped({"a": x}, y)["x"]).backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.ones(3))
    assert y.grad.item() == 0
    whole = ac.jacobian(lambda x: clipped({"a": x}, 0.5)["x"])(X)
    np.testing.assert_allclose(whole, 0.5 * np.eye(3))


def test_a_custom_gradient_of_a_wrong_form_is_refused():
    two = ac.custom_gradient(lambda x, y: (x * y, lambda g: g))
    with pytest.raises(ShapeError, match="each of 2 arguments"):
        ac.grad(two)(1.0, 2.0)
    long = ac.custom_gradient(lambda x: (ac.sum(x), lambda g: np.ones(2)))
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        ac.grad(long)(X)


def test_a_custom_gradient_of_another_structure_is_refused():
    @ac.custom_gradient
    def double(x):
        return x * 2, lambda g: (g, g)

    with pytest.raises(ac.ShapeError, match="must have the structure of the argument"):
        ac.grad(double)(2.0)
