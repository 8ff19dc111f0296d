"""Trigonometric and hyperbolic functions, their inverses, and further powers and logarithms.

The rules are accurate over the whole range of a dtype, as the accuracy table shows. They avoid
terms that overflow, such as x * x, and terms that cancel, such as those computed from `out` near an
asymptote.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.engine.op import elementwise, op
from autograd_core.engine.types import Array, Gradient
from autograd_core.ops.activations import sigmoid
from autograd_core.ops.elementwise import _settled

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "cosh",
    "deg2rad",
    "degrees",
    "exp2",
    "hypot",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "rad2deg",
    "radians",
    "sinc",
    "sinh",
    "tan",
]

LN_2, LN_10 = math.log(2), math.log(10)
DEGREES = 180 / math.pi  # in one radian

# ---- circular -----------------------------------------------------------------------------------


def _beside_1(x: Array) -> Array:
    """1 - x * x, without cancellation near 1."""
    product = 1 - x
    product *= 1 + x
    return product


def _root_beside_1(x: Array) -> Array:
    """sqrt(1 - x * x). For complex x it has the branch cuts of arcsin. On a cut, its value is the
    limit from above, which is also the value for a real number converted to complex."""
    if np.iscomplexobj(x):
        return np.conj(np.sqrt(1 - np.conj(x))) * np.sqrt(1 + x)
    return np.sqrt(_beside_1(x))


tan = elementwise(np.tan, "The tangent; x in radians.", x=lambda g, out: g * (out * out + 1))
arcsin = elementwise(
    np.arcsin,
    "The angle in [-pi/2, pi/2] with sine x. The derivative at -1 and 1 is inf.",
    x=lambda g, x: g / _root_beside_1(x),
)
arccos = elementwise(
    np.arccos,
    "The angle in [0, pi] with cosine x. The derivative at -1 and 1 is -inf.",
    x=lambda g, x: -g / _root_beside_1(x),
)
SCALE = 2.0**-30  # (x * SCALE)² only overflows where 1 / x² is 0


def _arctan_x(g: Gradient, x: Array) -> Gradient:
    scaled = _settled(x) * SCALE
    return g * (SCALE * SCALE / (scaled * scaled + SCALE * SCALE))


arctan = elementwise(np.arctan, "The angle in [-pi/2, pi/2] with tangent x.", x=_arctan_x)


def _per_square(g: Gradient, x: Array, y: Array) -> Gradient:
    """g * x / (x² + y²) without intermediate overflow; 0 at the origin and at infinity."""
    size = np.hypot(x, y)
    finite = np.equal(size - size, 0)
    size = size + (size == 0)
    return g * (np.where(finite, x, 0) / size / size)


arctan2 = elementwise(
    np.arctan2,
    "The angle in [-pi, pi] of the point with ordinate x and abscissa y, in this order. At the "
    "origin both derivatives are 0.",
    x=lambda g, x, y: _per_square(g, y, x),
    y=lambda g, x, y: -_per_square(g, x, y),
)


def _ratio_x(g: Gradient, x: Array, y: Array) -> Gradient:
    return g * (_ratio(y, x) * _ratio(y, x) / _positive(np.hypot(x, y)))


def _ratio_y(g: Gradient, x: Array, y: Array) -> Gradient:
    return -g * (_ratio(x, y) * _ratio(y, x) / _positive(np.hypot(x, y)))


def _positive(size: Any) -> Array:
    return size + (size == 0)


@op(x=_ratio_x, y=_ratio_y, pointwise=True)
def _ratio(x: Array, y: Array) -> Array:
    """x / hypot(x, y), the cosine of an angle, and 0 at the origin. The rules avoid
    cancellation."""
    return x / _positive(np.hypot(x, y))


hypot = elementwise(
    np.hypot,
    "sqrt(x * x + y * y) without intermediate overflow. At the origin both derivatives are 0.",
    x=lambda g, x, y: g * _ratio(x, y),
    y=lambda g, x, y: g * _ratio(y, x),
)
degrees = elementwise(np.degrees, "x converted from radians to degrees.", x=lambda g: g * DEGREES)
rad2deg = elementwise(np.rad2deg, "x converted from radians to degrees.", x=lambda g: g * DEGREES)
radians = elementwise(np.radians, "x converted from degrees to radians.", x=lambda g: g / DEGREES)
deg2rad = elementwise(np.deg2rad, "x converted from degrees to radians.", x=lambda g: g / DEGREES)

NEAR = 0.2  # closer to 0 than this, (cos(pi x) - sinc x) / x loses too many digits
SERIES = [  # coefficients of (derivative of sinc) / x in powers of x * x
    (-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(1, 10)
]


def _sinc_x(g: Gradient, x: Array, out: Array) -> Gradient:
    near = np.abs(x) < NEAR
    inner = x * near  # a third of the time of np.where
    square = inner * inner
    series = SERIES[-1] * square
    for coefficient in SERIES[-2:0:-1]:
        series += coefficient
        series *= square
    turned = x - 2 * np.rint(x / 2)  # exact, unlike the product of pi and a large x
    outer = (np.cos(math.pi * turned) - out) * ~near / (x + near)
    return g * ((series + SERIES[0]) * inner + outer)


sinc = elementwise(
    np.sinc,
    "sin(pi x) / (pi x), and 1 at 0. Derivatives of every order are accurate near 0 too.",
    x=_sinc_x,
)

# ---- hyperbolic ---------------------------------------------------------------------------------

sinh = elementwise(np.sinh, "The hyperbolic sine.", x=lambda g, x: g * np.cosh(x))
cosh = elementwise(np.cosh, "The hyperbolic cosine.", x=lambda g, x: g * np.sinh(x))


def _root_above_1(x: Array) -> Array:
    """sqrt(x * x + 1), without overflow. For complex x it has the branch cuts of arcsinh."""
    if np.iscomplexobj(x):
        return np.sqrt(1 + 1j * x) * np.sqrt(1 - 1j * x)
    return np.hypot(_settled(x), 1)


arcsinh = elementwise(
    np.arcsinh, "The number with hyperbolic sine x.", x=lambda g, x: g / _root_above_1(x)
)


def _arccosh_x(g: Gradient, x: Array) -> Gradient:
    x = _settled(x)
    return g / (np.sqrt(x - 1) * np.sqrt(x + 1))


arccosh = elementwise(
    np.arccosh,
    "The number >= 0 with hyperbolic cosine x. The derivative at 1 is inf.",
    x=_arccosh_x,
)
arctanh = elementwise(
    np.arctanh,
    "The number with hyperbolic tangent x. The derivative at -1 and 1 is inf.",
    x=lambda g, x: g / _beside_1(x),
)

# ---- powers and logarithms ----------------------------------------------------------------------

exp2 = elementwise(np.exp2, "2 ** x.", x=lambda g, out: g * (out * LN_2))
log2 = elementwise(np.log2, "The logarithm to base 2.", x=lambda g, x: g * (1 / LN_2) / x)
log10 = elementwise(np.log10, "The logarithm to base 10.", x=lambda g, x: g * (1 / LN_10) / x)


def _cbrt_x(g: Gradient, out: Array) -> Gradient:
    out = _settled(out)
    return g / (3 * out * out)


cbrt = elementwise(
    np.cbrt,
    "The cube root, negative for negative x. The derivative at 0 is inf.",
    x=_cbrt_x,
)


def _apart(x: Array, y: Array) -> Array:
    """x - y, and 0 where x and y are the same infinity."""
    with np.errstate(invalid="ignore"):
        difference = x - y
    return np.where(np.isinf(x) & np.equal(x, y), 0, difference)


def _logaddexp(x: Array, y: Array) -> Array:
    """The same as np.logaddexp, but three times as fast on large arrays of floats."""
    if any(getattr(operand, "dtype", np.dtype(float)).kind != "f" for operand in (x, y)):
        return np.logaddexp(x, y)  # differences of integers may wrap around
    with np.errstate(invalid="ignore"):
        difference = x - y
    size = np.abs(np.where(np.equal(x, y), 0, difference))
    return np.maximum(x, y) + np.log1p(np.exp(-size))


_logaddexp.__name__ = "logaddexp"

logaddexp = elementwise(
    _logaddexp,
    "log(exp(x) + exp(y)) without overflow. Two equal infinities share the gradient equally.",
    x=lambda g, x, y: g * sigmoid(_apart(x, y)),
    y=lambda g, x, y: g * sigmoid(_apart(y, x)),
)
logaddexp2 = elementwise(
    np.logaddexp2,
    "log2(2 ** x + 2 ** y) without overflow. Two equal infinities share the gradient equally.",
    x=lambda g, x, y: g * sigmoid(_apart(x, y) * LN_2),
    y=lambda g, x, y: g * sigmoid(_apart(y, x) * LN_2),
)
