"""Products, cumulative sums and products, recurrences and differences.

The derivatives of products are correct where elements are 0 too, at every order. The rules divide
by elements only where their product is not 0 and has neither underflowed nor overflowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import (
    Axis,
    check_axis,
    joined,
    negative_axes,
    parted,
    reduction_axis,
    restored,
)
from autograd_core.ops.chosen import reduction
from autograd_core.ops.elementwise import multiply
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import max, min
from autograd_core.ops.shaping import _pad_constant, broadcast_to, concatenate

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "linear_recurrence",
    "prod",
    "ptp",
]
BEYOND_NUMPY = ("linear_recurrence",)

# ---- along the last axis ------------------------------------------------------------------------


def _flipped(x: Array) -> Array:
    return x[..., ::-1]


def _shifted(x: Array) -> Array:
    """x delayed by one step: with 1 in front, and without its last element."""
    return np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1)


def _recurrence(x: Array, y: Array) -> Array:
    """`linear_recurrence` for x and y of equal shape. Each pair of steps is combined into one step
    of a recurrence of half the length, so log2(n) passes replace a loop over n elements."""
    n = x.shape[-1]
    if n < 2:
        return x.copy()
    half = n // 2
    even, onward = x[..., ::2], y[..., 1::2]
    paired = x[..., 1::2] + y[..., : 2 * half : 2] * even[..., :half]
    steps = onward[..., : half - 1] * y[..., 2 : 2 * half : 2]
    out = np.empty_like(x)
    out[..., 1::2] = odd = _recurrence(paired, steps)
    out[..., 0] = x[..., 0]
    count = even.shape[-1] - 1
    out[..., 2::2] = even[..., 1:] + onward[..., :count] * odd[..., :count]
    return out


def _recurrence_x(g: Gradient, y: Array) -> Gradient:
    if y.shape[-1] < 2:
        return g
    turned = _flipped(y)
    late = np.concatenate([turned[..., 1:], turned[..., :1]], axis=-1)
    return _flipped(linear_recurrence(_flipped(g), late))


def _recurrence_y(g: Gradient, y: Array, out: Array) -> Gradient:
    flow = _recurrence_x(g, y)
    product = flow[..., 1:] * out[..., :-1]
    return np.concatenate([product, np.zeros_like(flow[..., :1])], axis=-1)


@op(x=_recurrence_x, y=_recurrence_y)
def linear_recurrence(x: Array, y: Array) -> Array:
    """h with h[0] = x[0] and h[i] = x[i] + y[i - 1] * h[i - 1] along the last axis. The last
    element of y is not used; x and y broadcast. The gradient is the same recurrence in reverse."""
    dtype = np.result_type(x.dtype, y.dtype)
    x, y = np.broadcast_arrays(x, y)
    return _recurrence(x.astype(dtype), y.astype(dtype))


# ---- products -----------------------------------------------------------------------------------


def _before_x(g: Gradient, x: Array) -> Gradient:
    """The gradient of ``cumprod(_shifted(x))``, which holds for each element the product of the
    elements before it."""
    late = np.concatenate([g[..., 1:], np.zeros_like(g[..., :1])], axis=-1)
    flow = _flipped(linear_recurrence(_flipped(late), _flipped(x)))
    return np.cumprod(_shifted(x), axis=-1) * flow


def _others_x(g: Gradient, x: Array, axis: Axis) -> Gradient:
    axes, x_shape = negative_axes(axis, x.ndim), x.shape
    g, x = joined(g, axes), joined(x, axes)
    before = np.cumprod(_shifted(x), axis=-1)
    after = _flipped(np.cumprod(_shifted(_flipped(x)), axis=-1))
    flow = _before_x(g * after, x) + _flipped(_before_x(_flipped(g * before), _flipped(x)))
    return parted(flow, axes, x_shape)


@op(x=_others_x, product=None)
def _prod_of_others(x: Array, product: Array = None, axis: Axis = None) -> Array:
    """For each element, the product of all other elements over `axis`: the derivative of prod.
    `product` may be prod(x, axis, keepdims=True). On the host, the result is then product / x,
    unless a product is 0, underflows or overflows."""
    if backend.on_host(product):
        size, limits = abs(product), np.finfo(product.dtype)
        if ((size > limits.tiny) & (size < limits.max)).all():  # then no element is 0
            return product / x
    axes = negative_axes(axis, x.ndim)
    lines = joined(x, axes)
    out = np.cumprod(_shifted(lines), axis=-1)
    out *= _flipped(np.cumprod(_shifted(_flipped(lines)), axis=-1))
    return parted(out, axes, x.shape)


def _prod_x(g: Gradient, x: Array, out: Array, axis: Axis, keepdims: bool) -> Gradient:
    product = restored(out, x.shape, axis, keepdims)
    return restored(g, x.shape, axis, keepdims) * _prod_of_others(x, product, axis)


@reduction(1, multiply)
@op(x=_prod_x)
def prod(x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    """The product over `axis` (an axis, a tuple of them, or None for all). The gradient is also
    correct where one or more elements are 0."""
    return np.prod(x, axis=reduction_axis(x, axis), dtype=dtype, keepdims=keepdims)


def _line(g: Gradient, axis: int | None, x_shape: Shape) -> Gradient:
    """The gradient g of a cumulative operation, with `axis` exchanged with the last axis."""
    return g if axis is None else g.swapaxes(negative_axes(axis, len(x_shape) or 1)[0], -1)


def _unline(flow: Any, axis: int | None, x_shape: Shape) -> Array:
    if axis is None or not x_shape:
        return flow.reshape(flow.shape[:-1] + x_shape)
    return flow.swapaxes(negative_axes(axis, len(x_shape))[0], -1)


def _cumprod_x(g: Gradient, x: Array, out: Array, axis: int | None) -> Gradient:
    lines = x.reshape(-1) if axis is None or x.ndim == 0 else _line(x, axis, x.shape)
    flow = _flipped(linear_recurrence(_flipped(_line(g, axis, x.shape)), _flipped(lines)))
    return _unline(_shifted(_line(out, axis, x.shape)) * flow, axis, x.shape)


@op(x=_cumprod_x)
def cumprod(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The products of the first 1, 2, 3 … elements along `axis`; if `axis` is None, x is flattened
    first. The gradient is also correct where elements are 0."""
    return np.cumprod(x, axis=axis, dtype=dtype)


