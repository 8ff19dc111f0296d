"""Selecting elements by indices, conditions or choices; functions of lines; counting.

Almost all functions are composed of `getitem`, `where` and `assign`, which provide the gradients: g
for selected elements, 0 for the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, listed, not_differentiable
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Operand
from autograd_core.engine.untracked import unwrap_nested, without_gradient
from autograd_core.errors import DTypeError, IndexingError, ShapeError
from autograd_core.ops import elementwise
from autograd_core.ops.axes import check_axis
from autograd_core.ops.indexing import _getitem, _scatter, assign, number
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import (
    apart,
    astype,
    broadcast_to,
    expand_dims,
    moveaxis,
    ravel,
    reshape,
    stack,
)
from autograd_core.ops.sorting import _gather_along, flatnonzero, nonzero, searchsorted

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "bincount",
    "choose",
    "compress",
    "extract",
    "histogram",
    "histogram2d",
    "histogramdd",
    "ix_",
    "piecewise",
    "ravel_multi_index",
    "select",
    "take",
    "take_along_axis",
    "unravel_index",
    "where",
]

# ---- by indices ---------------------------------------------------------------------------------


def within(name: str, places: Array, length: int, mode: str) -> Array:
    """The indices `places`: unchanged (`mode` raise), modulo `length` (wrap), or clipped (clip)."""
    if mode == "raise":
        return places
    if mode not in ("wrap", "clip"):
        raise ShapeError(f"{name}: mode must be 'raise', 'wrap' or 'clip', not {mode!r}")
    if places.size and not length:
        raise IndexingError(f"{name}: x has no elements along the axis to take from")
    return places % length if mode == "wrap" else np.clip(places, 0, length - 1)


@composed
def take(x: Operand, indices: Operand, axis: int | None = None, mode: str = "raise") -> Array:
    """The elements of x at `indices` along `axis`; if `axis` is None, x is flattened first.

    Indices out of range raise IndexingError (`mode` raise), wrap around (wrap) or are replaced by
    the nearest valid index (clip, also for negative indices). An index may occur several times.
    """
    x = as_operand(x)
    check_axis("take", axis, x)
    if axis is None:
        x, axis = ravel(x), 0
    if mode != "raise":
        indices = within("take", as_operand(indices), x.shape[axis], mode)
    if isinstance(indices, tuple):
        indices = list(indices)
    index = indices if not axis else (*[slice(None)] * (axis % x.ndim), indices)
    return apart(_getitem(x, index), x)


@composed
def take_along_axis(x: Operand, indices: Operand, axis: int | None = -1) -> Array:
    """For each line of x along `axis`, the elements at the indices in the same line of `indices`,
    such as the result of `argsort`. If `axis` is None, x is flattened first."""
    x, indices = as_operand(x), as_operand(indices)
    check_axis("take_along_axis", axis, x)
    if axis is None:
        x, axis = ravel(x), 0
    if x.ndim != indices.ndim or indices.dtype.kind not in "iu":
        raise IndexingError(
            f"take_along_axis: x has shape {x.shape}, so indices must be integers with {x.ndim} "
            f"axes; they have shape {indices.shape} and dtype {indices.dtype}"
        )
    try:
        return _gather_along(x, indices, axis, indices.shape[axis] == 1)
    except IndexError as error:
        *_, reason = str(error).split(". ")  # NumPy's
        raise IndexingError(f"take_along_axis: x has shape {x.shape}. {reason}") from error


@not_differentiable
def unravel_index(indices: Operand, shape: Any, order: str = "C") -> tuple[Any, ...]:
    """Convert flat indices into an array of `shape` to a tuple of indices, one for each axis. Not
    differentiable."""
    try:
        return np.unravel_index(indices, shape, order)  # type: ignore[call-overload, no-any-return]
    except ValueError as error:
        raise IndexingError(f"unravel_index: shape {shape}: {error}") from error


@not_differentiable
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Array:
    """Convert a tuple of indices, one for each axis of an array of shape `dims`, to flat indices.
    Not differentiable."""
    try:
        return np.ravel_multi_index(multi_index, dims, mode, order)  # type: ignore[call-overload]
    except ValueError as error:
        raise IndexingError(f"ravel_multi_index: shape {dims}: {error}") from error


@not_differentiable
def ix_(*args: Any) -> tuple[Any, ...]:
    """An index that selects every combination of the indices in `args`, one list for each axis. Not
    differentiable."""
    return np.ix_(*args)


# ---- by conditions ------------------------------------------------------------------------------


@listed
def where(condition: Operand, x: Operand = None, y: Operand = None) -> Array:
    """x where the condition is true, else y. Without x and y, the indices where the condition is
    true, as in `nonzero`. The operand that is not selected gets a gradient of exactly 0."""
    if x is None and y is None:
        return nonzero(as_operand(condition))
    if x is None or y is None:
        raise ShapeError("where: pass both x and y, or neither of them")
    return elementwise.where(condition, x, y)


@composed
def compress(condition: Operand, x: Operand, axis: int | None = None) -> Array:
    """The slices of x along `axis` for which `condition`, a list of booleans, is true; if `axis` is
    None, x is flattened first."""
    condition = as_operand(condition)
    if condition.ndim != 1:
        raise ShapeError(f"compress: the condition must have one axis, not shape {condition.shape}")
    return take(x, flatnonzero(condition), axis)


@composed
def extract(condition: Operand, x: Operand) -> Array:
    """The elements of x for which the condition is true, as a 1-d array."""
    return take(ravel(as_operand(x)), flatnonzero(as_operand(condition)))


def _of_one_dtype(values: Sequence[Any]) -> list[Any]:
    """The values, with Python numbers converted to the common dtype of all values."""
    values = [v if isinstance(v, int | float | complex) else as_operand(v) for v in values]
    dtype = np.result_type(*(v.dtype if hasattr(v, "dtype") else v for v in values))
    return [v if hasattr(v, "dtype") else dtype.type(v) for v in values]


@composed
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """Each element is taken from the first array in `choicelist` whose condition in `condlist` is
    true, or is `default` if no condition is. Arrays that are not selected have no influence."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ShapeError(
            "select: condlist and choicelist must have equal lengths, of 1 or more; they have "
            f"{len(condlist)} and {len(choicelist)}"
        )
    conditions = [as_operand(condition) for condition in condlist]
    for i, condition in enumerate(conditions):
        if condition.dtype != np.bool_:
            raise DTypeError(f"select: condition {i} must have dtype bool, not {condition.dtype}")
    *choices, out = _of_one_dtype([*choicelist, default])
    for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
        out = elementwise.where(condition, choice, out)
    return out


