"""Derivatives along a line from finite differences, with error bounds and detection of kinks.

The functions in this module differentiate a real function of one real number t. It is passed as the
terms of a sum, so that the round-off of the sum can be computed from the terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

FEWEST = 7  # steps that suffice for a smooth function
LEVELS = 12  # steps, each half of the one before
MORE = 32  # steps at most, for example for an oscillating function
TINY = 2.0**-24  # one more step, relative to the largest, to detect oscillations
SHARP = 1e-9  # a sufficient relative error
FINEST, RUNG = 40, 8  # _grain starts at largest / 2**FINEST and multiplies by 2**RUNG
DEPTH = 5  # extrapolations, each of which raises the order by 2
ROUNDING = 2.0**-52  # the machine epsilon of double precision
UNITS = 32  # units of round-off assumed for each term, including its evaluation

Terms = Callable[[Any], Any]


class Slope(NamedTuple):
    """A derivative and a bound on its error.

    `below` and `above` are the one-sided derivatives at a kink, and None if there is no kink. An
    `error` of inf means that no derivative was found.
    """

    value: float
    error: float
    below: float | None = None
    above: float | None = None


def _remembered(terms: Terms) -> Terms:
    known: dict[float, Any] = {}

    def values(t: float) -> Any:
        if t not in known:
            known[t] = _values(terms, t)
        return known[t]

    return values


def _values(terms: Terms, t: float) -> Any:
    """The terms at t, or None if the function cannot be evaluated, is not finite, or returns
    another dtype, as functions of np.emath do."""
    try:
        with np.errstate(all="ignore"):
            values = terms(t)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return values if np.isfinite(values).all() else None


def slope(terms: Terms, largest: float = 1 / 16, blur: Any = 0.0) -> Slope:
    """The derivative at t = 0 of the sum of ``terms(t)``. The error of each term is taken to be its
    round-off plus `blur`, which is a number or an array with one number for each term.

    Central differences with decreasing steps are extrapolated (Richardson). The error of each
    extrapolated value is estimated from the neighbouring values and the round-off of the terms, and
    the value with the least error is returned. Steps at which the function is not defined are
    skipped.
    """
    values, depends = _remembered(terms), _depends(terms)
    moving = _moving(values, depends, largest)

    def at(t: float) -> tuple[float, float]:
        there = values(t)
        if there is None:
            return math.nan, math.nan
        return math.fsum(there[moving]), math.fsum(abs(there[moving]))

    middle, size = at(0.0)
    rounding = math.fsum((blur + np.zeros(moving.shape))[moving]) + _grain(values, depends, largest)
    best, rows = Slope(math.nan, math.inf), [[math.nan]]
    sides: list[tuple[float, float, float, float]] = []
    for level in range(MORE):
        sharp = best.error <= SHARP * (abs(best.value) + size)
        if sharp and (level >= LEVELS or (level >= FEWEST and not _has_kink(sides))):
            break
        step = largest / 2**level
        (above, larger), (below, smaller) = at(step), at(-step)
        if math.isnan(above - below):
            rows, sides = [[math.nan]], []
            continue
        size = max(size, larger, smaller)
        noise = (UNITS * ROUNDING * size + rounding) / step
        row = [(above - below) / (2 * step)]
        for order, coarser in enumerate(rows[-1][: DEPTH - 1], start=1):
            finer = row[-1]
            row.append(finer + (finer - coarser) / (4**order - 1))
            if not math.isnan(row[-1]):
                change = max(abs(row[-1] - finer), abs(row[-1] - coarser))
                error = 4 * change + 2 * noise  # generous, because the least of many is taken
                if error < best.error:
                    best = Slope(row[-1], error)
        rows.append(row)
        sides.append((step, (above - middle) / step, (middle - below) / step, noise))
    step = largest * TINY
    (above, _), (below, _) = at(step), at(-step)
    doubt = abs((above - below) / (2 * step) - best.value)
    allowed = best.error + 1e-3 * abs(best.value) + (UNITS * ROUNDING * size + rounding) / step
    if doubt > allowed and largest > TINY:
        return slope(
            terms, largest / 2**LEVELS, blur
        )  # it oscillates faster than the steps decrease
    return _with_kink(best, sides[:LEVELS])


def _moving(values: Terms, depends: Any, largest: float) -> Any:
    """The mask of the terms that depend on t. The round-off of the other terms, however large, is
    constant and cancels in a difference."""
    middle, moving = values(0.0), depends.copy()
    if middle is not None and not moving.all():
        for t in (largest, -largest, largest * TINY, -largest * TINY):
            there = values(t)
            moving |= True if there is None else there != middle
    return moving


def _depends(terms: Terms) -> Any:
    """The mask of the terms that are NaN at t = NaN. They depend on t, even if they do not
    change."""
    try:
        with np.errstate(all="ignore"):
            return np.isnan(terms(math.nan))
    except (ArithmeticError, ValueError, TypeError):
        return np.ones(terms(0.0).shape, bool)


def _grain(values: Terms, depends: Any, largest: float) -> float:
    """Twice the sum of the resolutions of the terms. The resolution of a term is its first nonzero
    change as the step grows from a very small one. It may be coarser than the round-off of the
    term's value: ``1 - tanh(t)`` near t = 15 is tiny, but has the resolution of numbers near 1. A
    term that depends on t and does not change, or changes on one side only (at a kink), is assumed
    to have the resolution of numbers near 1, too.
    """

    def changes(step: float) -> Any:
        there = values(step)
        return np.zeros(middle.shape) if there is None else abs(there - middle)

    middle = values(0.0)
    if middle is None:
        return 0.0
    above, below = changes(largest), changes(-largest)
    both = (above > 0) & (below > 0)
    grain, found = np.where(both, np.maximum(above, below), 0.0), ~both
    for exponent in range(-FINEST, 0, RUNG):
        if found.all():
            break
        seen = changes(largest * 2.0**exponent)
        grain = np.where(~found & (seen > 0), seen, grain)
        found |= seen > 0
    return 2 * math.fsum(np.where(~both & depends, ROUNDING, grain))


def _has_kink(sides: list[tuple[float, float, float, float]]) -> bool:
    """True if there is a kink. Without a kink, the difference of the two one-sided slopes is
    proportional to the step."""
    gaps = [(above - below, noise) for _, above, below, noise in sides]
    for (gap, _), (half, noise) in pairwise(gaps[2:]):
        if abs(half) < 16 * noise or abs(half) < 0.75 * abs(gap):
            return False
    return len(gaps) >= 5


def _with_kink(found: Slope, sides: list[tuple[float, float, float, float]]) -> Slope:
    if not _has_kink(sides):
        return found
    _, above, below, noise = sides[len(sides) // 2]
    if abs(above - below) <= 1e-6 * (abs(above) + abs(below)) + 16 * noise:
        return found
    return Slope(found.value, found.error, below, above)
