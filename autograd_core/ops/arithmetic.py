"""Further arithmetic: remainders, signs, absolute values, angles, and replacements for NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import composed, elementwise, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import NotDifferentiableError
from autograd_core.ops.elementwise import absolute, imag, masked, power_x, power_y, real
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import all

__all__ = [
    "angle",
    "copysign",
    "fabs",
    "float_power",
    "fmax",
    "fmin",
    "fmod",
    "nan_to_num",
    "real_if_close",
]

fmod = elementwise(
    np.fmod,
    "x - y * trunc(x / y), with the sign of x. The derivative ignores the jumps.",
    x=lambda g: g,
    y=lambda g, x, y, out: -g * np.rint((x - out) / y),  # x / y may be rounded across a jump
)


def _doubled(y: Array) -> Array:
    return y if isinstance(y, int | float) else np.float_power(y, 1)


float_power = elementwise(
    np.float_power,
    "x ** y in at least double precision. Where x or y is 0, the derivatives are those of `power`.",
    x=lambda g, x, y: power_x(g, np.float_power(x, 1), _doubled(y)),
    y=power_y,
)


def _copysign_x(g: Gradient, x: Array, y: Array) -> Gradient:
    sign = np.sign(x)
    return g * sign * np.copysign(sign, y)


copysign = elementwise(
    np.copysign,
    "|x| with the sign of y. The derivative at x = 0 is 0. Not differentiable with respect to y.",
    x=_copysign_x,
    y=None,
)
fabs = elementwise(
    np.fabs, "|x| of real numbers. The derivative at 0 is 0.", x=lambda g, x: g * np.sign(x)
)


def _chosen(g: Gradient, above: Any, x: Array, y: Array) -> Gradient:
    """The gradient of x: g where x is `above` y or y is NaN, half of g at a tie, else 0."""
    half = g * 0.5
    taken = above | np.isnan(y)
    return masked(half, taken) + masked(half, taken | np.equal(x, y))


fmax = elementwise(
    np.fmax,
    "The larger of x and y; where one is NaN, the other one. Ties share the gradient equally.",
    x=lambda g, x, y: _chosen(g, np.greater(x, y), x, y),
    y=lambda g, x, y: _chosen(g, np.greater(y, x), y, x),
)
fmin = elementwise(
    np.fmin,
    "The smaller of x and y; where one is NaN, the other one. Ties share the gradient equally.",
    x=lambda g, x, y: _chosen(g, np.less(x, y), x, y),
    y=lambda g, x, y: _chosen(g, np.less(y, x), y, x),
)

# ---- complex numbers ----------------------------------------------------------------------------


def _angle_x(g: Gradient, x: Array, deg: bool) -> Gradient:
    turn = np.where(x == 0, 0, -1j / np.where(x == 0, 1, x))
    return g * (turn * (180 / math.pi) if deg else turn)


@op(x=_angle_x)
def angle(x: Array, deg: bool = False) -> Array:
    """The angle of a complex number: in (-pi, pi], or in degrees if `deg` is true. The derivative
    is 0 at x = 0, and for real operands it is 0 everywhere."""
    return np.angle(x, deg)


@composed
def real_if_close(x: Operand, tol: float = 100) -> Array:
    """The real part of x if the absolute values of all imaginary parts are below `tol`, else x. A
    `tol` above 1 is in units of the machine epsilon of the dtype. If x is on a device, the host
    waits for the result of this comparison."""
    x = as_operand(x)
    if x.dtype.kind != "c":
        return x
    bound = tol * np.finfo(np.result_type(x)).eps if tol > 1 else tol
    return real(x) if all(absolute(imag(x)) < bound) else x


# ---- replacements for NaN ------------------------------------------------------------------------


def _finite_x(g: Gradient, x: Array) -> Gradient:
    if x.dtype.kind != "c":
        return masked(g, np.isfinite(x))
    kept = masked(g.real, np.isfinite(x.real)), masked(g.imag, np.isfinite(x.imag))
    return kept[0] + kept[1] * 1j


@op(pointwise=True, x=_finite_x)
def nan_to_num(
    x: Array,
    copy: bool = True,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Array:
    """x with NaN replaced by `nan`, inf by `posinf` and -inf by `neginf`, which are by default the
    largest and the smallest finite number. Always a copy. No gradient flows to replaced elements.

    Raises NotDifferentiableError for copy=False, which would write into x.
    """
    if not copy:
        raise NotDifferentiableError(
            "nan_to_num: copy=False would write into x, and a graph may still need its old values. "
            "Assign the result instead: x = nan_to_num(x)"
        )
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
