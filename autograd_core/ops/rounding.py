"""Rounding, the parts of a number, truth values and integers: mostly declared, nothing flows.

A step function's derivative is 0 wherever it has one, so none is recorded; what is left over when
the steps are taken off (the fraction, the mantissa) does have one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.engine.op import composed, elementwise, op
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

# ---- to whole numbers: not differentiable -------------------------------------------------------

floor = elementwise(np.floor, "The largest whole number <= x. Not differentiable.", x=None)
ceil = elementwise(np.ceil, "The smallest whole number >= x. Not differentiable.", x=None)
trunc = elementwise(np.trunc, "x without its fraction. Not differentiable.", x=None)
rint = elementwise(
    np.rint, "The nearest whole number, of two the even. Not differentiable.", x=None
)


@op(pointwise=True, x=None)
def fix(x: Any) -> Any:
    """x without its fraction, as `trunc`. Not differentiable."""
    return np.trunc(x)


@op(x=None)
def round(x: Any, decimals: int = 0) -> Any:
    """x to `decimals` places, which may be negative. Not differentiable."""
    return np.round(x, decimals)


@op(x=None)
def around(x: Any, decimals: int = 0) -> Any:
    """x to `decimals` places, as `round`. Not differentiable."""
    return np.round(x, decimals)


# ---- the parts of a number ----------------------------------------------------------------------


@op(pointwise=True, x=lambda g: g)
def _fraction(x: Any) -> Any:
    """What `trunc` takes away, with the sign of x. The jumps are ignored."""
    return np.modf(x)[0]


@op(pointwise=True, x=None)
def _whole(x: Any) -> Any:
    """`trunc(x)` as a floating number. Not differentiable."""
    return np.modf(x)[1]


@op(pointwise=True, x=None)
def _exponent(x: Any) -> Any:
    """The power of two in `frexp`. Not differentiable."""
    return np.frexp(x)[1]


def _ldexp_x(g: Any, y: Any) -> Any:
    return ldexp(g, y)


@op(pointwise=True, x=_ldexp_x, y=None)
def ldexp(x: Any, y: Any) -> Any:
    """x * 2 ** y for integers y. Differentiable in x."""
    return np.ldexp(x, np.int32(y) if isinstance(y, int) else y)  # CuPy asks for a dtype


@composed
def modf(x: Any) -> Any:
    """(fraction, whole), which add up to x and have its sign. The derivative of the fraction is 1,
    its jumps are ignored; the whole part is not differentiable."""
    return _fraction(x), _whole(x)


@composed
def frexp(x: Any) -> Any:
    """(mantissa, exponent) with x = mantissa * 2 ** exponent and 0.5 <= |mantissa| < 1. The
    mantissa is differentiable while the exponent stays; the exponent is not."""
    power = _exponent(x)
    return ldexp(x, -power), power


@composed
def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """(floor_divide(x, y), remainder(x, y)). The quotient is not differentiable; the remainder is,
    its jumps ignored."""
    return floor_divide(x, y), remainder(x, y)


# ---- where a number is --------------------------------------------------------------------------

heaviside = elementwise(
    np.heaviside,
    "0 where x < 0, 1 where x > 0, y where x is 0. Not differentiable in x; the gradient for y is "
    "what arrives where x is 0.",
    x=None,
    y=lambda g, x: np.where(x == 0, g, 0),
)
nextafter = elementwise(
    np.nextafter, "The next floating number after x towards y. Not differentiable.", x=None, y=None
)


@op(pointwise=True, x=None)
def spacing(x: Any) -> Any:
    """The distance to the next floating number away from 0, with the sign of x. Not
    differentiable."""
    return np.nextafter(x, np.copysign(np.inf, x)) - x  # CuPy has no spacing


signbit = elementwise(np.signbit, "Is the sign set? Of -0.0 it is. Not differentiable.", x=None)
isposinf = elementwise(np.isposinf, "Is it inf? Not differentiable.", x=None)
isneginf = elementwise(np.isneginf, "Is it -inf? Not differentiable.", x=None)
isreal = elementwise(np.isreal, "Is the imaginary part 0? Not differentiable.", x=None)
iscomplex = elementwise(np.iscomplex, "Is the imaginary part not 0? Not differentiable.", x=None)

# ---- truth and integers -------------------------------------------------------------------------


def _truth(x: Any) -> Any:
    """What CuPy's logic takes: it has no loops for complex numbers."""
    return np.not_equal(x, 0) if np.iscomplexobj(x) else x


@op(pointwise=True, x=None, y=None)
def logical_and(x: Any, y: Any) -> Any:
    """Whether neither x nor y is 0. Not differentiable."""
    return np.logical_and(_truth(x), _truth(y))


@op(pointwise=True, x=None, y=None)
def logical_or(x: Any, y: Any) -> Any:
    """Whether x or y is not 0. Not differentiable."""
    return np.logical_or(_truth(x), _truth(y))


@op(pointwise=True, x=None, y=None)
def logical_xor(x: Any, y: Any) -> Any:
    """Whether one of x and y is 0 and the other is not. Not differentiable."""
    return np.logical_xor(_truth(x), _truth(y))


gcd = elementwise(np.gcd, "The greatest common divisor. Not differentiable.", x=None, y=None)
lcm = elementwise(np.lcm, "The least common multiple. Not differentiable.", x=None, y=None)
bitwise_count = elementwise(
    np.bitwise_count, "How many bits of |x| are 1. Not differentiable.", x=None
)
