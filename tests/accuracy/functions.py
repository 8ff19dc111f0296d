"""What the accuracy of functions is measured against: each beside its definition in mpmath.

A reference takes and returns numbers of mpmath's at any precision. `domains` are the open intervals
where it is smooth, one for each operand; `singular` are points near which it changes fast, so that
the steps of the differences have to be smaller than the distance to them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from mpmath import mp

import autograd_core as ac
import nn
from autograd_core import functions
from autograd_core.scipy import special
from tests.accuracy import points as accuracy_points

__all__ = ["ROWS", "Exact"]

REALS, POSITIVE, UNIT = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)
INSIDE = (-1.0, 1.0)


@dataclass(frozen=True)
class Exact:
    """A function, its reference, and where it is measured."""

    name: str
    reference: Callable[..., Any]
    domains: tuple[tuple[float, float], ...] = (REALS,)
    singular: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()
    call: Callable[..., Any] | None = None
    fixed: tuple[float, ...] = ()  # parameters before the operands that have no derivative
    inside: Callable[..., Any] | None = None  # which of the points are in the domain
    jet: Callable[..., Any] | None = None  # of x: the value and three derivatives, where known
    pace: Callable[..., Any] = lambda x: 1  # how fast it changes: the steps are divided by it
    variant: str = ""
    hidden: int = 1100  # bits of the value that lie above those of the derivatives: it saturates
    far: int = 4  # further bits for each that x is away from 1: a derivative is up to x ** -far

    @property
    def title(self) -> str:
        return f"{self.name} {self.variant}".strip()

    @property
    def function(self) -> Callable[..., Any]:
        called = self.call or functions[self.name]
        return lambda *operands: called(*self.fixed, *operands)

    @cached_property
    def points(self) -> Any:
        """The points, as an array (points, operands)."""
        if len(self.domains) == 1:
            found = accuracy_points.line(*self.domains[0], ends=self.ends)[:, None]
        else:
            found = accuracy_points.pairs(*self.domains)
        return found if self.inside is None else found[self.inside(*found.T)]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(-abs(x))) + max(x, 0)


def sign(x):
    return mp.mpf((x > 0) - (x < 0))


def log_sum(x, y):
    larger, smaller = (x, y) if x > y else (y, x)
    return larger + mp.log1p(mp.exp(smaller - larger))


def sinc(x):
    return mp.sin(mp.pi * x) / (mp.pi * x) if x else mp.mpf(1)


def one(name, reference, low=-math.inf, high=math.inf, **settings):
    return Exact(name, reference, ((low, high),), **settings)


def two(name, reference, x=REALS, y=REALS, **settings):
    return Exact(name, reference, (x, y), singular=(0.0,), **settings)


KINK = {"singular": (0.0,), "inside": lambda x: x != 0}
STEPS = {"singular": tuple(1.5 * k for k in range(-134, 135)), "inside": lambda x: x % 1.5 != 0}
APART = {"inside": lambda x, y: x != y}
ELEMENTARY = [
    one("negative", lambda x: -x),
    one("positive", lambda x: +x),
    one("square", lambda x: x * x),
    one("sqrt", mp.sqrt, 0, singular=(0.0,)),
    one("cbrt", lambda x: sign(x) * mp.cbrt(abs(x)), **KINK),
    one("reciprocal", lambda x: 1 / x, **KINK),
    one("absolute", abs, **KINK),
    one("fabs", abs, **KINK),
    one("exp", mp.exp),
    one("exp2", lambda x: mp.exp(x * mp.ln2)),
    one("expm1", mp.expm1),
    one("log", mp.log, 0, singular=(0.0,)),
    one("log2", lambda x: mp.log(x) / mp.ln2, 0, singular=(0.0,)),
    one("log10", lambda x: mp.log(x) / mp.ln10, 0, singular=(0.0,)),
    one("log1p", mp.log1p, -1, singular=(-1.0,)),
    one("sin", mp.sin),
    one("cos", mp.cos),
    one("tan", mp.tan),
    one("sinc", sinc),
    one("arcsin", mp.asin, -1, 1, singular=(-1.0, 1.0)),
    one("arccos", mp.acos, -1, 1, singular=(-1.0, 1.0)),
    one("arctan", mp.atan),
    one("sinh", mp.sinh),
    one("cosh", mp.cosh),
    one("tanh", mp.tanh),
    one("arcsinh", mp.asinh),
    one("arccosh", mp.acosh, 1, singular=(1.0,)),
    one("arctanh", mp.atanh, -1, 1, singular=(-1.0, 1.0)),
    *(one(name, lambda x: x * 180 / mp.pi) for name in ("degrees", "rad2deg")),
    *(one(name, lambda x: x * mp.pi / 180) for name in ("radians", "deg2rad")),
    one("sigmoid", sigmoid),
    one("softplus", softplus, **KINK),
    one("relu", lambda x: max(x, mp.mpf(0)), **KINK),
    one("nan_to_num", lambda x: +x),
    two("add", lambda x, y: x + y),
    two("subtract", lambda x, y: x - y),
    two("multiply", lambda x, y: x * y),
    two("divide", lambda x, y: x / y),
    two("power", lambda x, y: mp.exp(y * mp.log(x)), POSITIVE),
    two("float_power", lambda x, y: mp.exp(y * mp.log(x)), POSITIVE),
    *(one("power", lambda x, n=n: x**n, singular=(0.0,), call=lambda x, n=n: x**n,
          inside=lambda x: x != 0, variant=f"with {n}") for n in (-3, -1, 2, 3)),
    *(one("power", lambda x, n=n: mp.exp(mp.mpf(n) * mp.log(x)), 0, singular=(0.0,),
          call=lambda x, n=n: x**n, variant=f"with {n}") for n in (-1.5, -0.5, 0.25, 1.0, 2.5)),
    two("maximum", max, **APART),
    two("minimum", min, **APART),
    two("fmax", max, **APART),
    two("fmin", min, **APART),
    two("arctan2", mp.atan2),
    two("hypot", lambda x, y: mp.sqrt(x * x + y * y)),
    two("logaddexp", log_sum),
    two("logaddexp2", lambda x, y: log_sum(x * mp.ln2, y * mp.ln2) / mp.ln2),
    one("remainder", lambda x: x - 1.5 * mp.floor(x / 1.5), -200, 200, **STEPS,
        call=lambda x: ac.remainder(x, 1.5)),
    one("fmod", lambda x: x - 1.5 * mp.floor(abs(x) / 1.5) * sign(x), -200, 200, **STEPS,
        call=lambda x: ac.fmod(x, 1.5)),
    one("ldexp", lambda x: x * 8, call=lambda x: ac.ldexp(x, 3)),
    one("clip", lambda x: min(max(x, mp.mpf(-2)), mp.mpf(3)), singular=(-2.0, 3.0),
        inside=lambda x: (x != -2) & (x != 3), call=lambda x: ac.clip(x, -2, 3)),
    two("copysign", lambda x, y: abs(x) * sign(y), call=lambda x, y: ac.copysign(x, y.data)),
]  # fmt: skip


# ---- SciPy's special functions ------------------------------------------------------------------


def slow(x):
    """The pace of what far out is a power of x: the steps there are shares of x."""
    return 1 / max(1.0, abs(x))


def gauss(x):
    """The pace of what changes like exp(x²)."""
    return max(1.0, abs(x))


def erfc(x):
    return mp.exp(-x * x) * erfcx(x) if x > 30 else mp.erfc(x) if x > -30 else 2 - erfc(-x)


def erf(x):
    return mp.erf(x) if abs(x) < 30 else sign(x) * (1 - erfc(abs(x)))


def ndtr(x):
    return erfc(-x / mp.sqrt(2)) / 2


def erfcx(x):
    """By its continued fraction where erfc would need as many bits as exp(x²) has digits."""
    if x < 30:
        return mp.exp(x * x) * mp.erfc(x)
    inner = mp.mpf(0)
    for k in range(mp.prec // 2 // max(1, int(mp.log(x))) + 60, 0, -1):
        inner = mp.mpf(k) / 2 / (x + inner)
    return 1 / (mp.sqrt(mp.pi) * (x + inner))


def log_ndtr(x):
    if x < -30:
        return -x * x / 2 + mp.log(erfcx(-x / mp.sqrt(2)) / 2)
    return mp.log1p(-ndtr(-x)) if x > 0 else mp.log(ndtr(x))


def bessel_i(v, x):
    """exp(-|x|) * I[v](x), by its series for large x where that has the digits."""
    if abs(x) < mp.prec:
        return mp.exp(-abs(x)) * mp.besseli(v, x)
    size, total, term = abs(x), mp.mpf(0), mp.mpf(1)
    for k in range(1, mp.prec):
        total += term
        term *= ((2 * k - 1) ** 2 - 4 * mp.mpf(v) ** 2) / (8 * k * size)
        if abs(term) < mp.ldexp(1, -mp.prec):
            break
    value = total / mp.sqrt(2 * mp.pi * size)
    return -value if x < 0 and v % 2 else value


def erfcinv(x):
    """By Newton's method on the logarithm of erfc, which is nearly a parabola."""
    if x > 1:
        return -erfcinv(2 - x)
    z = mp.sqrt(-mp.log(x) * mp.mpf("0.9")) if x < 0.5 else mp.mpf("0.3")
    for _ in range(60):
        scaled = erfcx(z)
        step = (mp.log(scaled) - z * z - mp.log(x)) * scaled * mp.sqrt(mp.pi) / 2
        z += step
        if abs(step) < mp.ldexp(abs(z) + 1, -mp.prec // 2 - 20):
            return z
    raise ArithmeticError(f"erfcinv({x}) does not converge")


def erfcinv_jet(x):
    z = erfcinv(x)
    slope = -mp.sqrt(mp.pi) / 2 * mp.exp(z * z)
    bent = 2 * z * slope**2
    return z, slope, bent, 2 * slope**3 + 4 * z * slope * bent


def ndtri_jet(x):
    return (-mp.sqrt(2) * 2**k * d for k, d in enumerate(erfcinv_jet(2 * x)))


def gamma_jet(x, sign=1):
    """Of gamma, or with `sign` -1 of 1 / gamma."""
    f = mp.gamma(x) if sign > 0 else mp.rgamma(x)
    a, b, c = (sign * mp.polygamma(n, x) for n in range(3))
    return f, f * a, f * (a**2 + b), f * (a**3 + 3 * a * b + c)


def gammaln_jet(x):
    return mp.log(abs(mp.gamma(x))), *(mp.polygamma(n, x) for n in range(3))


def polygamma_jet(n):
    return lambda x: [mp.polygamma(n + k, x) for k in range(4)]


def reflected(function, v, x, step):
    """Of a Bessel function, at positive order and argument if the order is an integer."""
    turned = x < 0 or v < 0
    if not turned or v != int(v):
        return function(v, x)
    sign = (-1) ** int(v) if (x < 0) != (v < 0 and step < 0) else 1
    return sign * function(abs(v), abs(x))


def bessel_jet(function, v, step, sign):
    """By F' = sign * (F[v - 1] + step * F[v + 1]) / 2."""

    def jet(x):
        mp.prec = 220  # no cancellation, and more would take seconds at a point
        for k in range(4):
            orders = ((step**m * math.comb(k, m), v - k + 2 * m) for m in range(k + 1))
            total = sum(c * reflected(function, order, x, step) for c, order in orders)
            yield (mp.mpf(sign) / 2) ** k * total

    return jet


def bessels(letter, function, step, sign=1, domain=REALS):
    """The rows of the orders 0 and 1, and of the general function for two others."""
    for v in (0, 1, 0.5, 3):
        general = {"fixed": (v,), "variant": f"of order {v}"} if v not in (0, 1) else {}
        yield Exact(
            f"scipy.special.{letter}{'v' if general else v}",
            function,
            (POSITIVE if general else domain,),
            jet=bessel_jet(function, v, step, sign),
            **general,
        )


def special_one(name, reference, low=-math.inf, high=math.inf, **settings):
    return one(f"scipy.special.{name}", reference, low, high, **settings)


def special_two(name, reference, x=REALS, y=REALS, **settings):
    return two(f"scipy.special.{name}", reference, x, y, **settings)


def no_pole(x):
    """Where gamma is finite."""
    return (x > 0) | (x != np.floor(x))


def log_beta(x, y):
    return mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y)


