"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd_core.engine.op import composed, not_differentiable
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import LinAlgError, NotDifferentiableError, ShapeError
from autograd_core.ops.diagonals import diag, diagonal
from autograd_core.ops.elementwise import exp, log, sqrt, where
from autograd_core.ops.linalg import cholesky, solve
from autograd_core.ops.linalg.matrices import call_named, tracked
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum
from autograd_core.ops.shaping import reshape
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.stats.norm import LOG_ROOT_TAU
from autograd_core.scipy.stats.support import FAR

__all__ = ["entropy", "logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "multivariate_normal")


def _checked(cov: Any, d: int) -> Array:
    cov = as_operand(cov)
    if cov.shape not in ((), (d,), (d, d)):
        raise ShapeError(
            f"multivariate_normal: for vectors of {d} elements cov must be a number or have the "
            f"shape ({d},) or ({d}, {d}); it has shape {cov.shape}"
        )
    return cov


def _factor(cov: Any, ones: Any) -> Array:
    """The lower triangular Cholesky factor of a covariance matrix. `cov` is the matrix, a vector of
    variances, or one variance for all elements."""
    cov = _checked(cov, ones.shape[0])
    return cholesky(cov) if cov.ndim == 2 else diag(sqrt(cov * ones))


class _Support(NamedTuple):
    """A singular covariance matrix C of d elements. `whitener` (d, d) whitens the part of a vector
    in the range of C, so that whitener @ whitener.T is the pseudo-inverse of C. `null` (d, d) holds
    the eigenvectors of the null space. The other columns of both are 0. A vector whose part in the
    null space is not shorter than `tolerance` is outside the support. `log_det` is the logarithm of
    the pseudo-determinant."""

    whitener: Any
    null: Any
    rank: Any
    log_det: Any
    tolerance: Any


@not_differentiable
def _support(cov: Array) -> Any:
    """The `_Support` of a positive semidefinite matrix. As in SciPy, eigenvalues up to 1e6 eps
    (float32: 1e3 eps) times the largest are considered 0."""
    cov = cov if cov.dtype.kind == "f" else cov.astype(np.float64)
    values, vectors = call_named("multivariate_normal", np.linalg.eigh, cov)
    units = 1e3 if cov.dtype == np.float32 else 1e6
    small = units * np.finfo(cov.dtype).eps * np.max(np.abs(values))
    if values[0] < -small:
        raise LinAlgError("multivariate_normal: cov must be positive semidefinite")
    kept = values > small
    safe = np.where(kept, values, 1)
    roots = np.where(kept, 1 / np.sqrt(safe), 0)
    null = np.where(kept, 0, vectors)
    return _Support(vectors * roots, null, kept.sum(), np.log(safe).sum(), 1e3 * small)


@not_differentiable
def _outside(null: Array, columns: Array, tolerance: Any) -> Array:
    part = null.T @ columns
    return np.sqrt((part * part).sum(0)) >= tolerance


def _singular(cov: Any, ones: Any) -> Any:
    """The `_Support` of a covariance, None if it is regular.

    Raises NotDifferentiableError for a tracked singular covariance: the smallest change of it
    changes its rank, where the pseudo-determinant jumps."""
    cov = _checked(cov, ones.shape[0])
    support = _support(cov if cov.ndim == 2 else diag(cov * ones))
    rank = int(support.rank)
    if rank == ones.size:
        return None
    if tracked(cov):
        raise NotDifferentiableError(
            f"multivariate_normal: cov is singular, of rank {rank}, and nothing is differentiable "
            "with respect to a singular covariance. Use cov.detach(), or "
            "cov + small * np.eye(d) for a regular one"
        )
    return support


def _parts(x: Array, mean: Any, cov: Any, allow_singular: bool) -> tuple[Any, Any, Any, Any]:
    """Return the shape of the stack of vectors, the whitened vectors (d, n), whose elements have
    independent standard normal distributions, the logarithm of the density at the mean, and the
    mask of the vectors outside the support, None if there are none."""
    x = as_operand(x)
    if x.ndim == 0:
        x = reshape(x, (1,))
    x = x if mean is None else x - mean
    stack, d = x.shape[:-1], x.shape[-1]
    ones = np.ones_like(x, shape=(d,))
    columns = reshape(x, (math.prod(stack), d)).T
    support = _singular(cov, ones) if allow_singular else None
    if support is None:
        factor = _factor(cov, ones)
        constant = -d * LOG_ROOT_TAU - sum(log(diagonal(factor)))
        return stack, solve(factor, columns), constant, None
    outside = _outside(support.null, columns, support.tolerance)
    whitened = support.whitener.T @ where(outside, 0.0, columns)
    return stack, whitened, -support.rank * LOG_ROOT_TAU - support.log_det / 2, outside


@composed
def logpdf(
    x: Operand, mean: Operand = None, cov: Operand = 1.0, allow_singular: bool = False
) -> Array:
    """The logarithm of the density at vectors x (..., d). `mean` has shape (d,). `cov` is a
    positive definite covariance matrix (d, d), a vector of d variances, or one variance for all
    elements.

    With `allow_singular`, `cov` may be singular. The density is then that on the affine subspace
    through `mean` that is spanned by the range of `cov`, computed with the pseudo-inverse and the
    pseudo-determinant; outside this subspace it is 0 (its logarithm -inf), with zero gradient. The
    gradients of x and `mean` are along the subspace. A singular `cov` has no gradient.

    The gradient of the matrix is symmetric. Raises LinAlgError if the matrix is not positive
    definite (with `allow_singular`, not positive semidefinite), and NotDifferentiableError if it is
    singular and tracked.
    """
    stack, whitened, constant, outside = _parts(x, mean, cov, allow_singular)
    out = sum(whitened * whitened, 0) / -2 + constant
    return reshape(out if outside is None else where(outside, -math.inf, out), stack)


@composed
def pdf(
    x: Operand, mean: Operand = None, cov: Operand = 1.0, allow_singular: bool = False
) -> Array:
    """The density. See `logpdf`."""
    stack, whitened, constant, outside = _parts(x, mean, cov, allow_singular)
    far = sum(whitened * whitened, 0) > -2 * FAR  # the density is 0 and constant
    if outside is not None:
        far = far | outside
    distance = sum(where(far, 0.0, whitened) ** 2, 0)
    out = where(far, 0.0, exp(distance / -2 + constant))
    return reshape(out, stack)


@composed
def entropy(mean: Operand = None, cov: Operand = 1.0) -> Array:
    """The differential entropy, in nats. As in SciPy, the entropy of a singular covariance is that
    on its range, which has no gradient."""
    vector = as_operand(cov if mean is None else mean)
    d = vector.shape[-1] if vector.ndim else 1
    ones = np.ones_like(vector, shape=(d,))
    support = _singular(cov, ones)
    if support is not None:
        return support.rank * (math.log(math.tau) + 1) / 2 + support.log_det / 2
    factor = _factor(cov, ones)
    return d / 2 * (math.log(math.tau) + 1) + sum(log(diagonal(factor)))
