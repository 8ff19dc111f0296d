"""Functions on axes, for rules. A gradient may have leading batch axes, so rules count axes from
the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.types import Array, Gradient, Shape
from autograd_core.errors import IndexingError

Axis = int | tuple[int, ...] | None


def negative_axes(axis: Axis, ndim: int) -> Shape:
    """`axis` as a tuple of negative axes in ascending order; None means all of them. The tuple is
    empty if ndim is 0, where NumPy accepts axis 0 or -1."""
    if axis is None or ndim == 0:
        return tuple(range(-ndim, 0))
    axes = (axis,) if not isinstance(axis, tuple) else axis
    return tuple(sorted(int(a) - ndim if a >= 0 else int(a) for a in axes))


def from_end(axes: Any, ndim: int) -> Array:
    """`axes`, an axis or several axes, counted from the end. Several axes keep their order."""
    if isinstance(axes, int | np.integer):
        return int(axes) - ndim if axes >= 0 else int(axes)
    return tuple(from_end(axis, ndim) for axis in axes)


def reduction_axis(x: Array, axis: Axis) -> Array:
    """`axis` for a reduction of x. If x has no axes, NumPy accepts axis 0 or -1, but CuPy does not,
    so the result is None."""
    if getattr(x, "ndim", 1) or axis not in (0, -1, (0,), (-1,)):
        return axis
    return None


def length(shape: Shape, axis: Axis) -> int:
    """The number of elements that a reduction over `axis` combines into one."""
    product = 1
    for a in negative_axes(axis, len(shape)):
        product *= shape[a]
    return product


def restored(reduced: Any, x_shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """`reduced`, the result of a reduction, with the reduced axes restored as axes of length 1."""
    if keepdims:
        return reduced
    axes = negative_axes(axis, len(x_shape))
    lead = reduced.ndim - (len(x_shape) - len(axes))
    kept = {a % len(x_shape): 1 for a in axes}
    lengths = iter(reduced.shape[lead:])
    return reduced.reshape(
        reduced.shape[:lead] + tuple(kept.get(a) or next(lengths) for a in range(len(x_shape)))
    )


def spread(g: Gradient, x_shape: Shape, axis: Axis, keepdims: bool) -> Gradient:
    """The gradient of a sum: g, repeated along the summed axes (as a view)."""
    if not x_shape:
        return g  # nothing was summed; np.broadcast_to takes longer than the sum itself
    full = restored(g, x_shape, axis, keepdims)
    return np.broadcast_to(full, full.shape[: full.ndim - len(x_shape)] + x_shape)


def inverse(out: Array) -> Array:
    """1 / out, and 0 where out is 0. With it, a norm or a standard deviation that is 0 has
    derivatives of 0, at every order."""
    return (out != 0) / (out + (out == 0))


def joined(x: Array, axes: Shape) -> Array:
    """x with the negative `axes` moved to the end and merged into one. A view where possible."""
    count = len(axes)
    if axes != tuple(range(-count, 0)):
        x = np.moveaxis(x, axes, tuple(range(-count, 0)))
    kept = x.ndim - count
    return x.reshape((*x.shape[:kept], math.prod(x.shape[kept:])))


def parted(lines: Array, axes: Shape, x_shape: Shape) -> Array:
    """The inverse of `joined`: the last axis of `lines` is split into the negative `axes` of an
    array of shape `x_shape`. Batch axes stay in front."""
    count = len(axes)
    kept = lines.shape[: lines.ndim - 1]
    x = lines.reshape(kept + tuple(x_shape[a] for a in axes))
    return x if axes == tuple(range(-count, 0)) else np.moveaxis(x, tuple(range(-count, 0)), axes)


def check_axis(name: str, axis: Axis, x: Array, least: int = 0) -> None:
    """Raise IndexingError if `axis` is out of range for x. With `least` = 1, the axes 0 and -1 are
    accepted for an array without axes, as in reductions."""
    ndim = (x.ndim if hasattr(x, "ndim") else np.ndim(x)) or least
    for a in axis if isinstance(axis, tuple) else (() if axis is None else (axis,)):
        if not -ndim <= a < ndim:
            raise IndexingError(f"{name}: axis {a} is out of range; x has shape {np.shape(x)}")
