"""Sampled signals: convolution, interpolation, numerical derivatives and integrals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import Axis, check_axis, negative_axes
from autograd_core.ops.elementwise import conjugate, remainder, where
from autograd_core.ops.indexing import _getitem, number
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum
from autograd_core.ops.scans import cumsum, diff
from autograd_core.ops.selecting import take_along_axis
from autograd_core.ops.shaping import concatenate, reshape
from autograd_core.ops.sorting import argsort, searchsorted

__all__ = [
    "convolve",
    "correlate",
    "cummax",
    "cummin",
    "cumulative_trapezoid",
    "gradient",
    "interp",
    "trapezoid",
    "unwrap",
]
BEYOND_NUMPY = ("cummax", "cummin", "cumulative_trapezoid")


# ---- convolution ---------------------------------------------------------------------------------


def _rows_x(g: Gradient, y: Array, mode: str) -> Gradient:
    return _convolve_rows(g, y[..., ::-1], "valid" if mode == "full" else "full")


def _rows_y(g: Gradient, x: Array, mode: str) -> Gradient:
    if mode == "full":
        return _convolve_rows(g, x[..., ::-1], "valid")
    return _convolve_rows(x, g[..., ::-1], "valid")[..., ::-1]


@op(x=_rows_x, y=_rows_y)
def _convolve_rows(x: Array, y: Array, mode: Any) -> Array:
    """The convolution of x and y along their last axes; leading axes broadcast. `mode` is "full",
    or "valid" for only the positions where all of y overlaps x, which must be at least as long as
    y."""
    if x.ndim == 1 == y.ndim:
        return np.convolve(x, y, mode)
    stack = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    length = x.shape[-1] + (y.shape[-1] - 1) * (1 if mode == "full" else -1)
    out = np.empty_like(x, shape=(*stack, length), dtype=np.result_type(x.dtype, y.dtype))
    x = np.broadcast_to(x, (*stack, x.shape[-1]))
    y = np.broadcast_to(y, (*stack, y.shape[-1]))
    for place in np.ndindex(stack):
        out[place] = np.convolve(x[place], y[place], mode)
    return out


def _signals(name: str, x: Array, y: Array, mode: str) -> tuple[Any, Any]:
    x, y = as_operand(x), as_operand(y)
    if x.ndim != 1 or y.ndim != 1 or not (x.size and y.size):
        raise ShapeError(
            f"{name}: x and y must be non-empty vectors; they have shapes {x.shape} and {y.shape}"
        )
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r}")
    return x, y


@composed
def convolve(x: Operand, y: Operand, mode: str = "full") -> Array:
    """The convolution of two vectors, sum over k of x[i - k] * y[k]. `mode` selects the positions
    i: all positions where the vectors overlap ("full"), the middle part, as long as the longer
    vector ("same"), or the positions where all of the shorter vector overlaps ("valid")."""
    x, y = _signals("convolve", x, y, mode)
    if x.size < y.size:
        x, y = y, x
    if mode == "same":
        start = (y.size - 1) // 2
        return _getitem(_convolve_rows(x, y, "full"), slice(start, start + x.size))
    return _convolve_rows(x, y, mode)


@composed
def correlate(x: Operand, y: Operand, mode: str = "valid") -> Array:
    """The correlation of two vectors, sum over k of x[i + k] * conj(y[k]). `mode` is as in
    `convolve`."""
    x, y = _signals("correlate", x, y, mode)
    turned = _getitem(conjugate(y), slice(None, None, -1))
    if mode == "same" and x.size < y.size:  # the middle part is counted from the other end
        return _getitem(
            convolve(
                _getitem(x, slice(None, None, -1)), _getitem(turned, slice(None, None, -1)), mode
            ),
            slice(None, None, -1),
        )
    return convolve(x, turned, mode)


# ---- cumulative extremes -------------------------------------------------------------------------


@not_differentiable
def _leaders(x: Array, axis: int = -1) -> Array:
    """For each element, the index along `axis` of the largest element up to and including it; among
    equal elements, the first. NaN counts as the largest."""
    if backend.on_host(x):
        return _leading(x, axis, np.maximum.accumulate)
    return _leading(x, axis, _running_max)


def _leading(x: Array, axis: int, running: Callable[..., Any]) -> Array:
    x = np.moveaxis(x, axis, -1)
    best = running(x, axis=-1)
    position = np.cumsum(np.ones_like(x, dtype=np.intp), axis=-1) - 1
    later, before = x[..., 1:], best[..., :-1]
    newer = (later > before) | ((later != later) & (before == before))
    places = np.concatenate([position[..., :1] * 0, position[..., 1:] * newer], axis=-1)
    return np.moveaxis(running(places, axis=-1), -1, axis)


def _running_max(x: Array, axis: int) -> Array:
    """The running maximum, in log2(n) steps because CuPy's ufuncs cannot accumulate."""
    step = 1
    while step < x.shape[-1]:
        x = np.concatenate([x[..., :step], np.maximum(x[..., step:], x[..., :-step])], axis=-1)
        step *= 2
    return x


