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
    """A domain of values uniform between two numbers.

    Parameters
    ----------
    low, high : float
        The least value and the upper bound.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import between
    >>> between(-1, 1)(np.random.default_rng(0), (3,)).round(3)
    array([ 0.274, -0.46 , -0.918])
    """
    return lambda rng, shape: rng.uniform(low, high, shape)


def signed(low: float, high: float) -> Domain:
    """A domain of values whose absolute values are uniform between two numbers. Signs are random.

    Parameters
    ----------
    low, high : float
        The bounds of the absolute values.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import signed
    >>> signed(1, 2)(np.random.default_rng(0), (3,)).round(3)
    array([1.041, 1.017, 1.813])
    """
    return lambda rng, shape: rng.choice([-1, 1], shape) * rng.uniform(low, high, shape)


def staggered(offset: float) -> Domain:
    """A domain of values close to multiples of 1/2 plus an offset.

    The values of two domains whose offsets differ (modulo 1/2) are not close to each other.

    Parameters
    ----------
    offset : float
        What is added to the multiples of 1/2.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import staggered
    >>> staggered(0.1)(np.random.default_rng(0), (3,)).round(3)
    array([1.101, 0.6  , 0.116])
    """
    return lambda rng, shape: rng.integers(-3, 4, shape) / 2 + offset + 0.02 * rng.random(shape)


