"""Sorting, searching, nonzero elements and unique values.

Sorting only permutes the elements of its operand, so the gradient is g in the inverse permutation.
Equal elements keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import IndexingError, NotDifferentiableError
from autograd_core.ops.axes import Axis, check_axis, reduction_axis
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import ravel

__all__ = [
    "argpartition",
    "argsort",
    "argwhere",
    "count_nonzero",
    "digitize",
    "flatnonzero",
    "isin",
    "lexsort",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]

# ---- elements by their indices along an axis ----------------------------------------------------


def _gather_x(g: Gradient, x_shape: Shape, indices: Array, axis: int, distinct: bool) -> Gradient:
    axis = axis if axis < 0 else axis - len(x_shape)
    return _place_along(g, indices, x_shape[axis], axis, distinct)


@op(x=_gather_x, indices=None)
def _gather_along(x: Array, indices: Array, axis: int = -1, distinct: bool = False) -> Array:
    """The elements of x at `indices` along `axis`. `indices` holds one list for each line of x or,
    if it has one axis, one list for all lines. `distinct` means that no index occurs twice in a
    list, which makes the gradient faster."""
    if indices.ndim == 1:
        return np.take(x, indices, axis=axis)
    axis = axis if axis < 0 else axis - x.ndim
    lead = x.shape[: x.ndim - indices.ndim]
    return np.take_along_axis(x, np.broadcast_to(indices, lead + indices.shape), axis=axis)


def _place_g(g: Gradient, indices: Array, axis: int, distinct: bool) -> Gradient:
    return _gather_along(g, indices, axis, distinct)


@op(g=_place_g, indices=None)
def _place_along(
    g: Gradient, indices: Array, length: int, axis: int = -1, distinct: bool = False
) -> Array:
    """Zeros, `length` of them along the negative `axis`, with g added at `indices`: the gradient of
    `_gather_along`. If g has more axes than `indices`, the axes in front are batch axes."""
    shape = list(g.shape)
    shape[axis] = length
    out = np.zeros_like(g, shape=tuple(shape))
    if distinct and indices.ndim == 1:
        out[(..., indices, *[slice(None)] * (-1 - axis))] = g
    elif distinct:
        np.put_along_axis(out, np.broadcast_to(indices, g.shape), g, axis=axis)
    else:
        _add_along(out.swapaxes(axis, -1), indices, g.swapaxes(axis, -1), axis)
    return out


def _add_along(out: Array, indices: Array, g: Gradient, axis: int) -> None:
    """Add g to `out` at `indices` along the last axis. An index may occur several times."""
    if indices.ndim > 1:
        indices = indices.swapaxes(axis, -1)
    indices = np.broadcast_to(indices, g.shape)
    index = tuple(
        (np.cumsum(np.ones_like(indices, shape=(n,))) - 1).reshape((n,) + (1,) * (g.ndim - 1 - a))
        for a, n in enumerate(g.shape[:-1])
    )
    for real, part in (
        [(out.real, g.real), (out.imag, g.imag)] if g.dtype.kind == "c" else [(out, g)]
    ):
        np.add.at(real, (*index, indices), part)  # CuPy supports real dtypes only


# ---- sorting ------------------------------------------------------------------------------------


def _check_order(name: str, order: Any) -> None:
    if order is not None:
        raise NotDifferentiableError(
            f"{name}: order={order!r} names fields, which a Tensor does not have"
        )


@not_differentiable
def argsort(
    x: Operand,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Array:
    """The indices that sort x along `axis`, in ascending order unless `descending`; if `axis` is
    None, x is flattened first. NaN counts as the largest value. With `stable`, equal elements keep
    their order, also if `descending`. Not differentiable."""
    _check_order("argsort", order)
    named: Any = "stable" if stable else kind
    x = as_operand(x)
    if axis is None or np.ndim(x) == 0:
        x, axis = np.ravel(x), -1
    if not descending:
        return np.argsort(x, axis=axis, kind=named)
    backward = [slice(None)] * x.ndim
    backward[axis] = slice(None, None, -1)
    found = np.argsort(x[tuple(backward)], axis=axis, kind=named)
    return x.shape[axis] - 1 - found[tuple(backward)]


@composed
def sort(
    x: Operand,
    axis: int | None = -1,
    kind: str | None = None,
    order: None = None,
    *,
    stable: bool | None = None,
    descending: bool = False,
) -> Array:
    """The elements of x sorted along `axis`, in ascending order unless `descending`; if `axis` is
    None, x is flattened first. NaN counts as the largest value. Complex numbers are ordered by
    their real parts, then by their imaginary parts. `kind` has no effect: Tensors are sorted
    stably."""
    _check_order("sort", order)
    x = as_operand(x)
    check_axis("sort", axis, x)
    if axis is None:
        x, axis = ravel(x), -1
    if not isinstance(x, Tensor) and not descending:
        return np.sort(x, axis=axis, kind="stable" if stable else kind)  # type: ignore[arg-type]
    return _gather_along(x, argsort(x, axis, stable=True, descending=descending), axis, True)


@not_differentiable
def argpartition(
    x: Operand, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None
) -> Array:
    """The indices that partition x along `axis`: the elements at `kth` are where sorting would put
    them, smaller elements are before them and larger elements after them. Not differentiable."""
    _check_order("argpartition", order)
    check_axis("argpartition", axis, x)
    if axis is None or np.ndim(x) == 0:
        x, axis = np.ravel(x), -1
    _check_kth(kth, np.shape(x), axis)
    return np.argpartition(x, kth, axis=axis)


def _check_kth(kth: Any, shape: Shape, axis: int) -> None:
    n = shape[axis]
    for k in kth if isinstance(kth, Sequence) else (kth,):
        if not -n <= k < n:
            raise IndexingError(f"partition: kth={k} is out of range along axis {axis} of {shape}")


@composed
def partition(
    x: Operand, kth: Any, axis: int | None = -1, kind: str = "introselect", order: None = None
) -> Array:
    """The elements of x along `axis`, reordered so that the elements at `kth` (one index or
    several) are where sorting would put them, smaller elements before them and larger elements
    after them."""
    x = as_operand(x)
    check_axis("partition", axis, x)
    if axis is None:
        x, axis = ravel(x), -1
    return _gather_along(x, argpartition(x, kth, axis, kind, order), axis, True)


@not_differentiable
def lexsort(keys: Any, axis: int = -1) -> Array:
    """The indices that sort by several keys. The last key is the primary one. Not
    differentiable."""
    keys = [as_operand(key) for key in keys]
    for key in keys:
        check_axis("lexsort", axis, key)
    first, *others = keys  # CuPy's lexsort supports one axis only
    places = np.argsort(first, axis=axis, kind="stable")
    for key in others:
        ranked = np.argsort(np.take_along_axis(key, places, axis=axis), axis=axis, kind="stable")
        places = np.take_along_axis(places, ranked, axis=axis)
    return places


@not_differentiable
def searchsorted(x: Operand, v: Operand, side: str = "left", sorter: Any = None) -> Array:
    """The indices at which to insert `v` into the sorted x to keep it sorted. Not
    differentiable."""
    return np.searchsorted(x, v, side=side, sorter=sorter)  # type: ignore[call-overload]


@not_differentiable
def digitize(x: Operand, bins: Any, right: bool = False) -> Array:
    """For each element, the number of the bin that contains it, between the edges `bins`. Not
    differentiable."""
    return np.digitize(x, bins, right=right)


# ---- nonzero and unique elements ----------------------------------------------------------------


@not_differentiable
def nonzero(x: Operand) -> tuple[Any, ...]:
    """The indices of the elements that are not 0, one array for each axis. Not differentiable."""
    return np.nonzero(x)


@not_differentiable
def argwhere(x: Operand) -> Array:
    """The indices of the elements that are not 0, one row for each element. Not differentiable."""
    return np.argwhere(x)


@not_differentiable
def flatnonzero(x: Operand) -> Array:
    """The flat indices of the elements that are not 0, in C order. Not differentiable."""
    return np.flatnonzero(x)


@not_differentiable
def count_nonzero(x: Operand, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The number of elements over `axis` that are not 0. Not differentiable."""
    x = as_operand(x)
    check_axis("count_nonzero", axis, x, least=1)
    # CuPy's count_nonzero has no keepdims
    return np.sum(x != 0, axis=reduction_axis(x, axis), dtype=np.intp, keepdims=keepdims)


