"""Rows: averages, quantiles, covariances, reductions that leave NaN out."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import axis_choices, distinct, reduced_size, shapes
from tests.table.cases import Case, generator, settled
from tests.table.row import Row, anything, apart, index, real
from tests.table.scans import line_axis, with_zeros

METHODS = ["linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull",
           "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf", "inverted_cdf",
           "averaged_inverted_cdf", "closest_observation"]  # fmt: skip
kept = {"keepdims": lambda shape: st.booleans()}


def gaps(domain):
    """`domain` with NaN in places, but something in every line."""

    def drawn(rng, shape):
        x = np.asarray(domain(rng, shape))
        inner = np.all(np.indices(shape), axis=0) if shape else False
        return np.where((rng.random(shape) < 0.6) & inner, np.nan, x)

    return drawn


def filled_axis(shape):
    """Axes over which there is something, even with gaps."""
    own = [axis for axis in axis_choices(shape) if axis != ()] if shape else [None]
    return st.sampled_from([axis for axis in own if reduced_size(shape, axis)])


def filled(domain, least_side=1, **settings):
    keepdims = {"keepdims": lambda shape: st.booleans()}
    return settled(domain, least_side=least_side, axis=filled_axis, **settings, **keepdims)


def filled_line(shape):
    own = [None, *range(-len(shape), len(shape))]
    return st.sampled_from([axis for axis in own if reduced_size(shape, axis)])


def fraction(shape):
    return st.sampled_from([0.0, 0.3, 0.5, 0.625, 1.0])


def fractions(shape):
    return st.sampled_from([[0.25, 0.6], [0.5, 0.1, 0.5], []])


def grid(shape):
    """Not for nanquantile: where the axis is the last, NumPy's returns the axes of q rotated."""
    return st.sampled_from([[[0.25], [0.6]], [[0.5, 0.1, 0.5]]])


def method(shape):
    return st.sampled_from(METHODS)


def percent(q):
    return lambda shape: q(shape).map(lambda drawn: (np.asarray(drawn) * 100).tolist())


def quantiles(name, domain):
    """Rows of a function and of its relative in percent."""
    for full, q in {f"{name}quantile": fraction, f"{name}percentile": percent(fraction)}.items():
        yield Row(full, filled(domain, q=q, method=method), {"x": ()}, flat=True,
                  never=("empty",))  # fmt: skip
    yield Row(f"{name}quantile", filled(domain, q=fractions), {"x": ()}, flat=True,
              variant="several", dtype=lambda dtype: np.result_type(dtype, float),
              never=("empty",))  # fmt: skip


@st.composite
def averages(draw):
    """Weights for every element, or for the axes that are averaged, in the order they are named."""
    shape = draw(shapes(least_side=1))
    choices = [a for a in axis_choices(shape) if a != ()] if shape else [None]
    axis = draw(st.sampled_from(choices))
    rng = generator(draw)
    chosen = shape
    if axis is not None and draw(st.booleans()):
        chosen = tuple(np.take(shape, axis if isinstance(axis, tuple) else [axis]))
    arrays = rng.uniform(-2, 2, shape), rng.uniform(0.5, 2, chosen)
    return Case(("x", "weights"), tuple(map(np.asarray, arrays)), {"axis": axis})


def averaged(number):
    def call(function, x, weights, axis):
        result = function(x, axis, weights, returned=number is not None)
        return result if number is None else result[number]

    return call


@st.composite
def observations(draw, names=("x",), flat=True):
    """A few variables, in rows or columns, each observed four to six times."""
    count, rowvar = draw(st.integers(4, 6)), draw(st.booleans())
    rng = generator(draw)
    arrays = []
    for name in names:
        if name == "aweights":
            arrays.append(rng.uniform(0.5, 2, count))
            continue
        x = distinct(1)(rng, (draw(st.integers(2, 3)), count))
        lines = x if rowvar else x.T
        arrays.append(draw(st.sampled_from([lines, x[0]])) if len(names) > 1 or flat else lines)
    return Case(names, tuple(arrays), {"rowvar": rowvar})


def wide(*dtypes):
    return np.result_type(*dtypes, float)


def ddofs(shape):
    return st.sampled_from([0, 0.5])


def weighted(function, x, aweights, rowvar):
    return function(x, rowvar=rowvar, aweights=aweights)


PRESENT = ("x", "axis", "keepdims")
STATISTICS = [
    Row("average", averages(), {"x": (), "weights": ()}, complex=True, call=averaged(None),
        never=("empty",)),
    Row("average", averages(), {"x": (), "weights": ()}, complex=True, call=averaged(0),
        variant="of two", never=("empty",)),
    Row("average", filled(anything), {"x": ()}, complex=True,
        linear=True, variant="without weights", never=("empty",)),
    Row("cov", observations(), {"x": ()}, complex=True, dtype=wide, never=("0-d", "empty")),
    Row("cov", observations(("x", "y")), {"x": (), "y": ()}, complex=True, dtype=wide,
        variant="of two", never=("0-d", "empty")),
    Row("cov", observations(), {"x": ()}, dtype=wide, variant="biased",
        call=lambda function, x, rowvar: function(x, rowvar=rowvar, bias=True),
        never=("0-d", "empty")),
    Row("cov", observations(("x", "aweights")), {"x": (), "aweights": ()}, dtype=wide,
        call=weighted, variant="weighted", never=("0-d", "empty")),
    Row("corrcoef", observations(flat=False), {"x": ()}, complex=True, dtype=wide,
        never=("0-d", "empty")),
    Row("corrcoef", observations(("x", "y")), {"x": (), "y": ()}, dtype=wide, variant="of two",
        never=("0-d", "empty")),
    *quantiles("", distinct()),
    *quantiles("nan", gaps(distinct())),
    Row("quantile", filled(distinct(), q=grid), {"x": ()}, flat=True, variant="a grid",
        dtype=lambda dtype: np.result_type(dtype, float), never=("empty",)),
    Row("median", filled(distinct()), {"x": ()}, flat=True,
        complex=True, never=("empty",)),
    Row("nanmedian", filled(gaps(distinct())), {"x": ()}, flat=True, never=("empty",)),
    Row("nansum", filled(gaps(anything)), {"x": ()}, linear=True,
        complex=True, never=("empty",)),
    Row("nanprod", filled(gaps(with_zeros)), {"x": ()}, complex=True, never=("empty",)),
    Row("nanmean", filled(gaps(anything)), {"x": PRESENT}, flat=True,
        complex=True, never=("empty",)),
    Row("nanvar", filled(gaps(anything), ddof=ddofs),
        {"x": ("x", "axis", "ddof", "keepdims")}, complex=True, dtype=real, never=("empty",)),
    Row("nanstd", filled(gaps(apart), least_ndim=1, least_side=2, ddof=ddofs),
        {"x": ("x", "out", "axis", "ddof", "keepdims")}, complex=True, dtype=real,
        never=("0-d", "empty")),
    *(
        Row(name, filled(gaps(distinct())),
            {"x": ("x", "out", "axis", "keepdims")}, flat=True, never=("empty",))
        for name in ("nanmax", "nanmin")
    ),
    *(
        Row(name, settled(gaps(distinct()), least_side=1, axis=filled_line, **kept), dtype=index,
            never=("empty",))
        for name in ("nanargmax", "nanargmin")
    ),
    Row("nancumsum", settled(gaps(anything), axis=line_axis), {"x": ()}, linear=True,
        complex=True),
    Row("nancumprod", settled(gaps(with_zeros), axis=line_axis), {"x": ()}, complex=True),
]  # fmt: skip
