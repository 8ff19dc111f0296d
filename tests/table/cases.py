"""Hypothesis strategies for calls of operations: shapes, settings, and operands in a domain.

Shapes and settings are drawn, and shrink; values come from a generator whose seed is drawn, each
domain keeping them away from the points where its function is not smooth.
"""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core.testing.strategies import (
    SEEDS,
    broadcastable,
    indices,
    shapes,
)


@dataclass(frozen=True)
class Case:
    """One call: its operands by name, in order (the name of a list repeats), and its settings."""

    names: tuple[str, ...]
    arrays: tuple[np.ndarray, ...]
    settings: dict

    def __repr__(self):
        operands = zip(self.names, self.arrays, strict=True)
        shapes = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in operands)
        return f"Case({shapes}, {self.settings})"

    def cast(self, *dtypes):
        """The case with its floating operands in these dtypes, in turn."""
        arrays = tuple(
            cast(array, dtypes[i % len(dtypes)]) if array.dtype.kind == "f" else array
            for i, array in enumerate(self.arrays)
        )
        return replace(self, arrays=arrays)


def cast(array, dtype):
    """`array` in `dtype`; a complex number has the same real part and an imaginary one in ±1."""
    if np.dtype(dtype).kind == "c":
        array = array + 1j * np.random.default_rng(array.size).uniform(-1, 1, array.shape)
    return np.asarray(array, dtype)


# ---- cases ---------------------------------------------------------------------------------------


def _values(domain, rng, shape):
    return np.asarray(domain(rng, shape))


@st.composite
def elementwise(draw, **domains):
    """Operands that broadcast."""
    drawn = draw(broadcastable(len(domains)))
    rng = np.random.default_rng(draw(SEEDS))
    values = zip(domains.values(), drawn, strict=True)
    return Case(tuple(domains), tuple(_values(d, rng, shape) for d, shape in values), {})


@st.composite
def settled(draw, domain, least_ndim=0, least_side=0, **settings):
    """One operand x, and settings that depend on its shape."""
    shape = draw(shapes(least_ndim, least_side))
    x = _values(domain, np.random.default_rng(draw(SEEDS)), shape)
    return Case(("x",), (x,), {name: draw(choose(shape)) for name, choose in settings.items()})


@st.composite
def matrix_products(draw, signature=np.matmul.signature):
    """Vectors, matrices, and stacks of them that broadcast: all that matmul takes, or another
    function of that signature."""
    drawn = draw(
        hnp.mutually_broadcastable_shapes(
            signature=signature, max_dims=2, min_side=draw(st.sampled_from([0, 1, 1])),
            max_side=3,
        )
    )  # fmt: skip
    rng = np.random.default_rng(draw(SEEDS))
    return Case(("x", "y"), tuple(rng.uniform(-2, 2, shape) for shape in drawn.input_shapes), {})


@st.composite
def linear_layers(draw, bias):
    batch = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    n_in, n_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(SEEDS))
    drawn = [(*batch, n_in), (n_out, n_in), (n_out,)][: 3 if bias else 2]
    names = ("x", "weight", "bias")[: len(drawn)]
    return Case(names, tuple(rng.uniform(-2, 2, shape) for shape in drawn), {})


@st.composite
def concatenations(draw):
    shape = list(draw(shapes(least_ndim=1)))
    axis = draw(st.sampled_from(range(-len(shape), len(shape))))
    rng = np.random.default_rng(draw(SEEDS))
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    arrays = []
    for shape[axis] in lengths:
        arrays.append(rng.uniform(-2, 2, shape))
    return Case(("arrays",) * len(arrays), tuple(arrays), {"axis": axis})


@st.composite
def flat_concatenations(draw):
    """Operands of any shapes, flattened."""
    rng = np.random.default_rng(draw(SEEDS))
    drawn = draw(st.lists(shapes(), min_size=1, max_size=3))
    arrays = tuple(np.asarray(rng.uniform(-2, 2, shape)) for shape in drawn)
    return Case(("arrays",) * len(arrays), arrays, {"axis": None})


@st.composite
def stacks(draw):
    shape = draw(shapes())
    axis = draw(st.sampled_from(range(-len(shape) - 1, len(shape) + 1)))
    rng = np.random.default_rng(draw(SEEDS))
    arrays = tuple(np.asarray(rng.uniform(-2, 2, shape)) for _ in range(draw(st.integers(1, 3))))
    return Case(("arrays",) * len(arrays), arrays, {"axis": axis})


@st.composite
def pads(draw, value):
    shape = draw(shapes())
    width = st.integers(0, 2)
    pair = st.tuples(width, width)
    forms = [width, pair]
    if shape:
        forms += [st.tuples(*[pair] * len(shape)), st.tuples(pair)]
    x = np.asarray(np.random.default_rng(draw(SEEDS)).uniform(-2, 2, shape))
    settings = {"pad_width": draw(st.one_of(forms))}
    return Case(("x",), (x,), settings | ({} if value is None else {"constant_values": value}))


@st.composite
def indexings(draw):
    shape = draw(shapes())
    x = np.asarray(np.random.default_rng(draw(SEEDS)).uniform(-2, 2, shape))
    return Case(("x",), (x,), {"index": draw(indices(shape))})


@st.composite
def scatterings(draw):
    shape = draw(shapes())
    index = draw(indices(shape))
    chosen = np.zeros(shape)[index].shape
    g = np.asarray(np.random.default_rng(draw(SEEDS)).uniform(-2, 2, chosen))
    return Case(("g",), (g,), {"index": index, "shape": shape, "ndim": len(chosen)})


@st.composite
def assignments(draw):
    """A value that broadcasts to x[index]; where an element is named twice, a single one."""
    shape = draw(shapes())
    unique = draw(st.booleans())
    index = draw(indices(shape, unique))
    chosen = np.zeros(shape)[index].shape if unique else ()
    kept = chosen[draw(st.integers(0, len(chosen))) :]
    stretched = tuple(draw(st.sampled_from([n, 1])) for n in kept)
    rng = np.random.default_rng(draw(SEEDS))
    arrays = rng.uniform(-2, 2, shape), rng.uniform(-2, 2, stretched)
    return Case(("x", "value"), tuple(map(np.asarray, arrays)), {"index": index})


@st.composite
def long_assignments(draw):
    """A value with more axes than x[index], all of length 1."""
    shape = draw(shapes(least_ndim=1, least_side=1))
    chosen = np.zeros(shape)[:2].shape
    longer = (1,) * draw(st.integers(1, 2)) + chosen
    rng = np.random.default_rng(draw(SEEDS))
    arrays = rng.uniform(-2, 2, shape), rng.uniform(-2, 2, longer)
    return Case(("x", "value"), arrays, {"index": slice(0, 2)})
