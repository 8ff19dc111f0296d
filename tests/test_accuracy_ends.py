"""The rows of the accuracy table at NaN, at infinity, at 0 and at the ends of their domains, and
for gradients of any size that arrive.

A derivative at an end is the limit of the references: where they become constant, vanish or grow
without bound it is known.
"""

import math

import numpy as np
import pytest

import autograd_core as ac
from tests.accuracy.derivatives import derivatives
from tests.accuracy.points import DTYPES, exact_in
from tests.accuracy.references import EXACT, load

REFERENCES = load()
ONE = [title for title, row in EXACT.items() if len(row.domains) == 1]
ORDERS = {("first", 0): 2, ("second", 0): 4}
pytestmark = [
    pytest.mark.filterwarnings("ignore::autograd_core.AutogradWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
CONSTANT = {
    "relu",
    "nan_to_num",
    "clip",
}  # 0 is chosen for their slope at NaN, see docs/conventions.md


def at(title, dtype, *points):
    return derivatives(EXACT[title].function, [np.array(points, dtype)])


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("title", ONE)
def test_nan_gives_nan(title, name):
    found = at(title, DTYPES[name], math.nan)
    slope = found["first", 0][0]
    if title in CONSTANT:
        assert slope == 0
        return
    slopes = REFERENCES[title][:, 2]
    assert math.isnan(slope) or (slopes == slopes[0]).all()  # of a straight line
    assert np.isnan(found.get(("value", 0), math.nan)).all()


def limit(near, next):
    """What numbers approach, of which two are given; None where that is not certain."""
    if near == next:
        return near
    if abs(near) < 1e-6 and abs(near) < abs(next):
        return 0.0
    if abs(near) > 1e6 and abs(near) > abs(next) and (near > 0) == (next > 0):
        return math.copysign(math.inf, near)
    return None


def neighbours(title, dtype, end, direction):
    """Where the two points stand that are next to an end, in that direction."""
    points = EXACT[title].points[:, 0]
    inside = np.flatnonzero(exact_in(dtype, points) & ((points - end) * direction > 0))
    return inside[np.argsort(points[inside] * direction)[:2]]


def approached(title, dtype, end, direction):
    """The limits of the first and the second derivative; the latter None beside an infinite one."""
    where = neighbours(title, dtype, end, direction)
    first, second = (limit(*REFERENCES[title][where, column]) for column in ORDERS.values())
    return first, None if first is None or math.isinf(first) else second


def ends(title, dtype):
    """The ends of the domain and 0 in it, each with the derivatives that are approached there. Not
    0 where they are others from the other side: what is chosen at kinks stands elsewhere."""
    low, high = EXACT[title].domains[0]
    yield low, approached(title, dtype, low, 1)
    yield high, approached(title, dtype, high, -1)
    if low < 0 < high:
        above, below = (approached(title, dtype, 0.0, side) for side in (1, -1))
        if above == below:
            yield 0.0, above
            yield -0.0, below


UNTESTED = {
    "nan_to_num": "replaces infinity by a constant",
    "scipy.special.ive of order 0.5": "see the exceptions for small x",
    **dict.fromkeys(
        (title for title in ONE if title.startswith("scipy.stats.multivariate_normal")),
        "a covariance matrix of 0 or infinity is refused",
    ),
}


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("title", [title for title in ONE if title not in UNTESTED])
def test_the_ends_of_the_domain(title, name):
    dtype, wrong = DTYPES[name], []
    for end, expected in ends(title, dtype):
        found = at(title, dtype, end)
        value = found.get(("value", 0), np.array(math.nan))
        if np.isnan(value).any() or (title.startswith("scipy.stats") and np.isinf(value).any()):
            continue  # the logarithm of a density of 0 is constant
        for key, number in zip(ORDERS, expected, strict=True):
            came = float(found[key][0])
            if number is not None and not np.isclose(came, number, 64 * np.finfo(dtype).eps, 0):
                wrong.append(f"{key[0]} at {end}: {came}, not {number}")
    assert not wrong, "; ".join(wrong)


SCALES = {"f2": 2.0**8, "f4": 2.0**60, "f8": 2.0**500}


def pulled(title, operands, g):
    """The gradient of each operand where g arrives, and the result's shape."""
    tensors = [ac.Tensor(x, True) for x in operands]
    out = EXACT[title].function(*tensors)
    out.backward(np.full(out.shape, g, out.dtype))
    nothing = np.zeros(out.shape)
    return np.array([nothing if x.grad is None else x.grad.data for x in tensors], np.float64)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("title", EXACT)
def test_linear_in_what_arrives(title, name):
    """Also where there is little room left in the dtype: wherever operands and gradients are well
    in its range, and are when multiplied by what arrives."""
    dtype, row, limits = DTYPES[name], EXACT[title], np.finfo(DTYPES[name])
    points = row.points[exact_in(dtype, row.points).all(1)]
    operands = [np.ascontiguousarray(x, dtype) for x in points.T]
    slopes = pulled(title, operands, 1)
    for scale in (SCALES[name], 1 / SCALES[name]):
        sizes = np.abs([*slopes, *(slopes * scale), *(points.T * scale)])
        judged = ((sizes > limits.tiny / limits.eps) & (sizes < limits.max * limits.eps)).all(0)
        found = pulled(title, operands, scale)
        wrong = judged & ~np.isclose(found, slopes * scale, 64 * float(limits.eps), 0)
        some = [
            (points[i].tolist(), found[k, i] / scale, slopes[k, i]) for k, i in np.argwhere(wrong)
        ]
        assert not some, f"{len(some)} of {judged.sum()} for {scale}, such as {some[:3]}"
