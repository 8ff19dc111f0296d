"""Factors of matrices: Cholesky, QR, eigenvalues and singular values.

A matrix has many such factors: eigenvectors may be turned, by a sign or, where complex, by a phase.
A gradient is right for every function that does not depend on the choice.

Eigenvalues and singular values closer together than rounding can tell count as equal, and vectors
that belong to equal ones are not turned into each other: 0 is taken for 1 / 0. A function that does
not depend on the gap then has its gradient there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.op import composed, not_differentiable, op
from autograd_core.ops.contraction import operand
from autograd_core.ops.linalg.matrices import (
    adjoint,
    checked,
    inverted,
    skew,
    told,
    tracked,
    transposed,
)
from autograd_core.ops.linalg.solving import solve
from autograd_core.ops.products import matmul
from autograd_core.ops.shaping import concatenate

__all__ = [
    "cholesky",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "lower_factor",
    "qr",
    "svd",
    "svdvals",
    "tall_qr",
    "thin_svd",
    "whole_svd",
]


def _rounding(values: Any) -> Any:
    """How far apart values may be and still be equal, for each line of them."""
    return np.finfo(values.dtype).eps * np.sum(np.abs(values), -1)[..., None]


def _gaps(values: Any) -> tuple[Any, Any]:
    """values[j] - values[i] for every i and j, and where it is as good as 0."""
    gaps = values[..., None, :] - values[..., :, None]
    return gaps, np.abs(gaps) <= _rounding(values)[..., None]


# ---- Cholesky -----------------------------------------------------------------------------------


def _lower_factor_x(g: Any, out: Any) -> Any:
    turned = adjoint(out)
    inner = turned @ g.conj()
    inner = np.tril(inner) + np.tril(inner, -1)
    inner = (inner + adjoint(inner)) / 4
    flow = solve(turned, adjoint(solve(turned, inner)))
    return ((flow + adjoint(flow)) / 2).conj()


@op(x=_lower_factor_x)
def lower_factor(x: Any) -> Any:
    """The lower triangular matrix whose product with its adjoint is x. Only the lower triangle of x
    is read; the gradient is symmetric (Murray, arXiv:1602.07527)."""
    checked("cholesky", x)
    return told("cholesky", np.linalg.cholesky, x)


@composed
def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The triangular factor of symmetric (Hermitian) positive definite matrices: the lower one, L
    of L @ L.mH, or the upper one, U of U.mH @ U.

    Only that triangle of x is read. The gradient is symmetric (Hermitian), as x is.
    Raises LinAlgError where x is not positive definite; on a device its elements are NaN instead.
    """
    x = operand(x)
    return adjoint(lower_factor(adjoint(x))) if upper else lower_factor(x)


# ---- QR -----------------------------------------------------------------------------------------


class QRResult(NamedTuple):
    Q: Any
    R: Any


def _tall_qr_x(g: Any, Q: Any, R: Any) -> Any:
    flow, inner = 0, 0
    for_q, for_r = g
    if for_r is not None:
        inner = for_r.conj() @ adjoint(R)
    if for_q is not None:
        flow = for_q.conj()
        inner = inner - adjoint(Q) @ flow
    inner = np.triu(inner) + np.triu(inner, 1)
    flow = flow + Q @ ((inner + adjoint(inner)) / 2)
    return transposed(solve(R, adjoint(flow)))


@op(x=_tall_qr_x, results=QRResult)
def tall_qr(x: Any) -> Any:
    """Q (..., m, n) with orthonormal columns and upper triangular R (..., n, n), for m >= n."""
    return QRResult(*told("qr", np.linalg.qr, x))


