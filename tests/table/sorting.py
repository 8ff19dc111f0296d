"""Rows: order, ranks, what is where, which values there are."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import distinct, integers, shapes
from tests.table.cases import Case, elementwise, generator, settled, values
from tests.table.row import Row, boolean, index, reduction


def own(shape):
    return st.sampled_from(range(-len(shape), len(shape)))


def line_axis(shape):
    return st.none() | own(shape) if shape else st.none()


def flag(shape):
    return st.booleans()


def falling(function, x, axis):
    """The call with `descending`, which NumPy has not: there the negative elements rise."""
    if function is np.sort:
        return -function(-x, axis)
    if function is np.argsort:
        return function(-x, axis, stable=True)
    return function(x, axis, stable=True, descending=True)


def as_tuple(function, *arrays, **settings):
    return function(arrays, **settings)


@st.composite
def gatherings(draw, placing=False):
    """Places in each line, or the same in all; `placing` gives what comes out of gathering."""
    shape = draw(shapes(least_ndim=1))
    axis = draw(st.integers(-len(shape), -1 if placing else len(shape) - 1))
    length = shape[axis]
    distinct = draw(st.booleans()) or length == 0
    count = draw(st.integers(0, min(3, length) if distinct else 3))
    rng = generator(draw)
    chosen = (*shape[:axis], count, *shape[axis % len(shape) + 1 :])
    if draw(st.booleans()):
        places = rng.permutation(length)[:count] if distinct else rng.integers(0, length, count)
    elif distinct:
        places = np.take(np.argsort(rng.random(shape), axis), range(count), axis)
    else:
        places = rng.integers(0, length, chosen)
    settings = {"axis": axis, "distinct": distinct}
    if placing:
        operands = *values(draw, chosen), places
        return Case(("g", "indices"), operands, settings | {"length": length})
    return Case(("x", "indices"), (*values(draw, shape), places), settings)


def plain_gather(x, indices, axis, distinct):
    if indices.ndim == 1:
        return np.take(x, indices, axis)
    return np.take_along_axis(x, indices, axis)


def plain_place(g, indices, axis, distinct, length):
    out = np.moveaxis(np.zeros([*g.shape[:axis], length, *g.shape[g.ndim + axis + 1 :]], g.dtype),
                      axis, -1)  # fmt: skip
    g = np.moveaxis(g, axis, -1)
    indices = np.broadcast_to(
        np.moveaxis(indices, axis, -1) if indices.ndim > 1 else indices, g.shape
    )
    for place in np.ndindex(g.shape):
        out[(*place[:-1], indices[place])] += g[place]
    return np.moveaxis(out, -1, axis)


@st.composite
def partitions(draw):
    shape = draw(shapes(least_ndim=1, least_side=1))
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    n = int(np.prod(shape)) if axis is None else shape[axis]
    kth = draw(st.integers(-n, n - 1) | st.lists(st.integers(0, n - 1), min_size=1, max_size=2).map(
        tuple))  # fmt: skip
    return Case(("x",), values(draw, shape, domain=distinct()), {"kth": kth, "axis": axis})


def at_kth(function, x, kth, axis):
    """The elements that have their places; between them, any order is right."""
    out = function(x, kth, axis)
    return out[(*[slice(None)] * (0 if axis is None else axis % x.ndim),
                kth if isinstance(kth, int) else kth[0])]  # fmt: skip


@st.composite
def searches(draw):
    x, v = values(draw, draw(st.integers(0, 4)), draw(shapes()))
    return Case(("x", "v"), (np.sort(x), v), {"side": draw(st.sampled_from(["left", "right"]))})


def as_bins(case):
    """The case of a search as one of digitize."""
    settings = {"right": case.settings["side"] == "right"}
    return Case(("x", "bins"), case.arrays[::-1], settings)


@st.composite
def keys(draw):
    shape = draw(shapes(least_ndim=1))
    axis = draw(own(shape))
    count = draw(st.integers(1, 3))
    arrays = values(draw, *[shape] * count, domain=lambda rng, s: rng.integers(0, 3, s) / 2)
    return Case(("keys",) * count, arrays, {"axis": axis})


def joined(function, x, **settings):
    """All places that come out, in one array."""
    results = [r.ravel() for r in function(x, **settings)]
    return np.concatenate(results) if results else function(x[None])[0]


def part(number):
    """The call that gives one of several results."""
    return lambda function, x, **settings: function(x, **settings)[number]


INDEXED = {"x": ("x_shape", "indices", "axis", "distinct")}
FLAGS = dict.fromkeys(["return_index", "return_inverse", "return_counts"], True)
SORTING = [
    Row("_gather_along", gatherings(), INDEXED, plain_gather, linear=True, complex=True,
        dtype=lambda x, _: x, never=("0-d",)),
    Row("_place_along", gatherings(placing=True), {"g": ("indices", "axis", "distinct")},
        plain_place, linear=True, complex=True, dtype=lambda g, _: g, never=("0-d",)),
    Row("sort", settled(distinct(), least_ndim=1, axis=line_axis), {"x": ()}, flat=True,
        complex=True, never=("0-d",)),
    Row("sort", settled(distinct()), {"x": ()}, flat=True, variant="of all",
        call=lambda function, x: function(x, None, "mergesort")),
    Row("sort", settled(distinct(), least_ndim=1, axis=own), {"x": ()}, flat=True, call=falling,
        variant="descending", never=("0-d",)),
    Row("partition", partitions(), {"x": ()}, flat=True, call=at_kth, never=("0-d", "empty")),
    Row("argpartition", partitions(), dtype=index, call=at_kth, never=("0-d", "empty")),
    Row("argsort", settled(distinct(), least_ndim=1, axis=line_axis), dtype=index, complex=True,
        never=("0-d",)),
    Row("argsort", settled(integers(0, 3), least_ndim=1, axis=own), dtype=index, variant="stable",
        call=lambda function, x, axis: function(x, axis, stable=True), never=("0-d",)),
    Row("argsort", settled(integers(0, 3), least_ndim=1, axis=own), dtype=index, call=falling,
        variant="descending", never=("0-d",)),
    Row("lexsort", keys(), dtype=index, call=as_tuple, never=("0-d",)),
    Row("searchsorted", searches(), dtype=index),
    Row("digitize", searches().map(as_bins), dtype=index),
    Row("nonzero", settled(integers(0, 2), least_ndim=1), dtype=index, call=joined, never=("0-d",)),
    Row("argwhere", settled(integers(0, 2)), dtype=index),
    Row("flatnonzero", settled(integers(0, 2)), dtype=index),
    Row("count_nonzero", reduction(integers(0, 2)), dtype=index),
    Row("isin", elementwise(x=integers(0, 5), y=integers(0, 5)), dtype=boolean),
    Row("unique", settled(distinct()), {"x": ()}, flat=True, complex=True),
    Row("unique", settled(integers(0, 3)), variant="of few"),
    *(
        Row("unique", settled(integers(0, 3)), variant=f"of few, result {number}",
            call=lambda function, x, number=number: function(x, **FLAGS)[number],
            dtype=(lambda *dtypes: dtypes[0]) if number == 0 else index)
        for number in range(4)
    ),
    Row("unique", settled(distinct(), least_ndim=1, least_side=1, axis=own), {"x": ()}, flat=True,
        variant="slices", never=("0-d", "empty")),
    Row("unique_values", settled(distinct()), {"x": ()}, lambda x: np.unique(x), flat=True),
    *(
        Row(f"unique_{name}", settled(distinct()), {"x": ()},
            lambda x, fields=fields: np.unique(x, **dict.fromkeys(fields, True)), flat=True,
            call=part(0))
        for name, fields in {"all": FLAGS, "counts": ["return_counts"],
                             "inverse": ["return_inverse"]}.items()
    ),
    *(
        Row(f"unique_{name}", settled(integers(0, 3)), call=part(number), dtype=index,
            variant=f"result {number}")
        for name, number in [("all", 1), ("all", 2), ("all", 3), ("counts", 1), ("inverse", 1)]
    ),
    Row("_unique_places", settled(integers(0, 3)), reference=lambda x: np.unique(x, **FLAGS)[1:],
        call=part(1), dtype=index),
]  # fmt: skip
