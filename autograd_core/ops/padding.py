"""Borders around an array, in each of NumPy's modes.

The axes are padded one after the other, as in NumPy. Most borders repeat elements of the array or
are a fixed linear map of them. These elements, or this map, are found by applying NumPy's `pad` to
indices or to unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.engine.op import composed
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.ops.arranging import along, there
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul
from autograd_core.ops.quantiles import median
from autograd_core.ops.reductions import max, mean, min
from autograd_core.ops.shaping import _pad_constant, broadcast_to, concatenate, moveaxis

__all__ = ["pad"]

Pairs = tuple[tuple[Any, Any], ...]

# The modes that repeat elements, unless reflect_type="odd".
PLACES = {"edge", "reflect", "symmetric", "wrap"}
ODD = {"reflect", "symmetric"}  # the modes that reflect_type applies to
STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": max, "mean": mean, "median": median, "minimum": min,
}  # fmt: skip


@composed
def pad(
    x: Operand,
    pad_width: Any,
    mode: str = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Array:
    """x with a border around it. `pad_width` is the width: (before, after) for each axis, one such
    pair or one number for all axes, or a dictionary from axes to pairs or numbers.

    `mode` is "constant" (`constant_values`), "edge", "reflect", "symmetric" (both with
    `reflect_type` "even" or "odd"), "wrap", "linear_ramp" (down to `end_values`), "maximum",
    "mean", "median", "minimum" (of the nearest `stat_length` elements, or all), or "empty" (filled
    with zeros). Raises NotDifferentiableError if `mode` is a function.
    """
    x = as_operand(x)
    if callable(mode):
        raise NotDifferentiableError(
            "pad: a function as mode writes into an array, which is not recorded; compute the "
            "border and join it to x with concatenate"
        )
    widths = _pairs("pad_width", pad_width, x)
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad: pad_width={pad_width} has a negative width")
    if not any(any(width) for width in widths):
        return x.copy()
    if mode in ("constant", "empty"):
        fill = _pairs("constant_values", constant_values if mode == "constant" else 0, x)
        return _pad_constant(x, widths, fill)
    ends = _pairs("end_values", end_values, x)
    lengths = _pairs("stat_length", stat_length, x)
    for axis, width in enumerate(widths):
        if not any(width):
            continue
        place = axis - x.ndim
        if not x.shape[axis]:
            raise ShapeError(f"pad: mode {mode!r} needs elements along axis {axis} of {x.shape}")
        if mode in PLACES and (reflect_type == "even" or mode not in ODD):
            x = _getitem(x, along(place, _places(x.shape[axis], width, mode)))
        elif mode in STATISTICS:
            x = _with_statistics(x, place, width, STATISTICS[mode], lengths[axis])
        elif mode == "linear_ramp" or (mode in ODD and reflect_type == "odd"):
            x = _with_mapped(x, place, width, mode, ends[axis])
        else:
            raise ShapeError(
                f"pad: mode {mode!r} with reflect_type={reflect_type!r} does not exist"
            )
    return x


def _pairs(name: str, value: Array, x: Array) -> Pairs:
    """`value` as a tuple of pairs (before, after), one for each axis of x."""
    if isinstance(value, dict):
        given = {axis % x.ndim: pair for axis, pair in value.items()}
        value = [given.get(axis, 0) for axis in range(x.ndim)]
        value = [pair if isinstance(pair, tuple | list) else (pair, pair) for pair in value]
    if isinstance(value, Tensor):
        raise NotDifferentiableError(
            f"pad: {name} is not differentiable and cannot be a Tensor; pass numbers, for "
            "example tensor.item()"
        )
    try:
        pairs = np.broadcast_to(np.asarray(value, object), (x.ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(
            f"pad: {name}={value} is not a pair (before, after) for each axis of shape {x.shape}"
        ) from None
    return tuple((before, after) for before, after in pairs)


def _places(length: int, width: tuple[int, int], mode: Any) -> list[int]:
    """The indices of the elements that make up a padded line."""
    return list(map(int, np.pad(np.arange(length), width, mode=mode)))


def _with_statistics(
    x: Array, axis: int, width: tuple[int, int], statistic: Any, lengths: tuple[Any, Any]
) -> Array:
    """x with a border at each end of `axis`, filled with `statistic` of the elements next to the
    border."""
    size = x.shape[axis]
    parts = [x]
    for end, (border, length) in enumerate(zip(width, lengths, strict=True)):
        near = size if length is None else sorted((length, size))[0]
        if near < 1:
            raise ShapeError("pad: stat_length must be 1 or more")
        span = slice(size - near, size) if end else slice(0, near)
        value = statistic(_getitem(x, along(axis, span)), axis, keepdims=True)
        place = x.ndim + axis
        wide = broadcast_to(value, (*x.shape[:place], border, *x.shape[place + 1 :]))
        parts = [*parts, wide] if end else [wide, *parts]
    return concatenate(parts, axis)


def _with_mapped(x: Array, axis: int, width: tuple[int, int], mode: Any, ends: Any) -> Array:
    """x with a border at each end of `axis`. The border is a linear function of the elements along
    `axis` or, for a linear ramp, an affine function."""
    size, (before, _) = x.shape[axis], width
    still = np.zeros(size, x.dtype if x.dtype.kind in "fc" else float)
    units = np.eye(size, dtype=still.dtype)
    if mode == "linear_ramp":
        linear = np.pad(units, (width, (0, 0)), mode=mode, end_values=0)
        constant = np.pad(still, width, mode=mode, end_values=ends)
    else:
        linear = np.pad(units, (width, (0, 0)), mode=mode, reflect_type="odd")
        constant = None
    lines = moveaxis(x, axis, -1)
    parts = []
    for rows in (slice(0, before), slice(before + size, None)):
        border = matmul(lines, there(x, linear[rows].T))
        border = border if constant is None else border + there(x, constant[rows])
        parts.append(moveaxis(border, -1, axis))
    return concatenate([parts[0], x, parts[1]], axis)
