"""The chi-squared distribution: the gamma distribution with shape df / 2 and twice the scale."""

from __future__ import annotations

import math
from typing import Any

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.stats import gamma
from autograd_core.scipy.stats.support import cumulative, density

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "chi2")


def _scaled_log(distance: Array, scale: Any, df: Any) -> Array:
    return gamma._scaled_log(distance, 2 * scale, df / 2)


def _density(distance: Array, scale: Any, df: Any) -> Array:
    return gamma.scaled_density(distance, 2 * scale, df / 2)


@composed
def logpdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of the density with `df` degrees of freedom; -inf below `loc`."""
    return density("chi2.logpdf", _scaled_log, gamma.ENDS, x, (df,), loc, scale, True, True)


@composed
def pdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The density."""
    return density("chi2.pdf", _density, gamma.ENDS, x, (df,), loc, scale, False, True)


@composed
def cdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value up to x. Not differentiable with respect to `df`."""
    formula = lambda z, df: gamma._lower(df / 2, z / 2)  # noqa: E731
    return cumulative("chi2.cdf", formula, gamma.ENDS, x, (df,), loc, scale)


@composed
def logcdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `cdf`. Not differentiable with respect to `df`."""
    formula, beyond = (lambda z, df: gamma._log_lower(df / 2, z / 2)), (-math.inf, 0.0)
    return cumulative("chi2.logcdf", formula, gamma.ENDS, x, (df,), loc, scale, beyond)