def distinct(spacing: float = 0.25) -> Domain:
    """A domain of values of which no two are close to each other.

    Parameters
    ----------
    spacing : float, default 0.25
        The distance between neighbouring values, up to 0.02.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import distinct
    >>> distinct()(np.random.default_rng(0), (3,)).round(2)
    array([ 0.25, -0.25,  0.02])
    """

    def domain(rng: Any, shape: Shape) -> Any:
        size = int(np.prod(shape))
        ranks = (rng.permutation(size) - size // 2).reshape(shape)
        return spacing * ranks + 0.02 * rng.random(shape)

    return domain


def integers(low: int, high: int) -> Domain:
    """A domain of integers.

    Parameters
    ----------
    low, high : int
        The least integer, and the one after the greatest.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import integers
    >>> integers(0, 5)(np.random.default_rng(0), (3,))
    array([4, 3, 2])
    """
    return lambda rng, shape: rng.integers(low, high, shape)


def truths(rng: Any, shape: Shape) -> Any:
    """The domain of random booleans.

    Parameters
    ----------
    rng : numpy.random.Generator
        The random generator.
    shape : tuple of int
        The shape of the array.

    Returns
    -------
    array
        Each element is true with probability 1/2.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import truths
    >>> truths(np.random.default_rng(0), (3,))
    array([False,  True,  True])
    """
    return rng.random(shape) < 0.5


def away_from(*kinks: float, distance: float = 0.1, low: float = -3, high: float = 3) -> Domain:
    """A domain of values that keep a distance from kinks, and are uniform otherwise.

    Parameters
    ----------
    *kinks : float
        The numbers to keep away from.
    distance : float, default 0.1
        The least distance from each of `kinks`.
    low : float, default -3
        The least value.
    high : float, default 3
        The upper bound.

    Returns
    -------
    callable
        A function of a random generator and a shape that returns an array.

    Raises
    ------
    ValueError
        If no number between `low` and `high` is far enough from all `kinks`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing.strategies import away_from
    >>> away_from(0, distance=1)(np.random.default_rng(0), (3,)).round(3)
    array([ 1.033, -1.373, -1.174])
    """
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
    """A strategy for arrays with values drawn from a domain.

    Parameters
    ----------
    domain : domain, default uniform between -2 and 2
        A function of a random generator and a shape that returns an array, such as ``between(0,
        1)``. For a complex dtype, imaginary parts between -1 and 1 are added.
    shape : tuple of int or strategy, optional
        The shape, by default drawn from `shapes`.
    dtype : dtype or strategy, default 'float64'
        The dtype.
    device : str, optional
        The name of a device, by default the host.

    Returns
    -------
    strategy
        A Hypothesis strategy for arrays.

    Raises
    ------
    DeviceError
        In a draw, if there is no such device.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import arrays, between
    >>> @given(x=arrays(between(0, 1), shape=(2, 3)))
    ... def test_bounds(x):
    ...     assert x.shape == (2, 3) and x.max() < 1
    >>> print(test_bounds())
    None
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
    """A strategy for Tensors drawn as `arrays` are, with the same parameters.

    Parameters
    ----------
    *args : domain, shape, dtype, device
        As in `arrays`.
    requires_grad : bool, default True
        Whether the Tensors require a gradient.
    **settings : domain, shape, dtype, device
        The same by name.

    Returns
    -------
    strategy
        A Hypothesis strategy for Tensors.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import between, tensors
    >>> @given(x=tensors(between(0, 1), shape=(2,)))
    ... def test_tracking(x):
    ...     assert x.requires_grad and x.shape == (2,)
    >>> print(test_tracking())
    None
    """
    return arrays(*args, **settings).map(lambda array: Tensor(array, requires_grad))


@st.composite
def operands(draw: Any, *domains: Domain, dtype: Any = "float64", device: str | None = None) -> Any:
    """A strategy for a tuple of arrays whose shapes broadcast.

    Parameters
    ----------
    *domains : domain
        The domain of each array.
    dtype : dtype or strategy, default 'float64'
        The dtype of all arrays.
    device : str, optional
        The name of a device, by default the host.

    Returns
    -------
    strategy
        A Hypothesis strategy for tuples with an array for each domain.

    Raises
    ------
    DeviceError
        In a draw, if there is no such device.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import between, operands
    >>> @given(pair=operands(between(0, 1), between(1, 2)))
    ... def test_ratio(pair):
    ...     x, y = pair
    ...     assert (x / y <= 1).all()
    >>> print(test_ratio())
    None
    """
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    pairs = zip(domains, draw(broadcastable(len(domains))), strict=True)
    return tuple(draw(arrays(domain, shape, dtype, device)) for domain, shape in pairs)


# ---- shapes --------------------------------------------------------------------------------------


def shapes(least_ndim: int = 0, least_side: int = 0) -> Strategy:
    """A strategy for shapes with up to three axes. One draw in three may have axes of length 0.

    Parameters
    ----------
    least_ndim : int, default 0
        The least number of axes.
    least_side : int, default 0
        The least length of an axis.

    Returns
    -------
    strategy
        A Hypothesis strategy for tuples of integers up to 3.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import shapes
    >>> @given(shape=shapes(least_ndim=1))
    ... def test_sides(shape):
    ...     assert 1 <= len(shape) <= 3 and max(shape) <= 3
    >>> print(test_sides())
    None
    """
    ordinary = hnp.array_shapes(
        min_dims=least_ndim, max_dims=3, min_side=max(least_side, 1), max_side=3
    )
    with_empty = hnp.array_shapes(min_dims=least_ndim, max_dims=3, min_side=least_side, max_side=3)
    return st.one_of(ordinary, ordinary, with_empty)


def broadcastable(count: int) -> Strategy:
    """A strategy for shapes that broadcast with each other. Some draws have axes of length 0.

    Parameters
    ----------
    count : int
        The number of shapes.

    Returns
    -------
    strategy
        A Hypothesis strategy for tuples of `count` shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import broadcastable
    >>> @given(shapes=broadcastable(2))
    ... def test_fit(shapes):
    ...     assert len(np.broadcast_shapes(*shapes)) <= 3
    >>> print(test_fit())
    None
    """

    def drawn(least_side: int) -> Strategy:
        return hnp.mutually_broadcastable_shapes(
            num_shapes=count, min_dims=0, max_dims=3, min_side=least_side, max_side=3
        ).map(lambda drawn: drawn.input_shapes)

    return st.one_of(drawn(1), drawn(1), drawn(0))


def axis_choices(shape: Shape) -> Iterator[Any]:
    """Yield every `axis` argument of a reduction.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array.

    Yields
    ------
    None, int or tuple of int
        None, the empty tuple, each axis, and each tuple of axes, also counted from the end.

    Examples
    --------
    >>> from autograd_core.testing.strategies import axis_choices
    >>> list(axis_choices((2, 3)))
    [None, (), -2, -1, 0, 1, (0,), (-2,), (1,), (-1,), (0, 1), (-1, -2)]
    """
    ndim = len(shape)
    yield None
    yield ()
    yield from range(-ndim, ndim) if ndim else (0, -1)
    for count in range(1, ndim + 1):
        for axes in combinations(range(ndim), count):
            yield axes
            yield tuple(axis - ndim for axis in reversed(axes))


def reduced_size(shape: Shape, axis: Any) -> int:
    """The number of elements that are reduced to one.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array.
    axis : None, int or tuple of int
        The axes that are reduced.

    Returns
    -------
    int
        The product of the lengths of these axes.

    Examples
    --------
    >>> from autograd_core.testing.strategies import reduced_size
    >>> reduced_size((2, 3), axis=1)
    3
    """
    return np.ones(shape).size if axis is None else int(np.prod(np.take(shape or (1,), axis)))


def any_axis(shape: Shape) -> Strategy:
    """A strategy for every `axis` argument: None, (), an integer, a tuple.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array.

    Returns
    -------
    strategy
        A Hypothesis strategy, which draws from `axis_choices`.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import any_axis, axis_choices
    >>> @given(axis=any_axis((2, 3)))
    ... def test_axis(axis):
    ...     assert axis in list(axis_choices((2, 3)))
    >>> print(test_axis())
    None
    """
    return st.sampled_from(list(axis_choices(shape)))


def some_axis(shape: Shape) -> Strategy:
    """A strategy for every `axis` argument that selects at least one element to reduce.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array.

    Returns
    -------
    strategy
        A Hypothesis strategy, which draws from `axis_choices`.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import reduced_size, some_axis
    >>> @given(axis=some_axis((2, 0)))
    ... def test_axis(axis):
    ...     assert reduced_size((2, 0), axis) > 0
    >>> print(test_axis())
    None
    """
    return st.sampled_from([a for a in axis_choices(shape) if reduced_size(shape, a)])


def own_axis(shape: Shape) -> Strategy:
    """Like `some_axis`, but without the axes 0 and -1 of a 0-d array.

    Only some reductions accept them.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array.

    Returns
    -------
    strategy
        A Hypothesis strategy, which draws from `axis_choices`.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import own_axis
    >>> @given(axis=own_axis(()))
    ... def test_axis(axis):
    ...     assert axis in (None, ())
    >>> print(test_axis())
    None
    """
    return some_axis(shape) if shape else st.sampled_from([None, ()])


def one_axis(shape: Shape) -> Strategy:
    """A strategy for one axis along which there are elements to reduce, or None.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array. It must have an axis or element to reduce.

    Returns
    -------
    strategy
        A Hypothesis strategy for integers and None.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import one_axis
    >>> @given(axis=one_axis((2, 0)))
    ... def test_axis(axis):
    ...     assert axis in (0, -2)
    >>> print(test_axis())
    None
    """
    choices = [a for a in axis_choices(shape) if not isinstance(a, tuple)]
    return st.sampled_from([a for a in choices if reduced_size(shape, a)])


# ---- indices -------------------------------------------------------------------------------------


def positions(length: int, shape: Shape, unique: bool = False) -> Strategy:
    """A strategy for arrays of indices along an axis, some of them negative.

    Parameters
    ----------
    length : int
        The length of the axis. If it is 0, the array of indices is empty.
    shape : tuple of int
        The shape of the array of indices.
    unique : bool, default False
        If true, no index occurs twice, and none is negative.

    Returns
    -------
    strategy
        A Hypothesis strategy for arrays of integers.

    Examples
    --------
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import positions
    >>> @given(index=positions(3, (2,)))
    ... def test_index(index):
    ...     assert index.shape == (2,) and abs(index).max() <= 3
    >>> print(test_index())
    None
    """
    if length == 0:
        return st.just(np.zeros((0,) * len(shape), np.intp))
    elements = st.integers(-length, length - 1) if not unique else st.integers(0, length - 1)
    return hnp.arrays(np.intp, shape, elements=elements, unique=unique)


@st.composite
def mixed_indices(draw: Any, shape: Shape, unique: bool = False) -> Any:
    """A strategy for tuples with an integer, a slice or an array of integers for each axis.

    There may be new axes in between. If slices separate the arrays, NumPy puts the axes of the
    arrays first.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array to index.
    unique : bool, default False
        If true, no element is indexed twice.

    Returns
    -------
    strategy
        A Hypothesis strategy for tuples.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import mixed_indices
    >>> @given(index=mixed_indices((2, 3)))
    ... def test_index(index):
    ...     assert np.zeros((2, 3))[index].ndim <= 5
    >>> print(test_index())
    None
    """
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
    """A strategy for boolean masks of the first axes.

    Parameters
    ----------
    shape : tuple of int
        The shape of the array to index, which has at least one axis.

    Returns
    -------
    strategy
        A Hypothesis strategy for masks, or tuples with a mask and ``...`` or a new axis.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import masks
    >>> @given(mask=masks((2, 3)))
    ... def test_mask(mask):
    ...     assert np.zeros((2, 3))[mask].size <= 6
    >>> print(test_mask())
    None
    """
    count = draw(st.integers(1, len(shape)))
    mask = draw(hnp.arrays(bool, shape[:count]))
    return draw(st.sampled_from([mask, (mask,), (mask, ...), (None, mask)]))


def indices(shape: Shape, unique: bool = False) -> Strategy:
    """A strategy for every kind of index in x[...].

    Parameters
    ----------
    shape : tuple of int
        The shape of the array to index.
    unique : bool, default False
        If true, no element is indexed twice.

    Returns
    -------
    strategy
        A Hypothesis strategy for indices.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import given
    >>> from autograd_core.testing.strategies import indices
    >>> @given(index=indices((2, 3), unique=True))
    ... def test_index(index):
    ...     assert np.zeros((2, 3))[index].size <= 6
    >>> print(test_index())
    None
    """
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    if not shape:
        return basic
    gathered = positions(shape[0], (min(2, shape[0]),) if unique else (2, 2), unique)
    return st.one_of(basic, gathered, mixed_indices(shape, unique), masks(shape))
