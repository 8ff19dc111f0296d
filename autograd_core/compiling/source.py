"""A program as Python source."""

from __future__ import annotations

import builtins
import keyword
import math
import operator
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd_core.compiling.buffers import planned
from autograd_core.compiling.program import (
    Call,
    Method,
    Program,
    Ref,
    UfuncMethod,
    Value,
    replaced,
)
from autograd_core.compiling.shapes import keeps_shape

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//",
    "remainder": "%", "matmul": "@", "greater": ">", "less": "<",
    "greater_equal": ">=", "less_equal": "<=", "equal": "==", "not_equal": "!=",
    "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
}  # fmt: skip
PLACES = (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft))


class Source:
    """The lines of a program, and the objects that they name."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[Value, str] = {}
        self.bound: dict[str, Any] = {"np": np}
        self.taken = {*keyword.kwlist, *dir(builtins), "np"}
        self.counts: dict[str, int] = {}
        self.held: dict[Value, Value] = planned(program)
        for value in program.arguments:
            self.names[value] = self._free(value.name)
        self.text = "\n".join(self._lines())

    def _free(self, wanted: str) -> str:
        """A name like the one wanted that is not taken."""
        name = re.sub(r"[^0-9A-Za-z_]", "_", wanted).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        if name in self.taken:
            count = self.counts.get(name, 1)
            while f"{name}_{count}" in self.taken:
                count += 1
            self.counts[name] = count + 1
            name = f"{name}_{count}"
        self.taken.add(name)
        return name

    def _lines(self) -> Iterator[str]:
        program = self.program
        arguments = ", ".join(self.names[value] for value in program.arguments)
        yield f"def program({arguments}):"
        errors: dict[str, str] | None = None
        for call in program.calls:
            if call.errors != errors and call.errors is not None:
                states = ", ".join(f"{kind}={how!r}" for kind, how in call.errors.items())
                yield f"    with np.errstate({states}):"
            errors = call.errors
            indent = "    " if errors is None else "        "
            for line in self._call(call):
                yield indent + line
        own = {value for value in program.outputs() if value.kind == "constant"}
        yield f"    return {self._written(replaced(program.result, partial(_copied, own)))}"

    def _call(self, call: Call) -> Iterator[str]:
        if call.guard is not None:
            (name,) = map(self._written, call.args)
            asked = call.guard.word.format(name)
            expected = self._written(call.guard.expected)
            yield f"if not _same({asked}, {expected}): return _DIFFERS"
            self.bound["_same"], self.bound["_DIFFERS"] = same, DIFFERS
            return
        text = self._expression(call)
        if call.writes and not call.results:
            yield text
            return
        title = self._title(call)
        for value in call.results:
            self.names[value] = self._free(title)
        if call.shape is None:
            yield text
            return
        yield f"{self._target(call.shape)} = {text}"
        if not keeps_shape(call):
            for value in call.results:
                name, dtype = self.names[value], self._bind("dtype", value.array.dtype)
                yield f"if {name}.shape != {value.array.shape} or {name}.dtype != {dtype}:"
                yield "    return _DIFFERS"
            self.bound["_DIFFERS"] = DIFFERS

    def _target(self, shape: Any) -> str:
        if isinstance(shape, Ref):
            return self.names[shape.value]
        if isinstance(shape, tuple | list):
            parts = [self._target(part) for part in shape]
            return f"({parts[0]},)" if len(parts) == 1 else ", ".join(parts)
        return self._free("_")

    @staticmethod
    def _title(call: Call) -> str:
        function = call.function
        if isinstance(function, Method) and function.name == "__getitem__":
            return "part"
        if isinstance(function, UfuncMethod):
            return f"{function.ufunc.__name__}_{function.name}"
        return str(getattr(function, "name", None) or getattr(function, "__name__", "value")).strip(
            "_"
        )

    # expressions

    def _expression(self, call: Call) -> str:
        function, args = call.function, call.args
        if function is operator.pow:
            return f"{self._operand(args[0])} ** {self._operand(args[1])}"
        if isinstance(function, Method):
            return self._method(function, call)
        if isinstance(function, np.ufunc) and not call.settings:
            sign = INFIX.get(function.__name__)
            if sign and len(args) == 2 and getattr(np, function.__name__) is function and any(
                isinstance(arg, Ref) and isinstance(arg.value.array, np.ndarray) for arg in args
            ):  # fmt: skip
                return f"{self._operand(args[0])} {sign} {self._operand(args[1])}"
        parts = [self._written(arg) for arg in args]
        parts += [f"{name}={self._written(value)}" for name, value in call.settings.items()]
        return f"{self._function(function)}({', '.join(parts)})"

    def _operand(self, arg: Any) -> str:
        text = self._written(arg)
        return f"({text})" if text.startswith("-") else text

    def _method(self, function: Method, call: Call) -> str:
        x = self._written(call.args[0])
        if function.attribute:
            return f"{x}.{function.name}"
        if function.name == "__getitem__":
            return f"{x}[{self._index(call.args[1])}]"
        if function.name == "__setitem__":
            return f"{x}[{self._index(call.args[1])}] = {self._written(call.args[2])}"
        parts = [self._written(arg) for arg in call.args[1:]]
        parts += [f"{name}={self._written(value)}" for name, value in call.settings.items()]
        return f"{x}.{function.name}({', '.join(parts)})"

    def _index(self, index: Any) -> str:
        if isinstance(index, tuple) and index:
            return ", ".join(map(self._entry, index)) + ("," if len(index) == 1 else "")
        return self._entry(index)

    def _entry(self, entry: Any) -> str:
        if isinstance(entry, slice):
            parts = ["" if p is None else self._written(p) for p in (entry.start, entry.stop)]
            step = "" if entry.step is None else f":{self._written(entry.step)}"
            return ":".join(parts) + step
        return "..." if entry is ... else self._written(entry)

    def _function(self, function: Any) -> str:
        if isinstance(function, UfuncMethod):
            return f"{self._function(function.ufunc)}.{function.name}"
        name = getattr(function, "__name__", "")
        for place, module in PLACES:
            if name and getattr(module, name, None) is function:
                return f"{place}.{name}"
        title = getattr(function, "name", None) or name or "function"
        return self._bind(title, function)

    def _bind(self, title: str, value: Any) -> str:
        for name, known in self.bound.items():
            if known is value:
                return name
        name = self._free(title)
        self.bound[name] = value
        return name

    def _written(self, value: Any) -> str:
        """An argument as an expression."""
        if isinstance(value, Ref):
            return self._array(value.value)
        if isinstance(value, _Copy):
            return f"{self._array(value.value)}.copy()"
        if value is None or value is ... or type(value) in (bool, int, str):
            return repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
        if type(value) is complex and math.isfinite(abs(value)):
            return f"complex({value.real!r}, {value.imag!r})"
        if isinstance(value, np.dtype) and value.isbuiltin:
            return f"np.dtype({value.name!r})"
        if isinstance(value, type):
            return self._type(value)
        if isinstance(value, slice):
            return f"slice({', '.join(map(self._written, (value.start, value.stop, value.step)))})"
        if type(value) in (tuple, list):
            inner = ", ".join(map(self._written, value))
            comma = "," if len(value) == 1 and type(value) is tuple else ""
            return f"({inner}{comma})" if type(value) is tuple else f"[{inner}]"
        if type(value) is dict and all(isinstance(name, str) for name in value):
            return "{" + ", ".join(f"{n!r}: {self._written(v)}" for n, v in value.items()) + "}"
        return self._bind(type(value).__name__.lower(), value)

    def _type(self, value: type) -> str:
        if value in (bool, int, float, complex):
            return value.__name__
        named = getattr(np, value.__name__, None) is value
        return f"np.{value.__name__}" if named else self._bind(value.__name__, value)

    def _array(self, value: Value) -> str:
        if value not in self.names:
            title = value.name or value.kind
            self.names[value] = self._bind(title, value.array)
        return self.names[value]


def _copied(own: set[Value], leaf: Any) -> Any:
    """A constant in the result as a copy, as the caller may write to it."""
    return _Copy(leaf.value) if isinstance(leaf, Ref) and leaf.value in own else leaf


class _Copy:
    def __init__(self, value: Value) -> None:
        self.value = value


class _Differs:
    def __repr__(self) -> str:
        return "DIFFERS"


DIFFERS = _Differs()  # what a program returns if a guard differs


def same(value: Any, expected: Any) -> bool:
    """True if a value that a guard computes is the one that was traced, NaN and -0.0 included."""
    if isinstance(value, list):
        pairs = zip(value, expected, strict=True)
        return len(value) == len(expected) and all(same(a, b) for a, b in pairs)
    return type(value) is type(expected) and repr(value) == repr(expected)
