"""Transforms: what goes in and comes out, how they nest, what they refuse, what they cost."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest
import scipy.optimize

import autograd_core as ac
from autograd_core.errors import (
    DTypeError,
    FreedGraphError,
    GraphError,
    IndexingError,
    NotDifferentiableError,
    ShapeError,
)

X = np.array([0.5, -1.0, 2.0])


def cubes(x):
    return ac.sum(x**3)


def mixed(x, y=2.0):
    return ac.sum(ac.sin(x) * y)


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


# ---- products ------------------------------------------------------------------------------------


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


def filled(x):
    out = np.zeros(2)
    out[0] = x[0].item() ** 2
    return out.sum()


UNREACHED = {
    "grad": lambda f: ac.grad(f)(X),
    "value_and_grad": lambda f: ac.value_and_grad(f)(X)[1],
    "jacobian": lambda f: ac.jacobian(f)(X),
    "elementwise_grad": lambda f: ac.elementwise_grad(f)(X),
    "vjp": lambda f: ac.vjp(f, X)[1](1.0)[0],
    "jvp": lambda f: ac.jvp(f, (X,), (X,))[1],
    "hvp": lambda f: ac.hvp(f)(X, X),
}


@pytest.mark.parametrize("name", UNREACHED)
def test_a_result_that_depends_on_no_argument_warns_with_the_exit(name):
    ask = UNREACHED[name]
    with pytest.warns(ac.AutogradWarning) as said:
        assert not ask(filled).any()
    (warning,) = said
    assert f"{name}: what filled returns does not depend on argument 0" in str(warning.message)
    line = filled.__code__.co_firstlineno + 2
    assert f"by item() at {__file__}:{line}" in str(warning.message)
    assert warning.filename == __file__
    with pytest.warns(ac.AutogradWarning, match="by detach"):
        ask(lambda x: (x.detach() ** 2).sum())
    with pytest.warns(ac.AutogradWarning, match="derivative is 0$"):
        ask(lambda x: 3.0)


def test_a_derivative_that_is_constant_does_not_warn():
    assert ac.hessian(ac.sum)(X).tolist() == [[0] * 3] * 3
    assert ac.grad(ac.grad(lambda x: 3 * x))(1.0) == 0
    assert ac.jacobian(lambda x: ac.jvp(lambda t: 2 * t, (x,), (x * 0 + 1,))[1])(X).sum() == 0
    with pytest.raises(GraphError, match="argument 0"):
        ac.grad(lambda x: 3.0, strict=True)(1.0)


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


# ---- what is refused -----------------------------------------------------------------------------

REFUSED = {
    "a vector": (lambda: ac.grad(ac.sin)(X), ShapeError, r"one number.*\(3,\).*jacobian"),
    "a tuple": (lambda: ac.grad(lambda x: (x, x))(1.0), ShapeError, "has_aux"),
    "nothing": (lambda: ac.grad(lambda x: None)(1.0), ShapeError, "NoneType"),
    "a text": (lambda: ac.jacobian(lambda x: "a")(1.0), ShapeError, "str"),
    "an integer": (lambda: ac.grad(ac.sin)(3), DTypeError, r"argument 0.*int.*Write 3\.0"),
    "integers": (lambda: ac.grad(cubes)(np.arange(3)), DTypeError, "argument 0.*int64.*astype"),
    "an integer in a tree": (
        lambda: ac.grad(lambda t: t["a"][1])({"a": [1.0, 2]}),
        DTypeError,
        r"argument 0\['a'\]\[1\].*int",
    ),
    "a text in a tree": (lambda: ac.grad(lambda t: t[0])((1.0, "b")), DTypeError, "str"),
    "too few": (lambda: ac.grad(mixed, 2)(X, 1.0), IndexingError, "argnum=2.*2 positional"),
    "no such name": (lambda: ac.grad(mixed, "z")(X), IndexingError, "'z'.*given: x"),
    "a default": (lambda: ac.grad(mixed, "y")(X), IndexingError, "'y'"),
    "twice": (lambda: ac.grad(mixed, (0, "x"))(X), ShapeError, "twice"),
    "independent": (
        lambda: ac.grad(lambda x, y: ac.sum(x), 1, strict=True)(X, 1.0),
        GraphError,
        "does not depend on argument 1",
    ),
    "a write to its memory": (
        lambda: ac.grad(lambda x: (x.data.fill(0), ac.sum(x))[1])(X),
        GraphError,
        "memory of an argument",
    ),
    "a cotangent of another shape": (
        lambda: ac.vjp(ac.sin, X)[1](np.ones(2)),
        ShapeError,
        r"\(2,\).*\(3,\)",
    ),
    "tangents of another structure": (
        lambda: ac.jvp(ac.sin, (X,), (X, X)),
        ShapeError,
        "structure",
    ),
    "a tangent of another shape": (lambda: ac.jvp(ac.sin, (X,), (X[:2],)), ShapeError, "shape"),
    "a vector of another shape": (lambda: ac.hvp(cubes)(X, X[:2]), ShapeError, "shape"),
    "complex": (lambda: ac.jacobian(ac.exp)(1j), DTypeError, "holomorphic"),
    "untracked": (lambda: ac.gradients(ac.Tensor(1.0), ac.Tensor(1.0)), GraphError, "tracked"),
    "no path": (
        lambda: ac.gradients(
            ac.Tensor(1.0, requires_grad=True) * 2, ac.Tensor(1.0, requires_grad=True), strict=True
        ),
        GraphError,
        "depends",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said(name):
    wrong, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        wrong()


def test_what_does_not_matter_has_zeros():
    _, second = ac.grad(lambda x, y: ac.sum(x), (0, 1))(X, np.ones((2, 2)))
    np.testing.assert_array_equal(second, np.zeros((2, 2)))
    value, tangent = ac.jvp(lambda x: (3.0, x), (X,), (X,))
    assert value[0] == 3
    assert tangent[0] == 0


def test_a_rule_that_is_differentiated_once_has_no_jvp_and_says_so():
    @ac.op(x=ac.once_differentiable(lambda g, x: g * 2 * x))
    def square_once(x):
        return x * x

    assert ac.grad(square_once)(3.0) == 6
    with pytest.raises(NotDifferentiableError, match="once_differentiable"):
        ac.jvp(square_once, (3.0,), (1.0,))


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


# ---- another gradient, less memory ---------------------------------------------------------------


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


# ---- structures that do not fit ------------------------------------------------------------------


def test_dicts_in_another_order_are_the_same_structure():
    value, pullback = ac.vjp(lambda x: {"a": x * 2, "b": x * 3}, 1.0)
    assert pullback({"b": 10.0, "a": 1.0}) == (32.0,)
    primals = ({"a": 1.0, "b": 2.0},)
    _, tangent = ac.jvp(lambda p: p["a"] * p["b"], primals, ({"b": 10.0, "a": 1.0},))
    assert tangent == 2.0 + 10.0
    assert value == {"a": 2.0, "b": 3.0}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ac.jvp(np.sin, np.ones(3), np.ones(3)), "primals must be a tuple"),
        (lambda: ac.jvp(np.sin, (np.ones(3),), np.ones(3)), "tangents must be a tuple"),
        (lambda: ac.jvp(np.sin, (np.ones(3),), (np.ones(4),)), r"tangents\[0\] has shape \(4,\)"),
        (lambda: ac.vjp(np.sin, np.ones(3))[1](np.ones(4)), r"cotangent has shape \(4,\)"),
        (lambda: ac.hvp(np.sum)(np.ones(3), np.ones(4)), r"vector has shape \(4,\)"),
    ],
)
def test_shapes_that_do_not_fit_name_the_argument(call, message):
    with pytest.raises(ac.ShapeError, match=message):
        call()


def test_a_custom_gradient_of_another_structure_is_refused():
    @ac.custom_gradient
    def double(x):
        return x * 2, lambda g: (g, g)

    with pytest.raises(ac.ShapeError, match="must have its structure"):
        ac.grad(double)(2.0)
