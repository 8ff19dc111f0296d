"""The MNIST files, and their format, IDX."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_core.errors import AutogradError

__all__ = ["MNIST", "DataError", "read_idx", "read_mnist"]


class DataError(AutogradError, OSError):
    """A data file that is missing, truncated or altered.

    Examples
    --------
    >>> import nn
    >>> try:
    ...     nn.read_csv("missing.csv")
    ... except nn.DataError as error:
    ...     print(error)
    missing.csv is missing
    """


class MNIST(NamedTuple):
    """The 70,000 images and labels of MNIST, as `read_mnist` returns them.

    Parameters
    ----------
    train_images : array
        The images of the training, uint8 of shape (60000, 784).
    train_labels : array
        Their labels, uint8 of shape (60000,).
    test_images : array
        The images of the test, uint8 of shape (10000, 784).
    test_labels : array
        Their labels, uint8 of shape (10000,).

    Examples
    --------
    >>> import nn
    >>> nn.MNIST._fields
    ('train_images', 'train_labels', 'test_images', 'test_labels')
    """

    train_images: Any
    train_labels: Any
    test_images: Any
    test_labels: Any


# name: number of unpacked bytes and their SHA-256 (not of the .gz files, whose
# compression levels vary)
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
TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # the third byte
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def read_mnist(folder: str | Path) -> MNIST:
    """The four MNIST files of a folder (LeCun, Cortes and Burges). Nothing is written.

    Parameters
    ----------
    folder : str or Path
        The folder with the files, such as train-images-idx3-ubyte.gz, compressed with gzip or not.

    Returns
    -------
    MNIST
        The images and labels.

    Raises
    ------
    DataError
        If a file is missing, truncated or altered.

    Examples
    --------
    >>> import nn
    >>> try:
    ...     data = nn.read_mnist("mnist")
    ... except nn.DataError as error:
    ...     print("Missing:", str(error).partition(" is missing")[0])
    Missing: mnist/train-images-idx3-ubyte.gz
    """
    arrays = [_read_checked(Path(folder), name) for name in FILES]
    images, labels, test_images, test_labels = arrays
    return MNIST(images.reshape(-1, 784), labels, test_images.reshape(-1, 784), test_labels)


def _read_checked(folder: Path, name: str) -> Any:
    size, digest = FILES[name]
    path = next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)
    how = f"Get it from {MIRROR}{name}.gz"
    if path is None:
        raise DataError(f"{folder / name}.gz is missing, and so is {name}. {how}")
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
    """The array in the bytes of an IDX file, the format of MNIST.

    Parameters
    ----------
    content : bytes
        Two zero bytes, a byte for the type (8 uint8, 9 int8, 0B int16, 0C int32, 0D float32, 0E
        float64, in hexadecimal), the number of axes, their lengths as big-endian 32-bit integers,
        then the elements in C order, big-endian.

    Returns
    -------
    array
        The elements, in the byte order of the machine.

    Raises
    ------
    DataError
        If the content is other than this, or there are more or fewer bytes.

    Examples
    --------
    >>> import nn
    >>> nn.read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if content[:2] != b"\0\0" or len(content) < 4 or content[2] not in TYPES:
        types = ", ".join(f"{code:02x}" for code in TYPES)
        raise DataError(
            "an IDX file starts with 0000, a type and the number of axes, not with "
            f"{content[:4].hex() or 'nothing'}; types are {types}"
        )
    dtype, ndim = np.dtype(TYPES[content[2]]), content[3]
    start = 4 + 4 * ndim
    if len(content) < start:
        raise DataError(
            f"an IDX file of {ndim} axes starts with {start} bytes, found {len(content)}"
        )
    shape = tuple(np.frombuffer(content, ">u4", count=ndim, offset=4).tolist())
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise DataError(
            f"an IDX file of {dtype.newbyteorder('=')} of shape {shape} has {expected:,} bytes, "
            f"found {len(content):,}"
        )
    try:
        elements = np.frombuffer(content, dtype, offset=start).reshape(shape)
    except ValueError as error:  # no elements, or too many axes
        raise DataError(f"an IDX file of the shape {shape}: {error}") from error
    return elements.astype(dtype.newbyteorder("="))
