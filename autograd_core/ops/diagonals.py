"""Diagonals, triangular parts of matrices, and Vandermonde matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.engine.views import read_only
from autograd_core.errors import ShapeError
from autograd_core.ops.axes import from_end
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import moveaxis, ravel, stack

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "make_diagonal",
    "trace",
    "tril",
    "triu",
    "vander",
]
BEYOND_NUMPY = ("make_diagonal",)


def _steps(rows: int, columns: int, offset: int) -> slice:
    """The flat indices of a diagonal of a matrix in C order, as a slice."""
    length = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    start = offset if offset >= 0 else -offset * columns
    return slice(start, start + length * (columns + 1), columns + 1) if length else slice(0, 0)


@op(x=lambda g, offset: np.diagonal(g, offset, -2, -1))
def _embedded(x: Array, offset: int, rows: int, columns: int) -> Array:
    """Matrices of zeros with the last axis of x on a diagonal."""
    out = np.zeros_like(x, shape=(*x.shape[:-1], rows, columns))
    flat = out.reshape((*x.shape[:-1], rows * columns))  # a view: out is in C order
    flat[..., _steps(rows, columns, offset)] = x
    return out


def _placed(g: Gradient, x_shape: Shape, offset: int, axis1: int, axis2: int) -> Gradient:
    """An array of zeros of shape `x_shape`, preceded by the batch axes of g, with the last axis of
    g on a diagonal."""
    first, second = from_end((axis1, axis2), len(x_shape))
    matrices: Any = _embedded(g, offset, x_shape[first], x_shape[second])
    if (first, second) == (-2, -1):
        return matrices
    return np.moveaxis(matrices, (-2, -1), (first, second))


def _trace_x(g: Gradient, x_shape: Shape, offset: int, axis1: int, axis2: int) -> Gradient:
    steps = _steps(x_shape[axis1], x_shape[axis2], offset)
    length = len(range(steps.start, steps.stop, steps.step or 1))
    repeated = np.broadcast_to(g[..., None], (*g.shape, length))
    return _placed(repeated, x_shape, offset, axis1, axis2)


@op(x=_placed, view=read_only)
def diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements of a diagonal over two axes, as a new last axis. `offset` is 0 for the main
    diagonal, positive for diagonals above it and negative for diagonals below it."""
    return np.diagonal(x, offset, axis1, axis2)


@composed
def diag(x: Operand, k: int = 0) -> Array:
    """The `k`-th diagonal of a matrix; if x is a vector, a matrix of zeros with x on its `k`-th
    diagonal."""
    x = as_operand(x)
    if x.ndim == 1:
        side = x.shape[0] + abs(k)
        return _embedded(x, k, side, side)
    if x.ndim == 2:
        return diagonal(x, k)
    raise ShapeError(f"diag: x must be a vector or a matrix; it has shape {x.shape}")


@composed
def diagflat(x: Operand, k: int = 0) -> Array:
    """A matrix of zeros with all elements of x, in C order, on its `k`-th diagonal."""
    return diag(ravel(as_operand(x)), k)


@composed
def make_diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """An array of zeros with the last axis of x on a diagonal over two new axes of equal length, so
    that ``diagonal(make_diagonal(x))`` is x. The arguments are those of `diagonal`."""
    x = as_operand(x)
    if not x.ndim:
        raise ShapeError("make_diagonal: x must have at least one axis")
    side = x.shape[-1] + abs(offset)
    return moveaxis(_embedded(x, offset, side, side), (-2, -1), (axis1, axis2))


@op(x=_trace_x)
def trace(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    """The sum of a diagonal over two axes."""
    return np.trace(x, offset, axis1, axis2, dtype)


@op(x=lambda g, k: np.tril(g, k))
def tril(x: Array, k: int = 0) -> Array:
    """The matrices x with zeros above the `k`-th diagonal."""
    return np.tril(x, k)


@op(x=lambda g, k: np.triu(g, k))
def triu(x: Array, k: int = 0) -> Array:
    """The matrices x with zeros below the `k`-th diagonal."""
    return np.triu(x, k)


@composed
def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Array:
    """A matrix whose N columns are powers of the vector x, decreasing unless `increasing`."""
    x = as_operand(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: x must be a vector; it has shape {x.shape}")
    powers = [x**n for n in range(x.shape[0] if N is None else N)]
    return stack(powers if increasing else powers[::-1], 1) if powers else x[:, None][:, :0]
