"""Rows: sampled signals, and polynomials."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import distinct, shapes
from tests.table.cases import Case, generator, settled, values
from tests.table.row import Row, anything, index


@st.composite
def signals(draw, *modes, names=("x", "y"), longer=False):
    """Two vectors; if `longer`, the first is not shorter."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    if longer and n < m:
        n, m = m, n
    settings = {"mode": draw(st.sampled_from(modes))} if modes else {}
    return Case(names, values(draw, n, m), settings)


@st.composite
def row_signals(draw):
    """Stacks of vectors that broadcast."""
    x, y = draw(st.sampled_from([((), ()), ((2,), ()), ((), (2,)), ((3, 1), (2,)), ((0,), ())]))
    n = draw(st.integers(2, 5))
    m = draw(st.integers(1, n))
    mode = draw(st.sampled_from(["full", "valid"]))
    return Case(("x", "y"), values(draw, (*x, n), (*y, m)), {"mode": mode})


def plain_rows(x, y, mode):
    """Each pair of vectors, from the definition."""
    stack = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    n, m = x.shape[-1], y.shape[-1]
    out = np.zeros((*stack, n + m - 1), np.result_type(x, y))
    for k in range(m):
        out[..., k : k + n] += x * y[..., k : k + 1]
    return out if mode == "full" else out[..., m - 1 : n]


def own(shape):
    return st.sampled_from(range(-len(shape), len(shape)))


def some_axes(shape):
    ndim = len(shape)
    return st.sampled_from([None, *range(-ndim, ndim), tuple(range(ndim))])


def edges(shape):
    return st.sampled_from([1, 2] if min(shape, default=0) > 2 else [1])


def from_end(shape):
    return st.sampled_from(range(-len(shape), 0))


def plain_slopes(x, axis, edge_order):
    return np.gradient(x, axis=axis, edge_order=edge_order)


def plain_slopes_back(x, axis, edge_order):
    matrix = np.gradient(np.eye(x.shape[axis]), axis=0, edge_order=edge_order)
    return np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.astype(x.dtype), -1, axis)


@st.composite
def gradients(draw):
    """Samples at coordinates that are operands too."""
    n, front, behind = draw(st.integers(3, 5)), draw(st.integers(0, 2)), draw(st.integers(1, 2))
    shape = (2,) * front + (n,) + (2,) * (behind - 1)
    rng = generator(draw)
    x = np.cumsum(rng.uniform(0.5, 1.5, n))
    settings = {"axis": front, "edge_order": draw(st.sampled_from([1, 2]))}
    return Case(("f", "spacing"), (rng.uniform(-2, 2, shape), x), settings)


def joined(function, f, *spacing, **settings):
    """One array of the several derivatives."""
    found = function(f, *spacing, **settings)
    return np.stack(found) if isinstance(found, tuple) else found


@st.composite
def integrals(draw, whole=True):
    shape = draw(shapes(least_ndim=1, least_side=1))
    axis = draw(own(shape))
    along = draw(st.sampled_from([(shape[axis],), shape]))
    initial = {} if whole else {"initial": draw(st.sampled_from([None, 0]))}
    return Case(("y", "x"), values(draw, shape, along), {"axis": axis} | initial)


@st.composite
def plain_integrals(draw):
    shape = draw(shapes(least_ndim=1))
    settings = {"axis": draw(own(shape)), "dx": draw(st.sampled_from([1.0, 0.5]))}
    return Case(("y",), values(draw, shape), settings)


