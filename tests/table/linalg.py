"""Rows: norms."""

from itertools import permutations

import numpy as np
from hypothesis import strategies as st

from tests.table.cases import settled
from tests.table.row import Row, anything, nonzero, real, reduction

LENGTH = {"x": ("x", "out", "axis", "keepdims")}
kept = {"keepdims": lambda shape: st.booleans()}


def one(shape):
    """One axis: as a number, or in a tuple."""
    axes = st.sampled_from(range(-len(shape), len(shape)))
    return axes | axes.map(lambda axis: (axis,))


def one_or_all(shape):
    return st.none() | one(shape) if shape else st.none()


def two(shape):
    axes = range(-len(shape), len(shape))
    pairs = [(a, b) for a, b in permutations(axes, 2) if (a - b) % len(shape)]
    return st.sampled_from(pairs)


def of(ord):
    return lambda function, x, **settings: function(x, ord=ord, **settings)


def plain_power(x, axis, keepdims, **order):
    (p,) = order.values()
    return np.sum(abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p)


def orders(shape):
    return st.sampled_from([3.0, 2.5, 0.5, -1.0, -2.5])


def ranked(rng, shape):
    """Neither close to 0 nor to each other in size, nor are sums of sizes along an axis."""
    sizes = (np.arange(np.prod(shape)).reshape(shape) + 4) / 4
    return (sizes + 0.02 * rng.random(shape)) * rng.choice([-1, 1], shape)


def wide(rng, shape):
    """As `ranked`, and so for complex numbers too."""
    return 4 * ranked(rng, shape)


def line_axis(shape):
    """Axes of the array's own, or all."""
    axes = range(-len(shape), len(shape))
    return st.sampled_from([None, *axes, *([(0, -1)] if len(shape) > 1 else [])])


LINALG = [
    Row("linalg._euclidean_norm", reduction(nonzero), LENGTH,
        lambda x, axis, keepdims: np.sqrt(np.sum(abs(x) ** 2, axis=axis, keepdims=keepdims)),
        complex=True, dtype=real),
    Row("linalg._power_norm", settled(nonzero, least_side=1, axis=line_axis, ord=orders, **kept),
        {"x": ("x", "out", "ord", "axis", "keepdims")},
        plain_power, complex=True, dtype=real, never=("empty",)),
    Row("linalg.norm", settled(ranked, least_side=1, axis=one_or_all, **kept), {"x": ()},
        complex=True, dtype=real, never=("empty",)),
    *(
        Row("linalg.norm", settled(wide, least_ndim=1, least_side=1, axis=one, **kept), {"x": ()},
            complex=True, dtype=real, call=of(ord), variant=f"{ord} of vectors",
            never=("0-d", "empty"))
        for ord in (1, 2, 3, np.inf, -np.inf)
    ),
    *(
        Row("linalg.norm", settled(ranked, least_ndim=2, least_side=1, axis=two, **kept), {"x": ()},
            flat=ord != "fro", dtype=real, call=of(ord), variant=f"{ord} of matrices",
            never=("0-d", "empty"))
        for ord in ("fro", 1, -1, np.inf, -np.inf)
    ),
    Row("linalg.norm", settled(anything, least_ndim=1, axis=one, **kept), dtype=real, call=of(0),
        variant="0 of vectors", never=("0-d",)),
    Row("linalg.vector_norm", settled(nonzero, least_side=1, axis=line_axis, **kept), {"x": ()},
        complex=True, dtype=real, never=("empty",)),
    Row("linalg.matrix_norm", settled(nonzero, least_ndim=2, least_side=1, **kept), {"x": ()},
        complex=True, dtype=real, never=("0-d", "empty")),
]  # fmt: skip
