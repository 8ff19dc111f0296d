"""Averages, covariances, and reductions that ignore NaN.

The functions whose names begin with nan treat NaN as missing: NaN contributes nothing to the
result, and its gradient is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.ops.arithmetic import fmax, fmin
from autograd_core.ops.axes import Axis, check_axis, inverse, length, restored
from autograd_core.ops.chosen import reduction, with_description
from autograd_core.ops.elementwise import (
    clip,
    conjugate,
    imag,
    isnan,
    real,
    sqrt,
)
from autograd_core.ops.elementwise import where as choose
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul
from autograd_core.ops.reductions import mean, shared_x, sum
from autograd_core.ops.scans import cumprod, cumsum, prod
from autograd_core.ops.shaping import (
    astype,
    broadcast_to,
    concatenate,
    moveaxis,
    reshape,
    squeeze,
    swapaxes,
)

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]

# ---- averages and covariances -------------------------------------------------------------------


def _weights(x: Array, axis: Axis, weights: Array) -> Array:
    """`weights`, whose shape is that of x or of its `axis`, in a shape that broadcasts with x."""
    if not hasattr(weights, "ndim"):
        weights = as_operand(weights)
    if weights.shape == x.shape:
        return weights
    if axis is None:
        raise ShapeError(
            f"average: x has shape {x.shape} and weights have shape {weights.shape}; if they "
            "belong to some axes only, name these in `axis`"
        )
    named = tuple(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)))
    if weights.shape != tuple(x.shape[a] for a in named):
        raise ShapeError(
            f"average: over axis {axis}, x has shape {tuple(x.shape[a] for a in named)}, but "
            f"weights have shape {weights.shape}"
        )
    order = sorted(range(len(named)), key=named.__getitem__)
    shape = tuple(n if a in named else 1 for a, n in enumerate(x.shape))
    return reshape(moveaxis(weights, order, tuple(range(len(order)))), shape)


@composed
def average(
    x: Operand,
    axis: Axis = None,
    weights: Operand = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean over `axis` or, with `weights`, sum(x * weights) / sum(weights). Differentiable with
    respect to x and `weights`. With `returned`, the sum of the weights is returned as well. Where
    this sum is 0, the result is not finite; NumPy raises an error."""
    x = as_operand(x)
    check_axis("average", axis, x)
    if weights is None:
        out = mean(x, axis=axis, keepdims=keepdims)
        if not returned:
            return out
        return out, np.ones_like(out) * length(x.shape, axis)
    weights = _weights(x, axis, weights)
    total = sum(broadcast_to(weights, x.shape), axis=axis, keepdims=keepdims)
    out = sum(x * weights, axis=axis, keepdims=keepdims) / total
    return (out, total) if returned else out


def _rows(x: Array, rowvar: bool, dtype: Any) -> Array:
    """x as a matrix in `dtype`, with one variable in each row."""
    x = as_operand(x)
    if x.ndim > 2:
        raise ShapeError(f"cov: x must have one axis or two, not shape {x.shape}")
    if x.ndim < 2:
        x = reshape(x, (1, -1))
    elif not rowvar:
        x = swapaxes(x, 0, 1)
    return x if x.dtype == dtype else astype(x, dtype)


