"""Rows: reading and writing elements."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import shapes
from tests.table.cases import (
    Case,
    assignments,
    generator,
    indexings,
    long_assignments,
    scatterings,
    values,
)
from tests.table.row import Row


def plain_scatter(g, index, shape, ndim):
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out


def plain_assign(x, index, value):
    out = x.copy()
    out[index] = value
    return out


def plain_add_at(x, index, value):
    out = x.copy()
    np.add.at(out, index, value)
    return out


@st.composite
def repetitions(draw):
    """An index that names an element twice, with a value for each: the last one stands. (On a
    device it is not defined which one does.)"""
    shape = draw(shapes(least_ndim=1, least_side=2))
    index = generator(draw).integers(-shape[0], shape[0], shape[0] + 1)
    return Case(("x", "value"), values(draw, shape, (index.size, *shape[1:])), {"index": index})


@st.composite
def simple_indexings(draw):
    """An index of slices or new axes, or a permutation: most keep all elements."""
    shape = draw(shapes(least_ndim=1, least_side=2))
    order = np.roll(np.arange(shape[0]), 1)
    simple = [(..., None), (slice(None), None), slice(None, None, -1), slice(1, None), order]
    return Case(("x",), values(draw, shape), {"index": draw(st.sampled_from(simple))})


@st.composite
def pairs(draw):
    """x and a value of its shape."""
    shape = draw(shapes())
    return Case(("x", "value"), values(draw, shape, shape), {})


def of_complex(*dtypes):
    return np.result_type(*dtypes, "c8")


def replaced(part):
    def plain(x, value):
        out = np.array(x)
        getattr(out, part)[...] = value
        return out

    return plain


INDEXING = [
    Row("_getitem", indexings(), {"x": ("index", "x_shape", "out_shape")},
        lambda x, index: x[index], linear=True, complex=True),
    Row("_getitem", simple_indexings(), {"x": ("index", "x_shape", "out_shape")},
        lambda x, index: x[index], linear=True, complex=True, never=("empty", "0-d"),
        variant="simple"),
    Row("_scatter", scatterings(), {"g": ("index", "shape")}, plain_scatter, linear=True,
        complex=True),
    Row("assign", assignments(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        linear=True, call=lambda function, x, value, index: function(x, index, value)),
    Row("assign", long_assignments(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        variant="of longer values", linear=True, never=("0-d", "empty"),
        call=lambda function, x, value, index: function(x, index, value)),
    Row("assign", repetitions(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        variant="of repeated places", linear=True, never=("0-d", "empty"), host=True,
        call=lambda function, x, value, index: function(x, index, value)),
    Row("_add_at", assignments(), {"x": (), "value": ("index", "x_shape")}, plain_add_at,
        linear=True, call=lambda function, x, value, index: function(x, index, value)),
    Row("_with_real", pairs(), {"x": (), "value": ()}, replaced("real"), linear=True, parts=True,
        dtype=of_complex, call=lambda function, x, value: function(x * (1 + 0.5j), value)),
    Row("_with_imag", pairs(), {"x": (), "value": ()}, replaced("imag"), linear=True, parts=True,
        dtype=of_complex, call=lambda function, x, value: function(x * (1 + 0.5j), value)),
]  # fmt: skip
