"""Data: one-hot labels, mini-batches, and the MNIST files."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from operator import index
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.devices.memory import prefetched
from autograd_core.engine.state import hunting
from autograd_core.errors import AutogradError, DeviceError, DTypeError, ShapeError
from nn.initializers import generator_of

__all__ = ["MNIST", "Batches", "DataError", "one_hot", "read_idx", "read_mnist"]


class DataError(AutogradError, OSError):
    """A data file that is missing, truncated or not the one that is meant."""


def one_hot(labels: Any, num_classes: int, dtype: Any = np.float64) -> Any:
    """Labels as rows with a 1 at the label's place: (…,) integers in, (…, num_classes) out.

    An array gives an array, a Tensor a Tensor, on the device of the labels. Raises DTypeError for
    labels that are not integers, and AutogradError for one out of range; on a device that is seen
    inside `detect_anomaly` only, because to look is to wait.

    >>> one_hot(np.array([1, 0, 2]), 3)
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 1.]])
    """
    if isinstance(labels, Tensor):
        return Tensor(one_hot(labels.data, num_classes, dtype))
    labels = labels if backend.is_array(labels) else np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"labels are integers; these are {labels.dtype}: labels.astype(int)")
    if readable(labels) and labels.size and not _within(labels, num_classes):
        raise AutogradError(
            f"labels must be in [0, {num_classes}); these are in [{labels.min()}, {labels.max()}]"
        )
    return backend.run_there(labels, _rows, labels, num_classes, dtype)


def readable(array: Any) -> bool:
    """Whether values are looked at: those on a device inside `detect_anomaly` only."""
    return isinstance(array, np.ndarray) or hunting()


def _rows(labels: Any, num_classes: int, dtype: Any) -> Any:
    classes = backend.module_of(labels).arange(num_classes)
    return (labels[..., None] == classes).astype(dtype)


def _within(labels: Any, num_classes: int) -> bool:
    return bool(labels.min() >= 0 and labels.max() < num_classes)


class Batches:
    """Arrays of one length, cut into mini-batches of Tensors; reshuffled on every pass.

    `batch_size` 0 takes all rows at once. `generator` draws the order: an int to seed a generator
    of its own, or a ``numpy.random`` generator to share. `drop_last` leaves out a smaller last
    batch. On a CUDA `device` the next batch is copied while the present one is used.

    >>> rows = Batches(np.arange(6.0), batch_size=4, shuffle=False)
    >>> [batch.shape for (batch,) in rows]
    [(4,), (2,)]
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int,
        shuffle: bool = True,
        generator: Any = 0,
        drop_last: bool = False,
        device: str = "cpu",
    ) -> None:
        self.arrays = tuple(_rows_on_host(place, array) for place, array in enumerate(arrays))
        lengths = {len(array) for array in self.arrays}
        if len(lengths) != 1:
            raise ShapeError(f"the arrays must have one length; they have {sorted(lengths)}")
        self.length = lengths.pop()
        batch_size = index(batch_size)
        if not self.length:
            raise ShapeError("there are no rows to make batches of")
        if not 0 <= batch_size <= self.length:
            raise AutogradError(
                f"a batch size is between 1 and the number of rows, {self.length}, or 0 for all "
                f"of them; it is {batch_size}"
            )
        self.batch_size = batch_size or self.length
        self.shuffle = shuffle
        self.generator = generator_of(generator)
        self.drop_last = drop_last
        self.device = device

    def __len__(self) -> int:
        whole, rest = divmod(self.length, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = np.arange(self.length)
        if self.shuffle:
            self.generator.shuffle(order)
        batches = (
            tuple(array.take(order[i : i + self.batch_size], axis=0) for array in self.arrays)
            for i in range(0, len(self) * self.batch_size, self.batch_size)
        )
        for batch in prefetched(batches, self.device):
            yield tuple(map(Tensor, batch))


def _rows_on_host(place: int, array: Any) -> Any:
    if array is None:
        raise DTypeError(f"Batches: array {place} is None; expected an array of rows")
    if isinstance(array, Tensor):
        array = array.numpy()
    elif backend.is_array(array) and not isinstance(array, np.ndarray):
        raise DeviceError(
            "Batches draws rows on the host: pass host arrays, and device= for where they go"
        )
    array = np.asarray(array)
    backend.check_dtype(array.dtype)
    if not array.ndim:
        raise ShapeError("Batches takes arrays of rows; a single number has none")
    return array


# ---- MNIST --------------------------------------------------------------------------------------


class MNIST(NamedTuple):
    """The 70,000 images, uint8 of shape (60000, 784) and (10000, 784), and their labels, uint8."""

    train_images: Any
    train_labels: Any
    test_images: Any
    test_labels: Any


# name: number of unpacked bytes and their SHA-256 (people hold .gz files made at other levels)
FILES = {
    "train-images-idx3-ubyte": (
        47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (
        60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (
        7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (
        10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}  # fmt: skip
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def read_mnist(folder: str | Path) -> MNIST:
    """The four MNIST files of `folder` (LeCun, Cortes and Burges), packed with gzip or not.

    Raises DataError where a file is missing, truncated or altered; nothing is written.
    """
    arrays = [_read_checked(Path(folder), name) for name in FILES]
    images, labels, test_images, test_labels = arrays
    return MNIST(images.reshape(-1, 784), labels, test_images.reshape(-1, 784), test_labels)


def _read_checked(folder: Path, name: str) -> Any:
    size, digest = FILES[name]
    path = next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)
    how = f"Get it from {MIRROR}{name}.gz"
    if path is None:
        raise DataError(f"{folder / name}.gz is missing (nor is there a {name}). {how}")
    content = _unpacked(path, how)
    if len(content) != size:
        raise DataError(f"{path}: expected {size:,} bytes unpacked, found {len(content):,}. {how}")
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise DataError(f"{path} is altered: expected SHA-256 {digest}, found {found}. {how}")
    return read_idx(content)


def _unpacked(path: Path, how: str) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: expected a whole gzip file, found: {error}. {how}") from error


def read_idx(content: bytes) -> Any:
    """The array in an IDX file of unsigned bytes: two zero bytes, the type 8, the number of axes,
    their lengths as big-endian 32-bit integers, then the elements in C order."""
    if content[:3] != b"\0\0\x08":
        raise DataError(f"an IDX file of bytes starts with 00 00 08, this with {content[:3].hex()}")
    ndim = content[3]
    shape = np.frombuffer(content, ">u4", count=ndim, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)
