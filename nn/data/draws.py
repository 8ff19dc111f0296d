"""Random numbers that depend on the example, not on the batch that it is in.

A generator with a state gives an example other numbers when the batches before it were larger,
drawn in another thread, or not drawn at all because training was resumed. Here each number is a
hash of its coordinates: seed, epoch, index of the example, and number of the draw.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["Draws"]

GAMMA = 0x9E3779B97F4A7C15  # 2⁶⁴ / golden ratio, odd: the step of the counter
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
WORD = (1 << 64) - 1
MOST = 1 << 32  # integers of one draw; more would make them noticeably unequal in probability


class Draws:
    """Random numbers for examples, which do not depend on the batch that an example is in.

    Each method returns an array of shape (n, *size). Row i depends only on `seed`, `epoch`,
    ``indices[i]`` and the numbers drawn before it, so it is the same however the examples are
    batched. An index that occurs twice gets the same numbers twice: where a sampler repeats
    examples, pass their positions in the pass instead.

    Parameters
    ----------
    seed : int
        The seed, from 0 to 2⁶⁴ - 1.
    epoch : int
        The number of the pass over the data, from 0 to 2⁶⁴ - 1.
    indices : array_like of int
        The examples, shape (n,).

    Raises
    ------
    ArgumentError
        If `seed`, `epoch` or an index is negative or needs more than 64 bits.
    DTypeError
        If they are not integers.
    ShapeError
        If `indices` does not have one axis.

    Notes
    -----
    A number is splitmix64 (Steele, Lea and Flood, 2014) at one value of its counter; the counter of
    an example starts at a hash of seed, epoch and index. Its period is 2⁶⁴. It is not suitable for
    cryptography.

    Examples
    --------
    >>> import nn
    >>> together = nn.Draws(0, 3, [7, 8]).uniform()
    >>> alone = nn.Draws(0, 3, [8]).uniform()
    >>> bool(together[1] == alone[0])
    True
    """

    def __init__(self, seed: int, epoch: int, indices: Any) -> None:
        start = _mixed(_word("seed", seed) + GAMMA)
        start = _mixed(start + GAMMA * (_word("epoch", epoch) + 1))
        self._keys = _hash(_indices(indices) * np.uint64(GAMMA) + np.uint64(start))
        self._drawn = 0  # numbers of each example so far

    def __len__(self) -> int:
        return len(self._keys)

    def uniform(self, low: float = 0.0, high: float = 1.0, size: int | tuple[int, ...] = ()) -> Any:
        """Numbers of [low, high), equally distributed.

        They are in steps of 2⁻⁵³ (high - low). Rounding can give `high`, as in NumPy.

        Parameters
        ----------
        low : float, default 0.0
            The least number.
        high : float, default 1.0
            The upper bound.
        size : int or tuple of int, default ()
            The shape of the numbers of one example.

        Returns
        -------
        array
            Float64 numbers, shape (n, *size).

        Raises
        ------
        ArgumentError
            Unless low ≤ high, both finite.
        """
        if not (math.isfinite(high - low) and low <= high):
            raise ArgumentError(f"uniform needs finite low ≤ high, not {low} and {high}")
        unit = self._unit(size)
        return unit if (low, high) == (0, 1) else low + (high - low) * unit

    def integers(self, low: int, high: int, size: int | tuple[int, ...] = ()) -> Any:
        """Integers low, …, high - 1. Probabilities differ from 1 / (high - low) by less than 2⁻⁵².

        Parameters
        ----------
        low : int
            The least number.
        high : int
            One more than the largest number.
        size : int or tuple of int, default ()
            The shape of the numbers of one example.

        Returns
        -------
        array
            Int64 numbers, shape (n, *size).

        Raises
        ------
        ArgumentError
            Unless 1 ≤ high - low ≤ 2³².
        TypeError
            If a bound is not an integer.
        """
        low, high = operator.index(low), operator.index(high)
        if not 1 <= high - low <= MOST:
            raise ArgumentError(
                f"integers needs 1 ≤ high - low ≤ 2**32; low is {low} and high is {high}"
            )
        return low + (self._unit(size) * (high - low)).astype(np.int64)

    def normal(self, size: int | tuple[int, ...] = ()) -> Any:
        """Numbers of the normal distribution with mean 0 and deviation 1 (Box and Muller, 1958).

        Each takes two numbers of the counter.

        Parameters
        ----------
        size : int or tuple of int, default ()
            The shape of the numbers of one example.

        Returns
        -------
        array
            Float64 numbers, shape (n, *size).
        """
        radius, angle = np.moveaxis(self._unit((*_shape(size), 2)), -1, 0)
        return np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)

    def bernoulli(self, p: float, size: int | tuple[int, ...] = ()) -> Any:
        """Booleans that are True with probability `p`.

        Parameters
        ----------
        p : float
            The probability.
        size : int or tuple of int, default ()
            The shape of the booleans of one example.

        Returns
        -------
        array
            Booleans, shape (n, *size).

        Raises
        ------
        ArgumentError
            If `p` is not in [0, 1].
        """
        if not 0 <= p <= 1:
            raise ArgumentError(f"p is a probability in [0, 1], not {p}")
        return self._unit(size) < p

    def _unit(self, size: int | tuple[int, ...]) -> Any:
        """Multiples of 2⁻⁵³ in [0, 1), of shape (n, *size)."""
        shape = _shape(size)
        count = math.prod(shape)
        steps = np.arange(self._drawn + 1, self._drawn + count + 1, dtype=np.uint64)
        self._drawn += count
        words = _hash(np.add.outer(self._keys, steps * np.uint64(GAMMA)))
        words >>= np.uint64(11)
        unit = words.astype(np.float64)
        unit *= 2.0**-53
        return unit.reshape(len(self), *shape)


def _hash(words: Any) -> Any:
    """The finaliser of splitmix64, in place, elementwise on a uint64 array."""
    for shift, factor in ((30, FIRST), (27, SECOND)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words


def _mixed(word: int) -> int:
    """The same of one integer modulo 2⁶⁴."""
    return int(_hash(np.array([word & WORD], np.uint64))[0])


def _word(name: str, number: Any) -> int:
    if not isinstance(number, int | np.integer):
        raise DTypeError(f"Draws: {name} is an integer, not a {type(number).__name__}")
    if not 0 <= number <= WORD:
        raise ArgumentError(f"Draws: {name} is an integer of [0, 2**64), not {number}")
    return int(number)


def _indices(given: Any) -> Any:
    indices = np.asarray(given)
    if indices.ndim != 1:
        raise ShapeError(f"Draws: indices need the shape (n,), not {indices.shape}")
    if not indices.size:
        return indices.astype(np.uint64)
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"Draws: indices are integers, not {indices.dtype}")
    if indices.min() < 0:
        raise ArgumentError(f"Draws: indices are not negative; the least is {indices.min()}")
    return indices.astype(np.uint64)


def _shape(size: Any) -> tuple[int, ...]:
    shape = (size,) if isinstance(size, int | np.integer) else tuple(size)
    if any(length < 0 for length in shape):
        raise ArgumentError(f"size has no negative lengths; it is {size}")
    return shape
