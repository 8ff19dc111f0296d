"""Rows: SciPy's linear algebra and signals."""

import numpy as np
import scipy.linalg
from hypothesis import strategies as st

from autograd_core.scipy import linalg, signal  # noqa: F401 - declares what is tested here
from tests.table.cases import Case, generator, values
from tests.table.matrices import FEW, even, matrices
from tests.table.row import Row


@st.composite
def triangles(draw, trans):
    n = draw(st.integers(1, 3))
    stack = draw(st.sampled_from([(), (), (2,), (0,)]))
    behind = draw(st.sampled_from([(n,), (n, 2), (*stack, n, 1)]))
    rng = generator(draw)
    x = even(rng, (*stack, n, n))
    settings = {"lower": draw(st.booleans()), "unit_diagonal": draw(st.booleans())}
    if trans:
        settings["trans"] = draw(st.sampled_from([0, 1, 2, "N", "T", "C"]))
    return Case(("x", "y"), (x, rng.uniform(-2, 2, behind)), settings)


def plain_triangular(x, y, lower, unit_diagonal, trans=0):
    x = np.tril(x) if lower else np.triu(x)
    if unit_diagonal:
        x = np.where(np.eye(x.shape[-1], dtype=bool), 1, x).astype(x.dtype)
    if trans not in (0, "N"):
        x = x.swapaxes(-1, -2)
    return np.linalg.solve(x.conj() if trans in (2, "C") else x, y)


@st.composite
def bands(draw):
    n, lower, upper = draw(st.integers(1, 4)), draw(st.integers(0, 2)), draw(st.integers(0, 2))
    rng = generator(draw)
    rows = rng.uniform(-0.3, 0.3, (lower + upper + 1, n))
    rows[upper] += 2
    y = rng.uniform(-2, 2, draw(st.sampled_from([(n,), (n, 2)])))
    return Case(("bands", "y"), (rows, y), {"lower": lower, "upper": upper})


def plain_banded(bands, y, lower, upper):
    n = bands.shape[1]
    x = np.zeros((n, n), bands.dtype)
    for i, j in np.ndindex(n, n):
        if -lower <= j - i <= upper:
            x[i, j] = bands[upper + i - j, j]
    return np.linalg.solve(x, y)


@st.composite
def sylvesters(draw):
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    stack = draw(st.sampled_from([(), (2,), (0,)]))
    rng = generator(draw)
    arrays = even(rng, (m, m)), even(rng, (n, n)), rng.uniform(-2, 2, (*stack, m, n))
    return Case(("a", "b", "q"), arrays, {})


def plain_sylvester(a, b, q):
    m, n = q.shape[-2:]
    whole = np.kron(a, np.eye(n)) + np.kron(np.eye(m), b.T)
    flat = np.linalg.solve(whole, q.reshape(-1, m * n).T).T
    return flat.reshape(q.shape).astype(np.result_type(a, b, q))


@st.composite
def arrays(draw, *modes, fits=False):
    ndim = draw(st.integers(1, 3))
    sides = st.tuples(*[st.integers(1, 3)] * ndim)
    x, y = draw(sides), draw(sides)
    mode = draw(st.sampled_from(modes))
    if fits or mode == "valid":
        x = tuple(map(max, x, y))
    settings = {"ndim": ndim, "mode": mode} if fits else {"mode": mode}
    return Case(("x", "y"), values(draw, x, y), settings)


def plain_convolve(x, y, mode, ndim=None):
    sides = list(zip(x.shape, y.shape, strict=True))
    out = np.zeros([n + m - 1 for n, m in sides], np.result_type(x, y))
    for place in np.ndindex(y.shape):
        where = tuple(slice(k, k + n) for k, n in zip(place, x.shape, strict=True))
        out[where] += x * y[place]
    if mode == "full":
        return out
    if mode == "same":
        return out[tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in sides)]
    return out[tuple(slice(m - 1, n) for n, m in sides)]


def by_bands(function, bands, y, lower, upper):
    return function((lower, upper), bands, y)


BANDS = ("bands", "lower", "upper", "y_shape")
HOST = {"half": False, "host": True}

SCIPY = [
    Row("scipy.linalg._triangular", triangles(False),
        {"x": ("x", "lower", "unit_diagonal", "y_shape", "out"),
         "y": ("x", "lower", "unit_diagonal", "y_shape")}, plain_triangular, complex=True, **FEW),
    Row("scipy.linalg.solve_triangular", triangles(True), {"x": (), "y": ()}, plain_triangular,
        complex=True, **FEW),
    Row("scipy.linalg._banded", bands(), {"bands": (*BANDS, "out"), "y": BANDS}, plain_banded,
        complex=True, never=("0-d", "empty"), **HOST),
    Row("scipy.linalg.solve_banded", bands(), {"bands": (), "y": ()},
        lambda l_and_u, bands, y: plain_banded(bands, y, *l_and_u), complex=True, call=by_bands,
        never=("0-d", "empty"), **HOST),
    Row("scipy.linalg.solve_sylvester", sylvesters(),
        {"a": ("a", "b", "out"), "b": ("a", "b", "out"), "q": ("a", "b")}, plain_sylvester,
        complex=True, never=("0-d",), **HOST),
    Row("scipy.linalg.sqrtm", matrices(even, least=1, stacks=[()]), {"x": ("out",)},
        lambda x: scipy.linalg.sqrtm(x).astype(x.dtype), complex=True, never=("0-d", "empty"),
        **HOST),
    Row("scipy.signal._overlaps", arrays("full", "valid", fits=True),
        {"x": ("y", "ndim", "mode"), "y": ("x", "ndim", "mode")}, plain_convolve, complex=True,
        never=("0-d", "empty"), **HOST),
    Row("scipy.signal.convolve", arrays("full", "same", "valid"), {"x": (), "y": ()},
        plain_convolve, complex=True, never=("0-d", "empty"), **HOST),
]  # fmt: skip