@composed
def cov(
    x: Operand,
    y: Operand = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Array:
    """The covariances of the variables in the rows of x and of y, or in their columns unless
    `rowvar`.

    Each column (each row unless `rowvar`) is an observation. `fweights` is the number of times that
    it occurred, and `aweights` is its weight; the result is differentiable with respect to
    `aweights`. Without weights, the sums of products are divided by N - `ddof` for N observations;
    `ddof` defaults to 1, or to 0 if `bias` is true. Computed in float64 unless `dtype` is given.
    """
    dtype = dtype or np.result_type(*(v.dtype for v in (x, y) if hasattr(v, "dtype")), np.float64)
    rows = _rows(x, rowvar, dtype)
    if y is not None:
        rows = concatenate([rows, _rows(y, rowvar, dtype)], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    if ddof != int(ddof):
        raise ShapeError(f"cov: ddof must be an integer, not {ddof}")
    deviation, weighted, freedom = _deviations(rows, ddof, fweights, aweights)
    other = swapaxes(weighted, 0, 1)
    product = matmul(deviation, conjugate(other) if other.dtype.kind == "c" else other)
    return squeeze(product / freedom)


def _double(weights: Array) -> Array:
    weights = as_operand(weights)
    return weights if weights.dtype == np.float64 else astype(weights, np.float64)


def _deviations(rows: Array, ddof: int, fweights: Any, aweights: Any) -> tuple[Any, Any, Any]:
    """The deviations from the mean, the deviations times the weights, and the degrees of
    freedom."""
    given = [_double(w) for w in (fweights, aweights) if w is not None]
    if not given:
        deviation = rows - mean(rows, axis=1, keepdims=True)
        return deviation, deviation, max(float(rows.shape[1] - ddof), 0.0)
    weights = given[0] if len(given) == 1 else given[0] * given[1]
    total = sum(weights)
    lost = 1 if aweights is None else sum(weights * given[-1]) / total
    deviation = rows - sum(rows * weights, axis=1, keepdims=True) / total
    return deviation, deviation * weights, total - ddof * lost


@composed
def corrcoef(x: Operand, y: Operand = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """The correlations of the variables in the rows of x and of y: their covariances divided by the
    products of their standard deviations. Variables are in columns unless `rowvar`."""
    out = cov(x, y, rowvar, dtype=dtype)
    if out.ndim == 0:
        return out / out
    count = out.shape[0]
    diagonal = reshape(out, (count * count,))[:: count + 1]
    deviation = sqrt(real(diagonal) if out.dtype.kind == "c" else diagonal)
    out = out / deviation[:, None] / deviation
    if out.dtype.kind == "c":
        return clip(real(out), -1, 1) + 1j * clip(imag(out), -1, 1)
    return clip(out, -1, 1)


# ---- ignoring NaN -------------------------------------------------------------------------------


def _present(plain: Any) -> Callable[..., Tensor]:
    """Add NumPy's keywords `dtype`, in which the result is computed, and `where` to a reduction:
    the elements that `where` excludes count as NaN. A reduction with `ddof` also gets `correction`,
    another name for it."""
    spread = "ddof" in signature(plain).parameters

    @public
    def chosen(
        x: Operand,
        *args: Any,
        dtype: Any = None,
        where: Any = None,
        correction: Any = None,
        **more: Any,
    ) -> Array:
        if correction is not None:
            if more.get("ddof") or not spread:
                raise ShapeError(f"{plain.__name__}: `correction` is another name for `ddof`")
            more["ddof"] = correction
        if dtype is not None:
            x = astype(x, dtype)
        if where is not None and where is not True:
            x = choose(where, x, np.nan)
        return plain(x, *args, **more)

    return with_description(chosen, plain, ["dtype", "where", *["correction"] * spread])


def _present_weight(x: Array, axis: Axis, ddof: float = 0) -> tuple[Any, Any]:
    """The mask of the elements of x that are not NaN, and 1 / (degrees of freedom), which is NaN if
    there are none."""
    present = ~np.isnan(x)
    freedom = np.sum(present, axis=axis, keepdims=True) - ddof
    some = freedom > 0
    weight = np.where(some, 1 / np.where(some, freedom, 1), np.nan)
    return present, weight.astype(np.abs(x).dtype)


def _nanmean_x(g: Gradient, x: Array, axis: Axis, keepdims: bool) -> Gradient:
    present, weight = _present_weight(x, axis)
    return np.where(present, restored(g, x.shape, axis, keepdims) * weight, 0)


@_present
@op(x=_nanmean_x)
def nanmean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean over `axis` of the elements that are not NaN."""
    return np.nanmean(x, axis=axis, keepdims=keepdims)


def _present_deviation(x: Array, present: Any, axis: Axis) -> Array:
    """The conjugate of x - nanmean(x), and 0 where x is NaN."""
    return np.where(present, x - nanmean(x, axis, True), 0).conj()


def _nanvar_x(g: Gradient, x: Array, axis: Axis, ddof: float, keepdims: bool) -> Gradient:
    present, weight = _present_weight(x, axis, ddof)
    scaled = restored(g, x.shape, axis, keepdims) * (2 * weight)
    return scaled * _present_deviation(x, present, axis)


@_present
@op(x=_nanvar_x)
def nanvar(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """The variance over `axis` of the elements that are not NaN."""
    return np.nanvar(x, axis=axis, ddof=ddof, keepdims=keepdims)


def _nanstd_x(
    g: Gradient, x: Array, out: Array, axis: Axis, ddof: float, keepdims: bool
) -> Gradient:
    present, weight = _present_weight(x, axis, ddof)
    scaled = restored(g * inverse(out), x.shape, axis, keepdims) * weight
    return scaled * _present_deviation(x, present, axis)


@_present
@op(x=_nanstd_x)
def nanstd(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """The standard deviation over `axis` of the elements that are not NaN. Where they are all
    equal, the gradient is 0."""
    return np.nanstd(x, axis=axis, ddof=ddof, keepdims=keepdims)


@reduction(None, fmax)
@op(x=shared_x)
def nanmax(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element over `axis` that is not NaN. Ties share the gradient equally."""
    return np.nanmax(x, axis=axis, keepdims=keepdims)


@reduction(None, fmin)
@op(x=shared_x)
def nanmin(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element over `axis` that is not NaN. Ties share the gradient equally."""
    return np.nanmin(x, axis=axis, keepdims=keepdims)


@not_differentiable
def nanargmax(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The index of the first largest element that is not NaN. Not differentiable."""
    check_axis("nanargmax", axis, x, least=1)
    return np.nanargmax(x, axis=axis, keepdims=keepdims)


@not_differentiable
def nanargmin(x: Operand, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The index of the first smallest element that is not NaN. Not differentiable."""
    check_axis("nanargmin", axis, x, least=1)
    return np.nanargmin(x, axis=axis, keepdims=keepdims)


def _filled(x: Array, value: int) -> Array:
    return choose(isnan(x), value, x)


@composed
def nansum(
    x: Operand,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The sum over `axis` of the elements that are not NaN."""
    more = {"keepdims": keepdims, "initial": initial, "where": where}
    return sum(_filled(x, 0), axis=axis, dtype=dtype, **more)


@composed
def nanprod(
    x: Operand,
    axis: Axis = None,
    dtype: Any = None,
    *,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Array:
    """The product over `axis` of the elements that are not NaN."""
    more = {"keepdims": keepdims, "initial": initial, "where": where}
    return prod(_filled(x, 1), axis=axis, dtype=dtype, **more)


@composed
def nancumsum(x: Operand, axis: int | None = None, dtype: Any = None) -> Array:
    """The cumulative sums along `axis`, where NaN counts as 0."""
    return cumsum(_filled(x, 0), axis=axis, dtype=dtype)


@composed
def nancumprod(x: Operand, axis: int | None = None, dtype: Any = None) -> Array:
    """The cumulative products along `axis`, where NaN counts as 1."""
    return cumprod(_filled(x, 1), axis=axis, dtype=dtype)
