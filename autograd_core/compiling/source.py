"""A program as the source of a Python module: the arrays that are made once, and ``step``."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Iterator
from contextvars import Context
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from autograd_core.compiling.buffers import Plan, planned
from autograd_core.compiling.expressions import Errors, Expressions
from autograd_core.compiling.places import same
from autograd_core.compiling.program import (
    Call,
    Method,
    Program,
    Ref,
    UfuncMethod,
    Value,
    Writer,
    replaced,
)
from autograd_core.compiling.shapes import VIEWS, keeps_shape


class Differs(ValueError):
    """Raised by a program if an array has another size or value than while it was traced."""


class Source:
    """The text of a program in three parts: `made`, the buffers; `views`, which are made again if a
    captured array is replaced; and `function`. `namespace` has the objects that they name."""

    def __init__(self, program: Program, kept: list[Value]) -> None:
        self.program = program
        self.written = Expressions()
        self.names = self.written.names
        self.helpers: dict[str, Any] = {}
        self.asks = False
        self.plan = planned(program, kept)
        once, body = _hoisted(program, self.plan)
        free = self.written.free
        for value in program.arguments:
            self.names[value] = free(value.name)
        for value, buffer in self.plan.held.items():
            if buffer not in self.names:
                self.names[buffer] = free(buffer.name)
            self.names[value] = self.names[buffer]
        self.captured = [value for value in program.arguments if _is_captured_array(value)]
        function = self._function(body, once)
        self.made = list(self._buffers())
        self.views = [f"{self._target(call.shape)} = {self.written.call(call)}" for call in once]
        self.function = function
        self.namespace = {**self.written.bound, "Differs": Differs} | self.helpers
        for name, value in self.written.bound.items():
            if isinstance(value, Errors):
                self.namespace[name] = _context(value)
            elif isinstance(value, Writer):
                self.namespace[name] = value.function

    @property
    def text(self) -> str:
        """The module."""
        head = ["import numpy as np"]
        errors = [(n, v) for n, v in self.written.bound.items() if isinstance(v, Errors)]
        if errors:
            head.insert(0, "from contextvars import Context\n")
        parts = [head]
        if self.asks:
            parts.append(["", "", "class Differs(ValueError):",
                          '    """An array has another size or value than in the call that was '
                          'traced."""'])  # fmt: skip
        writers = [v.function for v in self.written.bound.values() if isinstance(v, Writer)]
        for function in _with_helpers(writers):
            parts.append(["", "", *function])
        top = [line for name, value in errors for line in _context_lines(name, value)]
        constants = [
            f"# {name}: {_described(value.array)}"
            for value, name in self.names.items()
            if value.kind in ("captured", "constant") and value in self._shown()
        ]
        once = [*top, *constants, *self.made, *self.views]
        if once:
            parts.append(["", *once])
        parts.append(["", "", *self.function])
        return "\n".join(line for part in parts for line in part) + "\n"

    def _shown(self) -> set[Value]:
        return {value for value in self.names if isinstance(value.array, np.ndarray)}

    def _buffers(self) -> Iterator[str]:
        done: set[Value] = set()
        for buffer in self.plan.held.values():
            if buffer in done:
                continue
            done.add(buffer)
            name, model = self.names[buffer], self.plan.models.get(buffer)
            made = _empty(buffer.array, self.written) if model is None else self.names[model]
            yield f"{name} = {made}"

    # the function

    def _function(self, calls: list[Call], once: list[Call]) -> list[str]:
        program, body = self.program, []
        place: tuple[str, str] = ("", "")
        for call in once:
            (value,), (base,) = call.results, call.refs()
            word = {"swapaxes": "T", "transpose": "T", "ravel": "flat"}.get(
                title := _title(call), title
            )
            self.names[value] = self.written.free(f"{self.names[base]}_{word}")
        for call in calls:
            lines = list(self._call(call))
            line = _users_text(call.line)
            if line and line != place[0]:
                body += ["", f"# {line}"] if body else [f"# {line}"]
                place = line, ""
            if call.part and call.part != place[1]:
                lines[0] = f"{lines[0]}  # {call.part}"
            place = place[0], call.part or place[1]
            body += lines
        own = {value for value in program.outputs() if value.kind == "constant"}
        result = [self._returned(replaced(leaf, partial(_copied, own))) for leaf in program.result]
        body.append(f"return {', '.join(result)}" if result else "return None")
        arguments = [self.names[v] for v in program.arguments if v not in self.captured]
        return [f"def step({', '.join(arguments)}):", *(f"    {x}" if x else "" for x in body)]

    def _returned(self, leaf: Any) -> str:
        if isinstance(leaf, _Copy):
            return f"{self.written.array(leaf.value)}.copy()"
        return self.written.value(leaf)

    def _call(self, call: Call) -> Iterator[str]:
        written = self.written
        if call.guard is not None:
            yield from self._guard(call)
            return
        for value in call.results:
            if value not in self.names:
                self.names[value] = written.free(value.name or _title(call))
        text = written.call(call)
        if call.shape is None or "out" in call.settings:
            yield text
            return
        yield f"{self._target(call.shape)} = {text}"
        if not keeps_shape(call):
            for value in call.results:
                name, dtype = self.names[value], written.value(value.array.dtype)
                yield f"if {name}.shape != {value.array.shape} or {name}.dtype != {dtype}:"
                yield f'    raise Differs("{name}")'
            self.asks = True

    def _guard(self, call: Call) -> Iterator[str]:
        (name,) = map(self.written.value, call.args)
        guard = call.guard
        assert guard is not None
        self.asks = True
        if isinstance(guard.expected, bool) and guard.word == "bool({})":
            yield f"if {'' if not guard.expected else 'not '}{name}:"
        else:
            self.helpers["same"] = same
            expected = self.written.value(guard.expected)
            yield f"if not same({guard.word.format(name)}, {expected}):"
        yield f'    raise Differs("{name}")'

    def _target(self, shape: Any) -> str:
        if isinstance(shape, Ref):
            return self.names[shape.value]
        if isinstance(shape, tuple | list):
            parts = [self._target(part) for part in shape]
            return f"({parts[0]},)" if len(parts) == 1 else ", ".join(parts)
        return self.written.free("_")


