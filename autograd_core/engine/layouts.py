"""Copies of arrays that keep the strides.

The strides decide whether ``reshape`` returns a view. A copy with the same strides therefore has
the same views as the original.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices.backend import as_array, run_there
from autograd_core.engine.stamps import root_of
from autograd_core.engine.types import Array, Operand


def is_part(array: Array, whole: Any) -> bool:
    """True if an array is `whole` itself or a view of the same memory, not a copy."""
    base = array.base
    if array is whole or (base is not None and (base is whole or base is whole.base)):
        return True
    # a sliding window has an intermediate base, which is not an array
    return base is not None and root_of(array) is root_of(whole)


def address(array: Array) -> int:
    """The memory address of the first element."""
    if isinstance(array, np.ndarray):
        return array.__array_interface__["data"][0]  # type: ignore[no-any-return]
    return array.data.ptr  # type: ignore[no-any-return]


def copied(x: Operand) -> Any:
    """A copy of an array in its own memory, with the same strides."""
    out = as_array(x.copy("K") if getattr(x, "ndim", 0) else x.copy())
    return out if _agree(out, x) else laid_as(out, x)


def laid_as(array: Array, like: Any) -> Any:
    """Return `array` if it has the strides of `like`, which has the same shape; otherwise return a
    copy with these strides. A copy on a device has the same order of the axes, but no gaps."""
    if _agree(array, like):
        return array
    if type(like) is np.ndarray:
        out = _empty(like)
        out[...] = array
        return out
    return run_there(like, _ordered, array, like)


def _agree(array: Array, like: Any) -> bool:
    """True if two arrays of one shape have the same strides along every axis of length above 1."""
    if array.strides == like.strides:
        return True
    pairs = zip(array.shape, array.strides, like.strides, strict=True)
    return not array.size or all(n == 1 or a == b for n, a, b in pairs)


def _empty(like: np.ndarray) -> np.ndarray:
    """Uninitialized memory with the dtype, shape and strides of `like`, gaps included."""
    spans = [(n - 1) * s for n, s in zip(like.shape, like.strides, strict=True)]
    if any(s == 0 and n > 1 for n, s in zip(like.shape, like.strides, strict=True)):
        return np.empty_like(like)  # elements share memory, which a copy cannot do
    low = sum(span for span in spans if span < 0)
    high = sum(span for span in spans if span > 0) + like.itemsize
    buffer = np.empty(high - low, np.uint8)
    return np.ndarray(like.shape, like.dtype, buffer, -low, like.strides)


def _ordered(array: Array, like: Any) -> Any:
    """A copy of `array` on its device. In memory its axes have the order of the axes of `like`."""
    order = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
    back = sorted(range(like.ndim), key=order.__getitem__)
    return array.transpose(order).copy().transpose(back)
