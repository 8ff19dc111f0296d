"""Polynomials as vectors of coefficients, the highest power first, as in NumPy's older
functions."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops.arranging import atleast_1d
from autograd_core.ops.diagonals import vander
from autograd_core.ops.elementwise import sqrt
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum
from autograd_core.ops.shaping import _pad_constant, concatenate
from autograd_core.ops.signals import convolve

__all__ = ["polyadd", "polyder", "polyfit", "polyint", "polymul", "polysub", "polyval"]


def _coefficients(name: str, p: Array) -> Array:
    p = atleast_1d(as_operand(p))
    if p.ndim != 1:
        raise ShapeError(
            f"{name}: a polynomial must be a vector of coefficients, not of shape {p.shape}"
        )
    return p


@composed
def polyval(p: Operand, x: Operand) -> Array:
    """The value at x of the polynomial with the coefficients `p`, the highest power first."""
    p, x = _coefficients("polyval", p), as_operand(x)
    out = x * 0
    for k in range(p.shape[0]):
        out = out * x + p[k]
    return out


@composed
def polyadd(p: Operand, q: Operand) -> Array:
    """The coefficients of the sum of two polynomials."""
    p, q = _coefficients("polyadd", p), _coefficients("polyadd", q)
    length = max(p.size, q.size)
    return _longer(p, length) + _longer(q, length)


@composed
def polysub(p: Operand, q: Operand) -> Array:
    """The coefficients of the difference of two polynomials."""
    return polyadd(p, -as_operand(q))


def _longer(p: Array, length: int) -> Array:
    return p if p.size == length else _pad_constant(p, [(length - p.size, 0)])


@composed
def polymul(p: Operand, q: Operand) -> Array:
    """The coefficients of the product of two polynomials."""
    return convolve(_coefficients("polymul", p), _coefficients("polymul", q))


@composed
def polyder(p: Operand, m: int = 1) -> Array:
    """The coefficients of the `m`-th derivative."""
    p = _coefficients("polyder", p)
    if m < 0:
        raise ShapeError(f"polyder: m must be 0 or more, not {m}")
    for _ in range(m):
        p = p[:-1] * _powers(p)[:-1]
    return p


@composed
def polyint(p: Operand, m: int = 1, k: Operand = None) -> Array:
    """The coefficients of the `m`-th antiderivative; `k` holds the integration constants (default
    0), in the order of the integrations."""
    p = _coefficients("polyint", p)
    constants = None if k is None else atleast_1d(as_operand(k))
    if constants is not None and constants.shape not in ((1,), (m,)):
        raise ShapeError(
            f"polyint: k must hold 1 or m={m} constants; its shape is {constants.shape}"
        )
    for i in range(m):
        last = 0 * p[:1]
        if constants is not None:
            last = last + constants[i if constants.size == m else 0]
        p = concatenate([p / (_powers(p) + 1), last])
    return p


def _powers(p: Array) -> Array:
    """The powers n - 1, …, 1, 0 that belong to n coefficients."""
    return (p.real * 0 + 1).cumsum()[::-1] - 1


@composed
def polyfit(x: Operand, y: Operand, deg: int, rcond: Any = None, *, w: Operand = None) -> Array:
    """The coefficients of the polynomial of degree `deg` that fits y at the points x in the
    least-squares sense. x has shape (m,), and y has shape (m,) or (m, k), one fit per column. The
    weights `w` multiply the residuals, not their squares."""
    x, y = as_operand(x), as_operand(y)
    if x.ndim != 1 or y.ndim not in (1, 2) or x.shape[0] != y.shape[0] or deg < 0 or not x.size:
        raise ShapeError(
            "polyfit: x must have shape (m,), y (m,) or (m, k), and deg must be 0 or more; they "
            f"have shapes {x.shape} and {y.shape}, deg={deg}"
        )
    rows = vander(x, deg + 1)
    if w is not None:
        w = as_operand(w)
        rows, y = rows * w[:, None], y * (w if y.ndim == 1 else w[:, None])
    scale = sqrt(sum(rows * rows, 0))
    from autograd_core.ops.linalg import lstsq  # imported when it is first used

    found, *_ = lstsq(rows / scale, y, rcond)
    return found / (scale if y.ndim == 1 else scale[:, None])
