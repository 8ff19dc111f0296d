"""Factors of matrices: Cholesky, QR, eigenvalues and singular values.

The factors are not unique: an eigenvector may be multiplied by -1 or, if complex, by a phase. A
gradient is correct for every function that does not depend on this choice.

Eigenvalues and singular values that differ by no more than round-off count as equal. For vectors
that belong to equal values, the incoming gradient may not determine the derivative; LinAlgError is
then raised. See `gaps`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.ops.linalg.gaps import _independent, _over, _size, beside, by_gaps, turned
from autograd_core.ops.linalg.matrices import (
    adjoint,
    call_named,
    require_matrices,
    skew,
    tracked,
    transposed,
    unit,
)
from autograd_core.ops.linalg.solving import solve
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul
from autograd_core.ops.shaping import concatenate

__all__ = [
    "cholesky",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "qr",
    "svd",
    "svdvals",
]


# ---- Cholesky -----------------------------------------------------------------------------------


def _lower_factor_x(g: Gradient, out: Array) -> Gradient:
    turned = adjoint(out)
    inner = turned @ g.conj()
    inner = np.tril(inner) + np.tril(inner, -1)
    inner = (inner + adjoint(inner)) / 4
    flow = solve(turned, adjoint(solve(turned, inner)))
    return ((flow + adjoint(flow)) / 2).conj()


@op(x=_lower_factor_x)
def _lower_factor(x: Array) -> Array:
    """The lower triangular matrix whose product with its adjoint is x. Only the lower triangle of x
    is used; the gradient is symmetric (Murray, arXiv:1602.07527)."""
    require_matrices("cholesky", x)
    return call_named("cholesky", np.linalg.cholesky, x)


@composed
def cholesky(x: Operand, /, *, upper: bool = False) -> Array:
    """The Cholesky factor of symmetric (Hermitian) positive definite matrices x: lower triangular L
    with L @ L.mH = x or, if `upper`, upper triangular U with U.mH @ U = x.

    Only the corresponding triangle of x is used. The gradient is symmetric (Hermitian), like x.
    Raises LinAlgError if x is not positive definite; on a device, the factor is NaN instead.
    """
    x = as_operand(x)
    return adjoint(_lower_factor(adjoint(x))) if upper else _lower_factor(x)


# ---- QR -----------------------------------------------------------------------------------------


class QRResult(NamedTuple):
    Q: Any
    R: Any


def _tall_qr_x(g: Gradient, Q: Any, R: Any) -> Gradient:
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
def _tall_qr(x: Array) -> Any:
    """Q (..., m, n) with orthonormal columns and upper triangular R (..., n, n), for m >= n."""
    return QRResult(*call_named("qr", np.linalg.qr, x))


@composed
def qr(x: Operand, mode: str = "reduced") -> Array:
    """The QR decomposition x = Q @ R of matrices (..., m, n): Q has orthonormal columns, and R is
    upper triangular.

    With k = min(m, n): mode "reduced" gives Q (..., m, k) and R (..., k, n), "r" only R, "complete"
    Q (..., m, m) and R (..., m, n). If the first k columns of x are not linearly independent, the
    backward pass raises LinAlgError.
    Raises NotDifferentiableError for a tracked x with mode "raw", or with "complete" and m > n,
    where the last columns of Q are arbitrary.
    """
    x = as_operand(x)
    require_matrices("qr", x, square=False)
    m, n = x.shape[-2:]
    if mode not in ("reduced", "r", "complete", "raw"):
        raise ShapeError(f"qr: mode must be 'reduced', 'complete', 'r' or 'raw', not {mode!r}")
    if mode == "raw" or (mode == "complete" and m > n):
        if tracked(x):
            raise NotDifferentiableError(
                f"qr: mode={mode!r} has no gradient for shape {x.shape}; use mode='reduced'"
            )
        return _whole_qr(x, mode)
    if m >= n:
        q, r = _tall_qr(x)
    else:
        q, r = _tall_qr(x[..., :m])
        r = concatenate([r, matmul(adjoint(q), x[..., m:])], -1)
    return r if mode == "r" else QRResult(q, r)


@not_differentiable
def _whole_qr(x: Array, mode: Any) -> Array:
    return np.linalg.qr(x, mode)


# ---- eigenvalues --------------------------------------------------------------------------------


class EighResult(NamedTuple):
    eigenvalues: Any
    eigenvectors: Any


def _eigh_x(g: Gradient, eigenvalues: Any, eigenvectors: Any) -> Gradient:
    for_values, for_vectors = g
    left, right = eigenvectors.conj(), transposed(eigenvectors)
    turning = None if for_vectors is None else right @ for_vectors
    inner = by_gaps("eigh", for_values, turning, eigenvalues)
    return left @ ((inner + adjoint(inner)) / 2) @ right


@op(x=_eigh_x, results=EighResult)
def eigh(x: Array, UPLO: str = "L") -> Any:
    """The eigenvalues (..., n) of symmetric (Hermitian) matrices (..., n, n), in ascending order,
    and their eigenvectors, the columns of (..., n, n).

    Only the triangle `UPLO` of x is used; the gradient is symmetric (Hermitian), like x. If
    eigenvalues are equal and the derivative is not determined for the incoming gradient (see
    docs/conventions.md), the backward pass raises LinAlgError; on a device, the gradient is NaN.
    `matrix_function` and related functions are smooth at equal eigenvalues.
    """
    require_matrices("eigh", x)
    if UPLO not in ("L", "U"):
        raise ShapeError(f"eigh: UPLO must be 'L' or 'U', not {UPLO!r}")
    return EighResult(*call_named("eigh", np.linalg.eigh, x, UPLO))


def _spectral_g(g: Gradient, x: Array, UPLO: str) -> Gradient:
    _, vectors = eigh(x, UPLO)
    return ((g @ vectors) * vectors.conj()).sum(-2)


def _spectral_x(g: Gradient, values: Array, x: Array, UPLO: str, moving: bool) -> Gradient:
    w, vectors = eigh(x, UPLO)
    inner = transposed(adjoint(vectors) @ g @ vectors)
    inner = turned(values, w, (inner + adjoint(inner)) / 2, moving, "eigh")
    return vectors.conj() @ inner @ transposed(vectors)


@op(values=_spectral_g, x=_spectral_x)
def _spectral(values: Array, x: Array, UPLO: Any, moving: bool) -> Array:
    """The conjugate of V diag(values) V.mH, where the columns of V are the eigenvectors of x.
    `moving` means that `values` depends on x."""
    _, vectors = np.linalg.eigh(x, UPLO)
    return (vectors.conj() * values[..., None, :]) @ transposed(vectors)


def _eigvalsh_x(g: Gradient, x: Array, UPLO: str) -> Gradient:
    return _spectral(g, x, UPLO, tracked(g))


@op(x=_eigvalsh_x)
def eigvalsh(x: Array, UPLO: str = "L") -> Array:
    """The eigenvalues of symmetric (Hermitian) matrices, in ascending order.

    Where eigenvalues are equal, the gradient is a subgradient, which is exact for every function
    that is symmetric in the equal values. A second derivative raises LinAlgError there, as in
    `eigh`.
    """
    require_matrices("eigvalsh", x)
    if UPLO not in ("L", "U"):
        raise ShapeError(f"eigvalsh: UPLO must be 'L' or 'U', not {UPLO!r}")
    return call_named("eigvalsh", np.linalg.eigvalsh, x, UPLO)


class EigResult(NamedTuple):
    eigenvalues: Any
    eigenvectors: Any


def _eig_x(g: Gradient, eigenvalues: Any, eigenvectors: Any) -> Gradient:
    for_values, for_vectors = g
    eigenvectors = _independent(eigenvectors, eigenvalues)
    turned_back, flow = adjoint(eigenvectors), None
    if for_values is not None:
        for_values = for_values.conj()
    if for_vectors is not None:
        flow = turned_back @ for_vectors.conj()
        straight = np.diagonal(flow, 0, -2, -1).real
        flow = flow - (turned_back @ eigenvectors) * straight[..., None, :]
    inner = by_gaps("eig", for_values, flow, eigenvalues)
    return solve(turned_back, inner @ turned_back).conj()


@op(x=_eig_x, results=EigResult)
def eig(x: Array) -> Any:
    """The eigenvalues (..., n) of square matrices (..., n, n), in no particular order, and their
    eigenvectors, columns of length 1.

    The results are complex. With NumPy before 2.5 they are real if x and all its eigenvalues are
    real, as they are in NumPy. The gradient of a real x is real and the same in both cases. A
    matrix without n independent eigenvectors has no gradient: the backward pass raises LinAlgError
    or, if round-off hides this, returns very large numbers.
    """
    require_matrices("eig", x)
    return EigResult(*call_named("eig", np.linalg.eig, x))


@composed
def eigvals(x: Operand) -> Array:
    """The eigenvalues of square matrices, in no particular order."""
    return eig(x)[0]


# ---- singular values ----------------------------------------------------------------------------


class SVDResult(NamedTuple):
    U: Any
    S: Any
    Vh: Any


def _thin_svd_x(g: Gradient, U: Any, S: Any, Vh: Any) -> Gradient:
    for_u, for_s, for_v = g
    left, right = U.conj(), Vh.conj()
    used = for_u is not None or for_v is not None
    one = transposed(U) @ (0 * left if for_u is None else for_u)
    back = (0 * right if for_v is None else for_v) @ transposed(Vh)
    both, apart = one + adjoint(back), one - adjoint(back)
    alone = U.shape[-2] != Vh.shape[-1] or U.dtype.kind == "c"
    inner = by_gaps("svd", for_s, both if used else None, S, alone)
    # left and right vectors of values s and t: s - t if they rotate together, s + t if oppositely
    scale = _size(both) + _size(apart)
    apart = beside(apart) + unit(apart) * skew(apart) / 2  # phases; 0 for real x
    sums = S[..., None, :] + S[..., :, None]
    against = _over(apart, sums, S, scale, False, "svd")
    flow = left @ ((inner + adjoint(inner) + against - adjoint(against)) / 2) @ right
    if for_u is not None and U.shape[-2] > U.shape[-1]:
        rest = for_u - left @ one
        flow = flow + _over(rest, S[..., None, :], S, _size(for_u), False, "svd") @ right
    if for_v is not None and Vh.shape[-1] > Vh.shape[-2]:
        rest = for_v - back @ right
        flow = flow + left @ _over(rest, S[..., None], S, _size(for_v), False, "svd")
    return flow


@op(x=_thin_svd_x, results=SVDResult)
def _thin_svd(x: Array) -> Any:
    """U (..., m, k), S (..., k) and Vh (..., k, n) with k = min(m, n)."""
    return SVDResult(*call_named("svd", np.linalg.svd, x, False))


@composed
def svd(
    x: Operand, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Array:
    """The singular value decomposition x = U * S @ Vh. The columns of U and the rows of Vh are
    orthonormal, and the singular values S are in descending order.

    Shapes: x (..., m, n); with k = min(m, n), U (..., m, k), S (..., k), Vh (..., k, n); with
    `full_matrices` U (..., m, m) and Vh (..., n, n). Without `compute_uv`, only S is returned.
    `hermitian` has no effect; it exists for compatibility with NumPy.
    With `full_matrices` and an x that is not square, the additional columns of U or rows of Vh are
    arbitrary. S then has a gradient, but U and Vh raise NotDifferentiableError in the backward
    pass.
    """
    x = as_operand(x)
    require_matrices("svd", x, square=False)
    if not compute_uv:
        return svdvals(x)
    if not full_matrices or x.shape[-1] == x.shape[-2]:
        return _thin_svd(x)
    return _whole_svd(x)


def _sides_g(g: Gradient, x: Array) -> Gradient:
    left, _, right = svd(x, False)
    return ((transposed(g) @ left.conj()) * transposed(right.conj())).sum(-2)


def _sides_x(g: Gradient, values: Array, x: Array, moving: bool) -> Gradient:
    """The gradient of x in `_sides`, from the eigenvectors of [[0, x], [x.mH, 0]]. The eigenvalues
    of this matrix are the singular values of x, their negatives and, if x is not square, 0 (Jordan
    and Wielandt)."""
    left, s, right = svd(x, False)
    back, size = adjoint(right), _size(g)
    upper = np.concatenate([left, left[..., ::-1]], -1)
    lower = np.concatenate([-back, back[..., ::-1]], -1)
    inner = transposed(adjoint(upper) @ g @ lower) / 2
    both, w = (np.concatenate([-v, v[..., ::-1]], -1) for v in (values, s))
    inner = turned(both, w, inner + adjoint(inner), moving, "svd")
    flow = upper.conj() @ inner @ transposed(lower) / 2
    flow = flow + 0 * np.sum(_smooth_at(values, s), (-2, -1), keepdims=True)
    if left.shape[-2] > s.shape[-1]:
        flow = flow + (_turned_out(g @ back, left, values, s, size, moving) @ right).conj()
    if right.shape[-1] > s.shape[-1]:
        rest = _turned_out(adjoint(g) @ left, back, values, s, size, moving)
        flow = flow + (left @ adjoint(rest)).conj()
    return flow


def _smooth_at(values: Array, s: Any) -> Array:
    """The diagonal matrices of values / s. Where s is 0, the function has a kink, and LinAlgError
    is raised unless the value is also 0."""
    eye = unit(values[..., None] * s[..., None, :])
    size = _size(values[..., None, :])
    return _over(
        eye * values[..., None, :], eye * s[..., None, :] + (1 - eye), s, size, False, "svd"
    )


def _turned_out(x: Array, vectors: Array, values: Array, s: Any, size: Any, moving: bool) -> Array:
    """The part of x orthogonal to `vectors`, times values / s. The gaps are s, because the vectors
    of this part have the singular value 0."""
    k, gaps = s.shape[-1], s[..., None, :]
    rest, step = x - vectors @ (adjoint(vectors) @ x), values[..., None, :]
    rest = np.concatenate([0 * rest[..., :k, :], rest], -2)  # errors find values by index
    out = _over(rest * step, gaps, s, size * _size(step), False, "svd")
    if moving:
        out = out + 0 * _over(rest, gaps, s, size, False, "svd")
    return out[..., k:, :]


@op(values=_sides_g, x=_sides_x)
def _sides(values: Array, x: Array, moving: bool) -> Array:
    """The conjugate of U diag(values) Vh, where U and Vh hold the singular vectors of x. `moving`
    means that `values` depends on x."""
    left, _, right = np.linalg.svd(x, False)
    return (left.conj() * values[..., None, :]) @ right.conj()


def _svdvals_x(g: Gradient, x: Array) -> Gradient:
    return _sides(g, x, tracked(g))


def _whole_svd_x(g: Gradient, x: Array) -> Gradient:
    for_u, for_s, for_v = g
    if for_u is not None or for_v is not None:
        raise NotDifferentiableError(
            f"svd: U and Vh have no gradient with full_matrices=True for shape {x.shape}; use "
            "full_matrices=False"
        )
    return _svdvals_x(for_s, x)


@op(x=_whole_svd_x, results=SVDResult)
def _whole_svd(x: Array) -> Any:
    """U (..., m, m), S (..., k) and Vh (..., n, n) with k = min(m, n)."""
    return SVDResult(*call_named("svd", np.linalg.svd, x))


@op(x=_svdvals_x)
def svdvals(x: Array) -> Array:
    """The singular values of matrices (..., m, n), in descending order. Their gradients are finite,
    even where singular values are equal or 0."""
    require_matrices("svdvals", x, square=False)
    return call_named("svdvals", np.linalg.svd, x, compute_uv=False)
