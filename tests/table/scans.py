"""Rows: products, and what runs along an axis."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import between, distinct, integers, shapes, some_axis
from tests.table.cases import Case, settled, values
from tests.table.row import Row, anything, boolean, reduction

RUN = ("x_shape", "axis")
MULTIPLIED = ("x", "out", "axis")


def with_zeros(rng, shape):
    """One element in three is 0, where a product is as smooth as anywhere."""
    return rng.uniform(-2, 2, shape) * (rng.random(shape) < 2 / 3)


def far(rng, shape):
    """Never 0."""
    return rng.choice([-1, 1], shape) * rng.uniform(0.5, 1.5, shape)


def line_axis(shape):
    """An axis of the array's own, or None."""
    return st.sampled_from([None, *range(-len(shape), len(shape))])


def own(shape):
    return st.sampled_from(range(-len(shape), len(shape)))


def flag(shape):
    return st.booleans()


def plain_others(x, axis):
    """One product at a time."""
    out = np.empty_like(x)
    for place in np.ndindex(x.shape):
        others = x.copy()
        others[place] = 1
        full = np.prod(others, axis=axis, keepdims=True)
        out[place] = np.broadcast_to(full, x.shape)[place]
    return out


def plain_recurrence(x, y):
    x, y = np.broadcast_arrays(x, y)
    out = np.array(x, np.result_type(x, y))
    for i in range(1, x.shape[-1]):
        out[..., i] += y[..., i - 1] * out[..., i - 1]
    return out


@st.composite
def recurrences(draw):
    """Of up to nine steps, one of the operands perhaps without the axes in front."""
    steps = draw(st.integers(0, 9))
    front = draw(st.sampled_from([(), (2,), (3, 2), (0,)]))
    cut = draw(st.sampled_from([0, len(front)]))
    drawn = (*front, steps), (*front[cut:], steps)
    return Case(("x", "y"), values(draw, *drawn, domain=between(-1, 1)), {})


@st.composite
def differences(draw, ends):
    """x, with what is put before and behind it: numbers, or arrays along the axis."""
    shape = list(draw(shapes(least_ndim=1)))
    axis = draw(st.sampled_from(range(-len(shape), len(shape))))
    drawn = [tuple(shape)]
    for _ in ends:
        shape[axis] = draw(st.integers(0, 2))
        drawn.append(draw(st.sampled_from([(), tuple(shape)])))
    settings = {"n": draw(st.integers(1, 3)), "axis": axis}
    return Case(("x", *ends), values(draw, *drawn), settings)


def along(names):
    """The call of diff with operands that are given by keyword."""
    return lambda function, x, *ends, **settings: function(
        x, **settings, **dict(zip(names, ends, strict=True))
    )


SCANS = [
    Row("prod", reduction(with_zeros), {"x": (*MULTIPLIED, "keepdims")}, complex=True),
    Row("prod", reduction(far), {"x": (*MULTIPLIED, "keepdims")}, complex=True,
        variant="without zeros"),
    Row("prod", reduction(far), {"x": (*MULTIPLIED, "keepdims")}, variant="in f8",
        call=lambda function, x, **settings: function(x, dtype="f8", **settings),
        dtype=lambda *_: np.dtype("f8")),
    Row("_prod_of_others", settled(with_zeros, axis=some_axis), {"x": ("x", "axis")}, plain_others,
        complex=True),
    Row("linear_recurrence", recurrences(), {"x": ("y",), "y": ("y", "out")}, plain_recurrence,
        complex=True, never=("0-d",)),
    Row("cumsum", settled(anything, axis=line_axis), {"x": RUN}, linear=True, complex=True),
    Row("cumprod", settled(with_zeros, axis=line_axis), {"x": MULTIPLIED}, complex=True),
    *(
        Row(name, settled(domain, least_ndim=1, axis=own, include_initial=flag), {"x": ()},
            linear=name == "cumulative_sum", complex=True, never=("0-d",))
        for name, domain in {"cumulative_sum": anything, "cumulative_prod": with_zeros}.items()
    ),
    Row("_differences", settled(anything, least_ndim=1, axis=own, n=lambda _: st.integers(0, 4)),
        {"x": ("n", "axis", "x_shape", "out_shape")}, lambda x, n, axis: np.diff(x, n, axis),
        linear=True, complex=True, never=("0-d",)),
    Row("diff", settled(anything, least_ndim=1, axis=own, n=lambda _: st.integers(0, 4)),
        {"x": ()}, linear=True, complex=True, never=("0-d",)),
    Row("diff", differences(("prepend", "append")), {"x": (), "prepend": (), "append": ()},
        linear=True, complex=True, variant="with ends", call=along(("prepend", "append"))),
    Row("diff", differences(("append",)), {"x": (), "append": ()}, linear=True, complex=True,
        variant="with an end", call=along(("append",))),
    Row("diff", settled(integers(0, 2), least_ndim=1, axis=own), variant="of truths",
        call=lambda function, x, axis: function(x > 0, 1, axis), dtype=boolean, never=("0-d",)),
    Row("ptp", reduction(distinct(), some_axis), {"x": ()}, flat=True),
]  # fmt: skip
