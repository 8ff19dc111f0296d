"""A tracing array: it computes as NumPy's arrays do, and hands each call to its trace.

It is the third kind of array beside NumPy's and CuPy's. Kernels, rules and users' functions call
NumPy's functions on whatever array they get, and NumPy's protocols hand the calls to it.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_core.compiling.program import Method, UfuncMethod, Value
from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor

WRITING_METHODS = frozenset({"fill", "sort", "partition", "put", "itemset", "__setitem__"})
METHODS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip",
    "compress", "conj", "conjugate", "copy", "cumprod", "cumsum", "diagonal", "dot", "fill",
    "flatten", "max", "mean", "min", "nonzero", "partition", "prod", "put", "ravel", "repeat",
    "reshape", "round", "searchsorted", "sort", "squeeze", "std", "sum", "swapaxes", "take",
    "trace", "transpose", "var", "view",
)  # fmt: skip
ATTRIBUTES = ("T", "mT", "real", "imag")
# Methods whose result has a shape that follows from the shapes of the arguments. After every call
# of another function the program checks the shape.
SHAPED = frozenset(METHODS) - {"nonzero", "compress", "repeat"} | set(ATTRIBUTES)


class TraceArray(NDArrayOperatorsMixin):
    """An array of a running trace. `_real` is the array, `_value` its Value in the program."""

    __slots__ = ("__weakref__", "_real", "_trace", "_value")

    def __init__(self, real: Any, value: Value, trace: Any) -> None:
        self._real, self._value, self._trace = real, value, trace

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The type of the array, for `isinstance`."""
        return type(self._real)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if any(isinstance(x, Tensor) for x in inputs):
            return NotImplemented  # the Tensor's turn
        function = ufunc if method == "__call__" else UfuncMethod(ufunc, method)
        return self._trace.call(function, inputs, settings)

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        if any(issubclass(kind, Tensor) for kind in types):
            return NotImplemented
        return self._trace.call(function, args, settings)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self._trace.is_over():
            return np.array(self._real, dtype=dtype, copy=copy)
        raise self._trace.fail("an array was converted to a plain array")

    def __mul__(self, other: Any) -> Any:
        if isinstance(self._real, np.complexfloating):  # its operator and ufunc round differently
            return self._trace.operator(operator.mul, self, other)
        return super().__mul__(other)

    def __rmul__(self, other: Any) -> Any:
        if isinstance(self._real, np.complexfloating):
            return self._trace.operator(operator.mul, other, self)
        return super().__rmul__(other)

    def __abs__(self) -> Any:
        if isinstance(self._real, np.complexfloating):
            return self._trace.call(operator.abs, (self,), {})
        return super().__abs__()

    def __pow__(self, other: Any) -> Any:
        return self._trace.operator(operator.pow, self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._trace.operator(operator.pow, other, self)

    def __ipow__(self, other: Any) -> Any:
        raised = self**other
        if isinstance(self._real, np.generic):
            return raised
        self[...] = raised
        return self

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __getitem__(self, index: Any) -> Any:
        return self._trace.call(Method("__getitem__"), (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self._trace.call(Method("__setitem__"), (self, index, value), {})

    # what depends on the shape, dtype and layout only

    shape = property(lambda self: self._real.shape)
    dtype = property(lambda self: self._real.dtype)
    ndim = property(lambda self: self._real.ndim)
    size = property(lambda self: self._real.size)
    nbytes = property(lambda self: self._real.nbytes)
    itemsize = property(lambda self: self._real.itemsize)
    strides = property(lambda self: self._real.strides)
    flags = property(lambda self: self._real.flags)
    device = property(lambda self: self._real.device)

    @property
    def base(self) -> Any:
        """The array that owns the memory; None if it is this one."""
        memory = self._value.memory
        return None if memory is self._value else self._trace.arrays.get(memory)

    def held(self) -> Any:
        """This array, or an array for a NumPy scalar, as a Tensor holds it."""
        if not isinstance(self._real, np.generic):
            return self
        held = self._trace.call(np.asarray, (self,), {})
        if isinstance(held, TraceArray):
            held._value.name = self._value.name
        return held

    def moved(self, move: Any, device: str) -> Any:
        """The array on another device; ``move(array, device)`` moves it."""
        return self._trace.call(move, (self, device), {})

    def __len__(self) -> int:
        return len(self._real)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self._real)))

    # values that become Python's: the program compares them again

    def item(self, *place: Any) -> Any:
        """An element as a Python number."""
        x = self[place] if place else self
        if x._real.dtype == float and x._real.size == 1 and not self._trace.closed:
            return self._trace.call(Method("item"), (x,), {})
        return self._trace.guarded(x, _item, "{}.item()")

    def tolist(self) -> Any:
        """The elements as nested lists."""
        return self._trace.guarded(self, lambda x: x.tolist(), "{}.tolist()")

    def __bool__(self) -> bool:
        return bool(self._trace.guarded(self, bool, "bool({})"))

    def __int__(self) -> int:
        return int(self._trace.guarded(self, int, "int({})"))

    def __index__(self) -> int:
        return int(self._trace.guarded(self, lambda x: x.__index__(), "{}.__index__()"))

    def __float__(self) -> float:
        return float(self._trace.guarded(self, float, "float({})"))

    def __complex__(self) -> complex:
        return complex(self._trace.guarded(self, complex, "complex({})"))

    def _as_text(self, text: Any, word: str) -> str:
        """A text. The program compares those of integers; of others the text is not returned."""
        if not self._trace.is_over() and isinstance(self._real, np.ndarray | np.generic) and (
            self._real.dtype.kind in "iub"
        ):  # fmt: skip
            return str(self._trace.guarded(self, text, word))
        self._trace.texts = True
        return str(text(self._real))

    def __format__(self, spec: str) -> str:
        return self._as_text(lambda x: format(x, spec), f"format({{}}, {spec!r})")

    def __str__(self) -> str:
        return self._as_text(str, "str({})")

    def __hash__(self) -> int:
        if isinstance(self._real, np.ndarray):
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return int(self._trace.guarded(self, hash, "hash({})"))

    def __round__(self, digits: int | None = None) -> Any:
        return int(self.round()) if digits is None else self.round(digits)

    def __getattr__(self, name: str) -> Any:
        if self._trace.is_over():  # also in another thread, which computes with the array itself
            return getattr(self._real, name)
        if not name.startswith("_") and hasattr(self._real, name):
            raise self._trace.fail(f"it uses {name} of an array")
        raise AttributeError(f"{type(self._real).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return self._as_text(repr, "repr({})")


class TraceFloat(TraceArray):
    """A number of Python that may change from call to call. With an array it is a weak scalar, as a
    float is."""

    __slots__ = ()

    shape, ndim, size, dtype = (), 0, 1, np.dtype(float)

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self), digits)

    def __abs__(self) -> Any:
        return self._trace.number(operator.abs, (self,))

    def __neg__(self) -> Any:
        return self._trace.number(operator.neg, (self,))

    def __pos__(self) -> Any:
        return self

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def is_integer(self) -> bool:
        """True if it is an integer."""
        return float(self).is_integer()


