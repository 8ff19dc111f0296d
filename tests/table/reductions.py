"""Rows: sums, moments, extremes, and what is built on them."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import (
    axis_choices,
    distinct,
    integers,
    one_axis,
    own_axis,
    shapes,
    some_axis,
)
from tests.table.cases import Case, generator, settled
from tests.table.row import Row, anything, apart, boolean, ddofs, extended, index, real, reduction

REDUCED = ("x_shape", "axis", "keepdims")


def plain_softmax(x, axis):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


@st.composite
def chosen(draw, domain):
    """x and which of its elements count, at least one in every line."""
    shape = draw(shapes(least_side=1))
    axis = draw(st.sampled_from([a for a in axis_choices(shape) if a != ()] if shape else [None]))
    rng = generator(draw)
    edge = ~np.all(np.indices(shape), axis=0) if shape else np.array(True)
    arrays = np.asarray(domain(rng, shape)), (rng.random(shape) < 0.5) | edge
    settings = {"axis": axis, "keepdims": draw(st.booleans())}
    return Case(("x", "where"), arrays, settings)


def where(**more):
    return lambda function, x, where, **settings: function(x, where=where, **settings, **more)


def first(*dtypes):
    return dtypes[0]


def first_real(*dtypes):
    return real(dtypes[0])


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
            call=lambda function, x, **settings: function(x, ddof=1, **settings),
            never=("0-d", "empty"))
        for name, keeps in {"var": {"x": ("x", "axis", "ddof", "keepdims")},
                            "std": {"x": ("x", "out", "axis", "ddof", "keepdims")}}.items()
    ),
    Row("max", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("min", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("logsumexp", reduction(anything, some_axis), {"x": ("x", "axis", "keepdims")},
        extended(lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))),
        extreme=True),
    Row("softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        extended(plain_softmax), extreme=True),
    Row("log_softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        extended(lambda x, axis: np.log(plain_softmax(x, axis))), extreme=True),
    *(
        Row(name, chosen(anything), {"x": ()}, complex=True, variant="chosen", parts=True,
            linear=name != "prod", call=where(), dtype=first, never=("empty",))
        for name in ("sum", "mean", "prod")
    ),
    *(
        Row(name, chosen(distinct()), {"x": ()}, flat=True, variant="chosen", parts=True,
            call=where(initial=initial), dtype=first, never=("empty",))
        for name, initial in {"max": -90.0, "min": 90.0}.items()
    ),
    *(
        Row(name, chosen(apart), {"x": ()}, complex=True, variant="chosen", parts=True,
            call=where(), dtype=first_real, never=("empty",))
        for name in ("var", "std")
    ),
    *(
        Row(name, reduction(anything, some_axis), {"x": ()}, complex=True, variant="from 2",
            linear=name == "sum", parts=True,
            call=lambda function, x, **settings: function(x, initial=2.0, **settings))
        for name in ("sum", "prod")
    ),
    *(
        Row(name, chosen(integers(0, 2)), variant="chosen", call=where(), dtype=boolean,
            never=("empty",))
        for name in ("all", "any")
    ),
    *(
        Row(name, reduction(apart, one_axis, least_ndim=1, least_side=2), {"x": ()}, dtype=real,
            variant="corrected", parts=True,
            call=lambda function, x, **settings: function(x, correction=1, **settings),
            never=("0-d", "empty"))
        for name in ("std", "var")
    ),
    Row("mean", reduction(anything, own_axis), {"x": REDUCED}, linear=True, variant="in f8",
        call=lambda function, x, **settings: function(x, dtype="f8", **settings),
        dtype=lambda *_: np.dtype("f8")),
    Row("argmax", reduction(distinct(), one_axis, least_side=1), dtype=index, never=("empty",)),
    Row("argmin", reduction(distinct(), one_axis, least_side=1), dtype=index, never=("empty",)),
    Row("all", reduction(integers(0, 2)), dtype=boolean),
    Row("any", reduction(integers(0, 2)), dtype=boolean),
]  # fmt: skip
