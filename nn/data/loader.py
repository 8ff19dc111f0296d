"""Mini-batches of a dataset."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.devices.memory import prefetched
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.tree import filled, leaves
from nn.data.datasets import TensorDataset, on_host, rows_on_host
from nn.init import generator_of

__all__ = ["DataLoader"]


class DataLoader:
    """Mini-batches of a dataset, as Tensors.

    A dataset has a length, and ``dataset[i]`` is sample i: it is a `TensorDataset`, an array of
    rows, or any sequence of samples. Samples are arrays, numbers, or tuples or dicts of these, and
    are stacked to batches, by `collate_fn` if given. With `shuffle`, each pass has a new order,
    drawn from `generator`: an int (a seed), a ``numpy.random`` generator, or None for a new
    generator. `drop_last` leaves out the last batch if it is smaller. On a CUDA `device`, the next
    batch is copied while the current one is used.

    >>> loader = DataLoader(TensorDataset(np.arange(6.0), np.arange(6)), batch_size=4)
    >>> [x.shape for x, y in loader]
    [(4,), (2,)]
    """

    @public
    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Any = None,
        device: str = "cpu",
    ) -> None:
        self.dataset = _dataset(dataset, batch_size)
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.generator = generator_of(generator)
        self.device = device
        length = len(self.dataset)
        if not length:
            raise ShapeError("DataLoader: the dataset is empty")
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size is a positive integer, not {batch_size}")
        if not len(self):
            raise ArgumentError(
                f"DataLoader: with drop_last, {length} samples give no batch of {self.batch_size}"
            )

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        order = np.arange(len(self.dataset))
        if self.shuffle:
            self.generator.shuffle(order)
        rows = (
            order[i : i + self.batch_size]
            for i in range(0, len(self) * self.batch_size, self.batch_size)
        )
        batches: deque[Any] = deque()  # batches whose arrays are being copied

        def arrays() -> Iterator[tuple[Any, ...]]:
            for each in rows:
                batches.append(self._batch(each))
                yield tuple(on_host(array) for _, array in leaves(batches[-1]))

        for copied in prefetched(arrays(), self.device):
            yield filled(batches.popleft(), map(Tensor, copied))

    def _batch(self, rows: Any) -> Any:
        dataset = self.dataset
        if self.collate_fn is None:
            if isinstance(dataset, np.ndarray):
                return dataset.take(rows, axis=0)
            if isinstance(dataset, TensorDataset):
                return tuple(array.take(rows, axis=0) for array in dataset.tensors)
        return (self.collate_fn or _stacked)([dataset[i] for i in rows.tolist()])


def _dataset(given: Any, batch_size: Any) -> Any:
    """The dataset of a `DataLoader`; raises TypeError for an object that is not a dataset."""
    if not isinstance(batch_size, int | np.integer):
        raise TypeError(
            f"DataLoader: batch_size is a {type(batch_size).__name__}, not an int. For several "
            "arrays write DataLoader(TensorDataset(x, y), batch_size=32)"
        )
    if given is None or isinstance(given, Tensor) or backend.is_array(given):
        return rows_on_host("DataLoader: the dataset", given)
    if not (hasattr(given, "__len__") and hasattr(given, "__getitem__")):
        raise TypeError(
            f"DataLoader takes a dataset with len(dataset) and dataset[i], not a "
            f"{type(given).__name__}; write TensorDataset(x, y), or list(samples)"
        )
    return given


def _stacked(samples: list[Any]) -> Any:
    """A batch with the structure of a sample, in which the arrays of the samples are stacked."""
    rows = [{path: on_host(leaf) for path, leaf in leaves(sample)} for sample in samples]
    first = rows[0]
    for row in rows:
        if row.keys() != first.keys():
            raise _unstackable(f"one has arrays at {[*first]}, another at {[*row]}")
    try:
        return filled(samples[0], iter([np.stack([row[path] for row in rows]) for path in first]))
    except ValueError as error:
        raise _unstackable(error) from None


def _unstackable(reason: Any) -> ShapeError:
    return ShapeError(f"DataLoader cannot stack the samples: {reason}. Give a collate_fn")
