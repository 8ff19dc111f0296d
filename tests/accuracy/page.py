"""Writes docs/accuracy.md: ``python -m tests.accuracy.page``."""

import warnings
from pathlib import Path

import numpy as np
import scipy

from tests.accuracy.derivatives import ORDERS, measured
from tests.accuracy.points import DTYPES
from tests.accuracy.references import EXACT, load
from tests.test_accuracy import EXCEPTIONS, excused, judged

PATH = Path(__file__).parents[2] / "docs" / "accuracy.md"
START = """\
# Accuracy

Written by `python -m tests.accuracy.page`. Every elementwise and special function, activation, loss
and density is compared with mpmath over its whole domain, in float64, float32 and float16: at one
point in every binade of each dtype, including subnormal numbers, on a grid where functions
saturate, and increasingly close to the ends of domains and supports. The references are computed
with hundreds of digits, rounded to float64 and stored in tests/data/accuracy.npz.

Let v be the exact result and eps the distance from 1 to the next number. The allowed error is
64 eps (|v| + |x v'|) plus the smallest subnormal number; the term |x v'| accounts for the rounding
of the operand x. For a second derivative, 64 eps |f'| is added. Derivatives are not tested where
the value is NaN or outside the range of the dtype.
"""
EXCEPTED = """
## Exceptions

"""
NEIGHBOURS = """
Derivatives that are SciPy functions of a neighbouring order, and have their errors:

"""
FIGURES = """
## The largest errors

Errors of the value, the first and the second derivative, relative to the allowed error, without the
exceptions. Values computed by NumPy or SciPy functions are not tested.

"""
OWN = """
## Values of NumPy and SciPy

Values whose error exceeds the allowed error, with NumPy {numpy} and SciPy {scipy}:

"""


def exceptions(of_scipy):
    yield "| function | derivative | where | why |"
    yield "|---|---|---|---|"
    for e in EXCEPTIONS:
        if e.scipys == of_scipy:
            names, orders = (", ".join(f"`{name}`" for name in e.names), ", ".join(e.orders))
            yield f"| {names} | {orders} | {e.interval.replace('|', chr(92) + '|')} | {e.reason} |"


def largest(row, found, dtype):
    """The largest tested error for each order, relative to the allowed error."""
    limits = np.finfo(dtype)
    worst = dict.fromkeys(ORDERS)
    for key in found.found:
        counted = judged(row, found, key, dtype) & ~excused(row, found, key, limits)
        if counted.any():
            worst[key[0]] = max(worst[key[0]] or 0, found.excess(key)[counted].max())
    return worst


def shown(worst):
    return " / ".join("-" if x is None else f"{x:.2f}" for x in worst.values())


def figures(references):
    yield "| function | points | float64 | float32 | float16 |"
    yield "|---|---|---|---|---|"
    for title, row in EXACT.items():
        cells = []
        for name in ("f8", "f4", "f2"):
            found = measured(row, references[title], name)
            cells.append(shown(largest(row, found, DTYPES[name])))
        yield f"| `{title}` | {len(row.points)} | {' | '.join(cells)} |"


def own_errors(references):
    """Rows for the values of NumPy and SciPy whose error exceeds the allowed error."""
    yield "| function | dtype | points | example |"
    yield "|---|---|---|---|"
    for title, row in EXACT.items():
        for name, dtype in DTYPES.items():
            found, key = measured(row, references[title], name), ("value", 0)
            if key not in found.found or judged(row, found, key, dtype).any():
                continue
            excess = np.where(np.abs(found.exact[key]) < np.finfo(dtype).max, found.excess(key), 0)
            if (excess > 1).any():
                i = np.argmax(excess)
                point = ", ".join(f"{x:.6g}" for x in found.points[i])
                what = f"at {point}: {found.found[key][i]:.6g}, exact {found.exact[key][i]:.6g}"
                yield f"| `{title}` | {np.dtype(dtype).name} | {(excess > 1).sum()} | {what} |"


def page():
    references = load()
    parts = [
        START.splitlines(),
        EXCEPTED.splitlines(),
        exceptions(False),
        NEIGHBOURS.splitlines(),
        exceptions(True),
        FIGURES.splitlines(),
        figures(references),
        OWN.format(numpy=np.__version__, scipy=scipy.__version__).splitlines(),
        own_errors(references),
    ]
    return "\n".join(line.rstrip() for part in parts for line in part) + "\n"


if __name__ == "__main__":
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        PATH.write_text(page())
