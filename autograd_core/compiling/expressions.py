"""The calls of a program as Python expressions."""

from __future__ import annotations

import builtins
import keyword
import math
import operator
import re
from typing import Any

import numpy as np

from autograd_core.compiling.program import (
    ROWS,
    Call,
    Method,
    Ref,
    UfuncMethod,
    Value,
    Writer,
    refs,
)

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//",
    "remainder": "%", "matmul": "@", "greater": ">", "less": "<",
    "greater_equal": ">=", "less_equal": "<=", "equal": "==", "not_equal": "!=",
    "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
}  # fmt: skip
NUMBERS: dict[Any, str] = {  # of numbers, and of arrays for the power
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/",
    operator.floordiv: "//", operator.mod: "%", operator.pow: "**",
}  # fmt: skip
# Names that the text of a program uses
RESERVED = ("np", "cp", "step", "pieces", "in_blocks", "total", "sums", "s", "same", "Differs",
            "Path", "Context", "PREAMBLE", "arrays", "file", "FEW",
            "recompute_sigmoid_slope")  # fmt: skip
PLACES = (
    ("np", np),
    ("np.linalg", np.linalg),
    ("np.fft", np.fft),
    ("np.lib.stride_tricks", np.lib.stride_tricks),
)


class Expressions:
    """Writes calls as expressions. `names` has the name of each Value, and `bound` the objects that
    the text names.

    With `fast`, the text is for the interpreter: ``np.add`` is one name, and ``out=`` of a ufunc is
    a positional argument. A long program of small calls takes a tenth less time so.
    """

    def __init__(self) -> None:
        self.names: dict[Value, str] = {}
        self.bound: dict[str, Any] = {"np": np}
        self.taken = {*keyword.kwlist, *dir(builtins), *RESERVED}
        self.counts: dict[str, int] = {}
        self.fast = False
        self.short: dict[str, Any] = {}

    def free(self, wanted: str) -> str:
        """A name like the one wanted that is not taken."""
        name = re.sub(r"[^0-9A-Za-z_]", "_", wanted).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() or name.startswith("np_") else name
        if name in self.taken:
            count = self.counts.get(name, 2)
            while f"{name}_{count}" in self.taken:
                count += 1
            self.counts[name] = count + 1
            name = f"{name}_{count}"
        self.taken.add(name)
        return name

    def bind(self, title: str, value: Any) -> str:
        """A name for an object that has no text."""
        for name, known in self.bound.items():
            if known is value:
                return name
        name = title if isinstance(value, Writer) else self.free(title)
        self.bound[name] = value
        return name

    def call(self, call: Call) -> str:
        """A call as an expression."""
        function, args = call.function, self._with_literals(call)
        if call.errors is not None:
            return self._under(call)
        if function is ROWS:
            return self.value(args[0])
        if function in NUMBERS:
            return f"{self._operand(args[0])} {NUMBERS[function]} {self._operand(args[1])}"
        if function is operator.neg:
            return f"-{self._operand(args[0])}"
        if isinstance(function, Method):
            return self._method(function, call)
        if isinstance(function, np.ufunc) and not call.settings:
            sign = INFIX.get(function.__name__)
            if sign and len(args) == 2 and getattr(np, function.__name__) is function and any(
                isinstance(arg, Ref) and isinstance(arg.value.array, np.ndarray) for arg in args
            ):  # fmt: skip
                return f"{self._operand(args[0])} {sign} {self._operand(args[1])}"
        return f"{self._function(function)}({self._arguments(function, args, call.settings)})"

    def _with_literals(self, call: Call) -> tuple[Any, ...]:
        """The arguments, with numbers for constants, which have the dtype of another operand."""
        if self.fast or not isinstance(call.function, np.ufunc):
            return call.args
        dtypes = [v.array.dtype for v in refs(call.args) if np.ndim(v.array)]
        return tuple(
            arg.value.array.item() if _is_number(arg) and arg.value.array.dtype in dtypes else arg
            for arg in call.args
        )

    def _arguments(self, function: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> str:
        out = settings.get("out")
        if type(out) is tuple and len(out) == 1:
            settings = {**settings, "out": out[0]}
        if self.fast and len(settings) == 1 and "out" in settings:
            between = _between(function, len(args))
            if between is not None:
                outs = out if type(out) is tuple and len(out) > 1 else (settings["out"],)
                args, settings = (*args, *between, *outs), {}
        parts = [self.value(arg) for arg in args]
        return ", ".join(parts + [f"{name}={self.value(v)}" for name, v in settings.items()])

    def _under(self, call: Call) -> str:
        """A call under another floating-point error state, in a context that has it."""
        errors = call.errors or {}
        known = next((name for name, value in self.bound.items()
                      if isinstance(value, Errors) and value == errors), None)  # fmt: skip
        if known is None:
            word = "checked" if "raise" in errors.values() else "quiet"
            known = self.bind(word, Errors(errors))
        function, args = call.function, self._with_literals(call)
        if isinstance(function, Method):
            called, args = f"{self._operand(args[0])}.{function.name}", args[1:]
        else:
            called = self._function(function)
        more = self._arguments(function, args, call.settings)
        return f"{known}.run({called}{', ' if more else ''}{more})"

    def _operand(self, arg: Any) -> str:
        text = self.value(arg)
        return f"({text})" if text.startswith("-") else text

    def _method(self, function: Method, call: Call) -> str:
        x = self.value(call.args[0])
        if function.attribute:
            return f"{x}.{function.name}"
        if function.name == "__getitem__":
            return f"{x}[{self._index(call.args[1])}]"
        if function.name == "__setitem__":
            return f"{x}[{self._index(call.args[1])}] = {self.value(call.args[2])}"
        return f"{x}.{function.name}({self._arguments(function, call.args[1:], call.settings)})"

    def _index(self, index: Any) -> str:
        if isinstance(index, tuple) and index:
            return ", ".join(map(self._entry, index)) + ("," if len(index) == 1 else "")
        return self._entry(index)

    def _entry(self, entry: Any) -> str:
        if isinstance(entry, slice):
            parts = ["" if p is None else self.value(p) for p in (entry.start, entry.stop)]
            step = "" if entry.step is None else f":{self.value(entry.step)}"
            return ":".join(parts) + step
        return "..." if entry is ... else self.value(entry)

    def _function(self, function: Any) -> str:
        if self.fast:
            return self._short(function)
        if isinstance(function, UfuncMethod):
            return f"{self._function(function.ufunc)}.{function.name}"
        name = getattr(function, "__name__", "")
        for place, module in PLACES:
            if name and getattr(module, name, None) is function:
                return f"{place}.{name}"
        title = getattr(function, "name", None) or name or "function"
        return self.bind(title, function)

    def _short(self, function: Any) -> str:
        """One name for a function."""
        ufunc, method = function, ""
        if isinstance(function, UfuncMethod):
            ufunc, method = function.ufunc, f"_{function.name}"
        name = getattr(ufunc, "__name__", "")
        if not any(getattr(module, name, None) is ufunc for _, module in PLACES):
            return self.bind(getattr(function, "name", None) or name or "function", function)
        title = f"np_{name}{method}"
        known = self.short.setdefault(title, getattr(ufunc, function.name) if method else ufunc)
        return title if known is ufunc or method else self.bind(name, function)

    def value(self, value: Any) -> str:
        """An argument as an expression."""
        if isinstance(value, Ref):
            return self.array(value.value)
        if value is None or value is ... or type(value) in (bool, int, str):
            return repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
        if type(value) is complex:
            return f"complex({self.value(value.real)}, {self.value(value.imag)})"
        if isinstance(value, np.dtype) and value.isbuiltin:
            return f"np.dtype({value.name!r})"
        if isinstance(value, np.number | np.bool_) and value.dtype.isbuiltin:
            return self._scalar(value)
        if isinstance(value, type):
            return self._type(value)
        if isinstance(value, slice):
            return f"slice({', '.join(map(self.value, (value.start, value.stop, value.step)))})"
        if type(value) in (tuple, list):
            inner = ", ".join(map(self.value, value))
            comma = "," if len(value) == 1 and type(value) is tuple else ""
            return f"({inner}{comma})" if type(value) is tuple else f"[{inner}]"
        if type(value) is dict and all(isinstance(name, str) for name in value):
            return "{" + ", ".join(f"{n!r}: {self.value(v)}" for n, v in value.items()) + "}"
        return self.bind(type(value).__name__.lower(), value)

    def _scalar(self, value: Any) -> str:
        text = repr(value)
        same = text.startswith("np.") and "nan" not in text and "inf" not in text
        return text if same else self.bind(value.dtype.name, value)

    def _type(self, value: type) -> str:
        if value in (bool, int, float, complex):
            return value.__name__
        named = getattr(np, value.__name__, None) is value
        return f"np.{value.__name__}" if named else self.bind(value.__name__, value)

    def array(self, value: Value) -> str:
        """The name of a Value."""
        if value not in self.names:
            self.names[value] = self.bind(value.name or value.kind, value.array)
        return self.names[value]


def _between(function: Any, count: int) -> tuple[Any, ...] | None:
    """The arguments between the first `count` of a function and ``out``; None if ``out`` cannot be
    given by position."""
    if isinstance(function, np.ufunc):  # NumPy warns of three arguments of maximum and minimum
        fits = count == function.nin and function not in (np.maximum, np.minimum)
    elif isinstance(function, UfuncMethod):
        return (None,) if function.name == "reduce" and count == 2 else None  # dtype
    else:
        fits = function is np.dot and count == 2
    return () if fits else None


def _is_number(arg: Any) -> bool:
    """True for a constant without axes."""
    if not isinstance(arg, Ref) or arg.value.kind != "constant":
        return False
    array = arg.value.array
    return type(array) is not float and np.ndim(array) == 0 and array.dtype.char == "d"


class Errors(dict[str, str]):
    """A floating-point error state of NumPy."""


__all__ = ["Errors", "Expressions"]
