"""Transforms: what goes in and comes out, how they nest, what they cost."""

import copy
import dataclasses
import pickle
from typing import NamedTuple

import numpy as np
import pytest
import scipy.optimize

import autograd_core as ac
from tests.transformed import X, cubes, mixed

# ---- in and out ----------------------------------------------------------------------------------


def test_arrays_in_arrays_out():
    slope = ac.grad(cubes)(X)
    assert type(slope) is np.ndarray
    np.testing.assert_allclose(slope, 3 * X**2)
    value, slope = ac.value_and_grad(cubes)(X)
    assert type(value) is np.float64
    slope += 1  # it is private
    np.testing.assert_array_equal(X, [0.5, -1.0, 2.0])
    assert type(ac.grad(np.tanh)(1.0)) is np.float64


def test_tensors_in_tensors_out():
    slope = ac.grad(cubes)(ac.Tensor(X))
    assert type(slope) is ac.Tensor
    assert not slope.requires_grad
    value, _ = ac.value_and_grad(cubes)(ac.Tensor(X))
    assert type(value) is ac.Tensor


def test_on_a_device(device):
    x = device.array(X)
    _, slope = ac.value_and_grad(cubes)(x)
    assert type(slope) is type(x)
    np.testing.assert_allclose(device.numpy(slope), 3 * X**2)
    matrix = ac.jacobian(lambda x: x[:2] * ac.sum(x))(x)
    assert matrix.shape == (2, 3)
    full = ac.hessian(cubes)(x)
    np.testing.assert_allclose(device.numpy(full), np.diag(6 * X))
    v = device.array(np.ones(3))
    np.testing.assert_allclose(device.numpy(ac.hvp(cubes)(x, v)), 6 * X)
    _, tangent = ac.jvp(ac.sin, (x,), (v,))
    np.testing.assert_allclose(device.numpy(tangent), np.cos(X))


def test_float32_stays_float32():
    assert ac.grad(cubes)(X.astype("f4")).dtype == np.float32
    assert ac.jacobian(ac.sin)(X.astype("f4")).dtype == np.float32
    assert ac.hvp(cubes)(X.astype("f4"), X.astype("f4")).dtype == np.float32


@pytest.mark.parametrize("argnum", [1, -1, "y"])
def test_argnum_by_position_and_by_name(argnum):
    np.testing.assert_allclose(ac.grad(mixed, argnum)(X, 3.0), np.sum(np.sin(X)))


def test_argnum_by_keyword_and_several():
    np.testing.assert_allclose(ac.grad(mixed, "y")(X, y=3.0), np.sum(np.sin(X)))
    first, second = ac.grad(mixed, (0, "y"))(X, y=3.0)
    np.testing.assert_allclose(first, 3 * np.cos(X))
    np.testing.assert_allclose(second, np.sum(np.sin(X)))


class Pair(NamedTuple):
    weight: object
    bias: object


@dataclasses.dataclass(frozen=True)
class Layer:
    weight: object
    rest: dict


def test_trees_in_and_out():
    tree = {"a": [X, (2.0, None)], "b": Pair(X * 2, 1.0), "c": Layer(X, {"d": np.float64(3)})}

    def f(tree):
        a, b, c = tree["a"], tree["b"], tree["c"]
        assert a[1][1] is None
        return ac.sum(a[0] * a[1][0] + b.weight * b.bias + c.weight**2) * c.rest["d"]

    g = ac.grad(f)(tree)
    assert list(g) == ["a", "b", "c"]
    assert g["a"][1][1] is None
    assert type(g["b"]) is Pair
    assert type(g["c"]) is Layer
    np.testing.assert_allclose(g["a"][0], np.full(3, 6.0))
    np.testing.assert_allclose(g["c"].weight, 6 * X)
    np.testing.assert_allclose(g["c"].rest["d"], f(tree) / 3)
    result = ac.jacobian(lambda t: {"s": t[0] * t[1], "n": ac.sum(t[1])})((2.0, X))
    np.testing.assert_allclose(result["s"][0], X)
    np.testing.assert_allclose(result["s"][1], 2 * np.eye(3))
    np.testing.assert_allclose(result["n"][1], np.ones(3))


