"""The beta distribution."""

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
from autograd_core.scipy.psi import _psi_difference
from autograd_core.scipy.special import xlog1py, xlogy
from autograd_core.scipy.stats.powers import _pole, _power
from autograd_core.scipy.stats.stable import (
    beta_fraction,
    deviance,
    in_tail,
    stirling,
)
from autograd_core.scipy.stats.support import FAR, _units, cumulative, density, either

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "beta")

ENDS = (0.0, 1.0)


def _log_x(x: Array, a: Array, b: Array) -> Array:
    low, high = (x == 0) & (a == 1), (x == 1) & (b == 1)
    left = np.where(low, 0.0, (a - 1) / np.where(low, 1.0, x))
    return left - np.where(high, 0.0, (b - 1) / np.where(high, 1.0, 1 - x))


def _sum(a: Array, b: Array) -> Array:
    """stirling(a) + stirling(b) - stirling(a + b)."""
    return stirling(a) + stirling(b) - stirling(a + b)


@op(
    pointwise=True,
    a=lambda g, a, b: g * -_psi_difference(0, a, b),
    b=lambda g, a, b: g * -_psi_difference(0, b, a),
)
def _log_beta(a: Array, b: Array) -> Array:
    """The logarithm of the beta function, accurate also if one of a and b is much larger than the
    other."""
    large, small = np.maximum(a, b), np.minimum(a, b)
    r = small / large
    logs = small * (np.log(small) - np.log(a + b)) - (large - 0.5) * np.log1p(r)
    stable = math.log(math.tau) / 2 + logs - np.log(small) / 2 + _sum(a, b)
    tiny = np.log(a + b) - np.log(a) - np.log(b)  # where SciPy's betaln is infinite
    near = np.where(small < 1e-300, np.where(large < 1e-30, tiny, -np.log(small)), 0.0)
    direct = np.where(small < 1e-300, near, special_of(a).betaln(a, b))
    return np.where(large < 10, direct, stable)


@op(
    pointwise=True,
    x=lambda g, x, a, b: g * _log_x(x, a, b),
    a=lambda g, x, a, b: g * (np.log(x) + _psi_difference(0, a, b)),
    b=lambda g, x, a, b: g * (np.log1p(-x) + _psi_difference(0, b, a)),
)
def _log_density(x: Array, a: Array, b: Array) -> Array:
    """(a - 1) log(x) + (b - 1) log(1 - x) - _log_beta(a, b). Near the maximum for large a and b,
    where these terms cancel, it is computed from two deviances."""
    n = a + b
    left, right = n * x / a, n * (1 - x) / b
    central = (a >= 10) & (b >= 10) & (np.abs(left - 1) < 0.5) & (np.abs(right - 1) < 0.5)
    y, p, q = np.where(central, x, 0.5), np.where(central, a, 10.0), np.where(central, b, 10.0)
    left, right = np.where(central, left, 1.0), np.where(central, right, 1.0)
    constant = np.log(p / (p + q) * q / math.tau) / 2 - _sum(p, q)
    stable = p * deviance(left) + q * deviance(right) + constant - np.log(y) - np.log1p(-y)
    y, p, q = np.where(central, 0.5, x), np.where(central, 1.0, a), np.where(central, 1.0, b)
    functions = special_of(y)
    plain = functions.xlogy(p - 1, y) + functions.xlog1py(q - 1, -y) - _log_beta(p, q)
    return np.where(central, stable, plain)


@op(
    pointwise=True,
    distance=lambda g, distance, scale, a, b: g * (_log_x(distance / scale, a, b) / scale),
    scale=lambda g, distance, scale, a, b: g * _log_scale(distance / scale, scale, a, b),
    a=lambda g, distance, scale, a, b: g * (np.log(distance / scale) + _psi_difference(0, a, b)),
    b=lambda g, distance, scale, a, b: g * (np.log1p(-distance / scale) + _psi_difference(0, b, a)),
)
def _scaled_log(distance: Array, scale: Array, a: Array, b: Array) -> Array:
    """log(density(distance / scale) / scale)."""
    return _log_density(distance / scale, a, b) - np.log(scale)


def _log_scale(x: Array, scale: Any, a: Array, b: Array) -> Array:
    high = (x == 1) & (b == 1)
    return (np.where(high, 0.0, (b - 1) * x / np.where(high, 1.0, 1 - x)) - a) / scale


def _of_logarithm(x: Array, a: Array, b: Array) -> Array:
    far = _log_density(x, a, b) < FAR
    x, a, b = where(far, 0.5, x), where(far, 1.0, a), where(far, 1.0, b)
    return where(far, 0.0, exp(_log_density(x, a, b)))


def _rest(x: Array, a: Array, b: Array) -> Array:
    """The logarithm of the density without the powers of x (if a < 10) and of 1 - x (if b < 10).
    The beta function is evaluated at a + 1 and b + 1, so that the result is smooth at small a and
    b."""
    left, right = where(a < 10, 1.0, a), where(b < 10, 1.0, b)
    return xlogy(left - 1, x) + xlog1py(right - 1, -x) - _log_beta(a + 1, b + 1)


def _of_powers(distance: Array, scale: Any, a: Array, b: Array) -> Array:
    """The density. The factor of x (if a < 10) and the factor of 1 - x (if b < 10) are computed as
    powers, so that they have derivatives at the ends of the support."""
    left, right, x = a < 10, b < 10, _units(distance, scale)
    powers = _power(distance, scale, where(left, a, 1.0)) * _power(1 - x, 1.0, where(right, b, 1.0))
    far = _rest(x, a, b) < FAR
    out = exp(_rest(where(far, 0.5, x), where(far, 1.0, a), where(far, 1.0, b)))
    return where(far, 0.0, powers * out * (a * (b / (a + b)) / (a + b + 1)))


