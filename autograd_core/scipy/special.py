"""Special functions under SciPy's names. ``scipy.special.erf(tensor)`` is ``special.erf(tensor)``.

Functions that SciPy has for a parameter without a derivative in closed form (the order of a Bessel
function, a and b of betainc) refuse a gradient for it in the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

try:
    import scipy.special as scipys
except ImportError as error:
    raise ImportError(
        f"special functions need SciPy ({error}): pip install 'autograd-core[scipy]'"
    ) from error

from autograd_core.backend import special_of
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.op import composed, elementwise, not_differentiable, op
from autograd_core.ops import reductions
from autograd_core.ops.contraction import operand
from autograd_core.ops.elementwise import exp, log
from autograd_core.ops.shaping import reshape
from autograd_core.tensor import Tensor

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfinv",
    "expit",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "ive_slope",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k1",
    "kl_div",
    "kv",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "rel_entr",
    "rgamma",
    "softmax",
    "stdtr",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yn",
    "yv",
]

Operation = Callable[..., Tensor]
declare: Callable[..., Operation] = partial(elementwise, home="autograd_core.scipy.special")

ROOT_PI, ROOT_TAU = math.sqrt(math.pi), math.sqrt(math.tau)


def refused(name: str, parameter: str) -> Callable[..., Any]:
    """The rule of a parameter that has none."""

    def rule(g: Any) -> Any:
        raise NotDifferentiableError(
            f"special.{name}: its derivative in {parameter!r} has no closed form; pass it as a "
            "plain number or array, or detach() it"
        )

    return rule


# ---- error functions, and the normal distribution -----------------------------------------------

erf: Operation = declare(
    scipys.erf, "The error function.", x=lambda g, x: g * (2 / ROOT_PI * np.exp(-x * x))
)
erfc: Operation = declare(
    scipys.erfc, "1 - erf(x).", x=lambda g, x: g * (-2 / ROOT_PI * np.exp(-x * x))
)
erfcx: Operation = declare(
    scipys.erfcx, "exp(x²) * erfc(x).", x=lambda g, x, out: g * (2 * x * out - 2 / ROOT_PI)
)
erfinv: Operation = declare(
    scipys.erfinv, "The inverse of erf.", x=lambda g, out: g * (ROOT_PI / 2 * np.exp(out * out))
)
erfcinv: Operation = declare(
    scipys.erfcinv, "The inverse of erfc.", x=lambda g, out: g * (-ROOT_PI / 2 * np.exp(out * out))
)
ndtr: Operation = declare(
    scipys.ndtr,
    "The cumulative distribution of the standard normal.",
    x=lambda g, x: g * (np.exp(-x * x / 2) / ROOT_TAU),
)
log_ndtr: Operation = declare(
    scipys.log_ndtr,
    "The logarithm of ndtr, finite for any finite x.",
    x=lambda g, x, out: g * (np.exp(-x * x / 2 - out) / ROOT_TAU),
)
ndtri: Operation = declare(
    scipys.ndtri,
    "The inverse of ndtr.",
    x=lambda g, out: g * (ROOT_TAU * np.exp(out * out / 2)),
)

# ---- gamma and beta ------------------------------------------------------------------------------


def _polygamma_x(g: Any, n: Any, x: Any) -> Any:
    return g * polygamma(n + 1, x)


@op(x=_polygamma_x)
def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of digamma, for an integer n."""
    if n < 0 or n != int(n):
        raise ShapeError(f"polygamma: n is an integer, 0 or more; it is {n!r}")
    return special_of(x).polygamma(n, x).astype(x.dtype)  # which SciPy makes float64


gamma: Operation = declare(
    scipys.gamma, "The gamma function.", x=lambda g, x, out: g * (out * digamma(x))
)
gammaln: Operation = declare(
    scipys.gammaln,
    "The logarithm of the absolute value of the gamma function.",
    x=lambda g, x: g * digamma(x),
)
rgamma: Operation = declare(
    scipys.rgamma, "1 / gamma(x).", x=lambda g, x, out: g * (-out * digamma(x))
)
gammasgn: Operation = declare(
    scipys.gammasgn, "The sign of the gamma function. No gradient flows.", x=None
)
digamma: Operation = declare(
    scipys.digamma, "The derivative of gammaln.", x=lambda g, x: g * polygamma(1, x)
)
psi = digamma