@composed
def cummax(x: Operand, axis: int = 0) -> Array:
    """The largest of the first 1, 2, 3 … elements along `axis`. Among equal elements, the gradient
    flows to the first. Same as ``np.maximum.accumulate``."""
    x = as_operand(x)
    check_axis("cummax", axis, x)
    return take_along_axis(x, _leaders(x, axis), axis)


@composed
def cummin(x: Operand, axis: int = 0) -> Array:
    """The smallest of the first 1, 2, 3 … elements along `axis`; see `cummax`."""
    x = as_operand(x)
    check_axis("cummin", axis, x)
    return take_along_axis(x, _leaders(-x, axis), axis)


# ---- interpolation -------------------------------------------------------------------------------


@composed
def interp(
    x: Operand,
    xp: Operand,
    fp: Operand,
    left: Operand = None,
    right: Operand = None,
    period: float | None = None,
) -> Array:
    """The piecewise linear interpolation at x of the points (xp, fp), where xp is increasing. The
    result is `left` (default fp[0]) for x below all xp and `right` (default fp[-1]) for x above
    them. With `period`, x and xp are reduced modulo `period`, and xp is sorted.

    Differentiable with respect to x, xp, fp, `left` and `right`. Where x equals an element of xp,
    the derivative with respect to x is the slope to the right of it.
    """
    x, xp, fp = as_operand(x), as_operand(xp), as_operand(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(
            f"interp: xp and fp must be vectors of equal length; they have shapes {xp.shape} and "
            f"{fp.shape}"
        )
    if period is not None:
        if period == 0:
            raise ShapeError("interp: period must not be 0")
        period = abs(period)
        x, xp = remainder(x, period), remainder(xp, period)
        order = argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    if xp.size == 1:
        inside = fp[0] + 0 * (x - xp[0])
    else:
        place = searchsorted(xp, x, side="right").clip(1, xp.size - 1)
        x0, f0 = xp[place - 1], fp[place - 1]
        width = xp[place] - x0
        inside = f0 + (fp[place] - f0) * ((x - x0) / where(width == 0, 1, width))
    before = fp[0] if left is None else left
    behind = fp[-1] if right is None else right
    return number(where(x < xp[0], before, where(x > xp[-1], behind, inside)))


# ---- derivatives and integrals -------------------------------------------------------------------


def _at(x: Array, axis: int, start: int | None, stop: int | None) -> Array:
    return _getitem(x, (*[slice(None)] * (axis % x.ndim), slice(start, stop)))


def _slopes_x(g: Gradient, axis: int, edge_order: int, out_shape: Shape) -> Gradient:
    (axis,) = negative_axes(axis, len(out_shape))
    return _slopes_back(g, axis, edge_order)


@op(x=_slopes_x)
def _slopes(x: Array, axis: int, edge_order: Any) -> Array:
    """`gradient` along one axis, of samples with a spacing of 1."""
    return np.gradient(x, axis=axis, edge_order=edge_order)


@op(x=lambda g, axis, edge_order: _slopes(g, axis, edge_order))
def _slopes_back(x: Array, axis: int, edge_order: int) -> Array:
    """The transpose of `_slopes`, along a negative axis."""
    out = np.zeros_like(x)
    lines, into = np.moveaxis(x, axis, -1), np.moveaxis(out, axis, -1)
    middle = lines[..., 1:-1] / 2
    into[..., 2:] = middle
    into[..., :-2] -= middle
    weights = (-1, 1) if edge_order == 1 else (-1.5, 2, -0.5)
    for place, weight in enumerate(weights):
        into[..., place] += weight * lines[..., 0]
        into[..., -1 - place] -= weight * lines[..., -1]
    return out


def _slopes_at(f: Any, gaps: Array, axis: int, edge_order: int) -> Array:
    """The derivative of f along one axis, with `gaps` (n - 1,) between the n samples."""
    column = reshape(gaps, (-1,) + (1,) * (f.ndim - 1 - axis % f.ndim))
    before, after = _at(column, 0, None, -1), _at(column, 0, 1, None)
    middle = (
        _at(f, axis, None, -2) * (-after / (before * (before + after)))
        + _at(f, axis, 1, -1) * ((after - before) / (before * after))
        + _at(f, axis, 2, None) * (before / (after * (before + after)))
    )
    if edge_order == 1:
        first = diff(_at(f, axis, None, 2), 1, axis) / gaps[0]
        last = diff(_at(f, axis, -2, None), 1, axis) / gaps[-1]
    else:
        first = _edge(f, axis, gaps[0], gaps[1], (0, 1, 2))
        last = -_edge(f, axis, gaps[-1], gaps[-2], (-1, -2, -3))
    return concatenate([first, middle, last], axis)


def _edge(f: Any, axis: int, a: Array, b: Array, places: tuple[int, int, int]) -> Array:
    """The derivative, at the first of three indices, of the parabola through the samples of f at
    all three. `a` and `b` are the gaps between the samples."""
    x, y, z = (_at(f, axis, place, place + 1 or None) for place in places)
    return x * (-(2 * a + b) / (a * (a + b))) + y * ((a + b) / (a * b)) - z * (a / (b * (a + b)))


@composed
def gradient(f: Any, *spacing: Any, axis: Axis = None, edge_order: int = 1) -> Array:
    """The numerical derivative of samples along `axis`, by differences of second order in the
    interior and of order `edge_order` (1 or 2) at the ends. For several axes (by default, all) the
    result is a tuple with the derivative along each.

    `spacing` is one number for all axes (default 1) or, for each axis, a number or the coordinates
    of the samples.
    """
    f = as_operand(f)
    several = axis is None or isinstance(axis, tuple)
    axes = tuple(range(f.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for each in axes:
        check_axis("gradient", each, f)
    steps = [s if isinstance(s, int | float) else as_operand(s) for s in spacing or [1.0]]
    if len(steps) == 1 and np.ndim(steps[0]) == 0:
        steps = steps * len(axes)
    if len(steps) != len(axes):
        raise ShapeError(
            f"gradient: spacing must be one number or one for each of the {len(axes)} axes; got "
            f"{len(steps)}"
        )
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient: edge_order must be 1 or 2, not {edge_order!r}")
    pairs = zip(axes, steps, strict=True)
    found = [_along(f, step, each, edge_order) for each, step in pairs]
    if f.dtype.kind in "fc":  # as in NumPy, whatever the dtype of the coordinates
        found = [one if one.dtype == f.dtype else one.astype(f.dtype) for one in found]
    return tuple(found) if several and len(found) != 1 else found[0]


def _along(f: Any, step: Any, axis: int, edge_order: int) -> Array:
    length = f.shape[axis]
    if length <= edge_order:
        raise ShapeError(
            f"gradient: axis {axis} of shape {f.shape} needs {edge_order + 1} samples or more"
        )
    if np.ndim(step) == 0:
        even = _slopes(f, axis, edge_order)
        return even if type(step) is float and step == 1 else even / step
    if step.shape != (length,):
        raise ShapeError(
            f"gradient: axis {axis} of shape {f.shape} needs {length} coordinates; spacing has "
            f"shape {step.shape}"
        )
    return _slopes_at(f, diff(step), axis, edge_order)


def _trapezoids(name: str, y: Array, x: Array, dx: Any, axis: int) -> Array:
    """The areas of the trapezoids between consecutive samples along `axis`."""
    check_axis(name, axis, y)
    width = dx
    if x is not None:
        x = as_operand(x)
        if x.ndim == 0 or x.shape[axis if x.ndim > 1 else 0] != y.shape[axis]:
            raise ShapeError(
                f"{name}: x must have {y.shape[axis]} samples along axis {axis}, like y; y has "
                f"shape {y.shape} and x has shape {x.shape}"
            )
        width = diff(x) if x.ndim == 1 else diff(x, 1, axis)
        if x.ndim == 1:
            width = reshape(width, (-1,) + (1,) * (y.ndim - 1 - axis % y.ndim))
    return width * (_at(y, axis, 1, None) + _at(y, axis, None, -1)) / 2


@composed
def trapezoid(y: Operand, x: Operand = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of the samples y along `axis` by the trapezoidal rule. The samples are at the
    coordinates x or, without x, spaced by `dx`."""
    return sum(_trapezoids("trapezoid", as_operand(y), x, dx, axis), axis)


@composed
def cumulative_trapezoid(
    y: Operand, x: Operand = None, dx: Any = 1.0, axis: int = -1, initial: float | None = None
) -> Array:
    """The integral from the first sample to each of the others, as in SciPy. With ``initial=0``,
    the result starts with a 0 for the first sample."""
    y = as_operand(y)
    out = cumsum(_trapezoids("cumulative_trapezoid", y, x, dx, axis), axis)
    if initial is None:
        return out
    if initial != 0:
        raise ShapeError(f"cumulative_trapezoid: initial must be None or 0, not {initial!r}")
    return concatenate([_at(y, axis, None, 1) * 0, out], axis)


@not_differentiable
def _turns(x: Array, discont: float | None, axis: int, period: float) -> Array:
    """The multiples of `period` that `unwrap` adds to x."""
    steps = np.diff(x, axis=axis)
    wrapped = np.mod(steps + period / 2, period) - period / 2
    wrapped = np.where((wrapped == -period / 2) & (steps > 0), period / 2, wrapped)
    needed = np.abs(steps) >= (period / 2 if discont is None else max(discont, period / 2))
    turns = np.cumsum(np.where(needed, wrapped - steps, 0), axis=axis)
    place = axis % x.ndim
    first = (*x.shape[:place], min(1, x.shape[place]), *x.shape[place + 1 :])
    return np.concatenate([np.zeros_like(turns, shape=first), turns], axis=axis)


@composed
def unwrap(
    x: Operand, discont: float | None = None, axis: int = -1, *, period: float = math.tau
) -> Array:
    """x with multiples of `period` added, so that no step along `axis` is larger than `discont`
    (default: half a period). The derivative is 1."""
    x = as_operand(x)
    check_axis("unwrap", axis, x)
    return x + _turns(x, discont, axis, period)
