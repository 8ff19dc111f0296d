"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

from autograd_core.op import composed
from autograd_core.ops.elementwise import exp, log, log1p
from autograd_core.scipy.special import gammaln, stdtr
from autograd_core.scipy.stats.support import log_scale, parameter, standard

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


@composed
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density with `df` degrees of freedom."""
    z = standard(x, loc, scale)
    df = parameter(df, z)
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - log(df * math.pi) / 2
    return constant - (df + 1) / 2 * log1p(z * z / df) - log_scale(scale)


@composed
def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return exp(logpdf(x, df, loc, scale))


@composed
def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x. No gradient in `df`."""
    z = standard(x, loc, scale)
    return stdtr(parameter(df, z), z)


@composed
def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return log(cdf(x, df, loc, scale))
