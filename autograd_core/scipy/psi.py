"""Differences of polygamma functions, without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices.backend import special_of
from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient

__all__: list[str] = []

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2  # Gauss-Legendre quadrature on [0, 1]


def _polygamma(n: int, x: Array) -> Array:
    functions = special_of(x)
    return functions.digamma(x) if n == 0 else functions.polygamma(n, x).astype(x.dtype)


def _psi_difference_x(g: Gradient, n: Any, x: Array, y: Array) -> Gradient:
    return g * _psi_difference(n + 1, x, y)


def _shifted_slope(g: Gradient, n: Any, x: Array, y: Array) -> Gradient:
    return g * _shifted(n + 1, x, y)


@op(pointwise=True, x=_psi_difference_x, y=_shifted_slope)
def _psi_difference(n: int, x: Array, y: Array) -> Array:
    """polygamma(n, x + y) - polygamma(n, x) for positive x and y. For small y it is computed as the
    integral of polygamma(n + 1, ·) from x to x + y, which avoids cancellation."""
    small = y < 0.5 * x
    a, b = np.where(small, x, 1.0), np.where(small, y, 0.5)
    mean = np.zeros_like(a * b)
    for node, weight in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
        mean = mean + weight * _polygamma(n + 1, a + b * node)
    a, b = np.where(small, 1.0, x), np.where(small, 0.5, y)
    return np.where(small, mean * np.where(small, y, 0.5), _polygamma(n, a + b) - _polygamma(n, a))


@op(pointwise=True, x=_shifted_slope, y=_shifted_slope)
def _shifted(n: int, x: Array, y: Array) -> Array:
    """polygamma(n, x + y)."""
    return _polygamma(n, x + y)
