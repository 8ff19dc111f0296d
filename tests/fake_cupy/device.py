"""A strict stand-in for CuPy 14.2, at least as strict as CuPy: ``backend.install(fake_device)``.

This module plays the module `cupy`. What moves arrays to the device (`asarray`, `array`, `set`, a
list as an index) and from it (`asnumpy`, `get`, `save`, `tobytes`, pickle) is counted. Whatever is
not written here is looked up in the list of CuPy's names and computed by NumPy (`functions`). For
the tests themselves:

    counters, counting()      launches, waits, transfers_in, transfers_out
    limit_memory(nbytes)      makes a device run out of memory
    lenient()                 copies host arrays in silence where CuPy does
    shuffle_strides(seed)     draws the memory layout of results; None keeps NumPy's

A launch is a call that computes; CuPy may need several for one call, a view needs none.
"""

import functools
import importlib
import inspect
import re

import numpy as np

from tests.fake_cupy import cuda
from tests.fake_cupy.arrays import (
    any_device_array,
    check_distinct,
    compute,
    host_of,
    lenient,
    ndarray,
    unwrap,
    wrap,
)
from tests.fake_cupy.cuda import count, counters, counting, fused, limit_memory, pool
from tests.fake_cupy.functions import Function, ufunc
from tests.fake_cupy.layout import shuffle_strides
from tests.fake_cupy.names import NAMES

__all__ = [
    "counters",
    "counting",
    "cuda",
    "lenient",
    "limit_memory",
    "ndarray",
    "shuffle_strides",
    "ufunc",
]


# ---- looking up CuPy's names --------------------------------------------------------------------


class Namespace:
    """One of CuPy's modules: its names, computed by `host`, a module imported when first used."""

    def __init__(self, path, host, **members):
        self._path, self._host = path, host
        self.__dict__.update(members)

    def __getattr__(self, name):
        return found(self._path, name, self._host)


@functools.cache
def found(path, name, host):
    """What stands for ``path.name``. AttributeError where CuPy has no such name."""
    full = f"{path}.{name}"
    if full not in NAMES:
        raise AttributeError(f"module {path!r} has no attribute {name!r}")
    known, value = NAMES[full], _counterpart(host, name)
    if isinstance(known, list):
        return ufunc(name, known, value)
    if isinstance(known, inspect.Signature) and callable(value):
        return Function(name, known, value)
    if isinstance(value, type | float | int | None) and (value is not None or name == "newaxis"):
        return value
    return _missing(full)


def _counterpart(host, name):
    try:
        return getattr(importlib.import_module(host), name, None)
    except ImportError:  # SciPy is not everywhere
        return None


def _missing(path):
    def refuse(*args, **settings):
        raise NotImplementedError(f"CuPy has {path}; this stand-in does not")

    return refuse


def __getattr__(name):
    return found("cupy", name, "numpy")


def like_cupy(run):
    """Give `run` the signature that CuPy's function of its name has."""
    signature = NAMES[f"cupy.{run.__name__}"]

    @functools.wraps(run)
    def checked(*args, **settings):
        signature.bind(*args, **settings)
        return run(*args, **settings)

    return checked


# ---- the way in, the way out --------------------------------------------------------------------


@like_cupy
def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    if isinstance(obj, ndarray):
        if copy or obj.device.id != cuda.get_device_id():
            count("launches")
            return wrap(np.array(host_of(obj), dtype, order=order, ndmin=ndmin))
        return compute("asarray", lambda host: np.array(host, dtype, copy=None, order=order,
                                                        ndmin=ndmin), (obj,))  # fmt: skip
    if any_device_array(obj):
        return compute("array", np.array, (_device_arrays_only(obj), dtype))
    count("transfers_in")
    return wrap(np.array(obj, dtype, order=order, ndmin=ndmin))


def _device_arrays_only(values):
    for each in values:
        if isinstance(each, list | tuple):
            _device_arrays_only(each)
        elif not isinstance(each, ndarray):
            ndarray.__array__(each)
    return values


@like_cupy
def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, bool(copy), order or "K")


@like_cupy
def asanyarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, bool(copy), order or "K")


