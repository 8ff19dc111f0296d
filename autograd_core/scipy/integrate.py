"""The solution of ordinary differential equations, under SciPy's name, for arrays on the host."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.integrate as scipys

from autograd_core.engine.docstrings import described
from autograd_core.engine.state import is_recording
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import DTypeError, NotDifferentiableError, ShapeError
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import reshape, stack
from autograd_core.scipy.linalg import require_host
from autograd_core.scipy.passing import passed_through
from autograd_core.transforms.calls import Call, as_tensor, cotangent, is_tracked
from autograd_core.transforms.joint import custom_gradient, kept
from autograd_core.transforms.tree import filled, leaves, mapped

__all__ = ["odeint"]

__getattr__ = passed_through("scipy.integrate")

Slope = Callable[..., Any]

# Keywords of SciPy that are not supported, and what to do instead.
REFUSED = {
    "Dfun": "the Jacobian is not needed; leave it out",
    "col_deriv": "it belongs to Dfun, which is not needed",
    "full_output": "call scipy.integrate.odeint with arrays for it",
    "tcrit": "solve from one critical time to the next, in several calls",
}
# The bandwidths of the Jacobian of func, which the adjoint equation does not have.
FORWARD_ONLY = ("ml", "mu")


@described
def odeint(
    func: Slope,
    y0: Operand,
    t: Operand,
    args: Any = (),
    *,
    rtol: Any = None,
    atol: Any = None,
    tfirst: bool = False,
    **further: Any,
) -> Array:
    """The solution of dy/dt = func(y, t, *args) at the times `t` (k,), with y = `y0` (n,) at the
    first of them, as an array (k, n) of float64. SciPy's solver, LSODA, is used.

    `args` is a tuple that may contain trees of arrays. With `tfirst`, func is called as
    func(t, y, *args). func returns an array (n,) or a list of n numbers; it is called with arrays
    and, in the backward pass, with Tensors. `rtol` and `atol` are the tolerances of the solver;
    `further` are SciPy's other keywords.

    The gradients in `y0`, `t` and all arrays in `args` are the solution of the adjoint equation,
    integrated backward from time to time with the same tolerances (Chen et al., Neural Ordinary
    Differential Equations, arXiv:1806.07366, appendix B). Their error is that of the solver. A
    recorded backward pass calls `odeint` for the adjoint equation, so derivatives of any order
    exist; its cost grows with the order.

    Raises ShapeError if `y0` or `t` has more than one axis or func returns another number of
    elements, and NotDifferentiableError for the keywords Dfun, col_deriv, full_output and tcrit and
    for a func that uses a tracked Tensor that is not in `args`.

    >>> import autograd_core as ac
    >>> def grown(rate):
    ...     return odeint(lambda y, t, rate: rate * y, [1.0], [0.0, 2.0], (rate,))[-1, 0]
    >>> ac.value_and_grad(grown)(0.5)  # exp(2 * rate) and 2 * exp(2 * rate)
    (np.float64(2.718281...), np.float64(5.43656...))
    """
    for name in REFUSED.keys() & further.keys():
        raise NotDifferentiableError(f"odeint: {name} is not supported; {REFUSED[name]}")
    y0, t = as_operand(y0), as_operand(t)
    if y0.ndim > 1 or t.ndim != 1:
        raise ShapeError(
            f"odeint: y0 and t must be vectors; they have shapes {y0.shape} and {t.shape}"
        )
    args = args if isinstance(args, tuple) else (args,)
    require_host("odeint", *(getattr(x, "data", x) for x in (y0, t)))
    if is_recording():
        y0, t, args = kept((y0, t, args))  # for the backward pass
    slope = (lambda y, t, *args: func(t, y, *args)) if tfirst else func
    return _solution(slope, y0, t, args, {"rtol": rtol, "atol": atol, **further})


def _solution(func: Slope, y0: Array, t: Array, args: Any, settings: dict[str, Any]) -> Array:
    given = [leaf for _, leaf in leaves((y0, t, args)) if isinstance(leaf, Tensor)]
    found = _solved(func, _array(y0), _array(t), mapped(_array, args), settings)
    if not given:
        return found
    out = make(found.copy(), None)  # a later write to it does not reach `found`
    if not is_recording() or not any(map(is_tracked, given)):
        return out

    if any(is_tracked(leaf) and leaf.dtype.kind == "c" for leaf in given):
        raise DTypeError("odeint: args must be real; pass real and imaginary parts as two arrays")

    def odeint(y0: Array, t: Array, args: Any) -> Any:
        return out, partial(_adjoint, func, found, y0, t, args, settings)

    return custom_gradient(odeint)(y0, t, args)


def _array(leaf: Any) -> Any:
    return leaf._array if isinstance(leaf, Tensor) else leaf


def _solved(func: Slope, y0: Array, t: Array, args: Any, settings: dict[str, Any]) -> Array:
    """SciPy's solution, for arrays."""
    n = np.size(y0)

    def slope(y: Array, t: float) -> Any:
        out = func(y, t, *args)
        if isinstance(out, Tensor):
            if out.node is not None:
                raise _outside()
            out = out._array
        if np.size(out) != n:
            raise ShapeError(
                f"odeint: func must return {n} elements, as y has; it returned shape "
                f"{np.shape(out)}"
            )
        return out

    return scipys.odeint(slope, y0, t, **settings)


