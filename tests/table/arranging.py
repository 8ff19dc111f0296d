"""Rows: elements in another order, repeated, on a diagonal, in borders."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import distinct
from tests.table.cases import settled
from tests.table.row import Row, anything, nonzero
from tests.table.shaping import single

MOVED = {"x": ()}


def some(shape):
    """None, one axis, or several."""
    several = [(), tuple(range(len(shape)))]
    return st.sampled_from([None, *range(-len(shape), len(shape)), *several])


def offsets(shape):
    return st.integers(-3, 3)


def moves(shape):
    return st.sampled_from([-4, -1, 0, 1, 5])


def times(shape):
    lengths = st.integers(0, 3)
    return st.one_of(lengths, st.lists(lengths, min_size=1, max_size=3).map(tuple))


def counts(shape):
    """For every element of the flat x a number of its own."""
    size = int(np.prod(shape))
    return st.lists(st.integers(0, 2), min_size=size, max_size=size)


def new_shapes(shape):
    return st.sampled_from([(), 4, (2, 3), (0, 2), (5,)])


def widths(shape):
    pair = st.tuples(st.integers(0, 4), st.integers(0, 4))
    pairs = st.lists(pair, min_size=len(shape), max_size=len(shape))
    dictionary = st.just({-1: (1, 2)}) if shape else st.just({})
    return st.one_of(st.integers(0, 2), pair, pairs, dictionary) if shape else st.integers(0, 1)


def padded(mode, domain=anything, least_side=1, **settings):
    return settled(domain, least_side=least_side, pad_width=widths,
                   mode=lambda shape: st.just(mode), **settings)  # fmt: skip


def of(*values):
    return lambda shape: st.sampled_from(values)


def linear(name, cases, variant="", **more):
    return Row(name, cases, more.pop("keeps", MOVED), linear=True, complex=True, variant=variant,
               **more)  # fmt: skip


def from_end(shape):
    return st.integers(-len(shape), -1)


@st.composite
def embeddings(draw):
    """Lines, and a matrix with a diagonal of their length."""
    case = draw(settled(anything, least_ndim=1))
    offset, wider = draw(st.integers(-2, 2)), draw(st.integers(0, 1))
    length = case.arrays[0].shape[-1]
    rows = length + max(-offset, 0)
    columns = length + max(offset, 0) + (wider if rows == length else 0)
    return replace(case, settings={"offset": offset, "rows": rows, "columns": columns})


def plain_embedding(x, offset, rows, columns):
    out = np.zeros((*x.shape[:-1], rows, columns), x.dtype)
    for place in range(x.shape[-1]):
        out[..., place + max(-offset, 0), place + max(offset, 0)] = x[..., place]
    return out


DIAGONAL = {"x": ("x_shape", "offset", "axis1", "axis2")}
plane = {"axis1": of(0), "axis2": of(1, -1), "offset": offsets}


def plain_diagonal(x, offset=0, axis1=0, axis2=1):
    """An array whose diagonal is x, written with a loop."""
    side = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], side, side), x.dtype)
    for i in range(x.shape[-1]):
        out[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(out, (-2, -1), (axis1, axis2))


ARRANGING = [
    linear("flip", settled(anything, axis=some), keeps={"x": ("axis", "out_shape")}),
    linear("fliplr", settled(anything, least_ndim=2), never=("0-d",)),
    linear("flipud", settled(anything, least_ndim=1), never=("0-d",)),
    linear("roll", settled(anything, shift=moves), "of all",
           keeps={"x": ("shift", "axis", "out_shape")}),
    linear("roll", settled(anything, least_ndim=1, shift=moves, axis=single),
           keeps={"x": ("shift", "axis", "out_shape")}, never=("0-d",)),
    linear("roll", settled(anything, least_ndim=2, shift=of((1, -2)), axis=of((-1, 0))), "twice",
           keeps={"x": ("shift", "axis", "out_shape")}, never=("0-d",)),
    linear("rot90", settled(anything, least_ndim=2, k=lambda shape: st.integers(-5, 5),
                            axes=of((0, 1), (-1, 0))), never=("0-d",)),
    linear("rollaxis", settled(anything, least_ndim=1, axis=single, start=of(-1, 0, 1)),
           never=("0-d",)),
    linear("matrix_transpose", settled(anything, least_ndim=2), never=("0-d",)),
    linear("tile", settled(anything, repetitions=times),
           call=lambda function, x, repetitions: function(x, repetitions)),
    linear("repeat", settled(anything, repeats=lambda shape: st.integers(0, 3)), "of all"),
    linear("repeat", settled(anything, least_ndim=1, repeats=lambda shape: st.integers(0, 3),
                             axis=single), never=("0-d",)),
    linear("repeat", settled(anything, repeats=counts), "one by one"),
    linear("resize", settled(anything, new_shape=new_shapes)),
    linear("diagonal", settled(anything, least_ndim=2, **plane), keeps=DIAGONAL, never=("0-d",)),
    linear("diagonal", settled(anything, least_ndim=3, axis1=of(2, -1), axis2=of(0, 1)), "turned",
           keeps=DIAGONAL, never=("0-d",)),
    linear("trace", settled(anything, least_ndim=2, **plane), keeps=DIAGONAL, never=("0-d",)),
    linear("_embedded", embeddings(), keeps={"x": ("offset",)}, never=("0-d",),
           reference=plain_embedding),
    linear("_repeated", settled(anything, least_ndim=1, repeats=lambda shape: st.integers(0, 3),
                               axis=from_end), keeps={"x": ("x_shape", "repeats", "axis")},
           never=("0-d",), reference=np.repeat),
    linear("diag", settled(anything, least_ndim=1, k=offsets)
           .filter(lambda case: case.arrays[0].ndim < 3), never=("0-d",)),
    linear("diagflat", settled(anything, k=offsets)),
    linear("make_diagonal", settled(anything, least_ndim=1, offset=offsets), never=("0-d",),
           reference=plain_diagonal),
    linear("make_diagonal", settled(anything, least_ndim=2, axis1=of(-1), axis2=of(0, -2)),
           "turned", never=("0-d",), reference=plain_diagonal),
    linear("tril", settled(anything, least_ndim=2, k=offsets), keeps={"x": ("k",)}, never=("0-d",)),
    linear("triu", settled(anything, least_ndim=2, k=offsets), keeps={"x": ("k",)}, never=("0-d",)),
    Row("vander", settled(nonzero, least_ndim=1, N=of(None, 0, 1, 3), increasing=of(False, True))
        .filter(lambda case: case.arrays[0].ndim == 1), MOVED, complex=True, never=("0-d",)),
    *(linear(f"atleast_{n}d", settled(anything)) for n in (1, 2, 3)),
    linear("ediff1d", settled(anything)),
    linear("ediff1d", settled(anything, to_begin=of(1.0), to_end=of([2.0, 3.0])), "with ends"),
    linear("trim_zeros", settled(nonzero, least_ndim=1), never=("0-d",)),
    linear("pad", padded("constant", least_side=0, constant_values=of(0, 1.5))),
    *(linear("pad", padded(mode), mode, never=("empty",))
      for mode in ("edge", "reflect", "symmetric", "wrap")),
    *(linear("pad", padded(mode, reflect_type=of("odd")), f"{mode}, odd", never=("empty",))
      for mode in ("reflect", "symmetric")),
    linear("pad", padded("linear_ramp", end_values=of(0, 1.5)), "linear_ramp", never=("empty",)),
    linear("pad", padded("mean", stat_length=of(None, 1, 2)), "mean", never=("empty",)),
    *(Row("pad", padded(mode, domain=distinct(3), stat_length=of(None, 1, 2)), MOVED, flat=True,
          variant=mode, never=("empty",)) for mode in ("maximum", "median", "minimum")),
]  # fmt: skip
