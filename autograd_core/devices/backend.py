"""Arrays and their devices: NumPy on the host, CuPy on a device.

This is the only file that names `cupy`. CuPy is imported when a device is first requested; if a
CuPy array is passed in, the program has already imported it. All other code uses functions of
NumPy and operators, which NumPy's protocols dispatch to CuPy. `DIFFERENCES` lists where CuPy
differs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

import numpy as np

from autograd_core.devices.followers import followed
from autograd_core.errors import (
    AutogradError,
    DeviceError,
    DTypeError,
    OutOfMemoryError,
    ShapeError,
)
from autograd_core.errors.alternatives import MIXED, is_hips, not_numbers

# Differences between CuPy (14.2) and NumPy, and how they are handled.
DIFFERENCES: dict[str, str] = {
    "host arrays in an index": "CuPy copies them silently; check_index raises an error",
    "host arrays assigned to elements": "CuPy copies some silently; check_value raises an error",
    "integer indices out of range": "CuPy wraps them around; a check would need a synchronization",
    "broadcast_to": "CuPy's result is writable memory shared by many elements; no rule writes to "
    "its arguments",
    "ufunc.at on complex numbers": "missing in CuPy; real and imaginary parts are added separately",
    "ones(like=…) and relatives": "fail on CuPy; kernels use the *_like functions",
    "np.errstate": "has no effect on a device; stable forms do not rely on it for their values",
    "random numbers": "differ from NumPy's for the same seed; weights are drawn on the host",
}

# Types of operands that need no conversion. Anything else goes through `operand`.
PLAIN: frozenset[type] = frozenset({bool, int, float, complex, type(None), np.ndarray})

# Types of arrays that a Tensor holds as they are. Other subclasses of np.ndarray are converted.
KEPT: set[type] = {np.ndarray}

_arrays: tuple[type, ...] = (np.ndarray,)
_traced: tuple[type, ...] = ()  # the tracing array, once something is compiled
_module: Any = None  # CuPy, once it is needed
_wanted: ContextVar[str | None] = ContextVar("autograd_core device", default=None)


def is_array(value: Any) -> bool:
    """True if `value` is an array, on the host or on a device."""
    if isinstance(value, _arrays):
        return True
    kind = type(value)  # any other object of CuPy says nothing about a device
    if _module is None and kind.__name__ == "ndarray" and kind.__module__.split(".")[0] == "cupy":
        install(sys.modules["cupy"])
        return isinstance(value, _arrays)
    return False


def is_data(value: Any) -> bool:
    """True for an array of NumPy or CuPy. A tracing array is not one, but says that it is."""
    return isinstance(value, np.ndarray) or on_device(value)


def on_device(value: Any) -> bool:
    """True for an array on a device, also a tracing one."""
    return _module is not None and isinstance(value, _module.ndarray)


def on_host(value: Any) -> bool:
    """True for an array on the host, also a tracing one, so that kernels which decide by the values
    of host arrays decide as they do without tracing."""
    return isinstance(value, np.ndarray) or (is_traced(value) and not on_device(value))


def write_elements(function: Callable[..., None], out: Any, *operands: Any) -> None:
    """Call ``function(out, *operands)``, which writes to elements of `out` and works elementwise. A
    program contains it as one call, whatever it decides by the values of its operands."""
    if is_traced(out):
        out._trace.write_elements(function, out, *operands)
    else:
        function(out, *operands)


def as_array(result: Any) -> Any:
    """The result of a kernel as an array: NumPy returns a scalar where the result is 0-d."""
    if is_array(result):
        return result.held() if is_traced(result) else result
    if isinstance(result, np.generic):
        return np.asarray(result)
    what = MIXED if is_hips(result) else type(result).__name__
    raise TypeError(f"a kernel must return an array; it returned {what}")


def asarray(data: Any, dtype: Any = None, device: str | None = None) -> Any:
    """`data` as an array that a Tensor can hold. An array is returned without a copy if possible.

    Data from the host is moved to `device`, or to the device of an enclosing ``with device(...)``.
    An instance of a subclass of ``np.ndarray`` is converted to ``np.ndarray``. Raises TypeError for
    a masked array, because its mask would be lost.
    """
    array = data
    if not is_array(data):
        try:
            array = np.asarray(data, dtype=dtype)
        except ValueError as error:
            raise ShapeError(f"this data cannot be converted to an array: {error}") from error
    elif isinstance(data, np.ma.MaskedArray):
        raise TypeError(
            "a Tensor has no mask: pass array.filled(value), or choose with where(mask, x, y)"
        )
    elif isinstance(data, np.ndarray) and type(data) not in KEPT:
        array = np.asarray(data)
    check_dtype(array.dtype, array)
    wanted = array.dtype.newbyteorder("=") if dtype is None else np.dtype(dtype)
    if array.dtype != wanted:
        check_dtype(wanted)
        array = run_there(array, array.astype, wanted)
    if device is None and type(array) is np.ndarray:
        device = _wanted.get()
    return array if device is None else to_device(array, device)


def operand(value: Any) -> Any:
    """An operand that is not a Tensor, as an array or a NumPy scalar."""
    if type(value) in _arrays or isinstance(value, np.generic | bool | int | float | complex):
        return value
    if isinstance(value, np.matrix):
        raise TypeError("np.matrix is not supported: pass np.asarray(matrix) and use @")
    return asarray(value)


def check_dtype(dtype: Any, data: Any = None) -> None:
    """Raise DTypeError if `dtype` is not boolean or numeric, as for objects, strings and dates."""
    if dtype.kind not in "biufc":
        raise DTypeError(not_numbers(dtype, data))


# ---- devices ------------------------------------------------------------------------------------


def install(module: Any) -> None:
    """Use `module` for arrays on the devices ``"cuda:…"``. It is CuPy or, in the tests, a strict
    imitation of CuPy; None means that no device is in use."""
    global _arrays, _module
    _module = module
    _arrays = (np.ndarray, *_traced) if module is None else (np.ndarray, *_traced, module.ndarray)


def trace_with(kind: type) -> None:
    """Accept arrays of the type `kind`, which compute on the host and note the calls."""
    global _arrays, _traced
    _traced = (kind,)
    KEPT.add(kind)
    _arrays = (*_arrays, kind)


def is_traced(array: Any) -> bool:
    """True for a tracing array."""
    return isinstance(array, _traced)


def device_module() -> Any:
    """Return CuPy, which is imported at the first call. Raise DeviceError if there is no device."""
    if _module is None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError(
                f"a CUDA device needs CuPy, which cannot be imported here ({error}). Install the "
                "wheel for your CUDA version: pip install 'cupy-cuda12x[ctk]' or "
                "'cupy-cuda13x[ctk]', which include CUDA's libraries"
            ) from error
        _count_devices(cupy)
        install(cupy)
    return _module


def _count_devices(module: Any) -> int:
    """The number of CUDA devices. Raises DeviceError if there are none."""
    try:
        count = int(module.cuda.runtime.getDeviceCount())
    except RuntimeError as error:  # CuPy's CUDARuntimeError
        reason = str(error)
    else:
        if count:
            return count
        reason = "there are none"
    raise DeviceError(
        f"CuPy finds no usable CUDA device: {reason}. Is there a GPU, and does its driver support "
        "the CUDA version of the CuPy wheel?"
    )


def available_devices() -> list[str]:
    """The available devices. Imports CuPy if it is installed.

    Returns
    -------
    list of str
        ``"cpu"``, followed by ``"cuda:0"`` and so on for each CUDA device.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.available_devices()[0]
    'cpu'
    """
    try:
        return ["cpu", *(f"cuda:{i}" for i in range(_count_devices(device_module())))]
    except DeviceError:
        return ["cpu"]


def index_of(device: str) -> int | None:
    """The number of a CUDA device, or None for ``"cpu"``. ``"cuda"`` is the current device."""
    kind, _, number = device.partition(":") if isinstance(device, str) else ("", "", "")
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
    """The name of the device that holds `array`: ``"cpu"``, or ``"cuda:0"`` and so on."""
    return f"cuda:{array.device.id}" if on_device(array) else "cpu"


def module_of(array: Any) -> Any:
    """The array module that `array` belongs to: NumPy, or CuPy for an array on a device."""
    return _module if _module is not None and isinstance(array, _module.ndarray) else np


def special_of(array: Any) -> Any:
    """SciPy's module of special functions, or CuPy's for an array on a device."""
    if module_of(array) is np:
        return import_module("scipy.special")
    return getattr(_module, "special", None) or import_module("cupyx.scipy.special")


def created(name: str, device: str | None, *operands: Any, **settings: Any) -> Any:
    """A new array, created by the function `name` of NumPy or, on a device, of CuPy."""
    wanted = _wanted.get() if device is None else device
    index = None if wanted is None else index_of(wanted)
    if index is None:
        return as_array(getattr(np, name)(*operands, **settings))
    made = getattr(_module, name, None)
    if made is None:  # CuPy has no such function
        return to_device(getattr(np, name)(*operands, **settings), f"cuda:{index}")
    return followed(_attempt(index, made, *operands, **settings))


def zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of the dtype of `like`, on its device."""
    if is_traced(like):
        return np.zeros_like(like, order="C", shape=shape)
    # not zeros_like, which writes zeros: `zeros` gets zeroed pages from the system
    return module_of(like).zeros(shape, like.dtype)


