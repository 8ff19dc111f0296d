"""Special functions under SciPy's names. ``scipy.special.erf(tensor)`` is ``special.erf(tensor)``.

For a parameter whose derivative has no closed form (the order of a Bessel function, a and b of
betainc), the backward pass raises NotDifferentiableError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices.backend import special_of
from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import ShapeError
from autograd_core.ops import reductions
from autograd_core.ops.activations import _sigmoid_slope, sigmoid
from autograd_core.ops.elementwise import _settled, exp, log, where
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype, reshape
from autograd_core.scipy import bessel, gaussian
from autograd_core.scipy.bessel import *
from autograd_core.scipy.declaring import Special, declare, refused, scipys
from autograd_core.scipy.gaussian import *
from autograd_core.scipy.passing import passed_through
from autograd_core.scipy.psi import _psi_difference

__all__ = [*bessel.__all__, *gaussian.__all__]
__all__ += [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "entr",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "kl_div",
    "log_expit",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "polygamma",
    "psi",
    "rel_entr",
    "rgamma",
    "softmax",
    "stdtr",
    "xlog1py",
    "xlogy",
]

__getattr__ = passed_through("scipy.special")

# ---- gamma and beta ------------------------------------------------------------------------------


def _polygamma_x(g: Gradient, n: Any, x: Array) -> Gradient:
    return g * polygamma(n + 1, x)


@op(x=_polygamma_x)
def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of digamma, for an integer n."""
    if n < 0 or n != int(n):
        raise ShapeError(f"polygamma: n must be an integer, 0 or more, not {n!r}")
    out = special_of(x).polygamma(n, x)  # float64 for every dtype
    dtype = getattr(x, "dtype", out.dtype)
    return out.astype(dtype) if dtype.kind == "f" else out


gamma: Special = declare(
    scipys.gamma, "The gamma function.", x=lambda g, x, out: g * (out * digamma(x))
)
gammaln: Special = declare(
    scipys.gammaln,
    "The logarithm of the absolute value of the gamma function.",
    x=lambda g, x: g * digamma(x),
)


def _below_infinity(x: Array) -> Array:
    """x with inf replaced by the largest finite number. No gradient flows to replaced elements."""
    return np.where(x == math.inf, float(np.finfo(x.dtype).max), x)


def _rgamma_x(g: Gradient, x: Array, out: Array) -> Gradient:
    """The gradient of 1 / gamma(x). For x < 1/2, where gamma has its poles, it is computed from the
    reflection formula, 1 / gamma(x) = sin(pi x) * gamma(1 - x) / pi."""
    left = x < 0.5
    there = np.where(left, x, 0)
    mirrored, turned = 1 - there, math.pi * there
    slope = np.cos(turned) - np.sin(turned) * digamma(mirrored) / math.pi
    right = -out * digamma(_below_infinity(np.where(left, 1, x)))
    return g * np.where(left, gamma(mirrored) * slope, right)


rgamma: Special = declare(scipys.rgamma, "1 / gamma(x), which is 0 at the poles.", x=_rgamma_x)
gammasgn: Special = declare(
    scipys.gammasgn, "The sign of the gamma function. No gradient flows.", x=None
)
digamma: Special = declare(
    scipys.digamma, "The derivative of gammaln.", x=lambda g, x: g * polygamma(1, x)
)
psi = digamma


