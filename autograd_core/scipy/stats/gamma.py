"""The gamma distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices.backend import special_of
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Operand
from autograd_core.ops.elementwise import exp, where
from autograd_core.scipy.declaring import refused
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.special import digamma, rgamma
from autograd_core.scipy.stats.powers import _pole, _power
from autograd_core.scipy.stats.stable import deviance, gamma_fraction, in_tail, stirling
from autograd_core.scipy.stats.support import FAR, _units, cumulative, density, either

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "gamma")

ENDS = (0.0, math.inf)


def gamma_log(a: Array) -> Array:
    """gammaln(a), without a gradient rule. SciPy's gammaln is infinite for the smallest numbers."""
    tiny = (a > 0) & (a < 1e-300)
    return np.where(tiny, -np.log(np.where(tiny, a, 1.0)), special_of(a).gammaln(a + tiny))


def _log_x(x: Array, a: Array) -> Array:
    """The derivative of the logarithm of the density, (a - 1) / x - 1."""
    return np.where((x == 0) & (a == 1), 0.0, (a - 1) / np.where((x == 0) & (a == 1), 1.0, x)) - 1


@op(
    pointwise=True,
    x=lambda g, x, a: g * _log_x(x, a),
    a=lambda g, x, a: g * (np.log(x) - digamma(a)),
)
def _log_density(x: Array, a: Array) -> Array:
    """(a - 1) log(x) - x - gammaln(a). Near the maximum for large a, where these terms cancel, it
    is computed from the deviance of x from a."""
    central = (a >= 10) & (np.abs(x - a) < 0.5 * a)
    y, b = np.where(central, x, 10.0), np.where(central, a, 10.0)
    stable = b * deviance(y / b) - stirling(b) + np.log(b / math.tau) / 2 - np.log(y)
    y, b = np.where(central, 1.0, x), np.where(central, 1.0, a)
    functions = special_of(y)
    return np.where(central, stable, functions.xlogy(b - 1, y) - y - gamma_log(b))


@op(
    pointwise=True,
    distance=lambda g, distance, scale, a: g * (_log_x(distance / scale, a) / scale),
    scale=lambda g, distance, scale, a: g * ((distance / scale - a) / scale),
    a=lambda g, distance, scale, a: g * (np.log(distance / scale) - digamma(a)),
)
def _scaled_log(distance: Array, scale: Array, a: Array) -> Array:
    """log(density(distance / scale) / scale)."""
    return _log_density(distance / scale, a) - np.log(scale)


@op(
    pointwise=True,
    distance=lambda g, distance, scale, a, out: g * (out * _log_x(distance / scale, a) / scale),
    scale=lambda g, distance, scale, a, out: g * (out * (distance / scale - a) / scale),
    a=lambda g, distance, scale, out: g * (out * np.log(distance / scale)),
)
def _right(distance: Array, scale: Array, a: Array) -> Array:
    """gamma(a) times the density, for distance > scale. In a derivative, it is multiplied by the
    derivative of its logarithm, which is small, so that no digits are lost even if the density is
    subnormal."""
    z = distance / scale
    root = np.exp(z / -2)
    return z ** (a - 1) * root / scale * root


def _of_powers(distance: Array, scale: Any, a: Array) -> Array:
    """The density for small a. It is computed with a power, so that it has derivatives at 0."""
    far = distance > (2000 + 4 * a) * scale
    distance, scale = where(far, 1.0, distance), where(far, 1.0, scale)
    left = lambda x, s, a: _power(x, s, a) * exp(-_units(x, s))  # noqa: E731
    out = either(distance < scale, left, _right, (distance, 1.0), (scale, 1.0), (a, 1.0))
    return where(far, 0.0, out * rgamma(a))


def _regular(distance: Array, scale: Any, a: Array) -> Array:
    large = lambda x, s, a: _of_logarithm(_units(x, s), a) / s  # noqa: E731
    return either(a < 10, _of_powers, large, (distance, 1.0), (scale, 1.0), (a, 10.0))


