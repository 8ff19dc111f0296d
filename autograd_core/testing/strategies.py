"""Hypothesis strategies for arguments of differentiable functions: shapes that broadcast, axes,
indices, arrays and Tensors away from a function's kinks, and programs (in `programs`).

Hypothesis draws and shrinks the shapes and settings. The values come from a random generator, of
which Hypothesis draws the seed. A *domain* is a function of the generator and a shape that returns
an array of values. `between`, `signed` and `away_from` return domains; you may also write your own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Shape

Domain = Callable[[Any, Shape], Any]
Strategy = st.SearchStrategy[Any]

SEEDS = st.integers(0, 2**32 - 1)


# ---- domains: functions of (generator, shape) ----------------------------------------------------


def between(low: float, high: float) -> Domain:
    """Values uniform between `low` and `high`."""
    return lambda rng, shape: rng.uniform(low, high, shape)


def signed(low: float, high: float) -> Domain:
    """Values with absolute values uniform between `low` and `high`, and with random signs."""
    return lambda rng, shape: rng.choice([-1, 1], shape) * rng.uniform(low, high, shape)


def staggered(offset: float) -> Domain:
    """Values close to multiples of 1/2 plus `offset`. The values of two domains whose offsets
    differ (modulo 1/2) are not close to each other."""
    return lambda rng, shape: rng.integers(-3, 4, shape) / 2 + offset + 0.02 * rng.random(shape)


def distinct(spacing: float = 0.25) -> Domain:
    """Values of which no two are close to each other."""

    def domain(rng: Any, shape: Shape) -> Any:
        size = int(np.prod(shape))
        ranks = (rng.permutation(size) - size // 2).reshape(shape)
        return spacing * ranks + 0.02 * rng.random(shape)

    return domain


def integers(low: int, high: int) -> Domain:
    """Integers from `low` (included) to `high` (excluded)."""
    return lambda rng, shape: rng.integers(low, high, shape)


def truths(rng: Any, shape: Shape) -> Any:
    """Random booleans."""
    return rng.random(shape) < 0.5


def away_from(*kinks: float, distance: float = 0.1, low: float = -3, high: float = 3) -> Domain:
    """Values uniform between `low` and `high`, at least `distance` away from all `kinks`."""
    edges = [low, *(e for k in sorted(kinks) for e in (k - distance, k + distance)), high]
    spans = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    if not spans:
        raise ValueError(f"no number in [{low}, {high}] is at least {distance} away from {kinks}")
    lengths = np.array([b - a for a, b in spans])

    def domain(rng: Any, shape: Shape) -> Any:
        starts = np.array([a for a, _ in spans])
        chosen = rng.choice(len(spans), shape, p=lengths / lengths.sum())
        return starts[chosen] + lengths[chosen] * rng.random(shape)

    return domain


# ---- arrays --------------------------------------------------------------------------------------


@st.composite
def arrays(
    draw: Any,
    domain: Domain = lambda rng, shape: rng.uniform(-2, 2, shape),
    shape: Any = None,
    dtype: Any = "float64",
    device: str | None = None,
) -> Any:
    """Arrays with values drawn from a domain. `shape` and `dtype` may be strategies. `device` is
    None for the host, or the name of a device.

    For a complex dtype, imaginary parts between -1 and 1 are added.
    """
    shape = shapes() if shape is None else shape
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    dtype = np.dtype(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    rng = np.random.default_rng(draw(SEEDS))
    values = np.asarray(domain(rng, shape))
    if dtype.kind == "c":
        values = values + 1j * rng.uniform(-1, 1, shape)
    return backend.asarray(np.asarray(values, dtype), device=device)


def tensors(*args: Any, requires_grad: bool = True, **settings: Any) -> Strategy:
    """Tensors drawn as `arrays` are, with the same parameters."""
    return arrays(*args, **settings).map(lambda array: Tensor(array, requires_grad))


@st.composite
def operands(draw: Any, *domains: Domain, dtype: Any = "float64", device: str | None = None) -> Any:
    """A tuple of arrays whose shapes broadcast, one array for each domain."""
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    pairs = zip(domains, draw(broadcastable(len(domains))), strict=True)
    return tuple(draw(arrays(domain, shape, dtype, device)) for domain, shape in pairs)


# ---- shapes --------------------------------------------------------------------------------------


def shapes(least_ndim: int = 0, least_side: int = 0) -> Strategy:
    """Shapes with up to three axes. One draw in three may have axes of length 0."""
    ordinary = hnp.array_shapes(
        min_dims=least_ndim, max_dims=3, min_side=max(least_side, 1), max_side=3
    )
    with_empty = hnp.array_shapes(min_dims=least_ndim, max_dims=3, min_side=least_side, max_side=3)
    return st.one_of(ordinary, ordinary, with_empty)


def broadcastable(count: int) -> Strategy:
    """`count` shapes that broadcast with each other; some draws have axes of length 0."""

    def drawn(least_side: int) -> Strategy:
        return hnp.mutually_broadcastable_shapes(
            num_shapes=count, min_dims=0, max_dims=3, min_side=least_side, max_side=3
        ).map(lambda drawn: drawn.input_shapes)

    return st.one_of(drawn(1), drawn(1), drawn(0))


def axis_choices(shape: Shape) -> Iterator[Any]:
    """Every `axis` argument of a reduction of an array of `shape`."""
    ndim = len(shape)
    yield None
    yield ()
    yield from range(-ndim, ndim) if ndim else (0, -1)
    for count in range(1, ndim + 1):
        for axes in combinations(range(ndim), count):
            yield axes
            yield tuple(axis - ndim for axis in reversed(axes))


def reduced_size(shape: Shape, axis: Any) -> int:
    """The number of elements that are reduced to one."""
    return np.ones(shape).size if axis is None else int(np.prod(np.take(shape or (1,), axis)))


def any_axis(shape: Shape) -> Strategy:
    """Every `axis` argument for an array of `shape`: None, (), an integer, a tuple."""
    return st.sampled_from(list(axis_choices(shape)))


def some_axis(shape: Shape) -> Strategy:
    """Every `axis` argument that selects at least one element to reduce."""
    return st.sampled_from([a for a in axis_choices(shape) if reduced_size(shape, a)])


def own_axis(shape: Shape) -> Strategy:
    """Like `some_axis`, but for a 0-d array without the axes 0 and -1, which only some reductions
    accept."""
    return some_axis(shape) if shape else st.sampled_from([None, ()])


def one_axis(shape: Shape) -> Strategy:
    """One axis along which there are elements to reduce, or None."""
    choices = [a for a in axis_choices(shape) if not isinstance(a, tuple)]
    return st.sampled_from([a for a in choices if reduced_size(shape, a)])


# ---- indices -------------------------------------------------------------------------------------


def positions(length: int, shape: Shape, unique: bool = False) -> Strategy:
    """Indices along an axis, some of them negative."""
    if length == 0:
        return st.just(np.zeros((0,) * len(shape), np.intp))
    elements = st.integers(-length, length - 1) if not unique else st.integers(0, length - 1)
    return hnp.arrays(np.intp, shape, elements=elements, unique=unique)


@st.composite
def mixed_indices(draw: Any, shape: Shape, unique: bool = False) -> Any:
    """A tuple with an integer, a slice or an array of integers for each axis, and with new axes in
    between. If slices separate the arrays, NumPy puts the axes of the arrays first."""
    entries: list[Any] = []
    uses_array = False
    for length in shape:
        kinds = ["slice", "reversed", "newaxis"] + (["integer", "array"] if length else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "newaxis":
            entries.append(None)
        if kind == "integer":
            entries.append(draw(st.integers(-length, length - 1)))
        elif kind == "array" and not (unique and uses_array):
            uses_array = True
            count = 1 if unique else 2
            entries.append(draw(positions(length, (count,), unique)))
        else:
            entries.append(slice(None, None, -1) if kind == "reversed" else slice(0, 2))
    return tuple(entries)


@st.composite
def masks(draw: Any, shape: Shape) -> Any:
    """Boolean masks of the first axes."""
    count = draw(st.integers(1, len(shape)))
    mask = draw(hnp.arrays(bool, shape[:count]))
    return draw(st.sampled_from([mask, (mask,), (mask, ...), (None, mask)]))


def indices(shape: Shape, unique: bool = False) -> Strategy:
    """Every kind of index in x[...]; if `unique`, no element is indexed twice."""
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    if not shape:
        return basic
    gathered = positions(shape[0], (min(2, shape[0]),) if unique else (2, 2), unique)
    return st.one_of(basic, gathered, mixed_indices(shape, unique), masks(shape))
