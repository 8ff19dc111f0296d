"""Rows: Fourier transforms."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import shapes
from tests.table.cases import Case, settled, values
from tests.table.row import Row, anything

NORMS = st.sampled_from([None, "backward", "ortho", "forward"])


@st.composite
def lines(draw, least=1):
    """An axis, cut or filled up: odd and even lengths."""
    shape = list(draw(shapes(least_ndim=1, least_side=0)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    shape[axis] = draw(st.integers(least, 5))
    n = draw(st.none() | st.integers(1, 6))
    return Case(("x",), values(draw, shape), {"n": n, "axis": axis, "norm": draw(NORMS)})


@st.composite
def planes(draw, two=False, least=1):
    """Several axes, each perhaps cut or filled up."""
    shape = draw(shapes(least_ndim=2, least_side=least))
    count = 2 if two else draw(st.integers(1, len(shape)))
    axes = draw(st.permutations(range(len(shape))))[:count]
    axes = tuple(axis - draw(st.sampled_from([0, len(shape)])) for axis in axes)
    if not draw(st.booleans()):
        axes = (-2, -1) if two else None
    lengths = st.tuples(*[st.integers(max(least, 1), 5)] * count)
    s = None if axes is None else draw(st.none() | lengths)  # NumPy is about to refuse the other
    return Case(("x",), values(draw, shape), {"s": s, "axes": axes, "norm": draw(NORMS)})


@st.composite
def halves(draw):
    n = draw(st.integers(1, 6))
    front = draw(st.sampled_from([(), (2,), (0,)]))
    behind = draw(st.sampled_from([(), (2,)]))
    settings = {"factor": 0.5, "n": n, "axis": -1 - len(behind)}
    return Case(("x",), values(draw, (*front, n // 2 + 1, *behind)), settings)


def plain_folded(x, factor, n, axis):
    k = np.arange(x.shape[axis])
    weights = np.where((k == 0) | (2 * k == n), 1, factor)
    shape = [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)]
    return (x.conj() * weights.reshape(shape)).astype(x.dtype)


def spectral(dtype):
    return np.result_type(dtype, "c8")


def signal(dtype):
    return np.finfo(np.result_type(dtype, "f4")).dtype


def some_axes(shape):
    ndim = len(shape)
    return st.sampled_from([None, *range(-ndim, ndim), *([(0, -1)] if ndim > 1 else [])])


KEPT = ("x_shape", "axis", "norm")
EVERY = {"linear": True, "half": False}

FFT = [
    *(
        Row(f"fft.{name}", lines(), {"x": KEPT}, complex=True, dtype=spectral, never=("0-d",),
            **EVERY)
        for name in ("fft", "ifft")
    ),
    Row("fft.rfft", lines(), {"x": ("x_shape", "n", "axis", "norm")}, dtype=spectral,
        never=("0-d",), **EVERY),
    Row("fft.irfft", lines(2), {"x": ("x_shape", "out_shape", "axis", "norm")}, complex=True,
        dtype=signal, never=("0-d",), **EVERY),
    Row("fft.hfft", lines(2), {"x": ()}, complex=True, dtype=signal, never=("0-d",), **EVERY),
    Row("fft.ihfft", lines(), {"x": ()}, dtype=spectral, never=("0-d",), **EVERY),
    *(
        Row(f"fft.{name}{count}", planes(count == "2", 2 if name == "irfft" else 1), {"x": ()},
            complex=name != "rfft", dtype=signal if name == "irfft" else spectral,
            never=("0-d", "empty"), **EVERY)
        for name in ("fft", "ifft", "rfft", "irfft")
        for count in ("2", "n")
    ),
    Row("fft._folded", halves(), {"x": ("factor", "n", "axis")}, plain_folded, linear=True,
        complex=True, never=("0-d",)),
    *(
        Row(f"fft.{name}", settled(anything, least_ndim=1, axes=some_axes), {"x": ()}, linear=True,
            complex=True, never=("0-d",))
        for name in ("fftshift", "ifftshift")
    ),
]  # fmt: skip
