"""Samplers: in which order, and how often, the examples of a dataset come in one pass.

A sampler has a length, and ``indices(generator)`` draws the indices of one pass: an int64 array of
that length. `generator` is an int (a seed), a ``numpy.random`` generator, or None for a new one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from nn.data.datasets import on_host
from nn.init import generator_of

__all__ = ["StratifiedSampler", "SubsetRandomSampler", "WeightedRandomSampler"]


class WeightedRandomSampler:
    """Indices drawn with probabilities proportional to weights.

    Parameters
    ----------
    weights : array_like
        The weight of each example, shape (examples,).
    num_samples : int
        The number of indices of a pass.
    replacement : bool, default True
        If false, no index comes twice: each is drawn from those that are left, by the method of
        Efraimidis and Spirakis (2006).

    Raises
    ------
    ArgumentError
        If weights are negative, not finite or all zero, if `num_samples` is below 1, or without
        replacement above the number of weights that are not zero.
    ShapeError
        If weights are empty or do not have one axis.
    DTypeError
        If weights are not real numbers.

    Examples
    --------
    >>> import numpy as np, nn
    >>> drawn = nn.WeightedRandomSampler([0.0, 3.0, 1.0], num_samples=1000).indices(0)
    >>> np.bincount(drawn)
    array([  0, 733, 267])
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True) -> None:
        self.weights = _weights(on_host(weights))
        self.num_samples = num_samples
        self.replacement = replacement
        if not isinstance(num_samples, int | np.integer) or num_samples < 1:
            raise ArgumentError(f"num_samples is an integer of 1 or more, not {num_samples!r}")
        possible = np.count_nonzero(self.weights)
        if not replacement and num_samples > possible:
            raise ArgumentError(
                f"num_samples is {num_samples}, but {possible} weights are not zero: without "
                "replacement each index comes once"
            )

    def __len__(self) -> int:
        return int(self.num_samples)

    def indices(self, generator: Any = None) -> Any:
        """The indices of one pass: (num_samples,), int64.

        Parameters
        ----------
        generator : int or numpy.random.Generator, optional
            A seed, or a generator. By default, a new generator.

        Returns
        -------
        array
            The indices, in the order in which the examples come.
        """
        generator = generator_of(generator)
        if self.replacement:
            ends = np.cumsum(self.weights)
            places = generator.random(len(self))
            return np.searchsorted(ends / ends[-1], places, side="right").astype(np.int64)
        (possible,) = self.weights.nonzero()
        waits = np.log(generator.standard_exponential(len(possible)))
        waits -= np.log(self.weights[possible])  # an index with weight w comes at the rate w
        return possible[np.argsort(waits, kind="stable")[: len(self)]].astype(np.int64)


class StratifiedSampler:
    """Every index once, in a random order in which the classes are spread evenly.

    Among any m consecutive indices, the number of those of a class with the share p of all examples
    differs from p m by at most 1 + p (classes - 2); so it does in every batch. The order within a
    class is uniformly random. The order of the classes is nearly periodic: of classes of equal
    size, each comes once in every len(classes) indices.

    Parameters
    ----------
    labels : array_like
        The class of each example, shape (examples,): integers, booleans or strings.

    Raises
    ------
    ShapeError
        If labels are empty or do not have one axis.
    DTypeError
        If labels have another dtype.

    Examples
    --------
    >>> import numpy as np, nn
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> order = nn.StratifiedSampler(labels).indices(0)
    >>> labels[order].reshape(10, 10).sum(axis=1)
    array([1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    """

    def __init__(self, labels: Any) -> None:
        self.labels = classes_of("StratifiedSampler", labels)

    def __len__(self) -> int:
        return len(self.labels)

    def indices(self, generator: Any = None) -> Any:
        """The indices of one pass: (examples,), int64.

        Parameters
        ----------
        generator : int or numpy.random.Generator, optional
            A seed, or a generator. By default, a new generator.

        Returns
        -------
        array
            The indices, in the order in which the examples come.
        """
        return spread(self.labels, generator_of(generator))


