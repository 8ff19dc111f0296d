"""The gamma distribution."""

from __future__ import annotations

from typing import Any

from autograd_core.op import composed
from autograd_core.ops.elementwise import exp, log
from autograd_core.scipy.special import gammainc, gammaln, xlogy
from autograd_core.scipy.stats.support import log_scale, parameter, standard, within

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


@composed
def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density with the shape `a`; -inf below `loc`."""
    x = standard(x, loc, scale)
    a = parameter(a, x)
    return within(x >= 0, x, lambda x: xlogy(a - 1, x) - x - gammaln(a) - log_scale(scale))


@composed
def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return exp(logpdf(x, a, loc, scale))


@composed
def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x. No gradient in `a`."""
    x = standard(x, loc, scale)
    a = parameter(a, x)
    return within(x > 0, x, lambda x: gammainc(a, x), 0)


@composed
def logcdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return log(cdf(x, a, loc, scale))
