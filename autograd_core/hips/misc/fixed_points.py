"""Fixed points of functions, with HIPS autograd's arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core import transforms


def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]],
    a: Any,
    x0: Any,
    distance: Callable[[Any, Any], Any],
    tol: float,
) -> Any:
    """The fixed point of ``f(a)`` that the iteration from `x0` reaches, differentiable in `a`.

    Parameters
    ----------
    f : callable
        A function of `a` that returns the step: a function of x that returns the next x.
    a : tree of arrays
        What the fixed point is differentiated with respect to.
    x0 : tree of arrays
        The start of the iteration.
    distance : callable
        A function of x and the previous x that returns a number.
    tol : float
        The iteration ends when ``distance(x, previous)`` is at most `tol`.

    Returns
    -------
    tree of arrays
        The last x, with the structure of `x0`.

    Raises
    ------
    ArithmeticError
        If 1000 steps do not suffice or if the distance is NaN, in the backward pass too.
    ShapeError
        If the step does not return the structure of `x0`.
    NotDifferentiableError
        If f uses a tracked Tensor that is not in `a`.

    See Also
    --------
    autograd_core.fixed_point : The same for one function of `a` and x.

    Examples
    --------
    >>> from autograd_core.hips import grad
    >>> from autograd_core.hips.misc.fixed_points import fixed_point
    >>> def root(a):  # by Newton's method
    ...     step = lambda a: lambda x: (x + a / x) / 2
    ...     return fixed_point(step, a, 1.0, distance=lambda x, y: abs(x - y), tol=1e-10)
    >>> root(9.0), grad(root)(9.0)
    (3.0, np.float64(0.16666666666666666))
    """
    return transforms.fixed_point(lambda a, x: f(a)(x), a, x0, distance=distance, tol=tol)
