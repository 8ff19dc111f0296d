"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from autograd_core.op import composed
from autograd_core.ops.elementwise import exp
from autograd_core.scipy.special import log_ndtr, ndtr
from autograd_core.scipy.stats.support import log_scale, standard

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

LOG_ROOT_TAU = math.log(math.tau) / 2


@composed
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density, with mean `loc` and standard deviation `scale`."""
    return -(standard(x, loc, scale) ** 2) / 2 - LOG_ROOT_TAU - log_scale(scale)


@composed
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return exp(logpdf(x, loc, scale))


@composed
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x."""
    return ndtr(standard(x, loc, scale))


@composed
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`, finite for any finite x."""
    return log_ndtr(standard(x, loc, scale))


@composed
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return ndtr(-standard(x, loc, scale))


@composed
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`, finite for any finite x."""
    return log_ndtr(-standard(x, loc, scale))
