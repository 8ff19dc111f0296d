"""Student's t distribution; with infinite degrees of freedom, the normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices.backend import special_of
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Operand
from autograd_core.ops.elementwise import absolute, exp, log, log1p, sqrt, where
from autograd_core.scipy.declaring import refused
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.special import entr, gammaln
from autograd_core.scipy.stats import norm
from autograd_core.scipy.stats.powers import _power
from autograd_core.scipy.stats.stable import _log1p_less, _student_constant, beta_fraction, in_tail
from autograd_core.scipy.stats.support import FAR, _units, cumulative, density, either

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]

__getattr__ = passed_through("scipy.stats", "t")


def _near(z: Array, df: Any) -> Array:
    """-(df + 1) / 2 log1p(z² / df) for z² < df, computed as -z² / 2, its limit for large df, plus a
    correction."""
    q = z * z / df
    return -(z * z) / 2 - q / 2 - (df + 1) / 2 * _log1p_less(q)


def _beyond(z: Array, df: Any) -> Array:
    y = absolute(z) / sqrt(df)
    return -(df + 1) * (log(y) + log1p((1 / y) ** 2) / 2)


def _finite_log(z: Array, df: Any) -> Array:
    constant = _student_constant(0, df / 2) - norm.LOG_ROOT_TAU
    near = ~(absolute(z) > sqrt(df))
    return constant + either(near, _near, _beyond, (z, 1.0), (df, 1.0))


def _of_logarithm(z: Array, df: Any) -> Array:
    far = _finite_log(z, df) < FAR
    return where(far, 0.0, exp(_finite_log(where(far, 1.0, z), where(far, 1.0, df))))


@op(
    pointwise=True,
    distance=lambda g, distance, out: g * (distance / out),
    scale=lambda g, scale, df, out: g * (df * scale / out),
    df=lambda g, scale, out: g * (scale / out * scale / 2),
)
def _radius(distance: Array, scale: Array, df: Array) -> Array:
    """sqrt(distance² + df * scale²)."""
    return np.hypot(distance, np.sqrt(df) * scale)


def _constant(df: Any) -> Array:
    """log(density * radius ** (df + 1) / (df * scale ** df)), which depends only on df."""
    gammas = gammaln((df + 1) / 2) - gammaln(df / 2 + 1)
    return gammas - entr(df) / 2 - math.log(4 * math.pi) / 2


def _few(distance: Array, scale: Any, df: Any) -> Array:
    """The density for a small df, computed without its logarithm."""
    return df * exp(_constant(df)) * _power(scale, _radius(distance, scale, df), df + 1)


def _few_log(distance: Array, scale: Any, df: Any) -> Array:
    radius = log(_radius(distance, scale, df))
    return log(df) + _constant(df) + df * (log(scale) - radius) - radius


def _normal(z: Array, df: Any) -> Array:
    far = absolute(z) > norm.FAR[1]
    return where(far, 0.0, norm.standard_pdf(where(far, 1.0, z)))


def _many(distance: Array, scale: Any, df: Any) -> Array:
    z = _units(distance, scale)
    return either(df == math.inf, _normal, _of_logarithm, (z, 1.0), (df, 10.0)) / scale


def _many_log(distance: Array, scale: Any, df: Any) -> Array:
    z, normal = _units(distance, scale), lambda z, df: norm.standard_logpdf(z)
    return either(df == math.inf, normal, _finite_log, (z, 1.0), (df, 10.0)) - log(scale)


def _of_few(distance: Array, scale: Any, df: Any) -> Array:
    """True where the formula for few degrees of freedom is accurate."""
    return (df < 1) | ((df < 10) & (abs(distance) > sqrt(df) * scale))


def _scaled_density(distance: Array, scale: Any, df: Any) -> Array:
    few = _of_few(distance, scale, df)
    return either(few, _few, _many, (distance, 1.0), (scale, 1.0), (df, 10.0))


def _scaled_log(distance: Array, scale: Any, df: Any) -> Array:
    few = _of_few(distance, scale, df)
    return either(few, _few_log, _many_log, (distance, 1.0), (scale, 1.0), (df, 10.0))


def _density(z: Array, df: Any) -> Array:
    return _scaled_density(z, 1.0, df)


@op(pointwise=True, df=refused("stdtr", "df"), z=lambda g, df, z: g * _density(z, df))
def _lower(df: Array, z: Array) -> Array:
    return special_of(z).stdtr(df, z)


def _tail(df: Any, z: Array) -> Array:
    """True where the distribution function of SciPy underflows, or is less accurate than the
    continued fraction."""
    small = (special_of(z).stdtr(df, z) < 1e-290) | (np.abs(z) > 10 * np.sqrt(df))
    return small & (z < 0) & (df < math.inf)


def _ratio(df: Any, z: Array) -> Array:
    """df * cdf(z) / pdf(z) in the lower tail, where cdf is the distribution function."""
    root = np.sqrt(df) / z  # not z / sqrt(df), whose square may overflow
    share = root * root / (1 + root * root)
    return -z * beta_fraction(share, df / 2, 0.5)


def _few_far(df: Any, z: Array) -> Array:
    """The distribution function in the lower tail for a small df, without its logarithm."""
    radius = np.hypot(z, np.sqrt(df))
    return np.exp(_constant(df)) * (1 / radius) ** df * (_ratio(df, z) / radius)


def _log_far(df: Any, z: Array) -> Array:
    return _scaled_log(z, 1.0, df) - np.log(df) + np.log(_ratio(df, z))


def _slope(z: Array, df: Any) -> Array:
    """The derivative of the logarithm of the density with respect to z."""
    y = np.where(df == math.inf, 0.0, z / np.sqrt(df))
    inner, outer = np.where(abs(y) > 1, 0.0, y), np.where(abs(y) > 1, z, 1.0)
    far = -(df + 1) / outer / (1 + (df / outer) / outer)
    near = -z * np.where(df == math.inf, 1.0, 1 + 1 / df) / (1 + inner * inner)
    return np.where(abs(y) > 1, far, near)


@op(
    pointwise=True,
    df=refused("stdtr", "df"),
    z=lambda g, df, z, out: g * (out * (_slope(z, df) - out)),
)
def _hazard(df: Array, z: Array) -> Array:
    """The density divided by the distribution function, which is the derivative of the logarithm of
    the distribution function."""
    small = _tail(df, z)
    far = df / in_tail(small, _ratio, (df, 1.0), (z, -1.0))
    n, y = np.where(small, 1.0, df), np.where(small, 1.0, z)
    return np.where(small, far, _density(y, n) / special_of(y).stdtr(n, y))


@op(pointwise=True, df=refused("stdtr", "df"), z=lambda g, df, z: g * _hazard(df, z))
def _log_lower(df: Array, z: Array) -> Array:
    """The logarithm of the distribution function, accurate in both tails."""
    below = -np.abs(z)
    small = _tail(df, below)
    far = in_tail(small, _log_far, (df, 1.0), (below, -1.0))
    few = small & (df < 10)
    outside = in_tail(few, _few_far, (df, 1.0), (below, -1.0))
    tail = np.where(few, outside, special_of(z).stdtr(df, below))
    left = np.where(small, far, np.log(np.where(small, 0.5, tail)))
    return np.where(z > 0, np.log1p(-tail), left)


@composed
def logpdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of the density with `df` degrees of freedom."""
    return density("t.logpdf", _scaled_log, norm.EVERYWHERE, x, (df,), loc, scale, True, True)


@composed
def pdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The density."""
    return density("t.pdf", _scaled_density, norm.EVERYWHERE, x, (df,), loc, scale, False, True)


@composed
def cdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The probability of a value up to x. Not differentiable with respect to `df`."""
    formula = lambda z, df: _lower(df, z)  # noqa: E731
    return cumulative("t.cdf", formula, norm.EVERYWHERE, x, (df,), loc, scale)


@composed
def logcdf(x: Operand, df: Operand, loc: Operand = 0, scale: Operand = 1) -> Array:
    """The logarithm of `cdf`. Not differentiable with respect to `df`."""
    formula, ends = (lambda z, df: _log_lower(df, z)), (-math.inf, 0.0)
    return cumulative("t.logcdf", formula, norm.EVERYWHERE, x, (df,), loc, scale, ends)
