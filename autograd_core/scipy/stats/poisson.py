"""The Poisson distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices.backend import special_of
from autograd_core.engine.op import composed, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import NotDifferentiableError
from autograd_core.ops.elementwise import where
from autograd_core.ops.rounding import floor
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.special import gammaincc
from autograd_core.scipy.stats.gamma import _log_density, _log_x, standard_density
from autograd_core.scipy.stats.stable import in_tail, poisson_fraction
from autograd_core.scipy.stats.support import _known, rounded, widened

__all__ = ["cdf", "logcdf", "logpmf", "pmf"]

__getattr__ = passed_through("scipy.stats", "poisson")


def _counted(
    name: str, formula: Callable[..., Any], k: Any, mu: Any, loc: Any, beyond: Any, whole: bool
) -> Array:
    """Return formula(k - loc, mu). `beyond` is a pair: the result where k - loc is negative (or, if
    `whole`, not an integer), and the result where it is inf."""
    if isinstance(k, Tensor) and k.requires_grad:
        raise NotDifferentiableError("poisson: k is an integer and has no gradient; detach() it")
    dtype, (k, mu, loc) = widened(name, k, mu, loc)
    k = _known(k - loc, mu >= 0)
    mu = _known(mu, k == k)
    below, above = k < 0, k == math.inf
    if whole:
        below = below | (k != floor(k)) & (k == k)
    out = formula(where(below | above, 1.0, floor(k)), mu)
    return rounded(where(below, beyond[0], where(above, beyond[1], out)), dtype)


@op(pointwise=True, k=None, mu=lambda g, k, mu: g * -standard_density(mu, k + 1))
def _lower(k: Array, mu: Array) -> Array:
    return special_of(mu).gammaincc(k + 1, mu)


def _tail(k: Any, mu: Any) -> Array:
    """True where the distribution function of SciPy underflows, or is less accurate than the
    continued fraction."""
    return (special_of(mu).gammaincc(k + 1, mu) < 1e-290) & (mu > k + 1) | (mu > 3 * k + 60)


def _log_far(k: Any, mu: Any) -> Array:
    return _log_density(mu, k + 1) + np.log(poisson_fraction(k, mu))


def _hazard_slope(k: Any, mu: Any, out: Array) -> Array:
    """The derivative of `_hazard` with respect to mu. For mu < 1 it is computed from the
    probability of k - 1, because the probability of k may be subnormal."""
    near = mu < 1
    m, n = np.where(near, mu, 0.5), np.where(k > 0, k, 1.0)
    before = np.where(k > 0, standard_density(m, n), 0.0) / gammaincc(k + 1, m)
    pull = _log_x(np.where(near, 1.0, mu), k + 1)
    return np.where(near, before - out, out * pull) + out * out


@op(
    pointwise=True,
    k=None,
    mu=lambda g, k, mu, out: g * _hazard_slope(k, mu, out),
)
def _hazard(k: Array, mu: Array) -> Array:
    """The probability of k divided by the probability of a value up to k."""
    small = _tail(k, mu)
    far = 1 / in_tail(small, poisson_fraction, (k, 1.0), (mu, 2.0))
    n, m = np.where(small, 1.0, k), np.where(small, 2.0, mu)
    return np.where(small, far, standard_density(m, n + 1) / special_of(m).gammaincc(n + 1, m))


@op(pointwise=True, k=None, mu=lambda g, k, mu: g * -_hazard(k, mu))
def _log_lower(k: Array, mu: Array) -> Array:
    """The logarithm of the distribution function, accurate in both tails."""
    small = _tail(k, mu)
    far = in_tail(small, _log_far, (k, 1.0), (mu, 2.0))
    functions = special_of(mu)
    below, above = functions.gammaincc(k + 1, mu), functions.gammainc(k + 1, mu)
    low = below < 0.5
    near = np.where(
        low,
        np.log(np.where(low & ~small, below, 1.0)),
        np.log1p(-np.where(low | small, 0.0, above)),
    )
    return np.where(small, far, near)


@composed
def logpmf(k: Operand, mu: Operand, loc: Operand = 0) -> Array:
    """The logarithm of the probability of k with mean `mu`; -inf where k - loc is negative or not
    an integer. Not differentiable with respect to k."""
    formula, beyond = (lambda k, mu: _log_density(mu, k + 1)), (-math.inf, -math.inf)
    return _counted("poisson.logpmf", formula, k, mu, loc, beyond, True)


@composed
def pmf(k: Operand, mu: Operand, loc: Operand = 0) -> Array:
    """The probability of k."""
    formula, beyond = (lambda k, mu: standard_density(mu, k + 1)), (0.0, 0.0)
    return _counted("poisson.pmf", formula, k, mu, loc, beyond, True)


@composed
def cdf(k: Operand, mu: Operand, loc: Operand = 0) -> Array:
    """The probability of k or less."""
    return _counted("poisson.cdf", _lower, k, mu, loc, (0.0, 1.0), False)


@composed
def logcdf(k: Operand, mu: Operand, loc: Operand = 0) -> Array:
    """The logarithm of `cdf`, accurate in both tails."""
    return _counted("poisson.logcdf", _log_lower, k, mu, loc, (-math.inf, 0.0), False)
