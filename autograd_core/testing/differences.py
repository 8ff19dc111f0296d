"""Derivatives along a line by differences, with a bound on their error and an answer for kinks.

Everything here is about one real function of one real number t, given as the terms of a sum: what
the terms' rounding can have cost is then known, and need not be guessed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

__all__ = ["SHARP", "Slope", "sharpened", "slope"]

LEVELS = 12  # steps, each half of the one before
MORE = 32  # where so many are not enough, as for what oscillates
TINY = 2.0**-24  # a step, in proportion to the largest, that sees what the others jump over
SHARP = 1e-9  # the error, in proportion, that is good enough
DEPTH = 5  # extrapolations, which lift the order by 2 each
ROUNDING = 2.0**-52  # of double precision
UNITS = 32  # of rounding for a term, its evaluation included

Terms = Callable[[Any], Any]


class Slope(NamedTuple):
    """A derivative and a bound on its error.

    `below` and `above` are the one-sided derivatives at a kink, and None where there is none. An
    `error` of inf says that no derivative was found.
    """

    value: float
    error: float
    below: float | None = None
    above: float | None = None


def _at(terms: Terms, t: float) -> tuple[float, float]:
    """The sum at t, and the size of its terms; NaN where the function cannot be evaluated."""
    try:
        with np.errstate(all="ignore"):
            values = terms(t)
    except (ArithmeticError, ValueError):
        return math.nan, math.nan
    if not np.isfinite(values).all():
        return math.nan, math.nan
    return math.fsum(values), math.fsum(abs(values))


def slope(terms: Terms, largest: float = 1 / 16, blur: float = 0.0) -> Slope:
    """The derivative at t = 0 of the sum of ``terms(t)``, which are known to their own rounding and
    to `blur` in all.

    Central differences of falling steps, extrapolated (Richardson): of all of them the one whose
    error is least, as its neighbours and the rounding of the terms tell it. Steps that reach where
    the function has no value are left out.
    """
    middle, size = _at(terms, 0.0)
    best, rows = Slope(math.nan, math.inf), [[math.nan]]
    sides: list[tuple[float, float, float, float]] = []
    for level in range(MORE):
        if level >= LEVELS and best.error <= SHARP * (abs(best.value) + size):
            break
        step = largest / 2**level
        (above, larger), (below, smaller) = _at(terms, step), _at(terms, -step)
        if math.isnan(above - below):
            rows, sides = [[math.nan]], []
            continue
        size = max(size, larger, smaller)
        noise = (UNITS * ROUNDING * size + blur) / step
        row = [(above - below) / (2 * step)]
        for order, coarser in enumerate(rows[-1][: DEPTH - 1], start=1):
            finer = row[-1]
            row.append(finer + (finer - coarser) / (4**order - 1))
            if not math.isnan(row[-1]):
                change = max(abs(row[-1] - finer), abs(row[-1] - coarser))
                error = 4 * change + 2 * noise  # the least of many such is taken
                if error < best.error:
                    best = Slope(row[-1], error)
        rows.append(row)
        sides.append((step, (above - middle) / step, (middle - below) / step, noise))
    step = largest * TINY
    (above, _), (below, _) = _at(terms, step), _at(terms, -step)
    doubt = abs((above - below) / (2 * step) - best.value)
    allowed = best.error + 1e-3 * abs(best.value) + (UNITS * ROUNDING * size + blur) / step
    if doubt > allowed and largest > TINY:
        return slope(terms, largest / 2**LEVELS, blur)  # it oscillates faster than the steps fall
    return _with_kink(best, sides[:LEVELS])


def _with_kink(found: Slope, sides: list[tuple[float, float, float, float]]) -> Slope:
    """Of a smooth function the one-sided slopes come together in proportion to the step."""
    gaps = [(above - below, noise) for _, above, below, noise in sides]
    for (gap, _), (half, noise) in pairwise(gaps[2:]):
        if abs(half) < 16 * noise or abs(half) < 0.75 * abs(gap):
            return found
    if len(gaps) < 5:
        return found
    _, above, below, noise = sides[len(sides) // 2]
    if abs(above - below) <= 1e-6 * (abs(above) + abs(below)) + 16 * noise:
        return found
    return Slope(found.value, found.error, below, above)


def sharpened(found: Slope, terms: Terms, largest: float) -> Slope:
    """The derivative by a complex step, Im f(i·h) / h, which loses no digits (Squire and Trapp,
    SIAM Review 40, 1998), where the function is analytic: it takes complex numbers, two steps
    agree, and so do the differences, to their own error. Else `found`.
    """
    values = []
    for step in (largest * 2.0**-60, largest * 2.0**-70):
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parts = np.asarray(terms(step * 1j)).imag / step
        except (ArithmeticError, TypeError, ValueError):
            return found
        if not np.isfinite(parts).all():
            return found
        values.append((math.fsum(parts), UNITS * ROUNDING * math.fsum(abs(parts))))
    (value, error), (again, _) = values
    agree = abs(value - again) <= error and abs(value - found.value) <= found.error
    return found._replace(value=value, error=error) if agree else found
