"""Rows: operations that work element by element."""

import numpy as np

from autograd_core.testing.strategies import between, integers, signed, staggered, truths
from tests.table.cases import elementwise
from tests.table.row import (
    Row,
    anything,
    binary,
    boolean,
    extended,
    left,
    nonzero,
    positive,
    real,
    right,
    unary,
)


def of_complex(dtype):
    return np.result_type(dtype, "c8")


XYZ = ("x", "y", "out")
ELEMENTWISE = [
    Row("add", binary(anything), {"x": (), "y": ()}, linear=True, complex=True),
    Row("subtract", binary(anything), {"x": (), "y": ()}, linear=True, complex=True),
    Row("multiply", binary(anything), {"x": ("y",), "y": ("x",)}, complex=True),
    Row("divide", binary(anything, nonzero), {"x": ("y",), "y": ("y", "out")}, complex=True),
    Row("negative", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("_settled", unary(anything), {"x": ("x",)}, lambda x: x, complex=True),
    Row("positive", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("remainder", binary(signed(2.2, 2.3), between(0.9, 0.95)),
        {"x": (), "y": ("x", "y", "out")}, flat=True),
    Row("power", binary(positive, anything), {"x": ("x", "y"), "y": ("x", "out")}, complex=True),
    *(
        Row("power", unary(nonzero), {"x": ("x", "y")}, variant=f"to {n}", complex=True,
            flat=n in (0, 1), call=lambda function, x, n=n: function(x, n))
        for n in (0, 1, 2, 3, -1, 2.0, -2.0)
    ),
    Row("power", elementwise(y=anything), {"y": ("x", "out")}, variant="of 2",
        call=lambda function, y: function(2.0, y)),
    Row("square", unary(anything), {"x": ("x",)}, complex=True),
    Row("sqrt", unary(positive), {"x": ("out",)}, complex=True),
    Row("reciprocal", unary(nonzero), {"x": ("out",)}, complex=True),
    Row("absolute", unary(nonzero), {"x": ("x",)}, complex=True, dtype=real),
    Row("exp", unary(anything), {"x": ("out",)}, complex=True),
    Row("expm1", unary(anything), {"x": ("x",)}, complex=True),
    Row("log", unary(positive), {"x": ("x",)}, complex=True),
    Row("log1p", unary(positive), {"x": ("x",)}, complex=True),
    Row("sin", unary(anything), {"x": ("x",)}, complex=True),
    Row("cos", unary(anything), {"x": ("x",)}, complex=True),
    Row("tanh", unary(anything), {"x": ("x", "out")}, complex=True, extreme=True),
    Row("_sigmoid_slope", unary(anything), {"x": ("x", "out")},
        extended(lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2)),
    Row("_tanh_slope", unary(anything), {"x": ("x", "out")}, extended(lambda x: np.cosh(x) ** -2.0),
        complex=True),
    Row("sigmoid", unary(anything), {"x": ("x", "out")}, extended(lambda x: 1 / (1 + np.exp(-x))),
        complex=True, extreme=True),
    Row("softplus", unary(anything), {"x": ("x",)}, extended(lambda x: np.log(1 + np.exp(x))),
        extreme=True),
    Row("relu", unary(nonzero), {"x": ("out",)}, lambda x: (abs(x) + x) / 2, flat=True,
        extreme=True),
    Row("maximum", binary(left, right), {"x": XYZ, "y": XYZ}, flat=True),
    Row("minimum", binary(left, right), {"x": XYZ, "y": XYZ}, flat=True),
    Row("where", elementwise(condition=truths, x=anything, y=anything),
        {"x": ("condition",), "y": ("condition",)}, linear=True, complex=True,
        dtype=lambda _, *dtypes: np.result_type(*dtypes)),
    Row("clip", elementwise(x=left, min=staggered(1 / 6), max=staggered(1 / 3)),
        dict.fromkeys(["x", "min", "max"], ("x", "min", "max")), flat=True),
    Row("clip", elementwise(x=left, min=right),
        dict.fromkeys(["x", "min"], ("x", "min", "max")),
        flat=True, variant="below", call=lambda function, x, low: function(x, low, None)),
    Row("clip", elementwise(x=left, max=right),
        dict.fromkeys(["x", "max"], ("x", "min", "max")),
        flat=True, variant="above", call=lambda function, x, high: function(x, None, high)),
    Row("real", unary(anything), {"x": ()}, linear=True, complex=True, dtype=real),
    Row("imag", unary(anything), {"x": ()}, linear=True, complex=True, dtype=real),
    Row("conjugate", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("_real_sign", unary(nonzero), reference=np.sign),
    Row("sign", unary(nonzero)),
    Row("sign", unary(nonzero), {"x": ()}, complex=True, variant="of complex", dtype=of_complex,
        call=lambda function, x: function(x + 1j)),
    Row("floor_divide", binary(signed(2.2, 2.3), between(0.9, 0.95))),
    *(
        Row(name, binary(left, right), dtype=boolean)
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    ),
    *(
        Row(name, binary(integers(0, 5)))
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
    ),
    Row("invert", unary(integers(-5, 5))),
    *(
        Row(name, unary(anything), complex=True, dtype=boolean)
        for name in ("logical_not", "isfinite", "isnan", "isinf")
    ),
]  # fmt: skip
