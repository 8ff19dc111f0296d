"""Rows: arrays joined and taken apart."""

import numpy as np
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core.testing.strategies import shapes
from tests.table.arranging import of
from tests.table.cases import Case, settled, values
from tests.table.row import Row, anything, as_list
from tests.table.shaping import single


@st.composite
def alike(draw, count=3, least_ndim=0, **settings):
    """So many arrays of one shape."""
    shape = draw(shapes(least_ndim))
    arrays = values(draw, *[shape] * count)
    drawn = {name: draw(choose(shape)) for name, choose in settings.items()}
    return Case(tuple("xyz"[:count]), arrays, drawn)


@st.composite
def insertions(draw):
    """x, and values that fit before some places of an axis."""
    shape = draw(shapes(least_ndim=1))
    axis = draw(single(shape))
    n = shape[axis]
    place = st.integers(-n, n)
    obj = draw(st.one_of(place, st.lists(place, min_size=2, max_size=3), st.just(slice(0, n, 2))))
    other = draw(st.sampled_from([(), (1,) * len(shape)]))
    return Case(("x", "values"), values(draw, shape, other), {"obj": obj, "axis": axis})


@st.composite
def deletions(draw):
    shape = draw(shapes(least_ndim=1, least_side=1))
    axis = draw(single(shape))
    place = st.integers(-shape[axis], shape[axis] - 1)
    truths = st.lists(st.booleans(), min_size=shape[axis], max_size=shape[axis])
    obj = draw(st.one_of(place, st.lists(place, max_size=3), truths, st.just(slice(None, None, 2))))
    return Case(("x",), values(draw, shape), {"obj": obj, "axis": axis})


@st.composite
def sections(draw, equal=False):
    shape = draw(shapes(least_ndim=1))
    axis = draw(single(shape))
    counts = [n for n in (1, 2, 3) if not equal or shape[axis] % n == 0]
    places = st.lists(st.integers(0, 4), max_size=2).map(sorted)
    where = draw(st.one_of(st.sampled_from(counts), places))
    return Case(("x",), values(draw, shape), {"indices_or_sections": where, "axis": axis})


def all_of(results):
    """Several results as one, for a row."""
    return ac.concatenate([ac.ravel(part) for part in results] or [np.zeros(0)])


def gathered(function, *arrays, **settings):
    return all_of(function(*arrays, **settings))


def inserted(function, x, values, obj, axis):
    return function(x, obj, values, axis)


def blocks(function, x, y, z):
    return function([[x, y], [z, x]])


def axis_or_none(shape):
    return st.sampled_from([None, *range(-len(shape), len(shape))])


THREE, TWO, ONE = (dict.fromkeys(names, ()) for names in ("xyz", "xy", "x"))
both = {"linear": True, "complex": True}
halves = of(1, [1], [0, 2])

JOINING = [
    *(Row(name, alike(), THREE, call=as_list, **both)
      for name in ("hstack", "vstack", "dstack", "column_stack")),
    Row("block", alike(), THREE, call=blocks, **both),
    Row("append", alike(2, 1, axis=axis_or_none), TWO, never=("0-d",), **both),
    Row("append", alike(2), TWO, variant="flat", **both),
    Row("insert", insertions(), {"x": (), "values": ()}, call=inserted, linear=True),
    Row("delete", deletions(), ONE, never=("0-d", "empty"), **both),
    Row("split", sections(equal=True), ONE, call=gathered, never=("0-d",), **both),
    Row("array_split", sections(), ONE, call=gathered, never=("0-d",), **both),
    Row("hsplit", settled(anything, least_ndim=1, indices_or_sections=halves), ONE, call=gathered,
        never=("0-d",), **both),
    Row("vsplit", settled(anything, least_ndim=2, indices_or_sections=halves), ONE, call=gathered,
        never=("0-d",), **both),
    Row("dsplit", settled(anything, least_ndim=3, indices_or_sections=halves), ONE, call=gathered,
        never=("0-d",), **both),
    Row("unstack", settled(anything, least_ndim=1, least_side=1, axis=single), ONE, call=gathered,
        never=("0-d", "empty"), **both),
    Row("broadcast_arrays", alike(2), TWO, call=gathered, **both),
    Row("meshgrid", alike(2, sparse=of(False, True), indexing=of("xy", "ij")), TWO, call=gathered,
        **both),
]  # fmt: skip