@like_cupy
def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    if isinstance(a, ndarray):
        return a.get(stream, order, out, blocking)
    return np.asarray(a, order=order)


@like_cupy
def copy(a, order="K"):
    return a.copy(order)


def from_dlpack(array, *, device=None, copy=None):
    kind, index = array.__dlpack_device__()
    if kind != 2:
        raise TypeError("CPU arrays cannot be directly imported to CuPy.")
    shared = array.__dlpack__().array
    return wrap(host_of(shared), shared if shared.base is None else shared.base, index)


def get_array_module(*args):
    import sys

    return sys.modules[__name__] if any(isinstance(x, ndarray) for x in args) else np


def get_default_memory_pool():
    return pool


def is_available():
    return cuda.is_available()


# ---- where NumPy's function does not do what is asked of a device -------------------------------


@like_cupy
def put(a, ind, v, mode="wrap"):
    a.put(ind, v, mode)


@like_cupy
def put_along_axis(arr, indices, values, axis, mode="raise"):
    places = functools.partial(np.take_along_axis, indices=unwrap(indices), axis=axis)
    check_distinct(arr, places)
    compute("put_along_axis", np.put_along_axis, (arr, indices, values, axis))


@like_cupy
def copyto(dst, src, casting="same_kind", where=None):
    if isinstance(src, np.ndarray):
        raise ValueError("non-scalar numpy.ndarray cannot be used for copyto")
    if not isinstance(dst, ndarray):
        raise TypeError(f"Unsupported type {type(dst)}")
    compute("copyto", np.copyto, (dst, src, casting, True if where is None else where))


@like_cupy
def einsum(*operands, **kwargs):
    if kwargs.keys() - {"dtype", "optimize"}:
        raise TypeError(f"Did not understand the following kwargs: {list(kwargs)}")
    return compute("einsum", np.einsum, operands, kwargs)


# ---- one launch for a chain ---------------------------------------------------------------------


def fuse(*args, **settings):
    """A function of arrays whose elementwise steps are one launch."""
    if not args:
        return lambda function: fuse(function)
    (function,) = args

    @functools.wraps(function)
    def fused_function(*operands):
        with fused():
            return function(*operands)

    return fused_function


# C++ and Python write these expressions alike; the last four are a preamble's own names.
IN_PYTHON = {name: getattr(np, name) for name in [
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "floor",
    "ceil", "trunc", "rint", "exp2", "log2", "log10", "cbrt", "hypot", "copysign", "sign"]} | {
    "abs": np.abs, "fabs": np.abs, "pow": np.power, "fmax": np.fmax, "fmin": np.fmin,
    "select": np.where, "larger": np.maximum, "smaller": np.minimum}  # fmt: skip


class ElementwiseKernel:
    """A kernel of statements ``T x = expression``, the last of which assign the outputs; Python can
    run it as well."""

    def __init__(self, in_params, out_params, operation, name="kernel", reduce_dims=True,
                 preamble="", no_return=False, return_tuple=False, **options):  # fmt: skip
        self.operands = [tuple(p.split()) for p in in_params.split(",")]
        outs = [tuple(p.split()) for p in out_params.split(",")]
        self.dtype, self.outs = outs[0][0], [result for _, result in outs]
        steps = [step.strip() for step in operation.strip().rstrip(";").split(";")]
        steps = [re.sub(r"^T (\w+) =", r"\1 =", step) for step in steps]
        assigned = [step.partition(" = ")[0] for step in steps]
        if assigned[-len(outs) :] != self.outs or any(
            not target.isidentifier() or re.search(r"&&|\|\||\?", step)
            for target, step in zip(assigned, steps, strict=True)
        ):
            raise NotImplementedError(f"{name}: only assignments are evaluated here")
        self.code, self.name = compile("\n".join(steps), name, "exec"), name

    def __call__(self, *args, size=None, stream=None, block_size=128):
        nin, nout = len(self.operands), len(self.outs)
        if len(args) not in (nin, nin + nout) or not any_device_array(list(args)):
            raise TypeError(f"Wrong number of arguments for {self.name!r}")
        if len(args) == nin and nout > 1:
            raise NotImplementedError(f"{self.name}: several new results")
        letters = self._letters(args[:nin])
        dtype = letters.get(self.dtype) or np.dtype(self.dtype)
        names = IN_PYTHON | {letter: each.type for letter, each in letters.items()}

        def run(*hosts, out=None):
            values = {name: np.asarray(host, letters.get(kind, kind))
                      for (kind, name), host in zip(self.operands, hosts, strict=True)}  # fmt: skip
            run_in = names | values
            exec(self.code, run_in)
            results = [np.asarray(run_in[name]).astype(dtype) for name in self.outs]
            if out is None:
                return results[0]
            for target, result in zip(out, results, strict=True):
                target[...] = result
            return out[0]

        settings = {"out": list(args[nin:])} if len(args) > nin else {}
        with fused():
            return compute("multiply", run, args[:nin], settings)

    def _letters(self, args):
        """The dtype that each type letter stands for; arrays of one letter must agree."""
        letters = {}
        for (kind, name), value in zip(self.operands, args, strict=True):
            if isinstance(value, ndarray):
                expected = letters.setdefault(kind, value.dtype) if len(kind) == 1 else kind
                if value.dtype != expected:
                    raise TypeError(f"Type is mismatched. {name} {value.dtype} {expected}")
            elif not isinstance(value, bool | int | float | complex | np.generic):
                raise TypeError(f"Unsupported type {type(value)}")
        return letters


