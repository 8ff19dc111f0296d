"""Arrays and where they live: NumPy on the host, CuPy on a device.

The only file that names `cupy`, and it imports it only for somebody who asks for a device: a CuPy
array that reaches us has been made by somebody who did. Everything else is written with ``np.``
functions and operators, which NumPy's protocols carry to CuPy. What CuPy does differently is listed
in `DIFFERENCES`.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_core.errors import DeviceError, DTypeError, OutOfMemoryError, ShapeError

__all__ = [
    "as_array",
    "asarray",
    "asnumpy",
    "available_devices",
    "check_index",
    "check_value",
    "created",
    "device",
    "device_kept",
    "device_of",
    "follow",
    "from_dlpack",
    "in_use",
    "install",
    "is_array",
    "keep_heap",
    "module_of",
    "operand",
    "out_of_memory",
    "prefetched",
    "run_there",
    "to_device",
]

# What we do about the places where CuPy (14.2) differs from NumPy, beyond what its own errors say.
DIFFERENCES: dict[str, str] = {
    "host arrays in an index": "CuPy copies them silently; check_index refuses them",
    "host arrays assigned to elements": "CuPy copies some silently; check_value refuses them",
    "integer indices out of range": "CuPy wraps them around; to check would be to wait",
    "broadcast_to": "CuPy's result is writable memory shared by many elements; no rule writes to "
    "what it was given",
    "ufunc.at on complex numbers": "missing in CuPy; real and imaginary parts are added apart",
    "ones(like=…) and relatives": "fail on CuPy; kernels use the *_like functions",
    "np.errstate": "has no effect on a device; stable forms do not rely on it for their values",
    "random streams": "differ from NumPy's at the same seed; weights are drawn on the host",
}

# What may stand beside a Tensor in an operation as it is. Anything else goes through `operand`.
PLAIN: frozenset[type] = frozenset({bool, int, float, complex, type(None), np.ndarray})

_arrays: tuple[type, ...] = (np.ndarray,)
_module: Any = None  # CuPy, once it is needed
_wanted: ContextVar[str | None] = ContextVar("autograd_core device", default=None)


# ---- what is an array ---------------------------------------------------------------------------


def is_array(value: Any) -> bool:
    """Whether `value` is an array of a backend: on the host or on a device."""
    if isinstance(value, _arrays):
        return True
    if _module is None and type(value).__module__.split(".")[0] == "cupy":
        install(sys.modules["cupy"])
        return isinstance(value, _arrays)
    return False


def as_array(result: Any) -> Any:
    """A kernel's result as an array. NumPy returns scalars where an array has no axes left."""
    if is_array(result):
        return result
    if isinstance(result, np.generic):
        return np.asarray(result)
    raise TypeError(f"a kernel must return an array; it returned {type(result).__name__}")


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Any:
    """`data` as an array that a Tensor can hold: shared where it is one already, else converted.

    Data from the host goes to `device`, or to the device of an enclosing ``with device(...)``.
    """
    array = data
    if type(data) is np.ndarray and dtype is None and device is None and _wanted.get() is None:
        _check_dtype(data.dtype)
        return data
    if not is_array(data):
        try:
            array = np.asarray(data, dtype=dtype)
        except ValueError as error:
            raise ShapeError(f"no array can be made of this data: {error}") from error
        device = _wanted.get() if device is None else device
    elif type(data) is np.ndarray:
        device = _wanted.get() if device is None else device
    _check_dtype(array.dtype)
    if dtype is not None and array.dtype != dtype:
        array = array.astype(dtype)
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


# ---- devices ------------------------------------------------------------------------------------


def install(module: Any) -> None:
    """Use `module` as the array module of the devices ``"cuda:…"``: CuPy, or in the tests a strict
    stand-in for it. None takes it away."""
    global _arrays, _module
    _module = module
    _arrays = (np.ndarray,) if module is None else (np.ndarray, module.ndarray)


