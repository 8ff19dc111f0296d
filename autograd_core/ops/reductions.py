"""Reductions over axes: sums, moments, extremes, and functions built on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices.backend import as_array
from autograd_core.engine.op import op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Shape
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.ops.activations import quiet
from autograd_core.ops.axes import (
    Axis,
    inverse,
    length,
    negative_axes,
    reduction_axis,
    restored,
    spread,
)
from autograd_core.ops.chosen import reduction, with_description
from autograd_core.ops.elementwise import add, conjugate, maximum, minimum, real, sqrt
from autograd_core.ops.elementwise import where as choose
from autograd_core.ops.indexing import number
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "softmax",
    "std",
    "sum",
    "var",
]
BEYOND_NUMPY = ("log_softmax", "logsumexp", "softmax")


@reduction(0, add)
@op(x=lambda g, x_shape, axis, keepdims: spread(g, x_shape, axis, keepdims))
def sum(x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    """The sum over `axis` (an axis, a tuple of them, or None for all)."""
    return np.sum(x, axis=reduction_axis(x, axis), dtype=dtype, keepdims=keepdims)


def _weight(x_shape: Shape, axis: Axis, ddof: float = 0) -> float:
    """1 / (degrees of freedom), which is NaN if there are none, as in NumPy. The degrees of freedom
    are the number of elements over `axis` minus `ddof`."""
    freedom = length(x_shape, axis) - ddof
    return 1 / freedom if freedom > 0 else math.nan


def _mean_x(g: Gradient, x_shape: Shape, axis: Axis, keepdims: bool) -> Gradient:
    # not g / length: a length beyond 65,504 would be inf in float16
    return spread(g * _weight(x_shape, axis), x_shape, axis, keepdims)


def _chosen_mean(plain: Any) -> Callable[..., Tensor]:
    """Add NumPy's keyword `where` to the mean."""

    def chosen(
        x: Array,
        axis: Axis = None,
        dtype: Any = None,
        keepdims: bool = False,
        *,
        where: Any = None,
        **unknown: Any,
    ) -> Array:
        if unknown:
            return plain(x, **unknown)  # raises for an unknown keyword
        if where is None or where is True:
            return plain(x, axis, dtype, keepdims)
        x = as_operand(x)
        total = sum(choose(where, x, 0), axis, dtype, keepdims)
        return total / _count(x, where, total.dtype, axis, keepdims)

    return with_description(chosen, plain, ["where"])


def _count(x: Array, where: Any, dtype: Any, axis: Axis, keepdims: bool) -> Array:
    """The number of elements selected by `where`, in the floating-point dtype that matches
    `dtype`."""
    whole = np.broadcast_to(where, x.shape)
    return np.sum(
        whole,
        axis=reduction_axis(whole, axis),
        keepdims=keepdims,
        dtype=np.finfo(dtype).dtype if dtype.kind in "fc" else float,
    )


