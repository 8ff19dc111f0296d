"""Operations that reorder, reshape or repeat elements; also differences of consecutive elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import DTypeError, ShapeError
from autograd_core.ops.axes import check_axis, from_end, negative_axes
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum
from autograd_core.ops.scans import diff
from autograd_core.ops.shaping import (
    apart,
    astype,
    broadcast_to,
    concatenate,
    ravel,
    reshape,
    swapaxes,
    transpose,
)
from autograd_core.ops.sorting import argwhere

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "ediff1d",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "meshgrid",
    "repeat",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "tile",
    "trim_zeros",
]


# ---- order --------------------------------------------------------------------------------------


def _flipped_again(_: Any, part: Array, axis: Any) -> Array:
    return flip(part, axis)


@op(
    x=lambda g, axis, out_shape: np.flip(g, negative_axes(axis, len(out_shape))),
    view=_flipped_again,
)
def flip(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """The elements in reverse order along `axis`, or along every axis. A view."""
    return np.flip(x, axis)


@composed
def fliplr(x: Operand) -> Array:
    """The elements in reverse order along axis 1, which is the order of the columns of a matrix."""
    return flip(_at_least("fliplr", x, 2), 1)


@composed
def flipud(x: Operand) -> Array:
    """The elements in reverse order along axis 0, which is the order of the rows of a matrix."""
    return flip(_at_least("flipud", x, 1), 0)


def _at_least(name: str, x: Array, ndim: int) -> Array:
    x = as_operand(x)
    if x.ndim < ndim:
        raise ShapeError(f"{name}: x needs {ndim} axes or more; it has shape {x.shape}")
    return x


def _roll_x(g: Gradient, shift: Any, axis: Any, out_shape: Shape) -> Gradient:
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    if axis is not None:
        return np.roll(g, back, from_end(axis, len(out_shape)))
    lead = g.shape[: g.ndim - len(out_shape)]
    return np.roll(g.reshape((*lead, math.prod(out_shape))), back, -1).reshape(g.shape)


@op(x=_roll_x)
def roll(
    x: Array, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None
) -> Array:
    """The elements shifted by `shift` positions along `axis`; those shifted beyond the end reappear
    at the front. If `axis` is None, all elements are shifted in C order."""
    return np.roll(x, shift, axis)


@composed
def rot90(x: Operand, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """x rotated by `k` quarter turns in the plane of two axes, from the first axis towards the
    second."""
    x = _at_least("rot90", x, 2)
    first, second = axes
    if first % x.ndim == second % x.ndim:
        raise ShapeError(f"rot90: axes={axes} must be two different axes; x has shape {x.shape}")
    if k % 4 == 0:
        return flip(x, ())
    if k % 4 == 2:
        return flip(x, (first, second))
    turned = swapaxes(x, first, second)
    return flip(turned, first if k % 4 == 1 else second)


@composed
def rollaxis(x: Operand, axis: int, start: int = 0) -> Array:
    """x with the axis `axis` moved in front of the axis `start`. `moveaxis` is easier to read."""
    x = as_operand(x)
    order = list(range(x.ndim))
    check_axis("rollaxis", axis, x)
    moved = order.pop(axis)
    start = start + x.ndim if start < 0 else start
    if not 0 <= start <= x.ndim:
        raise ShapeError(f"rollaxis: start={start} is out of range; x has shape {x.shape}")
    order.insert(start - (moved < start), moved)
    return transpose(x, order)


@composed
def matrix_transpose(x: Operand) -> Array:
    """x with its last two axes exchanged. A view."""
    return swapaxes(_at_least("matrix_transpose", x, 2), -1, -2)


# ---- repetition ---------------------------------------------------------------------------------


@composed
def tile(x: Operand, repetitions: int | Sequence[int]) -> Array:
    """Copies of x joined along each axis. `repetitions` is the number of copies along the last
    axis, or a sequence of such numbers for the last axes."""
    x = as_operand(x)
    times: list[Any] = [repetitions] if np.ndim(repetitions) == 0 else list(repetitions)  # type: ignore[arg-type]
    count = max(len(times), x.ndim)
    times = [1] * (count - len(times)) + [index(n) for n in times]
    lengths = (1,) * (count - x.ndim) + x.shape
    single = reshape(x, [length for n in lengths for length in (1, n)])
    pairs = list(zip(times, lengths, strict=True))
    wide = broadcast_to(single, [n for pair in pairs for n in pair])
    return apart(reshape(wide, [times * length for times, length in pairs]), x)


def _repeated_x(g: Gradient, x_shape: Shape, repeats: int, axis: int) -> Gradient:
    place = g.ndim + axis
    shape = (*g.shape[:place], x_shape[axis], repeats, *g.shape[place + 1 :])
    return g.reshape(shape).sum(axis)


@op(x=_repeated_x)
def _repeated(x: Array, repeats: int, axis: int) -> Array:
    """`repeat` along a negative axis, with the same number of repetitions for all elements."""
    return np.repeat(x, repeats, axis)


@composed
def repeat(x: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Array:
    """Each element of x repeated along `axis`; if `axis` is None, x is flattened first. `repeats`
    is the number of repetitions, or a list with one number for each index along `axis`."""
    x = as_operand(x)
    if axis is None:
        x, axis = ravel(x), 0
    check_axis("repeat", axis, x, least=1)
    axis = from_end(axis, x.ndim)
    counts = np.atleast_1d(host_setting(repeats))
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ShapeError(f"repeat: repeats={repeats} must be integers, 0 or more")
    length = x.shape[axis]
    if counts.size == 1:
        return _repeated(x, int(counts[0]), axis)
    if counts.shape != (length,):
        raise ShapeError(f"repeat: {counts.size} repeats do not fit axis {axis} of shape {x.shape}")
    return _getitem(x, along(axis, np.repeat(np.arange(length), counts).tolist()))


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """The index that applies `index` to the negative `axis` and selects everything along the
    others."""
    return (..., index, *[slice(None)] * (-1 - axis))


def there(x: Array, array: Array) -> Array:
    """The host array `array`, copied to the device of x."""
    home = x.device if isinstance(x, Tensor) else backend.device_of(x)
    return backend.to_device(np.ascontiguousarray(array), home)


def host_setting(value: Array) -> Array:
    """The value of an option as a host array. `value` is a number, a list, an array on any device,
    or an untracked Tensor."""
    if isinstance(value, Tensor):
        value = value._leave("a setting", "tensor.detach()")
    if backend.is_array(value):
        return backend.asnumpy(value)
    array = np.asarray(value)
    return array if array.size else array.astype(int)  # an empty list counts as integers


@composed
def resize(x: Operand, new_shape: int | Sequence[int]) -> Array:
    """An array of shape `new_shape`, filled with the elements of x in C order. If x has too few
    elements, they are repeated from the first."""
    x = as_operand(x)
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    size = math.prod(shape)
    if size < 0 or any(n < 0 for n in shape):
        raise ShapeError(f"resize: the new shape {shape} has a negative length")
    if x.size == 0:
        return broadcast_to(sum(x), shape).copy()  # zeros, as in NumPy
    flat = tile(ravel(x), -(-size // x.size))
    return apart(reshape(flat[:size], shape), x)


# ---- shapes and broadcasting --------------------------------------------------------------------


def _each(arrays: tuple[Any, ...], change: Any) -> Array:
    changed = tuple(change(as_operand(x)) for x in arrays)
    return changed[0] if len(changed) == 1 else changed


@composed
def atleast_1d(*arrays: Any) -> Array:
    """Each array with at least one axis. If there are several arrays, they are returned as a
    tuple."""
    return _each(arrays, lambda x: x[...] if x.ndim else reshape(x, 1))


@composed
def atleast_2d(*arrays: Any) -> Array:
    """Each array with at least two axes, where new axes are added in front. If there are several
    arrays, they are returned as a tuple."""
    return _each(arrays, lambda x: x[...] if x.ndim > 1 else reshape(x, (1, x.size)))


@composed
def atleast_3d(*arrays: Any) -> Array:
    """Each array with at least three axes: shape (n,) becomes (1, n, 1), and (m, n) becomes
    (m, n, 1). If there are several arrays, they are returned as a tuple."""
    shapes: list[Any] = [lambda n: (1, 1, 1), lambda n: (1, *n, 1), lambda n: (*n, 1)]
    return _each(arrays, lambda x: x[...] if x.ndim > 2 else reshape(x, shapes[x.ndim](x.shape)))


@composed
def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """The arrays, each broadcast to the common shape of all, as read-only views."""
    arrays = tuple(map(as_operand, arrays))
    try:
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
    except ValueError as error:
        shapes = ", ".join(str(x.shape) for x in arrays)
        raise ShapeError(f"broadcast_arrays: the shapes {shapes} do not broadcast") from error
    return tuple(broadcast_to(x, shape) for x in arrays)


@composed
def meshgrid(
    *arrays: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    """The coordinates of the points of a grid, one array for each axis; `arrays` holds the
    coordinates along the axes. With "xy" the first two axes of the results are exchanged, as in
    images; with "ij" they are not."""
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    vectors = [ravel(as_operand(x)) for x in arrays]
    count = len(vectors)
    places = list(range(count))
    if indexing == "xy" and count > 1:
        places[:2] = 1, 0
    lying = [
        reshape(x, [x.shape[0] if place == axis else 1 for axis in range(count)])
        for x, place in zip(vectors, places, strict=True)
    ]
    grids = tuple(lying) if sparse or not lying else broadcast_arrays(*lying)
    return tuple(grid.copy() for grid in grids) if copy and lying else grids


# ---- other --------------------------------------------------------------------------------------


@composed
def ediff1d(x: Operand, to_end: Any = None, to_begin: Any = None) -> Array:
    """The differences between consecutive elements of x in C order, preceded by `to_begin` and
    followed by `to_end`, in the dtype of x."""
    x = as_operand(x)
    parts = [part for part in (to_begin, diff(ravel(x)), to_end) if part is not None]
    parts = [part if hasattr(part, "ndim") else there(x, np.asarray(part)) for part in parts]
    if not all(np.can_cast(part.dtype, x.dtype, "same_kind") for part in parts):
        raise DTypeError(
            f"ediff1d: to_begin and to_end must fit the dtype of x, {x.dtype}; they have "
            f"{', '.join(str(part.dtype) for part in parts)}"
        )
    parts = [ravel(part if part.dtype == x.dtype else astype(part, x.dtype)) for part in parts]
    return parts[0] if len(parts) == 1 else concatenate(parts)


@composed
def trim_zeros(x: Operand, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Array:
    """x without its leading ("f" in `trim`) and trailing ("b") zeros, along `axis` or every axis.
    The shape of the result depends on the elements, so if x is on a device, the host waits for
    them."""
    x = as_operand(x)
    if set(trim.lower()) - set("fb"):
        raise ShapeError(f"trim_zeros: trim must consist of 'f' and 'b', not {trim!r}")
    places = host_setting(argwhere(x))
    axes = {a % x.ndim for a in np.atleast_1d(range(x.ndim) if axis is None else axis).tolist()}
    spans = []
    for a, n in enumerate(x.shape):
        start, stop = (places[:, a].min(), places[:, a].max() + 1) if len(places) else (n, n)
        front, back = a in axes and "f" in trim.lower(), a in axes and "b" in trim.lower()
        spans.append(slice(int(start) if front else 0, int(stop) if back else n))
    return x[tuple(spans)]
