"""Terms of the densities of the gamma family: differences of large numbers, without cancellation.

References: C. Loader, Fast and accurate computation of binomial probabilities (2000), for the
deviance and Stirling's error; NIST DLMF 5.11 for the asymptotic series.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices.backend import on_host, special_of
from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient
from autograd_core.scipy.psi import NODES, WEIGHTS, _polygamma

__all__ = [
    "beta_fraction",
    "deviance",
    "gamma_fraction",
    "in_tail",
    "poisson_fraction",
    "stirling",
]

# B_2k / (2k (2k - 1)), the coefficients of x ** (1 - 2k) in Stirling's series
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def _less(u: Array) -> Array:
    """log1p(u) - u, near 0 from the series of log1p(u) = 2 artanh(s) with s = u / (2 + u)."""
    near = np.abs(u) < 0.4
    v = np.where(near, u, 0.0)
    s = v / (2 + v)
    square = s * s
    total = np.zeros_like(square)
    for k in range(31, 1, -2):
        total = total * square + 1 / k
    return np.where(near, s * (2 * square * total - v), np.log1p(np.where(near, 1.0, u)) - u)


@op(pointwise=True, u=lambda g, u: g * (-u / (1 + u)))
def _log1p_less(u: Array) -> Array:
    """log1p(u) - u, accurate near 0."""
    return _less(u)


def deviance(r: Any) -> Array:
    """log(r) - r + 1, accurate near r = 1. It has no gradient rule: r is an array, not a Tensor."""
    near = np.abs(r - 1) < 0.4
    return np.where(near, _less(np.where(near, r - 1, 0.0)), np.log(np.where(near, 1.0, r)) - r + 1)


def stirling(x: Array) -> Array:
    """gammaln(x) - (x - 1/2) log(x) + x - log(2 pi) / 2. It has no gradient rule: x is an array,
    not a Tensor."""
    large = x >= 10
    v = 1 / np.where(large, x, 10.0)
    series = np.zeros_like(v)
    for coefficient in reversed(STIRLING):
        series = series * (v * v) + coefficient
    y = np.where(large, 1.0, x)
    direct = special_of(y).gammaln(y) - (y - 0.5) * np.log(y) + y - math.log(math.tau) / 2
    return np.where(large, series * v, direct)


def _half_series() -> list[float]:
    """The coefficients of h ** -k for odd k from 1 to 23 in gammaln(h + 1/2) - gammaln(h) - log(h)
    / 2. They are (-1) ** (k + 1) (B_{k+1}(1/2) - B_{k+1}) / (k (k + 1)), with Bernoulli polynomials
    and numbers B."""
    bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
                 43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730]  # fmt: skip
    return [
        b * (2.0 ** (1 - 2 * m) - 2) / ((2 * m - 1) * 2 * m) for m, b in enumerate(bernoulli, 1)
    ]


HALF_SERIES = _half_series()


def _student_constant_h(g: Gradient, n: Any, h: Any) -> Gradient:
    return g * _student_constant(n + 1, h)


@op(pointwise=True, h=_student_constant_h)
def _student_constant(n: int, h: Array) -> Array:
    """The n-th derivative of f(h) = gammaln(h + 1/2) - gammaln(h) - log(h) / 2. For large h, f(h)
    is about -1 / (8 h) and its three terms would cancel, so the asymptotic series is used."""
    large = h >= 8
    v = 1 / np.where(large, h, 8.0)
    series = np.zeros_like(v)
    for m, coefficient in reversed(list(enumerate(HALF_SERIES, 1))):
        falling = math.prod(-(2 * m - 1) - i for i in range(n))
        series = series * (v * v) + coefficient * falling
    y = np.where(large, 1.0, h)
    return np.where(large, series * v ** (n + 1), _half_difference(n, y))


def _half_difference(n: int, h: Any) -> Array:
    if n == 0:
        functions = special_of(h)
        return functions.gammaln(h + 0.5) - functions.gammaln(h) - np.log(h) / 2
    power = (-1.0) ** (n - 1) * math.factorial(n - 1) / 2 * (1 / h) ** n
    if_small = _polygamma(n - 1, h + 0.5) - _polygamma(n - 1, h)
    mean = np.zeros_like(h)
    for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
        mean = mean + weight * _polygamma(n, h + node / 2)
    return np.where(h < 1, if_small, mean / 2) - power


# ---- far tails of distribution functions, relative to the density -------------------------------

TERMS = 16  # terms of the continued fractions; in tails below 1e-290, 8 are sufficient


def in_tail(small: Any, function: Callable[..., Any], *operands: tuple[Any, float]) -> Array:
    """Return function(*operands) where the mask `small` is true; the other elements are undefined.
    Each operand is a pair: the array, and a number that replaces it where `small` is false. If no
    element of a NumPy mask is true, which is usual, the function is not called."""
    if on_host(small) and not np.any(small):
        return np.ones(small.shape)
    return function(*(np.where(small, x, harmless) for x, harmless in operands))


def beta_fraction(x: Array, a: Array, b: Array) -> Array:
    """betainc(a, b, x) * a * beta(a, b) / (x ** a * (1 - x) ** b) for x far below a / (a + b),
    computed from its continued fraction (DLMF 8.17.22)."""
    out = np.ones_like(x * a * b)
    for m in range(TERMS, -1, -1):
        even = m * (b - m) / (a + 2 * m) * (x / (a + 2 * m - 1)) if m else np.zeros_like(out)
        odd = -(a + m) / (a + 2 * m) * ((a + b + m) * x / (a + 2 * m + 1))
        out = 1 + odd / out
        out = 1 + even / out if m else out
    return 1 / out


def gamma_fraction(x: Array, a: Array) -> Array:
    """gammainc(a, x) * gamma(a + 1) / (x ** a * exp(-x)) for x far below a, computed from its
    continued fraction (W. Gautschi, Efficient computation of the complex error function, 1970)."""
    out = a + 2 * TERMS
    for m in range(TERMS, 0, -1):
        out = a + (2 * m - 1) + m * x / out
        out = a + (2 * m - 2) - (a + (m - 1)) * x / out
    return a / out


def poisson_fraction(k: Any, mu: Any) -> Array:
    """P(K <= k) / P(K = k) for a Poisson variable K with mean mu far above k, computed from the
    continued fraction of the upper incomplete gamma function (DLMF 8.9.2)."""
    out = mu + 2 * TERMS - k
    for m in range(TERMS, 0, -1):
        out = mu + (2 * m - 2) - k - m * (m - 1 - k) / out
    return mu / out
