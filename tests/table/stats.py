"""Rows: densities and distributions of SciPy."""

import numpy as np
import scipy.stats
from hypothesis import strategies as st

from autograd_core.scipy import stats  # noqa: F401 - declares what is tested here
from autograd_core.testing.strategies import between, integers
from tests.table.cases import Case, elementwise, generator
from tests.table.row import Row, anything, positive

UNITS = {"loc": between(-0.1, 0.1), "scale": between(3, 3.5)}
# By distribution: where x is, and its parameters.
CONTINUOUS = {
    "norm": (anything, {}),
    "t": (anything, {"df": between(1, 4)}),
    "gamma": (between(3, 9), {"a": between(1, 4)}),
    "beta": (between(1.5, 1.8), {"a": between(1.5, 2.5), "b": between(1.5, 2.5)}),
    "chi2": (between(3, 9), {"df": between(2, 5)}),
}


def scipys(name):
    """SciPy's, in float64: its betainc of float32 is not exact to the last digits."""
    owner, _, function = name.partition(".")
    theirs = getattr(getattr(scipy.stats, owner), function)

    def density(*operands):
        wide = (np.asarray(x, np.float64) for x in operands)
        return np.asarray(theirs(*wide), np.result_type(*operands))

    return density


def continuous(name, domain, shapes, functions, **settings):
    for function in functions:
        refused = tuple(shapes) if function in ("cdf", "logcdf") else ()
        kept = {n: () for n in ("x", *shapes, *UNITS) if n not in refused}
        full = f"{name}.{function}"
        cases = elementwise(x=domain, **shapes, **UNITS)
        yield Row(f"scipy.stats.{full}", cases, kept, scipys(full), half=False, refused=refused,
                  **settings)  # fmt: skip


@st.composite
def simplexes(draw):
    k, n = draw(st.integers(2, 3)), draw(st.sampled_from([(), (3,)]))
    rng = generator(draw)
    x = rng.uniform(0.8, 1, (k, *n))
    return Case(("x", "alpha"), (x / x.sum(0), rng.uniform(1, 3, k)), {})


def dirichlet(function):
    """SciPy's without its look at the sum, so that x can be moved."""

    def density(x, alpha):
        powers = alpha.reshape(-1, *[1] * (x.ndim - 1))
        from scipy.special import gammaln

        out = gammaln(alpha.sum()) - gammaln(alpha).sum() + ((powers - 1) * np.log(x)).sum(0)
        return out if function == "logpdf" else np.exp(out)

    return density


@st.composite
def vectors(draw, names):
    d = draw(st.integers(1, 3))
    rng = generator(draw)
    root = rng.uniform(-0.3, 0.3, (d, d)) + np.eye(d)
    x = rng.uniform(-1, 1, (*draw(st.sampled_from([(), (2,), (2, 2)])), d))
    every = {"x": x, "mean": rng.uniform(-1, 1, d), "root": root}
    return Case(names, tuple(every[name] for name in names), {})


def of_root(function, *operands):
    """The covariance matrix is root @ root.T."""
    *front, root = operands
    return function(*front, root @ root.swapaxes(-1, -2))


def scipys_vectors(name):
    theirs = getattr(scipy.stats.multivariate_normal, name)
    return lambda *operands: np.asarray(theirs(*operands), np.result_type(*operands))


DENSITIES = ("pdf", "cdf", "logpdf", "logcdf")
EVERY = ("x", "mean", "root")

STATS = [
    *(
        row
        for name, (domain, shapes) in CONTINUOUS.items()
        for row in continuous(name, domain, shapes, DENSITIES)
        if not row.name.endswith(("t.cdf", "t.logcdf"))
    ),
    *continuous("t", anything, {"df": between(1, 4)}, ("cdf", "logcdf"), host=True),
    *continuous("norm", anything, {}, ("sf", "logsf")),
    *(
        Row(f"scipy.stats.poisson.{name}", elementwise(k=integers(0, 4), mu=positive), {"mu": ()},
            scipys(f"poisson.{name}"), half=False, dtype=np.result_type)
        for name in ("pmf", "cdf", "logpmf", "logcdf")
    ),
    *(
        Row(f"scipy.stats.dirichlet.{name}", simplexes(), {"x": (), "alpha": ()}, dirichlet(name),
            half=False, never=("0-d", "empty"))
        for name in ("pdf", "logpdf")
    ),
    *(
        Row(f"scipy.stats.multivariate_normal.{name}", vectors(EVERY), dict.fromkeys(EVERY, ()),
            scipys_vectors(name), half=False, call=of_root, never=("0-d", "empty"))
        for name in ("pdf", "logpdf")
    ),
    Row("scipy.stats.multivariate_normal.entropy", vectors(("mean", "root")), {"root": ()},
        scipys_vectors("entropy"), half=False, call=of_root, never=("0-d", "empty", "several")),
]  # fmt: skip
