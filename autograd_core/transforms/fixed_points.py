"""Fixed points, differentiated by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.state import is_recording
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Call, Function, as_tensor, called, cotangent, is_tracked
from autograd_core.transforms.gradients import stop_gradient
from autograd_core.transforms.joint import custom_gradient, kept
from autograd_core.transforms.tree import filled, leaves, mapped

Iteration = Callable[[Function, Any], Any]  # from a step and a start to the fixed point


@public
def fixed_point(
    f: Function,
    a: Any,
    x0: Any,
    *,
    distance: Callable[[Any, Any], Any] | None = None,
    tol: float = 1e-10,
    max_iterations: int = 1000,
) -> Any:
    """The solution of x = f(a, x) that the iteration x ← f(a, x) reaches from `x0`.

    The iterations are not recorded. The gradient in `a` comes from the implicit function theorem,
    and the gradient in `x0` is zero.

    Parameters
    ----------
    f : callable
        The step: a function of `a` and x that returns x in the structure of `x0`.
    a : tree of arrays
        What the solution is differentiated with respect to.
    x0 : tree of arrays
        The start of the iteration.
    distance : callable, optional
        A function of x and the previous x that returns a number, by default their largest absolute
        difference.
    tol : float, default 1e-10
        The iteration stops at a distance of at most `tol`. In float32 a `tol` below the rounding
        error of x may never be reached.
    max_iterations : int, default 1000
        The number of steps after which the iteration fails.

    Returns
    -------
    tree of arrays
        The last x, with the structure of `x0`.

    Raises
    ------
    ArithmeticError
        If `max_iterations` steps do not suffice or if the distance is NaN, in the backward pass
        too.
    ShapeError
        If f does not return the structure of `x0`.
    NotDifferentiableError
        If f uses a tracked Tensor that is not in `a`.

    Notes
    -----
    The gradient in `a` is w ∂f/∂a, where w solves w = g + w ∂f/∂x (B. Christianson, Reverse
    accumulation and attractive fixed points, 1994). w is a fixed point too and is computed in the
    same way, in units of the largest element of g, so derivatives of any order exist.

    Examples
    --------
    >>> import autograd_core as ac
    >>> root = lambda a: ac.fixed_point(lambda a, x: (x + a / x) / 2, a, 1.0)
    >>> root(9.0), ac.grad(root)(9.0)
    (3.0, np.float64(0.16666666666666666))
    """
    iterate = partial(_iterated, called(f), distance or _largest_change, tol, max_iterations)
    if is_recording():
        a = kept(a)  # for the backward pass
    x = iterate(partial(f, stop_gradient(a)), stop_gradient(x0))
    return _attached(f, a, x, iterate)


def _iterated(
    name: str, distance: Function, tol: float, max_iterations: int, step: Function, x: Any
) -> Any:
    change = np.inf
    for count in range(max_iterations):
        previous, x = x, step(x)
        if not count and [p for p, _ in leaves(x)] != [p for p, _ in leaves(previous)]:
            raise ShapeError(
                f"fixed_point: {name} must return the structure of x0, with leaves at "
                f"{[p for p, _ in leaves(previous)]}; it returned leaves at "
                f"{[p for p, _ in leaves(x)]}"
            )
        if any(is_tracked(leaf) for _, leaf in leaves(x)):
            raise NotDifferentiableError(
                f"fixed_point: {name} uses a tracked Tensor that is not in a, and no gradient "
                "would flow to it. Pass it in a, which may be a tree"
            )
        change = float(distance(x, previous))
        if change <= tol:
            return x
        if change != change:
            raise ArithmeticError(
                f"fixed_point: {name} does not converge: the distance is NaN after step {count + 1}"
            )
    raise ArithmeticError(
        f"fixed_point: {name} does not converge: after max_iterations={max_iterations} steps the "
        f"distance is {change:.3g}, more than tol={tol}"
    )


def _plain(leaf: Any) -> Any:
    return leaf._array if isinstance(leaf, Tensor) else leaf


def _size(arrays: list[Any]) -> float:
    """The largest absolute value, computed without Tensors, which would take half of the time."""
    return max([float(np.max(abs(x))) for x in arrays if np.size(x)], default=0.0)


def _largest_change(x: Any, previous: Any) -> float:
    pairs = zip(leaves(x), leaves(previous), strict=True)
    return _size([_plain(new) - _plain(old) for (_, new), (_, old) in pairs])


def _sum(x: Any, y: Any) -> Any:
    others = iter([leaf for _, leaf in leaves(y)])
    return mapped(lambda leaf: leaf + next(others), x)


def _attached(f: Function, a: Any, x: Any, iterate: Iteration) -> Any:
    """The fixed point x with its derivatives in `a`. The rule is not given the recorded x, which
    would be a reference cycle; a recorded backward pass attaches the derivatives to x again."""
    if not is_recording() or not any(is_tracked(leaf) for _, leaf in leaves(a)):
        return x
    x = mapped(lambda leaf: leaf if isinstance(leaf, Tensor) else _tensor(leaf), x)

    def pull(g: Any) -> Any:
        at = _attached(f, a, x, iterate)
        step = _pullback(partial(f, stop_gradient(a)), x)
        units = _size([_plain(leaf) for _, leaf in leaves(g)]) or 1.0
        arriving = mapped(lambda leaf: leaf.detach() / units, g)
        w = iterate(lambda w: _sum(arriving, step(w)), arriving)
        w = mapped(lambda leaf: leaf * units, w)
        return (_by_operands(f, a, at, _attached(_adjoint(f), (a, at, g), w, iterate)),)

    return custom_gradient(lambda _: (kept(x), pull))(a)


def _by_operands(f: Function, a: Any, x: Any, w: Any) -> Any:
    """w ∂f/∂a at x: the gradients of the tracked leaves of `a`, and None for the others."""
    every = [leaf for _, leaf in leaves(a)]

    def of_tracked(chosen: list[Any]) -> Any:
        found = iter(chosen)
        return f(filled(a, (next(found) if is_tracked(x) else x for x in every)), x)

    gradients = iter(_pullback(of_tracked, list(filter(is_tracked, every)))(w))
    return filled(a, (next(gradients) if is_tracked(leaf) else None for leaf in every))


def _tensor(leaf: Any) -> Tensor:
    return make(backend.asarray(leaf), None)


def _adjoint(f: Function) -> Function:
    """The step of the adjoint iteration, w ← g + w ∂f/∂x, as a function of (a, x, g) and w."""

    def adjoint(operands: Any, w: Any) -> Any:
        a, x, g = operands
        return _sum(g, _pullback(partial(f, a), x)(w))

    return adjoint


def _pullback(f: Function, x: Any) -> Function:
    """The products of cotangents and the Jacobian of f at x."""
    call = Call("fixed_point", f, 0, (x,), {})
    ends = [as_tensor("fixed_point", leaf) for _, leaf in leaves(call.out)]

    def pullback(w: Any) -> Any:
        given = [leaf for _, leaf in leaves(w)]
        pairs = [(out, cotangent(out, g)) for out, g in zip(ends, given, strict=True)]
        return call.trees(call.pull(pairs, retain=True))

    return pullback
