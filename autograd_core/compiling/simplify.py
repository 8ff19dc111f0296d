"""Passes over a program that keep every bit of its result."""

from __future__ import annotations

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
    key_of,
    refs,
    replaced,
)
from autograd_core.compiling.shapes import (
    EMPTY,
    ITSELF,
    OPERATORS,
    factors_of,
    keeps_shape,
    may_fail,
)
from autograd_core.devices import backend

# Functions whose result depends on the shape and dtype of their argument, and not on its elements
CREATE = frozenset({np.zeros_like, np.ones_like, np.empty_like, np.full_like})


# Functions that raise no error when they are called again with arrays of the same shapes
QUIET = CREATE | OPERATORS | {np.asarray, np.broadcast_to, np.clip, np.concatenate, np.copy,
    np.copyto, np.cumsum, np.diagonal, np.dot, np.einsum, np.expand_dims, np.flip, np.inner, np.max,
    np.mean, np.min, np.moveaxis, np.outer, np.prod, np.ravel, np.reshape, np.roll, np.squeeze,
    np.stack, np.sum, np.swapaxes, np.tensordot, np.transpose, np.tril, np.triu, np.vdot,
    np.where}  # fmt: skip


def simplified(program: Program) -> Program:
    """The program without equal, constant and unused calls."""
    _without_identities(program)
    written = _without_writes(program)
    written |= {memory for call in program.calls for memory in call.writes}
    for step in (_written_shorter, _joined, _folded, _narrowed, _without_ones):
        step(program, written)
    without_unused(program, written)
    program.calls.sort(key=lambda call: not asks_a_number(call))  # first what needs no call
    return program


def asks_a_number(call: Call) -> bool:
    """True for a check of a number that needs no call, such as the momentum of an optimiser."""
    return call.guard is not None and all(
        type(v.array) is float and v.kind != "result" for v in call.refs()
    )


def _substitute(program: Program, known: dict[Value, Value]) -> None:
    """Replace Values in the calls and in the result."""

    def of(leaf: Any) -> Any:
        return Ref(known[leaf.value]) if isinstance(leaf, Ref) and leaf.value in known else leaf

    for call in program.calls:
        call.args, call.settings = replaced(call.args, of), replaced(call.settings, of)
    program.result = replaced(program.result, of)
    for value in [value for call in program.calls for value in call.results]:
        value.memory = known.get(value.memory, value.memory)


def _without_writes(program: Program) -> set[Value]:
    """New results in place of those that a ufunc writes to an array of the program with ``out=``.
    The buffers are planned again, and other calls can be moved. Returns the old and new results,
    of which only the last contents are known."""
    viewed = {v.memory for call in program.calls for v in call.results if v.memory is not v}
    known: dict[Value, Value] = {}
    lost: set[Value] = set()
    empty = {v for call in program.calls if call.function in EMPTY for v in call.results}

    def of(leaf: Any) -> Any:
        return Ref(known.get(leaf.value, leaf.value)) if isinstance(leaf, Ref) else leaf

    for call in program.calls:
        old = _overwritten(call)
        call.args, call.settings = replaced(call.args, of), replaced(call.settings, of)
        call.writes = [known.get(memory, memory) for memory in call.writes]
        if old is not None and old not in viewed:
            name = old.name or "scratch" * (old in empty)
            new = Value("result", name, old.array, of=old.of)
            call.results, call.shape, call.settings, call.writes = [new], Ref(new), {}, []
            known[old] = new
            lost |= {old, new}
    program.result = replaced(program.result, of)
    return lost


def _overwritten(call: Call) -> Value | None:
    """The result of the program to which a ufunc writes all that it would return."""
    if not isinstance(call.function, np.ufunc) or call.settings.keys() != {"out"}:
        return None
    if call.function.nout != 1 or call.function.signature is not None or call.results:
        return None
    out = call.settings["out"]
    out = out[0] if isinstance(out, tuple) else out
    (old,) = call.writes
    if not isinstance(out, Ref) or out.value is not old or old.kind != "result":
        return None
    if not np.ndim(old.array) or not (old.array.flags.c_contiguous or backend.on_device(old.array)):
        return None
    arrays = [v.array for v in refs(call.args) if np.ndim(v.array)]
    same = all(
        a.dtype == old.array.dtype and (a.flags.c_contiguous or backend.on_device(a))
        for a in arrays
    )
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    numbers = [arg.value.array if isinstance(arg, Ref) else arg for arg in call.args]
    weak = sum(type(number) in (int, float) for number in numbers)
    arithmetic = call.function in ARITHMETIC and old.array.dtype.kind == "f"
    whole = len(arrays) + weak == call.function.nin and shape == old.array.shape
    return old if same and whole and arithmetic else None


ARITHMETIC = frozenset({np.add, np.subtract, np.multiply, np.divide, np.negative, np.exp, np.tanh,
                        np.sqrt, np.square, np.abs, np.log, np.reciprocal, np.maximum, np.minimum,
                        np.sin, np.cos, np.power})  # fmt: skip


