"""Rows: NumPy's functions that write into their first operand, here into a copy of it."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core.testing.strategies import shapes
from tests.table.cases import Case, generator, values
from tests.table.row import Row


def size_of(shape):
    return int(np.prod(shape))


@st.composite
def puts(draw):
    """At places that differ; too few values are used again."""
    shape = draw(shapes())
    size = size_of(shape)
    mode = draw(st.sampled_from(["raise", "wrap", "clip"]))
    low, high = {"raise": (-size, size), "wrap": (-2 * size, 3 * size), "clip": (0, size)}[mode]
    rng = generator(draw)
    ind = rng.permutation(size)[: draw(st.integers(0, size))]
    ind = ind + size * rng.integers(low // size, high // size, ind.size) if size else ind
    other = draw(st.sampled_from([(), (1,), (2,), (1, 3), shape if size else ()]))
    return Case(("x", "v"), values(draw, shape, other), {"ind": ind, "mode": mode})


@st.composite
def maskings(draw, name="values"):
    shape = draw(shapes())
    settings = {"mask": draw(hnp.arrays(bool, shape))}
    other = draw(st.sampled_from([shape, (), (2,)]))
    if size_of(other) == 0:
        other = ()
    return Case(("x", name), values(draw, shape, other), settings)


@st.composite
def copies(draw):
    shape = draw(shapes())
    kept = shape[draw(st.integers(0, len(shape))) :]
    source = tuple(draw(st.sampled_from([n, 1])) for n in kept)
    where = draw(st.one_of(st.just(True), hnp.arrays(bool, shape)))
    return Case(("x", "src"), values(draw, shape, source), {"where": where})


@st.composite
def diagonals(draw):
    n = draw(st.integers(0, 3))
    shape = draw(st.sampled_from([(n, n), (n, n, n), (2, 3), (7, 2), (n, 1)]))
    other = draw(st.sampled_from([(), (2,), (1, 3)]))
    return Case(("x", "val"), values(draw, shape, other), {"wrap": draw(st.booleans())})


@st.composite
def puts_along(draw):
    shape = draw(shapes(least_ndim=1))
    axis = draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
    rng = generator(draw)
    if axis is None:
        size = size_of(shape)
        indices = rng.permutation(size)[: draw(st.integers(0, size))]
    else:
        ranks = np.argsort(rng.random(shape), axis)  # no place twice
        indices = ranks.take(range(draw(st.integers(0, shape[axis]))), axis)
    other = draw(st.sampled_from([indices.shape if indices.size else (), ()]))
    settings = {"indices": indices, "axis": axis}
    return Case(("x", "values"), values(draw, shape, other), settings)


def into_a_copy(call):
    def run(function, x, *values, **settings):
        x = x.copy()
        assert call(function, x, *values, **settings) is None
        return x

    return run


def row(name, cases, value, call):
    return Row(name, cases, {"x": (), value: ()}, linear=True, call=into_a_copy(call))


WRITING = [
    row("put", puts(), "v", lambda f, x, v, ind, mode: f(x, ind, v, mode)),
    row("putmask", maskings(), "values", lambda f, x, values, mask: f(x, mask, values)),
    row("place", maskings("vals"), "vals", lambda f, x, vals, mask: f(x, mask, vals)),
    row("copyto", copies(), "src", lambda f, x, src, where: f(x, src, where=where)),
    row("fill_diagonal", diagonals(), "val", lambda f, x, val, wrap: f(x, val, wrap)),
    row("put_along_axis", puts_along(), "values",
        lambda f, x, values, indices, axis: f(x, indices, values, axis)),
]  # fmt: skip
