"""Common parts of densities: their dtype, their units, and where they are NaN or constant.

Values and gradients are computed in float64 and rounded once at the end, because a density
multiplies large numbers by small ones, which exceeds the range and precision of float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient
from autograd_core.errors import DTypeError
from autograd_core.ops.elementwise import log, where
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype

__all__ = ["cumulative", "density", "either", "rounded", "valid", "widened"]

FAR = -1500.0  # a density with a smaller logarithm is 0 in float64, for every scale


def widened(name: str, *values: Any) -> tuple[Any, list[Any]]:
    """Return the dtype of the result, and the operands in float64. Python numbers have a weak
    dtype, except the first operand. Raises DTypeError for complex operands."""
    first = as_operand(values[0])
    others = [v if type(v) in (int, float) else as_operand(v) for v in values[1:]]
    dtypes = [first.dtype, *[getattr(v, "dtype", v) for v in others]]
    dtype = np.result_type(*dtypes)
    if dtype.kind == "c":
        raise DTypeError(
            f"{name}: operands must be real; they have the dtypes "
            f"{', '.join(str(getattr(d, 'name', d)) for d in dtypes)}. Use x.real to drop the "
            "imaginary part"
        )
    one = np.ones_like(first, shape=(), dtype=np.float64)
    arrays = [one * v if type(v) in (int, float) else _wide(v) for v in (first, *others)]
    return (dtype if dtype.kind == "f" else np.dtype(np.float64)), arrays


def _wide(x: Array) -> Array:
    return x if x.dtype == np.float64 else astype(x, np.float64)


def rounded(out: Array, dtype: Any) -> Array:
    """`out` in `dtype`, the dtype that `widened` returned."""
    return out if out.dtype == dtype else astype(out, dtype)


def _known_x(g: Gradient, valid: Any) -> Gradient:
    return np.where(valid, g, math.nan)


@op(pointwise=True, x=_known_x, valid=None)
def _known(x: Array, valid: Array) -> Array:
    """x, with NaN where `valid` is false; the gradient is NaN there too."""
    return np.where(valid, x, math.nan)


@op(
    pointwise=True,
    distance=lambda g, scale: g / scale,
    scale=lambda g, scale, out: -(np.where(out == 0, 0.0, g) * out / scale),
)
def _units(distance: Array, scale: Array) -> Array:
    """distance / scale, with -0 replaced by 0. Where it is 0, the gradient of `scale` is 0, even if
    the incoming gradient is infinite."""
    return distance / scale + 0.0


def valid(*parameters: Any) -> Array:
    """True where all parameters are positive."""
    holds = parameters[0] > 0
    for parameter in parameters[1:]:
        holds = holds & (parameter > 0)
    return holds


def either(
    condition: Array, first: Callable[..., Any], second: Callable[..., Any], *operands: Any
) -> Array:
    """Return first(*operands) where the condition holds, else second(*operands).

    Each operand is a pair: the array, and a number that replaces its elements for a function where
    the other function is selected. Both functions must be finite at this number, so that their
    gradients there are 0.
    """
    there = [where(condition, x, harmless) for x, harmless in operands]
    elsewhere = [where(condition, harmless, x) for x, harmless in operands]
    return where(condition, first(*there), second(*elsewhere))


Ends = tuple[float, float]


def _placed(
    ends: Ends, distance: Array, scale: Any, shapes: Sequence[Any], scaled: bool = False
) -> tuple[Any, ...]:
    """Return the masks where distance / scale is below and above the support, and the distance, the
    scale and the shapes. Outside the support, distance and scale are replaced by constants, to
    which no gradient flows. Distance, scale and shapes are all NaN where one of them is NaN or
    where the scale or a shape is not positive. If `scaled`, the formula accepts a distance / scale
    that overflows, so that an overflow is not counted as outside the support."""
    holds = valid(scale, *shapes)
    z = np.where(holds, _units(distance, scale), math.nan)
    place = distance if scaled else z
    below = (z < ends[0]) | (holds & (place == -math.inf))
    above = (z > ends[1]) | (holds & (place == math.inf))
    outside = below | above
    distance, scale = where(outside, 0.5, distance), where(outside, 1.0, scale)
    scale = _known(scale, z == z)
    shapes = [_known(shape, z == z) for shape in shapes]
    return below, above, _known(distance, z == z), scale, shapes


def density(
    name: str,
    formula: Callable[..., Any],
    ends: Ends,
    x: Array,
    shapes: Sequence[Any],
    loc: Any,
    scale: Any,
    logarithm: bool,
    scaled: bool = False,
) -> Array:
    """The density at x, ``formula(z, *shapes) / scale`` with z = (x - loc) / scale. If `logarithm`,
    the formula and the result are logarithms of densities. If `scaled`, the formula takes x - loc
    and `scale` instead of z, and includes the division by `scale`.

    Outside the support and at ±inf the density is 0 (its logarithm -inf), with zero gradient. It is
    NaN, with NaN gradients, where an operand is NaN, or `scale` or a shape is not positive.
    """
    dtype, (x, loc, scale, *shapes) = widened(name, x, loc, scale, *shapes)
    below, above, distance, scale, shapes = _placed(ends, x - loc, scale, shapes, scaled)
    outside = below | above
    if scaled:
        out = formula(distance, scale, *shapes)
    else:
        out = formula(_units(distance, scale), *shapes)
        out = out - log(scale) if logarithm else out / scale
    return rounded(where(outside, -math.inf if logarithm else 0.0, out), dtype)


def cumulative(
    name: str,
    formula: Callable[..., Any],
    ends: Ends,
    x: Array,
    shapes: Sequence[Any],
    loc: Any,
    scale: Any,
    beyond: Ends = (0.0, 1.0),
) -> Array:
    """The distribution function at x, ``formula(z, *shapes)`` with z = (x - loc) / scale. `beyond`
    holds its values below and above the support. The result is NaN where `density` is NaN."""
    dtype, (x, loc, scale, *shapes) = widened(name, x, loc, scale, *shapes)
    below, above, distance, scale, shapes = _placed(ends, x - loc, scale, shapes)
    out = formula(_units(distance, scale), *shapes)
    return rounded(where(below, beyond[0], where(above, beyond[1], out)), dtype)
