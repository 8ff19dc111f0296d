"""Inverses and systems of linear equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import LinAlgError, ShapeError
from autograd_core.ops.linalg.matrices import call_named, require_matrices, transposed
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import reshape, transpose

__all__ = ["inv", "solve", "tensorinv", "tensorsolve"]


def _inv_x(g: Gradient, out: Array) -> Gradient:
    turned = transposed(out)
    return -(turned @ g @ turned)


@op(x=_inv_x)
def inv(x: Array) -> Array:
    """The inverses of square matrices (..., n, n).

    Raises LinAlgError if a matrix is singular; on a device, its inverse is NaN instead.
    """
    require_matrices("inv", x)
    return call_named("inv", np.linalg.inv, x)


def _solve_y(g: Gradient, x: Array, y_shape: Shape) -> Gradient:
    if len(y_shape) == 1:
        return solve(transposed(x), g[..., None])[..., 0]
    return solve(transposed(x), g)


def _solve_x(g: Gradient, x: Array, y_shape: Shape, out: Array) -> Gradient:
    flow = _solve_y(g, x, y_shape)
    if len(y_shape) == 1:
        return -(flow[..., None] * out[..., None, :])
    return -(flow @ transposed(out))


@op(x=_solve_x, y=_solve_y)
def solve(x: Array, y: Array) -> Array:
    """The solution of x @ out = y.

    Shapes: x (..., n, n); y (n,), or (..., n, k) for k systems at once; leading axes broadcast.
    Raises LinAlgError if a matrix is singular; on a device, its solution is NaN instead.
    """
    require_matrices("solve", x)
    rows = (np.shape(y) or (None,))[-2:][0]
    if rows != x.shape[-1]:
        raise ShapeError(
            f"solve: x has shape {x.shape}, so y needs {x.shape[-1]} rows; it has shape "
            f"{np.shape(y)}"
        )
    if y.ndim > 1 and x.shape[:-2] != y.shape[:-2]:  # CuPy needs equal stack axes
        stack = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        x = np.broadcast_to(x, stack + x.shape[-2:])
        y = np.broadcast_to(y, stack + y.shape[-2:])
    return call_named("solve", np.linalg.solve, x, y)


# ---- tensors as matrices ------------------------------------------------------------------------


@composed
def tensorinv(x: Operand, ind: int = 2) -> Array:
    """The inverse of the map y → tensordot(x, y, y.ndim). The first `ind` axes of x must hold as
    many elements as its other axes."""
    x = as_operand(x)
    front, back = x.shape[:ind], x.shape[ind:]
    if ind <= 0 or math.prod(front) != math.prod(back):
        raise LinAlgError(
            f"tensorinv: the axes before ind={ind} and the axes after it must hold the same "
            f"number of elements; x has shape {x.shape}"
        )
    return reshape(inv(reshape(x, (math.prod(front), math.prod(back)))), back + front)


@composed
def tensorsolve(x: Operand, y: Operand, axes: Any = None) -> Array:
    """The solution of tensordot(x, out, out.ndim) = y. If `axes` is given, these axes of x are
    first moved to its end."""
    x, y = as_operand(x), as_operand(y)
    if axes is not None:
        moved = [axis % x.ndim for axis in axes]
        x = transpose(x, [axis for axis in range(x.ndim) if axis not in moved] + moved)
    back = x.shape[y.ndim :]
    if math.prod(back) ** 2 != x.size or y.size != math.prod(back):
        raise LinAlgError(
            f"tensorsolve: x has shape {x.shape} and y has shape {y.shape}; the first {y.ndim} "
            "axes of x, and its other axes, must each hold as many elements as y"
        )
    rows = reshape(x, (math.prod(back), math.prod(back)))
    return reshape(solve(rows, reshape(y, (-1,))), back)
