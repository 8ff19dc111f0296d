"""The Dirichlet distribution, of probabilities that sum to 1."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import ShapeError
from autograd_core.op import composed
from autograd_core.ops.contraction import operand
from autograd_core.ops.elementwise import exp
from autograd_core.ops.reductions import sum
from autograd_core.ops.shaping import reshape
from autograd_core.scipy.special import gammaln, xlogy
from autograd_core.scipy.stats.support import _known, valid

__all__ = ["logpdf", "pdf"]


@composed
def logpdf(x: Any, alpha: Any) -> Any:
    """The logarithm of the density at x (k,), or at each column of x (k, n), with the parameters
    `alpha` (k,). All numbers of x must be given, also the last; that they sum to 1 is not looked
    at."""
    x, alpha = operand(x), operand(alpha)
    if alpha.ndim != 1 or x.ndim not in (1, 2) or x.shape[0] != alpha.shape[0]:
        raise ShapeError(
            "dirichlet: x (k,) or (k, n) and alpha (k,) are needed; they have shapes "
            f"{x.shape} and {alpha.shape}"
        )
    alpha = _known(alpha, valid(alpha))
    constant = gammaln(sum(alpha)) - sum(gammaln(alpha))
    powers = alpha if x.ndim == 1 else reshape(alpha, (-1, 1))
    return constant + sum(xlogy(powers - 1, x), 0)


@composed
def pdf(x: Any, alpha: Any) -> Any:
    """The density."""
    return exp(logpdf(x, alpha))
