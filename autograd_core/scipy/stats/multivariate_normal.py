"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops.diagonals import diag, diagonal
from autograd_core.ops.elementwise import exp, log, sqrt, where
from autograd_core.ops.linalg import cholesky, solve
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum
from autograd_core.ops.shaping import reshape
from autograd_core.scipy.stats.norm import LOG_ROOT_TAU
from autograd_core.scipy.stats.support import FAR

__all__ = ["entropy", "logpdf", "pdf"]


def _factor(cov: Any, ones: Any) -> Array:
    """The lower triangular Cholesky factor of a covariance matrix. `cov` is the matrix, a vector of
    variances, or one variance for all elements."""
    cov = as_operand(cov)
    d = ones.shape[0]
    if cov.shape not in ((), (d,), (d, d)):
        raise ShapeError(
            f"multivariate_normal: for vectors of {d} elements cov must be a number or have the "
            f"shape ({d},) or ({d}, {d}); it has shape {cov.shape}"
        )
    return cholesky(cov) if cov.ndim == 2 else diag(sqrt(cov * ones))


def _parts(x: Array, mean: Any, cov: Any) -> tuple[tuple[int, ...], Any, Any]:
    """Return the shape of the stack of vectors, the whitened vectors (d, n), whose elements have
    independent standard normal distributions, and the logarithm of the density at the mean."""
    x = as_operand(x)
    if x.ndim == 0:
        x = reshape(x, (1,))
    x = x if mean is None else x - mean
    stack, d = x.shape[:-1], x.shape[-1]
    factor = _factor(cov, np.ones_like(x, shape=(d,)))
    whitened = solve(factor, reshape(x, (math.prod(stack), d)).T)
    return stack, whitened, -d * LOG_ROOT_TAU - sum(log(diagonal(factor)))


@composed
def logpdf(x: Operand, mean: Operand = None, cov: Operand = 1.0) -> Array:
    """The logarithm of the density at vectors x (..., d). `mean` has shape (d,). `cov` is a
    positive definite covariance matrix (d, d), a vector of d variances, or one variance for all
    elements.

    The gradient of the matrix is symmetric. Raises LinAlgError if the matrix is not positive
    definite.
    """
    stack, whitened, constant = _parts(x, mean, cov)
    return reshape(sum(whitened * whitened, 0) / -2, stack) + constant


@composed
def pdf(x: Operand, mean: Operand = None, cov: Operand = 1.0) -> Array:
    """The density."""
    stack, whitened, constant = _parts(x, mean, cov)
    far = sum(whitened * whitened, 0) > -2 * FAR  # the density is 0 and constant
    distance = sum(where(far, 0.0, whitened) ** 2, 0)
    out = where(far, 0.0, exp(distance / -2 + constant))
    return reshape(out, stack)


@composed
def entropy(mean: Operand = None, cov: Operand = 1.0) -> Array:
    """The differential entropy, in nats."""
    vector = as_operand(cov if mean is None else mean)
    d = vector.shape[-1] if vector.ndim else 1
    factor = _factor(cov, np.ones_like(vector, shape=(d,)))
    return d / 2 * (math.log(math.tau) + 1) + sum(log(diagonal(factor)))