def device_module() -> Any:
    """CuPy, imported when a device is first asked for; a DeviceError where it finds no device."""
    if _module is None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError(
                f"a CUDA device needs CuPy, which cannot be imported here ({error}). Install the "
                "wheel of your CUDA version: pip install cupy-cuda12x or cupy-cuda13x"
            ) from error
        _count_devices(cupy)
        install(cupy)
    return _module


def _count_devices(module: Any) -> int:
    """How many CUDA devices there are: at least one."""
    try:
        count = int(module.cuda.runtime.getDeviceCount())
    except RuntimeError as error:  # CuPy's CUDARuntimeError
        reason = str(error)
    else:
        if count:
            return count
        reason = "there are none"
    raise DeviceError(
        f"CuPy finds no usable CUDA device: {reason}. Is there a GPU, and does its driver fit the "
        "CUDA version of the CuPy wheel?"
    )


def available_devices() -> list[str]:
    """The devices that Tensors can live on here, ``"cpu"`` first. Imports CuPy if it is there."""
    try:
        return ["cpu", *(f"cuda:{i}" for i in range(_count_devices(device_module())))]
    except DeviceError:
        return ["cpu"]


def _index(device: str) -> int | None:
    """The number of a CUDA device; None for the host."""
    kind, _, number = device.partition(":")
    if device == "cpu":
        return None
    if kind != "cuda" or not (number.isdecimal() or device == "cuda"):
        raise DeviceError(f"a device is 'cpu', 'cuda' or 'cuda:1' and so on, not {device!r}")
    module = device_module()
    count = _count_devices(module)
    index = int(number) if number else int(module.cuda.Device().id)
    if index >= count:
        raise DeviceError(f"there is no {device!r}; available: {', '.join(available_devices())}")
    return index


def device_of(array: Any) -> str:
    """The device's name: ``"cpu"``, or ``"cuda:0"`` and so on."""
    return "cpu" if isinstance(array, np.ndarray | np.generic) else f"cuda:{array.device.id}"


def module_of(array: Any) -> Any:
    """The array module that `array` belongs to: NumPy for anything on the host."""
    return _module if _module is not None and isinstance(array, _module.ndarray) else np


def created(name: str, device: str | None, *operands: Any, **settings: Any) -> Any:
    """A new array by NumPy's function of that name, or CuPy's where it is to live on a device."""
    wanted = _wanted.get() if device is None else device
    index = None if wanted is None else _index(wanted)
    if index is None:
        return as_array(getattr(np, name)(*operands, **settings))
    with _module.cuda.Device(index):
        try:
            function = getattr(_module, name)
        except AttributeError:  # made on the host, for want of it
            return _module.asarray(getattr(np, name)(*operands, **settings))
        return function(*operands, **settings)


def to_device(array: Any, device: str) -> Any:
    """`array` on `device`: itself where it is there already, else a copy."""
    index = _index(device)
    if index is None:
        return asnumpy(array)
    if device_of(array) == f"cuda:{index}":
        return array
    with _module.cuda.Device(index):
        return array.copy() if isinstance(array, _module.ndarray) else _module.asarray(array)


def from_dlpack(source: Any) -> Any:
    """Another library's array as one of ours, sharing its memory."""
    kind, _ = source.__dlpack_device__()
    cpu, cuda, cuda_managed = 1, 2, 13  # DLPack's device types
    if kind == cpu:
        return np.from_dlpack(source)
    if kind in (cuda, cuda_managed):
        return device_module().from_dlpack(source)
    raise DeviceError(f"DLPack device type {kind} is neither the host nor a CUDA device")


def asnumpy(array: Any) -> Any:
    """`array` on the host."""
    return array if isinstance(array, np.ndarray) else _module.asnumpy(array)


def in_use() -> bool:
    """Whether a device has been used in this process."""
    return _module is not None


