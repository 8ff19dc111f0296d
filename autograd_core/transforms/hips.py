"""The transforms of HIPS autograd, under its names, composed of the transforms of this package."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from autograd_core.engine.types import Operand
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Argnum, Function, as_tensor
from autograd_core.transforms.gradients import grad
from autograd_core.transforms.jacobians import jacobian
from autograd_core.transforms.products import hvp, jvp, vjp

hessian_vector_product = hessian_tensor_product = hvp


def _alone(f: Function, argnum: int, args: Any, settings: Any) -> Function:
    """f as a function of the argument `argnum` only."""

    def function(x: Operand) -> Any:
        given = list(args)
        given[argnum] = x
        return f(*given, **settings)

    return function


def make_vjp(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments that returns (pullback, f(…)). ``pullback(g)`` is the product of
    the cotangent g and the Jacobian with respect to the argument `argnum`. See `vjp`."""

    @public
    def made(*args: Any, **settings: Any) -> Any:
        value, pullback = vjp(_alone(f, argnum, args, settings), args[argnum])
        return public(lambda g: pullback(g)[0]), value

    return made


def make_jvp(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments that returns a function ``push(tangent)``. That returns the tuple
    of f(…) and its derivative along the tangent. See `jvp`."""

    @public
    def made(*args: Any, **settings: Any) -> Any:
        alone = _alone(f, argnum, args, settings)
        return public(lambda tangent: jvp(alone, (args[argnum],), (tangent,)))

    return made


def make_hvp(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments that returns (product, gradient of f). ``product(v)`` returns the
    product of the Hessian of f and v."""
    return make_vjp(grad(f, argnum), argnum)


def _half_square(x: Operand) -> Any:
    return np.sum(x**2, axis=-1) / 2


def make_ggnvp(f: Function, g: Callable[[Any], Any] = _half_square, f_argnum: int = 0) -> Function:
    """A function of f's arguments that returns a function ``product(v)``. That returns the product
    of v and the generalised Gauss-Newton matrix Jᵀ H J, where J is the Jacobian of f, and H the
    Hessian of g at f(…)."""

    @public
    def made(*args: Any, **settings: Any) -> Any:
        alone, x = _alone(f, f_argnum, args, settings), args[f_argnum]
        value, pullback = vjp(alone, x)

        @public
        def product(v: Any) -> Any:
            _, forward = jvp(alone, (x,), (v,))
            return pullback(hvp(g)(value, forward))[0]

        return product

    return made


def deriv(f: Function, argnum: int = 0) -> Function:
    """A function that returns the derivative of f with respect to an argument that is a number."""

    @public
    def derivative(*args: Any, **settings: Any) -> Any:
        x = args[argnum]
        return jvp(_alone(f, argnum, args, settings), (x,), (np.ones_like(x),))[1]

    return derivative


def grad_and_aux(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns (gradient, more), for an f that returns (value, more). See `grad`."""
    return grad(f, argnum, has_aux=True)


def grad_named(f: Function, argname: str) -> Function:
    """A function that returns the gradient with respect to the argument `argname`. See `grad`."""
    return grad(f, argname)


def holomorphic_grad(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns the complex derivative of a holomorphic f. See `grad`."""
    return grad(f, argnum, holomorphic=True)


def multigrad_dict(f: Function) -> Function:
    """A function that returns a dict of the gradients with respect to all arguments, by name."""

    @public
    def gradients(*args: Any, **settings: Any) -> dict[str, Any]:
        bound = signature(f).bind(*args, **settings)
        bound.apply_defaults()
        return grad(lambda given: f(**given))(dict(bound.arguments))  # type: ignore[no-any-return]

    return gradients


def tensor_jacobian_product(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments followed by a tensor. It returns the Jacobian of f, contracted
    with the tensor over the axes of f's result."""

    @public
    def weighted(*args: Any, **settings: Any) -> Any:
        *rest, tensor = args
        result = as_tensor("tensor_jacobian_product", f(*rest, **settings))
        return np.tensordot(tensor, result, np.ndim(tensor))

    return jacobian(weighted, argnum)


vector_jacobian_product = tensor_jacobian_product
