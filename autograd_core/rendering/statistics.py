"""Statistics of an array, computed in one pass."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.types import Array

BLOCK = 1 << 16  # elements that stay in the cache while they are read five times


class Statistics(NamedTuple):
    """Statistics of an array with `size` elements: the Euclidean `norm`, the `least` and `greatest`
    value (of the absolute values if the array is complex), the share of exact `zeros`, and the
    number of elements that are `not_finite`. `norm` and `rms` are computed from the finite elements
    only."""

    size: int
    norm: float
    least: float
    greatest: float
    zeros: float
    not_finite: int

    @property
    def rms(self) -> float:
        """The root mean square of the finite elements."""
        finite = self.size - self.not_finite
        return self.norm / math.sqrt(finite) if finite else 0.0

    @property
    def is_zero(self) -> bool:
        """True if every element is exactly zero."""
        return self.norm == 0 and not self.not_finite


def measure(array: Array) -> Any:
    """The statistics of an array. For an array on a device, they stay on the device until
    `resolved` is called."""
    if type(array) is np.ndarray or isinstance(array, np.generic):
        with np.errstate(all="ignore"):  # _carefully handles overflow
            return _on_host(np.asarray(array))
    return int(array.size), backend.run_there(array, _on_device, array)


def resolved(measured: Any) -> Statistics:
    """The Statistics on the host. If they are on a device, this waits for the device."""
    if isinstance(measured, Statistics):
        return measured
    size, row = measured
    squares, scale, least, greatest, zeros, finite = (float(n) for n in backend.asnumpy(row))
    return Statistics(
        size, scale * math.sqrt(squares), least, greatest, zeros / max(size, 1), size - int(finite)
    )


def _on_host(array: Array) -> Statistics:
    flat = array.ravel(order="K")
    if flat.dtype.kind == "c":
        flat = np.abs(flat)
    elif flat.dtype != np.float32:
        flat = flat.astype(np.float64, copy=False)
    if not flat.size:
        return Statistics(0, 0.0, 0.0, 0.0, 0.0, 0)
    squares, zeros, least, greatest = 0.0, 0, math.inf, -math.inf
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK]
        squares += float(np.dot(block, block))
        zeros += int(np.count_nonzero(block == 0))
        least, greatest = min(least, float(block.min())), max(greatest, float(block.max()))
    if 1e-30 < squares < 1e30:
        return Statistics(flat.size, math.sqrt(squares), least, greatest, zeros / flat.size, 0)
    return _carefully(flat, zeros)


def _carefully(flat: Any, zeros: int) -> Statistics:
    """The statistics of an array whose squares may underflow or overflow, or whose elements may not
    be finite."""
    finite = flat[np.isfinite(flat)].astype(np.float64)
    size = float(np.max(np.abs(finite), initial=0.0))
    norm = size * float(np.linalg.norm(finite / size)) if size else 0.0
    least, greatest = float(np.nanmin(flat)) if finite.size else math.nan, math.nan
    if finite.size:
        greatest = float(np.nanmax(flat))
    return Statistics(flat.size, norm, least, greatest, zeros / flat.size, flat.size - finite.size)


def _on_device(array: Array) -> Any:
    flat = np.abs(array.ravel()) if array.dtype.kind == "c" else array.ravel()
    flat = flat.astype(np.float64)
    if not flat.size:
        return np.zeros_like(flat, shape=(6,))
    finite = np.isfinite(flat)
    kept = np.where(finite, flat, 0.0)
    scale = np.max(np.abs(kept))
    scaled = kept / np.where(scale > 0, scale, 1.0)  # no square over- or underflows
    numbers = [np.sum(scaled * scaled), scale, np.min(flat), np.max(flat), np.sum(flat == 0)]
    return np.stack([number.astype(np.float64) for number in (*numbers, np.sum(finite))])
