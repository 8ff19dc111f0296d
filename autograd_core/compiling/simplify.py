"""Passes over a program that keep every bit of its result."""

from __future__ import annotations

import operator
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
    refs,
    replaced,
)
from autograd_core.compiling.shapes import keeps_shape

# Functions whose result depends on the shape and dtype of their argument, and not on its elements
CREATE = frozenset({np.zeros_like, np.ones_like, np.empty_like, np.full_like})


QUIET = CREATE | {np.asarray, np.sum, np.reshape, np.copy, np.where, np.broadcast_to, operator.pow}


def simplified(program: Program) -> Program:
    """The program without equal, constant and unused calls."""
    written = {memory for call in program.calls for memory in call.writes}
    for step in (_joined, _folded):
        step(program, written)
    _without_unused(program, written)
    return program


def _key(template: Any) -> Any:
    """A key that is equal for equal arguments; 1, 1.0 and True differ."""
    if isinstance(template, Ref):
        return id(template.value)
    if isinstance(template, tuple | list):
        return (type(template), *map(_key, template))
    if isinstance(template, dict):
        return tuple((name, _key(entry)) for name, entry in sorted(template.items()))
    if isinstance(template, slice):
        return ("slice", _key(template.start), _key(template.stop), _key(template.step))
    if isinstance(template, np.generic):
        return (template.dtype, template.tobytes())
    if isinstance(template, float):
        return ("float", template.hex())
    if isinstance(template, complex):
        return ("complex", template.real.hex(), template.imag.hex())
    try:
        hash(template)
    except TypeError:
        return id(template)
    return (type(template), template)


def _substitute(program: Program, known: dict[Value, Value]) -> None:
    """Replace Values in the calls and in the result."""

    def of(leaf: Any) -> Any:
        return Ref(known[leaf.value]) if isinstance(leaf, Ref) and leaf.value in known else leaf

    for call in program.calls:
        call.args, call.settings = replaced(call.args, of), replaced(call.settings, of)
    program.result = replaced(program.result, of)
    for value in [value for call in program.calls for value in call.results]:
        value.memory = known.get(value.memory, value.memory)


def _joined(program: Program, written: set[Value]) -> None:
    """Equal calls of values that are never written to, joined into the first of them."""
    seen: dict[Any, Call] = {}
    known: dict[Value, Value] = {}
    kept: list[Call] = []
    returned = {value.memory for value in program.outputs()}  # each result has memory of its own

    def of(leaf: Any) -> Any:
        return Ref(known.get(leaf.value, leaf.value)) if isinstance(leaf, Ref) else leaf

    for call in program.calls:
        args = replaced((call.args, call.settings), of)
        involved = [value.memory for value in (*refs(args), *call.results)]
        apart = returned.intersection(value.memory for value in call.results)
        if (
            call.writes
            or isinstance(call.function, Opaque)
            or written.intersection(involved)
            or apart
        ):
            kept.append(call)
            continue
        word = None if call.guard is None else call.guard.word
        key = (call.function if call.guard is None else word, _key(args), _key(call.errors or {}))
        first = seen.setdefault(key, call)
        if first is call:
            kept.append(call)
        else:
            known |= dict(zip(call.results, first.results, strict=True))
    program.calls = kept
    _substitute(program, known)


def _folded(program: Program, written: set[Value]) -> None:
    """Calls of constants alone, computed once."""
    constant: set[Value] = set()

    def is_constant(template: Any) -> bool:
        return all(value in constant or value.kind == "constant" for value in refs(template))

    kept = []
    for call in program.calls:
        known = is_constant((call.args, call.settings))
        if not isinstance(call.function, Method | UfuncMethod | Opaque) and call.function in CREATE:
            known = is_constant((call.args[1:], call.settings))
        fixed = not call.writes and not isinstance(call.function, Opaque) and call.guard is None
        if known and fixed and not written.intersection(v.memory for v in call.results):
            for value in call.results:
                value.kind = "constant"
                constant.add(value)
        else:
            kept.append(call)
    program.calls = kept


def _is_silent(call: Call) -> bool:
    """True for a call that raises no error, so that it can be left out."""
    return isinstance(call.function, np.ufunc | Method | UfuncMethod) or call.function in QUIET


def _without_unused(program: Program, written: set[Value]) -> None:
    """Leave out the calls that neither the result nor a guard needs."""
    needed = {value for output in program.outputs() for value in (output, output.memory)}
    kept = []
    for call in reversed(program.calls):
        live = (
            call.guard is not None
            or not _is_silent(call)
            or any(value in needed or value.memory in needed & written for value in call.results)
        )
        live = live or any(m in needed or m.kind == "captured" for m in call.writes)
        if live:
            kept.append(call)
            for value in call.refs():
                needed |= {value, value.memory}
    program.calls = kept[::-1]


def writes_last(program: Program) -> bool:
    """True if, once the program has written to an array of the caller, only ufuncs and writes
    follow, which raise no error and check nothing. Guards are moved before the first write where
    they do not depend on what is written."""
    first = next((i for i, call in enumerate(program.calls)
                  if any(memory.kind == "captured" for memory in call.writes)), None)  # fmt: skip
    if first is None:
        return True
    late = program.calls[first:]
    written = {memory for call in late for memory in call.writes if memory.kind == "captured"}
    needed: set[Value] = set()
    moved: set[Call] = set()
    for call in reversed(late):
        makes = any(value in needed or value.memory in needed for value in call.results)
        if call.guard is not None or makes or needed.intersection(call.writes):
            if written & {*(value.memory for value in call.refs()), *call.writes}:
                return False
            moved.add(call)
            for value in call.refs():
                needed |= {value, value.memory}
    rest = [call for call in late if call not in moved]
    program.calls = [*program.calls[:first], *(call for call in late if call in moved), *rest]
    return all(_is_silent(call) and (not call.results or keeps_shape(call)) for call in rest)
