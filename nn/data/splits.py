"""Parts of a dataset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError, IndexingError, ShapeError
from nn.data.samplers import checked_indices, classes_of, spread
from nn.init import generator_of

__all__ = ["Subset", "random_split", "stratified_split"]


class Subset:
    """Some samples of a dataset: ``subset[i]`` is ``dataset[indices[i]]``.

    A slice or an array `i` passes an array of indices to the dataset, which a `TensorDataset` or an
    array of rows accepts.

    Parameters
    ----------
    dataset : sequence
        The whole dataset.
    indices : array_like of int
        The samples of the subset, shape (samples,).

    Raises
    ------
    IndexingError
        If an index is outside of the dataset.
    ArgumentError
        If an index is negative.
    DTypeError
        If the indices are not integers.
    ShapeError
        If the indices do not have one axis.

    Examples
    --------
    >>> import numpy as np, nn
    >>> subset = nn.Subset(np.array([10, 11, 12, 13]), [3, 1])
    >>> len(subset), subset[0], subset[:]
    (2, np.int64(13), array([13, 11]))
    """

    def __init__(self, dataset: Any, indices: Any) -> None:
        self.dataset = dataset
        self.indices = checked_indices("Subset", indices)
        if len(self.indices) and self.indices.max() >= len(dataset):
            raise IndexingError(
                f"Subset: index {self.indices.max()} of a dataset of {len(dataset)} samples"
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: Any) -> Any:
        rows = self.indices[i]
        return self.dataset[rows if rows.ndim else int(rows)]


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """A dataset in random parts that do not overlap.

    Parameters
    ----------
    dataset : sequence
        The whole dataset.
    lengths : sequence of int or float
        Numbers of samples that sum to ``len(dataset)``, or shares that sum to 1, for each part. A
        share s gives floor(s len(dataset)) samples, and the samples that remain are given one each
        to the parts from the first on, as in PyTorch.
    generator : int or numpy.random.Generator, optional
        A seed, or a generator. By default, a new generator.

    Returns
    -------
    list of Subset
        The parts.

    Raises
    ------
    ArgumentError
        If `lengths` are not such numbers.

    See Also
    --------
    stratified_split : Parts with the same share of each class.

    Examples
    --------
    >>> import numpy as np, nn
    >>> train, test = nn.random_split(np.arange(10), [0.75, 0.25], generator=0)
    >>> len(train), len(test)
    (8, 2)
    """
    counts = _counts(len(dataset), lengths)
    order = generator_of(generator).permutation(len(dataset))
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(counts)[:-1])]


def stratified_split(
    dataset: Any, lengths: Sequence[float], labels: Any, generator: Any = None
) -> list[Subset]:
    """A dataset in random parts, with close to the same share of each class in every part.

    The parts have exactly the lengths of `random_split`. Of the n samples of a class, a part with
    the share s of the dataset has n s to within 1 + s (parts - 2): to within 1 for two parts.

    Parameters
    ----------
    dataset : sequence
        The whole dataset.
    lengths : sequence of int or float
        The numbers or the shares of the samples of each part, as at `random_split`.
    labels : array_like
        The class of each sample, shape (len(dataset),): integers, booleans or strings.
    generator : int or numpy.random.Generator, optional
        A seed, or a generator. By default, a new generator.

    Returns
    -------
    list of Subset
        The parts.

    Raises
    ------
    ArgumentError
        If `lengths` sum neither to the number of samples nor to 1.
    ShapeError
        If there are not as many labels as samples.
    DTypeError
        If labels have another dtype.

    Examples
    --------
    >>> import numpy as np, nn
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> train, test = nn.stratified_split(labels, [0.8, 0.2], labels, generator=0)
    >>> np.bincount(test[:])
    array([18,  2])
    """
    counts = _counts(len(dataset), lengths)
    classes = classes_of("stratified_split", labels)
    if len(classes) != len(dataset):
        raise ShapeError(
            f"stratified_split: {len(classes)} labels for a dataset of {len(dataset)} samples"
        )
    generator = generator_of(generator)
    order = generator.permutation(len(classes))
    grouped = order[np.argsort(classes[order], kind="stable")]
    # the parts take turns along the samples grouped by class, so that each class, a piece of that
    # line, has its share of every part
    parts = np.repeat(np.arange(len(counts)), counts)
    turns = parts[spread(parts, generator)]
    return [
        Subset(dataset, generator.permutation(grouped[turns == part]))
        for part in range(len(counts))
    ]


def _counts(total: int, lengths: Sequence[float]) -> list[int]:
    """The number of samples in each part."""
    given = list(lengths)
    if not given or any(isinstance(n, bool) or not isinstance(n, _NUMBERS) for n in given):
        raise ArgumentError(f"lengths are numbers of samples or shares, not {lengths!r}")
    if any(not n >= 0 for n in given):
        raise ArgumentError(f"lengths are not negative; they are {given}")
    if all(isinstance(n, int | np.integer) for n in given) and sum(given) == total:
        return [int(n) for n in given]
    if not math.isclose(sum(given), 1):
        raise ArgumentError(
            f"lengths sum to the number of samples, {total}, or as shares to 1; {given} sum to "
            f"{sum(given)}"
        )
    counts = [math.floor(total * share) for share in given]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    return counts


_NUMBERS = (int, float, np.integer, np.floating)
