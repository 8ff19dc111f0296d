"""Least squares and other functions that depend on the rank of a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import LinAlgError, ShapeError
from autograd_core.ops.elementwise import absolute, where
from autograd_core.ops.indexing import number
from autograd_core.ops.linalg.decompositions import svdvals
from autograd_core.ops.linalg.matrices import (
    adjoint,
    call_named,
    require_matrices,
    tracked,
    transposed,
)
from autograd_core.ops.linalg.norms import norm
from autograd_core.ops.linalg.solving import inv
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul
from autograd_core.ops.reductions import sum

__all__ = ["cond", "lstsq", "matrix_rank", "pinv"]


def _pinv_x(g: Gradient, x: Array, out: Array) -> Gradient:
    back, away, turned = adjoint(g), out.conj(), transposed(out)
    left = back @ away @ turned
    right = turned @ away @ back
    plain = turned @ g @ turned
    return left - x.conj() @ (away @ left) + right - (right @ away) @ x.conj() - plain


@op(x=_pinv_x)
def _pseudoinverse(x: Array, rtol: Any) -> Array:
    """`pinv`, where singular values up to `rtol` times the largest one count as 0."""
    require_matrices("pinv", x, square=False)
    return call_named("pinv", np.linalg.pinv, x, rtol)


@composed
def pinv(x: Operand, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """The pseudoinverse (Moore, Penrose) of matrices (..., m, n).

    Singular values up to `rcond` times the largest one count as 0. `rtol` is another name for
    `rcond`; the value is a number (default 1e-15) or an array with a number for each matrix. The
    gradient is for changes of x that keep its rank (Golub and Pereyra, SIAM J. Numer. Anal. 10,
    1973). `hermitian` has no effect; it exists for compatibility with NumPy.
    """
    if rcond is not None and rtol is not None:
        raise ShapeError("pinv: rcond and rtol mean the same; pass only one of them")
    limit = rtol if rcond is None else rcond
    if isinstance(limit, Tensor) and not tracked(limit):
        limit = limit.data
    return _pseudoinverse(as_operand(x), 1e-15 if limit is None else limit)


@composed
def lstsq(x: Operand, y: Operand, rcond: Any = None) -> Any:
    """The least-squares solution of x @ out = y; if there are several, the solution with the
    smallest norm.

    Shapes: x (m, n); y (m,) or (m, k). Returns (solution, residuals, rank, singular values) like
    NumPy. The residuals are the sums of squares of y - x @ solution, and are empty unless m > n and
    x has rank n. The rank is an ``np.intc``. Singular values up to `rcond` times the largest one
    count as 0; the default is eps of the dtype times max(m, n).
    """
    x, y = as_operand(x), as_operand(y)
    require_matrices("lstsq", x, square=False)
    if x.ndim != 2 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0]:
        raise ShapeError(
            "lstsq: x (m, n) and y (m,) or (m, k) are needed; they have shapes "
            f"{x.shape} and {y.shape}"
        )
    s = svdvals(x)
    if rcond is None:
        rcond = np.finfo(s.dtype).eps * max(x.shape)
    solution = matmul(pinv(x, rcond), y)
    rank = np.intc(int((s > rcond * s[:1]).sum()))
    residuals = sum(absolute(y - matmul(x, solution)) ** 2, 0, keepdims=y.ndim == 1)
    full = x.shape[0] > x.shape[1] == rank
    return solution, residuals if full else residuals[:0], rank, s


# ---- rank and condition -------------------------------------------------------------------------


@not_differentiable
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    """For each matrix, the number of singular values above `tol` or, if `tol` is None, above `rtol`
    times the largest one (default: eps of the dtype times the longer side). Not differentiable.
    `hermitian` has no effect; it exists for compatibility with NumPy."""
    A = np.asarray(A) if isinstance(A, list | tuple | int | float) else A
    if A.ndim < 2:
        return np.any(A != 0).astype(int)
    s = np.linalg.svd(A, compute_uv=False)
    if tol is None:
        rtol = np.finfo(s.dtype).eps * max(A.shape[-2:]) if rtol is None else _lined(rtol)
        tol = rtol * s[..., :1]  # the largest
    else:
        tol = _lined(tol)
    return np.sum(s > tol, axis=-1)


def _lined(tolerance: Any) -> Array:
    return tolerance[..., None] if np.ndim(tolerance) else tolerance


@composed
def cond(x: Operand, p: Operand = None) -> Array:
    """The condition number: the largest singular value divided by the smallest (`p` None or 2; the
    inverse for -2), or norm(x, p) * norm(inv(x), p) for other `p`. It bounds the ratio of the
    relative error of a solution to the relative error of the equations.

    The result is infinite where x is singular (unless `p` is -2). If such an x is tracked, a `p`
    such as 1, inf or "fro" raises LinAlgError.
    """
    x = as_operand(x)
    require_matrices("cond", x, square=p not in (None, 2, -2))
    if not all(x.shape[-2:]):
        raise LinAlgError(f"cond: x must not be empty; it has shape {x.shape}")
    if p in (None, 2, -2):
        s = svdvals(x)
        top, bottom = (s[..., -1], s[..., 0]) if p == -2 else (s[..., 0], s[..., -1])
        zero = bottom == 0
        return number(where(zero, math.inf, top / where(zero, 1.0, bottom)))
    try:
        return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    except LinAlgError:
        if tracked(x):
            raise
        return _plain_cond(x, p)


@not_differentiable
def _plain_cond(x: Array, p: Array) -> Array:
    return np.linalg.cond(x, p)
