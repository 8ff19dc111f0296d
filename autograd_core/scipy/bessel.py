"""Bessel functions. They are exported by `special`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient
from autograd_core.scipy.declaring import Special, declare, refused, scipys

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


NEAR = 0.3


def _series(x: Array, sign: int) -> Array:
    """j1(x) / x if `sign` is -1, i1(x) / x if it is 1, for |x| < NEAR."""
    quarter, out = sign / 4 * x * x, 0.0
    for k in range(5, -1, -1):
        out = out * quarter + 0.5 / (math.factorial(k) * math.factorial(k + 1))
    return out


def _over_x(out: Array, x: Array, sign: int) -> Array:
    """out / x, where out is j1(x) if `sign` is -1 and i1(x) if it is 1."""
    near = np.abs(x) < NEAR
    return np.where(near, _series(np.where(near, x, 0), sign), out / np.where(near, 1, x))


def _from_pole(x: Array, slope: Any) -> Array:
    """`slope`, the derivative of a Bessel function of the second kind, replaced by inf at x = 0."""
    return np.where(x == 0, math.inf, slope)


j0: Special = declare(
    scipys.j0, "The Bessel function of the first kind, order 0.", x=lambda g, x: g * -j1(x)
)
j1: Special = declare(
    scipys.j1,
    "The Bessel function of the first kind, order 1.",
    x=lambda g, x, out: g * (j0(x) - _over_x(out, x, -1)),
)
y0: Special = declare(
    scipys.y0, "The Bessel function of the second kind, order 0.", x=lambda g, x: g * -y1(x)
)
y1: Special = declare(
    scipys.y1,
    "The Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * _from_pole(x, y0(x) - out / x),
)
i0: Special = declare(scipys.i0, "The modified Bessel function, order 0.", x=lambda g, x: g * i1(x))
i1: Special = declare(
    scipys.i1,
    "The modified Bessel function, order 1.",
    x=lambda g, x, out: g * (i0(x) - _over_x(out, x, 1)),
)
k0: Special = declare(
    scipys.k0,
    "The modified Bessel function of the second kind, order 0.",
    x=lambda g, x: g * -k1(x),
)
k1: Special = declare(
    scipys.k1,
    "The modified Bessel function of the second kind, order 1.",
    x=lambda g, x, out: g * (-k0(x) - out / x),
)
jv: Special = declare(
    scipys.jv,
    "The Bessel function of the first kind and order v.",
    v=refused("jv", "v"),
    x=lambda g, v, x: g * (jv(v - 1, x) / 2 - jv(v + 1, x) / 2),
)
jn = jv
yv: Special = declare(
    scipys.yv,
    "The Bessel function of the second kind and order v.",
    v=refused("yv", "v"),
    x=lambda g, v, x: g * _from_pole(x, yv(v - 1, x) / 2 - yv(v + 1, x) / 2),
)
yn: Special = declare(
    scipys.yn,
    "The Bessel function of the second kind and integer order n.",
    n=refused("yn", "n"),
    x=lambda g, n, x: g * _from_pole(x, yn(n - 1, x) / 2 - yn(n + 1, x) / 2),
)
iv: Special = declare(
    scipys.iv,
    "The modified Bessel function of order v.",
    v=refused("iv", "v"),
    x=lambda g, v, x: g * (iv(v - 1, x) / 2 + iv(v + 1, x) / 2),
)


# ---- exp(-abs(x)) * iv(v, x) --------------------------------------------------------------------

TERMS = 36  # terms of the series for large x (NIST DLMF 10.40.1), sufficient for x > FAR
FAR = 18


def _ive_far_x(g: Gradient, v: Array, x: Array, order: int) -> Gradient:
    return g * _ive_far(v, x, order + 1)


@op(v=refused("ive", "v"), x=_ive_far_x, pointwise=True)
def _ive_far(v: Array, x: Array, order: int) -> Array:
    """The derivative of ive with respect to x, of the given order, for large positive x. It is
    computed from the series of ive, differentiated term by term."""
    total, term = 0.0, 1 / math.sqrt(math.tau)
    for k in range(TERMS):
        total = total + term * math.prod(-(k + 0.5 + j) for j in range(order))
        term = term * (((2 * k + 1) ** 2 - 4 * v * v) / ((k + 1) * 8)) / x
    return total * x ** (-0.5 - order)


def _scaled_over_x(x: Array) -> Array:
    """i1e(x) / x, computed from its series near 0."""
    near = np.abs(x) < NEAR
    series = _series(np.where(near, x, 0), 1) * np.exp(-np.abs(x))
    return np.where(near, series, i1e(x) / np.where(near, 1, x))


def _ive_slope(v: Array, x: Array, near: Any) -> Array:
    """The derivative of ive with respect to x. For small |x| it is computed by `near`, whose terms
    cancel increasingly as |x| grows. At x = 0, where it may jump, it is the mean of the one-sided
    derivatives."""
    size = np.abs(x)
    far = size > FAR + v * v / 8
    mirrored = (np.sign(x) ** (v + 1)).astype(x.dtype)  # for negative x, the order is an integer
    away = mirrored * _ive_far(v, np.where(far, size, FAR + v * v), 1)
    return np.where(far, away, near(np.where(far, 1, x)))


def _i0e_near(x: Array) -> Array:
    return i1e(x) - np.sign(x) * i0e(x)


def _i1e_near(x: Array) -> Array:
    return i0e(x) - _scaled_over_x(x) - np.sign(x) * i1e(x)


def _ive_x(g: Gradient, v: Array, x: Array) -> Gradient:
    def near(x: Array) -> Array:
        return (ive(v - 1, x) + ive(v + 1, x)) / 2 - np.sign(x) * ive(v, x)

    return g * _ive_slope(v, x, near)


i0e: Special = declare(
    scipys.i0e, "exp(-abs(x)) * i0(x).", x=lambda g, x: g * _ive_slope(0, x, _i0e_near)
)
i1e: Special = declare(
    scipys.i1e, "exp(-abs(x)) * i1(x).", x=lambda g, x: g * _ive_slope(1, x, _i1e_near)
)
ive: Special = declare(scipys.ive, "exp(-abs(x)) * iv(v, x).", v=refused("ive", "v"), x=_ive_x)
kv: Special = declare(
    scipys.kv,
    "The modified Bessel function of the second kind and order v.",
    v=refused("kv", "v"),
    x=lambda g, v, x: g * -(kv(v - 1, x) / 2 + kv(v + 1, x) / 2),
)