def multigammaln(a):
    """Of dimension 3."""
    return mp.mpf(3) / 2 * mp.log(mp.pi) + sum(mp.loggamma(a - mp.mpf(j) / 2) for j in range(3))


SPECIAL = [
    special_one("expit", sigmoid),
    special_one("log_expit", lambda x: -mp.log1p(mp.exp(-abs(x))) + min(x, 0), **KINK),
    special_one("logit", lambda x: mp.log(x) - mp.log1p(-x), 0, 1, singular=(0.0, 1.0)),
    special_one("entr", lambda x: -x * mp.log(x), 0, singular=(0.0,)),
    special_one("erf", erf, pace=gauss, far=0),
    special_one("erfc", erfc, pace=gauss, far=0),
    special_one("ndtr", ndtr, pace=gauss, far=0),
    special_one("erfcx", erfcx, pace=lambda x: gauss(x) if x < 0 else slow(x), hidden=100),
    special_one("log_ndtr", log_ndtr, pace=lambda x: gauss(x) if x > 0 else slow(x)),
    special_one("i0e", lambda x: bessel_i(0, x), **KINK, pace=slow, hidden=100, far=1),
    special_one("i1e", lambda x: bessel_i(1, x), **KINK, pace=slow, hidden=100, far=1),
    *(special_one("ive", bessel_i, 0, fixed=(v,), variant=f"of order {v}", pace=slow, hidden=100,
                  singular=(0.0,), far=1) for v in (0.5, 2.0, 7.5)),
    *bessels("j", mp.besselj, -1),
    *bessels("y", mp.bessely, -1, domain=POSITIVE),
    *bessels("i", mp.besseli, 1),
    *bessels("k", mp.besselk, 1, -1, domain=POSITIVE),
    special_one("gamma", mp.gamma, jet=gamma_jet, inside=no_pole),
    special_one("gammaln", mp.loggamma, jet=gammaln_jet, inside=no_pole),
    special_one("rgamma", mp.rgamma, jet=lambda x: gamma_jet(x, -1), inside=no_pole),
    special_one("psi", mp.digamma, jet=polygamma_jet(0), inside=no_pole),
    *(special_one("polygamma", mp.polygamma, 0, fixed=(n,), variant=f"of order {n}",
                  jet=polygamma_jet(n)) for n in (1, 2, 5)),
    special_one("erfinv", mp.erfinv, -1, 1, singular=(-1.0, 1.0), hidden=100),
    special_one("erfcinv", erfcinv, 0, 2, jet=erfcinv_jet),
    special_one("ndtri", mp.mpf, 0, 1, jet=ndtri_jet),
    special_two("beta", mp.beta, POSITIVE, POSITIVE, hidden=100, far=2),
    special_two("betaln", log_beta, POSITIVE, POSITIVE, hidden=100, far=2),
    special_one("multigammaln", multigammaln, 1, singular=(1.0,),
                call=lambda a: special.multigammaln(a, 3)),
    special_one("yn", mp.bessely, 0, fixed=(2,), variant="of order 2",
                jet=bessel_jet(mp.bessely, 2, -1, 1)),
    special_two("xlogy", lambda x, y: x * mp.log(y), y=POSITIVE),
    special_two("xlog1py", lambda x, y: x * mp.log1p(y), y=(-1.0, math.inf)),
    special_two("rel_entr", lambda x, y: x * mp.log(x / y), POSITIVE, POSITIVE),
    special_two("kl_div", lambda x, y: x * mp.log(x / y) - x + y, POSITIVE, POSITIVE),
]  # fmt: skip