def _regular(distance: Array, scale: Any, a: Array, b: Array) -> Array:
    large = lambda x, s, a, b: _of_logarithm(_units(x, s), a, b) / s  # noqa: E731
    operands = (distance, 0.5), (scale, 1.0), (a, 10.0), (b, 10.0)
    return either((a >= 10) & (b >= 10), large, _of_powers, *operands)


def _scaled_density(distance: Array, scale: Any, a: Array, b: Array) -> Array:
    """density(distance / scale) / scale."""
    infinite = (distance == 0) & (a < 1) | (distance == scale) & (b < 1)
    operands = (distance, 0.5), (scale, 1.0), (a, 2.0), (b, 2.0)
    return either(infinite, _pole, _regular, *operands)


def _density(x: Array, a: Array, b: Array) -> Array:
    return _scaled_density(x, 1.0, a, b)


@op(
    pointwise=True,
    a=refused("betainc", "a"),
    b=refused("betainc", "b"),
    x=lambda g, a, b, x: g * _density(x, a, b),
)
def _lower(a: Array, b: Array, x: Array) -> Array:
    return special_of(x).betainc(a, b, x)


def _tail(a: Array, b: Array, x: Array) -> Array:
    """True where the distribution function of SciPy underflows, or is less accurate than the
    continued fraction."""
    centre = a / (a + b)
    return (special_of(x).betainc(a, b, x) < 1e-290) & (x < centre) | (x < 0.1 * centre)


def _ratio(a: Array, b: Array, x: Array) -> Array:
    """The distribution function divided by the density, for x far below the centre of the
    distribution."""
    return x * (1 - x) / a * beta_fraction(x, a, b)


def _log_far(a: Array, b: Array, x: Array) -> Array:
    there, y = x > 0, np.where(x > 0, x, 0.5)
    tiny = (a < 1e-8) & (a < 1e-8 * b)  # where 1 + a loses the digits of a
    slope = -np.euler_gamma - special_of(b).digamma(b)
    constant = np.where(tiny, a * slope, _log_beta(a + 1, b) + np.log(a + b))
    constant = constant - np.log(beta_fraction(y, a, b))
    return np.where(there, a * np.log(y) + b * np.log1p(-y) - constant, -math.inf)


def _hazard_slope(x: Array, a: Array, b: Array, out: Array) -> Array:
    end = (x == 1) & (b > 2)
    return np.where(end, 0.0, out * (_log_x(np.where(end, 0.5, x), a, b) - out))


@op(
    pointwise=True,
    a=refused("betainc", "a"),
    b=refused("betainc", "b"),
    x=lambda g, a, b, x, out: g * _hazard_slope(x, a, b, out),
)
def _hazard(a: Array, b: Array, x: Array) -> Array:
    """The density divided by the distribution function, which is the derivative of the logarithm of
    the distribution function."""
    small = _tail(a, b, x)
    far = 1 / in_tail(small, _ratio, (a, 1.0), (b, 1.0), (x, 0.5))
    p, q, y = np.where(small, 1.0, a), np.where(small, 1.0, b), np.where(small, 0.5, x)
    return np.where(small, far, _density(y, p, q) / special_of(y).betainc(p, q, y))


@op(
    pointwise=True,
    a=refused("betainc", "a"),
    b=refused("betainc", "b"),
    x=lambda g, a, b, x: g * _hazard(a, b, x),
)
def _log_lower(a: Array, b: Array, x: Array) -> Array:
    """The logarithm of the distribution function, accurate in both tails."""
    small = _tail(a, b, x)
    far = in_tail(small, _log_far, (a, 1.0), (b, 1.0), (x, 0.5))
    functions = special_of(x)
    below, above = functions.betainc(a, b, x), functions.betainc(b, a, 1 - x)
    low = below < 0.5
    near = np.where(
        low,
        np.log(np.where(low & ~small, below, 1.0)),
        np.log1p(-np.where(low | small, 0.0, above)),
    )
    return np.where(small, far, near)


@composed
def logpdf(x: Operand, a: Operand, b: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of the density with the shape parameters `a` and `b`. The result is -inf where
    (x - loc) / scale is outside [0, 1]."""
    return density("beta.logpdf", _scaled_log, ENDS, x, (a, b), loc, scale, True, True)


@composed
def pdf(x: Operand, a: Operand, b: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The density. At the ends of the support, its derivatives are one-sided, from inside the
    support."""
    return density("beta.pdf", _scaled_density, ENDS, x, (a, b), loc, scale, False, True)


@composed
def cdf(x: Operand, a: Operand, b: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value up to x. Not differentiable with respect to `a` and `b`."""
    formula = lambda z, a, b: _lower(a, b, z)  # noqa: E731
    return cumulative("beta.cdf", formula, ENDS, x, (a, b), loc, scale)


@composed
def logcdf(x: Operand, a: Operand, b: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `cdf`, accurate in both tails. Not differentiable with respect to `a` and
    `b`."""
    formula, beyond = (lambda z, a, b: _log_lower(a, b, z)), (-math.inf, 0.0)
    return cumulative("beta.logcdf", formula, ENDS, x, (a, b), loc, scale, beyond)
