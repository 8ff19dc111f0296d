"""Derivatives of functions under HIPS autograd's names and with its arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from autograd_core import transforms
from autograd_core.devices import backend
from autograd_core.engine.exits import warn_user
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Operand
from autograd_core.errors.tracebacks import public
from autograd_core.hips import core
from autograd_core.hips.arguments import subvals
from autograd_core.hips.primitives import getval
from autograd_core.hips.vspace import vspace
from autograd_core.hips.wrap_util import check_argnum, named, unary_to_nary
from autograd_core.transforms import checkpoint as checkpoint
from autograd_core.transforms.calls import Argnum, Function, as_tensor
from autograd_core.transforms.tree import mapped


def _floating(name: str, x: Any) -> Any:
    """x with its integer arrays converted to float64, with a warning."""

    def converted(leaf: Any) -> Any:
        array = leaf.data if isinstance(leaf, Tensor) else leaf
        if not backend.is_array(array) or array.dtype.kind not in "iu":
            return leaf
        warn_user(
            f"{name}: an argument has dtype {array.dtype}; it is differentiated as float64. Pass "
            "x.astype(float)"
        )
        return leaf.astype(np.float64)

    return mapped(converted, x)


def _operator(transform: Callable[..., Any]) -> Callable[..., Any]:
    """A transform of this package that also accepts integer arrays."""
    name = transform.__name__

    @wraps(transform)
    def of_function(fun: Function, argnum: Any = 0, *more: Any, **further: Any) -> Any:
        check_argnum(transform, argnum)
        derivative = transform(fun, argnum, *more, **further)
        places = (argnum,) if isinstance(argnum, int) else argnum

        def of_arguments(*args: Any, **settings: Any) -> Any:
            pairs = ((i, args[i]) for i in places if -len(args) <= i < len(args))
            integers = [(i, x) for i, x in pairs if not _is_floating(x)]
            if integers:
                args = subvals(args, [(i, _floating(name, x)) for i, x in integers])
            return derivative(*args, **settings)

        return named(of_arguments, transform, fun, argnum)

    return of_function


def _is_floating(x: Any) -> bool:
    """True for a float, or an array or Tensor of a floating dtype; the quick case."""
    return getattr(getattr(x, "dtype", None), "kind", "") in ("f", "c") or type(x) is float


grad = _operator(transforms.grad)
value_and_grad = _operator(transforms.value_and_grad)
elementwise_grad = _operator(transforms.elementwise_grad)
jacobian = _operator(transforms.jacobian)
hessian = _operator(transforms.hessian)


@unary_to_nary
def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """A function of fun's arguments that returns (pullback, fun(…)).

    ``pullback(g)`` is the product of the cotangent g and the Jacobian with respect to one argument.

    Parameters
    ----------
    fun : callable
        The function to differentiate.
    argnum : int, or tuple or list of int, default 0
        The position of the argument. Several positions give a tuple.

    Returns
    -------
    callable
        A function of fun's arguments that returns the pullback and fun's result.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.
    ShapeError
        In the pullback, if g has another shape than fun's result.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> pullback, value = autograd.make_vjp(lambda x: x**2)(np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    array([ 2., 40.])
    """
    value, pullback = transforms.vjp(fun, _floating("make_vjp", x))
    return core.pulling(pullback, value), value


@unary_to_nary
def make_jvp(fun: Function, x: Any) -> Function:
    """A function of fun's arguments that returns a function of a tangent.

    Parameters
    ----------
    fun : callable
        The function to differentiate.
    argnum : int, or tuple or list of int, default 0
        The position of the argument to which the tangent belongs.

    Returns
    -------
    callable
        A function of fun's arguments that returns ``push(tangent)``, which returns fun's result and
        its derivative along the tangent.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.
    ShapeError
        In the push, if the tangent has another shape than the argument.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> autograd.make_jvp(np.sin)(0.0)(2.0)
    (np.float64(0.0), np.float64(2.0))
    """
    return core.make_jvp(fun, _floating("make_jvp", x))


@unary_to_nary
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """A function of fun's arguments that returns a function of a tangent, which returns the
    derivative along it."""
    return lambda tangent: core.make_jvp(fun, x)(tangent)[1]


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """A function that returns the derivative of `fun` with respect to a number.

    For an array, it is the sum over the elements of the array of the derivatives with respect to
    each.

    Parameters
    ----------
    fun : callable
        The function to differentiate.
    argnum : int, or tuple or list of int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments that returns the derivative, in the shape of fun's result.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> autograd.deriv(np.sin)(0.0)
    np.float64(1.0)
    """
    x = _floating("deriv", x)
    return core.make_jvp(fun, x)(vspace(x).ones())[1]


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> tuple[Function, Any]:
    """A function of fun's arguments that returns (product, gradient of fun).

    ``product(v)`` is the product of the Hessian of `fun` and v.

    Parameters
    ----------
    fun : callable
        The function to differentiate. It must return one real number.
    argnum : int, or tuple or list of int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments that returns the product, a function of v, and the gradient.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.
    ShapeError
        In a call, if `fun` does not return one number.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> product, gradient = autograd.make_hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> product(np.array([1.0, 0.5]))
    array([6., 6.])
    """
    return make_vjp(grad(fun))(x)  # type: ignore[no-any-return]


def _half_square(x: Operand) -> Any:
    return np.sum(x**2, axis=-1) / 2


def make_ggnvp(f: Function, g: Callable[[Any], Any] = _half_square, f_argnum: int = 0) -> Function:
    """A function of f's arguments that returns the product with the Gauss-Newton matrix of g(f(…)).

    The generalised Gauss-Newton matrix is Jᵀ H J, where J is the Jacobian of f, and H the Hessian
    of g at f(…).

    Parameters
    ----------
    f : callable
        The inner function.
    g : callable, default half the sum of squares
        The outer function, which returns one real number.
    f_argnum : int, default 0
        The position of f's argument.

    Returns
    -------
    callable
        A function of f's arguments that returns ``product(v)``.

    Raises
    ------
    ShapeError
        In a call, if g does not return one number; in the product, if v has another shape than the
        argument.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> autograd.make_ggnvp(lambda x: 2 * x)(np.array([1.0, 2.0]))(np.ones(2))
    array([4., 4.])
    """

    @unary_to_nary
    def ggnvp(fun: Function, x: Any) -> Function:
        pullback, value = make_vjp(fun)(x)
        curvature, _ = make_hvp(g)(value)

        @public
        def product(v: Any) -> Any:
            return pullback(curvature(core.make_jvp(fun, x)(v)[1]))

        return product

    return ggnvp(f, f_argnum)  # type: ignore[no-any-return]


@unary_to_nary
def grad_and_aux(fun: Function, x: Any) -> Any:
    """A function that returns (gradient, more), for a `fun` that returns (value, more).

    Parameters
    ----------
    fun : callable
        The function to differentiate. It returns one real number and anything else.
    argnum : int, or tuple or list of int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments that returns the gradient and the second result.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.
    ShapeError
        In a call, if the value is not one number.
    DTypeError
        In a call, if the value is complex.

    Examples
    --------
    >>> import autograd_core.hips as autograd
    >>> autograd.grad_and_aux(lambda x: (x**2, "more"))(3.0)
    (np.float64(6.0), 'more')
    """
    return transforms.grad(fun, has_aux=True)(_floating("grad_and_aux", x))


def grad_named(fun: Function, argname: str) -> Function:
    """A function that returns the gradient with respect to an argument that is given by its name.

    Parameters
    ----------
    fun : callable
        The function to differentiate. It must return one real number.
    argname : str
        The name of the argument.

    Returns
    -------
    callable
        A function of fun's arguments that returns the gradient.

    Raises
    ------
    ValueError
        If `fun` has no argument of this name.
    ShapeError
        In a call, if `fun` does not return one number.

    Examples
    --------
    >>> import autograd_core.hips as autograd
    >>> autograd.grad_named(lambda x, y: x * y**2, "y")(1.0, 3.0)
    np.float64(6.0)
    """
    return grad(fun, list(signature(fun).parameters).index(argname))  # type: ignore[no-any-return]


@unary_to_nary
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """A function that returns the complex derivative of a holomorphic function.

    Parameters
    ----------
    fun : callable
        The function to differentiate. It must return one number.
    argnum : int, or tuple or list of int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments that returns the derivative.

    Raises
    ------
    IndexError
        In a call without the argument that `argnum` selects.
    ShapeError
        In a call, if `fun` does not return one number.

    Warns
    -----
    AutogradWarning
        In a call, if the argument is not complex.

    Examples
    --------
    >>> import autograd_core.hips as autograd
    >>> autograd.holomorphic_grad(lambda z: z**2)(1j)
    np.complex128(2j)
    """
    if not np.iscomplexobj(getval(x)):
        warn_user("Input to holomorphic_grad is not complex")
        x = x + 0j
    return transforms.grad(fun, holomorphic=True)(x)


def multigrad_dict(fun: Function) -> Function:
    """A function that returns a dict of the gradients with respect to all arguments, by name.

    Parameters
    ----------
    fun : callable
        The function to differentiate. It must return one real number.

    Returns
    -------
    callable
        A function of fun's arguments that returns a dict from their names to the gradients.

    Raises
    ------
    ShapeError
        In a call, if `fun` does not return one number.
    TypeError
        In a call with arguments that `fun` does not have.

    Examples
    --------
    >>> import autograd_core.hips as autograd
    >>> autograd.multigrad_dict(lambda x, y: x * y)(2.0, 3.0)
    {'x': np.float64(3.0), 'y': np.float64(2.0)}
    """

    @public
    def gradients(*args: Any, **settings: Any) -> dict[str, Any]:
        bound = signature(fun).bind(*args, **settings)
        bound.apply_defaults()

        def of(given: dict[str, Any]) -> Any:
            bound.arguments = given
            return fun(*bound.args, **bound.kwargs)

        return grad(of)(dict(bound.arguments))  # type: ignore[no-any-return]

    return gradients


def hessian_tensor_product(fun: Function, argnum: Argnum = 0) -> Function:
    """A function of fun's arguments followed by a tensor, which the Hessian is multiplied by.

    It returns the Hessian of `fun`, contracted with the tensor over all axes of the argument.

    Parameters
    ----------
    fun : callable
        The function to differentiate. It must return one real number.
    argnum : int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments and, as the last positional argument, a tensor of the
        argument's shape.

    Raises
    ------
    ShapeError
        In a call, if `fun` does not return one number, or if the tensor has another shape than the
        argument.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> product = autograd.hessian_tensor_product(lambda x: np.sum(x**3))
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    array([6., 6.])
    """

    @public
    def product(*args: Any, **settings: Any) -> Any:
        *rest, tensor = args
        place = argnum if isinstance(argnum, int) else 0
        x = rest[place] = _floating("hessian_tensor_product", rest[place])
        return transforms.hvp(fun, argnum)(*rest, core.like(x, tensor), **settings)

    return product


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """A function of fun's arguments followed by a tensor, which the Jacobian is multiplied by.

    It returns the Jacobian of `fun`, contracted with the tensor over the axes of fun's result.

    Parameters
    ----------
    fun : callable
        The function to differentiate.
    argnum : int, default 0
        The position of the argument.

    Returns
    -------
    callable
        A function of fun's arguments and, as the last positional argument, a tensor.

    Raises
    ------
    ShapeError
        In a call, if the tensor has another shape than fun's result.

    Examples
    --------
    >>> import autograd_core.hips as autograd, numpy as np
    >>> product = autograd.tensor_jacobian_product(lambda x: x**2)
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 2., 40.])
    """

    @public
    def weighted(*args: Any, **settings: Any) -> Any:
        *rest, tensor = args
        result = as_tensor("tensor_jacobian_product", fun(*rest, **settings))
        return np.tensordot(tensor, result, np.ndim(tensor))

    return jacobian(weighted, argnum)  # type: ignore[no-any-return]


hessian_vector_product = hessian_tensor_product
vector_jacobian_product = tensor_jacobian_product
value_and_multigrad = value_and_grad  # argnum may be a list
