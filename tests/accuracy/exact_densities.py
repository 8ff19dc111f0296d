"""The densities of autograd_core.scipy.stats in mpmath's arithmetic, to any number of digits.

    EXACT["gamma.pdf"](x, a, loc, scale)

takes numbers of mpmath inside the support, with the signature of ours. `PARAMETERS` are parameters
behind x to look at by distribution, exact in float16; `SUPPORT` gives the ends of the support for
them; `NAMES` are the names of the operands; `REFUSED` are parameters without a derivative.
"""

import math

import mpmath as mp

from tests.accuracy.functions import log_ndtr, ndtr

INF = math.inf


def _exp(v):
    """0 where it is below every subnormal number."""
    return mp.exp(v) if v > -1e5 else mp.mpf(0)


def _norm_log(z):
    return -z * z / 2 - mp.log(2 * mp.pi) / 2


def _t_log(z, df):
    if mp.isinf(df):
        return _norm_log(z)
    constant = mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2) - mp.log(df * mp.pi) / 2
    return constant - (df + 1) / 2 * mp.log1p(z * z / df)


def _gamma_log(z, a):
    return (a - 1) * mp.log(z) - z - mp.loggamma(a)


def _beta_log(z, a, b):
    constant = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
    return (a - 1) * mp.log(z) + (b - 1) * mp.log1p(-z) + constant


def _ncdf(z):
    return ndtr(z)


def _t_cdf(z, df):
    if mp.isinf(df):
        return _ncdf(z)
    tail = _beta_cdf(df / (df + z * z), df / 2, mp.mpf(0.5)) / 2
    return tail if z < 0 else 1 - tail


def _gamma_cdf(z, a):
    """The series of positive terms below the centre, the complement's fraction above."""
    if z < a + 1:
        return mp.exp(_gamma_log(z, a)) * z / a * _series(lambda k: z / (a + k))
    return 1 - mp.gammainc(a, z, mp.inf, regularized=True)


def _beta_cdf(z, a, b):
    if z > a / (a + b) and z > 0.5:
        return 1 - _beta_cdf(1 - z, b, a)
    return mp.exp(_beta_log(z, a, b)) * z * (1 - z) / a * _series(
        lambda k: (a + b + k - 1) / (a + k) * z
    )  # fmt: skip


def _series(ratio):
    """1 + ratio(1) + ratio(1) ratio(2) + ..."""
    total = term = mp.mpf(1)
    k = 0
    while abs(term) > mp.eps * abs(total) or ratio(k) > 1:
        k += 1
        term *= ratio(k)
        total += term
        if k > 100_000:
            raise ArithmeticError("the series does not converge")
    return total


def _poisson_cdf(k, mu):
    return mp.exp(_gamma_log(mu, k + 1)) * _series(lambda j: max(k - j + 1, mp.mpf(0)) / mu)


def _four(name, logarithm, cumulative):
    """The functions of a distribution with a location and a scale, of those of its standard."""

    def logpdf(x, *parameters):
        *shapes, loc, scale = parameters
        return logarithm((x - loc) / scale, *shapes) - mp.log(scale)

    def cdf(x, *parameters):
        *shapes, loc, scale = parameters
        return cumulative((x - loc) / scale, *shapes)

    return {
        f"{name}.logpdf": logpdf,
        f"{name}.pdf": lambda *operands: _exp(logpdf(*operands)),
        f"{name}.cdf": cdf,
        f"{name}.logcdf": lambda *operands: mp.log(cdf(*operands)),
    }


def _dirichlet(x, y, a, b):
    constant = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
    return constant + (a - 1) * mp.log(x) + (b - 1) * mp.log(y)


def _vector_norm(x, mean, variance):
    return -((x - mean) ** 2) / variance / 2 - mp.log(2 * mp.pi * variance) / 2


