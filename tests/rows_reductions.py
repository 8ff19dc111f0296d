"""Rows: sums, moments, extremes, and what is built on them."""

import numpy as np
from op_cases import distinct, integers, one_axis, own_axis, settled, some_axis
from op_row import Row, anything, apart, boolean, ddofs, exact, index, real, reduction

REDUCED = ("x_shape", "axis", "keepdims")


def plain_softmax(x, axis):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


REDUCTIONS = [
    Row("sum", reduction(anything), {"x": REDUCED}, linear=True, complex=True),
    Row("mean", reduction(anything, own_axis), {"x": REDUCED}, linear=True, complex=True),
    Row("sum", reduction(anything), {"x": REDUCED}, linear=True, variant="in f8",
        call=lambda function, x, **settings: function(x, dtype="f8", **settings),
        dtype=lambda *_: np.dtype("f8")),
    Row("var", reduction(anything, own_axis, ddof=ddofs),
        {"x": ("x", "axis", "ddof", "keepdims")}, complex=True, dtype=real),
    Row("std", reduction(apart, own_axis, ddof=ddofs),
        {"x": ("x", "out", "axis", "ddof", "keepdims")}, complex=True, dtype=real),
    *(
        Row(name, reduction(apart, one_axis, least_ndim=1, least_side=2), keeps, complex=True,
            dtype=real, variant="of a sample",
            call=lambda function, x, **settings: function(x, ddof=1, **settings))
        for name, keeps in {"var": {"x": ("x", "axis", "ddof", "keepdims")},
                            "std": {"x": ("x", "out", "axis", "ddof", "keepdims")}}.items()
    ),
    Row("max", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("min", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("logsumexp", reduction(anything, some_axis), {"x": ("x", "axis", "keepdims")},
        exact(lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))),
        extreme=True),
    Row("softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        exact(plain_softmax), extreme=True),
    Row("log_softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        exact(lambda x, axis: np.log(plain_softmax(x, axis))), extreme=True),
    Row("argmax", reduction(distinct(), one_axis, least_side=1), dtype=index),
    Row("argmin", reduction(distinct(), one_axis, least_side=1), dtype=index),
    Row("all", reduction(integers(0, 2)), dtype=boolean),
    Row("any", reduction(integers(0, 2)), dtype=boolean),
]  # fmt: skip
