"""The gamma distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.backend import special_of
from autograd_core.op import composed, op
from autograd_core.ops.elementwise import exp, where
from autograd_core.scipy.declaring import refused
from autograd_core.scipy.special import digamma, rgamma
from autograd_core.scipy.stats.stable import deviance, gamma_series, stirling
from autograd_core.scipy.stats.support import FAR, cumulative, density, either

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

ENDS = (0.0, math.inf)


def _log_x(x: Any, a: Any) -> Any:
    """The slope of the logarithm, (a - 1) / x - 1."""
    return np.where((x == 0) & (a == 1), 0.0, (a - 1) / np.where((x == 0) & (a == 1), 1.0, x)) - 1


@op(
    pointwise=True,
    x=lambda g, x, a: g * _log_x(x, a),
    a=lambda g, x, a: g * (np.log(x) - digamma(a)),
)
def log_density(x: Any, a: Any) -> Any:
    """(a - 1) log(x) - x - gammaln(a). Near its maximum for a large a, where these cancel, it is
    the deviance of x from a."""
    central = (a >= 10) & (np.abs(x - a) < 0.5 * a)
    y, b = np.where(central, x, 10.0), np.where(central, a, 10.0)
    stable = b * deviance(y / b) - stirling(b) + np.log(b / math.tau) / 2 - np.log(y)
    y, b = np.where(central, 1.0, x), np.where(central, 1.0, a)
    functions = special_of(y)
    return np.where(central, stable, functions.xlogy(b - 1, y) - y - functions.gammaln(b))


def _of_powers(x: Any, a: Any) -> Any:
    return x ** (a - 1) * exp(-x) * rgamma(a)


def _of_logarithm(x: Any, a: Any) -> Any:
    far = log_density(x, a) < FAR
    return where(far, 0.0, exp(log_density(where(far, 10.0, x), where(far, 10.0, a))))


def standard_density(x: Any, a: Any) -> Any:
    """x ** (a - 1) exp(-x) / gamma(a): of powers for a small a, so that it has its slopes at 0."""
    x = where(x > 2000 + 4 * a, 2000 + 4 * a, x)
    return either(a < 10, _of_powers, _of_logarithm, (x, 1.0), (a, 10.0))


@op(
    pointwise=True,
    a=refused("gammainc", "a"),
    x=lambda g, a, x: g * standard_density(x, a),
)
def _lower(a: Any, x: Any) -> Any:
    return special_of(x).gammainc(a, x)


@composed
def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density with the shape `a`; -inf below `loc`."""
    return density("gamma.logpdf", log_density, ENDS, x, (a,), loc, scale, True)


@composed
def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density. At `loc` itself the derivatives are those from the right."""
    return density("gamma.pdf", standard_density, ENDS, x, (a,), loc, scale, False)


@composed
def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x. No gradient in `a`."""
    return cumulative("gamma.cdf", lambda z, a: _lower(a, z), ENDS, x, (a,), loc, scale)


def _tail(a: Any, x: Any) -> tuple[Any, Any, Any]:
    """Where the distribution is too small for float64, and the operands there, or harmless ones."""
    small = (special_of(x).gammainc(a, x) < 1e-290) & (x < a + 1)
    return small, np.where(small, a, 1.0), np.where(small, x, 1.0)


@op(
    pointwise=True,
    a=refused("gammainc", "a"),
    x=lambda g, a, x, out: g * (out * (_log_x(x, a) - out)),
)
def _hazard(a: Any, x: Any) -> Any:
    """The density over the distribution, the slope of its logarithm."""
    small, b, y = _tail(a, x)
    ratio = y / b * gamma_series(y, b)
    b, y = np.where(small, 1.0, a), np.where(small, 1.0, x)
    return np.where(small, 1 / ratio, standard_density(y, b) / special_of(y).gammainc(b, y))


@op(pointwise=True, a=refused("gammainc", "a"), x=lambda g, a, x: g * _hazard(a, x))
def _log_lower(a: Any, x: Any) -> Any:
    """The logarithm of the distribution, exact in both tails."""
    small, b, y = _tail(a, x)
    far = np.where(y == 0, -math.inf, log_density(y, b) + np.log(y / b * gamma_series(y, b)))
    functions = special_of(x)
    below, above = functions.gammainc(a, x), functions.gammaincc(a, x)
    low = below < 0.5
    near = np.where(low, np.log(np.where(low & ~small, below, 1.0)), np.log1p(-above))
    return np.where(small, far, near)


@composed
def logcdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`, exact in both tails. No gradient in `a`."""
    formula = lambda z, a: _log_lower(a, z)  # noqa: E731
    return cumulative("gamma.logcdf", formula, ENDS, x, (a,), loc, scale, (-math.inf, 0.0))
