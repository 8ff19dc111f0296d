"""Jacobians, their products with vectors, and gradients of recorded Tensors."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import (
    DTypeError,
    FreedGraphError,
)
from tests.transformed import X, cubes


def test_jvp_and_vjp_are_transposes():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=3)
    da, db, g = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=2)

    def f(a, b):
        return ac.tanh(a @ b) + ac.linalg.norm(a, axis=1)

    value, tangent = ac.jvp(f, (a, b), (da, db))
    again, pullback = ac.vjp(f, a, b)
    np.testing.assert_array_equal(value, again)
    ga, gb = pullback(g)
    assert np.sum(g * tangent) == pytest.approx(np.sum(ga * da) + np.sum(gb * db), rel=1e-12)
    np.testing.assert_array_equal(pullback(g)[0], ga)


def test_complex_functions():
    z = np.array([1 + 2j, -0.5j])
    assert ac.grad(lambda z: z**3, holomorphic=True)(1 + 1j) == pytest.approx(3 * (1 + 1j) ** 2)
    np.testing.assert_allclose(ac.jacobian(ac.exp, holomorphic=True)(z), np.diag(np.exp(z)))
    _, tangent = ac.jvp(lambda z: z * ac.conjugate(z), (z,), (z * 1j + 1,))
    np.testing.assert_allclose(tangent, 2 * z.real + 0j, atol=1e-15)
    _, tangent = ac.jvp(lambda x: ac.exp(1j * x), (X,), (np.ones(3),))
    np.testing.assert_allclose(tangent, 1j * np.exp(1j * X))
    with pytest.raises(DTypeError, match="holomorphic=True"):
        ac.grad(lambda z: z**3)(1 + 1j)


def test_jacobian_of_rules_that_count_axes_from_the_front():
    @ac.op(x=lambda g: g.T)
    def turned(x):
        return x.T.copy()

    x = np.arange(4.0).reshape(2, 2)
    expected = np.eye(4).reshape(2, 2, 2, 2).transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(ac.jacobian(turned)(x), expected)
    np.testing.assert_array_equal(ac.jacobian(lambda x: turned(x) ** 2)(np.ones((2, 2))),
                                  2 * expected)  # fmt: skip


def test_a_large_jacobian_in_several_passes(monkeypatch):
    from autograd_core.transforms import jacobians

    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(5, 4)), rng.normal(size=4)
    whole = ac.jacobian(lambda x: np.tanh(a @ x))(x)
    monkeypatch.setattr(jacobians, "STACKED", 11)
    np.testing.assert_array_equal(ac.jacobian(lambda x: np.tanh(a @ x))(x), whole)
    np.testing.assert_allclose(whole, (1 - np.tanh(a @ x) ** 2)[:, None] * a)


def test_jacobians_of_odd_shapes():
    assert ac.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert ac.jacobian(lambda x: x * 2)(np.zeros((0, 2))).shape == (0, 2, 0, 2)
    with pytest.warns(ac.AutogradWarning):
        assert ac.jacobian(lambda x: np.ones(2))(X).tolist() == [[0] * 3] * 2
    assert ac.jacobian(lambda x: ac.sum(x, keepdims=True))(X).shape == (1, 3)
    assert ac.hessian(cubes)(2.0) == 12
    assert ac.hessian(ac.sum)(X).tolist() == [[0] * 3] * 3


# ---- gradients of recorded Tensors ---------------------------------------------------------------


def test_gradients_walks_only_what_it_needs():
    x = ac.Tensor(X, requires_grad=True)
    w = ac.Tensor(X, requires_grad=True)
    ran = []

    @ac.op(x=lambda g: (ran.append(1), g)[1])
    def watched(x):
        return x + 0

    h = x * x
    loss = ac.sum(h * watched(w))
    (g,) = ac.gradients(loss, [h], retain_graph=True)
    np.testing.assert_array_equal(g.numpy(), X)
    assert not ran
    both = ac.gradients(loss, {"x": x, "w": w}, retain_graph=True)
    np.testing.assert_allclose(both["x"].numpy(), 2 * X * X)
    assert ran
    assert x.grad is None
    assert ac.gradients(loss, x).shape == (3,)
    with pytest.raises(FreedGraphError):
        ac.gradients(loss, x)


def test_gradients_of_gradients_and_of_several_outputs():
    x = ac.Tensor(X, requires_grad=True)
    g = ac.gradients(cubes(x), x, create_graph=True)
    np.testing.assert_allclose(ac.gradients(g, x, np.ones(3)).numpy(), 6 * X)
    y, z = x * 2, x * 3
    found = ac.gradients([y, z], x, [np.ones(3), np.ones(3)])
    np.testing.assert_array_equal(found.numpy(), [5, 5, 5])
    found = ac.gradients(ac.sum(x * 1), ac.Tensor(1.0, requires_grad=True))
    assert found.item() == 0
