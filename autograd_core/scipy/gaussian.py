"""Error functions and functions of the normal distribution. They are exported by `special`."""

from __future__ import annotations

import math

import numpy as np

from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient
from autograd_core.scipy.declaring import ROOT_PI, ROOT_TAU, Special, declare, scipys

__all__ = ["erf", "erfc", "erfcinv", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]


def _gauss_x(g: Gradient, x: Array, width: float, factor: float) -> Gradient:
    x = np.where(np.isfinite(x), x, 0)
    root = np.exp(-width / 2 * (x * x))
    return g * (x * root * (-2 * width * factor) * root)


@op(pointwise=True, x=_gauss_x)
def _gauss(x: Array, width: float, factor: float) -> Array:
    """factor * exp(-width * x²), computed as factor * root * root with root = exp(-width * x² / 2).
    Where the result is subnormal, the root is a normal number, so factor * root keeps its digits.
    The derivative is computed in the same way."""
    root = np.exp(-width / 2 * (x * x))
    return factor * root * root


def _erf_slope(x: Array) -> Array:
    return _gauss(x, 1.0, 2 / ROOT_PI)


erf: Special = declare(scipys.erf, "The error function.", x=lambda g, x: g * _erf_slope(x))
erfc: Special = declare(scipys.erfc, "1 - erf(x).", x=lambda g, x: g * -_erf_slope(x))
ROOT_2 = math.sqrt(2)
RECURRENCE_STEPS = 60  # steps of the continued fraction in _moments_down, used for x > FROM
FROM = 2


def _moments_up(x: Array, order: int) -> Array:
    """The moment, see `_erfcx_moment`, by the recurrence from order 0 upward. The recurrence loses
    more digits for larger x."""
    before, out = 0, ROOT_PI / 2 * scipys.erfcx(x)
    for k in range(order):
        before, out = out, (0.5 if k == 0 else k / 2 * before) - x * out
    return out


def _moments_down(x: Array, order: int) -> Array:
    """The moment, see `_erfcx_moment`, from the continued fraction for the ratios of consecutive
    moments."""
    ratio, product = 0.0, 1.0
    for k in range(order + RECURRENCE_STEPS, 0, -1):
        ratio = k / 2 / (x + ratio)
        if k <= order:
            product = product * ratio
    return product * (ROOT_PI / 2 * scipys.erfcx(x))


def _erfcx_moment_x(g: Gradient, x: Array, order: int) -> Gradient:
    return g * (-2 * _erfcx_moment(x, order + 1))


@op(x=_erfcx_moment_x, pointwise=True)
def _erfcx_moment(x: Array, order: int) -> Array:
    """The moment of the given order: the integral of t**order * exp(-t² - 2 x t) over positive t.
    erfcx(x) is 2 / sqrt(pi) times the moment of order 0."""
    far = x > FROM
    near = _moments_up(np.where(far, FROM, x), order)
    return np.where(far, _moments_down(np.where(far, x, FROM), order), near)


erfcx: Special = declare(
    scipys.erfcx, "exp(x²) * erfc(x).", x=lambda g, x: g * (-4 / ROOT_PI * _erfcx_moment(x, 1))
)


erfinv: Special = declare(
    scipys.erfinv, "The inverse of erf.", x=lambda g, out: g * (ROOT_PI / 2 * np.exp(out * out))
)


def _erfcinv_slope_x(g: Gradient, x: Array, out: Array) -> Gradient:
    return g * (2 * erfcinv(x) * out * out)


@op(x=_erfcinv_slope_x, value=None, pointwise=True)
def _erfcinv_slope(x: Array, value: Array = None) -> Array:
    """The derivative of erfcinv, -sqrt(pi) / 2 * exp(value²), where `value` is erfcinv(x), computed
    here if it is None. exp(value²) is computed as erfcx(|value|) / min(x, 2 - x), which is more
    accurate."""
    value = scipys.erfcinv(x) if value is None else value
    out = -ROOT_PI / 2 * scipys.erfcx(np.abs(value)) / np.minimum(x, 2 - x)
    return np.where(np.isinf(value), -math.inf, out)


erfcinv: Special = declare(
    scipys.erfcinv, "The inverse of erfc.", x=lambda g, x, out: g * _erfcinv_slope(x, out)
)


def _bell(x: Array) -> Array:
    """The density of the standard normal distribution."""
    return _gauss(x, 0.5, 1 / ROOT_TAU)


ndtr: Special = declare(
    scipys.ndtr,
    "The cumulative distribution function of the standard normal distribution.",
    x=lambda g, x: g * _bell(x),
)


def _log_ndtr_x(g: Gradient, x: Array, out: Array) -> Gradient:
    left, straight = x < 0, x < -1e8  # below -1e8, the derivative rounds to -x
    tail = ROOT_TAU / 2 * erfcx(np.where(left & ~straight, x, 0) / -ROOT_2)
    right = _bell(np.where(left, 0, x)) / np.exp(np.where(left, 0, out))
    return g * np.where(straight, -x, np.where(left, 1 / tail, right))


log_ndtr: Special = declare(
    scipys.log_ndtr, "The logarithm of ndtr, finite for any finite x.", x=_log_ndtr_x
)


def _ndtri_slope_x(g: Gradient, x: Array, out: Array) -> Gradient:
    return g * (ndtri(x) * out * out)


@op(x=_ndtri_slope_x, value=None, pointwise=True)
def _ndtri_slope(x: Array, value: Array = None) -> Array:
    """The derivative of ndtri. `value` is ndtri(x), computed here if it is None."""
    value = scipys.ndtri(x) if value is None else value
    out = ROOT_TAU / 2 * scipys.erfcx(np.abs(value) / ROOT_2) / np.minimum(x, 1 - x)
    return np.where(np.isinf(value), math.inf, out)


ndtri: Special = declare(
    scipys.ndtri, "The inverse of ndtr.", x=lambda g, x, out: g * _ndtri_slope(x, out)
)