def gammainc_jet(a, upper=False):
    def jet(x):
        limits = (x, mp.inf) if upper else (0, x)
        first = (-1 if upper else 1) * x ** (a - 1) * mp.exp(-x) / mp.gamma(a)
        pull = (a - 1) / x - 1
        third = first * (pull**2 - (a - 1) / x**2)
        return mp.gammainc(a, *limits, regularized=True), first, first * pull, third

    return jet


def betainc_jet(a, b):
    def jet(x):
        first = x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)
        pull = (a - 1) / x - (b - 1) / (1 - x)
        third = first * (pull**2 - (a - 1) / x**2 - (b - 1) / (1 - x) ** 2)
        return mp.betainc(a, b, 0, x, regularized=True), first, first * pull, third

    return jet


def stdtr_jet(df):
    def jet(x):
        tail = mp.betainc(mp.mpf(df) / 2, 0.5, 0, df / (df + x * x), regularized=True) / 2
        constant = mp.gamma(mp.mpf(df + 1) / 2) / mp.gamma(mp.mpf(df) / 2) / mp.sqrt(df * mp.pi)
        first = constant * (1 + x * x / df) ** (-mp.mpf(df + 1) / 2)
        pull = -(df + 1) * x / (df + x * x)
        third = first * (pull**2 - (df + 1) * (df - x * x) / (df + x * x) ** 2)
        return tail if x < 0 else 1 - tail, first, first * pull, third

    return jet