def _is_captured_array(value: Value) -> bool:
    return value.kind == "captured" and isinstance(value.array, np.ndarray)


def _hoisted(program: Program, plan: Plan) -> tuple[list[Call], list[Call]]:
    """The calls that make views of arrays that stay the same from run to run, and the others."""
    outputs = set(program.outputs())
    fixed = {value for value in program.arguments if _is_captured_array(value)} | plan.held.keys()
    once, body = [], []
    for call in program.calls:
        bases = list(call.refs())
        is_view = len(call.results) == 1 and call.function in VIEWS and len(bases) == 1
        if is_view and bases[0] in fixed and call.results[0].memory is bases[0].memory:
            (value,) = call.results
            if value not in outputs and not call.writes:
                once.append(call)
                fixed.add(value)
                continue
        body.append(call)
    return once, body


def _title(call: Call) -> str:
    function = call.function
    if isinstance(function, Method) and function.name == "__getitem__":
        return "part"
    if isinstance(function, UfuncMethod):
        return f"{function.ufunc.__name__}_{function.name}"
    return str(getattr(function, "name", None) or getattr(function, "__name__", "value")).strip("_")


def _users_text(place: str) -> str:
    file, _, number = place.rpartition(":")
    return linecache.getline(file, int(number)).strip() if number.isdigit() else ""


def _described(array: Any) -> str:
    return f"{array.shape}, {array.dtype}"


def _empty(array: Any, written: Expressions) -> str:
    dtype = "" if array.dtype == float else f", {written.value(array.dtype.type)}"
    return f"np.empty({array.shape}{dtype})"


def _context(errors: Errors) -> Context:
    context = Context()
    context.run(np.seterr, **errors)
    return context


def _context_lines(name: str, errors: Errors) -> list[str]:
    states = ", ".join(f"{kind}={how!r}" for kind, how in errors.items())
    return [f"{name} = Context()", f"{name}.run(np.seterr, {states})"]


def _with_helpers(functions: list[Any]) -> Iterator[list[str]]:
    """The texts of functions, after those of the functions and numbers that they use."""
    seen: set[Any] = set()

    def visit(function: Any) -> Iterator[list[str]]:
        if function in seen:
            return
        seen.add(function)
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType):
                yield from visit(value)
            elif isinstance(value, int | float):
                yield [f"{name} = {value!r}"]
        yield inspect.getsource(function).rstrip().splitlines()

    for function in functions:
        yield from visit(function)


def _copied(own: set[Value], leaf: Any) -> Any:
    """A constant in the result as a copy, as the caller may write to it."""
    return _Copy(leaf.value) if isinstance(leaf, Ref) and leaf.value in own else leaf


class _Copy:
    def __init__(self, value: Value) -> None:
        self.value = value


__all__ = ["Differs", "Source"]