# ---- CuPy's modules -----------------------------------------------------------------------------


class RandomSource:
    """Draws on the device, with the methods that CuPy's class `path` has."""

    def __init__(self, path, source):
        self._path, self._source = path, source

    def __getattr__(self, name):
        if f"{self._path}.{name}" not in NAMES:
            raise AttributeError(f"{self._path.rpartition('.')[2]!r} has no attribute {name!r}")

        def draw(*args, dtype=None, **settings):
            drawn = np.asarray(getattr(self._source, name)(*args, **settings))
            return compute(name, lambda: drawn if dtype is None else drawn.astype(dtype), ())

        return draw


def _default_rng(seed=None):
    return RandomSource("cupy.random.Generator", np.random.default_rng(seed))


def _random_state(seed=None):
    return RandomSource("cupy.random.RandomState", np.random.RandomState(seed))


class Testing:
    """`cupy.testing`: brings both sides to the host."""

    def __getattr__(self, name):
        if f"cupy.testing.{name}" not in NAMES or not hasattr(np.testing, name):
            raise AttributeError(f"module 'cupy.testing' has no attribute {name!r}")
        return lambda *args, **settings: getattr(np.testing, name)(*map(_host, args), **settings)


def _host(value):
    return value.get() if isinstance(value, ndarray) else value


def _zeros_pinned(shape, dtype=float, order="C"):
    dtype, shape = np.dtype(dtype), tuple(np.atleast_1d(shape))
    size = int(np.prod(shape))
    memory = cuda.alloc_pinned_memory(size * dtype.itemsize)
    return np.frombuffer(memory, dtype, size).reshape(shape, order=order)


def _scatter_add(a, slices, value):
    a.scatter_add(slices, value)


def _solve(a, b):
    """CuPy's wants the stacks of a and b alike."""
    if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K)")
    return compute("solve", np.linalg.solve, (a, b))


linalg = Namespace("cupy.linalg", "numpy.linalg", solve=_solve)
fft = Namespace("cupy.fft", "numpy.fft")
random = Namespace(
    "cupy.random", "none", default_rng=_default_rng, RandomState=_random_state,
    permutation=_random_state().permutation,
)  # fmt: skip
testing = Testing()
stride_tricks = Namespace("cupy.lib.stride_tricks", "numpy.lib.stride_tricks")
lib = Namespace("cupy.lib", "none", stride_tricks=stride_tricks)
special = Namespace("cupyx.scipy.special", "scipy.special")
cupyx = Namespace(
    "cupyx", "none", zeros_pinned=_zeros_pinned, empty_pinned=_zeros_pinned,
    scatter_add=_scatter_add, scipy=Namespace("cupyx.scipy", "none", special=special),
)  # fmt: skip
