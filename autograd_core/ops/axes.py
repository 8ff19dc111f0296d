"""Axes for rules. A gradient may carry leading batch axes, so a rule counts axes from the end."""

from __future__ import annotations

from typing import Any

import numpy as np

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None

__all__ = ["Axis", "Shape", "length", "negative", "restored", "spread"]


def negative(axis: Axis, ndim: int) -> Shape:
    """`axis` as a tuple of negative axes in rising order; None means all of them. NumPy lets axis 0
    or -1 be named where there is none."""
    if axis is None or ndim == 0:
        return tuple(range(-ndim, 0))
    axes = (axis,) if not isinstance(axis, tuple) else axis
    return tuple(sorted(int(a) - ndim if a >= 0 else int(a) for a in axes))


def length(shape: Shape, axis: Axis) -> int:
    """How many elements a reduction over `axis` takes together."""
    product = 1
    for a in negative(axis, len(shape)):
        product *= shape[a]
    return product


def restored(reduced: Any, x_shape: Shape, axis: Axis, keepdims: bool) -> Any:
    """The result of a reduction with the reduced axes back, of length 1."""
    if keepdims:
        return reduced
    axes = negative(axis, len(x_shape))
    lead = reduced.ndim - (len(x_shape) - len(axes))
    kept = {a % len(x_shape): 1 for a in axes}
    lengths = iter(reduced.shape[lead:])
    return reduced.reshape(
        reduced.shape[:lead] + tuple(kept.get(a) or next(lengths) for a in range(len(x_shape)))
    )


def spread(g: Any, x_shape: Shape, axis: Axis, keepdims: bool) -> Any:
    """The gradient of a sum: what arrives, repeated along the summed axes (as a view)."""
    full = restored(g, x_shape, axis, keepdims)
    return np.broadcast_to(full, full.shape[: full.ndim - len(x_shape)] + x_shape)
