"""The Dirichlet distribution, of probabilities that sum to 1."""

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
from autograd_core.scipy.special import gammaln, xlogy
from autograd_core.scipy.stats.support import _known, rounded, valid, widened

__all__ = ["logpdf", "pdf"]


def _parameters(x: Array, alpha: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The dtype of the result, a mask of x outside [0, 1], x (1 / 2 there), the exponents, and the
    logarithm of the constant factor."""
    dtype, (x, alpha) = widened("dirichlet", as_operand(x), as_operand(alpha))
    if alpha.ndim != 1 or x.ndim not in (1, 2) or x.shape[0] != alpha.shape[0]:
        raise ShapeError(
            "dirichlet: x (k,) or (k, n) and alpha (k,) are needed; they have shapes "
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
    `alpha` (k,); -inf outside [0, 1]. All elements of x must be given, including the last; it is
    not checked that they sum to 1."""
    dtype, outside, x, exponents, constant = _parameters(x, alpha)
    out = constant + sum(xlogy(exponents, x), 0)
    return rounded(where(outside, -math.inf, out), dtype)


@composed
def pdf(x: Operand, alpha: Operand) -> Array:
    """The density. Where a probability is 0 the derivatives are one-sided, from inside."""
    dtype, outside, x, exponents, constant = _parameters(x, alpha)
    small = exponents < 10  # as powers, which have derivatives at 0; others as logarithms
    rest = exp(constant + sum(xlogy(where(small, 0.0, exponents), x), 0))
    out = rest * prod(x ** where(small, exponents, 0.0), 0)
    return rounded(where(outside, 0.0, out), dtype)