@not_differentiable
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: None = None,
) -> Array:
    """True for each element that is in `test_elements`. Not differentiable."""
    return np.isin(element, test_elements, assume_unique=assume_unique, invert=invert)


@not_differentiable
def _unique_places(
    x: Array, axis: int | None = None, equal_nan: bool = True
) -> tuple[Any, Any, Any]:
    """For the unique values of x in ascending order: the first index of each, the inverse indices
    of the elements of x, and the number of elements equal to each. Not differentiable."""
    check_axis("unique", axis, x)
    _, *found = np.unique(x, True, True, True, axis=axis, equal_nan=equal_nan)
    return found[0], found[1], found[2]


@composed
def unique(
    x: Operand,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Array:
    """The unique values of x, or its unique slices along `axis`, in ascending order. The gradient
    of a value flows to the first element that equals it. `sorted` has no effect; it exists for
    compatibility with NumPy."""
    index, inverse, counts = _unique_places(x, axis, equal_nan)
    values = _gather_along(
        ravel(x) if axis is None else x, index, -1 if axis is None else axis, True
    )
    asked = [(return_index, index), (return_inverse, inverse), (return_counts, counts)]
    more = [result for wanted, result in asked if wanted]
    return (values, *more) if more else values


class UniqueAll(NamedTuple):
    """The result of `unique_all`."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """The result of `unique_counts`."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """The result of `unique_inverse`."""

    values: Any
    inverse_indices: Any


@composed
def unique_all(x: Operand) -> UniqueAll:
    """The unique values, the first index of each, the inverse indices that rebuild x, and the
    counts. The values are differentiable with respect to x, as in `unique`. NaNs are all
    distinct."""
    return UniqueAll(*unique(x, True, True, True, equal_nan=False))


@composed
def unique_counts(x: Operand) -> UniqueCounts:
    """The unique values and their counts. See `unique_all`."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False))


@composed
def unique_inverse(x: Operand) -> UniqueInverse:
    """The unique values and the inverse indices that rebuild x. See `unique_all`."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False))


@composed
def unique_values(x: Operand) -> Array:
    """The unique values in ascending order. See `unique_all`."""
    return unique(x, equal_nan=False)
