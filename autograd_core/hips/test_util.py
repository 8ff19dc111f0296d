"""Checks of gradients against finite differences, in all vector spaces.

`autograd_core.testing.check_gradients` checks more, and reports which element differs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from autograd_core.hips.core import make_jvp, make_vjp
from autograd_core.hips.vspace import vspace
from autograd_core.hips.wrap_util import unary_to_nary
from autograd_core.transforms.calls import Function, called

TOLERANCE = 1e-6  # of the absolute and of the relative difference
STEP = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """True if two numbers differ by less than 1e-6, or by less than 1e-6 of their sum.

    Parameters
    ----------
    a, b : float or complex
        The numbers.

    Returns
    -------
    bool
        The comparison. It is false if a number is NaN.
    """
    return bool(abs(a - b) < TOLERANCE or abs(a - b) < TOLERANCE * abs(a + b))


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """A function of a tangent that returns the central difference of f along it.

    Parameters
    ----------
    f : callable
        A function of one argument. Its value is an element of a vector space, too.
    x : tree of arrays
        The argument at which the difference is taken.

    Returns
    -------
    callable
        A function of a tangent v that returns (f(x + h v) - f(x - h v)) / 2h, where h is 5e-7.

    Raises
    ------
    TypeError
        If x or f(x) has no vector space, such as a Python integer.
    """
    space, values = vspace(x), vspace(f(x))

    def pushed(v: Any) -> Any:
        above = f(space.add(x, space.scalar_mul(v, STEP / 2)))
        below = f(space.add(x, space.scalar_mul(v, -STEP / 2)))
        return values.scalar_mul(values.add(above, values.scalar_mul(below, -1.0)), 1 / STEP)

    return pushed


def check_equivalent(x: Any, y: Any) -> None:
    """Raise AssertionError unless x and y are close elements of the same vector space.

    They are close if their inner products with a random element are (see `scalar_close`).

    Parameters
    ----------
    x, y : tree of arrays
        The values to compare.

    Raises
    ------
    AssertionError
        If the values or their spaces (shapes and dtypes) differ.
    TypeError
        If a value has no vector space, such as a Python integer.
    """
    space, other = vspace(x), vspace(y)
    assert space == other, f"VSpace mismatch:\nx: {space}\ny: {other}"
    v = space.randn()
    close = scalar_close(space.inner_prod(x, v), space.inner_prod(y, v))
    assert close, f"Value mismatch:\nx: {x}\ny: {y}"


def check_vjp(f: Function, x: Any) -> None:
    """Check the gradient of f at x against finite differences.

    The gradient is multiplied with a random direction.

    Parameters
    ----------
    f : callable
        A function of one argument.
    x : tree of arrays
        The argument at which f is differentiated.

    Raises
    ------
    AssertionError
        If the gradient is not that of finite differences, or is not in the vector space of x.
    DTypeError
        If x is or contains integers.

    See Also
    --------
    check_grads : Check the derivatives of both modes, in several arguments and of higher order.
    """
    pullback, y = make_vjp(f, x)
    space, values = vspace(x), vspace(y)
    v, w = space.randn(), values.randn()
    pulled = space.covector(pullback(values.covector(w)))
    assert vspace(pulled) == space, f"the gradient of {called(f)} is not in the space of {x}"
    exact = space.inner_prod(v, pulled)
    numeric = values.inner_prod(w, make_numerical_jvp(f, x)(v))
    assert scalar_close(numeric, exact), (
        f"Derivative (VJP) check of {called(f)} failed with arg {x}:\nanalytic: {exact}\n"
        f"numeric:  {numeric}"
    )


def check_jvp(f: Function, x: Any) -> None:
    """Check the forward derivative of f at x, along a random direction, against finite differences.

    Parameters
    ----------
    f : callable
        A function of one argument.
    x : tree of arrays
        The argument at which f is differentiated.

    Raises
    ------
    AssertionError
        If the derivative is not that of finite differences.
    TypeError
        If x is or contains integers.

    See Also
    --------
    check_grads : Check the derivatives of both modes, in several arguments and of higher order.
    """
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))


@unary_to_nary
def check_grads(f: Function, x: Any, modes: Any = None, order: int = 2) -> None:
    """A function of fun's arguments that checks the derivatives of `fun` there.

    The derivatives are multiplied with random directions and compared with central differences.

    Parameters
    ----------
    fun : callable
        A function of arrays, numbers or trees of these.
    argnum : int, or tuple or list of int, default 0
        The position of the argument to differentiate, or several positions.
    *more, **further : object
        `modes` and `order`, by position or by name. `modes` is a list with "fwd" for forward
        derivatives, "rev" for gradients, or both, which is the default. Derivatives are checked up
        to `order`, by default 2.

    Returns
    -------
    callable
        A function of fun's arguments that returns None.

    Raises
    ------
    AssertionError
        In a call, if a derivative differs from central differences, or if a mode is not known.
    TypeError
        If `argnum` is no int, tuple or list; in a call, if the argument is or contains integers.
    IndexError
        In a call without the argument that `argnum` selects.

    See Also
    --------
    autograd_core.testing.check_gradients : Checks more, and reports which element differs.

    Notes
    -----
    The directions are drawn with ``np.random``, so ``np.random.seed`` repeats a check.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.hips.extend import defvjp, primitive
    >>> from autograd_core.hips.test_util import check_grads
    >>> @primitive
    ... def square(x):
    ...     return x**2
    >>> defvjp(square, lambda ans, x: lambda g: 2 * x * g)
    >>> check_grads(square)(np.array([1.0, 2.0]))

    A rule that is wrong:

    >>> defvjp(square, lambda ans, x: lambda g: x * g)
    >>> check_grads(square, modes=["rev"])(3.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AssertionError: Derivative (VJP) check of square failed with arg 3.0:
    ...
    """
    modes = ["fwd", "rev"] if modes is None else modes
    unknown = {*modes} - {"fwd", "rev"}
    assert not unknown, f"modes must be 'fwd' and 'rev', not {unknown}"
    for mode, check, derivative, at in (
        ("fwd", check_jvp, lambda x, v: make_jvp(f, x)(v)[1], x),
        ("rev", check_vjp, lambda x, v: make_vjp(f, x)[0](v), None),
    ):
        if mode not in modes:
            continue
        check(f, x)
        if order > 1:
            derivative.__name__ = f"{'jvp' if mode == 'fwd' else 'vjp'}_{called(f)}"
            v = vspace(x if at is x else f(x)).randn()
            check_grads(derivative, (0, 1), modes, order=order - 1)(x, v)


def combo_check(fun: Function, *args: Any, **settings: Any) -> Callable[..., None]:
    """A function of lists that runs ``check_grads(fun, …)`` for each combination of their entries.

    Parameters
    ----------
    fun : callable
        The function whose derivatives are checked.
    *args, **settings : object
        What `check_grads` takes after `fun`: `argnum`, `modes` and `order`.

    Returns
    -------
    callable
        A function of a list for each argument of `fun`, by position or by name. It raises
        AssertionError if a check fails, as `check_grads` does.
    """

    def check(*choices: Any, **named: Any) -> None:
        pairs = [[(name, value) for value in values] for name, values in named.items()]
        for given in product(*choices):
            for chosen in product(*pairs):
                check_grads(fun, *args, **settings)(*given, **dict(chosen))

    return check
