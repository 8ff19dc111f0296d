"""Values and derivatives against mpmath over whole domains, in float16, float32 and float64.

The references lie in data/accuracy.npz. A value that is NumPy's or SciPy's own is not judged, and
neither are the derivatives where the value leaves the range of the dtype, or where theirs is NaN.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from autograd_core import operations
from tests.accuracy.derivatives import measured
from tests.accuracy.points import DTYPES
from tests.accuracy.references import EXACT, load

REFERENCES = load()
PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"


@dataclass(frozen=True)
class Exception_:
    """Where a rule is known to miss, how and why. One that is `scipys` has SciPy's values of
    neighbouring functions for its derivatives, and their errors."""

    names: tuple[str, ...]
    orders: tuple[str, ...]
    interval: str
    holds: object  # of the points, the exact results and the dtype's limits
    reason: str
    scipys: bool = False

    def covers(self, name, order):
        return order in self.orders and name in self.names


def tiny(factor):
    """Results that are below the smallest normal number, or not far above it."""
    return lambda points, exact, limits: np.abs(exact) < factor * float(limits.tiny)


def subnormal(points, exact, limits):
    """Operands or results."""
    return (np.abs(points) < float(limits.tiny)).all(1) | tiny(1)(points, exact, limits)


def between(low, high):
    return lambda points, exact, limits: ((low < abs(points)) & (abs(points) < high)).all(1)


def of_neighbours(points, exact, limits):
    """Where Bessel functions of neighbouring order are beyond what SciPy computes of them."""
    size = np.abs(exact)
    small, large = size < 1e3 * float(limits.tiny), size > float(limits.max) / 4
    return (np.abs(points[:, 0]) < 1e-60) | small | large


def of_logarithm(points, exact, limits):
    """A density that is exp of a number of hundreds, or subnormal."""
    return (points[:, 0] > 1e100) | (points[:, 0] < 1e-150) | tiny(1)(points, exact, limits)


DERIVATIVES, ALL = ("first", "second"), ("value", "first", "second")
DENSITIES = ("norm.pdf", "t.pdf", "t.logpdf", "gamma.pdf", "chi2.pdf", "chi2.logpdf", "chi2.cdf",
             "chi2.logcdf", "beta.pdf", "poisson.pmf", "dirichlet.pdf")  # fmt: skip
EXCEPTIONS = [
    Exception_(
        ("power", "float_power"), DERIVATIVES, "x and y, or the result, subnormal", subnormal,
        "x ** (y - 1) is subnormal or overflows, although y * x ** (y - 1) does not",
    ),
    Exception_(
        ("hypot", "scipy.special.xlogy"), DERIVATIVES, "x and y, or the result, subnormal",
        subnormal, "x / out and x / y are rounded to a subnormal and then divided",
    ),
    Exception_(
        ("scipy.special.betainc",), DERIVATIVES, "result subnormal", tiny(1e6),
        "x ** (a - 1) is subnormal before it is divided by the beta function",
    ),
    Exception_(
        ("scipy.special.betaln",), DERIVATIVES, "x or y < 1e-25 or > 1e250",
        lambda points, *_: (points < 1e-25).any(1) | (points > 1e250).any(1),
        "the derivatives are differences of values of psi and polygamma that leave the range",
    ),
    Exception_(
        ("scipy.special.erfcx",), DERIVATIVES, "result subnormal", tiny(1),
        "the integral is rounded to a subnormal before it is multiplied by 4 / sqrt(pi)",
    ),
    Exception_(
        ("scipy.special.i1e",), ("second",), "6 < |x| < 9", between(6, 9),
        "the second derivative changes sign there; its terms are 100 times as large",
    ),
    Exception_(
        ("scipy.special.ive",), DERIVATIVES, "5 < x < 20", between(5, 20),
        "the terms are 20 times as large as the result; for larger x a series is used",
    ),
    Exception_(
        ("scipy.special.gamma",), DERIVATIVES, "result subnormal", tiny(64),
        "the value is rounded to a subnormal before it is multiplied by psi",
    ),
    Exception_(
        ("scipy.special.rgamma",), DERIVATIVES, "result subnormal, or x < -33",
        lambda points, exact, limits: (points[:, 0] < -33) | tiny(64)(points, exact, limits),
        "as for gamma; terms of the second derivative leave the range of float32 and float16",
    ),
    Exception_(
        tuple(f"scipy.stats.{name}" for name in DENSITIES), ALL, "operand or result subnormal",
        lambda points, *more: subnormal(points, *more) | tiny(1e18)(points, *more),
        "a factor of the result is subnormal and has lost digits",
    ),
    Exception_(
        ("scipy.stats.multivariate_normal.pdf",), ALL,
        "variance > 1e100 or < 1e-150, result subnormal", of_logarithm,
        "exp magnifies the error of a logarithm in the hundreds; where the result is 0, terms of "
        "the second derivative leave the range",
    ),
    Exception_(
        ("scipy.special.ive",), DERIVATIVES, "x < 1e-20", between(0, 1e-20),
        "SciPy's ive of an adjacent order is 0 or NaN", scipys=True,
    ),
    Exception_(
        ("scipy.special.j0", "scipy.special.jv", "scipy.special.yv", "scipy.special.iv",
         "scipy.special.kv"), DERIVATIVES, "x < 1e-60, result subnormal or > max / 4",
        of_neighbours, "SciPy's functions of adjacent orders are 0, infinite, NaN or inexact",
        scipys=True,
    ),
    Exception_(
        ("scipy.special.beta",), DERIVATIVES, "x or y < 1e-25 or > 10, or result subnormal",
        lambda points, *more: (points < 1e-25).any(1) | (points > 10).any(1)
        | tiny(64)(points, *more),
        "the value is a factor, and SciPy's value has errors of up to 1e-11", scipys=True,
    ),
    Exception_(
        ("scipy.special.polygamma",), ALL, "result subnormal", tiny(1e3),
        "SciPy multiplies a subnormal by a factorial", scipys=True,
    ),
]  # fmt: skip


def judged(row, found, key, dtype):
    """At which points a result is judged."""
    value = found.found.get(("value", 0))
    if key[0] == "value":
        kernel = operations[row.name].kernel if row.name in operations else None
        ours = row.call is not None and not row.name.endswith((".cdf", ".sf"))
        ours = np.full(len(found.points), ours or hasattr(kernel, "__code__"))
        if row.name.endswith(
            (".logcdf", ".logsf")
        ):  # next to 0 it is the other tail, which is SciPy's
            ours &= np.abs(found.exact[key]) > float(np.finfo(dtype).tiny)
        return ours
    if value is None:
        return np.full(len(found.points), True)
    largest = float(np.finfo(dtype).max)
    return np.isfinite(value) & (np.abs(found.exact["value", 0]) <= largest)


def excused(row, found, key, limits):
    """At which points an exception holds."""
    holds = np.full(len(found.points), False)
    for exception in EXCEPTIONS:
        if exception.covers(row.name, key[0]):
            holds |= exception.holds(found.points, found.exact[key], limits)
    return holds


def misses(row, name):
    """What is missed in a dtype: the order, the operand, the point, what came and what is exact."""
    if row.title not in REFERENCES:
        pytest.fail(f"there are no references for {row.title}: run make generated")
    found = measured(row, REFERENCES[row.title], name)
    limits = np.finfo(DTYPES[name])
    for key in found.found:
        excess = found.excess(key)
        wrong = (excess > 1) & judged(row, found, key, DTYPES[name])
        wrong &= ~excused(row, found, key, limits)
        for i in np.flatnonzero(wrong):
            came, exact = found.found[key][i], found.exact[key][i]
            where = f"{key} at {found.points[i].tolist()}"
            yield f"{where}: {came!r}, exact {exact:.17g}, {excess[i]:.3g}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::autograd_core.AutogradWarning")
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("title", EXACT)
def test_every_digit_over_the_whole_domain(title, name):
    found = list(misses(EXACT[title], name))
    assert not found, f"{len(found)} misses, such as {found[:3]}"


def test_every_elementwise_function_is_measured():
    """But for those that hand on their operands' elements."""
    measured = {row.name for row in EXACT.values()} | {"where", "conjugate", "heaviside"}
    for name, op in operations.items():
        if op.pointwise and op.rules and name not in measured and "._" not in f".{name}":
            pytest.fail(f"the accuracy of {name} is not measured: give its row exact=, as in "
                        "exact=lambda x: x / (1 + abs(x))")  # fmt: skip


def test_there_are_few_exceptions():
    assert sum(len(e.names) for e in EXCEPTIONS if not e.scipys) <= 25


def test_the_page_shows_every_row_and_every_exception():
    """python -m tests.accuracy.page; its figures are those of one machine."""
    shown = PAGE.read_text()
    sizes = {title: len(row.points) for title, row in EXACT.items()}
    missing = [title for title, n in sizes.items() if f"| `{title}` | {n} |" not in shown]
    missing += [e.reason for e in EXCEPTIONS if f"| {e.reason} |" not in shown]
    assert not missing, "run: make generated"
