"""The stand-in's array: NumPy behind a wall.

NumPy computes on data that nobody else can reach. Where CuPy is silent about a host array, an index
out of range or a write to shared elements, this raises.
"""

import inspect
from contextlib import contextmanager

import numpy as np

from tests.fake_cupy.cuda import (
    Device,
    count,
    fusing,
    get_current_stream,
    get_device_id,
    log,
    pool,
)
from tests.fake_cupy.layout import Capsule, Flags, Pointer, shuffled
from tests.fake_cupy.names import (
    FUSIBLE,
    INSPECTING,
    LAYOUT,
    LEAVING,
    NAMES,
    ON_DEVICE,
    REDUCING,
    WAITING,
)

DTYPES = "?bBhHiIlLqQefdFD"
SCALARS = (bool, int, float, complex, np.number, np.bool_)


# ---- arrays in and out of the wall --------------------------------------------------------------


class ndarray:
    """An array on a device. Its data is behind a slot that has been taken off the class."""

    __slots__ = ("__weakref__", "_host", "base", "device")
    __array_priority__ = 100
    __hash__ = None

    def __new__(cls, shape, dtype=float, memptr=None, strides=None, order="C"):
        return wrap(np.empty(shape, dtype, order))

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc_, method, *inputs, **settings):
        from tests.fake_cupy import device as fake_device

        name = ufunc_.__name__
        here = getattr(fake_device, name, None) or getattr(fake_device.special, name, None)
        none_too = method == "__call__" and name in ("equal", "not_equal")
        checked = inputs if method in ("__call__", "outer") else inputs[:1]
        accepted = (*OPERANDS, np.ndarray, *([type(None)] if none_too else []))
        known = all(isinstance(x, accepted) for x in checked)
        if here is None or not known:
            return NotImplemented
        if isinstance(settings.get("out"), tuple):
            (settings["out"],) = settings["out"]
        return (here if method == "__call__" else getattr(here, method))(*inputs, **settings)

    def __array_function__(self, function, types, args, settings):
        from tests.fake_cupy import device as fake_device

        if not all(issubclass(kind, ndarray | np.ndarray) for kind in types):
            return NotImplemented
        here = fake_device
        try:
            for name in [*function.__module__.split(".")[1:], function.__name__]:
                here = getattr(here, name)
        except AttributeError:
            return NotImplemented
        return here(*args, **settings)

    # -- what it is: no launch, no wait

    flags = property(lambda self: Flags(host_of(self)))
    data = property(lambda self: Pointer(host_of(self).__array_interface__["data"][0]))
    T = property(lambda self: self.transpose())
    mT = property(lambda self: self.swapaxes(-1, -2))
    real = property(lambda self: compute("real", np.real, (self,)))
    imag = property(lambda self: compute("imag", np.imag, (self,)))

    def __len__(self):
        return len(host_of(self))

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    # -- values that the host waits for

    def item(self):
        return _read(self).item()

    def tolist(self):
        return _read(self).tolist()

    def __bool__(self):
        return bool(_read(self))

    def __float__(self):
        return float(_read(self).item())

    def __int__(self):
        return int(_read(self).item())

    def __complex__(self):
        return complex(_read(self).item())

    def __repr__(self):
        return repr(_read(self))

    def __str__(self):
        return str(_read(self))

    def __format__(self, spec):
        return format(_read(self), spec)

    # -- the way out, and the way in for values

    def get(self, stream=None, order="C", out=None, blocking=True):
        count("transfers_out")
        if out is None:
            return np.array(host_of(self), order=order)
        if not isinstance(out, np.ndarray) or (out.dtype, out.shape) != (self.dtype, self.shape):
            raise TypeError("Only a numpy.ndarray of this dtype and shape can be obtained from it")
        out[...] = host_of(self)
        return out

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.dtype != self.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        count("transfers_in")
        log.append(("copy", stream or get_current_stream(), arr))
        host_of(self)[...] = arr

    def __reduce__(self):
        from tests.fake_cupy import device as fake_device

        return fake_device.array, (self.get(),)

    def copy(self, order="C"):
        """A copy on the current device, whichever this one is on."""
        count("launches")
        return wrap(host_of(self).copy(order))

    def __copy__(self):
        return self.__deepcopy__({})

    def __deepcopy__(self, memo):
        with self.device:
            return self.copy()

    def __dlpack_device__(self):
        return 2, self.device.id

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError("a device array is handed over where it is")
        return Capsule(self)

    # -- indexing

    def __getitem__(self, key):
        key, advanced = check_key(self, key)
        run = _picked if advanced else lambda host, key: host[key]
        return compute("__getitem__", run, (self, key))

    def __setitem__(self, key, value):
        key, advanced = check_key(self, key)
        check_value(self, value)
        _check_overlap(self, key, value)
        if advanced and isinstance(value, ndarray) and value.size > 1:
            check_distinct(self, lambda places: places[unwrap(key)])
        compute("__setitem__", lambda host, key, value: host.__setitem__(key, value),
                (self, key, value))  # fmt: skip

    def scatter_add(self, slices, value):
        from tests.fake_cupy import device as fake_device

        fake_device.add.at(self, slices, value)

    def put(self, indices, values, mode="wrap"):
        check_distinct(self, lambda places: places.ravel()[unwrap(indices)])
        compute("put", np.put, (self, indices, values))


