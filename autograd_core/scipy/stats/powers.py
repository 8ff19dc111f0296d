"""The power-law factors of densities near the ends of their support, including ends where the
density is infinite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial import polynomial

from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient

__all__: list[str] = []

LARGE = 1e100  # scales above this overflow when raised to a power


def _power_distance(
    g: Gradient, distance: Array, scale: Any, a: Array, factor: Any, n: Any
) -> Gradient:
    more = tuple(polynomial.polymul(factor, (-1.0 - n, 1.0)).tolist())
    return g * _power(distance, scale, a, more, n + 1)


def _power_scale(g: Gradient, scale: Any, a: Array, out: Array) -> Gradient:
    return g * -(a / scale * out)


def _power_a(
    g: Gradient, distance: Array, scale: Any, a: Array, factor: Any, n: Any, out: Array
) -> Gradient:
    nothing = out == 0
    logarithm = np.log(np.where(nothing, 1.0, distance / scale))
    slope = np.where(nothing, 0.0, out * logarithm)
    if len(factor) > 1:
        less = tuple(polynomial.polyder(factor).tolist())
        slope = slope + _power(distance, scale, a, less, n)
    return g * slope


@op(pointwise=True, distance=_power_distance, scale=_power_scale, a=_power_a)
def _power(
    distance: Array, scale: Array, a: Array, factor: tuple[float, ...] = (1.0,), n: int = 0
) -> Array:
    """polynomial(a) * (distance / scale) ** (a - 1 - n) / scale ** (n + 1), where `factor` holds
    the coefficients of the polynomial, lowest first. n is the number of derivatives taken with
    respect to the distance, each of which multiplies the polynomial by a factor. The derivatives
    with respect to `scale` are not computed from the derivatives with respect to the distance,
    which overflow earlier."""
    z, before = distance / scale, 0 * a
    for coefficient in reversed(factor):
        before = before * a + coefficient
    near = (scale < LARGE) | (distance == 0) | (n == 0)
    out = z ** (a - 1 - np.where(near, n, 0)) / scale
    if n:
        inner, outer = np.where(near, scale, 1.0), np.where(near, 1.0, distance)
        for _ in range(n):
            out = out / inner / outer
    return np.where(before == 0, 0.0, before * np.where(before == 0, 1.0, out))


def _towards(distance: Array) -> Array:
    return np.where(distance == 0, -1.0, 1.0).astype(distance.dtype)


@op(
    pointwise=True,
    distance=lambda g, distance, out: g * (out * _towards(distance)),
    scale=lambda g, out: g * -out,
    a=lambda g, distance, out: g * (out * _towards(distance)),
    b=lambda g, distance, out: g * (out * -_towards(distance)),
)
def _pole(distance: Array, scale: Array, a: Array, b: Array) -> Array:
    """The density at an end of its support where it and its derivatives are infinite: at the lower
    end (distance 0) if a < 1, at the upper end if b < 1. It is 0 for the placeholder operands of
    `either`."""
    return np.where((a < 1) | (b < 1), math.inf, 0.0) + 0 * (distance + scale)
