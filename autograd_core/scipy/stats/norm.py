"""The normal distribution."""

from __future__ import annotations

import math

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.scipy.declaring import ROOT_TAU
from autograd_core.scipy.gaussian import _gauss, log_ndtr, ndtr
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.stats.support import cumulative, density

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

__getattr__ = passed_through("scipy.stats", "norm")

LOG_ROOT_TAU = math.log(math.tau) / 2
EVERYWHERE = (-math.inf, math.inf)
FAR = (-60.0, 60.0)  # beyond these values of z the density is 0 in float64, for every scale


def standard_logpdf(z: Array) -> Array:
    """The logarithm of the density with mean 0 and standard deviation 1."""
    return -(z**2) / 2 - LOG_ROOT_TAU


def standard_pdf(z: Array) -> Array:
    """The density with mean 0 and standard deviation 1."""
    return _gauss(z, 0.5, 1 / ROOT_TAU)


@composed
def logpdf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of the density, with mean `loc` and standard deviation `scale`."""
    return density("norm.logpdf", standard_logpdf, EVERYWHERE, x, (), loc, scale, True)


@composed
def pdf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The density."""
    return density("norm.pdf", standard_pdf, FAR, x, (), loc, scale, False)


@composed
def cdf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value up to x."""
    return cumulative("norm.cdf", ndtr, FAR, x, (), loc, scale)


@composed
def logcdf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `cdf`, finite for any finite x."""
    ends = (-math.inf, FAR[1])
    return cumulative("norm.logcdf", log_ndtr, ends, x, (), loc, scale, (-math.inf, 0.0))


@composed
def sf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value above x."""
    return cumulative("norm.sf", lambda z: ndtr(-z), FAR, x, (), loc, scale, (1.0, 0.0))


@composed
def logsf(x: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `sf`, finite for any finite x."""
    ends = (FAR[0], math.inf)
    formula = lambda z: log_ndtr(-z)  # noqa: E731
    return cumulative("norm.logsf", formula, ends, x, (), loc, scale, (0.0, -math.inf))