@composed
def multigammaln(a: Operand, d: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension `d`."""
    a = as_operand(a)
    if d < 1 or d != int(d):
        raise ShapeError(f"multigammaln: d must be an integer, 1 or more, not {d!r}")
    total: Any = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(int(d)):
        total = total + gammaln(a - j / 2)
    return total


def _log_beta_slope(x: Array, y: Array) -> Array:
    """digamma(x) - digamma(x + y), without cancellation where x is much larger than y."""
    usual = (x > 0) & (y > 0)
    a, b = np.where(usual, x, 1.0), np.where(usual, y, 1.0)
    elsewhere = digamma(np.where(usual, 1.0, x)) - digamma(np.where(usual, 1.0, x + y))
    return np.where(usual, -_psi_difference(0, a, b), elsewhere)


beta: Special = declare(
    scipys.beta,
    "gamma(x) * gamma(y) / gamma(x + y).",
    x=lambda g, x, y, out: g * (out * _log_beta_slope(x, y)),
    y=lambda g, x, y, out: g * (out * _log_beta_slope(y, x)),
)
betaln: Special = declare(
    scipys.betaln,
    "The logarithm of the absolute value of beta.",
    x=lambda g, x, y: g * _log_beta_slope(x, y),
    y=lambda g, x, y: g * _log_beta_slope(y, x),
)


def weak(value: Array) -> Array:
    """`value`, which may be a NumPy scalar computed from Python numbers. A NumPy scalar is
    converted to a Python float, which has a weak dtype."""
    return float(value) if isinstance(value, np.floating) else value


def _gamma_density(a: Array, x: Array) -> Array:
    """x ** (a - 1) * exp(-x) / gamma(a), computed in float64, because the terms of its logarithm
    are large. For x < 1 it is computed with a power, which is more accurate."""
    return _wide_density(a, astype(x, np.float64)).astype(x.dtype)


def _wide_density(a: Array, x: Array) -> Array:
    small, x, constant = x < 1, _below_infinity(x), weak(gammaln(a))
    below = np.where(small, x, 1) ** (a - 1) * np.exp(-x - constant)
    above = np.exp(xlogy(a - 1, np.where(small, 1, x)) - x - constant)
    return np.where(small, below, above)


gammainc: Special = declare(
    scipys.gammainc,
    "The regularised lower incomplete gamma function. Not differentiable with respect to a.",
    a=refused("gammainc", "a"),
    x=lambda g, a, x: g * _gamma_density(a, x),
)
gammaincc: Special = declare(
    scipys.gammaincc,
    "1 - gammainc(a, x).",
    a=refused("gammaincc", "a"),
    x=lambda g, a, x: g * -_gamma_density(a, x),
)


def _beta_density(a: Array, b: Array, x: Array) -> Array:
    return x ** (a - 1) / weak(np.exp(betaln(a, b))) * (1 - x) ** (b - 1)


betainc: Special = declare(
    scipys.betainc,
    "The regularised incomplete beta function. Not differentiable with respect to a and b.",
    a=refused("betainc", "a"),
    b=refused("betainc", "b"),
    x=lambda g, a, b, x: g * _beta_density(a, b, x),
)


def _student_density(df: Any, x: Array) -> Array:
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - np.log(df * math.pi) / 2
    root = np.hypot(1, _settled(x) / weak(np.sqrt(df)))
    return weak(np.exp(constant)) * root ** -(df + 1)


stdtr: Special = declare(
    scipys.stdtr,
    "The cumulative distribution function of Student's t. Not differentiable with respect to df.",
    df=refused("stdtr", "df"),
    x=lambda g, df, x: g * _student_density(df, x),
)

# ---- logarithms and probabilities ---------------------------------------------------------------

expit: Special = declare(
    scipys.expit,
    "The logistic function 1 / (1 + exp(-x)).",
    x=lambda g, x: g * _sigmoid_slope(x),
)
log_expit: Special = declare(
    scipys.log_expit, "The logarithm of expit.", x=lambda g, x: g * sigmoid(-x)
)
logit: Special = declare(scipys.logit, "log(x / (1 - x)).", x=lambda g, x: g / x + g / (1 - x))
xlogy: Special = declare(
    scipys.xlogy,
    "x * log(y), and 0 where x is 0.",
    x=lambda g, y: g * np.log(y),
    y=lambda g, x, y: g * _ratio(x, y),
)
xlog1py: Special = declare(
    scipys.xlog1py,
    "x * log1p(y), and 0 where x is 0.",
    x=lambda g, y: g * np.log1p(y),
    y=lambda g, x, y: g * _ratio(x, 1 + y),
)
entr: Special = declare(
    scipys.entr, "-x * log(x), and 0 at 0.", x=lambda g, x: g * (-np.log(x) - 1)
)


def _ratio(x: Array, y: Array) -> Array:
    """x / y; 0 for 0 / 0."""
    return x / np.where((x == 0) & (y == 0), 1, y)


@op(pointwise=True, x=lambda g, x: g / x, y=lambda g, y: -g / y)
def _log_ratio(x: Array, y: Array) -> Array:
    """log(x / y), also for x and y whose quotient overflows or underflows."""
    return 2 * np.log(np.sqrt(x) / np.sqrt(y))


rel_entr: Special = declare(
    scipys.rel_entr,
    "x * log(x / y), and 0 where x is 0 and y is not negative.",
    x=lambda g, x, y: g * (_log_ratio(x, y) + 1),
    y=lambda g, x, y: g * -_ratio(x, y),
)
kl_div: Special = declare(
    scipys.kl_div,
    "x * log(x / y) - x + y, and y where x is 0 and y is not negative.",
    x=lambda g, x, y: g * _log_ratio(x, y),
    y=lambda g, x, y: g * (1 - _ratio(x, y)),
)


@composed
def logsumexp(a: Operand, axis: Any = None, b: Operand = None, keepdims: bool = False) -> Array:
    """log(sum(b * exp(a))) over `axis`, without overflow; the sum must be positive. An element
    whose weight b is 0 is ignored, even if it is infinite."""
    a = as_operand(a)
    if b is None:
        return reductions.logsumexp(a, axis, keepdims)
    b = as_operand(b)
    shift = _shift(where(b == 0, -np.inf, a), axis)
    exponents = a - shift
    largest = (
        math.log(float(np.finfo(exponents.dtype).max)) - 1
    )  # exp(largest) is finite, so a weight of 0 times it is 0
    exponents = where((b == 0) & (exponents > largest), largest, exponents)
    total = reductions.sum(b * exp(exponents), axis, keepdims=keepdims)
    return log(total) + reshape(shift, total.shape)


@not_differentiable
def _shift(a: Array, axis: Any) -> Array:
    """The largest element along `axis`, or 0 where this is not finite. `logsumexp` subtracts it
    from the exponents."""
    top = np.max(a, axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, 0)


@composed
def softmax(x: Operand, axis: Any = None) -> Array:
    """exp(x) / sum(exp(x)) over `axis` (default: all)."""
    return reductions.softmax(x, axis)


@composed
def log_softmax(x: Operand, axis: Any = None) -> Array:
    """The logarithm of softmax over `axis` (default: all)."""
    return reductions.log_softmax(x, axis)
