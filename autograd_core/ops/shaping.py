"""Operations that move elements without computing: shape, order, joining, padding, dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.layouts import is_part
from autograd_core.engine.op import each, listed, op
from autograd_core.engine.operands import STACK
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.engine.views import itself, read_only
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import negative_axes

__all__ = [
    "astype",
    "broadcast_to",
    "concatenate",
    "copy",
    "expand_dims",
    "moveaxis",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
]


def _back(g: Gradient, x_shape: Shape, out_shape: Shape) -> Gradient:
    """The gradient of any reshaping: g in the shape of the operand, preceded by the batch axes of
    g."""
    return g.reshape(g.shape[: g.ndim - len(out_shape)] + x_shape)


def _reshaped(x: Array, part: Array, *_: Any) -> Array:
    return reshape(part, x.shape)


@op(x=_back, view=_reshaped)
def reshape(x: Array, shape: int | Sequence[int], copy: bool | None = None) -> Array:
    """The elements in C order in another shape; one length may be -1. The result is a view where
    possible, unless `copy` is true. Raises ShapeError if `copy` is false and no view is
    possible."""
    if copy is None:
        return np.reshape(x, shape)
    out = x.reshape(shape)
    shared = np.may_share_memory(out, x)
    if not copy and not shared and x.size:
        raise ShapeError(f"reshape: copy=False, but x of shape {x.shape} needs a copy for {shape}")
    return out.copy() if copy and shared else out


@op(x=_back, view=_reshaped)
def ravel(x: Array) -> Array:
    """The elements in C order, as a 1-d array."""
    return np.ravel(x)


@op(x=_back, view=_reshaped)
def expand_dims(x: Array, axis: int | tuple[int, ...]) -> Array:
    """x with new axes of length 1, at the positions `axis` of the result."""
    return np.expand_dims(x, axis)


@op(x=_back, view=_reshaped)
def squeeze(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """x without its axes of length 1: without those in `axis`, or all of them if it is None."""
    return np.squeeze(x, axis=axis)


@op(x=lambda g: g, view=read_only)
def broadcast_to(x: Array, shape: int | Sequence[int]) -> Array:
    """A read-only view of x repeated to `shape`. The gradient is summed over the repeated axes."""
    return np.broadcast_to(x, shape)


def _inverse(axes: int | Sequence[int] | None, ndim: int) -> list[int]:
    """The order of axes that undoes the order `axes`."""
    if axes is None:
        return list(range(ndim))[::-1]
    order = [a % ndim for a in ([axes] if isinstance(axes, int) else axes)]
    return sorted(range(ndim), key=order.__getitem__)


def _transpose_x(g: Gradient, axes: int | Sequence[int] | None, out_shape: Shape) -> Gradient:
    lead = g.ndim - len(out_shape)
    return g.transpose((*range(lead), *(lead + a for a in _inverse(axes, len(out_shape)))))


def _transposed_back(x: Array, part: Array, axes: int | Sequence[int] | None) -> Array:
    return transpose(part, _inverse(axes, x.ndim))


@op(x=_transpose_x, view=_transposed_back)
def transpose(x: Array, axes: int | Sequence[int] | None = None) -> Array:
    """x with its axes in the order `axes`, or in reverse order by default. A view."""
    return np.transpose(x, axes)


def _swapped(g: Gradient, axis1: int, axis2: int, out_shape: Shape) -> Gradient:
    return g.swapaxes(*(negative_axes(axis, len(out_shape))[0] for axis in (axis1, axis2)))


def _swapped_again(_: Any, part: Array, axis1: int, axis2: int) -> Array:
    return swapaxes(part, axis1, axis2)


@op(x=_swapped, view=_swapped_again)
def swapaxes(x: Array, axis1: int, axis2: int) -> Array:
    """x with two axes exchanged. A view."""
    return np.swapaxes(x, axis1, axis2)


def _moved_back(g: Gradient, source: Array, destination: Any, out_shape: Shape) -> Gradient:
    ndim = len(out_shape)
    places, origins = (
        [a - ndim if a >= 0 else a for a in np.atleast_1d(axes).tolist()]
        for axes in (destination, source)
    )
    return np.moveaxis(g, places, origins)


def _moved_again(_: Any, part: Array, source: Array, destination: Any) -> Array:
    return moveaxis(part, destination, source)


@op(x=_moved_back, view=_moved_again)
def moveaxis(x: Array, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    """x with the axes `source` moved to the positions `destination`. A view."""
    return np.moveaxis(x, source, destination)


@op(x=lambda g: g, view=itself)
def copy(x: Array, order: str = "K") -> Array:
    """A copy of x in memory order `order`: C, F, A (F if x is in F order and not in C order, else
    C) or K (the order of x)."""
    return x.copy(order)


def apart(out: Array, x: Array) -> Array:
    """`out`, which was computed from x, copied if it shares memory with x or is read-only: in these
    cases NumPy's function returns a copy."""
    parts = unwrap_nested((out, x))
    return copy(out) if is_part(*parts) or not getattr(parts[0].flags, "writeable", True) else out