def test_has_aux():
    slope, aux = ac.grad(lambda x: (ac.sum(x * x), {"x": x}), has_aux=True)(X)
    np.testing.assert_array_equal(slope, 2 * X)
    assert type(aux["x"]) is np.ndarray
    assert aux["x"].flags.writeable


def test_an_argument_that_is_not_differentiated_comes_as_it_is():
    seen = []
    ac.grad(lambda x, y, z: (seen.extend([y, z]), ac.sum(x))[1])(X, "text", X)
    assert seen[0] == "text"
    assert seen[1] is X


def test_scipy_minimises_without_an_adapter():
    def rosenbrock(x):
        return ac.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    found = scipy.optimize.minimize(ac.value_and_grad(rosenbrock), np.zeros(4), jac=True)
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-5)
    places = np.linspace(0, 1, 20)

    def residuals(p):
        return p[0] * np.exp(-p[1] * places) - 3 * np.exp(-2 * places)

    fit = scipy.optimize.least_squares(residuals, [1.0, 1.0], jac=ac.jacobian(residuals))
    np.testing.assert_allclose(fit.x, [3, 2], rtol=1e-6)


# ---- nesting -------------------------------------------------------------------------------------


def test_perturbations_are_not_confused():
    assert ac.grad(lambda x: x * ac.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert ac.grad(lambda x: x * ac.grad(lambda y: x * y)(2.0))(3.0) == 6
    inner = lambda x: ac.jvp(lambda y: x * y, (2.0,), (1.0,))[1]  # noqa: E731
    assert ac.grad(lambda x: x * inner(x))(3.0) == 6
    outer = lambda x: x * ac.grad(lambda y: x * y**2)(x)  # noqa: E731
    _, tangent = ac.jvp(outer, (3.0,), (1.0,))
    assert tangent == pytest.approx(6 * 9)


def test_any_order():
    f, expected = np.sin, [np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)]
    for value in expected:
        f = ac.grad(f)
        assert f(0.7) == pytest.approx(value, rel=1e-14)


def test_all_ways_to_a_second_derivative_agree():
    def f(x):
        return ac.sum(ac.tanh(x[:, None] * x) @ ac.exp(x))

    full = ac.hessian(f)(X)
    np.testing.assert_allclose(ac.jacobian(ac.grad(f))(X), full, rtol=1e-12)
    for i, unit in enumerate(np.eye(3)):
        np.testing.assert_allclose(ac.hvp(f)(X, unit), full[i], rtol=1e-12)
        np.testing.assert_allclose(ac.vhp(f)(X, unit), full[i], rtol=1e-12)
        np.testing.assert_allclose(ac.jvp(ac.grad(f), (X,), (unit,))[1], full[i], rtol=1e-12)
        along = ac.grad(lambda x, u=unit: ac.jvp(f, (x,), (u,))[1])
        np.testing.assert_allclose(along(X), full[i], rtol=1e-12)
        _, linear = ac.linearize(ac.grad(f), X)
        np.testing.assert_allclose(linear(unit), full[i], rtol=1e-12)
        np.testing.assert_allclose(linear(2 * unit), 2 * full[i], rtol=1e-12)


def test_a_third_derivative_by_jacobians():
    third = ac.jacobian(ac.hessian(cubes))(X)
    expected = np.zeros((3, 3, 3))
    expected[range(3), range(3), range(3)] = 6
    np.testing.assert_array_equal(third, expected)


def test_a_transform_in_a_training_loop_is_part_of_the_graph():
    w = ac.Tensor([2.0, 3.0], requires_grad=True)
    penalty = ac.sum(ac.jacobian(lambda x: w * x**2)(np.array([1.0, 1.0])) ** 2)
    assert penalty.requires_grad
    penalty.backward()
    np.testing.assert_allclose(w.grad.numpy(), 8 * w.detach().numpy())
    w.grad = None
    slope = ac.grad(lambda x: ac.sum(w * x**2))(np.ones(2))
    ac.sum(slope).backward()
    np.testing.assert_allclose(w.grad.numpy(), [2, 2])
    with ac.no_grad():
        assert type(ac.grad(lambda x: ac.sum(w * x**2))(np.ones(2))) is np.ndarray


def test_gradients_outside_are_left_alone():
    w = ac.Tensor([2.0], requires_grad=True)
    ac.grad(lambda x: ac.sum(w * x))(np.ones(1))
    assert w.grad is None