@composed
def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension `d`."""
    a = operand(a)
    if d < 1 or d != int(d):
        raise ShapeError(f"multigammaln: d is an integer, 1 or more; it is {d!r}")
    total: Any = d * (d - 1) / 4 * math.log(math.pi)
    for j in range(int(d)):
        total = total + gammaln(a - j / 2)
    return total


beta: Operation = declare(
    scipys.beta,
    "gamma(x) * gamma(y) / gamma(x + y).",
    x=lambda g, x, y, out: g * (out * (digamma(x) - digamma(x + y))),
    y=lambda g, x, y, out: g * (out * (digamma(y) - digamma(x + y))),
)
betaln: Operation = declare(
    scipys.betaln,
    "The logarithm of the absolute value of beta.",
    x=lambda g, x, y: g * (digamma(x) - digamma(x + y)),
    y=lambda g, x, y: g * (digamma(y) - digamma(x + y)),
)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) - x - gammaln(a))


gammainc: Operation = declare(
    scipys.gammainc,
    "The regularised lower incomplete gamma function. No gradient in a.",
    a=refused("gammainc", "a"),
    x=lambda g, a, x: g * _gamma_density(a, x),
)
gammaincc: Operation = declare(
    scipys.gammaincc,
    "1 - gammainc(a, x).",
    a=refused("gammaincc", "a"),
    x=lambda g, a, x: g * -_gamma_density(a, x),
)
betainc: Operation = declare(
    scipys.betainc,
    "The regularised incomplete beta function. No gradient in a and b.",
    a=refused("betainc", "a"),
    b=refused("betainc", "b"),
    x=lambda g, a, b, x: g * np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b)),
)


def _student_density(df: Any, x: Any) -> Any:
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - np.log(df * math.pi) / 2
    return np.exp(constant - (df + 1) / 2 * np.log1p(x * x / df))


stdtr: Operation = declare(
    scipys.stdtr,
    "The cumulative distribution of Student's t. No gradient in df.",
    df=refused("stdtr", "df"),
    x=lambda g, df, x: g * _student_density(df, x),
)

# ---- Bessel functions ----------------------------------------------------------------------------


def _over_x(out: Any, x: Any, sign: int) -> Any:
    """out / x for out = j1(x) (`sign` -1) or i1(x) (1), by their series near 0."""
    near, square = np.abs(x) < 0.01, sign * x * x
    series = 0.5 + square / 16 + square * square / 384
    return np.where(near, series, out / np.where(near, 1, x))


def _scaled_over_x(out: Any, x: Any) -> Any:
    """out / x for out = i1e(x)."""
    near, square = np.abs(x) < 0.01, x * x
    series = (0.5 + square / 16 + square * square / 384) * np.exp(-np.abs(x))
    return np.where(near, series, out / np.where(near, 1, x))


j0: Operation = declare(
    scipys.j0, "The Bessel function of the first kind, order 0.", x=lambda g, x: g * -j1(x)
)
j1: Operation = declare(
    scipys.j1,
    "The Bessel function of the first kind, order 1.",
    x=lambda g, x, out: g * (j0(x) - _over_x(out, x, -1)),
)
y0: Operation = declare(
    scipys.y0, "The Bessel function of the second kind, order 0.", x=lambda g, x: g * -y1(x)
)
y1: Operation = declare(
    scipys.y1,
    "The Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * (y0(x) - out / x),
)
i0: Operation = declare(
    scipys.i0, "The modified Bessel function, order 0.", x=lambda g, x: g * i1(x)
)
i1: Operation = declare(
    scipys.i1,
    "The modified Bessel function, order 1.",
    x=lambda g, x, out: g * (i0(x) - _over_x(out, x, 1)),
)
i0e: Operation = declare(
    scipys.i0e, "exp(-abs(x)) * i0(x).", x=lambda g, x, out: g * (i1e(x) - np.sign(x) * out)
)
i1e: Operation = declare(
    scipys.i1e,
    "exp(-abs(x)) * i1(x).",
    x=lambda g, x, out: g * (i0e(x) - _scaled_over_x(out, x) - np.sign(x) * out),
)
k0: Operation = declare(
    scipys.k0,
    "The modified Bessel function of the second kind, order 0.",
    x=lambda g, x: g * -k1(x),
)
k1: Operation = declare(
    scipys.k1,
    "The modified Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * (-k0(x) - out / x),
)
jv: Operation = declare(
    scipys.jv,
    "The Bessel function of the first kind and order v.",
    v=refused("jv", "v"),
    x=lambda g, v, x: g * ((jv(v - 1, x) - jv(v + 1, x)) / 2),
)
jn = jv
yv: Operation = declare(
    scipys.yv,
    "The Bessel function of the second kind and order v.",
    v=refused("yv", "v"),
    x=lambda g, v, x: g * ((yv(v - 1, x) - yv(v + 1, x)) / 2),
)
yn: Operation = declare(
    scipys.yn,
    "The Bessel function of the second kind and integer order n.",
    n=refused("yn", "n"),
    x=lambda g, n, x: g * ((yn(n - 1, x) - yn(n + 1, x)) / 2),
)
iv: Operation = declare(
    scipys.iv,
    "The modified Bessel function of order v.",
    v=refused("iv", "v"),
    x=lambda g, v, x: g * ((iv(v - 1, x) + iv(v + 1, x)) / 2),
)


def _ive_slope_x(g: Any, v: Any, x: Any) -> Any:
    around = (ive_slope(v - 1, x) + ive_slope(v + 1, x)) / 2
    return g * (around - np.sign(x) * ive_slope(v, x))


@op(v=refused("ive", "v"), x=_ive_slope_x, value=None, pointwise=True)
def ive_slope(v: Any, x: Any, value: Any = None) -> Any:
    """The derivative of ive in x; `value` is ive(v, x) where it is known. Away from 0 it takes one
    more Bessel function, else two."""
    value = scipys.ive(v, x) if value is None else value
    if type(x) is np.ndarray and x.all():
        return scipys.ive(v + 1, x) + (v / x - np.sign(x)) * value
    return (scipys.ive(v - 1, x) + scipys.ive(v + 1, x)) / 2 - np.sign(x) * value


ive: Operation = declare(
    scipys.ive,
    "exp(-abs(x)) * iv(v, x).",
    v=refused("ive", "v"),
    x=lambda g, v, x, out: g * ive_slope(v, x, out),
)
kv: Operation = declare(
    scipys.kv,
    "The modified Bessel function of the second kind and order v.",
    v=refused("kv", "v"),
    x=lambda g, v, x: g * (-(kv(v - 1, x) + kv(v + 1, x)) / 2),
)

# ---- logarithms and probabilities ---------------------------------------------------------------

expit: Operation = declare(
    scipys.expit, "The logistic function 1 / (1 + exp(-x)).", x=lambda g, out: g * (out * (1 - out))
)
log_expit: Operation = declare(
    scipys.log_expit, "The logarithm of expit.", x=lambda g, x: g * expit(-x)
)
logit: Operation = declare(scipys.logit, "log(x / (1 - x)).", x=lambda g, x: g / (x * (1 - x)))
xlogy: Operation = declare(
    scipys.xlogy,
    "x * log(y), and 0 where x is 0.",
    x=lambda g, y: g * np.log(y),
    y=lambda g, x, y: g * (x / np.where((x == 0) & (y == 0), 1, y)),
)
xlog1py: Operation = declare(
    scipys.xlog1py,
    "x * log1p(y), and 0 where x is 0.",
    x=lambda g, y: g * np.log1p(y),
    y=lambda g, x, y: g * (x / np.where((x == 0) & (y == -1), 1, 1 + y)),
)
entr: Operation = declare(
    scipys.entr, "-x * log(x), and 0 at 0.", x=lambda g, x: g * (-np.log(x) - 1)
)
rel_entr: Operation = declare(
    scipys.rel_entr,
    "x * log(x / y).",
    x=lambda g, x, y: g * (np.log(x / y) + 1),
    y=lambda g, x, y: g * (-x / y),
)
kl_div: Operation = declare(
    scipys.kl_div,
    "x * log(x / y) - x + y.",
    x=lambda g, x, y: g * np.log(x / y),
    y=lambda g, x, y: g * (1 - x / y),
)


@not_differentiable
def _shift(a: Any, b: Any, axis: Any) -> Any:
    """The largest element that counts, or 0 where that is infinite."""
    top = np.max(np.where(b == 0, -np.inf, a), axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, 0)


@composed
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b * exp(a))) over `axis`, without overflow; the sum must be positive."""
    a = operand(a)
    if b is None:
        return reductions.logsumexp(a, axis, keepdims)
    b = operand(b)
    shift = _shift(a, b, axis)
    total = reductions.sum(b * exp(a - shift), axis, keepdims=keepdims)
    return log(total) + reshape(shift, total.shape)


@composed
def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) over `axis` (all)."""
    return reductions.softmax(x, axis)


@composed
def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of softmax over `axis` (all)."""
    return reductions.log_softmax(x, axis)