class SubsetRandomSampler:
    """Given indices in a random order.

    Parameters
    ----------
    indices : array_like of int
        The examples, shape (samples,).

    Raises
    ------
    ShapeError
        If indices are empty or do not have one axis.
    DTypeError
        If they are not integers.
    ArgumentError
        If one is negative.

    Examples
    --------
    >>> import nn
    >>> nn.SubsetRandomSampler([3, 5, 8]).indices(0)
    array([8, 3, 5])
    """

    def __init__(self, indices: Any) -> None:
        self.subset = checked_indices("SubsetRandomSampler", indices)
        if not len(self.subset):
            raise ShapeError("SubsetRandomSampler: indices are empty")

    def __len__(self) -> int:
        return len(self.subset)

    def indices(self, generator: Any = None) -> Any:
        """The indices of one pass: (samples,), int64.

        Parameters
        ----------
        generator : int or numpy.random.Generator, optional
            A seed, or a generator. By default, a new generator.

        Returns
        -------
        array
            The indices, in the order in which the examples come.
        """
        return generator_of(generator).permutation(self.subset)


def spread(classes: Any, generator: Any) -> Any:
    """A random order of the examples in which the classes, integers 0, 1, …, are spread evenly.

    Example k of the n of a class is put at (k + phase) / n on the line from 0 to 1, with a random
    phase for the class. An interval of length l then has n l examples of each class, to within 1.
    """
    grouped = generator.permutation(len(classes))
    grouped = grouped[np.argsort(classes[grouped], kind="stable")]
    counts = np.bincount(classes)
    starts = np.cumsum(counts) - counts
    of_class = classes[grouped]
    ranks = np.arange(len(classes)) - starts[of_class]
    places = (ranks + generator.random(len(counts))[of_class]) / counts[of_class]
    return grouped[np.argsort(places, kind="stable")].astype(np.int64)


def classes_of(name: str, labels: Any) -> Any:
    """The labels as integers 0, 1, …, in the order of the labels."""
    labels = on_host(labels)
    if labels.ndim != 1 or not labels.size:
        raise ShapeError(
            f"{name}: labels need the shape (examples,), not empty; they have {labels.shape}"
        )
    if labels.dtype.kind not in "iubUS":
        raise DTypeError(f"{name}: labels are integers, booleans or strings, not {labels.dtype}")
    return np.unique(labels, return_inverse=True)[1]


def checked_indices(name: str, given: Any) -> Any:
    """Indices as an int64 array; raises ShapeError, DTypeError or ArgumentError for others."""
    indices = on_host(given)
    if indices.ndim != 1:
        raise ShapeError(f"{name}: indices need the shape (samples,), not {indices.shape}")
    if not indices.size:
        return indices.astype(np.int64)
    if indices.dtype == bool:
        raise DTypeError(f"{name}: indices are integers, not bool; write np.flatnonzero(mask)")
    if indices.dtype.kind not in "iu":
        raise DTypeError(f"{name}: indices are integers, not {indices.dtype}")
    if indices.min() < 0:
        raise ArgumentError(f"{name}: indices are not negative; the least is {indices.min()}")
    return indices.astype(np.int64)


def _weights(given: Any) -> Any:
    """Float64 weights, the largest of which is 1."""
    if given.ndim != 1 or not given.size:
        raise ShapeError(f"weights need the shape (examples,), not empty; they have {given.shape}")
    if given.dtype.kind not in "biuf":
        raise DTypeError(f"weights are real numbers, not {given.dtype}")
    weights = given.astype(np.float64)
    if not np.isfinite(weights).all():
        at = int(np.flatnonzero(~np.isfinite(weights))[0])
        raise ArgumentError(f"weights are finite, but weight {at} is {weights[at]}")
    if weights.min() < 0:
        at = int(weights.argmin())
        raise ArgumentError(f"weights are not negative, but weight {at} is {weights[at]}")
    if not weights.any():
        raise ArgumentError("all weights are zero; one or more must be positive")
    return weights / weights.max()
