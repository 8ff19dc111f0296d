"""Arrays that a program writes its intermediate results to, instead of new ones in each run."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.compiling.program import Call, Opaque, Program, Ref, UfuncMethod, Value, refs


def planned(program: Program) -> dict[Value, Value]:
    """Give the calls of ufuncs and of `np.dot` and `np.matmul` a buffer as ``out=``, where their
    result is neither returned nor a scalar. A buffer is used again after the last use of what it
    held. Returns the buffer of each Value; buffers are Values of the kind "buffer"."""
    last = _last_uses(program)
    free: dict[Any, list[Value]] = {}
    held: dict[Value, Value] = {}
    returned = {value.memory for value in program.outputs()}
    for i, call in enumerate(program.calls):
        dying = [memory for memory in {v.memory for v in call.refs()} if last.get(memory) == i]
        kind = _kind(call, returned)
        if kind is not None:
            (value,) = call.results
            operands = [
                memory for memory in dying if memory in held and _in_place(call, memory, kind)
            ]
            if operands:
                buffer = held[operands[0]]
                dying.remove(operands[0])
            elif free.get(kind):
                buffer = free[kind].pop()
            else:
                array = np.empty(value.array.shape, value.array.dtype)
                buffer = Value("buffer", "", array)
            held[value] = buffer
            call.settings = {**call.settings, "out": Ref(buffer)}
        for memory in dying:
            if memory in held:
                free.setdefault(_shape(held[memory]), []).append(held[memory])
        for value in call.results:
            if value.memory in held and last.get(value.memory, i) <= i and value.memory is value:
                free.setdefault(_shape(held[value]), []).append(held[value])
    return held


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
    return value.array.shape, value.array.dtype


def _kind(call: Call, returned: set[Value]) -> Any:
    """The shape and dtype of the buffer that a call can write to; None if it cannot."""
    function = call.function
    if isinstance(function, np.ufunc):
        fits = function.nout == 1 and len(call.args) == function.nin
    else:
        fits = not isinstance(function, Opaque | UfuncMethod) and function in (np.dot, np.matmul)
    if not fits or "out" in call.settings or len(call.results) != 1:
        return None
    (value,) = call.results
    array = value.array
    plain = isinstance(array, np.ndarray) and array.ndim and array.size and array.flags.c_contiguous
    fresh = value.memory is value and value not in returned
    return _shape(value) if plain and fresh else None


def _in_place(call: Call, memory: Value, kind: Any) -> bool:
    """True if a ufunc can write over an operand that is used for the last time: each element is
    read before it is written, as the operand is not a view and has the shape of the result."""
    if not isinstance(call.function, np.ufunc) or _shape(memory) != kind:
        return False
    return all(value is memory for value in refs(call.args) if value.memory is memory)


__all__ = ["planned"]
