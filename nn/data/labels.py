"""One-hot labels, and the range of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.state import hunting
from autograd_core.errors import ArgumentError, DTypeError

__all__ = ["one_hot"]


def one_hot(labels: Any, num_classes: int, dtype: Any = np.float64) -> Any:
    """One-hot labels: a 1 at the index given by each label and 0 elsewhere.

    Parameters
    ----------
    labels : array_like or Tensor of int
        Labels 0, …, num_classes - 1, shape (…,).
    num_classes : int
        The number of classes.
    dtype : dtype, default float64
        The dtype of the result.

    Returns
    -------
    array or Tensor
        Shape (…, num_classes), on the device of the labels: a Tensor for a Tensor, else an array.

    Raises
    ------
    DTypeError
        If the labels are not integers.
    ArgumentError
        If a label is out of range. Labels on a device are checked only inside `detect_anomaly`,
        because reading the values requires a synchronization.

    Examples
    --------
    >>> import nn
    >>> nn.one_hot([1, 0, 2], 3)
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 1.]])
    """
    if isinstance(labels, Tensor):
        return Tensor(one_hot(labels.data, num_classes, dtype))
    labels = labels if backend.is_array(labels) else np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"labels must be integers, not {labels.dtype}; write labels.astype(int)")
    check_labels(labels, num_classes)
    return backend.run_there(labels, _rows, labels, num_classes, dtype)


def check_labels(labels: Any, num_classes: int) -> None:
    """Raise ArgumentError for a label outside [0, num_classes). Labels that are not `readable` are
    not checked."""
    array = labels.data if isinstance(labels, Tensor) else labels
    if readable(array) and array.size and not _within(array, num_classes):
        raise ArgumentError(
            f"labels must be in [0, {num_classes}); these are in [{array.min()}, {array.max()}]"
        )


def readable(array: Any) -> bool:
    """True if the values may be read for validation: always for host arrays, and for device arrays
    only inside `detect_anomaly`."""
    return backend.on_host(array) or hunting()


def _rows(labels: Any, num_classes: int, dtype: Any) -> Any:
    classes = backend.module_of(labels).arange(num_classes)
    return (labels[..., None] == classes).astype(dtype)


def _within(labels: Any, num_classes: int) -> bool:
    return bool(labels.min() >= 0 and labels.max() < num_classes)