@composed
def qr(x: Any, mode: str = "reduced") -> Any:
    """x = Q @ R with orthonormal columns in Q and upper triangular R, of matrices (..., m, n).

    With k = min(m, n): mode "reduced" gives Q (..., m, k) and R (..., k, n), "r" only R, "complete"
    Q (..., m, m) and R (..., m, n). A gradient needs the first k columns of x to be independent:
    else LinAlgError in the backward pass.
    Raises NotDifferentiableError for "complete" of a tracked x with m > n, whose last columns may
    be any, and for "raw".
    """
    x = operand(x)
    checked("qr", x, square=False)
    m, n = x.shape[-2:]
    if mode not in ("reduced", "r", "complete", "raw"):
        raise ShapeError(f"qr: mode is 'reduced', 'complete', 'r' or 'raw', not {mode!r}")
    if mode == "raw" or (mode == "complete" and m > n):
        if tracked(x):
            raise NotDifferentiableError(
                f"qr: mode={mode!r} of shape {x.shape} has no gradient; mode='reduced' has one"
            )
        return _whole_qr(x, mode)
    if m >= n:
        q, r = tall_qr(x)
    else:
        q, r = tall_qr(x[..., :m])
        r = concatenate([r, matmul(adjoint(q), x[..., m:])], -1)
    return r if mode == "r" else QRResult(q, r)


@not_differentiable
def _whole_qr(x: Any, mode: Any) -> Any:
    return np.linalg.qr(x, mode)


# ---- eigenvalues --------------------------------------------------------------------------------


class EighResult(NamedTuple):
    eigenvalues: Any
    eigenvectors: Any