def _without_identities(program: Program) -> None:
    """Leave out the calls that return their argument itself, such as conj() of a real array."""
    known: dict[Value, Value] = {}
    kept = []
    returned = {v for v in program.outputs() if v.memory.kind != "result"}
    for call in program.calls:
        same = [v for v in call.refs() if call.results and v.array is call.results[0].array]
        same = same if call.function in ITSELF else []
        if _is_whole(call) and call.results[0] not in returned:
            same = list(call.refs())
        if same and len(call.results) == 1:
            known[call.results[0]] = known.get(same[0], same[0])
        else:
            kept.append(call)
    program.calls = kept
    _substitute(program, known)


def _is_whole(call: Call) -> bool:
    """True for x.view(), x[()], x[...], x[:, :] and the like of an array."""
    if call.settings or not call.results or not isinstance(call.results[0].array, np.ndarray):
        return False
    if call.function != Method("__getitem__"):
        return call.function == Method("view") and len(call.args) == 1
    index = call.args[1] if type(call.args[1]) is tuple else call.args[1:]
    return all(part is ... or (type(part) is slice and part == slice(None)) for part in index)


LARGE = 512  # elements for which a vectorised loop is worth another argument
REDUCTIONS = {Method("sum"): np.add, Method("prod"): np.multiply, Method("max"): np.maximum,
              Method("min"): np.minimum, np.sum: np.add, np.prod: np.multiply,
              np.max: np.maximum, np.min: np.minimum}  # fmt: skip


def _written_shorter(program: Program, written: set[Value]) -> None:
    """Calls in the form in which NumPy needs the least time, where both do the same."""
    for call in program.calls:
        operand = next(iter(call.refs()), None)
        if operand is None or not isinstance(operand.array, np.ndarray) or not (
            call.args and isinstance(call.args[0], Ref)
        ):  # fmt: skip
            continue
        if call.function in REDUCTIONS and len(call.args) <= 2:
            axis = call.args[1:] or (call.settings.pop("axis", None),)
            call.args = (call.args[0], *axis)
            call.function = UfuncMethod(REDUCTIONS[call.function], "reduce")
            usual = {"dtype": None, "keepdims": False, "out": None}
            call.settings = {
                name: value
                for name, value in call.settings.items()
                if name not in usual or value is not usual[name]
            }
        elif call.function is np.reciprocal and operand.array.size >= LARGE and (
            operand.array.dtype.kind == "f"
        ):  # fmt: skip
            call.function, call.args = np.divide, (1, *call.args)  # which is vectorised
        elif _is_transposing(call):
            call.function, call.args = Method("T", attribute=True), call.args[:1]


def _narrowed(program: Program, written: set[Value]) -> None:
    """A number in place of a constant that was made by broadcasting one, or has one element."""
    for call in program.calls:
        if isinstance(call.function, np.ufunc) and call.function.signature is None:
            call.args = tuple(_one_element(arg, call) for arg in call.args)


def _without_ones(program: Program, written: set[Value]) -> None:
    """Leave out products with 1, which are the other factor."""
    known: dict[Value, Value] = {}
    outputs = {value.memory for value in program.outputs()}
    kept = []
    factors = factors_of(program)
    for call in program.calls:
        factor = _other_factor(call)
        if factor is None or {factor.memory, *call.results} & (written | outputs) or (
            factors.get(call.results[0], set())
        ):  # fmt: skip
            kept.append(call)
        else:
            known[call.results[0]] = known.get(factor, factor)
    program.calls = kept
    _substitute(program, known)


def _other_factor(call: Call) -> Value | None:
    """x for the call np.multiply(1.0, x) of real numbers, if the result is like x."""
    if call.function is not np.multiply or call.settings or len(call.results) != 1:
        return None
    result = call.results[0].array
    for one, x in (call.args, call.args[::-1]):
        one = one.value.array if isinstance(one, Ref) and one.value.kind == "constant" else one
        number = isinstance(one, int | float | np.ndarray) and np.ndim(one) == 0 and one == 1
        if number and isinstance(x, Ref) and isinstance(x.value.array, np.ndarray):
            array = x.value.array
            if array.dtype == result.dtype and array.shape == result.shape and (
                array.strides == result.strides and array.dtype.kind in "fiu"
            ):  # fmt: skip
                return x.value
    return None


def _one_element(arg: Any, call: Call) -> Any:
    """One element of an operand whose elements share memory, where another one has the shape of
    the result."""
    if not isinstance(arg, Ref) or arg.value.kind != "constant" or not np.ndim(arg.value.array):
        return arg
    array, (result, *_) = arg.value.array, call.results or [arg.value]
    shapes = [np.shape(v.array) for v in call.refs() if v is not arg.value]
    if (array.size != 1 and any(array.strides)) or np.shape(result.array) not in shapes:
        return arg
    if not array.size:
        return arg
    return Ref(Value("constant", arg.value.name, array[(0,) * array.ndim].reshape(())))


def _is_transposing(call: Call) -> bool:
    """True for x.swapaxes(-1, -2) of a matrix."""
    matrix = call.function == Method("swapaxes") and call.refs()[0].array.ndim == 2
    return matrix and {axis % 2 for axis in call.args[1:]} == {0, 1}


