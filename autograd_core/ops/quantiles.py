"""Quantiles and medians.

A quantile is an element of the operand, or lies between two elements, so its gradient flows only to
this element or to these two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import DTypeError, NotDifferentiableError, ShapeError
from autograd_core.ops.axes import Axis, check_axis, joined, negative_axes
from autograd_core.ops.elementwise import where
from autograd_core.ops.indexing import number
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import mean
from autograd_core.ops.shaping import moveaxis, reshape
from autograd_core.ops.sorting import _gather_along

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

# The parameters alpha and beta of Hyndman and Fan (1996) for the methods that interpolate: among n
# sorted elements, counted from 0, the quantile q is at n·q + alpha + q·(1 - alpha - beta) - 1.
BETWEEN = {"linear": (1.0, 1.0), "interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5),
           "weibull": (0.0, 0.0), "median_unbiased": (1 / 3, 1 / 3),
           "normal_unbiased": (3 / 8, 3 / 8)}  # fmt: skip
STEP_METHODS = ("lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf",
         "closest_observation")  # fmt: skip


def _virtual(q: Array, n: Any, method: str) -> Array:
    """The index of the quantile q among n sorted elements, a fraction if it lies between two of
    them."""
    if method in BETWEEN:
        a, b = BETWEEN[method]
        return n * q + (a + q * (1 - a - b)) - 1
    if method == "inverted_cdf":
        return np.ceil(n * q) - 1
    if method == "averaged_inverted_cdf":
        return np.where(n * q == np.floor(n * q), n * q - 0.5, np.ceil(n * q) - 1)
    if method == "closest_observation":
        place = n * q - 1.5
        below = np.floor(place)
        return np.where((place == below) & (below % 2 == 1), below, below + 1)
    place = (n - 1) * q
    if method == "lower":
        return np.floor(place)
    if method == "higher":
        return np.ceil(place)
    if method == "midpoint":
        return 0.5 * (np.floor(place) + np.ceil(place))
    return np.round(place)


def _between(q: Array, n: Any, method: str) -> tuple[Any, Any, Any]:
    """The two indices around the quantile q of n sorted elements, and the distance (0 to 1) of the
    quantile from the lower index."""
    top = np.maximum(n - 1, 0)
    place = np.clip(_virtual(q, n, method), 0, top)
    lower = np.floor(place)
    upper = np.minimum(lower + 1, top)
    return lower.astype(np.intp), upper.astype(np.intp), place - lower


def _valid_quantiles(name: str, q: Array, method: str) -> Array:
    """Check `q` and `method`; return `q` as a host array of fractions (percentiles divided by
    100)."""
    if isinstance(q, Tensor):
        raise NotDifferentiableError(
            f"{name}: 'q' is not differentiable and cannot be a Tensor. Pass a number or an array, "
            "for example q=float(tensor)"
        )
    if method not in BETWEEN and method not in STEP_METHODS:
        raise ShapeError(
            f"{name}: method {method!r} is not one of {', '.join([*BETWEEN, *STEP_METHODS])}"
        )
    q = np.asarray(backend.asnumpy(q) if backend.is_array(q) else q)
    top = 100 if name.endswith("percentile") else 1
    if not ((q >= 0) & (q <= top)).all():
        raise ShapeError(f"{name}: q={q} is not between 0 and {top}")
    return q / top


def _constant(function: Callable[..., Any], x: Array, *settings: Any) -> Array:
    """The result of `function` on x, as arrays through which no gradient flows."""
    if isinstance(x, Tensor):
        return backend.run_there(x.data, function, x.data, *settings)
    return function(x, *settings)


def _there(values: Array, x: Array) -> Array:
    """The host array `values`, copied to the device of the array x."""
    return backend.to_device(np.asarray(values), backend.device_of(x))


def _ranked(lines: Array, ranks: Any) -> Array:
    """For each line, the indices of the elements that sorting would put at the positions `ranks`.
    If a line contains NaN, they are replaced by the index of a NaN."""
    last = lines.shape[-1] - 1
    order = np.argpartition(lines, sorted({*ranks.tolist(), last}), axis=-1)
    places = np.take(order, _there(ranks, order), axis=-1)
    if lines.dtype.kind not in "fc":
        return places
    end = order[..., last:]
    return np.where(np.isnan(np.take_along_axis(lines, end, axis=-1)), end, places)


def _quantiles(lines: Array, q: Array, weak: bool, method: str) -> Array:
    """The quantiles of each line, along a new last axis."""
    lower, upper, t = _between(q, lines.shape[-1], method)
    if _exact(method) or (weak and not t.any() and lines.dtype.kind == "f"):
        return _gather_along(lines, _constant(_ranked, lines, lower), -1, _distinct(lower))
    ranks = np.concatenate([lower, upper])
    found = _gather_along(lines, _constant(_ranked, lines, ranks), -1, _distinct(ranks))
    home = lines.data if isinstance(lines, Tensor) else lines
    return _mixed(found, float(t[0]) if weak else _there(t, home))


def _exact(method: str) -> bool:
    """Return True if the quantiles of a method are always elements, never values between two
    elements."""
    return method in STEP_METHODS and method not in ("midpoint", "averaged_inverted_cdf")


def _distinct(ranks: Any) -> bool:
    return len(set(ranks.tolist())) == len(ranks)


def _mixed(found: Any, t: Any) -> Array:
    """low + t * (high - low), where low and high are the two halves of `found`. `t` is between 0
    and 1, and the interpolation starts from the nearer of low and high."""
    half = found.shape[-1] // 2
    low, high = found[..., :half], found[..., half:]
    late = t >= 0.5
    near = where(late, high, low) if hasattr(late, "ndim") else high if late else low
    return near + (high - low) * (t - late)


def _present(lines: Array, q: Array, weak: bool, method: str) -> tuple[Any, Any]:
    """For each quantile of the elements that are not NaN, the indices of the two elements around it
    and its distance (0 to 1) from the lower one."""
    count = lines.shape[-1] - np.sum(np.isnan(lines), axis=-1, keepdims=True)
    lower, upper, t = _between(_there(q, lines), count, method)
    order = np.argsort(lines, axis=-1)
    places = np.take_along_axis(order, np.concatenate([lower, upper], axis=-1), axis=-1)
    return places, t.astype(lines.dtype) if weak else t


def _nanquantiles(lines: Array, q: Array, weak: bool, method: str) -> Array:
    if lines.dtype.kind not in "f":
        return _quantiles(lines, q, weak, method)
    places, t = _constant(_present, lines, q, weak, method)
    found = _gather_along(lines, places, -1)
    return found[..., : found.shape[-1] // 2] if _exact(method) else _mixed(found, t)


def _over_lines(
    name: str, find: Callable[..., Any], x: Array, q: Array, axis: Axis, method: str, keepdims: bool
) -> Array:
    """The quantiles `q` of each line of x along `axis`, computed by `find`, in the shape that NumPy
    returns."""
    x = as_operand(x)
    check_axis(name, axis, x)
    if x.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order; x has dtype {x.dtype}")
    weak = type(q) in (int, float)
    checked = _valid_quantiles(name, q, method)
    axes = negative_axes(axis, x.ndim)
    lines = joined(x, axes)
    if lines.shape[-1] == 0:
        raise ShapeError(f"{name}: there are no elements along axis {axis} of shape {x.shape}")
    out = find(lines, checked.ravel(), weak, method)
    kept = _left(x.shape, axes, keepdims)
    if checked.ndim == 0:
        return number(reshape(out, kept))
    return reshape(moveaxis(out, -1, 0), checked.shape + kept)


def _left(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction over `axes`, which are given as negative numbers."""
    places = enumerate(shape, start=-len(shape))
    return tuple(1 if a in axes else n for a, n in places if keepdims or a not in axes)


