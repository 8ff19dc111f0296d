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


# ---- values --------------------------------------------------------------------------------------


def generator(draw):
    """NumPy's generator of random numbers, with a seed that Hypothesis draws: one number, where
    elements that were drawn one by one would shrink one by one."""
    return np.random.default_rng(draw(SEEDS))


def values(draw, *shapes, domain=lambda rng, shape: rng.uniform(-2, 2, shape)):
    """A tuple with an array of each shape, their elements from `domain` and one generator."""
    rng = generator(draw)
    return tuple(np.asarray(domain(rng, shape)) for shape in shapes)


# ---- cases ---------------------------------------------------------------------------------------


@st.composite
def elementwise(draw, **domains):
    """Operands that broadcast."""
    pairs = zip(domains.values(), draw(broadcastable(len(domains))), strict=True)
    rng = generator(draw)
    return Case(tuple(domains), tuple(np.asarray(domain(rng, s)) for domain, s in pairs), {})


@st.composite
def settled(draw, domain, least_ndim=0, least_side=0, **settings):
    """One operand x, and settings that depend on its shape."""
    shape = draw(shapes(least_ndim, least_side))
    x = values(draw, shape, domain=domain)
    return Case(("x",), x, {name: draw(choose(shape)) for name, choose in settings.items()})


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
    return Case(("x", "y"), values(draw, *drawn.input_shapes), {})


@st.composite
def linear_layers(draw, bias):
    batch = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    n_in, n_out = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    drawn = [(*batch, n_in), (n_out, n_in), (n_out,)][: 3 if bias else 2]
    names = ("x", "weight", "bias")[: len(drawn)]
    return Case(names, values(draw, *drawn), {})


@st.composite
def concatenations(draw):
    shape = list(draw(shapes(least_ndim=1)))
    axis = draw(st.sampled_from(range(-len(shape), len(shape))))
    drawn = []
    for shape[axis] in draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        drawn.append(tuple(shape))
    return Case(("arrays",) * len(drawn), values(draw, *drawn), {"axis": axis})


@st.composite
def flat_concatenations(draw):
    """Operands of any shapes, flattened."""
    drawn = draw(st.lists(shapes(), min_size=1, max_size=3))
    return Case(("arrays",) * len(drawn), values(draw, *drawn), {"axis": None})


@st.composite
def stacks(draw):
    shape = draw(shapes())
    axis = draw(st.sampled_from(range(-len(shape) - 1, len(shape) + 1)))
    count = draw(st.integers(1, 3))
    return Case(("arrays",) * count, values(draw, *[shape] * count), {"axis": axis})


@st.composite
def pads(draw, value):
    shape = draw(shapes())
    width = st.integers(0, 2)
    pair = st.tuples(width, width)
    forms = [width, pair]
    if shape:
        forms += [st.tuples(*[pair] * len(shape)), st.tuples(pair)]
    settings = {"pad_width": draw(st.one_of(forms))}
    settings |= {} if value is None else {"constant_values": value}
    return Case(("x",), values(draw, shape), settings)


@st.composite
def indexings(draw):
    shape = draw(shapes())
    return Case(("x",), values(draw, shape), {"index": draw(indices(shape))})


@st.composite
def scatterings(draw):
    shape = draw(shapes())
    index = draw(indices(shape))
    chosen = np.zeros(shape)[index].shape
    settings = {"index": index, "shape": shape, "ndim": len(chosen)}
    return Case(("g",), values(draw, chosen), settings)


@st.composite
def assignments(draw):
    """A value that broadcasts to x[index]; where an element is named twice, a single one."""
    shape = draw(shapes())
    unique = draw(st.booleans())
    index = draw(indices(shape, unique))
    chosen = np.zeros(shape)[index].shape if unique else ()
    kept = chosen[draw(st.integers(0, len(chosen))) :]
    stretched = tuple(draw(st.sampled_from([n, 1])) for n in kept)
    return Case(("x", "value"), values(draw, shape, stretched), {"index": index})


@st.composite
def long_assignments(draw):
    """A value with more axes than x[index], all of length 1."""
    shape = draw(shapes(least_ndim=1, least_side=1))
    chosen = np.zeros(shape)[:2].shape
    longer = (1,) * draw(st.integers(1, 2)) + chosen
    return Case(("x", "value"), values(draw, shape, longer), {"index": slice(0, 2)})
