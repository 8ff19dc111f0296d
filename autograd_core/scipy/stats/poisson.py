"""The Poisson distribution, of whole numbers."""

from __future__ import annotations

from typing import Any

from autograd_core.errors import NotDifferentiableError
from autograd_core.op import composed
from autograd_core.ops.contraction import operand
from autograd_core.ops.elementwise import exp, log
from autograd_core.ops.rounding import floor
from autograd_core.scipy.special import gammaincc, gammaln, xlogy
from autograd_core.scipy.stats.support import parameter, within
from autograd_core.tensor import Tensor

__all__ = ["cdf", "logcdf", "logpmf", "pmf"]


def _count(k: Any, loc: Any) -> Any:
    if isinstance(k, Tensor) and k.requires_grad:
        raise NotDifferentiableError(
            "poisson: k has no gradient, being a whole number; detach() it"
        )
    k = operand(k) - loc
    return k if k.dtype.kind == "f" else k * 1.0


@composed
def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The logarithm of the probability of k where the mean is `mu`; -inf where k - loc is negative
    or no whole number. No gradient in k."""
    k = _count(k, loc)
    mu = parameter(mu, k)
    inside = (k >= 0) & (k == floor(k))
    return within(inside, k, lambda k: xlogy(k, mu) - gammaln(k + 1) - mu)


@composed
def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of k."""
    return exp(logpmf(k, mu, loc))


@composed
def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of k or less."""
    k = _count(k, loc)
    mu = parameter(mu, k)
    return within(k >= 0, k, lambda k: gammaincc(floor(k) + 1, mu), 0)


@composed
def logcdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The logarithm of `cdf`."""
    return log(cdf(k, mu, loc))