@composed
def choose(a: Operand, choices: Sequence[Any], mode: str = "raise") -> Array:
    """Each element taken from the array ``choices[a]``, for integers `a`. Integers out of range
    raise IndexingError (`mode` raise), wrap around (wrap) or are limited to the range (clip)."""
    a, n = as_operand(a), len(choices)
    if a.dtype.kind not in "iub":
        raise DTypeError(f"choose: a must hold integers, the indices of choices, not {a.dtype}")
    if not n:
        raise ShapeError("choose: at least one choice is needed")
    if mode == "raise" and a.size and not 0 <= int(a.min()) <= int(a.max()) < n:
        raise IndexingError(
            f"choose: a must be between 0 and {n - 1}, as there are {n} choices; it is "
            f"between {int(a.min())} and {int(a.max())}"
        )
    a = within("choose", a, n, mode)
    out, *others = _of_one_dtype(list(choices))
    if not others:
        return number(broadcast_to(out, np.broadcast_shapes(a.shape, np.shape(out))).copy())
    for place, choice in enumerate(others, 1):
        out = elementwise.where(a == place, choice, out)
    return number(out)


@composed
def piecewise(x: Operand, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """A piecewise function of x. Each entry of `funclist`, a function or a number, gives the result
    where its condition is true; where several conditions are true, the last one counts. One extra
    entry is for the remaining elements, which are 0 by default. The result has the dtype of x."""
    x = as_operand(x)
    if not isinstance(condlist, list | tuple):
        condlist = [condlist] if condlist.ndim == x.ndim else list(condlist)
    elif x.ndim and all(isinstance(entry, bool | np.bool_) for entry in condlist):
        condlist = [condlist]
    conditions = [astype(as_operand(condition), np.bool_) for condition in condlist]
    if len(funclist) == len(conditions) + 1:
        rest = conditions[0]
        for condition in conditions[1:]:
            rest = rest | condition
        conditions.append(~rest)
    if len(funclist) != len(conditions):
        raise ShapeError(
            f"piecewise: {len(conditions)} conditions need as many functions, or one more for the "
            f"remaining elements; there are {len(funclist)}"
        )
    out = np.zeros_like(x)
    for condition, piece in zip(conditions, funclist, strict=True):
        value = piece(_getitem(x, condition), *args, **kw) if callable(piece) else piece
        out = assign(out, condition, value)
    return out


# ---- line by line -------------------------------------------------------------------------------


@composed
def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Array:
    """The results of ``func1d(line, *args, **kwargs)`` for each line of `arr` along `axis`, which
    is replaced by the axes of these results. A loop in Python: slower than a function with
    `axis`."""
    x = as_operand(arr)
    check_axis("apply_along_axis", axis, x)
    axis %= x.ndim
    lead = (*x.shape[:axis], *x.shape[axis + 1 :])
    count = math.prod(lead)
    if not count:
        raise ShapeError(f"apply_along_axis: there are no lines along axis {axis} of {x.shape}")
    lines = reshape(moveaxis(x, axis, -1), (count, x.shape[axis]))
    results = [as_operand(func1d(_getitem(lines, i), *args, **kwargs)) for i in range(count)]
    out = stack(results)
    inner = out.ndim - 1
    out = reshape(out, lead + out.shape[1:])
    if not inner:
        return out
    return moveaxis(out, tuple(range(len(lead), out.ndim)), tuple(range(axis, axis + inner)))


@composed
def apply_over_axes(
    func: Callable[[Any, int], Any], a: Operand, axes: int | Sequence[int]
) -> Array:
    """The result of ``func(x, axis)``, applied for each of the axes in turn. An axis that `func`
    removes is restored with length 1."""
    x = as_operand(a)
    for axis in (axes,) if isinstance(axes, int | np.integer) else axes:
        check_axis("apply_over_axes", axis, x)
        out = func(x, axis % x.ndim)
        x = out if out.ndim == x.ndim else expand_dims(out, axis % x.ndim)
    return x


# ---- counting -----------------------------------------------------------------------------------


@composed
def bincount(x: Operand, weights: Operand = None, minlength: int = 0) -> Array:
    """The number of occurrences of each of the integers 0, 1, 2 … in x or, with `weights`, the sum
    of the weights of these occurrences, as float64. Differentiable with respect to `weights`."""
    x = as_operand(x)
    if x.ndim != 1 or x.dtype.kind not in "iub":
        raise ShapeError(
            f"bincount: x must be a vector of integers, not {x.dtype} of shape {x.shape}"
        )
    if x.size and int(x.min()) < 0:
        raise IndexingError(f"bincount: x must be 0 or more; its smallest is {int(x.min())}")
    length = max(int(x.max()) + 1 if x.size else 0, int(minlength))
    places = unwrap_nested(astype(x, np.intp, copy=False))
    if weights is None:
        return _scatter(np.ones_like(x, dtype=np.intp), places, (length,), 1)
    weights = as_operand(weights)
    if weights.shape != x.shape:
        raise ShapeError(f"bincount: x has shape {x.shape}, its weights {weights.shape}")
    return _scatter(astype(weights, np.float64, copy=False), places, (length,), 1)


def _sums(columns: Sequence[Any], edges: Sequence[Any], weights: Array) -> Array:
    """The sum of the weights in each bin; the columns hold the coordinates of the points. Points
    outside of all bins are counted in additional outer bins, which are then dropped."""
    places = [
        searchsorted(e, x, side="right") - (x == e[-1]) for x, e in zip(columns, edges, strict=True)
    ]
    shape = tuple(len(e) + 1 for e in edges)
    sums = _scatter(weights, unwrap_nested(tuple(places)), shape, 1)
    return _getitem(sums, (slice(1, -1),) * len(shape))


def _densities(sums: Any, edges: Sequence[Any]) -> Array:
    """The sums divided by the sizes of their bins and by the total."""
    total = sums.sum()
    for axis, e in enumerate(edges):
        sums = sums / np.diff(e).reshape((-1, *[1] * (len(edges) - 1 - axis)))
    return sums / total


def _exactly(weights: Array) -> Array:
    """The flattened weights, in the dtype in which NumPy sums them."""
    dtype = np.complex128 if weights.dtype.kind == "c" else np.float64
    return astype(ravel(weights), dtype, copy=False)


def _values(x: Array) -> Array:
    """x without its graph: no gradient flows to the elements that are counted, only to the
    weights."""
    return x.detach() if isinstance(x, Tensor) else x


_histogram = without_gradient(np.histogram)
_histogram2d = without_gradient(np.histogram2d)
_histogramdd = without_gradient(np.histogramdd)


@composed
def histogram(
    x: Operand, bins: Any = 10, range: Any = None, density: Any = None, weights: Operand = None
) -> tuple[Any, Any]:
    """The number of elements of x, or the sum of their weights, in each bin, and the bin edges.
    With `density`, the sums are divided by the bin widths and by the total. Differentiable with
    respect to `weights`."""
    if weights is None:
        counts, edges = _histogram(x, bins, range, density)
        return counts, edges
    weights = as_operand(weights)
    _, edges = _histogram(x, bins, range, None, _values(weights))
    sums = _sums([ravel(as_operand(_values(x)))], [edges], _exactly(weights))
    sums = astype(sums, weights.dtype, copy=False)
    return (_densities(sums, [astype(edges, np.float64)]) if density else sums), edges


@composed
def histogram2d(
    x: Operand,
    y: Operand,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: Operand = None,
) -> tuple[Any, Any, Any]:
    """`histogram` of the points (x, y). Returns the counts, the bin edges along x and the bin edges
    along y. Differentiable with respect to `weights`."""
    if weights is None:
        counts, *edges = _histogram2d(x, y, bins, range, density=density)
        return counts, *edges
    weights = as_operand(weights)
    _, *edges = _histogram2d(x, y, bins, range, weights=_values(weights))
    sums = _sums([as_operand(_values(v)) for v in (x, y)], edges, _exactly(weights))
    return (_densities(sums, edges) if density else sums), *edges


@composed
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Operand = None
) -> tuple[Any, Any]:
    """`histogram` of points, the rows of `sample`, which may also be a sequence of columns. Returns
    the counts and a list of the bin edges for each column. Differentiable with respect to
    `weights`."""
    if weights is None:
        counts, edges = _histogramdd(sample, bins, range, density=density)
        return counts, edges
    weights = as_operand(weights)
    _, edges = _histogramdd(sample, bins, range, weights=_values(weights))
    if not hasattr(sample, "ndim"):
        sample = np.asarray(sample) if np.ndim(sample[0]) == 0 else stack(list(sample), 1)
    columns = [sample] if sample.ndim == 1 else list(sample.T)
    sums = _sums(list(map(_values, columns)), list(edges), _exactly(weights))
    return (_densities(sums, edges) if density else sums), edges
