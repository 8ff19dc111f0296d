"""Rows: rounding, the parts of a number, truth values and integers."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import between, distinct, integers, signed
from tests.table.cases import elementwise, settled
from tests.table.row import Row, anything, binary, boolean, left, right, unary

fractional = signed(1.2, 1.8)


def scaled(rng, shape):
    """Of any size, and away from the powers of two, where the exponent jumps."""
    return signed(1.2, 1.8)(rng, shape) * 2.0 ** rng.integers(0, 3, shape)


def thirds(rng, shape):
    """-1, 0 and 1."""
    return rng.integers(-1, 2, shape).astype(float)


def unusual(rng, shape):
    return rng.choice([-np.inf, np.inf, np.nan, -0.0, 0.0, 1.5, -2.5], shape)


def joined(function, *operands):
    """The call of a function of several results, all of them in one."""
    return np.concatenate([np.ravel(result) for result in function(*operands)])


def places(shape):
    return st.integers(-1, 2)


def first_dtype(x, *_):
    return x


ROUNDING = [
    *(Row(name, unary(between(-20, 20))) for name in ("floor", "ceil", "trunc")),
    Row("fix", unary(between(-20, 20)), reference=np.trunc),  # NumPy 2.5 warns of its own np.fix
    Row("rint", unary(between(-20, 20)), complex=True),
    *(
        Row(name, settled(between(-20, 20), decimals=places)) for name in ("round", "around")
    ),
    Row("_fraction", unary(fractional), {"x": ()}, lambda x: np.modf(x)[0], flat=True),
    Row("_whole", unary(fractional), reference=lambda x: np.modf(x)[1]),
    Row("modf", unary(fractional), {"x": ()}, flat=True, call=joined),
    Row("_exponent", unary(scaled), reference=lambda x: np.frexp(x)[1],
        dtype=lambda _: np.dtype("i4")),
    Row("ldexp", elementwise(x=anything, y=integers(-3, 4)), {"x": ("y",)}, linear=True,
        dtype=first_dtype),
    Row("frexp", unary(scaled), {"x": ()}, flat=True, variant="mantissa",
        call=lambda function, x: function(x)[0]),
    Row("frexp", unary(scaled), variant="exponent", dtype=lambda _: np.dtype("i4"),
        call=lambda function, x: function(x)[1]),
    Row("divmod", binary(signed(2.2, 2.3), between(0.9, 0.95)), {"x": (), "y": ()}, flat=True,
        call=joined),
    Row("heaviside", elementwise(x=thirds, y=anything), {"y": ("x",)}, linear=True),
    Row("nextafter", binary(left, right)),
    Row("spacing", unary(distinct())),
    *(
        Row(name, unary(unusual), dtype=boolean) for name in ("signbit", "isposinf", "isneginf")
    ),
    *(Row(name, unary(thirds), complex=True, dtype=boolean) for name in ("isreal", "iscomplex")),
    *(
        Row(name, binary(thirds), complex=True, dtype=boolean)
        for name in ("logical_and", "logical_or", "logical_xor")
    ),
    *(Row(name, binary(integers(0, 30))) for name in ("gcd", "lcm")),
    Row("bitwise_count", unary(integers(-9, 9)), dtype=lambda _: np.dtype("u1")),
]  # fmt: skip
