"""Convolution in several dimensions, under SciPy's name, for arrays on the host."""

from __future__ import annotations

import numpy as np
import scipy.signal as scipys

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.scipy.linalg import require_host

__all__ = ["convolve", "windows"]


def _flipped(x: Array, ndim: int) -> Array:
    return x[(..., *[slice(None, None, -1)] * ndim)]


def _windows_x(g: Gradient, y: Array, ndim: int, mode: str) -> Gradient:
    return windows(g, _flipped(y, ndim), ndim, "valid" if mode == "full" else "full")


def _windows_y(g: Gradient, x: Array, ndim: int, mode: str) -> Gradient:
    if mode == "full":
        return windows(g, _flipped(x, ndim), ndim, "valid")
    return _flipped(windows(x, _flipped(g, ndim), ndim, "valid"), ndim)


@op(x=_windows_x, y=_windows_y)
def windows(x: Array, y: Array, ndim: int, mode: str) -> Array:
    """The convolution over the last `ndim` axes; leading axes broadcast. `mode` is "full" or
    "valid"; for "valid", x must be at least as long as y along each of the last `ndim` axes."""
    require_host("convolve", x, y)
    lead = x.ndim - ndim, y.ndim - ndim
    stack = np.broadcast_shapes(x.shape[: lead[0]], y.shape[: lead[1]])
    sign = 1 if mode == "full" else -1
    pairs = zip(x.shape[lead[0] :], y.shape[lead[1] :], strict=True)
    sides = tuple(n + sign * (m - 1) for n, m in pairs)
    out = np.empty((*stack, *sides), np.result_type(x.dtype, y.dtype))
    x = np.broadcast_to(x, stack + x.shape[lead[0] :])
    y = np.broadcast_to(y, stack + y.shape[lead[1] :])
    for place in np.ndindex(stack):
        out[place] = scipys.convolve(x[place], y[place], mode)
    return out


@composed
def convolve(x: Operand, y: Operand, mode: str = "full") -> Array:
    """The convolution of two arrays with the same number of axes. `mode` selects the returned part:
    all positions at which the arrays overlap ("full"), the central part with the shape of x
    ("same"), or the positions at which one array lies entirely within the other ("valid")."""
    x, y = as_operand(x), as_operand(y)
    if x.ndim != y.ndim or not (x.ndim and x.size and y.size):
        raise ShapeError(
            "convolve: x and y must be non-empty and have the same number of axes, at least 1; "
            f"they have shapes {x.shape} and {y.shape}"
        )
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"convolve: mode must be 'full', 'same' or 'valid', not {mode!r}")
    if mode == "full":
        return windows(x, y, x.ndim, mode)
    pairs = list(zip(x.shape, y.shape, strict=True))
    if mode == "same":
        middle = tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in pairs)
        return _getitem(windows(x, y, x.ndim, "full"), middle)
    if all(n >= m for n, m in pairs):
        return windows(x, y, x.ndim, mode)
    if all(m >= n for n, m in pairs):
        return windows(y, x, x.ndim, mode)
    raise ShapeError(
        "convolve: for mode='valid' one array must be at least as long as the other along every "
        f"axis; the shapes are {x.shape} and {y.shape}"
    )