def plain_cumulative(y, x=None, axis=-1, initial=None):
    width = 1.0 if x is None else np.diff(x, axis=axis if x.ndim > 1 else -1)
    y = np.moveaxis(y, axis, -1)
    if np.ndim(width) > 1:
        width = np.moveaxis(width, axis, -1)
    out = np.cumsum(width * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    if initial is not None:
        out = np.concatenate([0 * y[..., :1], out], -1)
    return np.moveaxis(out, -1, axis)


@st.composite
def polygons(draw, outside=True):
    """Points at 0, 1, 2 …, and between and beside them, none of them close to a point."""
    n = draw(st.integers(1, 4))
    shape = draw(shapes())
    rng = generator(draw)
    xp = np.arange(n) + rng.uniform(-0.1, 0.1, n)
    x = rng.integers(-outside, max(n - 1, 1) + outside, shape) + rng.uniform(0.3, 0.7, shape)
    arrays = [np.asarray(x), xp, rng.uniform(-2, 2, n)]
    if not outside:
        return Case(("x", "xp", "fp"), tuple(arrays), {"period": 1.0 * n})
    ends = [np.asarray(rng.uniform(-2, 2)) for _ in range(2)]
    return Case(("x", "xp", "fp", "left", "right"), (*arrays, *ends), {})


def plain_interp(x, xp, fp, left=None, right=None, period=None):
    kind = np.result_type(x, xp, fp)
    return np.interp(x, xp, fp, left, right, period).astype(kind)


@st.composite
def evaluations(draw):
    return Case(("p", "x"), values(draw, draw(st.integers(1, 4)), draw(shapes())), {})


@st.composite
def coefficients(draw):
    return Case(("p",), values(draw, draw(st.integers(1, 4))), {"m": draw(st.integers(0, 3))})


@st.composite
def constants(draw):
    m = draw(st.integers(1, 3))
    n, count = draw(st.integers(1, 4)), draw(st.sampled_from([1, m]))
    return Case(("p", "k"), values(draw, n, count), {"m": m})


@st.composite
def fits(draw, weighted):
    deg = draw(st.integers(0, 2 - weighted))
    m = draw(st.integers(deg + 1, 5))
    rng = generator(draw)
    x = np.arange(m) / 2 + rng.uniform(-0.1, 0.1, m)
    y = rng.uniform(-2, 2, draw(st.sampled_from([(m,), (m, 2)])))
    w = (rng.uniform(0.5, 2, m),) * weighted
    return Case(("x", "y", "w")[: 2 + weighted], (x, y, *w), {"deg": deg})


def fitted(function, x, y, *w, deg):
    return function(x, y, deg, **({"w": w[0]} if w else {}))


def reference_leaders(x, axis):
    def of(line):
        best, out = 0, []
        for i, value in enumerate(line):
            best = i if value > line[best] else best
            out.append(best)
        return np.array(out, np.intp)

    return np.apply_along_axis(of, axis, x) if x.size else np.zeros(x.shape, np.intp)


def running(ufunc):
    return lambda x, axis: ufunc.accumulate(x, axis)


def steps(rng, shape):
    """Steps of more than half a period among them, none close to it."""
    return np.asarray(rng.integers(-6, 7, shape) * 2.0 + rng.uniform(0, 0.5, shape))


BOTH = {"x": (), "y": ()}
MODES = ("full", "same", "valid")

SIGNALS = [
    Row("_convolve_rows", row_signals(), {"x": ("y", "mode"), "y": ("x", "mode")}, plain_rows,
        complex=True, never=("0-d",)),
    Row("convolve", signals(*MODES), BOTH, complex=True, never=("0-d", "empty")),
    Row("correlate", signals(*MODES), BOTH, complex=True, never=("0-d", "empty")),
    Row("_leaders", settled(distinct(), least_ndim=1, axis=own), {}, reference_leaders,
        dtype=index, never=("0-d",)),
    *(
        Row(name, settled(distinct(), least_ndim=1, axis=own), {"x": ()}, running(ufunc),
            flat=True, never=("0-d",))
        for name, ufunc in {"cummax": np.maximum, "cummin": np.minimum}.items()
    ),
    Row("interp", polygons(), dict.fromkeys(("x", "xp", "fp", "left", "right"), ()),
        plain_interp, half=False),
    Row("interp", polygons(False), {"x": (), "xp": (), "fp": ()}, plain_interp, half=False,
        variant="periodic"),
    Row("_slopes", settled(anything, least_ndim=1, least_side=2, axis=own, edge_order=edges),
        {"x": ("axis", "edge_order", "out_shape")}, plain_slopes, linear=True, complex=True,
        never=("0-d", "empty")),
    Row("_slopes_back", settled(anything, least_ndim=1, least_side=2, axis=from_end,
                               edge_order=edges),
        {"x": ("axis", "edge_order")}, plain_slopes_back, linear=True, complex=True,
        never=("0-d", "empty")),
    Row("gradient", settled(anything, least_ndim=1, least_side=2, axis=some_axes,
                            edge_order=edges), {"x": ()},
        call=joined, linear=True, complex=True, never=("0-d", "empty")),
    Row("gradient", gradients(), {"f": (), "spacing": ()}, variant="at coordinates", call=joined,
        half=False, never=("0-d", "empty")),
    Row("trapezoid", plain_integrals(), {"y": ()}, linear=True, complex=True, never=("0-d",)),
    Row("trapezoid", integrals(), {"y": (), "x": ()}, variant="at coordinates",
        never=("0-d", "empty")),
    Row("cumulative_trapezoid", integrals(False), {"y": (), "x": ()}, plain_cumulative,
        never=("0-d", "empty")),
    Row("unwrap", settled(steps, least_ndim=1, axis=own), {"x": ()}, flat=True, never=("0-d",),
        half=False),
    Row("polyval", evaluations(), {"p": (), "x": ()}, complex=True, half=False),
    Row("polyadd", signals(names=("p", "q")), {"p": (), "q": ()}, linear=True, complex=True,
        never=("0-d", "empty")),
    Row("polysub", signals(names=("p", "q")), {"p": (), "q": ()}, linear=True, complex=True,
        never=("0-d", "empty")),
    Row("polymul", signals(names=("p", "q")), {"p": (), "q": ()}, complex=True,
        never=("0-d", "empty")),
    Row("polyder", coefficients(), {"p": ()}, linear=True, complex=True, half=False,
        never=("0-d", "empty")),
    Row("polyint", coefficients(), {"p": ()}, linear=True, complex=True, half=False,
        never=("0-d", "empty")),
    Row("polyint", constants(), {"p": (), "k": ()}, linear=True, half=False,
        variant="with constants", call=lambda function, p, k, m: function(p, m, k),
        never=("0-d", "empty")),
    Row("polyfit", fits(False), BOTH, call=fitted, half=False, never=("0-d", "empty")),
    Row("polyfit", fits(True), BOTH | {"w": ()}, call=fitted, half=False, variant="weighted",
        never=("0-d", "empty")),
]  # fmt: skip
