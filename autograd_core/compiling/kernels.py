"""Chains of elementwise calls on a device, each as one kernel: one launch in place of many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import group_from
from autograd_core.compiling.expressions import Expressions
from autograd_core.compiling.program import Call, Program, Ref, Value
from autograd_core.devices import backend
from autograd_core.devices.fusion import TEXTS

FEWEST = 2  # calls that are worth a kernel
# Names that mean something in C++, in CuPy's kernels or in these
WORDS = """T n i auto bool break case catch char class const continue default delete do double else
enum extern false float for friend goto if inline int long namespace new operator private public
register return short signed sizeof static struct switch template this throw true try typename union
unsigned using virtual void volatile while"""
TAKEN = frozenset(re.findall(r"[a-zA-Z]\w*", " ".join([WORDS, *TEXTS.values()])))


@dataclass(frozen=True, eq=False)
class Kernel:
    """Elementwise calls. `inputs` are the arrays and numbers that they read, `outputs` the results
    that are needed afterwards, and `targets` the arrays of the caller that they write to."""

    name = "kernel"
    calls: list[Call]
    inputs: list[Value]
    outputs: list[Value]
    targets: list[Value]


def with_kernels(program: Program, kept: list[Value]) -> None:
    """Join chains of elementwise calls on device arrays in the program."""
    calls, start = program.calls, 0
    while start < len(calls):
        if _shape(calls[start]) is None:
            start += 1
            continue
        before, group, after, end = group_from(calls, start, _shape, _target)
        if len(group) < FEWEST:
            start += 1
            continue
        used = {v for call in (*after, *calls[end:]) for v in call.refs()} | {*program.outputs()}
        calls[start:end] = [*before, _joined(group, used | set(kept)), *after]
        start += not before


def _target(call: Call) -> Value | None:
    """The array of the caller that a call writes to, as a whole."""
    out = call.settings.get("out")
    out = out[0] if isinstance(out, tuple) else out
    if not isinstance(out, Ref) or out.value.memory is not out.value:
        return None
    return out.value if out.value.kind == "captured" else None


def _shape(call: Call) -> Any:
    """The shape and dtype of an elementwise call on arrays of a device; None for another call."""
    function = call.function
    if not isinstance(function, np.ufunc) or function not in TEXTS or function.nout != 1:
        return None
    target = _target(call)
    if call.settings and (target is None or call.settings.keys() != {"out"}):
        return None
    result = call.results[0] if call.results else target
    assert result is not None
    arrays = [result.array, *(v.array for v in call.refs() if type(v.array) is not float)]
    dtypes = {array.dtype for array in arrays}
    if not all(map(backend.on_device, arrays)) or len(dtypes) != 1:
        return None
    numbers = [arg for arg in call.args if not isinstance(arg, Ref)]
    finite = all(type(n) in (int, float) and np.isfinite(n) for n in numbers)
    dtype = dtypes.pop()
    return (result.array.shape, dtype) if finite and dtype.char in "fd" else None


def _joined(group: list[Call], used: set[Value]) -> Call:
    made = [value for call in group for value in call.results]
    memories = {value.memory for value in used}
    outputs = [value for value in made if value.memory in memories]
    targets = list(dict.fromkeys(t for call in group if (t := _target(call)) is not None))
    reads = [v for call in group for arg in call.args if isinstance(arg, Ref) for v in [arg.value]]
    inputs = [value for value in dict.fromkeys(reads) if value not in made]
    function = Kernel(group, inputs, outputs, targets)
    return Call(function, tuple(Ref(v) for v in (*inputs, *targets)), {}, outputs, writes=targets,
                line=group[0].line, part="one kernel")  # fmt: skip


class KernelText:
    """The text of a kernel."""

    def __init__(self, kernel: Kernel, written: Expressions, kept: set[Value]) -> None:
        self.kernel, self.written = kernel, written
        self.kept = kept  # what is new in each run
        self.name = written.free("kernel")
        written.bound["cp"] = backend.device_module()

    def made(self) -> Iterator[str]:
        """The kernel and arrays for its results, which are made once."""
        kernel = self.kernel
        own = Expressions()
        own.taken |= TAKEN
        names = {value: own.free(value.name or "x") for value in kernel.inputs}
        given = ", ".join(f"T {name}" for name in names.values())
        steps = []
        for call in kernel.calls:
            texts = [self._operand(arg, names) for arg in call.args]
            value = call.results[0] if call.results else _target(call)
            assert value is not None
            names[value] = own.free(value.name or call.function.__name__)
            steps.append(f"T {names[value]} = {TEXTS[call.function].format(*texts)}")
        outs = {value: own.free(f"{names[value]}_out") for value in self._written()}
        steps += [f"{out} = {names[value]}" for value, out in outs.items()]
        results = ", ".join(f"T {name}" for name in outs.values())
        for value in self.kernel.outputs:
            if value not in self.kept:
                yield f"{self.written.names[value]} = {self._empty(value)}"
        yield (
            f'{self.name} = cp.ElementwiseKernel("{given}", "{results}", "{"; ".join(steps)}", '
            f'"{self.name}", preamble=PREAMBLE)'
        )

    @staticmethod
    def _operand(arg: Any, names: dict[Value, str]) -> str:
        return names[arg.value] if isinstance(arg, Ref) else f"T({arg!r})"

    def _written(self) -> list[Value]:
        return [*self.kernel.outputs, *self.kernel.targets]

    @staticmethod
    def _empty(value: Value) -> str:
        dtype = "" if value.array.dtype == float else ", np.float32"
        return f"cp.empty({value.array.shape}{dtype})"

    def call(self) -> Iterator[str]:
        """The lines that call it."""
        written, names = self.written, self.written.names
        titles = {call.results[0]: call.function.__name__ for call in self.kernel.calls
                  if call.results}  # fmt: skip
        for value in self.kernel.outputs:
            if value not in names:
                names[value] = written.free(value.name or titles[value])
            if value in self.kept:
                yield f"{names[value]} = {self._empty(value)}"
        given = [written.array(value) for value in (*self.kernel.inputs, *self._written())]
        yield f"{self.name}({', '.join(given)})"


__all__ = ["Kernel", "KernelText", "with_kernels"]
