"""Functions of symmetric (Hermitian) matrices, smooth where eigenvalues are equal.

Let A = V diag(w) V^H. The k-th derivative of f(A) along k matrices E is a sum of terms, one for
each order of the matrices: V (f[w_i, ..., w_j] E_i. ... E_.j) V^H, summed over the inner indices,
with divided differences of f (Daleckii and Krein, 1951; Higham, Functions of Matrices, section
3.2). The derivative of a term with respect to A is a sum of terms with one more matrix, so a single
operation, `_terms`, is enough for every order. Divided differences of equal values are derivatives
of f.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices.backend import module_of
from autograd_core.engine.op import composed, op
from autograd_core.engine.state import enable_grad
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import DTypeError, LinAlgError, NotDifferentiableError
from autograd_core.ops.elementwise import log, sqrt
from autograd_core.ops.linalg.gaps import closeness, doubled
from autograd_core.ops.linalg.matrices import (
    adjoint,
    call_named,
    listed,
    require_matrices,
    stacked,
    transposed,
)
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype

__all__ = ["logm", "matrix_function", "polar", "spectral_projector", "sqrtm", "whiten"]

BEYOND_NUMPY = tuple(__all__)
# Gauss-Legendre quadrature between -1 and 1
NEAR, FAR = (math.sqrt(3 / 7 + side * math.sqrt(24 / 245)) for side in (-1, 1))
NODES = (-FAR, -NEAR, NEAR, FAR)
WEIGHTS = tuple((18 + side * math.sqrt(30)) / 36 for side in (-1, 1, 1, -1))


# ---- divided differences -------------------------------------------------------------------------


def _derivative(f: Any, df: Any, w: Array, order: int) -> Array:
    """The derivative of f at the elements of w, of the given order. It is f for order 0, df for
    order 1, and a derivative of df for higher orders."""
    if order < 2:
        return _of_numbers(df(w) if order else f(w))
    with enable_grad():
        point = Tensor(w, requires_grad=True)
        out = df(point)
        for _ in range(order - 1):
            if not (isinstance(out, Tensor) and out.requires_grad):
                return np.zeros_like(w)
            point.grad = None
            out.backward(np.ones_like(w), create_graph=True)
            out = point.grad if point.grad is not None else np.zeros_like(w)
        return _plain(out)


def _plain(x: Array) -> Array:
    return x.data if isinstance(x, Tensor) else x


def _of_numbers(out: Array) -> Array:
    """The result of f or df for real eigenvalues; raises if it depends on a tracked Tensor."""
    if isinstance(out, Tensor) and out.requires_grad:
        raise NotDifferentiableError(
            "a function of a matrix: f depends on a Tensor that requires a gradient but would not "
            "get one; detach() it, or write V * f(w) @ V.mH with w and V of eigh"
        )
    if getattr(out, "dtype", np.dtype(float)).kind == "c":
        raise DTypeError(
            "a function of a matrix: f has complex values; compute its real and its imaginary part "
            "separately"
        )
    return _plain(out)


class _Smooth:
    """The divided differences of f at points, some or all of which may be equal. If there are more
    than two points, they are sorted.

    A quotient of differences loses digits where its points are close, and quadrature of the
    derivative between the points is wrong where they are far apart. Quadrature is used where both
    results agree up to the possible error of the quotient, and the quotient elsewhere. With `root`,
    eigenvalues that are negative by round-off count as 0.
    """

    def __init__(self, name: str, f: Any, df: Any, root: bool = False) -> None:
        self.name, self.f, self.df, self.root = name, f, df, root

    def table(self, points: list[Any], places: list[Any], close: Any) -> Any:
        if self.root:
            points = [np.where((w < 0) & (w >= -close), 0 * w, w) for w in points]
        with np.errstate(all="ignore"):  # `_check_table` handles non-finite values
            return self._divided(points)[0]

    def _divided(self, points: list[Any]) -> tuple[Any, Any]:
        """The divided difference at the points and a bound on its error."""
        eps = 8 * np.finfo(float).eps
        if len(points) == 1:
            value = _derivative(self.f, self.df, points[0], 0) + 0 * points[0]
            return value, eps * np.abs(value)
        (high, above), (low, below) = self._divided(points[1:]), self._divided(points[:-1])
        gap = points[-1] - points[0]
        equal = gap == 0
        size = np.maximum(np.abs(points[0]), np.abs(points[-1]))
        mean, step = self._mean(points), (high - low) / (gap + equal)
        error = (above + below + eps * np.abs(mean) * size) / (np.abs(gap) + equal)
        close = equal | (np.abs(mean - step) <= error)
        value = np.where(close, mean, step)
        return value, np.where(close, eps * np.abs(mean), error)

    def _mean(self, points: list[Any]) -> Any:
        """The mean of the derivative over the simplex of the points (Hermite and Genocchi)."""
        order = len(points) - 1

        def over(start: Any, left: Array, rest: list[Any]) -> Array:
            if not rest:
                return _derivative(self.f, self.df, start, order)
            total = 0
            for node, weight in zip(NODES, WEIGHTS, strict=True):
                share = (node + 1) / 2 * left
                here = start + share * (rest[0] - points[0])
                total = total + weight / 2 * left * over(here, left - share, rest[1:])
            return total

        return over(points[0], 1.0, points[1:])


class _Steps:
    """The divided differences of a function that is constant near each eigenvalue. With eigenvalues
    in ascending order, the value of the function at the eigenvalue with index i is `label(i)`."""

    def __init__(self, name: str, label: Callable[[Any], Any], hint: str) -> None:
        self.name, self.label, self.hint = name, label, hint

    def table(self, points: list[Any], places: list[Any], close: Any) -> Any:
        labels = [self.label(place) for place in places]
        if len(points) == 1:
            return labels[0] + 0 * points[0]
        same = np.all(np.stack([labels[0] == other for other in labels[1:]]), 0)
        gap = points[-1] - points[0]
        split = ~same & (np.abs(gap) <= close)
        if module_of(gap) is np and split.any():
            value = float(np.broadcast_to(points[0], split.shape)[split][0])
            raise LinAlgError(f"{self.name}: {self.hint.format(value)}")
        lower = [
            self.table(part, at, close)
            for part, at in ((points[1:], places[1:]), (points[:-1], places[:-1]))
        ]
        step = (lower[0] - lower[1]) / np.where(same | split, 1, gap)
        return np.where(split, np.nan, np.where(same, 0, step))


def _table(divided: Any, w: Array, order: int) -> Array:
    """f[w_i, ..., w_j] for all combinations of indices: an array (..., n, ..., n), computed in
    float64."""
    n, dtype, stack = w.shape[-1], w.dtype, w.shape[:-1]
    shape = (n,) * (order + 1)
    if not w.size:
        return np.zeros_like(w, shape=stack + shape)
    close, w = closeness(w).astype(float), w.astype(float)
    places = np.cumsum(np.ones_like(w), -1) - 1

    def grid(x: Array) -> list[Any]:
        axes = [(1,) * k + (n,) + (1,) * (order - k) for k in range(order + 1)]
        lines = [x.reshape(stack + a) for a in axes]
        if order < 2:  # two points need no sorting; f is then computed once for each
            return lines
        return list(np.sort(np.stack([np.broadcast_to(a, stack + shape) for a in lines]), 0))

    out = divided.table(grid(w), grid(places), close.reshape(stack + (1,) * (order + 1)))
    return _check_table(divided.name, out, w, order).astype(dtype)


def _check_table(name: str, table: Any, w: Array, order: int) -> Array:
    """`table`; raises LinAlgError on the host if it is not finite."""
    if module_of(table) is np and not np.isfinite(table).all():
        stack, n = w.shape[:-1], w.shape[-1]
        lines = ~np.isfinite(table).reshape(*stack, n, -1)
        value = float(w[lines.any(-1)][0])
        what = "its function" if order == 0 else f"derivative {order} of its function"
        raise LinAlgError(f"{name}: {what} is not finite at the eigenvalue {value:.6g}")
    return table


# ---- functions and their derivatives -------------------------------------------------------------


def _parts(matrices: Array) -> list[Any]:
    return [transposed(part) for part in listed(matrices)]


def _term_matrices(g: Gradient, x: Array, matrices: Array, divided: Any) -> Gradient:
    parts = _parts(matrices)
    places = range(len(parts))
    turned = [stacked([*parts[:k][::-1], g, *parts[k + 1 :][::-1]]) for k in places]
    return stacked([_terms(transposed(x), t, divided) for t in turned])


def _term_x(g: Gradient, x: Array, matrices: Array, divided: Any) -> Gradient:
    parts = _parts(matrices)
    places = range(len(parts) + 1)
    turned = [stacked([*parts[:k][::-1], g, *parts[k:][::-1]]) for k in places]
    out = sum(_terms(transposed(x), t, divided) for t in turned)
    return (out + adjoint(out)) / 2


@op(x=_term_x, matrices=_term_matrices)
def _terms(x: Array, matrices: Array, divided: Any) -> Array:
    """The term of the k-th derivative at x with the matrices (..., k, n, n) in this order."""
    w, v = np.linalg.eigh((x + adjoint(x)) / 2)
    k = matrices.shape[-3]
    table = _table(divided, w, k)
    inner = [adjoint(v) @ part @ v for part in listed(matrices)]
    letters = "abcdefghij"[: k + 1]
    pairs = ",".join(f"...{letters[place : place + 2]}" for place in range(k))
    flow = np.einsum(f"...{letters},{pairs}->...{letters[0]}{letters[-1]}", table, *inner)
    return v @ flow @ adjoint(v)


def _function_x(g: Gradient, x: Array, divided: Any) -> Gradient:
    out = _terms(transposed(x), g[..., None, :, :], divided)
    return (out + adjoint(out)) / 2


@op(x=_function_x)
def _function(x: Array, divided: Any) -> Array:
    w, v = call_named("a function of a matrix", np.linalg.eigh, (x + adjoint(x)) / 2)
    return (v * _table(divided, w, 0)[..., None, :]) @ adjoint(v)


def _symmetric(name: str, x: Array) -> Array:
    x = as_operand(x)
    require_matrices(name, x)
    if x.dtype.kind not in "fc":
        x = astype(x, float)
    data = _plain(x)
    if module_of(data) is np and data.size:
        if not np.isfinite(data).all():
            raise LinAlgError(
                f"{name}: x of shape {x.shape} contains infs or NaNs; mask them first"
            )
        gap = float(np.max(np.abs(data - adjoint(data))))
        if gap > float(np.finfo(data.dtype).eps) ** 0.5 * float(np.max(np.abs(data))):
            raise LinAlgError(
                f"{name}: x of shape {x.shape} is not symmetric (Hermitian): it differs from its "
                f"adjoint by up to {gap:.3g}. Its symmetric part is (x + x.mH) / 2"
            )
    return x


@composed
def matrix_function(x: Operand, f: Any, df: Operand) -> Array:
    """f of symmetric (Hermitian) matrices (..., n, n): V diag(f(w)) V.mH for x = V diag(w) V.mH.

    `f` and its derivative `df` work element by element on real arrays; for second derivatives, `df`
    must consist of operations of this library. Derivatives of every order are exact for equal
    eigenvalues. Only the symmetric part of x is used, and the gradient is symmetric.
    Raises LinAlgError if x is not finite or far from symmetric, or if f is not finite at an
    eigenvalue. The backward pass raises LinAlgError if df is not finite at an eigenvalue. On a
    device, none of this is checked.
    """
    return _function(_symmetric("matrix_function", x), _Smooth("matrix_function", f, df))


@composed
def sqrtm(x: Operand) -> Array:
    """The square root of symmetric (Hermitian) positive semidefinite matrices; see
    `matrix_function`. A singular matrix has no gradient. `autograd_core.scipy.linalg.sqrtm` accepts
    any matrix on the host."""
    return _function(_symmetric("sqrtm", x), _ROOT)


@composed
def logm(x: Operand) -> Array:
    """The logarithm of symmetric (Hermitian) positive definite matrices; see `matrix_function`."""
    return _function(_symmetric("logm", x), _LOG)


@composed
def whiten(x: Operand) -> Array:
    """The inverse square root of symmetric (Hermitian) positive definite matrices; see
    `matrix_function`. For the covariance matrix of data, this is the whitening matrix."""
    return _function(_symmetric("whiten", x), _WHITE)


_ROOT = _Smooth("sqrtm", sqrt, lambda w: 0.5 / sqrt(w), root=True)
_LOG = _Smooth("logm", log, lambda w: 1 / w)
_WHITE = _Smooth("whiten", lambda w: 1 / sqrt(w), lambda w: -0.5 / (w * sqrt(w)))


@composed
def spectral_projector(x: Operand, start: int = 0, stop: int | None = None) -> Array:
    """The projection onto the eigenvectors `start` to `stop` (exclusive) of symmetric (Hermitian)
    matrices, with eigenvalues in ascending order. With the eigenvectors v of `eigh`, it is
    v[:, start:stop] times its adjoint. Negative indices count from the end, as in a slice.

    Eigenvalues inside the range may be equal, and so may eigenvalues outside it. If one inside
    equals one outside, the backward pass raises LinAlgError or, on a device, returns NaN.
    """
    x = _symmetric("spectral_projector", x)
    first, last, _ = slice(start, stop).indices(x.shape[-1])
    hint = (
        "the eigenvalue {:.6g} is repeated, once inside and once outside the range start:stop. "
        "Choose start and stop so that equal eigenvalues are on the same side"
    )
    divided = _Steps("spectral_projector", lambda p: 1.0 * ((p >= first) & (p < last)), hint)
    return _function(x, divided)


def _nearest_x(g: Gradient, x: Array) -> Gradient:
    """The gradient of u, which is a block of the matrix sign function of [[0, x], [x.mH, 0]]."""
    m, n = x.shape[-2:]
    k = min(m, n)
    hint = "a singular value of x is 0, so u has no derivative"
    divided = _Steps("polar", lambda p: 1.0 * (p >= m + n - k) - 1.0 * (p < k), hint)
    flow = _terms(transposed(doubled(x)), doubled(g)[..., None, :, :], divided)
    return ((flow + adjoint(flow)) / 2)[..., :m, m:]


@op(x=_nearest_x)
def _nearest(x: Array) -> Array:
    """The matrix nearest to x that has orthonormal columns or, if x is wide, orthonormal rows."""
    u, _, vh = call_named("polar", np.linalg.svd, x, False)
    return u @ vh


@composed
def polar(x: Operand) -> Any:
    """The polar decomposition x = u @ p, as (u, p): u has orthonormal columns, or orthonormal rows
    if x is wide, and p is symmetric (Hermitian). u is the matrix of this kind nearest to x, and
    equals u @ vh of `svd`.

    Singular values may be equal. If a singular value is 0, there is no gradient: the backward pass
    raises LinAlgError or, on a device, returns NaN.
    """
    x = as_operand(x)
    require_matrices("polar", x, square=False)
    u = _nearest(x)
    p = adjoint(u) @ x
    return u, (p + adjoint(p)) / 2
