"""Datasets: objects with a length, of which ``dataset[i]`` is sample i."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.errors import DeviceError, DTypeError, ShapeError

__all__ = ["TensorDataset"]


class TensorDataset:
    """A dataset of arrays of the same length on the host. Sample i is the tuple of their rows i.

    Parameters
    ----------
    *arrays : array_like or Tensor
        The arrays, such as inputs and targets. Row i of each belongs to sample i.

    Raises
    ------
    ShapeError
        If there is no array, the lengths differ, or an array is a single number.
    DTypeError
        If an array is None or holds anything else than numbers and booleans.
    DeviceError
        If an array is on a device.

    Examples
    --------
    >>> import numpy as np, nn
    >>> data = nn.TensorDataset(np.zeros((5, 3)), np.arange(5))
    >>> len(data)
    5
    >>> data[2]
    (array([0., 0., 0.]), np.int64(2))
    """

    def __init__(self, *arrays: Any) -> None:
        self.tensors = tuple(
            rows_on_host(f"TensorDataset: array {i}", a) for i, a in enumerate(arrays)
        )
        lengths = sorted({len(array) for array in self.tensors})
        if len(lengths) != 1:
            raise ShapeError(f"the arrays must have the same length; they have {lengths}")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, rows: Any) -> tuple[Any, ...]:
        return tuple(array[rows] for array in self.tensors)


def on_host(array: Any) -> Any:
    return array.numpy() if isinstance(array, Tensor) else np.asarray(array)


def rows_on_host(role: str, array: Any) -> Any:
    if array is None:
        raise DTypeError(f"{role} is None; expected an array of rows")
    held = array.data if isinstance(array, Tensor) else array
    if backend.is_array(held) and not isinstance(held, np.ndarray):
        raise DeviceError(
            f"{role} is on {backend.device_of(held)}, but rows are drawn on the host: pass host "
            "arrays, or tensor.cpu(). For batches on a device write DataLoader(…, device=…)"
        )
    array = on_host(array)
    backend.check_dtype(array.dtype)
    if not array.ndim:
        raise ShapeError(f"{role} is a single number; expected an array of rows")
    return array
