"""Mini-batches of a dataset."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.devices.memory import prefetched
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.tree import filled, leaves
from nn.data.datasets import TensorDataset, on_host, rows_on_host
from nn.data.splits import Subset
from nn.distributed.world import RankError
from nn.generators import set_state, state_of, with_state
from nn.init import generator_of

__all__ = ["DataLoader"]


class DataLoader:
    """Mini-batches of a dataset, as Tensors.

    A dataset has a length, and ``dataset[i]`` is sample i. Samples are arrays, numbers, or tuples
    or dicts of these, and are stacked to batches. `state_dict` is the position in the current pass:
    after `load_state_dict` the next pass continues there, with the same order and the same draws.

    Parameters
    ----------
    dataset : sequence
        A `TensorDataset`, an array of rows (which may be mapped to memory), or any sequence of
        samples.
    batch_size : int, default 1
        The number of samples of a batch. The last batch of a pass may be smaller.
    shuffle : bool, default False
        If true, each pass has a new order.
    sampler : sequence of int or sampler, optional
        The order: indices, or an object whose ``indices(generator)`` returns those of a pass.
    transform : callable, or tuple or dict of callables, optional
        ``transform(batch, draws)`` is called with the stacked arrays and `draws`, the random
        numbers of each example in this pass (`Draws`). They do not depend on the batch that the
        example is in; with a `sampler`, they are those of each place of the pass. A tuple or dict
        of transforms and None is for the parts of a batch.
    collate_fn : callable, optional
        The function that makes a batch of a list of samples, in place of stacking.
    drop_last : bool, default False
        If true, the last batch is left out if it is smaller.
    generator : int or numpy.random.Generator, optional
        A seed, or a generator, for the order and the draws. By default, a new generator.
    num_workers : int, default 0
        The number of threads that make batches in advance.
    prefetch_factor : int, default 2
        Up to ``num_workers * prefetch_factor`` batches are made in advance.
    shard : (int, int) or Group, default (0, 1)
        ``(i, n)`` gives part i of n of the order, for loaders with the same generator. With
        ``world()`` of `nn.distributed`, each rank has a part of the order of rank 0, and all ranks
        begin a pass together.
    even : bool, default True
        If true, all parts of a shard have the same length, for which the order is continued at its
        start if need be. If false, no sample is given twice, as an evaluation needs it.
    device : str, default 'cpu'
        Where the batches are. For a CUDA device, the next batch is copied while the current one is
        used.

    Raises
    ------
    TypeError
        If `dataset` has no length or no items, or `batch_size` is not an integer.
    ShapeError
        If the dataset is empty; in a pass, if samples cannot be stacked.
    ArgumentError
        If a number is outside its range, if there is a `sampler` and `shuffle`, or if there is no
        batch with `drop_last`.
    DTypeError
        If the dataset is None, or an array of anything else than numbers and booleans.
    DeviceError
        If the dataset is an array on a device; in a pass, if there is no such `device`.
    RankError
        In a pass, if the ranks have different samples.

    Examples
    --------
    >>> import numpy as np, nn
    >>> data = nn.TensorDataset(np.arange(6.0), np.arange(6))
    >>> for x, y in nn.DataLoader(data, batch_size=4):
    ...     print(x, y)
    Tensor([0., 1., 2., 3.]) Tensor([0, 1, 2, 3])
    Tensor([4., 5.]) Tensor([4, 5])

    In a random order, which a seed makes the same in every run:

    >>> list(nn.DataLoader(np.arange(6.0), 2, shuffle=True, generator=0))
    [Tensor([3., 2.]), Tensor([5., 4.]), Tensor([0., 1.])]
    """

    @public
    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        sampler: Any = None,
        transform: Any = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Any = None,
        num_workers: int = 0,
        prefetch_factor: int = 2,
        shard: Any = (0, 1),
        even: bool = True,
        device: str = "cpu",
    ) -> None:
        self.dataset = _dataset(dataset, batch_size)
        self.batch_size = int(batch_size)
        self.shuffle, self.sampler = shuffle, sampler
        self.transform, self.collate_fn = transform, collate_fn
        self.drop_last = drop_last
        self.generator = generator_of(generator)
        self.even = even
        self.ranks = None if isinstance(shard, tuple) else shard
        if self.ranks is not None:
            set_state(self.generator, self.ranks.same(state_of(self.generator)))
            shard = shard.rank, shard.size
        self.num_workers, self.prefetch_factor = num_workers, prefetch_factor
        self.shard: tuple[int, int] = shard
        self.device = device
        self.seed = 0 if transform is None else int(self.generator.integers(1 << 62))
        self.epoch = 0  # passes that have ended
        self.batch = 0  # batches of the current pass that were given out
        self._before: Any = None  # the state of the generator at the start of the current pass
        self._continues = False  # a state was loaded
        self._current: object = None  # of several iterators, the last one counts
        self._check()

    def _check(self) -> None:
        if self.batch_size < 1:
            raise ArgumentError(f"batch_size is a positive integer, not {self.batch_size}")
        for name, least in (("num_workers", 0), ("prefetch_factor", 1)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise ArgumentError(
                    f"DataLoader: {name} is an integer, at least {least}, not {value}"
                )
        part, count = self.shard
        if not 0 <= part < count:
            raise ArgumentError(f"DataLoader: shard is (i, n) with 0 <= i < n, not {(part, count)}")
        if self.sampler is not None and self.shuffle:
            raise ArgumentError("DataLoader: a sampler decides the order; leave out shuffle=True")
        length = self._length()
        if not length and self.even:
            raise ShapeError("DataLoader: the dataset is empty")
        if not len(self) and self.even:
            raise ArgumentError(
                f"DataLoader: with drop_last, {length} samples give no batch of {self.batch_size}"
            )

    def _length(self) -> int:
        """The number of samples of a pass."""
        part, count = self.shard
        return -(-self._whole() // count) if self.even else len(range(part, self._whole(), count))

    def _whole(self) -> int:
        """The number of samples of a pass of all parts."""
        return len(self.dataset if self.sampler is None else self.sampler)

    def _size(self) -> tuple[int, int]:
        """What a state must fit: the number of samples, and the size of the batches."""
        return self._length() if self.even else self._whole(), self.batch_size

    def __len__(self) -> int:
        whole, rest = divmod(self._length(), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def _order(self, generator: Any) -> Any:
        """The samples of a pass."""
        if self.sampler is None:
            order = np.arange(len(self.dataset))
            if self.shuffle:
                generator.shuffle(order)
        elif hasattr(self.sampler, "indices"):
            order = np.asarray(self.sampler.indices(generator))
        else:
            order = np.asarray(list(self.sampler), np.int64)
        part, count = self.shard
        if count == 1:
            return order
        if self.ranks is not None:
            self.ranks.agree(f"a pass of a DataLoader over {len(order)} samples")
            order, names = self.ranks.same((order, self._names()))
            if names != self._names():
                raise RankError(
                    "DataLoader: the ranks have different samples: give random_split and others a "
                    "generator=, such as 0"
                )
        return (
            np.resize(order, self._length() * count)[part::count]
            if self.even
            else (order[part::count])
        )

    def _names(self) -> str:
        """What tells the samples of a subset from others."""
        dataset, digest = self.dataset, sha256()
        while isinstance(dataset, Subset):
            digest.update(np.asarray(dataset.indices, np.int64).tobytes())
            dataset = dataset.dataset
        return digest.hexdigest()

    def __iter__(self) -> Iterator[Any]:
        if self._continues:
            order = self._order(with_state(self.generator, self._before))
        else:
            if self._before is not None:  # the pass before was left half-way
                self.epoch += 1
            self.batch, self._before = 0, state_of(self.generator)
            order = self._order(self.generator)
        self._continues = False
        mine = self._current = object()
        size, first = self.batch_size, self.batch
        # of the draws of the examples; a sampler may give an example several times
        part, count = self.shard
        keys = order if self.sampler is None else np.arange(len(order)) * count + part
        parts = (slice(i * size, (i + 1) * size) for i in range(first, len(self)))
        rows = [(order[part], keys[part]) for part in parts]
        for number, batch in enumerate(self._batches(rows, self.epoch), first + 1):
            if self._current is mine:
                self.batch = number
            yield batch
        if self._current is mine:
            self.epoch, self.batch, self._before = self.epoch + 1, 0, None

    def _batches(self, rows: list[Any], epoch: int) -> Iterator[Any]:
        """The batches of these rows, as Tensors on the device."""
        batches: deque[Any] = deque()  # batches whose arrays are being copied

        def arrays() -> Iterator[tuple[Any, ...]]:
            for batch in self._made(rows, epoch):
                batches.append(batch)
                yield tuple(on_host(array) for _, array in leaves(batch))

        for copied in prefetched(arrays(), self.device):
            yield filled(batches.popleft(), map(Tensor, copied))

    def _made(self, rows: list[Any], epoch: int) -> Iterator[Any]:
        """The batches of these rows, made in advance if there are threads."""
        if not self.num_workers:
            yield from (self._batch(samples, keys, epoch) for samples, keys in rows)
            return
        from concurrent.futures import ThreadPoolExecutor  # slow to import

        waiting: deque[Any] = deque()
        with ThreadPoolExecutor(self.num_workers, "DataLoader") as pool:
            try:
                for samples, keys in rows:
                    waiting.append(pool.submit(self._batch, samples, keys, epoch))
                    if len(waiting) > self.num_workers * self.prefetch_factor:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _batch(self, rows: Any, keys: Any, epoch: int) -> Any:
        batch = self._stacked(rows)
        if self.transform is None:
            return batch
        return _transformed(self.transform, batch, (self.seed, epoch, keys))

    def _stacked(self, rows: Any) -> Any:
        dataset = self.dataset
        if self.collate_fn is None:
            while isinstance(dataset, Subset):
                dataset, rows = dataset.dataset, dataset.indices[rows]
            if isinstance(dataset, np.ndarray):
                return dataset.take(rows, axis=0)
            if isinstance(dataset, TensorDataset):
                return tuple(array.take(rows, axis=0) for array in dataset.tensors)
        if hasattr(dataset, "__getitems__"):  # of PyTorch and of datasets: all rows at once
            samples = dataset.__getitems__(rows.tolist())
        else:
            samples = [_sample(dataset, i) for i in rows.tolist()]
        return (self.collate_fn or _stacked)(samples)

    def state_dict(self) -> dict[str, Any]:
        """The position in the current pass.

        Returns
        -------
        dict
            The number of the pass, the batches of it that were given out, and the states of the
            generator now and at the start of the pass.
        """
        now = state_of(self.generator)
        before = now if self._before is None else self._before
        return {
            "epoch": self.epoch, "batch": self.batch, "seed": self.seed, "before": before,
            "generator": now, "samples": self._size()[0], "batch_size": self.batch_size,
        }  # fmt: skip

    def restarted(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The state at the start of the pass of a state of a loader for another part of the same
        samples: the number of parts may differ."""
        begun = {"batch": 0, "generator": state["before"], "samples": self._size()[0]}
        return {**state, **begun}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue at a position that `state_dict` returned.

        An iterator of before does not change the position any more.

        Parameters
        ----------
        state : dict
            The position of a loader of the same dataset and batches.

        Raises
        ------
        ArgumentError
            If the state is incomplete, or of another number of samples or size of batches.
        """
        missing = {"epoch", "batch", "seed", "before", "generator"} - state.keys()
        if missing:
            raise ArgumentError(f"DataLoader.load_state_dict: the state lacks {sorted(missing)}")
        there = state.get("samples"), state.get("batch_size")
        if there != self._size():
            raise ArgumentError(
                f"DataLoader: the state is of {there[0]} samples in batches of {there[1]}; this "
                f"loader has {self._size()[0]} in batches of {self.batch_size}"
            )
        set_state(self.generator, state["generator"])
        self.epoch, self.batch, self.seed = state["epoch"], state["batch"], state["seed"]
        self._before = state["before"]
        self._continues = self.batch > 0
        if not self._continues:
            self._before = None
        self._current = None


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


def _sample(dataset: Any, i: int) -> Any:
    try:
        return dataset[i]
    except Exception as error:
        error.add_note(f"DataLoader: raised by item {i} of the dataset")
        raise


def _transformed(transform: Any, batch: Any, key: tuple[int, int, Any]) -> Any:
    """A batch after a transform, or after those of its parts, which see the same draws."""
    from nn.data.draws import Draws

    if transform is None:
        return batch
    if callable(transform):
        return transform(batch, Draws(*key))
    if isinstance(transform, Mapping):
        changed = {name: _transformed(each, batch[name], key) for name, each in transform.items()}
        return {**batch, **changed}
    return tuple(_transformed(*pair, key) for pair in zip(transform, batch, strict=True))


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
    return ShapeError(
        f"DataLoader cannot stack the samples: {reason}. Give a collate_fn; arrays of inputs and "
        "targets are a dataset as nn.TensorDataset(inputs, targets)"
    )
