"""Windows that slide along axes, and the sum of overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.engine.views import read_only
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import check_axis
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand

__all__ = [
    "overlap_add",
    "sliding_window_view",
]
BEYOND_NUMPY = ("overlap_add", "sliding_window_view")


def _added(g: Gradient, axis: int) -> Gradient:
    return overlap_add(g, axis)


@op(x=_added, view=read_only)
def _windows_along(x: Array, length: int, axis: int) -> Array:
    """The windows of `length` elements at all positions along the negative `axis`. In the result,
    this axis counts the windows, and a new last axis holds the elements of each. A read-only
    view."""
    return np.lib.stride_tricks.sliding_window_view(x, length, axis)


def _windows(g: Gradient, axis: int, x_shape: Shape) -> Gradient:
    return _windows_along(g, x_shape[-1], axis)


@op(x=_windows)
def overlap_add(x: Array, axis: int) -> Array:
    """The sum of overlapping windows, each shifted by one element from the previous one. The
    windows are along the last axis of x; `axis`, which is negative and counted without the last
    axis, counts the windows. Applied to the result of `_windows_along`, it gives each element
    multiplied by the number of windows that contain it."""
    windows = np.moveaxis(x, axis - 1, -2)
    count, length = windows.shape[-2:]
    if not count:
        raise ShapeError(f"overlap_add: there are no windows along axis {axis} of {x.shape}")
    out = backend.zeros(x, (*windows.shape[:-2], count + length - 1))
    if length <= count:
        for i in range(length):
            out[..., i : i + count] += windows[..., i]
    else:
        for i in range(count):
            out[..., i : i + length] += windows[..., i, :]
    return np.moveaxis(out, -1, axis)


@composed
def sliding_window_view(
    x: Operand, window_shape: int | Sequence[int], axis: int | Sequence[int] | None = None
) -> Array:
    """The windows of `window_shape` at every position along the axes `axis` (by default, all). In
    the result, these axes count the positions, and new last axes hold the elements of each window.
    A read-only view. The gradient of an element is the sum over all windows that contain it."""
    x = as_operand(x)
    lengths = tuple(window_shape) if isinstance(window_shape, Sequence) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, Sequence) else (axis,)
    if len(lengths) != len(axes):
        raise ShapeError(
            f"sliding_window_view: window_shape={window_shape} must have a length for each of the "
            f"{len(axes)} axes of an array of shape {x.shape}"
        )
    out, ndim = _getitem(x, ...), x.ndim
    for one, length in zip(axes, lengths, strict=True):
        check_axis("sliding_window_view", one, x)
        place = one % ndim - out.ndim
        if not 0 <= length <= out.shape[place]:
            raise ShapeError(
                f"sliding_window_view: a window of {length} does not fit into axis {one} of an "
                f"array of shape {x.shape}"
            )
        out = _windows_along(out, length, place)
    return out
