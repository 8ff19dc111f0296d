"""The Dirichlet distribution, a distribution of vectors of probabilities that sum to 1."""

from __future__ import annotations

import math
from typing import Any

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops.elementwise import exp, where
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import any, sum
from autograd_core.ops.scans import prod
from autograd_core.ops.shaping import reshape
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.special import gammaln, xlogy
from autograd_core.scipy.stats.support import _known, rounded, valid, widened

__all__ = ["logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "dirichlet")


def _parameters(x: Array, alpha: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return the dtype of the result, the mask of the vectors that have an element outside [0, 1],
    x with these vectors replaced by 1 / 2, the exponents alpha - 1, and the logarithm of the
    constant factor."""
    dtype, (x, alpha) = widened("dirichlet", as_operand(x), as_operand(alpha))
    if alpha.ndim != 1 or x.ndim not in (1, 2) or x.shape[0] != alpha.shape[0]:
        raise ShapeError(
            "dirichlet: x must have shape (k,) or (k, n), and alpha (k,); they have shapes "
            f"{x.shape} and {alpha.shape}"
        )
    alpha = _known(alpha, valid(alpha))
    exponents = alpha if x.ndim == 1 else reshape(alpha, (-1, 1))
    outside = any((x < 0) | (x > 1), 0)
    constant = gammaln(sum(alpha)) - sum(gammaln(alpha))
    return dtype, outside, where(outside, 0.5, x), exponents - 1, constant


@composed
def logpdf(x: Operand, alpha: Operand) -> Array:
    """The logarithm of the density at x (k,), or at each column of x (k, n), with the parameters
    `alpha` (k,); -inf if an element is outside [0, 1]. x must contain all k probabilities,
    including the last. Their sum is not checked."""
    dtype, outside, x, exponents, constant = _parameters(x, alpha)
    out = constant + sum(xlogy(exponents, x), 0)
    return rounded(where(outside, -math.inf, out), dtype)


@composed
def pdf(x: Operand, alpha: Operand) -> Array:
    """The density. Where an element of x is 0, its derivatives are one-sided, from inside the
    support."""
    dtype, outside, x, exponents, constant = _parameters(x, alpha)
    small = exponents < 10  # computed as powers, which have derivatives at 0, not with logarithms
    rest = exp(constant + sum(xlogy(where(small, 0.0, exponents), x), 0))
    out = rest * prod(x ** where(small, exponents, 0.0), 0)
    return rounded(where(outside, 0.0, out), dtype)