@composed
def quantile(
    x: Operand, q: Operand, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Array:
    """The quantiles of the elements over `axis`, by any of NumPy's methods: the values below which
    the fractions `q` (a number or an array) of the elements lie. The gradient flows to the one or
    two elements that determine the result; among equal elements, to one of them. `q` is not
    differentiable: a Tensor raises NotDifferentiableError."""
    return _over_lines("quantile", _quantiles, x, q, axis, method, keepdims)


@composed
def percentile(
    x: Operand, q: Operand, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Array:
    """`quantile` with `q` in percent."""
    return _over_lines("percentile", _quantiles, x, q, axis, method, keepdims)


@composed
def nanquantile(
    x: Operand, q: Operand, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Array:
    """`quantile` of the elements that are not NaN; NaN if there are none."""
    return _over_lines("nanquantile", _nanquantiles, x, q, axis, method, keepdims)


@composed
def nanpercentile(
    x: Operand, q: Operand, axis: Axis = None, *, method: str = "linear", keepdims: bool = False
) -> Array:
    """`nanquantile` with `q` in percent."""
    return _over_lines("nanpercentile", _nanquantiles, x, q, axis, method, keepdims)


@composed
def median(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The middle of the sorted elements over `axis`, or the mean of the middle two. The gradient
    flows to the middle element, or half of it to each of the middle two; among equal elements, to
    one of them."""
    x = as_operand(x)
    check_axis("median", axis, x)
    axes = negative_axes(axis, x.ndim)
    lines = joined(x, axes)
    n = lines.shape[-1]
    if n:
        middle = np.arange((n - 1) // 2, n // 2 + 1)
        lines = _gather_along(lines, _constant(_ranked, lines, middle), -1, True)
    return reshape(mean(lines, axis=-1), _left(x.shape, axes, keepdims))


@composed
def nanmedian(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """`median` of the elements that are not NaN; NaN if there are none."""
    return _over_lines("nanmedian", _nanquantiles, x, 0.5, axis, "linear", keepdims)
