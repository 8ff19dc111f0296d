"""A program as boxes and arrows, which `draw` draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.compiling.program import ROWS, Call, Method, Value
from autograd_core.compiling.source import Source, title_of, users_text


@dataclass(frozen=True)
class Step:
    """A call: its title, the text below it, the user's line and the operation that it belongs to,
    the numbers of the steps and inputs that it reads with a label for each, and what it changes."""

    number: int
    title: str
    lines: list[str]
    line: str
    part: str
    reads: list[tuple[int, str]]
    changes: list[str]


@dataclass(frozen=True)
class Drawn:
    """`inputs` are numbers with names, shapes and whether they are arrays of the caller; `outputs`
    are pairs of a name and the number of a step or an input."""

    inputs: list[tuple[int, str, str, bool]]
    steps: list[Step]
    outputs: list[tuple[str, int]]


def drawn(source: Source) -> Drawn:
    """The boxes and arrows of a program."""
    return _Drawing(source).result()


class _Drawing:
    def __init__(self, source: Source) -> None:
        self.source, self.names = source, source.names
        self.inputs: list[tuple[int, str, str, bool]] = []
        self.steps: list[Step] = []
        self.made: dict[Value, int] = {}  # the step that made what is in a Value now
        self.views: dict[Value, tuple[Value, str]] = {}
        self.count = 0

    def result(self) -> Drawn:
        for call in self.source.once:
            for i, value in enumerate(call.results):
                word = f"[{i}]" if call.function is ROWS else f".{title_of(call)}"
                self.views[value] = call.refs()[0], word
        for call in self.source.body:
            self._add(call)
        outputs = [(self.names.get(v, "result"), self._read(v)[0])
                   for v in self.source.program.outputs()]  # fmt: skip
        return Drawn(self.inputs, self.steps, outputs)

    def _next(self) -> int:
        self.count += 1
        return self.count

    def _read(self, value: Value) -> tuple[int, str]:
        """The number of the box with a Value, and how it is read."""
        label = ""
        while value in self.views:
            value, word = self.views[value]
            label = word + label
        value = value if value in self.made else self.source.plan.held.get(value, value)
        if value not in self.made:
            number = self.made[value] = self._next()
            name = self.names.get(value, value.name or "constant")
            self.inputs.append((number, name, _text(value), value.kind == "captured"))
        return self.made[value], label

    def _add(self, call: Call) -> None:
        reads = [self._read(value) for value in call.refs() if value not in _outs(call)]
        changed = [self._root(memory) for memory in call.writes]
        number = self._next()
        inner = [title_of(one) for one in getattr(call.function, "calls", ())]
        results = [f"{self.names[v]} {_text(v)}".strip() for v in call.results if v in self.names]
        if call.guard is not None:
            results = ["has to be as before"]
        self.steps.append(Step(
            number, title_of(call), [*([", ".join(inner)] if inner else []), *results],
            users_text(call.line), call.part, list(dict.fromkeys(reads)),
            [self.names[memory] for memory in changed if memory.kind == "captured"],
        ))  # fmt: skip
        held = self.source.plan.held
        for value in (*call.results, *call.writes, *changed):
            self.made[value] = number
            if value in held:
                self.made[held[value]] = number

    def _root(self, memory: Value) -> Value:
        return self.source.plan.held.get(memory, memory)


def _outs(call: Call) -> set[Value]:
    if isinstance(call.function, Method) or "out" not in call.settings:
        return set()
    out: Any = call.settings["out"]
    out = out[0] if isinstance(out, tuple) else out
    return {out.value} - {arg.value for arg in call.args if hasattr(arg, "value")}


def _text(value: Value) -> str:
    shape = np.shape(value.array)
    return str(shape) if shape else ""


__all__ = ["Drawn", "Step", "drawn"]
