"""Rows: selecting elements by places, conditions and choice; line by line; counting."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core.testing.strategies import broadcastable, integers, shapes, truths
from tests.table.cases import Case, generator, values
from tests.table.row import Row, index

OFTEN = {"raise": 1, "wrap": 3, "clip": 3}  # how far beyond the end places may be


def places_within(length, shape, factor=1):
    if length == 0:
        return st.just(np.zeros((0,) * max(len(shape), 1), np.intp))
    return hnp.arrays(np.intp, shape, elements=st.integers(-length * factor, length * factor - 1))


@st.composite
def takings(draw):
    shape = draw(shapes())
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    mode = draw(st.sampled_from(list(OFTEN)))
    length = int(np.prod(shape)) if axis is None else shape[axis]
    chosen = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    indices = draw(places_within(length, chosen, OFTEN[mode]))
    return Case(("x",), values(draw, shape), {"indices": indices, "axis": axis, "mode": mode})


@st.composite
def takings_along(draw):
    shape = draw(shapes(least_ndim=1))
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    if axis is None:
        indices = draw(places_within(int(np.prod(shape)), (2,)))
    elif shape[axis] == 0:
        indices = np.zeros(shape, np.intp)
    else:
        lengths = [draw(st.sampled_from([n, 1])) for n in shape]
        lengths[axis] = draw(st.integers(0, 3))
        indices = draw(places_within(shape[axis], tuple(lengths)))
    return Case(("x",), values(draw, shape), {"indices": indices, "axis": axis})


@st.composite
def compressions(draw):
    shape = draw(shapes())
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    length = int(np.prod(shape)) if axis is None else shape[axis]
    condition = draw(hnp.arrays(bool, draw(st.integers(0, length))))
    return Case(("x",), values(draw, shape), {"condition": condition, "axis": axis})


@st.composite
def extractions(draw):
    shape = draw(shapes())
    return Case(("x",), values(draw, shape), {"condition": draw(hnp.arrays(bool, shape))})


@st.composite
def selections(draw, number=None):
    """One to three choices that broadcast with their conditions; a default in the last place. With
    `number`, the default is that."""
    count = draw(st.integers(1, 3))
    found = draw(broadcastable(2 * count + 1))
    conditions = values(draw, *found[:count], domain=truths)
    choices = values(draw, *found[count : 2 * count + (number is None)])
    settings = {"condlist": conditions} | ({} if number is None else {"default": number})
    return Case(("choices",) * len(choices), choices, settings)


def selecting(function, *choices, condlist, default=None):
    conditions = list(condlist)
    if default is None:
        *choices, default = choices
    return function(conditions, list(choices), default)


@st.composite
def choices(draw):
    count = draw(st.integers(1, 3))
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    shape, *others = draw(broadcastable(count + 1))
    low, high = (0, count) if mode == "raise" else (-count, 2 * count)
    (a,) = values(draw, shape, domain=integers(low, high))
    return Case(("choices",) * count, values(draw, *others), {"a": a, "mode": mode})


@st.composite
def pieces(draw):
    shape = draw(shapes())
    conditions = values(draw, *[shape] * draw(st.integers(1, 2)), domain=truths)
    return Case(("x",), values(draw, shape), {"condlist": conditions})


def in_pieces(function, x, condlist):
    """One more function than conditions: for the rest."""
    functions = [lambda v, factor: v * v * factor, 1.5, lambda v, factor: v * factor]
    return function(x, list(condlist), functions[-len(condlist) - 1 :], 2)


@st.composite
def lines(draw):
    shape = draw(shapes(least_ndim=1, least_side=1))
    axis = draw(st.sampled_from(range(-len(shape), len(shape))))
    return Case(("x",), values(draw, shape), {"axis": axis})


@st.composite
def over(draw):
    shape = draw(shapes(least_ndim=1))
    axes = draw(st.sampled_from([0, -1, (0,), (0, -1)]))
    return Case(("x",), values(draw, shape), {"axes": axes})


def by_line(piece):
    return lambda function, x, axis: function(piece, axis, x)


def tables(line):
    return line[:, None] * line[None, :2] * line[:1]


def each(function, x, axes):
    """The sum along one axis after the other."""
    return function(lambda v, axis: v.sum(axis), x, axes)


@st.composite
def countings(draw):
    length = draw(st.integers(0, 4))
    (x,) = values(draw, length, domain=integers(0, 4))
    settings = {"x": x, "minlength": draw(st.integers(0, 5))}
    return Case(("weights",), values(draw, length), settings)


def of_weights(function, weights, x, minlength):
    return function(x, weights, minlength)


def sums(x, weights, minlength):
    return np.bincount(x, weights, minlength).astype(float)  # NumPy counts where there is nothing


@st.composite
def numbers(draw):
    x = values(draw, draw(st.integers(0, 4)), domain=integers(0, 4))
    return Case(("x",), x, {"minlength": draw(st.integers(0, 5))})


@st.composite
def samples(draw, count=1):
    length = draw(st.integers(0, 5))
    settings = {"bins": draw(st.integers(1, 3)), "range": ((-1.0, 1.5),) * count}
    return Case(("x", "y")[:count], values(draw, *[length] * count), settings)


def one_range(function, x, bins, range):
    return joined(function(x, bins, range[0]))


def joined(results):
    return np.concatenate([np.ravel(r) * 1.0 for r in results])


def of_pairs(function, x, y, bins, **settings):
    return joined(function(x, y, bins, settings["range"]))


def with_edges(function, x, bins, range):
    counts, edges = function(np.reshape(x, (-1, 1)), bins, range)
    return joined([counts, *edges])


@st.composite
def weighed(draw, count=1, density=False):
    """Weights of elements, some of which are on an edge or in no bin; edges at even distances, or
    one array of them, where NumPy's histogram sums in the dtype of the weights and not exactly."""
    length = draw(st.integers(2, 5))
    rng = generator(draw)
    places = np.round(rng.uniform(-1.5, 2, (count, length)) * 2) / 2
    places[:, :2] = -0.75, 0.25  # a density is then no constant
    even = {"bins": draw(st.integers(2, 3)), "range": ((-1.0, 1.5),) * count}
    uneven = {"bins": np.array([-1.0, 0.0, 0.5, 2.0]), "range": None}
    settings = even if density and count == 1 else draw(st.sampled_from([even, uneven]))
    settings |= {"places": places, "density": density}
    return Case(("weights",), (rng.uniform(0.5, 2, length),), settings)


