"""Numbers as files of weights hold them: bfloat16 as uint16, either byte order."""

from __future__ import annotations

from typing import Any

import numpy as np


def native(array: Any, kind: str) -> Any:
    """An array as a file holds it, of either byte order, as NumPy computes with it: bfloat16
    becomes float32, and a byte other than 0 True."""
    if kind == "bfloat16":
        bits = array.reshape(-1).astype(np.uint32)
        return (bits << 16).view(np.float32).reshape(array.shape)
    if kind == "bool":
        return np.not_equal(array.view(np.uint8), 0, out=np.empty(array.shape, bool))
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array if array.flags.writeable else array.copy()


def narrowed(values: Any) -> Any:
    """Floating-point numbers as the bits of bfloat16, uint16 of the same shape, rounded once, to
    nearest even.

    A float64 is first rounded to odd (Boldo and Melquiond, 2008): an inexact float32 gets a last
    bit of 1, so that it is not mistaken for a number halfway between two of bfloat16.
    """
    flat = np.asarray(values).reshape(-1)
    with np.errstate(all="ignore"):
        single = flat.astype(np.float32)
        bits = single.view(np.uint32).copy()
        if flat.dtype.itemsize > 4:
            exact = single.astype(flat.dtype)
            bits -= np.abs(exact) > np.abs(flat)
            bits |= (exact != flat) & ~np.isnan(flat)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    rounded = np.where(np.isnan(single), (bits >> 16) | 0x40, rounded)
    return rounded.astype(np.uint16).reshape(np.shape(values))
