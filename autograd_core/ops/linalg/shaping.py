"""Functions whose names NumPy has in ``np.linalg`` as well as in its main namespace. Those in
``np.linalg`` have matrices in the last two axes, or accept fewer shapes."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.op import composed, functions
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops import diagonals, products
from autograd_core.ops.arranging import matrix_transpose
from autograd_core.ops.contraction import outer as _outer
from autograd_core.ops.contraction import tensordot, vecdot
from autograd_core.ops.linalg.matrices import require_matrices
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_transpose",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

for _same in (matmul, matrix_transpose, tensordot, vecdot):
    functions[f"linalg.{_same.__name__}"] = _same


@composed
def cross(x: Operand, y: Operand, /, *, axis: int = -1) -> Array:
    """The cross product of vectors of three elements along `axis`."""
    x, y = as_operand(x), as_operand(y)
    for name, vectors in (("x", x), ("y", y)):
        if not -vectors.ndim <= axis < vectors.ndim or vectors.shape[axis] != 3:
            raise ShapeError(
                f"linalg.cross: vectors must have three elements along axis={axis}; {name} has "
                f"shape {vectors.shape}"
            )
    return products.cross(x, y, axis=axis)


@composed
def diagonal(x: Operand, /, *, offset: int = 0) -> Array:
    """A diagonal of each matrix, as the last axis. `offset` is 0 for the main diagonal and positive
    for diagonals above it."""
    x = as_operand(x)
    require_matrices("diagonal", x, square=False)
    return diagonals.diagonal(x, offset, -2, -1)


@composed
def outer(x: Operand, y: Operand, /) -> Array:
    """The products of every element of the vector x with every element of the vector y."""
    x, y = as_operand(x), as_operand(y)
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(
            f"linalg.outer: x and y must be vectors, not of shapes {x.shape} and {y.shape}"
        )
    return _outer(x, y)


@composed
def trace(x: Operand, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sum of a diagonal of each matrix."""
    x = as_operand(x)
    require_matrices("trace", x, square=False)
    return diagonals.trace(x, offset, -2, -1, dtype)
