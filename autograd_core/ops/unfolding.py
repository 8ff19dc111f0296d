"""The windows of an array along its last axes as an array of their own, and their sum."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient, Shape
from autograd_core.ops.lowering import Axis, Sizes

__all__: list[str] = []


def _elements(lengths: Shape, kernel: Sizes, stride: Sizes, dilation: Sizes, before: Sizes,
              counts: Sizes) -> Any:  # fmt: skip
    """For each element of the windows: its index in them, the windows that have it inside of x, and
    where in x it is."""
    axes = [*map(Axis, kernel, stride, dilation, before, counts, lengths)]
    behind = (slice(None),) * len(axes)
    for element in product(*map(range, kernel)):
        inside, places = zip(
            *(a.inside(i) for a, i in zip(axes, element, strict=True)), strict=True
        )
        yield (..., *element, *behind), (..., *inside), (..., *places)


def _unfold_x(g: Gradient, kernel: Sizes, stride: Sizes, dilation: Sizes, before: Sizes,
              x_shape: Shape) -> Gradient:  # fmt: skip
    return _fold(g, kernel, stride, dilation, before, x_shape[-len(kernel) :])


@op(x=_unfold_x)
def _unfold(x: Array, kernel: Any, stride: Any, dilation: Any, before: Any, counts: Any) -> Array:
    """The windows along the last axes, (…, *kernel, *counts). Element i of window r is
    x[r * stride + i * dilation - before], or 0 outside of x."""
    lead = x.shape[: x.ndim - len(kernel)]
    y = np.zeros_like(x, shape=(*lead, *kernel, *counts))
    lengths = x.shape[x.ndim - len(kernel) :]
    for element, inside, place in _elements(lengths, kernel, stride, dilation, before, counts):
        y[element][inside] = x[place]
    return y


def _fold_y(g: Gradient, kernel: Sizes, stride: Sizes, dilation: Sizes, before: Sizes,
            y_shape: Shape) -> Gradient:  # fmt: skip
    return _unfold(g, kernel, stride, dilation, before, y_shape[-len(kernel) :])


@op(y=_fold_y)
def _fold(y: Array, kernel: Any, stride: Any, dilation: Any, before: Any, lengths: Any) -> Array:
    """The transpose of `_unfold`: the sum of windows at their places."""
    lead, counts = y.shape[: y.ndim - 2 * len(kernel)], y.shape[y.ndim - len(kernel) :]
    x = np.zeros_like(y, shape=(*lead, *lengths))
    for element, inside, place in _elements(lengths, kernel, stride, dilation, before, counts):
        target = x[place]
        target += y[element][inside]
    return x
