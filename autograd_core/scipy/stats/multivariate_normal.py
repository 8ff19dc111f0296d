"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.errors import ShapeError
from autograd_core.op import composed
from autograd_core.ops.contraction import operand
from autograd_core.ops.diagonals import diag, diagonal
from autograd_core.ops.elementwise import exp, log, sqrt
from autograd_core.ops.linalg import cholesky, solve
from autograd_core.ops.reductions import sum
from autograd_core.ops.shaping import reshape

__all__ = ["entropy", "logpdf", "pdf"]


def _factor(cov: Any, ones: Any) -> Any:
    """The lower triangular factor of a covariance matrix, or of a diagonal one that is given as a
    vector of variances, or as one variance for all."""
    cov = operand(cov)
    d = ones.shape[0]
    if cov.shape not in ((), (d,), (d, d)):
        raise ShapeError(
            f"multivariate_normal: for vectors of {d} elements cov is a number, ({d},) or "
            f"({d}, {d}); it has shape {cov.shape}"
        )
    return cholesky(cov) if cov.ndim == 2 else diag(sqrt(cov * ones))


@composed
def logpdf(x: Any, mean: Any = None, cov: Any = 1.0) -> Any:
    """The logarithm of the density of vectors x (..., d), with the mean (d,) and the covariance
    matrix (d, d), which must be positive definite; a vector of variances or one for all will do.

    The gradient in the matrix is symmetric. Raises LinAlgError where it is not positive definite.
    """
    x = operand(x)
    if x.ndim == 0:
        x = reshape(x, (1,))
    x = x if mean is None else x - mean
    d = x.shape[-1]
    factor = _factor(cov, np.ones_like(x, shape=(d,)))
    flat = reshape(x, (math.prod(x.shape[:-1]), d))
    whitened = solve(factor, flat.T)
    distance = reshape(sum(whitened * whitened, 0), x.shape[:-1])
    return -(distance + d * math.log(math.tau)) / 2 - sum(log(diagonal(factor)))


@composed
def pdf(x: Any, mean: Any = None, cov: Any = 1.0) -> Any:
    """The density."""
    return exp(logpdf(x, mean, cov))


@composed
def entropy(mean: Any = None, cov: Any = 1.0) -> Any:
    """The differential entropy, in nats."""
    vector = operand(cov if mean is None else mean)
    d = vector.shape[-1] if vector.ndim else 1
    factor = _factor(cov, np.ones_like(vector, shape=(d,)))
    return d / 2 * (math.log(math.tau) + 1) + sum(log(diagonal(factor)))