def run_there(home: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """``function(*operands)`` while the device of the array `home` is the current one."""
    if _module is None or not isinstance(home, _module.ndarray):
        return function(*operands)
    index = home.device.id
    if index == _module.cuda.runtime.getDevice():
        return function(*operands)
    with _module.cuda.Device(index):
        return function(*operands)


def follow(array: Any) -> None:
    """Make the device of `array` the current one; nothing for an array on the host."""
    if isinstance(array, _module.ndarray):
        index = array.device.id
        if index != _module.cuda.runtime.getDevice():
            _module.cuda.Device(index).use()


@contextmanager
def device_kept() -> Iterator[None]:
    """The current device is afterwards the one that it was before."""
    with _module.cuda.Device():
        yield


def prefetched(batches: Iterable[tuple[Any, ...]], device: str) -> Iterator[tuple[Any, ...]]:
    """`batches` of host arrays on `device`; the next one travels while the present one is used.

    On a CUDA device each batch goes through pinned memory and a stream of its own.
    """
    index = _index(device)
    if index is None:
        yield from batches
        return
    module = _module
    with module.cuda.Device(index):
        stream = module.cuda.Stream(non_blocking=True)
    travelling = None
    for batch in batches:
        with module.cuda.Device(index):  # not around the yield: the caller has a device of his own
            following = _sent(batch, module, stream)
        if travelling is not None:
            yield _received(travelling, module, index)
        travelling = following
    if travelling is not None:
        yield _received(travelling, module, index)


def _sent(batch: tuple[Any, ...], module: Any, stream: Any) -> tuple[Any, ...]:
    """Start copying; returns (arrays on the device, pinned arrays to keep alive, event)."""
    pinned = [_pinned(array, module) for array in batch]
    with stream:
        arrays = tuple(module.empty(array.shape, array.dtype) for array in pinned)
        for target, source in zip(arrays, pinned, strict=True):
            target.set(source, stream=stream)
        event = stream.record()
    return arrays, pinned, event


def _received(sent: tuple[Any, ...], module: Any, index: int) -> tuple[Any, ...]:
    arrays, _, event = sent
    with module.cuda.Device(index):
        module.cuda.get_current_stream().wait_event(event)  # the device waits; the host goes on
    return arrays  # type: ignore[no-any-return]


def _pinned(array: Any, module: Any) -> Any:
    memory = module.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    pinned = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
    pinned[...] = array
    return pinned


@contextmanager
def device(name: str) -> Iterator[None]:
    """Inside, Tensors made of host data, layers' weights among them, live on device `name`.

    >>> import autograd_core as ac
    >>> with ac.device("cpu"):
    ...     ac.Tensor([1.0, 2.0]).device
    'cpu'
    """
    index = _index(name)
    token = _wanted.set(name)
    try:
        if index is None:
            yield
        else:
            with _module.cuda.Device(index):
                yield
    finally:
        _wanted.reset(token)


# ---- where CuPy is more lenient than we are -----------------------------------------------------


def check_index(x: Any, index: Any) -> None:
    """Refuse host arrays in the index of a device array: CuPy would copy them silently."""
    for entry in index if isinstance(index, tuple) else (index,):
        if isinstance(entry, np.ndarray | np.generic) and not isinstance(entry, np.bool_):
            raise DeviceError(
                f"a Tensor on {device_of(x)} is indexed by an array on the host; move the index "
                f"there once: Tensor(index).to({device_of(x)!r})"
            )


def check_value(x: Any, value: Any) -> None:
    """Refuse a host array as what is written into a device array."""
    if isinstance(value, np.ndarray):
        raise DeviceError(
            f"a host array cannot be written into a Tensor on {device_of(x)}; move it there first: "
            f"Tensor(value).to({device_of(x)!r})"
        )


def out_of_memory(error: Exception) -> OutOfMemoryError | None:
    """`error` in our words if it says that memory ran out, with what is held; else None."""
    if not isinstance(error, MemoryError) and "OutOfMemory" not in type(error).__name__:
        return None
    held = ""
    if _module is not None:
        pool = _module.get_default_memory_pool()
        held = f" Device memory held: {pool.used_bytes():,} bytes in use of {pool.total_bytes():,}."
    return OutOfMemoryError(
        f"out of memory: {error}.{held} Use smaller batches, or release Tensors"
    )


def free_unused() -> None:
    """Hand cached device memory back."""
    if _module is not None:
        _module.get_default_memory_pool().free_all_blocks()


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