def cumulative(name, jet, low, high, *parameters):
    shown = ", ".join(map(str, parameters))
    return special_one(name, mp.mpf, low, high, fixed=parameters, variant=f"of {shown}",
                       jet=jet(*parameters))  # fmt: skip


SPECIAL += [
    *(cumulative("gammainc", gammainc_jet, 0, math.inf, a) for a in (0.5, 3, 30)),
    *(cumulative("gammaincc", lambda a: gammainc_jet(a, True), 0, math.inf, a) for a in (1, 3)),
    *(cumulative("betainc", betainc_jet, 0, 1, a, b) for a, b in ((0.5, 0.5), (2, 3), (20, 5))),
    *(cumulative("stdtr", stdtr_jet, -math.inf, math.inf, df) for df in (1, 3, 30)),
]

# ---- several elements, and losses ---------------------------------------------------------------


def pair(function):
    return lambda x, y: function(ac.stack([x, y], -1))[..., 0]


def cross_entropy(x, y):
    return nn.CrossEntropyLoss(reduction="sum")(ac.stack([x, y], 1), np.zeros(x.shape, int))


SEVERAL = [
    two("logsumexp", log_sum, call=lambda x, y: ac.logsumexp(ac.stack([x, y], -1), -1)),
    two("softmax", lambda x, y: sigmoid(x - y), call=pair(ac.softmax)),
    two("log_softmax", lambda x, y: -softplus(y - x), call=pair(ac.log_softmax)),
    two("nn.MSE", lambda x, y: (x - y) ** 2, call=nn.MSE("sum")),
    two("nn.CrossEntropyLoss", lambda x, y: softplus(y - x), call=cross_entropy),
    *(one("nn.BCEWithLogitsLoss", lambda x, t=t: softplus(x) - t * x, variant=f"with target {t}",
          call=lambda x, t=t: nn.BCEWithLogitsLoss(reduction="sum")(x, t + 0 * x.data),
          inside=np.isfinite) for t in (0.0, 1.0, 0.25)),
]  # fmt: skip

ROWS = [*ELEMENTARY, *SPECIAL, *SEVERAL]