def to_device(array: Any, device: str) -> Any:
    """Return `array` if it is on `device`, otherwise a copy of it on `device`."""
    index = index_of(device)
    if is_traced(array) and device_of(array) != ("cpu" if index is None else f"cuda:{index}"):
        return array.moved(to_device, device)
    if index is None:
        return asnumpy(array)
    if device_of(array) == f"cuda:{index}":
        return array
    if isinstance(array, _module.ndarray):
        return _attempt(index, array.copy)
    return followed(_attempt(index, _module.asarray, array))


def from_dlpack(source: Any) -> Any:
    """Another library's array as a NumPy or CuPy array that shares its memory."""
    kind, _ = source.__dlpack_device__()
    if kind == 1:  # DLPack's number for the host
        return np.from_dlpack(source)
    if kind in (2, 13):  # a CUDA device, its memory managed or not
        return device_module().from_dlpack(source)
    raise DeviceError(f"DLPack device type {kind} is neither the host nor a CUDA device")


def asnumpy(array: Any) -> Any:
    """`array`, which may also be a NumPy scalar, as an array on the host."""
    if is_traced(array):
        return array
    host = isinstance(array, np.ndarray | np.generic)
    return np.asarray(array) if host else _module.asnumpy(array)


def in_use() -> bool:
    """True if a device has been used in this process."""
    return _module is not None