_host = ndarray.__dict__["_host"]
del ndarray._host  # from here on only this file reaches the data
host_of = _host.__get__
OPERANDS = (ndarray, *SCALARS)


def wrap(host, base=None, device=None):
    """The array that stands for `host` on `device`; with `base` it is a view of that."""
    if host.dtype.char not in DTYPES:
        raise ValueError(f"Unsupported dtype {host.dtype}")
    array = object.__new__(ndarray)
    array.base, array.device = base, Device(device)
    _host.__set__(array, host)
    if base is None:
        pool.allocate(array, host.nbytes, array.device.id)
    return array


def unwrap(value):
    """`value` with the data of the arrays in it; a host array in it is refused."""
    if isinstance(value, ndarray):
        return host_of(value)
    if isinstance(value, np.ndarray) and _lenient:
        count("transfers_in")
        return value
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, list | tuple):
        return type(value)(map(unwrap, value))
    if inspect.isfunction(value):  # apply_along_axis and the like: it computes on the device
        return lambda *hosts: unwrap(value(*map(wrap, hosts)))
    return value


def arrays_in(value):
    """Every array in `value`, in lists and tuples too."""
    if isinstance(value, ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from arrays_in(each)


def any_device_array(value):
    """Whether an array of a device is somewhere in `value`."""
    return next(arrays_in(value), None) is not None


def _read(array):
    count("waits")
    return host_of(array)


_lenient = False


@contextmanager
def lenient():
    """Inside, host arrays in an index, as assigned values and in einsum are copied to the device
    without a word, as CuPy does it: only our own checks refuse them."""
    global _lenient
    before, _lenient = _lenient, True
    try:
        yield
    finally:
        _lenient = before


# ---- computing ----------------------------------------------------------------------------------


def compute(name, run, args, settings=None, writes=False):
    """`run` on the data of the arrays in `args`; its result on the current device, or a view."""
    settings = settings or {}
    if name in REDUCING and getattr(args[0], "ndim", 1) == 0:
        axis = settings.get("axis", args[1] if len(args) > 1 else None)
        if axis not in (None, ()):  # NumPy lets 0 and -1 pass
            raise np.exceptions.AxisError(f"axis {axis} is out of bounds for array of dimension 0")
    operands = list(arrays_in([*args, *settings.values()]))
    if fusing() and name not in FUSIBLE and not isinstance(NAMES.get(f"cupy.{name}"), list):
        raise NotImplementedError(f"{name} cannot be fused")
    devices = {operand.device.id for operand in operands}
    if len(devices) > 1:
        raise ValueError(f"Array device must be the same: {name} got arrays of devices {devices}")
    with np.errstate(all="ignore"):
        result = run(*unwrap(tuple(args)), **{key: unwrap(x) for key, x in settings.items()})
    if name in ON_DEVICE:
        result = np.asarray(result)
    wrapped = _wrapped(result, operands, name)
    results = list(arrays_in(wrapped))
    views = results and all(x.base is not None or any(x is o for o in operands) for x in results)
    if name in LEAVING:
        count("transfers_out")
    elif (writes or not views) and name not in INSPECTING:
        if devices - {get_device_id()}:
            raise ValueError(
                f"Array device must be same as the current device: array device = {devices} "
                f"while current = {get_device_id()}"
            )
        count("launches")
    if name in WAITING or (name == "where" and len(args) + len(settings) == 1):
        count("waits")
    return wrapped


def _wrapped(result, operands, name):
    """The arrays that stand for `result`: an operand itself, a view of one, or new."""
    if isinstance(result, list | tuple) and name not in INSPECTING:
        items = [_wrapped(each, operands, name) for each in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    if isinstance(result, np.generic):
        result = np.asarray(result)
    if not isinstance(result, np.ndarray):
        return result
    for operand in operands:
        host = host_of(operand)
        if result is host:
            return operand
        if np.may_share_memory(result, host):
            return wrap(result, _owner(operand), operand.device.id)
    return wrap(result if name in LAYOUT else shuffled(result))


# ---- indexing -----------------------------------------------------------------------------------


def check_key(array, key):
    """`key` for NumPy, so that even one element is a view; and whether it holds arrays."""
    entries = list(key) if isinstance(key, tuple) else [key]
    advanced = False
    for position, entry in enumerate(entries):
        if isinstance(entry, np.ndarray) and _lenient:
            entry = list(entry)
        if isinstance(entry, np.ndarray):
            raise TypeError("a host array as an index: CuPy would copy it to the device silently")
        if isinstance(entry, list):
            count("transfers_in")
            entries[position] = entry = wrap(np.asarray(entry, None if entry else int))
        if isinstance(entry, ndarray):
            advanced = True
            _check_index(entry)
    whole = [entry for entry in entries if entry is Ellipsis]
    return tuple(entries) if whole else (*entries, Ellipsis), advanced


def _check_index(index):
    if index.dtype.kind not in "biu":
        raise IndexError(
            "arrays used as indices must be of integer or boolean type. "
            f"(actual: {index.dtype.type})"
        )
    if index.dtype.kind == "b":
        count("waits")  # how many are True decides the shape


def _picked(host, key):
    """Elements at the places of arrays: always a copy."""
    return np.array(host[key])


def check_value(array, value):
    """A device array or a number may be written, but not other elements of the same memory."""
    if isinstance(value, np.ndarray) and not _lenient:
        raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
    if not isinstance(value, (*OPERANDS, np.ndarray)):
        raise TypeError(f"Unsupported type {type(value)}")


def _check_overlap(array, key, value):
    """Elements may not be assigned from other elements of their own memory: a kernel has no order.

    That is also how NumPy's random generators would shuffle a device array, and spoil it. The
    region itself is what ``a[i] += 1`` assigns.
    """
    if isinstance(value, ndarray) and _owner(value) is _owner(array):
        target, source = host_of(array)[unwrap(key)], host_of(value)
        if target.__array_interface__ != source.__array_interface__:
            raise RuntimeError("elements are assigned from the same memory; copy them first")


def _owner(array):
    return array if array.base is None else array.base


def check_distinct(array, places_of):
    """On a device, which of two values written to one place stays is not defined."""
    places = places_of(np.arange(array.size).reshape(array.shape))
    if np.unique(places).size != places.size:
        raise IndexError("an element is assigned twice: on a device either value may stay")
