"""The stand-in's functions: NumPy's, within CuPy's names, signatures and loops."""

import functools
import inspect

import numpy as np

from tests.fake_cupy.arrays import (
    OPERANDS,
    any_device_array,
    check_key,
    check_value,
    compute,
    host_of,
    ndarray,
)
from tests.fake_cupy.names import (
    ARRAY_LISTS,
    ARRAYS,
    DEVICE_TOO,
    INSPECTING,
    LISTS,
    NAMES,
    ON_HOST,
    SCALARS_TOO,
    SHAPED,
    VALUES,
)


class Function:
    """A CuPy function: NumPy's of that name within CuPy's signature."""

    def __init__(self, name, signature, run):
        self.__name__, self.signature, self.run = name, signature, run

    def __call__(self, *args, **settings):
        arguments = self.signature.bind(*args, **settings).arguments
        if self.__name__ not in INSPECTING:
            self._check(arguments)
        writes = arguments.get("out") is not None or (self.__name__ == "matmul" and len(args) > 2)
        return compute(self.__name__, self.run, args, settings, writes)

    def _check(self, arguments):
        name = self.__name__
        for parameter, value in arguments.items():
            on_host = parameter in ON_HOST and name not in DEVICE_TOO
            if on_host and any_device_array(value):
                raise TypeError("'ndarray' object cannot be interpreted as an integer")
            listed = parameter in LISTS or (name, parameter) in ARRAY_LISTS
            values = value if listed and isinstance(value, list | tuple) else [value]
            needed = listed or (parameter in ARRAYS and name not in SCALARS_TOO | SHAPED)
            if parameter == "out" and value is None:
                continue
            if parameter in VALUES and isinstance(value, list | tuple):
                raise TypeError(f"{name}: Unsupported type {type(value)} for {parameter!r}")
            for each in values if needed else []:
                if not isinstance(each, ndarray) and not (parameter == "indices" and _is_int(each)):
                    raise TypeError(f"{name}: Unsupported type {type(each)} for {parameter!r}")


def _is_int(value):
    return isinstance(value, int | np.integer)


# ---- ufuncs -------------------------------------------------------------------------------------

AT = {"add": "efdilqILQ", "subtract": "iI", "maximum": "ilqILQfd", "minimum": "ilqILQfd",
      "bitwise_and": "ilqILQ", "bitwise_or": "ilqILQ", "bitwise_xor": "ilqILQ"}  # fmt: skip


class ufunc:
    """An elementwise function with the loops and the methods that CuPy's has."""

    def __init__(self, name, types, host):
        self.name = self.__name__ = name
        self.types, self._run = types, host
        inputs, _, outputs = types[0].partition("->")
        self.nin, self.nout = len(inputs), len(outputs)
        self.nargs = self.nin + self.nout

    def __repr__(self):
        return f"<ufunc 'cupy_{self.name}'>"

    def __call__(self, *operands, out=None, dtype=None, casting=None, **wrong):
        if wrong:
            raise TypeError(f"Wrong arguments {wrong}")
        if len(operands) == self.nargs:
            *operands, out = operands
        if len(operands) != self.nin:
            raise TypeError(f"Wrong number of arguments for {self!r}")
        self._check(operands, out)
        given = {"out": out, "dtype": dtype, "casting": casting}
        settings = {key: value for key, value in given.items() if value is not None}
        loop = None if settings else self._loop(operands)
        return compute(self.name, lambda *x, **s: _cast(self._counterpart()(*x, **s), loop),
                       operands, settings, out is not None)  # fmt: skip

    def _counterpart(self):
        if self._run is None:
            raise NotImplementedError(f"CuPy's {self.name} has no counterpart in NumPy")
        return self._run

    def _check(self, operands, out):
        none_too = self.name in ("equal", "not_equal")
        for operand in operands:
            if not (isinstance(operand, OPERANDS) or (operand is None and none_too)):
                raise TypeError(f"Unsupported type {type(operand)}")
        if out is not None and not isinstance(out, ndarray):
            raise TypeError(f"Unsupported type {type(out)}")

    def _loop(self, operands):
        kinds = tuple(getattr(operand, "dtype", type(operand)) for operand in operands)
        return "?" if type(None) in kinds else self._first_loop(kinds)

    @functools.cache  # noqa: B019 - the ufuncs of a module live as long as it does
    def _first_loop(self, kinds):
        """CuPy's result dtypes: those of its first loop that all operands can be cast to."""
        strong = [kind for kind in kinds if isinstance(kind, np.dtype)]
        given = [k if isinstance(k, np.dtype) else np.result_type(k(), *strong) for k in kinds]
        for loop in self.types:
            inputs, _, outputs = loop.partition("->")
            if all(map(np.can_cast, given, inputs)):
                return outputs
        raise TypeError(f"{self!r} has no loop for {', '.join(map(str, given))}")

    # -- methods

    def _method(self, method, allowed):
        if self.name not in allowed:
            raise NotImplementedError(f"`cupy_{self.name}.{method}` is not supported yet")
        return getattr(self._counterpart(), method)

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        run = self._method("reduce", {"add", "multiply"})
        settings = {"axis": axis, "dtype": dtype, "out": out, "keepdims": keepdims}
        return compute("reduce", run, (array,), settings, out is not None)

    def accumulate(self, array, axis=0, dtype=None, out=None):
        run = self._method("accumulate", {"add", "multiply"})
        settings = {"axis": axis, "dtype": dtype, "out": out}
        return compute("accumulate", run, (array,), settings, out is not None)

    def reduceat(self, array, indices, axis=0, dtype=None, out=None):
        run = self._method("reduceat", {"add"})
        return compute("reduceat", run, (array, indices, axis, dtype, out))

    def outer(self, A, B, **settings):
        self._check((A, B), settings.get("out"))
        return compute("outer", self._method("outer", {self.name}), (A, B), settings)

    def at(self, a, indices, b=None):
        run = self._method("at", AT)
        if a.dtype.char not in AT[self.name]:
            dtypes = ", ".join(np.dtype(char).name for char in AT[self.name])
            raise TypeError(f"cupy.{self.name}.at only supports {dtypes} as data type")
        key, _ = check_key(a, indices)
        check_value(a, b)
        compute("at", run, (a, key, b), writes=True)


