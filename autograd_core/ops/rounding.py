"""Rounding, the parts of a number, logic and integers: most of these are not differentiable.

The derivative of a step function is 0 wherever it exists, so step functions are not recorded. What
remains after rounding (the fraction, the mantissa) does have a derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.engine.op import composed, elementwise, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.ops.elementwise import floor_divide, remainder

__all__ = [
    "around",
    "bitwise_count",
    "ceil",
    "divmod",
    "fix",
    "floor",
    "frexp",
    "gcd",
    "heaviside",
    "iscomplex",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "logical_and",
    "logical_or",
    "logical_xor",
    "modf",
    "nextafter",
    "rint",
    "round",
    "signbit",
    "spacing",
    "trunc",
]

# ---- to integers: not differentiable ------------------------------------------------------------

floor = elementwise(np.floor, "The largest integer <= x. Not differentiable.", x=None)
ceil = elementwise(np.ceil, "The smallest integer >= x. Not differentiable.", x=None)
trunc = elementwise(np.trunc, "x without its fraction. Not differentiable.", x=None)
rint = elementwise(
    np.rint, "The nearest integer; ties round to even integers. Not differentiable.", x=None
)


@op(pointwise=True, x=None)
def fix(x: Array) -> Array:
    """x without its fraction, like `trunc`. Not differentiable."""
    return np.trunc(x)


@op(x=None)
def round(x: Array, decimals: int = 0) -> Array:
    """x rounded to `decimals` decimals, which may be negative. Not differentiable."""
    return np.round(x, decimals)


@op(x=None)
def around(x: Array, decimals: int = 0) -> Array:
    """x rounded to `decimals` decimals, like `round`. Not differentiable."""
    return np.round(x, decimals)


# ---- the parts of a number ----------------------------------------------------------------------


@op(pointwise=True, x=lambda g: g)
def _fraction(x: Array) -> Array:
    """x - trunc(x), with the sign of x. The derivative ignores the jumps."""
    return np.modf(x)[0]


@op(pointwise=True, x=None)
def _whole(x: Array) -> Array:
    """`trunc(x)` as a floating-point number. Not differentiable."""
    return np.modf(x)[1]


@op(pointwise=True, x=None)
def _exponent(x: Array) -> Array:
    """The power of two in `frexp`. Not differentiable."""
    return np.frexp(x)[1]


def _ldexp_x(g: Gradient, y: Array) -> Gradient:
    return ldexp(g, y)


@op(pointwise=True, x=_ldexp_x, y=None)
def ldexp(x: Array, y: Array) -> Array:
    """x * 2 ** y for integers y. Differentiable with respect to x."""
    return np.ldexp(x, np.int32(y) if isinstance(y, int) else y)  # CuPy needs a dtype


@composed
def modf(x: Operand) -> Any:
    """The pair (fraction, whole part) of x. Both have the sign of x, and their sum is x. The
    derivative of the fraction is 1, ignoring its jumps; the whole part is not differentiable."""
    return _fraction(x), _whole(x)


@composed
def frexp(x: Operand) -> Any:
    """(mantissa, exponent) with x = mantissa * 2 ** exponent and 0.5 <= |mantissa| < 1. The
    mantissa is differentiable where the exponent is constant; the exponent is not."""
    power = _exponent(x)
    return ldexp(x, -power), power


@composed
def divmod(x: Operand, y: Operand) -> tuple[Any, Any]:
    """(floor_divide(x, y), remainder(x, y)). The quotient is not differentiable; the remainder is,
    ignoring its jumps."""
    return floor_divide(x, y), remainder(x, y)


# ---- position and sign --------------------------------------------------------------------------

heaviside = elementwise(
    np.heaviside,
    "0 where x < 0, 1 where x > 0, y where x is 0. Not differentiable with respect to x. The "
    "gradient of y is the gradient of the result where x is 0, and 0 elsewhere.",
    x=None,
    y=lambda g, x: np.where(x == 0, g, 0),
)
nextafter = elementwise(
    np.nextafter, "The next float after x towards y. Not differentiable.", x=None, y=None
)


@op(pointwise=True, x=None)
def spacing(x: Array) -> Array:
    """The distance to the next floating-point number away from 0, with the sign of x. Not
    differentiable."""
    x = np.copysign(x, x)  # converts integers to floats, as NumPy's spacing does
    return np.nextafter(x, np.copysign(np.inf, x)) - x  # CuPy has no spacing


signbit = elementwise(
    np.signbit, "True where the sign bit is set, as in -0.0. Not differentiable.", x=None
)
isposinf = elementwise(np.isposinf, "True where x is inf. Not differentiable.", x=None)
isneginf = elementwise(np.isneginf, "True where x is -inf. Not differentiable.", x=None)
isreal = elementwise(np.isreal, "True where x.imag is 0. Not differentiable.", x=None)
iscomplex = elementwise(np.iscomplex, "True where x.imag is not 0. Not differentiable.", x=None)

# ---- logic and integers -------------------------------------------------------------------------


def _truth(x: Array) -> Array:
    """x, or x != 0 if x is complex, because CuPy's logical functions do not support complex
    numbers."""
    return np.not_equal(x, 0) if np.iscomplexobj(x) else x


@op(pointwise=True, x=None, y=None)
def logical_and(x: Array, y: Array) -> Array:
    """True where neither x nor y is 0. Not differentiable."""
    return np.logical_and(_truth(x), _truth(y))


@op(pointwise=True, x=None, y=None)
def logical_or(x: Array, y: Array) -> Array:
    """True where x or y is not 0. Not differentiable."""
    return np.logical_or(_truth(x), _truth(y))


@op(pointwise=True, x=None, y=None)
def logical_xor(x: Array, y: Array) -> Array:
    """True where exactly one of x and y is 0. Not differentiable."""
    return np.logical_xor(_truth(x), _truth(y))


gcd = elementwise(np.gcd, "The greatest common divisor. Not differentiable.", x=None, y=None)
lcm = elementwise(np.lcm, "The least common multiple. Not differentiable.", x=None, y=None)
bitwise_count = elementwise(
    np.bitwise_count, "The number of bits of |x| that are 1. Not differentiable.", x=None
)
