"""What transforms refuse, and what they warn of."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import (
    DTypeError,
    GraphError,
    IndexingError,
    NotDifferentiableError,
    ShapeError,
)
from tests.transformed import X, cubes, mixed


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
    "no such name": (lambda: ac.grad(mixed, "z")(X), IndexingError, "'z'.*called with: x"),
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