def _joined(program: Program, written: set[Value]) -> None:
    """Equal calls of values that are never written to, joined into the first of them."""
    seen: dict[Any, Call] = {}
    known: dict[Value, Value] = {}
    kept: list[Call] = []
    returned = {value.memory for value in program.outputs()}  # each result has memory of its own
    factors = factors_of(program)

    def of(leaf: Any) -> Any:
        return Ref(known.get(leaf.value, leaf.value)) if isinstance(leaf, Ref) else leaf

    for call in program.calls:
        args = replaced((call.args, call.settings), of)
        involved = [value.memory for value in (*refs(args), *call.results)]
        apart = returned.intersection(value.memory for value in call.results)
        if (
            call.writes
            or call.draws
            or isinstance(call.function, Opaque | Writer)
            or written.intersection(involved)
            or apart
        ):
            kept.append(call)
            continue
        word = None if call.guard is None else call.guard.word
        function = call.function if call.guard is None else word
        key = (function, key_of(args), key_of(call.errors or {}))
        first = seen.setdefault(key, call)
        pairs = [*zip(call.results, first.results, strict=True)]
        multiplied = any(b.memory in factors.get(a.memory, ()) for a, b in pairs)
        if first is call or multiplied:
            kept.append(call)
        else:
            known |= dict(pairs)
            for a, b in pairs:
                for other in factors.get(a.memory, set()):
                    factors.setdefault(b.memory, set()).add(other)
                    factors[other].add(b.memory)
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
        if call.function in CREATE:
            known = is_constant((call.args[1:], call.settings))
        opaque = isinstance(call.function, Opaque | Writer)
        fixed = not (call.writes or opaque or call.draws or call.guard is not None)
        if known and fixed and not written.intersection(v.memory for v in call.results):
            for value in call.results:
                value.kind = "constant"
                constant.add(value)
        else:
            kept.append(call)
    program.calls = kept


def _is_silent(call: Call) -> bool:
    """True for a call that raises no error, so that it can be left out."""
    if "raise" in (call.errors or {}).values() or may_fail(call):
        return False
    known = isinstance(call.function, np.ufunc | Method | UfuncMethod | Writer)
    return known or call.function in QUIET


def without_unused(program: Program, written: set[Value]) -> None:
    """Leave out the calls that neither the result nor a guard needs."""
    needed = {value for output in program.outputs() for value in (output, output.memory)}
    kept = []
    for call in reversed(program.calls):
        live = (
            call.guard is not None
            or call.draws
            or not _is_silent(call)
            or any(value in needed or value.memory in needed & written for value in call.results)
        )
        live = live or any(m in needed or m.kind == "captured" for m in call.writes)
        if live:
            kept.append(call)
            for value in call.refs():
                needed |= {value, value.memory}
    program.calls = kept[::-1]


def decides(call: Call) -> bool:
    """True for a call after which the program may stop: it checks a value or a size, or it may
    raise an error. Draws of random numbers keep their order among these."""
    return call.guard is not None or call.draws or not _is_silent(call) or (
        bool(call.results) and not keeps_shape(call)
    )  # fmt: skip


def undecided(program: Program, candidates: list[Value]) -> list[Value]:
    """The candidates that no decision of the program depends on."""
    needed: set[Value] = set()
    for call in reversed(program.calls):
        makes = any(value in needed or value.memory in needed for value in call.results)
        if decides(call) or makes or needed.intersection(call.writes):
            needed |= {v for value in call.refs() for v in (value, value.memory)}
            needed |= {v for value in call.results for v in (value, value.memory)}
    return [value for value in candidates if value not in needed]


def writes_last(program: Program, kept: list[Value]) -> bool:
    """Move the decisions before the first call that writes to an array of the caller or that
    computes one of the results in `kept`. Returns False if that is impossible, as a decision
    depends on what is written."""
    first = next((i for i, call in enumerate(program.calls) if _writes(call, kept)), None)
    if first is None:
        return True
    late = program.calls[first:]
    written = [set(kept)]  # and what has been written before each of the late calls
    for call in late:
        written.append(written[-1] | {m for m in call.writes if m.kind == "captured"})
    needed: set[Value] = set()
    overtaken: set[Value] = set()  # written to by calls that are moved, after others
    moved: set[Call] = set()
    for call, before in zip(reversed(late), written[-2::-1], strict=True):
        makes = any(value in needed or value.memory in needed for value in call.results)
        touched = {*(value.memory for value in call.refs()), *call.writes}
        if decides(call) or makes or needed & {*call.writes} or overtaken & touched:
            overtaken |= set(call.writes)
            used = {value.memory for value in (*call.refs(), *call.results)}
            if before & used or any(memory.kind == "captured" for memory in call.writes):
                return False
            moved.add(call)
            for value in call.refs():
                needed |= {value, value.memory}
    rest = [call for call in late if call not in moved]
    program.calls = [*program.calls[:first], *(call for call in late if call in moved), *rest]
    return True


def _writes(call: Call, kept: list[Value]) -> bool:
    return any(memory.kind == "captured" for memory in call.writes) or any(
        value in kept for value in call.results
    )
