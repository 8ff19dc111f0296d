"""``linalg.norm`` and related functions, under NumPy's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import Axis, check_axis, inverse, negative_axes, restored
from autograd_core.ops.elementwise import absolute
from autograd_core.ops.indexing import number
from autograd_core.ops.linalg.decompositions import svdvals
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import max, min, sum
from autograd_core.ops.shaping import astype, moveaxis

__all__ = [
    "matrix_norm",
    "norm",
    "vector_norm",
]


def _euclidean_x(g: Gradient, x: Array, out: Array, axis: Axis, keepdims: bool) -> Gradient:
    scale = g * inverse(out)
    if axis is not None or keepdims or g.ndim:
        scale = restored(scale, x.shape, axis, keepdims)
    return scale * (x.conj() if x.dtype.kind == "c" else x)


@op(x=_euclidean_x)
def _euclidean_norm(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """sqrt(sum(|x|²)) over `axis` (an axis, a tuple of them, or None for all): the length of
    vectors, and the Frobenius norm of matrices. The gradient at 0 is 0."""
    if axis is None or len(negative_axes(axis, x.ndim)) == x.ndim:
        flat = x.reshape(-1)
        parts = [flat.real, flat.imag] if x.dtype.kind == "c" else [flat]
        squares = [np.dot(part, part) for part in parts]
        out = np.sqrt(squares[0] if len(squares) == 1 else squares[0] + squares[1])
        return out.reshape((1,) * x.ndim) if keepdims else out
    squares = x.real**2 + x.imag**2 if x.dtype.kind == "c" else x * x
    return np.sqrt(np.sum(squares, axis=axis, keepdims=keepdims))


def _power_x(g: Gradient, x: Array, out: Array, ord: float, axis: Axis, keepdims: bool) -> Gradient:
    size, total = np.abs(x), restored(out, x.shape, axis, keepdims)
    if ord < 1 or x.dtype.kind == "c":
        size = np.where(size == 0, np.ones_like(size), size)
    total = np.where(total == 0, np.ones_like(total), total)
    # as in `absolute`: the sign of a real x is constant, but the sign of a complex x is not
    sign = x.conj() / size if x.dtype.kind == "c" else np.sign(x)
    return restored(g, x.shape, axis, keepdims) * (size / total) ** (ord - 1) * sign


@op(x=_power_x)
def _power_norm(x: Array, ord: float, axis: Axis = None, keepdims: bool = False) -> Array:
    """sum(|x| ** ord) ** (1 / ord) over `axis`. The gradient of an element that is 0 is 0, even for
    ord < 1, where the derivative is infinite."""
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _floating(x: Array) -> Array:
    x = as_operand(x)
    return x if x.dtype.kind in "fc" else astype(x, float)


def _of_vectors(x: Array, ord: Any, axis: Axis, keepdims: bool) -> Array:
    if ord is None or ord == 2:
        return _euclidean_norm(x, axis, keepdims)
    if isinstance(ord, str):
        raise ShapeError(f"norm: ord={ord!r} is for matrices, but `axis` names one axis")
    if ord == 1:
        return sum(absolute(x), axis, keepdims=keepdims)
    if ord == math.inf:
        return max(absolute(x), axis, keepdims=keepdims)
    if ord == -math.inf:
        return min(absolute(x), axis, keepdims=keepdims)
    if ord == 0:
        return sum(x != 0, axis, keepdims=keepdims, dtype=x.real.dtype)
    return _power_norm(x, float(ord), axis, keepdims)


def _of_matrices(x: Array, ord: Any, axis: tuple[int, int], keepdims: bool) -> Array:
    row, column = (a if a < 0 else a - x.ndim for a in axis)
    if row == column:
        raise ShapeError(f"norm: axis={axis} contains an axis twice")
    if ord in (None, "fro", "f"):
        return _euclidean_norm(x, axis, keepdims)
    if ord in (2, -2, "nuc"):
        return _of_singular_values(x, ord, (row, column), keepdims)
    if ord not in (1, -1, math.inf, -math.inf):
        raise ShapeError(f"norm: ord={ord!r} is not defined for matrices")
    added, chosen = (row, column) if abs(ord) == 1 else (column, row)
    sums = sum(absolute(x), added, keepdims=True)
    extreme = (max if ord > 0 else min)(sums, chosen, keepdims=True)
    if keepdims:
        return extreme
    return number(extreme.reshape(_without(extreme.shape, (row, column))))


def _of_singular_values(x: Array, ord: Any, axes: tuple[int, int], keepdims: bool) -> Array:
    s = svdvals(moveaxis(x, axes, (-2, -1)))
    out = sum(s, -1) if ord == "nuc" else (max if ord == 2 else min)(s, -1)
    kept = tuple(1 if place in axes else n for place, n in enumerate(x.shape, start=-x.ndim))
    return out.reshape(kept) if keepdims else out


def _without(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for place, n in enumerate(shape, start=-len(shape)) if place not in axes)


@composed
def norm(x: Operand, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """The norm of vectors (one axis) or matrices (a pair of axes), as in NumPy.

    Without `ord`, the square root of the sum of squares. For vectors, `ord` is any number: 1 for
    the sum of absolute values, inf and -inf for the largest and the smallest absolute value, 0 for
    the number of nonzero elements (not differentiable). For matrices, `ord` is 'fro' for the square
    root of the sum of squares, 1 or -1 for the largest or smallest sum of absolute values over a
    column, inf or -inf for the same over a row, 2 or -2 for the largest or smallest singular value,
    or 'nuc' for the sum of the singular values. The gradient at 0 is 0. Elements that tie for the
    largest share the gradient.
    """
    x = _floating(x)
    if axis is None and ord is None:
        return _euclidean_norm(x, None, keepdims)
    check_axis("norm", axis, x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _of_vectors(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _of_matrices(x, ord, axes, keepdims)
    raise ShapeError(f"norm: axis must name one axis or two, not {axis}; x has shape {x.shape}")


@composed
def vector_norm(x: Operand, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """The norm of the vectors along `axis`, which may be several axes or, if None, all of them.
    `ord` is as in `norm`."""
    x = _floating(x)
    check_axis("vector_norm", axis, x)
    return _of_vectors(x, ord, axis, keepdims)


@composed
def matrix_norm(x: Operand, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """The norm of the matrices in the last two axes. `ord` is as in `norm`."""
    x = _floating(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm: x needs two axes; it has shape {x.shape}")
    return _of_matrices(x, ord, (-2, -1), keepdims)