EXACT = {
    **_four("norm", _norm_log, _ncdf),
    "norm.logcdf": lambda x, loc, scale: log_ndtr((x - loc) / scale),
    "norm.sf": lambda x, loc, scale: _ncdf((loc - x) / scale),
    "norm.logsf": lambda x, loc, scale: log_ndtr((loc - x) / scale),
    **_four("t", _t_log, _t_cdf),
    **_four("gamma", _gamma_log, _gamma_cdf),
    **_four(
        "chi2", lambda z, df: _gamma_log(z / 2, df / 2) - mp.log(2),
        lambda z, df: _gamma_cdf(z / 2, df / 2),
    ),
    **_four("beta", _beta_log, _beta_cdf),
    "poisson.logpmf": lambda k, mu, loc: _gamma_log(mu, k - loc + 1),
    "poisson.pmf": lambda k, mu, loc: _exp(_gamma_log(mu, k - loc + 1)),
    "poisson.cdf": lambda k, mu, loc: _poisson_cdf(mp.floor(k - loc), mu),
    "poisson.logcdf": lambda k, mu, loc: mp.log(_poisson_cdf(mp.floor(k - loc), mu)),
    # of vectors (x, y) and one (x,): the elements are the operands
    "dirichlet.logpdf": _dirichlet,
    "dirichlet.pdf": lambda *operands: mp.exp(_dirichlet(*operands)),
    "multivariate_normal.logpdf": _vector_norm,
    "multivariate_normal.pdf": lambda *operands: mp.exp(_vector_norm(*operands)),
    "multivariate_normal.entropy": lambda mean, variance: mp.log(2 * mp.pi * mp.e * variance) / 2,
}  # fmt: skip

TINY, BIG = 2.0**-10, 32768.0
UNITS = [(0.0, 1.0), (0.0, TINY), (1.5, 4.0)]
SHAPES = {
    "norm": [(), ],
    "t": [(1.0,), (2.5,), (30.0,), (BIG,), (TINY,), (INF,)],
    "gamma": [(1.0,), (2.0,), (0.5,), (3.25,), (40.0,), (BIG,), (TINY,)],
    "chi2": [(1.0,), (2.0,), (5.0,), (100.0,), (BIG,), (TINY,)],
    "beta": [(1.0, 1.0), (2.0, 3.0), (0.5, 0.5), (1.0, 2.5), (40.0, 60.0), (BIG, 0.5), (2.0, BIG),
             (BIG, BIG), (TINY, 1.0), (TINY, TINY)],
}  # fmt: skip
PARAMETERS = {
    **{
        name: [(*s, *unit) for i, s in enumerate(shapes) for unit in (UNITS, UNITS[:1])[i > 1]]
        for name, shapes in SHAPES.items()
    },
    "poisson": [(1.0, 0.0), (0.25, 0.0), (40.0, 0.0), (BIG, 0.0), (TINY, 0.0), (3.0, 2.0)],
    "dirichlet": [(0.5, 2.0, 3.0), (0.25, 1.0, 0.5), (0.5, 40.0, BIG), (0.5, TINY, 1.0)],
    "multivariate_normal": [(0.0, 1.0), (1.5, TINY), (-2.0, BIG)],
}  # fmt: skip


def _line(*parameters):
    return -INF, INF


def _half_line(*parameters):
    return parameters[-2], INF


def _interval(*parameters):
    return parameters[-2], parameters[-2] + parameters[-1]


SUPPORT = {
    "norm": _line,
    "t": _line,
    "gamma": _half_line,
    "chi2": _half_line,
    "beta": _interval,
    "poisson": lambda mu, loc: (loc, INF),
    "dirichlet": lambda y, a, b: (0.0, 1.0),
    "multivariate_normal": _line,
}

_UNIT_NAMES = ("loc", "scale")
NAMES = {
    "norm": ("x", *_UNIT_NAMES),
    "t": ("x", "df", *_UNIT_NAMES),
    "gamma": ("x", "a", *_UNIT_NAMES),
    "chi2": ("x", "df", *_UNIT_NAMES),
    "beta": ("x", "a", "b", *_UNIT_NAMES),
    "poisson": ("k", "mu", "loc"),
    "dirichlet": ("x", "y", "a", "b"),
    "multivariate_normal": ("x", "mean", "variance"),
}
_CUMULATIVE = ("cdf", "logcdf")
REFUSED = {
    **{f"{name}.{f}": ("df",) for name in ("t", "chi2") for f in _CUMULATIVE},
    **{f"gamma.{f}": ("a",) for f in _CUMULATIVE},
    **{f"beta.{f}": ("a", "b") for f in _CUMULATIVE},
    **{f"poisson.{f}": ("k", "loc") for f in ("pmf", "logpmf", *_CUMULATIVE)},
}