def _of_numbers(name: str) -> Any:
    function = getattr(operator, name)
    of_arrays = getattr(NDArrayOperatorsMixin, f"__{name}__")

    def forward(self: TraceFloat, other: Any) -> Any:
        if isinstance(other, int | float | complex | TraceFloat):
            return self._trace.number(function, (self, other))
        return of_arrays(self, other)

    return forward


def _of_numbers_reversed(name: str) -> Any:
    function = getattr(operator, name)
    of_arrays = getattr(NDArrayOperatorsMixin, f"__r{name}__")

    def backward(self: TraceFloat, other: Any) -> Any:
        if isinstance(other, int | float | complex | TraceFloat):
            return self._trace.number(function, (other, self))
        return of_arrays(self, other)

    return backward


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(TraceFloat, f"__{_name}__", _of_numbers(_name))
    setattr(TraceFloat, f"__r{_name}__", _of_numbers_reversed(_name))


def _compared(name: str) -> Any:
    of_arrays = getattr(NDArrayOperatorsMixin, f"__{name}__")

    def compare(self: TraceFloat, other: Any) -> Any:
        found = of_arrays(self, other)
        return bool(found) if isinstance(other, int | float | TraceFloat) else found

    return compare


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(TraceFloat, f"__{_name}__", _compared(_name))


def _item(x: Any) -> Any:
    return x.item()


def _method(name: str) -> Any:
    def method(self: TraceArray, *args: Any, **settings: Any) -> Any:
        return self._trace.call(Method(name), (self, *args), settings)

    method.__name__ = name
    return method


def _attribute(name: str) -> Any:
    get = Method(name, attribute=True)

    def read(self: TraceArray) -> Any:
        return self._trace.call(get, (self,), {})

    return property(read)


def _in_place(name: str) -> Any:
    """An augmented operator, which gives a new value for a NumPy scalar."""
    augmented = getattr(NDArrayOperatorsMixin, f"__i{name}__")
    binary = getattr(NDArrayOperatorsMixin, f"__{name}__")

    def operator(self: TraceArray, other: Any) -> Any:
        return (binary if isinstance(self._real, np.generic) else augmented)(self, other)

    return operator


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "and", "or", "xor",
              "lshift", "rshift"):  # fmt: skip
    setattr(TraceArray, f"__i{_name}__", _in_place(_name))
for _name in METHODS:
    setattr(TraceArray, _name, _method(_name))
for _name in ATTRIBUTES:
    setattr(TraceArray, _name, _attribute(_name))


backend.trace_with(TraceArray)
