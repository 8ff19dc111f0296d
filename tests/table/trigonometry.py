"""Rows: trigonometric and hyperbolic functions, further powers and logarithms."""

import numpy as np

from autograd_core.testing.strategies import between, signed
from tests.table.row import Row, anything, binary, nonzero, positive, unary

XY = ("x", "y")
outside = between(1.5, 3)
inside = between(-0.6, 0.6)
steep = between(-1, 1)


def around_zero(rng, shape):
    """0 itself, numbers near it, and the lobes on both sides."""
    return rng.choice([0, 1e-9, -1e-3, 0.15, -0.35, 1.2, -0.8, 1], shape)


TRIGONOMETRY = [
    Row("tan", unary(steep), {"x": ("out",)}, complex=True),
    Row("arcsin", unary(inside), {"x": ("x",)}, complex=True),
    Row("arccos", unary(inside), {"x": ("x",)}, complex=True),
    Row("arctan", unary(nonzero), {"x": ("x",)}, complex=True),
    Row("arctan2", binary(nonzero, anything), {"x": XY, "y": XY}),
    Row("hypot", binary(nonzero, anything), {"x": XY, "y": XY}),
    Row("_ratio", binary(nonzero, anything), {"x": XY, "y": XY}, lambda x, y: x / np.hypot(x, y)),
    *(
        Row(name, unary(anything), {"x": ()}, linear=True)
        for name in ("degrees", "rad2deg", "radians", "deg2rad")
    ),
    Row("sinc", unary(around_zero), {"x": ("x", "out")}, complex=True),
    Row("sinh", unary(anything), {"x": ("x",)}, complex=True),
    Row("cosh", unary(anything), {"x": ("x",)}, complex=True),
    Row("arcsinh", unary(nonzero), {"x": ("x",)}, complex=True, extreme=True),
    Row("arccosh", unary(outside), {"x": ("x",)}, complex=True),
    Row("arctanh", unary(inside), {"x": ("x",)}, complex=True),
    Row("exp2", unary(anything), {"x": ("out",)}, complex=True),
    Row("log2", unary(positive), {"x": ("x",)}, complex=True),
    Row("log10", unary(positive), {"x": ("x",)}, complex=True),
    Row("cbrt", unary(signed(0.5, 2.5)), {"x": ("out",)}),
    Row("logaddexp", binary(anything), {"x": XY, "y": XY}),
    Row("logaddexp2", binary(anything), {"x": XY, "y": XY}),
]
