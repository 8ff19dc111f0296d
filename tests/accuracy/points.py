"""Where the accuracy of a function is measured: in every binade, around the ends of its domain, and
on a grid that is fine where functions saturate.

Each point is a number of float64; those that float32 and float16 have too are theirs as well.
"""

import itertools
import math
from functools import cache

import numpy as np

DTYPES = {"f2": np.float16, "f4": np.float32, "f8": np.float64}
MANTISSAS = (1 + 341 / 1024, 1 + 682 / 1024, 1 + 55 / 1024)  # float16 has them


def exact_in(dtype, points):
    """Which of the points a dtype has."""
    with np.errstate(over="ignore"):
        return points.astype(dtype).astype(np.float64) == points


@cache
def _binades():
    """One number in every binade of each dtype, subnormal ones too."""
    found = set()
    for dtype in DTYPES.values():
        limits = np.finfo(dtype)
        smallest, largest = math.frexp(limits.smallest_subnormal)[1] - 1, limits.maxexp - 1
        for exponent in range(smallest, largest + 1):
            mantissa = MANTISSAS[exponent % len(MANTISSAS)]
            found.add(float(dtype(math.ldexp(mantissa, exponent))))
        found |= {float(limits.smallest_subnormal), float(limits.tiny), float(limits.max)}
    return frozenset(found)


@cache
def _grid():
    """Small multiples of 1/4 and larger steps further out, to where exp leaves float64's range."""
    quarters = (i / 4 for i in range(97))
    halves = (i / 2 for i in range(48, 221))
    wide = range(110, 761, 5)
    return frozenset(map(float, itertools.chain(quarters, halves, wide)))


def _around(end):
    """Numbers on both sides of an end of a domain, closer and closer to it."""
    for dtype in DTYPES.values():
        for exponent in range(1, np.finfo(dtype).nmant + 2):
            for mantissa in (1.0, MANTISSAS[0]):
                step = math.ldexp(mantissa, -exponent) * max(abs(end), 1)
                yield float(dtype(end - step))
                yield float(dtype(end + step))
    yield end


@cache
def line(low=-math.inf, high=math.inf, ends=()):
    """The points strictly between `low` and `high`, small ones first, with more of them around both
    (where finite and not 0) and around `ends`."""
    sizes = _binades() | _grid()
    found = {sign * size for size in sizes for sign in (-1, 1)}
    for end in {low, high, *ends} - {-math.inf, math.inf, 0.0}:
        found.update(_around(end))
    return np.array(sorted((x for x in found if low < x < high), key=lambda x: (abs(x), x)))


COARSE = [0, 1, 2, 3, 5, 8, 11, 14, 24, 40, 63, 90, 120, 126, 200, 300, 500, 511, 700, 900, 1020]


@cache
def _coarse():
    exponents = sorted({sign * e for e in COARSE for sign in (-1, 1)} | {-149, -1040})
    sizes = {math.ldexp(MANTISSAS[e % 3], e) for e in exponents}
    sizes |= {float(np.float16(x)) for x in (3e-7, 6e-6)} | {0.25, 0.5, 1.0, 2.0, 3.5, 17.0, 300.0}
    return sorted(sizes)


@cache
def pairs(*domains):
    """Points of several operands, as an array (points, operands), each operand between the `low`
    and `high` of its domain. Of all combinations a quarter, and those of equal sizes."""
    found = []
    for low, high in domains:
        signed = {sign * size for size in _coarse() for sign in (-1, 1)}
        if math.isfinite(high) and high - low <= 2:
            signed |= {high - 2.0**-e for e in (2, 5, 9, 20, 50)}
        inside = (x for x in signed if low < x < high)
        found.append(list(enumerate(sorted(inside, key=lambda x: (abs(x), x)))))
    return np.array(
        [[x for _, x in chosen] for chosen in itertools.product(*found) if _kept(chosen)]
    )


def _kept(chosen):
    sizes = {abs(x) for _, x in chosen}
    return len(sizes) == 1 or sum(i * 7**n for n, (i, _) in enumerate(chosen)) % 4 == 0
