"""Arrays that a program writes its intermediate results to, instead of new ones in each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core.compiling.program import (
    Call,
    Method,
    Opaque,
    Program,
    Ref,
    UfuncMethod,
    Value,
    Writer,
    refs,
)
from autograd_core.compiling.shapes import EMPTY
from autograd_core.devices import backend

# Functions and methods of one result that accept ``out=``, and write to it what they would return
PRODUCTS = frozenset({np.dot, np.matmul})
FUNCTIONS = PRODUCTS | frozenset({np.sum, np.cumsum, np.prod, np.max, np.min, np.mean})
METHODS = frozenset({"sum", "cumsum", "prod", "max", "min", "mean"})


@dataclass
class Plan:
    """`held` has the buffer of each Value that is written to one; buffers are Values of the kind
    "buffer". A buffer with a `model` has the memory of another one, under a name of its own. `kept`
    are the results that stay in buffers of their own after the run."""

    held: dict[Value, Value] = field(default_factory=dict)
    models: dict[Value, Value] = field(default_factory=dict)
    kept: list[Value] = field(default_factory=list)


def planned(program: Program, kept: list[Value]) -> Plan:
    """Give calls a buffer as ``out=`` where their result is neither returned nor a scalar. A buffer
    is used again after the last use of what it held. The results in `kept` have buffers that are
    not used again."""
    last = _last_uses(program)
    free: dict[Any, list[Value]] = {}
    plan = Plan()
    held = plan.held
    known: dict[Any, Value] = {}
    unnamed: set[Value] = set()  # buffers with the name of a function

    def named(buffer: Value, name: str, of: Value | None) -> Value:
        """The memory of a buffer under a name."""
        while buffer in plan.models:
            buffer = plan.models[buffer]
        if buffer.name == name:
            return buffer
        if (buffer, name) not in known:
            known[buffer, name] = Value("buffer", name, buffer.array, of=of)
            plan.models[known[buffer, name]] = buffer
        return known[buffer, name]

    returned = {value.memory for value in program.outputs()}
    calls = []
    for i, call in enumerate(program.calls):
        used = dict.fromkeys(v.memory for v in call.refs())
        dying = [memory for memory in used if last.get(memory) == i]
        kind = _kind(call, returned - set(kept))
        empty = kind is not None and call.function in EMPTY
        if kind is not None:
            (value,) = call.results
            operands = [
                memory for memory in dying if memory in held and _in_place(call, memory, kind)
                and memory not in kept
            ]  # fmt: skip
            if value in kept:
                buffer = Value("buffer", value.name, value.array)
                plan.kept.append(value)
            elif operands:
                buffer = held[operands[0]]
                if buffer not in unnamed and value.name:
                    buffer = named(buffer, value.name, value.of)
                dying.remove(operands[0])
            elif free.get(kind):
                buffer = named(free[kind].pop(), _title(call, value), value.of)
            else:
                buffer = Value("buffer", _title(call, value), value.array, of=value.of)
            if not value.name and not operands:
                unnamed.add(buffer)
            elif value.name and buffer in unnamed:
                unnamed.remove(buffer)
                buffer.name, buffer.of = value.name, value.of
            held[value] = buffer
            if not empty:
                call.settings = {**call.settings, "out": Ref(buffer)}
        if not empty:
            calls.append(call)
        for memory in dying:
            if memory in held and memory not in kept:
                free.setdefault(_shape(held[memory]), []).append(held[memory])
        for value in call.results:
            unused = last.get(value.memory, i) <= i and value.memory is value
            if value.memory in held and unused and value not in kept:
                free.setdefault(_shape(held[value]), []).append(held[value])
    program.calls = calls
    return plan


def _title(call: Call, value: Value) -> str:
    function = call.function
    if function in EMPTY:
        return value.name or "scratch"
    ufunc = function.ufunc if isinstance(function, UfuncMethod) else function
    return value.name or getattr(ufunc, "__name__", "") or str(function.name)


def _last_uses(program: Program) -> dict[Value, int]:
    """The number of the last call that uses each memory, also by a view of it."""
    last: dict[Value, int] = {}
    for i, call in enumerate(program.calls):
        for value in (*call.refs(), *call.results):
            last[value.memory] = i
        for memory in call.writes:
            last[memory] = i
    return last


def _shape(value: Value) -> Any:
    return value.array.shape, value.array.dtype, order(value.array)


def order(array: Any) -> tuple[int, ...] | None:
    """The axes of an array as they lie in memory, if they fill it: those of a transposed array in C
    order. None for another array."""
    if array.flags.c_contiguous:
        return tuple(range(array.ndim))
    axes = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    return tuple(axes) if array.transpose(axes).flags.c_contiguous else None


def _kind(call: Call, returned: set[Value]) -> Any:
    """The shape and dtype of the buffer that a call can write to; None if it cannot."""
    function = call.function
    if isinstance(function, np.ufunc):
        fits = function.nout == 1 and len(call.args) == function.nin
    elif isinstance(function, UfuncMethod):
        fits = function.name in ("reduce", "accumulate") and len(call.args) <= 2
    elif isinstance(function, Method):
        fits = function.name in METHODS and len(call.args) <= 2
    elif isinstance(function, Opaque | Writer):
        fits = False
    else:
        fits = function in EMPTY or (function in FUNCTIONS and len(call.args) <= 2)
    if not fits or {"out", "where"} & {*call.settings} or len(call.results) != 1:
        return None
    if not (isinstance(function, np.ufunc) or function in PRODUCTS | EMPTY or _keeps_dtype(call)):
        return None
    (value,) = call.results
    array = value.array
    if not (backend.is_data(array) and array.ndim and array.size):
        return None
    whole = array.flags.c_contiguous if function is np.dot else order(array) is not None
    fresh = value.memory is value and value not in returned
    return _shape(value) if whole and fresh else None


def _keeps_dtype(call: Call) -> bool:
    """True for a reduction in the dtype of its result."""
    (value,) = call.results
    operand = next(iter(call.refs()), None)
    dtype = value.array.dtype
    return operand is not None and operand.array.dtype == dtype and dtype.char in "fdgFDG"


def _in_place(call: Call, memory: Value, kind: Any) -> bool:
    """True if a ufunc can write over an operand that is used for the last time: each element is
    read before it is written, as the operand is not a view and has the shape of the result."""
    if not isinstance(call.function, np.ufunc) or call.function.signature is not None:
        return False
    if memory.array.size == 1 and memory.array.dtype.kind == "c":
        return False  # NumPy rounds a product of single complex numbers in another way in place
    return _shape(memory) == kind and all(
        value is memory for value in refs(call.args) if value.memory is memory
    )


__all__ = ["Plan", "order", "planned"]
