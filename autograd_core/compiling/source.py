"""A program as the source of a Python module: the arrays that are made once, and ``step``."""

from __future__ import annotations

import linecache
import re
from _thread import _local  # threading.local
from collections.abc import Iterator
from contextvars import Context
from functools import partial
from textwrap import wrap
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import BLOCK, Blocks, in_blocks, pieces, total
from autograd_core.compiling.blocktext import BlockFunction, empty
from autograd_core.compiling.buffers import Plan, planned
from autograd_core.compiling.expressions import Errors, Expressions
from autograd_core.compiling.kernels import Kernel, KernelText
from autograd_core.compiling.module import differences, grouped, with_helpers
from autograd_core.compiling.places import same
from autograd_core.compiling.program import (
    ROWS,
    Call,
    Method,
    Opaque,
    Program,
    Ref,
    UfuncMethod,
    Value,
    Writer,
    replaced,
)
from autograd_core.compiling.shapes import VIEWS, keeps_shape
from autograd_core.compiling.simplify import asks_a_number
from autograd_core.devices import backend, fusion
from autograd_core.devices.fusion import PREAMBLE
from autograd_core.errors import AutogradError


class Differs(ValueError):
    """Raised by a program if an array has another size or value than while it was traced."""


class Source:
    """The text of a program in three parts: `made`, the buffers; `views`, which are made again if a
    captured array is replaced; and `function`. `namespace` has the objects that they name."""

    def __init__(self, program: Program, kept: list[Value], block: int = BLOCK) -> None:
        self.program = program
        self.now: dict[str, Any] = {}  # the numbers of a module that is saved
        self.written = Expressions()
        self.names = self.written.names
        self.helpers: dict[str, Any] = {}
        self.blocks = {call.function: BlockFunction(call.function, block, self.written)
                       for call in program.calls
                       if isinstance(call.function, Blocks)}  # fmt: skip
        new = {*program.outputs(), *kept}
        self.kernels = {call.function: KernelText(call.function, self.written, new)
                        for call in program.calls
                        if isinstance(call.function, Kernel)}  # fmt: skip
        self.plan = planned(program, kept)
        program.result = [leaf for leaf in program.result
                          if getattr(leaf, "value", None) not in self.plan.kept]  # fmt: skip
        once, body = _hoisted(program, self.plan)
        free = self.written.free
        for value in program.arguments:
            self.names[value] = free(value.name)
        for value, buffer in self.plan.held.items():
            if buffer not in self.names:
                self.names[buffer] = free(self._wanted(buffer))
            self.names[value] = self.names[buffer]
        self.captured = [value for value in program.arguments if _is_captured_array(value)]
        self._name_views(once)
        self.body, self.once = body, once
        self.written.fast = True
        self.functions = [line for f in self.blocks.values() for line in f.lines(self.lines_of)]
        before = len(self.functions)
        self.functions += self._function()
        self.first_write = before + self.first  # the line from which on arrays of the caller change
        self.written.fast = False
        self.made = [
            *self._buffers(),
            *(line for kernel in self.kernels.values() for line in kernel.made()),
        ]
        if self.kernels:
            self.written.bound["PREAMBLE"] = PREAMBLE
        self.checks = [line for v in program.arguments if v.kind == "argument"
                       for line in self._checked(v)]  # fmt: skip
        self.views = [f"{self._target(call.shape)} = {self.written.call(call)}" for call in once]
        self.namespace = {**self.written.bound, **self.written.short, "Differs": Differs}
        self.namespace |= self.helpers
        if self.blocks:
            self.namespace |= {f.__name__: f for f in LOOPS}
        for name, value in self.written.bound.items():
            if isinstance(value, Errors):
                self.namespace[name] = _ErrorState(value)
            elif isinstance(value, Writer):
                self.namespace[name] = value.function

    def _wanted(self, buffer: Value) -> str:
        """The name for a buffer, with the number of what a gradient or derivative belongs to."""
        of, kind = self.plan.held.get(buffer.of, buffer.of), buffer.name.partition("_")[0]
        return f"{kind}_{self.names[of]}" if of in self.names else buffer.name

    @property
    def text(self) -> str:
        """The module, which needs the captured arrays."""
        used = [w.function for w in self._bound(Writer)]
        imports = [f"from {f.__module__} import {f.__name__}" for f in used]
        if any(c.guard is not None and c.guard.word != "bool({})" for c in self.body):
            imports.append(f"from {same.__module__} import same")
        if self.kernels:
            imports.append(f"from {fusion.__name__} import PREAMBLE")
        if self.blocks:
            imports.append(f"from {LOOPS[0].__module__} import in_blocks, pieces, total")
        shapes = [self._described(value) for value in self._arrays()]
        listed = wrap(f"# arrays: {', '.join(shapes)}", 99, subsequent_indent="#     ")
        function = self._function()
        numbers = [
            f"{name} = {value!r}" if np.isfinite(value) else f'{name} = np.{value.dtype}("{value}")'
            for name, value in self.written.bound.items()
            if isinstance(value, np.number) and re.search(rf"\b{name}\b", "\n".join(function))
        ]
        return self._module(imports, [*(listed if shapes else []), *numbers], function)

    def _described(self, value: Value) -> str:
        name, array = self.names[value], value.array
        number = f" = {array.item()}" if value.kind == "constant" and array.size == 1 else ""
        return f"{name} {array.shape}{number}"

    def standalone(self, file: str, now: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A module that needs NumPy alone, and the arrays that it loads from the file; `now` has
        the arrays by name. Raises AutogradError if the program calls a function that is no function
        of NumPy."""
        if "cp" in self.written.bound:
            raise AutogradError("save: the program computes on a device, not with NumPy")
        if any(call.draws for call in self.body):
            raise AutogradError("save: the program draws random numbers from a generator")
        opaque = [f.name for f in self._bound(Opaque)]
        arrays = {self.names[v]: now[self.names[v]] for v in self._arrays()}
        known = arrays.keys() | {"np", "Differs"}
        texts = {n for n, v in self.written.bound.items() if isinstance(v, Errors | Writer)}
        other = [n for n in self.written.bound if n not in known | texts]
        for name in other:
            value = self.written.bound[name]
            if isinstance(value, np.ndarray | np.generic):
                arrays[name] = value
            elif name not in opaque:
                opaque.append(getattr(value, "name", name))
        if opaque:
            raise AutogradError(
                f"save: the program calls {', '.join(dict.fromkeys(opaque))}, which is not a "
                "function of NumPy, and a saved program needs NumPy alone"
            )
        used = [w.function for w in self._bound(Writer)] + [*LOOPS] * bool(self.blocks)
        helpers = [line for text in with_helpers(used) for line in (*text, "", "")]
        for name, array in arrays.items():
            if not (array.flags.c_contiguous or array.flags.f_contiguous):
                raise AutogradError(f"save: the array {name} is part of another one; copy it")
        loads = [f'with np.load(Path(__file__).with_name("{file}")) as file:',
                 "    arrays = dict(file)"] if arrays else []  # fmt: skip
        loads += [f'{name} = arrays["array_{name}"]{"[()]" * isinstance(array, np.generic)}'
                  for name, array in arrays.items()]  # fmt: skip
        self.now = now
        function = self._function()
        self.now = {}
        function[1:1] = self.checks
        imports = ["from pathlib import Path"] if arrays else []
        if any("same(" in line for line in function):
            helpers = [*(x for text in with_helpers([same]) for x in (*text, "", "")), *helpers]
        return self._module(imports, [*helpers, *loads], function), arrays

    def _checked(self, value: Value) -> Iterator[str]:
        name, array = self.names[value], value.array
        if backend.is_data(array):
            dtype = self.written.value(_short(array.dtype))
            order, memory = f"not {name}.flags.c_contiguous", "in C order"
            if not array.flags.c_contiguous:
                order, memory = f"{name}.strides != {array.strides}", f"strides {array.strides}"
            what = f"must have shape {array.shape}, dtype {dtype}, {memory}"
            yield f"    if {name}.shape != {array.shape} or {name}.dtype != {dtype} or {order}:"
            yield f'        raise ValueError("{name} {what}")'

    def _module(self, imports: list[str], top: list[str], function: list[str]) -> str:
        contexts = [
            line
            for name, value in self.written.bound.items()
            if isinstance(value, Errors)
            for line in (f"{name} = Context()", f"{name}.run(np.seterr, {differences(value)})")
        ]
        imports = (["from contextvars import Context"] if contexts else []) + imports
        ours = [line for line in imports if "autograd_core" in line or " nn" in line]
        standard = [line for line in imports if line not in ours]
        device = ["import cupy as cp"] if "cp" in self.written.bound else []
        head = [*standard, *([""] if standard else []), *device, "import numpy as np",
                *([""] if ours else []), *ours]  # fmt: skip
        function = [
            *[x for f in self.blocks.values() for x in (*f.lines(self.lines_of), "", "")],
            *function,
        ]
        once = [*top, *contexts, *grouped(self.made), *grouped(self.views)]
        return "\n".join([*head, *([""] if once else []), *once, "", "", *function]) + "\n"

    def _bound(self, kind: type) -> list[Any]:
        return [value for value in self.written.bound.values() if isinstance(value, kind)]

    def _arrays(self) -> list[Value]:
        """The captured arrays and the constants, by name."""
        return [value for value in self.names if value.kind in ("captured", "constant")
                and backend.is_data(value.array)]  # fmt: skip

    def _buffers(self) -> Iterator[str]:
        done: set[Value] = set()
        for buffer in self.plan.held.values():
            if buffer in done:
                continue
            done.add(buffer)
            name, model = self.names[buffer], self.plan.models.get(buffer)
            made = empty(buffer.array, self.written) if model is None else self.names[model]
            yield f"{name} = {made}"
        for function in self.blocks.values():
            yield from function.made()

    # the function

    def _name_views(self, once: list[Call]) -> None:
        for call in once:
            (base,), title = call.refs(), title_of(call)
            word = {"swapaxes": "T", "transpose": "T", "ravel": "flat"}.get(title, title)
            for i, value in enumerate(call.results):
                ending = i if call.function is ROWS else word
                self.names[value] = self.written.free(f"{self.names[base]}_{ending}")

    def _function(self) -> list[str]:
        program = self.program
        body: list[str] = []
        place: tuple[str, str] = ("", "")
        self.first = 1 << 30
        for call in self.body:
            lines = list(self.lines_of(call))
            changes = any(m.kind == "captured" for m in call.writes) or any(
                value in self.plan.kept for value in call.results
            )
            if changes:
                self.first = min(self.first, len(body) + 2)
            line = users_text(call.line) if not asks_a_number(call) else ""
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
        arguments = [
            self.names[v] if v.kind == "argument" else self._default(v)
            for v in program.arguments
            if v not in self.captured
        ]
        return [f"def step({', '.join(arguments)}):", *(f"    {x}" if x else "" for x in body)]

    def _default(self, value: Value) -> str:
        name = self.names[value]
        return f"{name}={self.written.value(self.now.get(name, value.array))}"

    def _returned(self, leaf: Any) -> str:
        if isinstance(leaf, _Copy):
            return f"{self.written.array(leaf.value)}.copy()"
        return self.written.value(leaf)

    def lines_of(self, call: Call) -> Iterator[str]:
        written = self.written
        if call.guard is not None:
            yield from self._guard(call)
            return
        if isinstance(call.function, Kernel):
            yield from self.kernels[call.function].call()
            return
        if isinstance(call.function, Blocks):
            yield from self.blocks[call.function].call()
            return
        for value in call.results:
            if value not in self.names:
                self.names[value] = written.free(value.name or title_of(call))
        text = written.call(call)
        if call.shape is None or "out" in call.settings:
            yield text
            return
        target = self._target(call.shape)
        yield f"{target[1:-1] if len(call.results) > 1 else target} = {text}"
        if not keeps_shape(call):
            for value in call.results:
                if type(value.array) is float:
                    yield f"if type({self.names[value]}) is not float:"
                    yield self._stop(f"the type of {self.names[value]} differs")
                    continue
                name, dtype = self.names[value], written.value(_short(value.array.dtype))
                yield f"if {name}.shape != {value.array.shape} or {name}.dtype != {dtype}:"
                yield self._stop(f"the shape or dtype of {name} differs")

    def _guard(self, call: Call) -> Iterator[str]:
        (name,) = map(self.written.value, call.args)
        guard = call.guard
        assert guard is not None
        if isinstance(guard.expected, bool) and guard.word == "bool({})":
            yield f"if {'' if not guard.expected else 'not '}{name}:"
        else:
            self.helpers["same"] = same
            expected = self.written.value(guard.expected)
            yield f"if not same({guard.word.format(name)}, {expected}):"
        yield self._stop(f"{name} differs")

    def _stop(self, why: str) -> str:
        return f'    raise {"Differs" if self.written.fast else "ValueError"}("{why}")'

    def _target(self, shape: Any) -> str:
        if isinstance(shape, Ref):
            return self.names[shape.value]
        if isinstance(shape, tuple | list):
            parts = [self._target(part) for part in shape]
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        return self.written.free("_")


LOOPS = (pieces, in_blocks, total)


def _is_captured_array(value: Value) -> bool:
    return value.kind == "captured" and backend.is_data(value.array)


def _hoisted(program: Program, plan: Plan) -> tuple[list[Call], list[Call]]:
    """The calls that make views of arrays that stay the same from run to run, and the others."""
    outputs = set(program.outputs())
    fixed = {value for value in program.arguments if _is_captured_array(value)} | plan.held.keys()
    once, body = [], []
    for call in program.calls:
        bases = list(call.refs())
        one_array = len(call.results) == 1 and call.function in VIEWS
        is_view = len(bases) == 1 and not call.writes and (one_array or call.function is ROWS)
        if is_view and bases[0] in fixed and not outputs.intersection(call.results) and all(
            value.memory is bases[0].memory for value in call.results
        ):  # fmt: skip
            once.append(call)
            fixed.update(call.results)
            continue
        body.append(call)
    return once, body


def title_of(call: Call) -> str:
    function = call.function
    if isinstance(function, Method) and function.name == "__getitem__":
        return "part"
    if isinstance(function, UfuncMethod):
        return f"{function.ufunc.__name__}_{function.name}"
    return str(getattr(function, "name", None) or getattr(function, "__name__", "value")).strip("_")


def users_text(place: str) -> str:
    file, _, number = place.rpartition(":")
    return linecache.getline(file, int(number)).strip() if number.isdigit() else ""


def _short(dtype: Any) -> Any:
    """The type of the scalars if it means the same dtype."""
    return dtype.type if np.dtype(dtype.type) == dtype else dtype


class _ErrorState(_local):
    """Calls functions under a floating-point error state. Each thread has a context of its own."""

    def __init__(self, errors: Errors) -> None:
        context = Context()
        context.run(np.seterr, **errors)  # type: ignore[arg-type]
        self.run = context.run


def _copied(own: set[Value], leaf: Any) -> Any:
    """A constant in the result as a copy, as the caller may write to it."""
    return _Copy(leaf.value) if isinstance(leaf, Ref) and leaf.value in own else leaf


class _Copy:
    def __init__(self, value: Value) -> None:
        self.value = value


__all__ = ["Differs", "Source", "title_of", "users_text"]