def in_bins(function, weights, places, bins, range, density):
    return function(places[0], bins, range and range[0], density, weights)[0]


def in_cells(function, weights, places, bins, range, density):
    return function(*places, bins, range, density, weights)[0]


def in_rows(function, weights, places, bins, range, density):
    bins = [bins] * len(places) if hasattr(bins, "ndim") else bins
    return function(places.T, bins, range, density, weights)[0]


@st.composite
def multiple(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    chosen = draw(shapes())
    rng = generator(draw)
    places = tuple(np.asarray(rng.integers(0, n, chosen)) for n in shape)
    return Case(("places",) * len(shape), places, {"dims": shape})


@st.composite
def unravelled(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    x = values(draw, draw(shapes()), domain=integers(0, int(np.prod(shape))))
    return Case(("x",), x, {"shape": shape})


@st.composite
def meshes(draw):
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    places = values(draw, *lengths, domain=integers(0, 4))
    return Case(("places",) * len(lengths), places, {})


def float64(*_):
    return np.dtype("f8")


X, MANY, WEIGHTS = {"x": ()}, {"choices": ()}, {"weights": ()}
SELECTING = [
    Row("take", takings(), X, linear=True, complex=True),
    Row("take_along_axis", takings_along(), X, linear=True, complex=True, never=("0-d",)),
    Row("compress", compressions(), X, linear=True, complex=True,
        call=lambda function, x, condition, axis: function(condition, x, axis)),
    Row("extract", extractions(), X, linear=True, complex=True,
        call=lambda function, x, condition: function(condition, x)),
    Row("select", selections(), MANY, linear=True, complex=True, call=selecting),
    Row("select", selections(1.5), MANY, linear=True, complex=True, call=selecting,
        variant="or 1.5"),
    Row("choose", choices(), MANY, linear=True, complex=True,
        call=lambda function, *choices, a, mode: function(a, list(choices), mode=mode)),
    Row("piecewise", pieces(), X, complex=True, call=in_pieces),
    Row("apply_along_axis", lines(), X, complex=True, call=by_line(lambda v: (v * v).sum()),
        never=("0-d", "empty")),
    Row("apply_along_axis", lines(), X, complex=True, call=by_line(tables), variant="to tables",
        never=("0-d", "empty")),
    Row("apply_over_axes", over(), X, linear=True, complex=True, call=each, never=("0-d",)),
    Row("bincount", countings(), {"weights": ()}, sums, linear=True, dtype=float64,
        variant="of weights", call=of_weights, never=("0-d",)),
    Row("bincount", numbers(), dtype=index, never=("0-d",)),
    Row("histogram", samples(), dtype=float64, call=one_range, never=("0-d",)),
    Row("histogram2d", samples(2), dtype=float64,
        call=of_pairs, never=("0-d",)),
    Row("histogramdd", samples(), dtype=float64, call=with_edges, never=("0-d",)),
    Row("histogram", weighed(), WEIGHTS, call=in_bins, linear=True, complex=True,
        never=("empty", "0-d"), variant="of weights"),
    Row("histogram", weighed(density=True), WEIGHTS, call=in_bins, never=("empty", "0-d"),
        variant="density of weights", dtype=float64),
    *(
        Row(name, weighed(count, density), WEIGHTS, call=call, linear=not density,
            never=("empty", "0-d"), dtype=float64,
            variant="density of weights" if density else "of weights")
        for name, count, call in (("histogram2d", 2, in_cells), ("histogramdd", 3, in_rows))
        for density in (False, True)
    ),
    Row("ravel_multi_index", multiple(), dtype=index,
        call=lambda function, *places, dims: function(tuple(places), dims)),
    Row("unravel_index", unravelled(), dtype=index,
        call=lambda function, x, shape: np.stack(function(x, shape))),
    Row("ix_", meshes(), dtype=index,
        call=lambda function, *places: np.concatenate([np.ravel(p) for p in function(*places)]),
        never=("0-d",)),
]  # fmt: skip