def test_nothing_stays_in_memory(device):
    import gc
    import weakref

    gc.disable()
    try:
        seen = []

        def f(x):
            y = ac.tanh(x)
            seen.append(weakref.ref(y))
            return ac.sum(y * y)

        x = device.array(X)
        for transform in (ac.grad, ac.value_and_grad, ac.jacobian, ac.hessian, ac.elementwise_grad):
            transform(f)(x)
        ac.hvp(f)(x, x)
        ac.jvp(f, (x,), (x,))
        assert not any(reference() for reference in seen)
    finally:
        gc.enable()


def test_dicts_in_another_order_are_the_same_structure():
    value, pullback = ac.vjp(lambda x: {"a": x * 2, "b": x * 3}, 1.0)
    assert pullback({"b": 10.0, "a": 1.0}) == (32.0,)
    primals = ({"a": 1.0, "b": 2.0},)
    _, tangent = ac.jvp(lambda p: p["a"] * p["b"], primals, ({"b": 10.0, "a": 1.0},))
    assert tangent == 2.0 + 10.0
    assert value == {"a": 2.0, "b": 3.0}


# ---- recording, when a pullback is made and when it is used --------------------------------------


def cube(x):
    return x * x * x


@pytest.mark.parametrize("made", [ac.no_grad, ac.enable_grad])
def test_a_pullback_asks_for_recording_when_it_is_used(made):
    with made():
        _, pull = ac.vjp(cube, 2.0)
        _, push = ac.linearize(cube, 2.0)
    for linear in (lambda u: pull(u)[0], push):
        slope = ac.grad(linear)(1.0)
        assert (type(slope), slope) == (np.float64, 12.0)
        assert linear(ac.Tensor(1.0, True)).requires_grad
        with ac.no_grad():
            assert not ac.asarray(linear(ac.Tensor(1.0, True))).requires_grad


@pytest.mark.parametrize("made", [ac.no_grad, ac.enable_grad])
def test_a_pullback_through_a_closure_depends_on_it_where_it_is_used(made):
    w = ac.Tensor(3.0, requires_grad=True)
    with made():
        _, pull = ac.vjp(lambda x: w * cube(x), 2.0)
        _, push = ac.linearize(lambda x: w * cube(x), 2.0)
    for linear in (lambda u: pull(u)[0], push):
        w.grad = None
        linear(1.0).backward(retain_graph=True)
        assert w.grad.item() == 12.0
        with ac.no_grad():
            assert linear(1.0) == 36.0


@pytest.mark.parametrize("made", [ac.no_grad, ac.enable_grad])
def test_a_pullback_at_a_tracked_tensor_that_is_used_twice(made):
    z = np.array([1.0, 2.0])

    def through(transform):
        def outer(z):
            with made():
                _, linear = transform(lambda q: ac.sum(q**3 * z), z)
            return ac.sum(linear(1.0)[0]) if transform is ac.vjp else linear(np.ones(2))

        return outer

    for transform in (ac.vjp, ac.linearize):
        np.testing.assert_allclose(ac.grad(through(transform))(z), 9 * z**2)


def test_a_custom_gradient_may_differentiate_a_pullback():
    @ac.custom_gradient
    def square(x):
        def backward(g):
            _, pull = ac.vjp(lambda t: t**2, x.detach())
            return g * ac.grad(lambda u: pull(u)[0])(1.0)

        return x.detach() ** 2, backward

    assert ac.grad(square)(3.0) == 6.0


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("x", [2.0, np.ones(2)])
def test_a_copy_of_an_argument_is_recorded(twin, x):
    assert np.all(ac.grad(lambda x: ac.sum(twin(x) * x))(x) == 2 * x)
    slope = ac.grad(lambda p: ac.sum(twin(p)["w"] * p["w"]))({"w": x})["w"]
    assert np.all(slope == 2 * x)
    leaf = ac.Tensor(x, requires_grad=True)
    assert ac.sum(twin(leaf) * leaf).node is not None
    ac.sum(twin(leaf * 1.0) * leaf).backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), 2 * x)


def test_an_argument_cannot_be_pickled():
    with pytest.raises(ac.GraphError, match=r"use .detach\(\)"):
        ac.grad(lambda x: ac.sum(pickle.loads(pickle.dumps(x)) * x))(2.0)
