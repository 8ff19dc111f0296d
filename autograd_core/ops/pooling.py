"""Pooling: the maxima, sums and means of windows.

Windows along several axes are taken along one axis after the other, the last one first. So the
gradient of a maximum goes to the first of equal elements, in the order of the array, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.ops.arranging import there
from autograd_core.ops.convolution import spread
from autograd_core.ops.elementwise import masked
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import _pad_constant

__all__ = ["avg_pool", "max_pool", "max_pool_indices"]
BEYOND_NUMPY = ("avg_pool", "max_pool", "max_pool_indices")


def _elements(length: int, axis: int, kernel: int, stride: int, dilation: int) -> list[Any]:
    """For each element of the windows along a negative axis of this length, an index of those of
    all windows."""
    extent = dilation * (kernel - 1) + 1
    span = (length - extent) // stride * stride + 1
    behind = (slice(None),) * (-1 - axis)
    starts = range(0, extent, dilation)
    return [(..., slice(start, start + span, stride), *behind) for start in starts]


# ---- maxima --------------------------------------------------------------------------------------


def _max_x(g: Gradient, x: Array, out: Array, axis: int, kernel: int, stride: int, dilation: int
           ) -> Gradient:  # fmt: skip
    places = _winners(x, out, axis, kernel, stride, dilation)
    return _placed(g, places, axis, kernel, stride, dilation, x.shape[axis])


@op(x=_max_x)
def _max_along(x: Array, axis: Any, kernel: Any, stride: Any, dilation: Any) -> Array:
    """The largest elements of the windows along a negative axis."""
    first, *others = _elements(x.shape[axis], axis, kernel, stride, dilation)
    out = x[first] if others else x[first].copy()
    for place in others:
        out = np.maximum(out, x[place])
    return out


@not_differentiable
def _winners(x: Array, out: Array, axis: int, kernel: int, stride: int, dilation: int) -> Array:
    """The numbers of the first elements of the windows that are equal to the largest, `out`, which
    may be NaN."""
    elements = _elements(x.shape[axis], axis, kernel, stride, dilation)
    dtype = np.uint8 if kernel < 256 else np.intp
    below = _differs(x[elements[0]], out)
    places = below.astype(dtype) if kernel > 1 else np.zeros_like(below, dtype=dtype)
    for place in elements[1:-1]:
        below = below & _differs(x[place], out)
        places += below
    return places


def _differs(x: Array, out: Array) -> Array:
    """True where an element is less than the largest; False for NaN."""
    return (x != out) & (x == x)


def _placed_g(g: Gradient, places: Array, axis: int, kernel: int, stride: int, dilation: int
              ) -> Gradient:  # fmt: skip
    return _picked(g, places, axis, kernel, stride, dilation)


@op(y=_placed_g, places=None)
def _placed(y: Array, places: Array, axis: Any, kernel: Any, stride: Any, dilation: Any,
            length: Any) -> Array:  # fmt: skip
    """Zeros of this length along a negative axis, to which each y is added, at the element of its
    window that `places` names."""
    whole = length == kernel * y.shape[axis] and stride == kernel and dilation == 1
    shape = list(y.shape)
    shape[axis] = length
    like = places if places.ndim == y.ndim else y  # as it lies in memory
    x = (np.empty_like if whole else np.zeros_like)(like, shape=tuple(shape), dtype=y.dtype)
    for i, place in enumerate(_elements(length, axis, kernel, stride, dilation)):
        part = masked(y, places == i)
        target = x[place]
        if stride > dilation * (kernel - 1):
            target[...] = part
        else:
            target += part
    return x


def _picked_x(g: Gradient, places: Array, axis: int, kernel: int, stride: int, dilation: int,
              x_shape: Shape) -> Gradient:  # fmt: skip
    return _placed(g, places, axis, kernel, stride, dilation, x_shape[axis])


@op(x=_picked_x, places=None)
def _picked(x: Array, places: Array, axis: Any, kernel: Any, stride: Any, dilation: Any) -> Array:
    """The elements of the windows along a negative axis that `places` names."""
    first, *others = _elements(x.shape[axis], axis, kernel, stride, dilation)
    out = x[first] if others else x[first].copy()
    for i, place in enumerate(others, 1):
        out = np.where(places == i, x[place], out)
    return out


# ---- sums ----------------------------------------------------------------------------------------


def _sums_x(g: Gradient, axis: int, kernel: int, stride: int, dilation: int, x_shape: Shape
            ) -> Gradient:  # fmt: skip
    return _spread_along(g, axis, kernel, stride, dilation, x_shape[axis])


@op(x=_sums_x)
def _sums_along(x: Array, axis: Any, kernel: Any, stride: Any, dilation: Any) -> Array:
    """The sums of the windows along a negative axis."""
    first, *others = _elements(x.shape[axis], axis, kernel, stride, dilation)
    out = x[first] if others else x[first].copy()
    for place in others:
        out = out + x[place]
    return out


def _spread_y(g: Gradient, axis: int, kernel: int, stride: int, dilation: int) -> Gradient:
    return _sums_along(g, axis, kernel, stride, dilation)


@op(y=_spread_y)
def _spread_along(y: Array, axis: Any, kernel: Any, stride: Any, dilation: Any, length: Any
                  ) -> Array:  # fmt: skip
    """Zeros of this length along a negative axis, with y added to all elements of its window."""
    shape = list(y.shape)
    shape[axis] = length
    x = np.zeros_like(y, shape=tuple(shape))
    for place in _elements(length, axis, kernel, stride, dilation):
        target = x[place]
        target += y
    return x


# ---- what is public ------------------------------------------------------------------------------


class Windows:
    """The windows of a pool along the last axes of x."""

    def __init__(self, name: str, x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any,
                 ceil_mode: bool) -> None:  # fmt: skip
        count = 1 if np.ndim(kernel) == 0 else len(kernel)
        self.kernel = spread("kernel_size", kernel, count)
        self.stride = self.kernel if stride is None else spread("stride", stride, count)
        self.before = spread("padding", padding, count, 0)
        self.dilation = spread("dilation", dilation, count)
        self.axes = tuple(range(-count, 0))
        if x.ndim < count:
            raise ShapeError(f"{name}: windows along {count} axes of x with shape {x.shape}")
        if any(2 * p > k for p, k in zip(self.before, self.kernel, strict=True)):
            raise ArgumentError(
                f"{name}: padding {self.before} is more than half of the kernel {self.kernel}"
            )
        self.lengths = x.shape[-count:]
        self.counts, self.after = [], []
        settings = zip(self.lengths, self.kernel, self.stride, self.before, self.dilation,
                       strict=True)  # fmt: skip
        for length, k, s, p, d in settings:
            room = length + 2 * p - d * (k - 1) - 1
            windows = (-(-room // s) if ceil_mode else room // s) + 1
            if ceil_mode and (windows - 1) * s >= length + p:
                windows -= 1  # the last one begins in the padding
            if windows < 1:
                raise ShapeError(
                    f"{name}: a window of {self.kernel} with dilation {self.dilation} does not fit "
                    f"into x of shape {x.shape} with padding {self.before}"
                )
            self.counts.append(windows)
            self.after.append(max(0, (windows - 1) * s + d * (k - 1) + 1 - length - p))

    def padded(self, x: Array, value: float) -> Array:
        """x with `value` around it."""
        ends = [*zip(self.before, self.after, strict=True)]
        if not any(map(any, ends)):
            return x
        lead = x.ndim - len(ends)
        return _pad_constant(x, (*((0, 0),) * lead, *ends), ((value, value),) * x.ndim)

    def each(self) -> Any:
        """The settings of each axis, the last one first."""
        settings = zip(self.axes, self.kernel, self.stride, self.dilation, strict=True)
        return reversed(list(settings))


@composed
def max_pool(
    x: Operand,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Array:
    """The largest elements of windows along the last axes of x. `kernel_size` has a number for each
    of these axes, or is the number for one axis; `stride` is `kernel_size` by default.

    The gradient goes to the first of equal elements. With `ceil_mode`, a last window that is partly
    outside of x is kept. Raises ShapeError if a window is larger than the padded x.
    """
    x = as_operand(x)
    windows = Windows("max_pool", x, kernel_size, stride, padding, dilation, ceil_mode)
    out = windows.padded(x, _least(x.dtype))
    for axis, kernel, step, apart in windows.each():
        out = _max_along(out, axis, kernel, step, apart)
    return out


@not_differentiable
def max_pool_indices(
    x: Array,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Array:
    """The places of the results of `max_pool` in x, whose axes that are pooled are joined."""
    windows = Windows("max_pool_indices", x, kernel_size, stride, padding, dilation, ceil_mode)
    best = windows.padded(x, _least(x.dtype))
    index: Any = 0
    for axis, *settings in windows.each():
        before = best
        best = _max_along(before, axis, *settings)
        places = _winners(before, best, axis, *settings)
        _, step, apart = settings
        start = np.arange(best.shape[axis]) * step - windows.before[axis]
        start = there(x, start.reshape((-1, *(1,) * (-1 - axis))))
        behind = math.prod(windows.lengths[axis + len(windows.lengths) + 1 :])
        chosen = _picked(index, places, axis, *settings) if np.ndim(index) else 0
        index = (start + places.astype(start.dtype) * apart) * behind + chosen
    return index


def _least(dtype: Any) -> float:
    """A number that no element is less than."""
    if dtype.kind not in "fiu":
        raise DTypeError(f"max_pool: elements of dtype {dtype} have no largest one")
    return -math.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


@composed
def avg_pool(
    x: Operand,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The means of windows along the last axes of x; see `max_pool`. The sums are divided by the
    number of elements of each window with those of the padding or, without `count_include_pad`,
    without them; or by `divisor_override`."""
    x = as_operand(x)
    windows = Windows("avg_pool", x, kernel_size, stride, padding, 1, ceil_mode)
    out = windows.padded(x, 0)
    for axis, kernel, step, apart in windows.each():
        out = _sums_along(out, axis, kernel, step, apart)
    if divisor_override is not None:
        if divisor_override == 0:
            raise ArgumentError("avg_pool: divisor_override must not be 0")
        return out / divisor_override
    sizes = np.ones(())
    settings = zip(windows.lengths, windows.kernel, windows.stride, windows.before, windows.counts,
                   strict=True)  # fmt: skip
    for length, k, s, p, count in settings:
        start = np.arange(count) * s - p
        margin = p if count_include_pad else 0
        inside = np.minimum(start + k, length + margin) - np.maximum(start, -margin)
        sizes = sizes[..., None] * inside
    if sizes.size and (sizes == sizes.flat[0]).all():
        return out / float(sizes.flat[0])
    return out / there(x, sizes.astype(x.dtype if x.dtype.kind in "fc" else float))
