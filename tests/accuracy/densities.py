"""Rows of the accuracy table for the densities: one operand moves over its domain, the others are
fixed. Their references are those of `exact_densities`, their rows as `accuracy_table` describes."""

import math

import numpy as np
from mpmath import mp

import autograd_core as ac
from autograd_core.scipy import stats
from tests.accuracy.exact_densities import EXACT, NAMES
from tests.accuracy.functions import POSITIVE, REALS, Exact

DENSITY, CUMULATIVE = ("pdf", "logpdf"), ("cdf", "logcdf")
BOTH = (*DENSITY, *CUMULATIVE)


def _thinned(x):
    """Every point of moderate size, and a third of the very small and the very large ones."""
    size = np.abs(x)
    return (x != 0) & ((size > 2.0**-14) & (size < 64) | (np.arange(len(x)) % 3 == 0))


def _call(distribution, function, place, operands):
    called = getattr(getattr(stats, distribution), function)
    before, after = operands[:place], operands[place + 1 :]
    if distribution == "dirichlet":
        return lambda x: called(ac.stack([x, operands[1] + 0 * x]), list(after[1:]))
    if distribution == "multivariate_normal" and place:  # the variance of one call is one number
        return lambda x: ac.stack([called(*map(np.array, before), v) for v in x])
    if distribution == "multivariate_normal":
        return lambda x: called(x[..., None], *(np.array([v]) for v in after))
    return lambda x: called(*before, x, *after)


def _moving(distribution, functions, name, domain, operands, hidden=100, pace=lambda x: 1, far=1):
    """Rows in which the operand `name` moves over `domain`; its place in `operands` is None."""
    place = NAMES[distribution].index(name)
    fixed = ", ".join(f"{n} = {v:g}" for n, v in zip(NAMES[distribution], operands, strict=True)
                      if n != name)  # fmt: skip
    for function in functions:
        reference = EXACT[f"{distribution}.{function}"]

        def exact(x, reference=reference):
            before, after = operands[:place], operands[place + 1 :]
            return reference(*map(mp.mpf, before), x, *map(mp.mpf, after))

        ends = tuple(end for end in domain if math.isfinite(end))
        yield Exact(
            f"scipy.stats.{distribution}.{function}", exact, (domain,),
            singular=ends, call=_call(distribution, function, place, operands), inside=_thinned,
            pace=pace, variant=f"in {name}, {fixed}", hidden=hidden, far=far,
        )  # fmt: skip


def _gauss(x):
    """The pace of what changes like exp(x²)."""
    return max(1.0, abs(x))


UNIT = (0.0, 1.0)
ANY = 0.0  # stands in the place of the operand that moves
DENSITIES = [
    *_moving("norm", DENSITY, "x", REALS, (ANY, 0.0, 1.0)),
    *_moving("norm", DENSITY, "scale", POSITIVE, (1.5, 0.0, ANY)),
    *_moving("t", DENSITY, "x", REALS, (ANY, 2.5, 0.0, 1.0)),
    *_moving("t", DENSITY, "df", POSITIVE, (1.5, ANY, 0.0, 1.0), far=6),
    *_moving("t", DENSITY, "scale", POSITIVE, (1.5, 2.5, 0.0, ANY)),
    *_moving("gamma", DENSITY, "x", POSITIVE, (ANY, 0.5, 0.0, 1.0)),
    *_moving("gamma", DENSITY, "x", POSITIVE, (ANY, 40.0, 0.0, 1.0)),
    *_moving("gamma", DENSITY, "a", POSITIVE, (1.5, ANY, 0.0, 1.0)),
    *_moving("gamma", DENSITY, "scale", POSITIVE, (1.5, 0.5, 0.0, ANY)),
    *_moving("chi2", DENSITY, "x", POSITIVE, (ANY, 5.0, 0.0, 1.0)),
    *_moving("chi2", DENSITY, "df", POSITIVE, (1.5, ANY, 0.0, 1.0)),
    *_moving("beta", DENSITY, "x", UNIT, (ANY, 2.0, 3.0, 0.0, 1.0)),
    *_moving("beta", DENSITY, "x", UNIT, (ANY, 0.5, 40.0, 0.0, 1.0)),
    *_moving("beta", DENSITY, "a", POSITIVE, (0.25, ANY, 2.5, 0.0, 1.0)),
    *_moving("beta", DENSITY, "b", POSITIVE, (0.25, 2.5, ANY, 0.0, 1.0)),
    *_moving("beta", DENSITY, "scale", (1.5, math.inf), (1.5, 0.5, 2.5, 0.0, ANY)),
    *_moving("poisson", ("pmf", "logpmf"), "mu", POSITIVE, (3.0, ANY, 0.0)),
    *_moving("poisson", ("pmf", "logpmf"), "mu", POSITIVE, (40.0, ANY, 0.0)),
    *_moving("norm", ("cdf", "sf"), "x", REALS, (ANY, 0.0, 1.0), 1100, _gauss),
    *_moving("norm", ("logcdf", "logsf"), "x", REALS, (ANY, 0.0, 1.0), 1100, _gauss),
    *_moving("norm", CUMULATIVE, "scale", POSITIVE, (-1.5, 0.0, ANY), 1100),
    *_moving("t", CUMULATIVE, "x", REALS, (ANY, 2.5, 0.0, 1.0), 1100),
    *_moving("gamma", CUMULATIVE, "x", POSITIVE, (ANY, 3.25, 0.0, 1.0), 1100),
    *_moving("chi2", CUMULATIVE, "x", POSITIVE, (ANY, 5.0, 0.0, 1.0), 1100),
    *_moving("beta", CUMULATIVE, "x", UNIT, (ANY, 2.0, 3.0, 0.0, 1.0), 1100),
    *_moving("poisson", CUMULATIVE, "mu", POSITIVE, (3.0, ANY, 0.0), 1100),
    *_moving("dirichlet", DENSITY, "x", UNIT, (ANY, 0.5, 2.0, 3.0), 1100),
    *_moving("multivariate_normal", DENSITY, "x", REALS, (ANY, 0.0, 1.0)),
    *_moving("multivariate_normal", DENSITY, "variance", POSITIVE, (1.5, 0.0, ANY)),
]  # fmt: skip
TITLES = {row.title for row in DENSITIES}
assert len(TITLES) == len(DENSITIES)