def run_there(home: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """Return ``function(*operands)``, called while the device of the array `home` is current.
    Raises OutOfMemoryError if memory runs out, and DeviceError if a CUDA library is missing."""
    if _module is None or not isinstance(home, _module.ndarray):
        return function(*operands)
    return _attempt(home.device.id, function, *operands)


def _attempt(index: int, function: Callable[..., Any], *operands: Any, **settings: Any) -> Any:
    """Return ``function(*operands)``, called while device `index` is current."""
    try:
        if index == _module.cuda.runtime.getDevice():
            return function(*operands, **settings)
        with _module.cuda.Device(index):
            return function(*operands, **settings)
    except Exception as error:
        known = explained(error, index)
        if known is None:
            raise
        error.__traceback__ = None  # the frames in it hold arrays, which fill the memory
        raise known from error


def applier(gradients: Iterable[Any]) -> Callable[..., Any] | None:
    """How a backward pass from these gradients calls a rule; None for a plain call."""
    if _traced:
        for g in gradients:
            if is_traced(g):
                return g._trace.rule  # type: ignore[no-any-return]
    return _applied if _module is not None else None


def _applied(_: Any, parent: Any, rule: Callable[..., Any], g: Any, saved: tuple[Any, ...]) -> Any:
    """Call a rule while the device of its gradient is current."""
    _follow(g)
    out = rule(g, *saved)
    _follow(out)
    return out


def _follow(array: Any) -> None:
    """Make the device of `array` the current one; do nothing for an array on the host."""
    if isinstance(array, tuple):  # several gradients
        array = next(part for part in array if part is not None)
    if isinstance(array, _module.ndarray):
        index = array.device.id
        if index != _module.cuda.runtime.getDevice():
            _module.cuda.Device(index).use()


@contextmanager
def device_kept() -> Iterator[None]:
    """A context manager that restores the current device at the end."""
    with _module.cuda.Device():
        yield


@contextmanager
def device(name: str) -> Iterator[None]:
    """A context manager: Tensors made from host data in it, such as weights, are on one device.

    Parameters
    ----------
    name : str
        The device: ``"cpu"``, ``"cuda"`` for the current CUDA device, or ``"cuda:1"`` and so on.

    Returns
    -------
    context manager
        For a ``with`` statement.

    Raises
    ------
    DeviceError
        If there is no such device.

    Examples
    --------
    >>> import autograd_core as ac
    >>> with ac.device("cpu"):
    ...     ac.Tensor([1.0, 2.0]).device
    'cpu'
    """
    index = index_of(name)
    token = _wanted.set("cpu" if index is None else f"cuda:{index}")
    try:
        if index is None:
            yield
        else:
            with _module.cuda.Device(index):
                yield
    finally:
        _wanted.reset(token)


# ---- errors of devices --------------------------------------------------------------------------


def explained(error: Exception, index: int | None = None) -> AutogradError | None:
    """The error to raise in place of `error` if a CUDA library is missing or memory ran out, else
    None. If memory ran out, the message contains the memory in use on device `index`."""
    if isinstance(error, AutogradError):
        return None
    if isinstance(error, ImportError):
        return DeviceError(
            f"CuPy is installed, but CUDA libraries are missing: {error}. They come with "
            "pip install 'cupy-cuda12x[ctk]' (or 'cupy-cuda13x[ctk]')"
        )
    if not isinstance(error, MemoryError) and "OutOfMemory" not in type(error).__name__:
        return None
    held = ""
    if _module is not None:
        with _module.cuda.Device(index):
            pool = _module.get_default_memory_pool()
            used, total = pool.used_bytes(), pool.total_bytes()
            where = f"cuda:{_module.cuda.runtime.getDevice()}"
        held = f" Device memory held on {where}: {used:,} bytes in use of {total:,}."
    return OutOfMemoryError(
        f"out of memory: {error}.{held} Use smaller batches, or release Tensors"
    )