@op(x=lambda g: g, view=itself)
def _cast(x: Array, dtype: Any, copy: bool = True) -> Array:
    """x in another dtype, on the same device: the operation that `astype` records."""
    backend.check_dtype(np.dtype(dtype))
    return x.astype(dtype, copy=copy)


@listed
def astype(x: Operand, dtype: Any, copy: bool = True, *, device: str | None = None) -> Array:
    """x in another dtype and, if `device` is given, on this device. Integers and booleans have no
    gradient. With copy=False, the result shares the memory of x if the dtype is unchanged."""
    out = _cast(x, dtype, copy)
    return out if device is None else out.to(device)


def _returned(g: Gradient, device: str, source: str) -> Gradient:
    return _to_device(g, source, device)


@op(x=_returned)
def _to_device(x: Array, device: str, source: str) -> Array:
    """x copied from the device `source` to `device`; ``tensor.to(device)`` calls this."""
    return backend.to_device(x, device)


def _span(axis: int, start: int, stop: int) -> tuple[Any, ...]:
    """The index that selects start:stop along a negative axis."""
    return (..., slice(start, stop), *[slice(None)] * (-1 - axis))


def _concatenate_part(
    g: Gradient, position: int, shapes: list[Shape], axis: int | None
) -> Gradient:
    if axis is None:
        start = sum(map(math.prod, shapes[:position]))
        part = g[_span(-1, start, start + math.prod(shapes[position]))]
        return part.reshape(g.shape[:-1] + shapes[position])
    axis = negative_axes(axis, len(shapes[0]))[0]
    start = sum(shape[axis] for shape in shapes[:position])
    return g[_span(axis, start, start + shapes[position][axis])]


@op(arrays=each(_concatenate_part))
def concatenate(
    arrays: Sequence[Any], axis: int | None = 0, dtype: Any = None, casting: str = "same_kind"
) -> Array:
    """Arrays joined along an existing axis; flattened first if `axis` is None. The result has
    `dtype`, to which `casting` must allow the cast."""
    return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)  # type: ignore[call-overload]


def _stack_part(g: Gradient, position: int, out_shape: Shape, axis: int) -> Gradient:
    axis = negative_axes(axis, len(out_shape))[0]
    return g[(..., position, *[slice(None)] * (-1 - axis))]


@op(arrays=each(_stack_part))
def stack(
    arrays: Sequence[Any], axis: int = 0, dtype: Any = None, casting: str = "same_kind"
) -> Array:
    """Arrays of one shape joined along a new axis. The result has `dtype`, to which `casting` must
    allow the cast."""
    return np.stack(arrays, axis=axis, dtype=dtype, casting=casting)  # type: ignore[call-overload]


STACK.append(stack)


def _pad_x(g: Gradient, x_shape: Shape, pad_width: Any) -> Gradient:
    before = np.broadcast_to(pad_width, (len(x_shape), 2))[:, 0].tolist()
    return g[(..., *(slice(b, b + n) for b, n in zip(before, x_shape, strict=True)))]


@op(x=_pad_x)
def _pad_constant(x: Array, pad_width: Any, constant_values: Any = 0) -> Array:
    """x with a border of constants: `pad` with the mode "constant"."""
    return np.pad(x, pad_width, mode="constant", constant_values=constant_values)