# ---- sums and differences -----------------------------------------------------------------------


def _cumsum_x(g: Gradient, x_shape: Shape, axis: int | None) -> Gradient:
    flow = _flipped(np.cumsum(_flipped(_line(g, axis, x_shape)), axis=-1))
    return _unline(flow, axis, x_shape)


@op(x=_cumsum_x)
def cumsum(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The sums of the first 1, 2, 3 … elements along `axis`; if `axis` is None, x is flattened
    first."""
    return np.cumsum(x, axis=axis, dtype=dtype)


def _led(out: Array, axis: int, initial: int) -> Array:
    """`out` with `initial` inserted in front along `axis`."""
    place = negative_axes(axis, out.ndim)[0]
    widths = [(int(a == place), 0) for a in range(-out.ndim, 0)]
    return _pad_constant(out, widths, constant_values=initial)


def _own_axis(x: Array, name: str, axis: int | None) -> int:
    if axis is None and np.ndim(x) != 1:
        raise ShapeError(f"{name}: axis is required; x has shape {np.shape(x)}")
    return -1 if axis is None else axis


@composed
def cumulative_sum(
    x: Operand, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """`cumsum` as in the Array API. With `include_initial`, the result begins with a 0."""
    axis = _own_axis(x, "cumulative_sum", axis)
    out = cumsum(x, axis, dtype)
    return _led(out, axis, 0) if include_initial else out


@composed
def cumulative_prod(
    x: Operand, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """`cumprod` as in the Array API. With `include_initial`, the result begins with a 1."""
    axis = _own_axis(x, "cumulative_prod", axis)
    out = cumprod(x, axis, dtype)
    return _led(out, axis, 1) if include_initial else out


def _differences_x(g: Gradient, n: int, axis: int, x_shape: Shape, out_shape: Shape) -> Gradient:
    """The `n`-th differences of g, padded with n zeros on both sides, times (-1) ** n."""
    axis = negative_axes(axis, len(out_shape))[0]
    place = g.ndim + axis
    short = x_shape[axis] <= n  # the result is empty
    width = x_shape[axis] if short else n
    zeros = np.zeros_like(g, shape=(*g.shape[:place], width, *g.shape[place + 1 :]))
    if short:
        return np.concatenate([g, zeros], axis=axis)
    back = np.diff(np.concatenate([zeros, g, zeros], axis=axis), n=n, axis=axis)
    return -back if n % 2 else back


@op(x=_differences_x)
def _differences(x: Array, n: int = 1, axis: int = -1) -> Array:
    """`diff` without `prepend` and `append`."""
    return np.diff(x, n=n, axis=axis)


def _end(value: Array, x: Array, axis: int) -> Array:
    """`value` as an array that can be joined to x along `axis`. A number is repeated over the other
    axes."""
    place = axis % x.ndim
    value = as_operand(value) if isinstance(value, list | tuple) else value
    if np.ndim(value):
        return value
    return broadcast_to(value, (*x.shape[:place], 1, *x.shape[place + 1 :]))


@composed
def diff(x: Operand, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    """x[i + 1] - x[i] along `axis`, applied `n` times. `prepend` and `append`, arrays or numbers,
    are first joined to x."""
    x = as_operand(x)
    if n == 0:
        return x
    if prepend is None and append is None:
        return _differences(x, n, axis)
    check_axis("diff", axis, x)
    before = [] if prepend is None else [_end(prepend, x, axis)]
    after = [] if append is None else [_end(append, x, axis)]
    return _differences(concatenate([*before, x, *after], axis), n, axis)


@composed
def ptp(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The range of values over `axis`: max - min. Ties share the gradient equally."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)
