"""Bessel functions, as `special` has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.op import op
from autograd_core.scipy.declaring import Operation, declare, refused, scipys

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k1",
    "kv",
    "y0",
    "y1",
    "yn",
    "yv",
]


def _over_x(out: Any, x: Any, sign: int) -> Any:
    """out / x for out = j1(x) (`sign` -1) or i1(x) (1), by their series near 0."""
    near, square = np.abs(x) < 0.01, sign * x * x
    series = 0.5 + square / 16 + square * square / 384
    return np.where(near, series, out / np.where(near, 1, x))


j0: Operation = declare(
    scipys.j0, "The Bessel function of the first kind, order 0.", x=lambda g, x: g * -j1(x)
)
j1: Operation = declare(
    scipys.j1,
    "The Bessel function of the first kind, order 1.",
    x=lambda g, x, out: g * (j0(x) - _over_x(out, x, -1)),
)
y0: Operation = declare(
    scipys.y0, "The Bessel function of the second kind, order 0.", x=lambda g, x: g * -y1(x)
)
y1: Operation = declare(
    scipys.y1,
    "The Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * (y0(x) - out / x),
)
i0: Operation = declare(
    scipys.i0, "The modified Bessel function, order 0.", x=lambda g, x: g * i1(x)
)
i1: Operation = declare(
    scipys.i1,
    "The modified Bessel function, order 1.",
    x=lambda g, x, out: g * (i0(x) - _over_x(out, x, 1)),
)
k0: Operation = declare(
    scipys.k0,
    "The modified Bessel function of the second kind, order 0.",
    x=lambda g, x: g * -k1(x),
)
k1: Operation = declare(
    scipys.k1,
    "The modified Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * (-k0(x) - out / x),
)
jv: Operation = declare(
    scipys.jv,
    "The Bessel function of the first kind and order v.",
    v=refused("jv", "v"),
    x=lambda g, v, x: g * ((jv(v - 1, x) - jv(v + 1, x)) / 2),
)
jn = jv
yv: Operation = declare(
    scipys.yv,
    "The Bessel function of the second kind and order v.",
    v=refused("yv", "v"),
    x=lambda g, v, x: g * ((yv(v - 1, x) - yv(v + 1, x)) / 2),
)
yn: Operation = declare(
    scipys.yn,
    "The Bessel function of the second kind and integer order n.",
    n=refused("yn", "n"),
    x=lambda g, n, x: g * ((yn(n - 1, x) - yn(n + 1, x)) / 2),
)
iv: Operation = declare(
    scipys.iv,
    "The modified Bessel function of order v.",
    v=refused("iv", "v"),
    x=lambda g, v, x: g * ((iv(v - 1, x) + iv(v + 1, x)) / 2),
)


# ---- exp(-abs(x)) * iv(v, x) --------------------------------------------------------------------

TERMS = 36  # of the series for large x (NIST DLMF 10.40.1): enough from FAR on
FAR = 18


def _scaled(v: Any, x: Any) -> Any:
    """ive(v, x), by the faster functions for the orders 0 and 1."""
    if isinstance(v, int) and abs(v) < 2:
        return scipys.i1e(x) if v else scipys.i0e(x)
    return scipys.ive(v, x)


def _ive_slope_near(v: Any, x: Any, order: int) -> Any:
    """By (I[v - 1] - 2 I[v] + I[v + 1]) / 2 for each derivative: the digits that are lost grow with
    x."""
    signs = [(-1) ** k * math.comb(2 * order, k) for k in range(2 * order + 1)]
    terms = [sign * _scaled(v - order + k, x) for k, sign in enumerate(signs)]
    return sum(terms[1:], terms[0]) / 2**order


def _ive_slope_far(v: Any, x: Any, order: int) -> Any:
    """The series for large x, each of its powers differentiated."""
    total, term = 0.0, 1 / math.sqrt(math.tau)
    for k in range(TERMS):
        total = total + term * math.prod(-(k + 0.5 + j) for j in range(order))
        term = term * (((2 * k + 1) ** 2 - 4 * v * v) / ((k + 1) * 8)) / x
    return total * x ** (-0.5 - order)


def _ive_slope_x(g: Any, v: Any, x: Any, order: int) -> Any:
    return g * _ive_slope(v, x, order + 1)


@op(v=refused("ive", "v"), x=_ive_slope_x, pointwise=True)
def _ive_slope(v: Any, x: Any, order: int) -> Any:
    """The derivative of ive in x of a given order; at 0, where it may jump, the mean of both sides.
    For large x neither its terms cancel nor does exp(-x) * iv overflow."""
    size = np.abs(x)
    far = size > FAR + v * v / 8
    near = _ive_slope_near(v, np.where(far, 1, size), order)
    out = np.where(far, _ive_slope_far(v, np.where(far, size, FAR), order), near)
    whole = np.equal(v % 1, 0)
    # what it is multiplied by below 0; a number, for a number v, goes to every device
    left = np.where(whole, 1 - 2 * ((v + order) % 2), np.nan)[()]
    middle = np.where(whole, (1 + left) / 2, 1)[()]
    return out * np.where(x < 0, left, np.where(x == 0, middle, 1)).astype(x.dtype)


i0e: Operation = declare(
    scipys.i0e, "exp(-abs(x)) * i0(x).", x=lambda g, x: g * _ive_slope(0, x, 1)
)
i1e: Operation = declare(
    scipys.i1e, "exp(-abs(x)) * i1(x).", x=lambda g, x: g * _ive_slope(1, x, 1)
)
ive: Operation = declare(
    scipys.ive,
    "exp(-abs(x)) * iv(v, x).",
    v=refused("ive", "v"),
    x=lambda g, v, x: g * _ive_slope(v, x, 1),
)
kv: Operation = declare(
    scipys.kv,
    "The modified Bessel function of the second kind and order v.",
    v=refused("kv", "v"),
    x=lambda g, v, x: g * (-(kv(v - 1, x) + kv(v + 1, x)) / 2),
)