@_chosen_mean
@op(x=_mean_x)
def mean(x: Array, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    """The arithmetic mean over `axis`."""
    return np.mean(x, axis=reduction_axis(x, axis), dtype=dtype, keepdims=keepdims)


def _deviation(x: Array, axis: Axis) -> Array:
    """The conjugate of x - mean(x), which occurs in the derivatives of |x - mean(x)|²."""
    return (x - np.mean(x, axis=reduction_axis(x, axis), keepdims=True)).conj()


def _var_x(g: Gradient, x: Array, axis: Axis, ddof: float, keepdims: bool) -> Gradient:
    scaled = g * (2 * _weight(x.shape, axis, ddof))
    return restored(scaled, x.shape, axis, keepdims) * _deviation(x, axis)


def _spread_function(plain: Any) -> Callable[..., Tensor]:
    """Add NumPy's keywords `dtype`, in which the result is computed, `where` and `correction`,
    another name for `ddof`, to `var` or `std`."""

    def chosen(
        x: Array,
        axis: Axis = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        dtype: Any = None,
        where: Any = None,
        mean: Any = None,
        correction: float | None = None,
        **unknown: Any,
    ) -> Array:
        if unknown:
            return plain(x, **unknown)  # raises for an unknown keyword
        if mean is not None:
            raise NotDifferentiableError(
                f"{plain.__name__}: mean= is not supported; leave it out (the mean is computed)"
            )
        if correction is not None:
            if ddof:
                raise ShapeError(f"{plain.__name__}: pass either `ddof` or `correction`, not both")
            ddof = correction
        if dtype is not None:
            x = astype(x, dtype)
        if where is None or where is True:
            return plain(x, axis, ddof, keepdims)
        x = as_operand(x)
        out = _chosen_var(x, axis, ddof, keepdims, where)
        if plain.__name__ == "var":
            return out
        root = sqrt(choose(out == 0, 1, out))  # the derivative of sqrt at 0 is inf
        return number(choose(out == 0, 0, root))

    return with_description(chosen, plain, ["dtype", "where", "mean", "correction"])


def _chosen_var(x: Array, axis: Axis, ddof: float, keepdims: bool, where: Any) -> Array:
    deviation = choose(where, x - mean(x, axis, keepdims=True, where=where), 0)
    square = (
        real(deviation * conjugate(deviation))
        if deviation.dtype.kind == "c"
        else (deviation * deviation)
    )
    return sum(square, axis, keepdims=keepdims) / (
        _count(x, where, square.dtype, axis, keepdims) - ddof
    )


@_spread_function
@op(x=_var_x)
def var(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """The variance over `axis`: the sum of the squared deviations from the mean, divided by
    N - `ddof` for N elements."""
    return np.var(x, axis=reduction_axis(x, axis), ddof=ddof, keepdims=keepdims)


def _std_x(g: Gradient, x: Array, out: Array, axis: Axis, ddof: float, keepdims: bool) -> Gradient:
    scaled = g * _weight(x.shape, axis, ddof) * inverse(out)
    return restored(scaled, x.shape, axis, keepdims) * _deviation(x, axis)


@_spread_function
@op(x=_std_x)
def std(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """The standard deviation over `axis`. Where all elements are equal, the gradient is 0."""
    return np.std(x, axis=reduction_axis(x, axis), ddof=ddof, keepdims=keepdims)


def shared_x(g: Gradient, x: Array, out: Array, axis: Axis, keepdims: bool) -> Gradient:
    """The gradient of x: g, shared equally by the elements that equal the result."""
    chosen = x == restored(out, x.shape, axis, keepdims)
    ties = np.maximum(_total(chosen.astype(g.dtype), axis), 1)
    share = (1 / ties).astype(g.dtype)
    return np.where(chosen, restored(g, x.shape, axis, keepdims) * share, 0)


def _extreme_x(g: Gradient, x: Array, out: Array, axis: Axis, keepdims: bool) -> Gradient:
    """The gradient of x. Ties share g equally; where the result is NaN, the gradient of each
    element is NaN."""
    unknown = np.where(out != out, out, 0)
    return shared_x(g, x, out, axis, keepdims) + restored(unknown, x.shape, axis, keepdims)


@reduction(None, maximum)
@op(x=_extreme_x)
def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest value over `axis`. Ties share the gradient equally."""
    return np.max(x, axis=reduction_axis(x, axis), keepdims=keepdims)


@reduction(None, minimum)
@op(x=_extreme_x)
def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest value over `axis`. Ties share the gradient equally."""
    return np.min(x, axis=reduction_axis(x, axis), keepdims=keepdims)


@op(x=None)
def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index of the first largest value. Not differentiable."""
    return np.argmax(x, axis=reduction_axis(x, axis), keepdims=keepdims)


@op(x=None)
def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The index of the first smallest value. Not differentiable."""
    return np.argmin(x, axis=reduction_axis(x, axis), keepdims=keepdims)


@reduction(True)
@op(x=None)
def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """True if every element over `axis` is true. Not differentiable."""
    return np.all(x, axis=reduction_axis(x, axis), keepdims=keepdims)


@reduction(False)
@op(x=None)
def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """True if any element over `axis` is true. Not differentiable."""
    return np.any(x, axis=reduction_axis(x, axis), keepdims=keepdims)


def _total(x: Array, axis: Axis) -> Array:
    """The sum over `axis`, which is kept with length 1. float16 is summed in float32, because its
    largest number is 65,504."""
    dtype = np.float32 if x.dtype.char == "e" else None
    return np.sum(x, axis=reduction_axis(x, axis), keepdims=True, dtype=dtype)


def _inexact(x: Array) -> Array:
    """x in float64 if its dtype is integer or boolean."""
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def _shift(x: Array, axis: Axis) -> Array:
    """The maximum of x over `axis`, or 0 where it is not finite. It is subtracted from x so that
    exp(x) does not overflow; 0 avoids inf - inf."""
    top = np.max(x, axis=reduction_axis(x, axis), keepdims=True)
    return np.where(np.isfinite(top), top, 0)


def _lowered(x: Array, axis: Axis) -> Array:
    """x minus its maximum. Where the difference overflows, it is -inf, whose exponential is 0."""
    return quiet.run(np.subtract, x, _shift(x, axis))


def _log_total(lowered: Any, axis: Axis) -> Array:
    """log(sum(exp(lowered))), where the largest element of `lowered` is 0. It is computed as log1p
    of the sum of the other terms, because a small sum would lose digits if 1 were added to it."""
    largest = lowered == 0
    rest = _total(np.where(largest, 0, np.exp(lowered)), axis) + (_total(largest, axis) - 1)
    with np.errstate(divide="ignore"):  # the log of an empty sum of probabilities is -inf
        return np.log1p(rest)


def _logsumexp_x(g: Gradient, x: Array, axis: Axis, keepdims: bool) -> Gradient:
    return restored(g, x.shape, axis, keepdims) * softmax(x, axis=axis)


@op(x=_logsumexp_x)
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) over `axis`, without overflow for any finite x."""
    x = _inexact(x)
    top = np.max(x, axis=reduction_axis(x, axis), keepdims=True)
    out = (_log_total(_lowered(x, axis), axis) + top).astype(x.dtype, copy=False)
    return out if keepdims else np.squeeze(out, axis=axis)


def _softmax_x(g: Gradient, out: Array, axis: Axis) -> Gradient:
    """out * (g - sum(out * g)). The value of g at the largest element of `out` is first subtracted
    from g, because the gradient of this element would otherwise lose digits in 1 - out."""
    axes = negative_axes(axis, out.ndim)
    flow = (g - _at_largest(g, out, axes)) * out
    return flow - out * np.sum(flow, axis=axes, keepdims=True)


def _at_largest(g: Gradient, out: Array, axes: tuple[int, ...]) -> Gradient:
    """The value of g at the largest element of `out`; over several axes, the mean of those at the
    largest elements."""
    if len(axes) == 1:
        place = np.expand_dims(np.argmax(out, axis=axes[0]), axes[0])
        place = np.broadcast_to(place, g.shape[: g.ndim - out.ndim] + place.shape)
        return np.take_along_axis(g, place, axis=axes[0])
    largest = out == np.max(out, axis=axes, keepdims=True)
    count = np.maximum(np.sum(largest, axis=axes, keepdims=True), 1).astype(out.dtype)
    return np.sum(np.where(largest, g, 0), axis=axes, keepdims=True) / count


def _log_softmax_x(g: Gradient, out: Array, axis: Axis) -> Gradient:
    """g - exp(out) * sum(g). Where the probability exp(out) is large, expm1(out) is used to avoid
    cancellation."""
    total = np.sum(g, axis=negative_axes(axis, out.ndim), keepdims=True)
    near = g - total - np.expm1(out) * total
    return np.where(out > -0.5, near, g - np.exp(out) * total)


@op(x=_softmax_x)
def softmax(x: Array, axis: Axis = -1) -> Array:
    """exp(x) / sum(exp(x)) over `axis`, without overflow for any finite x."""
    out = as_array(np.exp(_lowered(_inexact(x), axis)))
    out /= _total(out, axis)
    return out


@op(x=_log_softmax_x)
def log_softmax(x: Array, axis: Axis = -1) -> Array:
    """log(softmax(x)) over `axis`, accurate where a probability is close to 0."""
    out = _lowered(_inexact(x), axis)
    return out - _log_total(out, axis).astype(out.dtype, copy=False)
