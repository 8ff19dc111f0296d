"""Arrays and where they live: NumPy on the host, CuPy on a device.

The only file that may name `cupy`, and it never imports it by itself: a CuPy array that reaches us
has been made by somebody who did.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

from autograd_core.errors import DeviceError, DTypeError, ShapeError

__all__ = [
    "as_array",
    "asarray",
    "asnumpy",
    "device_of",
    "is_array",
    "keep_heap",
    "operand",
    "to_device",
]

# What may stand beside a Tensor in an operation as it is. Anything else goes through `operand`.
PLAIN: frozenset[type] = frozenset({bool, int, float, complex, type(None), np.ndarray})


def is_array(value: Any) -> bool:
    """Whether `value` is an array of a backend: on the host or on a device."""
    return isinstance(value, np.ndarray)


def as_array(result: Any) -> Any:
    """A kernel's result as an array. NumPy returns scalars where an array has no axes left."""
    if is_array(result):
        return result
    if isinstance(result, np.generic):
        return np.asarray(result)
    raise TypeError(f"a kernel must return an array; it returned {type(result).__name__}")


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Any:
    """`data` as an array that a Tensor can hold: shared where it is one already, else converted."""
    if is_array(data) and dtype is None:
        array = data
    else:
        try:
            array = np.asarray(data, dtype=dtype)
        except ValueError as error:
            raise ShapeError(f"no array can be made of this data: {error}") from error
    _check_dtype(array.dtype)
    return array if device is None else to_device(array, device)


def operand(value: Any) -> Any:
    """What stands beside a Tensor in an operation, as an array or a NumPy scalar."""
    if is_array(value) or isinstance(value, np.generic | bool | int | float | complex):
        return value
    return asarray(value)


def _check_dtype(dtype: Any) -> None:
    if dtype.kind not in "biufc":
        raise DTypeError(
            f"a Tensor holds booleans, integers, floats or complex numbers; this data has dtype "
            f"{dtype}. Are all its rows of one length, and all entries numbers?"
        )


def device_of(array: Any) -> str:
    """The device's name: ``"cpu"``, or ``"cuda:0"`` and so on."""
    return "cpu"


def to_device(array: Any, device: str) -> Any:
    """`array` on `device`: itself where it is there already, else a copy."""
    if device == "cpu":
        return array
    raise DeviceError(f"there is no device {device!r} here; available: cpu")


def asnumpy(array: Any) -> Any:
    """`array` on the host."""
    return array


def keep_heap() -> bool:
    """Tell glibc to keep freed memory instead of handing it back to the system.

    A fresh page costs about 1 µs; a graph of arrays of 10⁴ to 10⁵ elements spends more on pages
    than on arithmetic, and runs about twice as fast with this setting. It lasts for the process.
    Returns whether it took effect (False where the C library is not glibc).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    mmap_threshold, trim_threshold, top_pad = -3, -1, -2  # glibc's malloc.h
    settings = ((mmap_threshold, 1 << 30), (trim_threshold, (1 << 31) - 1), (top_pad, 64 << 20))
    taken = [mallopt(option, value) == 1 for option, value in settings]
    return all(taken)