def _of_logarithm(x: Array, a: Array) -> Array:
    far = _log_density(x, a) < FAR
    return where(far, 0.0, exp(_log_density(where(far, 10.0, x), where(far, 10.0, a))))


def scaled_density(distance: Array, scale: Any, a: Array) -> Array:
    """density(distance / scale) / scale."""
    infinite = (distance == 0) & (a < 1)
    first = lambda x, s, a: _pole(x, s, a, 1.0)  # noqa: E731
    return either(infinite, first, _regular, (distance, 1.0), (scale, 1.0), (a, 2.0))


def standard_density(x: Array, a: Array) -> Array:
    """x ** (a - 1) exp(-x) / gamma(a)."""
    return scaled_density(x, 1.0, a)


@op(
    pointwise=True,
    a=refused("gammainc", "a"),
    x=lambda g, a, x: g * standard_density(x, a),
)
def _lower(a: Array, x: Array) -> Array:
    return special_of(x).gammainc(a, x)


@composed
def logpdf(x: Operand, a: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of the density with the shape parameter `a`; -inf below `loc`."""
    return density("gamma.logpdf", _scaled_log, ENDS, x, (a,), loc, scale, True, True)


@composed
def pdf(x: Operand, a: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The density. At `loc`, its derivatives are taken from the right."""
    return density("gamma.pdf", scaled_density, ENDS, x, (a,), loc, scale, False, True)


@composed
def cdf(x: Operand, a: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value up to x. Not differentiable with respect to `a`."""
    return cumulative("gamma.cdf", lambda z, a: _lower(a, z), ENDS, x, (a,), loc, scale)


def _tail(a: Array, x: Array) -> Array:
    """True where the distribution function of SciPy underflows, or is less accurate than the
    continued fraction."""
    return (special_of(x).gammainc(a, x) < 1e-290) & (x < a + 1) | (x < 0.1 * a)


def _ratio(a: Array, x: Array) -> Array:
    """The distribution function divided by the density, for x far below the centre of the
    distribution."""
    return x / a * gamma_fraction(x, a)


def _log_far(a: Array, x: Array) -> Array:
    there, y = x > 0, np.where(x > 0, x, 1.0)
    tiny = a < 1e-8  # where 1 + a loses the digits of a
    constant = np.where(tiny, -np.euler_gamma * a, gamma_log(a + 1)) - np.log(gamma_fraction(y, a))
    return np.where(there, a * np.log(y) - y - constant, -math.inf)


@op(
    pointwise=True,
    a=refused("gammainc", "a"),
    x=lambda g, a, x, out: g * (out * (_log_x(x, a) - out)),
)
def _hazard(a: Array, x: Array) -> Array:
    """The density divided by the distribution function, which is the derivative of the logarithm of
    the distribution function."""
    small = _tail(a, x)
    ratio = in_tail(small, _ratio, (a, 1.0), (x, 1.0))
    b, y = np.where(small, 1.0, a), np.where(small, 1.0, x)
    return np.where(small, 1 / ratio, standard_density(y, b) / special_of(y).gammainc(b, y))


@op(pointwise=True, a=refused("gammainc", "a"), x=lambda g, a, x: g * _hazard(a, x))
def _log_lower(a: Array, x: Array) -> Array:
    """The logarithm of the distribution function, accurate in both tails."""
    small = _tail(a, x)
    far = in_tail(small, _log_far, (a, 1.0), (x, 1.0))
    functions = special_of(x)
    below, above = functions.gammainc(a, x), functions.gammaincc(a, x)
    low = below < 0.5
    near = np.where(
        low,
        np.log(np.where(low & ~small, below, 1.0)),
        np.log1p(-np.where(low | small, 0.0, above)),
    )
    return np.where(small, far, near)


@composed
def logcdf(x: Operand, a: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `cdf`, accurate in both tails. Not differentiable with respect to `a`."""
    formula = lambda z, a: _log_lower(a, z)  # noqa: E731
    return cumulative("gamma.logcdf", formula, ENDS, x, (a,), loc, scale, (-math.inf, 0.0))
