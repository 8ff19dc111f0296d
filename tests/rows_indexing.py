"""Rows: reading and writing elements."""

import numpy as np
from op_cases import assignments, indexings, long_assignments, scatterings
from op_row import Row


def plain_scatter(g, index, shape, ndim):
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out


def plain_assign(x, index, value):
    out = x.copy()
    out[index] = value
    return out


INDEXING = [
    Row("getitem", indexings(), {"x": ("index", "x_shape", "out_shape")}, lambda x, index: x[index],
        linear=True, complex=True),
    Row("scatter", scatterings(), {"g": ("index", "shape")}, plain_scatter, linear=True,
        complex=True),
    Row("assign", assignments(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        linear=True, call=lambda function, x, value, index: function(x, index, value)),
    Row("assign", long_assignments(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        variant="of longer values", linear=True, never=("0-d", "empty"),
        call=lambda function, x, value, index: function(x, index, value)),
]  # fmt: skip