def _cast(result, loop):
    """NumPy's result in the dtypes of CuPy's loop."""
    if loop is None:
        return result
    if isinstance(result, tuple):
        return tuple(map(_cast, result, loop))
    return result if result.dtype.char == loop else result.astype(loop)


# ---- operators and methods from tables ----------------------------------------------------------

BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
          "floordiv": np.floor_divide, "mod": np.remainder, "pow": np.power, "and": np.bitwise_and,
          "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift,
          "rshift": np.right_shift, "divmod": np.divmod, "matmul": np.matmul}  # fmt: skip
COMPARING = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
             "gt": np.greater, "ge": np.greater_equal}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
ATTRIBUTES = ["shape", "dtype", "ndim", "size", "itemsize", "nbytes", "strides"]


def _defers(self, other):
    """Whether `other` asks to be the one that computes."""
    if hasattr(type(other), "__array_ufunc__"):
        return other.__array_ufunc__ is None
    return getattr(other, "__array_priority__", 0) > self.__array_priority__


def _operator(run, reflected=False):
    def operate(self, other):
        if _defers(self, other):
            return NotImplemented
        return run(other, self) if reflected else run(self, other)

    return operate


def _in_place(run):
    return lambda self, other: run(self, other, out=self)


def _method(name, function):
    def method(self, *args, **settings):
        return function(self, *args, **settings)

    method.__name__ = name
    return method


def _bind():
    for name, run in (BINARY | COMPARING).items():
        setattr(ndarray, f"__{name}__", _operator(run))
        if f"cupy.ndarray.__r{name}__" in NAMES:
            setattr(ndarray, f"__r{name}__", _operator(run, reflected=True))
        if f"cupy.ndarray.__i{name}__" in NAMES:
            setattr(ndarray, f"__i{name}__", _in_place(run))
    for name, run in UNARY.items():
        setattr(ndarray, f"__{name}__", lambda self, run=run: run(self))
    for name in ATTRIBUTES:
        setattr(ndarray, name, property(lambda self, name=name: getattr(host_of(self), name)))
    for path, signature in NAMES.items():
        owner, _, name = path.rpartition(".")
        if owner == "cupy.ndarray" and signature and not hasattr(ndarray, name):
            run = getattr(np.ndarray, name, None) or getattr(np, name, None)
            if run is not None and not name.startswith("__"):
                self_first = [inspect.Parameter("a", inspect.Parameter.POSITIONAL_ONLY)]
                parameters = [*self_first, *signature.parameters.values()]
                signature = signature.replace(parameters=parameters)
                setattr(ndarray, name, _method(name, Function(name, signature, run)))


_bind()
