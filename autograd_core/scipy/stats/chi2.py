"""The chi-squared distribution: a gamma distribution, with the shape df / 2 and twice the scale."""

from __future__ import annotations

from typing import Any

from autograd_core.op import composed
from autograd_core.scipy.stats import gamma

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


@composed
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density with `df` degrees of freedom; -inf below `loc`."""
    return gamma.logpdf(x, df / 2, loc, 2 * scale)


@composed
def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return gamma.pdf(x, df / 2, loc, 2 * scale)


@composed
def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x. No gradient in `df`."""
    return gamma.cdf(x, df / 2, loc, 2 * scale)


@composed
def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return gamma.logcdf(x, df / 2, loc, 2 * scale)