def _eigh_x(g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    for_values, for_vectors = g
    left, right = eigenvectors.conj(), transposed(eigenvectors)
    inner = 0
    if for_values is not None:
        inner = left * for_values[..., None, :]
    if for_vectors is not None:
        gaps, near = _gaps(eigenvalues)
        inner = inner + left @ (inverted(gaps, near) * skew(right @ for_vectors) / 2)
    return inner @ right


@op(x=_eigh_x, results=EighResult)
def eigh(x: Any, UPLO: str = "L") -> Any:
    """The eigenvalues (..., n) of symmetric (Hermitian) matrices (..., n, n), rising, and their
    eigenvectors, the columns of (..., n, n).

    Only the triangle `UPLO` of x is read; the gradient is symmetric (Hermitian), as x is.
    Eigenvectors of equal eigenvalues are not turned into each other.
    """
    checked("eigh", x)
    if UPLO not in ("L", "U"):
        raise ShapeError(f"eigh: UPLO is 'L' or 'U', not {UPLO!r}")
    return EighResult(*told("eigh", np.linalg.eigh, x, UPLO))


def _eigvalsh_x(g: Any, x: Any, UPLO: str) -> Any:
    _, vectors = eigh(x, UPLO)
    return (vectors.conj() * g[..., None, :]) @ transposed(vectors)


@op(x=_eigvalsh_x)
def eigvalsh(x: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric (Hermitian) matrices, rising. Their gradients are finite where
    some are equal, and so is that of every function that treats equal ones alike."""
    checked("eigvalsh", x)
    if UPLO not in ("L", "U"):
        raise ShapeError(f"eigvalsh: UPLO is 'L' or 'U', not {UPLO!r}")
    return told("eigvalsh", np.linalg.eigvalsh, x, UPLO)


class EigResult(NamedTuple):
    eigenvalues: Any
    eigenvectors: Any


def _eig_x(g: Any, eigenvalues: Any, eigenvectors: Any) -> Any:
    for_values, for_vectors = g
    turned = adjoint(eigenvectors)
    inner = 0
    if for_values is not None:
        inner = for_values.conj()[..., None] * turned
    if for_vectors is not None:
        gaps, near = _gaps(eigenvalues)
        flow = turned @ for_vectors.conj()
        straight = np.diagonal(flow, 0, -2, -1).real
        flow = flow - (turned @ eigenvectors) * straight[..., None, :]
        inner = inner + (inverted(gaps, near).conj() * flow) @ turned
    return solve(turned, inner).conj()


@op(x=_eig_x, results=EigResult)
def eig(x: Any) -> Any:
    """The eigenvalues (..., n) of square matrices (..., n, n), in no order, and their eigenvectors,
    columns of length 1.

    They are complex. NumPy before 2.5 makes them real where all eigenvalues happen to be real and x
    is, and so does this; the gradient of a real x is real and the same with both. A matrix without
    n independent eigenvectors has no gradient: LinAlgError in the backward pass, or huge numbers
    where rounding hides it.
    """
    checked("eig", x)
    return EigResult(*told("eig", np.linalg.eig, x))


@composed
def eigvals(x: Any) -> Any:
    """The eigenvalues of square matrices, in no order."""
    return eig(x)[0]


# ---- singular values ----------------------------------------------------------------------------


class SVDResult(NamedTuple):
    U: Any
    S: Any
    Vh: Any


def _thin_svd_x(g: Any, U: Any, S: Any, Vh: Any) -> Any:
    for_u, for_s, for_v = g
    left, right = U.conj(), Vh.conj()
    inner, outer = 0, 0  # the gradient is left @ inner + outer
    if for_s is not None:
        inner = for_s[..., None] * right
    if for_u is None and for_v is None:
        return left @ inner
    gaps, near = _gaps(S)
    ratio = inverted(gaps, near) / (S[..., None, :] + S[..., :, None] + near)
    inverse = inverted(S, _rounding(S) >= S)
    if for_u is not None:
        flow = transposed(U) @ for_u
        turning = skew(flow)
        phases = np.diagonal(turning, 0, -2, -1) * inverse / 2  # 0 unless complex
        inner = inner + (ratio * turning * S[..., None, :]) @ right + phases[..., None] * right
        outer = ((for_u - left @ flow) * inverse[..., None, :]) @ right
    if for_v is not None:
        flow = for_v @ transposed(Vh)
        inner = inner + (ratio * S[..., None] * skew(adjoint(flow))) @ right
        inner = inner + inverse[..., None] * (for_v - flow @ right)
    return left @ inner + outer


@op(x=_thin_svd_x, results=SVDResult)
def thin_svd(x: Any) -> Any:
    """U (..., m, k), S (..., k) and Vh (..., k, n) with k = min(m, n)."""
    return SVDResult(*told("svd", np.linalg.svd, x, False))


@composed
def svd(
    x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """x = U * S @ Vh with orthonormal columns in U and rows in Vh, and singular values S, falling.

    Shapes: x (..., m, n); with k = min(m, n), U (..., m, k), S (..., k), Vh (..., k, n); with
    `full_matrices` U (..., m, m) and Vh (..., n, n). Only S without `compute_uv`. `hermitian` is
    NumPy's, and makes no difference here.
    With `full_matrices` and an x that is not square, what is added to U or Vh may be anything: S
    has a gradient, U and Vh raise NotDifferentiableError in the backward pass.
    """
    x = operand(x)
    checked("svd", x, square=False)
    if not compute_uv:
        return svdvals(x)
    if not full_matrices or x.shape[-1] == x.shape[-2]:
        return thin_svd(x)
    return whole_svd(x)


def _svdvals_x(g: Any, x: Any) -> Any:
    left, _, right = thin_svd(x)
    return (left.conj() * g[..., None, :]) @ right.conj()


def _whole_svd_x(g: Any, x: Any) -> Any:
    for_u, for_s, for_v = g
    if for_u is not None or for_v is not None:
        raise NotDifferentiableError(
            f"svd: U and Vh with full_matrices=True of shape {x.shape} have no gradient; with "
            "full_matrices=False they have"
        )
    return _svdvals_x(for_s, x)


@op(x=_whole_svd_x, results=SVDResult)
def whole_svd(x: Any) -> Any:
    """U (..., m, m), S (..., k) and Vh (..., n, n) with k = min(m, n)."""
    return SVDResult(*told("svd", np.linalg.svd, x))


@op(x=_svdvals_x)
def svdvals(x: Any) -> Any:
    """The singular values of matrices (..., m, n), falling. Their gradients are finite where some
    are equal or 0."""
    checked("svdvals", x, square=False)
    return told("svdvals", np.linalg.svd, x, compute_uv=False)
