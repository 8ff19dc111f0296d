"""Rows: further arithmetic."""

import numpy as np

from autograd_core.testing.strategies import between, signed
from tests.table.row import Row, anything, binary, left, nonzero, positive, real, right, unary

XY = ("x", "y")


def wide(*dtypes):
    return np.result_type("f8", *dtypes)


def with_gaps(rng, shape):
    """Some numbers are missing or infinite."""
    return rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.5, -0.75], shape)


ARITHMETIC = [
    Row("fmod", binary(signed(4.4, 4.5), between(1.3, 1.35)),
        {"x": (), "y": ("x", "y", "out")}, flat=True),
    Row("float_power", binary(positive, anything), {"x": XY, "y": ("x", "out")}, complex=True,
        dtype=wide),
    Row("copysign", binary(nonzero), {"x": XY}, flat=True),
    Row("fabs", unary(nonzero), {"x": ("x",)}, flat=True),
    Row("fmax", binary(left, right), {"x": XY, "y": XY}, flat=True),
    Row("fmin", binary(left, right), {"x": XY, "y": XY}, flat=True),
    Row("angle", unary(positive), {"x": ("x", "deg")}, complex=True, dtype=real),
    Row("angle", unary(positive), {"x": ("x", "deg")}, complex=True, dtype=real, variant="deg",
        call=lambda function, x: function(x, deg=True)),
    Row("real_if_close", unary(anything), {"x": ()}, linear=True),
    Row("nan_to_num", unary(anything), {"x": ("x",)}, complex=True, flat=True),
    Row("nan_to_num", unary(with_gaps), {"x": ("x",)}, variant="of gaps", flat=True,
        call=lambda function, x: function(x, nan=0.5, posinf=2.0, neginf=-2.0)),
]  # fmt: skip
