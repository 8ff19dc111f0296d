"""Bessel functions, as `special` has them."""

from __future__ import annotations

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


def _scaled_over_x(out: Any, x: Any) -> Any:
    """out / x for out = i1e(x)."""
    near, square = np.abs(x) < 0.01, x * x
    series = (0.5 + square / 16 + square * square / 384) * np.exp(-np.abs(x))
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
i0e: Operation = declare(
    scipys.i0e, "exp(-abs(x)) * i0(x).", x=lambda g, x, out: g * (i1e(x) - np.sign(x) * out)
)
i1e: Operation = declare(
    scipys.i1e,
    "exp(-abs(x)) * i1(x).",
    x=lambda g, x, out: g * (i0e(x) - _scaled_over_x(out, x) - np.sign(x) * out),
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


def _ive_slope_x(g: Any, v: Any, x: Any) -> Any:
    around = (_ive_slope(v - 1, x) + _ive_slope(v + 1, x)) / 2
    return g * (around - np.sign(x) * _ive_slope(v, x))


@op(v=refused("ive", "v"), x=_ive_slope_x, value=None, pointwise=True)
def _ive_slope(v: Any, x: Any, value: Any = None) -> Any:
    """The derivative of ive in x; `value` is ive(v, x) where it is known. Away from 0 it takes one
    more Bessel function, else two."""
    value = scipys.ive(v, x) if value is None else value
    if type(x) is np.ndarray and x.all():
        return scipys.ive(v + 1, x) + (v / x - np.sign(x)) * value
    return (scipys.ive(v - 1, x) + scipys.ive(v + 1, x)) / 2 - np.sign(x) * value


ive: Operation = declare(
    scipys.ive,
    "exp(-abs(x)) * iv(v, x).",
    v=refused("ive", "v"),
    x=lambda g, v, x, out: g * _ive_slope(v, x, out),
)
kv: Operation = declare(
    scipys.kv,
    "The modified Bessel function of the second kind and order v.",
    v=refused("kv", "v"),
    x=lambda g, v, x: g * (-(kv(v - 1, x) + kv(v + 1, x)) / 2),
)
