"""Checks of devices that CuPy does not make."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.backend import device_of, is_array
from autograd_core.errors import DeviceError


def check_index(x: Any, index: Any) -> None:
    """Raise DeviceError if an array in `index` is not on the device of x. CuPy would silently copy
    an array from the host."""
    home = device_of(x)
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, np.bool_) or not (is_array(entry) or isinstance(entry, np.generic)):
            continue
        if device_of(entry) != home:
            raise DeviceError(
                f"a Tensor on {home} is indexed by an array on {device_of(entry)}; move the index "
                f"to {home} first: Tensor(index).to({home!r})"
            )


def check_value(x: Any, value: Any) -> None:
    """Raise DeviceError if `value`, to be written into x, is an array on another device."""
    if is_array(value) and device_of(value) != device_of(x):
        raise DeviceError(
            f"an array on {device_of(value)} cannot be written into a Tensor on {device_of(x)}; "
            f"move the array first: Tensor(value).to({device_of(x)!r})"
        )


def check_home(x: Any, gradient: Any, what: str) -> None:
    """Raise DeviceError if the gradient of the array x is not on the device of x. `what` is the
    subject of the message."""
    home, there = device_of(x), device_of(gradient)
    if home != there:
        raise DeviceError(
            f"backward: the Tensor is on {home}, but {what} is on {there}; move the gradient "
            f"first, as in .to({home!r})"
        )


def free_unused() -> None:
    """Free the cached memory of every device."""
    for index in range(len(backend.available_devices()) - 1) if backend.in_use() else ():
        module = backend.device_module()
        with module.cuda.Device(index):
            module.get_default_memory_pool().free_all_blocks()
