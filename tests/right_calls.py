"""Right calls, of which the checker must flag none: every row of the op table, its operands and its
values from 1e-6 to 1e6, and functions where they saturate.

    make checker                              # 20,000 of them, on two cores
    python -m tests.right_calls 2000 sigmoid  # fewer, and only of what has this in its name
"""

import os
import sys
import time
import warnings
from multiprocessing import Pool

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.special import erf

import autograd_core as ac
from autograd_core.testing import check_gradients
from autograd_core.testing.strategies import between
from autograd_core.transforms.tree import mapped
from tests.table import checks as op_checks
from tests.table.cases import values
from tests.table.rows import DIFFERENTIABLE

ROWS = {row.id: row for row in DIFFERENTIABLE if not row.transfer}
SCALES = [1.0, 1.0, 1e-6, 1e-3, 1e3, 1e6]


class HOST:
    """The host, as conftest's device."""

    home = "cpu"
    array = staticmethod(np.array)


# ---- rows ----------------------------------------------------------------------------------------


def differentiated(row, case):
    """A row's function of the operands that have a rule, and these."""
    places = [
        i for i, name in enumerate(case.names)
        if name in row.keeps and case.arrays[i].dtype.kind in "fc"
    ]  # fmt: skip

    def function(*chosen):
        operands = list(case.arrays)
        for place, value in zip(places, chosen, strict=True):
            operands[place] = value
        return op_checks.called(row, case, operands, HOST)

    function.__qualname__ = row.id
    return function, [case.arrays[i] for i in places]


def scaled(function, operands, size, factor):
    """The same function, `factor` times as large, of operands that are `size` times as large."""

    def of_scaled(*chosen):
        out = function(*(x * (1 / size) for x in chosen))
        return mapped(lambda value: value * factor, out)

    of_scaled.__qualname__ = f"{factor} * {function.__qualname__}(x / {size})"
    return of_scaled, *(np.asarray(x * size, x.dtype) for x in operands)


def call_of(row, data):
    """A call of a row, or None where nothing is differentiated."""
    dtypes = ["f8", "f8", "f4"] + ["c16"] * row.complex
    case = data.draw(row.cases).cast(data.draw(st.sampled_from(dtypes)))
    size, factor = (data.draw(st.sampled_from(SCALES)) for _ in range(2))
    function, operands = differentiated(row, case)
    if not operands or size == factor == 1:
        return (function, *operands) if operands else None
    return scaled(function, operands, size, factor)


# ---- saturations ---------------------------------------------------------------------------------


def user(kernel, **rules):
    """An operation of a user's, whose rule rounds as it is written."""
    return ac.op(**rules)(kernel)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _hyperbolic(x):
    return np.tanh(x)


def _large(x):
    return 1e6 * np.tanh(x)


def _softplus(x):
    return np.log(1 + np.exp(x))


def _left(x):
    return 1 - np.tanh(x)


def _tail(x):
    return 1 - np.asarray(erf(x))


def _normalised(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


logistic = user(_logistic, x=lambda g, out: g * (out * (1 - out)))
hyperbolic = user(_hyperbolic, x=lambda g, out: g - g * out * out)
large = user(_large, x=lambda g, out: g * (1e6 - out * out / 1e6))
soft = user(_softplus, x=lambda g, out: g * (1 - np.exp(-out)))
left = user(_left, x=lambda g, out: -g * out * (2 - out))
tail = user(_tail, x=lambda g, x: g * np.exp(-x * x) * -1.1283791670955126)
normalised = user(_normalised, x=lambda g, out: out * (g - np.sum(g * out, -1, keepdims=True)))

# name → a function, and where it saturates or cancels
SATURATED = {
    "sigmoid": (ac.sigmoid, -40, 40),
    "tanh": (ac.tanh, -20, 20),
    "a user's sigmoid": (logistic, -40, 40),
    "a user's tanh": (hyperbolic, -20, 20),
    "a large tanh": (large, -20, 20),
    "a user's softplus": (soft, -30, 30),
    "what is left of tanh": (left, -18, 18),
    "what is left of tanh, composed": (lambda x: 1 - ac.tanh(x), -20, 20),
    "a user's tail": (tail, -5, 5),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x)), -40, 40),
    "a user's softmax": (normalised, -40, 40),
    "log-sum-exp": (lambda x: np.log(np.sum(np.exp(x))), -40, 40),
    "1 - x * x": (lambda x: 1 - x * x, 1 - 1e-4, 1 + 1e-4),
    "gelu": (lambda x: x * logistic(x), -30, 30),
    "steep": (lambda x: hyperbolic(1e3 * x), -0.02, 0.02),
}


def saturated(name, data):
    """A call of one of these; what overflows or underflows in float32 stays in double precision."""
    function, low, high = SATURATED[name]
    shape = data.draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    (x,) = values(data.draw, shape, domain=between(low, high))
    if "softmax" in name or "log-sum" in name:
        x = np.atleast_1d(x).ravel()
    factor = data.draw(st.sampled_from(SCALES))
    if factor == 1:
        return function, x
    return (lambda x: factor * function(x)), x


# ---- counting ------------------------------------------------------------------------------------


def flagged(job):
    """How many calls of this name were checked, the messages of those that were flagged, and the
    seconds of a processor that it took."""
    name, draws = job
    start, count, found = time.process_time(), 0, []
    warnings.simplefilter("ignore")

    @settings(max_examples=draws, derandomize=True, database=None, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(data=st.data())
    def draw(data):
        nonlocal count
        call = saturated(name, data) if name in SATURATED else call_of(ROWS[name], data)
        if call is not None:
            count += 1
            try:
                check_gradients(*call)
            except AssertionError as error:
                found.append(f"{name}: {error}")

    with np.errstate(all="ignore"):
        draw()
    return count, found, time.process_time() - start


def main(wanted, only=""):
    names = [name for name in (*SATURATED, *ROWS) if only in name]
    draws = -(-wanted // len(names))
    start, count, wrong, seconds = time.perf_counter(), 0, 0, 0.0
    with Pool(os.cpu_count()) as pool:
        for calls, found, took in pool.imap_unordered(flagged, [(name, draws) for name in names]):
            count, wrong, seconds = count + calls, wrong + len(found), seconds + took
            for message in found:
                print(message, end="\n\n", flush=True)
    wall = time.perf_counter() - start
    print(
        f"{wrong} of {count} right calls were flagged ({wall:.0f} s, {seconds:.0f} s of processors)"
    )
    raise SystemExit(wrong or count < wanted)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