def _outside() -> NotDifferentiableError:
    return NotDifferentiableError(
        "odeint: func uses a tracked Tensor that is not in args, and no gradient would flow to it. "
        "Pass it in args, which may contain trees"
    )


# ---- the adjoint equation ------------------------------------------------------------------------


def _adjoint(
    func: Slope, found: Array, y0: Array, t: Array, args: Any, settings: dict[str, Any], g: Any
) -> tuple[Any, Any, Any]:
    """The gradients of y0, t and the tracked leaves of args for the gradient g (k, n) of the
    solution.

    The state of the adjoint equation is y, the gradient w of y, and the gradients of the leaves,
    all in one vector. Where w jumps, at each time, y is set to the known solution, because its
    equation may be unstable backward in time."""
    path, given, times = found, mapped(_array, args), t
    if is_recording():
        path, given = _solution(func, y0, t, args, settings), args
    else:
        g, times = _array(g), _array(t)
    every = [leaf for _, leaf in leaves(args)]
    chosen = [i for i, leaf in enumerate(every) if is_tracked(leaf)]
    slopes, n, behind = _augmented(func, chosen), path.shape[1], _backward(settings)
    w, jumps = g[-1], g[-1]
    rest: Any = np.zeros(sum(every[i].size for i in chosen))
    for i in range(len(times) - 1, 0, -1):
        if _moves(_array(t)[i - 1 : i + 1], w, rest):
            state = np.concatenate([path[i], w, rest])
            between = np.stack([times[i], times[i - 1]])
            state = _solution(slopes, state, between, given, behind)[-1]
            w, rest = state[n : 2 * n], state[2 * n :]
        jumps, w = w, w + g[i - 1]
    for_t = _by_times(func, path, times, given, g, jumps) if is_tracked(t) else None
    return np.reshape(w, y0.shape), for_t, _as_args(args, rest)


def _moves(times: Array, w: Array, rest: Array) -> bool:
    """False if the adjoint state stays the same between two times."""
    still = not (is_tracked(w) or is_tracked(rest) or _array(w).any() or _array(rest).any())
    return bool(times[0] != times[1]) and not still


def _backward(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of the adjoint equation, whose state is longer and whose time runs backward."""
    kept = {name: value for name, value in settings.items() if name not in FORWARD_ONLY}
    for name in ("rtol", "atol"):
        if kept[name] is not None:
            kept[name] = float(np.min(kept[name]))
    if "h0" in kept:
        kept["h0"] = -kept["h0"]
    return kept


def _augmented(func: Slope, chosen: list[int]) -> Slope:
    """The derivative of the adjoint state. `chosen` are the leaves of args with a gradient."""

    def slopes(state: Array, t: float, *args: Any) -> Array:
        every = [leaf for _, leaf in leaves(args)]
        count = sum(np.size(every[i]) for i in chosen)
        n = (len(state) - count) // 2

        def at(y: Array, some: list[Any]) -> Array:
            entered = list(every)
            for i, leaf in zip(chosen, some, strict=True):
                entered[i] = leaf
            return _vector(func(y, t, *filled(args, iter(entered))), n)

        call = Call("odeint", at, (0, 1), (state[:n], [every[i] for i in chosen]), {})
        slope = as_tensor("odeint", call.out)
        found = call.pull([(slope, cotangent(slope, -state[n : 2 * n]))])
        for_y, for_leaves = call.trees(found)
        return np.concatenate([call.value(slope), for_y, *map(np.ravel, for_leaves)])

    return slopes


def _vector(out: Any, n: int) -> Array:
    """What func returned, as an array (n,)."""
    if isinstance(out, tuple | list):
        out = stack([reshape(as_operand(x), ()) for x in out])
    return out if np.shape(out) == (n,) else reshape(as_operand(out), (n,))


def _by_times(func: Slope, path: Any, times: Any, args: Any, g: Any, first: Any) -> Array:
    """The gradient of the times: y moves along func at each time. `first` is the gradient that
    arrives at the first time from the later ones; a later start shortens the way."""
    n = path.shape[1]
    slopes = [_vector(func(path[i], times[i], *args), n) for i in range(len(times))]
    later = [np.sum(g[i] * slopes[i]) for i in range(1, len(times))]
    before = -np.sum(first * slopes[0]) if later else np.zeros(())
    return np.stack([before, *later])


def _as_args(args: Any, found: Any) -> Any:
    """The vector `found` as gradients of the tracked leaves of args, None for the others."""
    gradients: list[Any] = []
    start = 0
    for _, leaf in leaves(args):
        size = leaf.size if is_tracked(leaf) else 0
        part = found[start : start + size]
        gradients.append(np.reshape(part, leaf.shape) if is_tracked(leaf) else None)
        start += size
    return filled(args, iter(gradients))
