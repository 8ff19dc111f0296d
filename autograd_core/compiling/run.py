"""`compile`: a function that runs as a program of NumPy calls, traced when it is first called."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable
from contextvars import ContextVar
from functools import update_wrapper
from inspect import signature
from typing import Any

import numpy as np

from autograd_core.compiling.arrays import TraceArray
from autograd_core.compiling.captured import Gradient, Reached, Slot, hooks_of, with_arrays
from autograd_core.compiling.program import Opaque, Program, Value, replaced
from autograd_core.compiling.simplify import simplified, writes_last
from autograd_core.compiling.source import DIFFERS, Source, same
from autograd_core.compiling.trace import Trace, Untraceable
from autograd_core.devices import backend
from autograd_core.engine.exits import warn_user
from autograd_core.engine.stamps import stamp
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Function, called
from autograd_core.transforms.generators import States
from autograd_core.transforms.tree import filled, leaves, mapped

ACTIVE: ContextVar[bool] = ContextVar("autograd_core tracing", default=False)
TRACING = allocate_lock()
BUSY = object()  # another thread runs the program, or it calls itself
ATTEMPTS = 3  # traces, if the first calls create what later calls find, such as momenta
VARIANTS = 8  # programs for one signature, which differ in a guard


class _Variant:
    """A traced program, ready to run."""

    def __init__(self, tracing: _Tracing, program: Program) -> None:
        source = Source(program)
        self.text = source.text
        self.opaque = [
            call.function.name for call in program.calls if isinstance(call.function, Opaque)
        ]
        names = dict(source.bound)
        exec(compile(self.text, "<compiled program>", "exec"), names)
        self.program: Callable[..., Any] = names["program"]
        first = [found[0] for found in tracing.captured.values()]
        self.inputs = [slot.get for slot in first]
        self.kinds = [_held_kind(slot.value) for slot in first]
        self.others = [(i, slot.get) for i, found in enumerate(tracing.captured.values())
                       for slot in found[1:]]  # fmt: skip
        self.updates = [slot.set for slot, _ in tracing.updates]
        self.before = [(slot.get, slot.value is None) for slot, _ in tracing.updates
                       if isinstance(slot.get, Gradient)]  # fmt: skip
        self.objects, self.values, self.sizes = tracing.reached.fixed()
        written = {m for call in program.calls for m in call.writes if m.kind == "captured"}
        self.written = [i for i, value in enumerate(tracing.captured) if value in written]
        tensors = [
            s.tensor for found in tracing.captured.values() for s in found if s.tensor is not None
        ]
        self.stamped = [t for t in tensors if tracing.trace.plain.get(id(t._array)) in written]
        self.like = mapped(_like, tracing.out)
        self.single = [path for path, _ in leaves(tracing.out)] == [""]
        self.lock = allocate_lock()  # the buffers belong to one run at a time

    def fitting(self, arrays: list[Any]) -> list[Any] | None:
        """The captured arrays; None if the function now reaches other things than while tracing."""
        for reach, value in self.objects:
            if reach() is not value:
                return None
        for reach, value in self.values:
            found = reach()
            if found is not value and not same(found, value):
                return None
        if any(len(container) != size for container, size in self.sizes):
            return None
        for reach, empty in self.before:
            if (reach() is None) is not empty:
                return None
        captured = [get() for get in self.inputs]
        if [*map(_held_kind, captured)] != self.kinds:
            return None
        if any(reach() is not captured[i] for i, reach in self.others):
            return None
        for i in self.written:
            if any(np.may_share_memory(array, captured[i]) for array in arrays):
                return None
        return captured

    def run(self, arrays: list[Any]) -> Any:
        """The result; DIFFERS if a guard differs or what was captured is no more what it was."""
        try:
            captured = self.fitting(arrays)
        except (KeyError, IndexError, AttributeError, ValueError):  # something was removed
            return DIFFERS
        if captured is None:
            return DIFFERS
        if not self.lock.acquire(blocking=False):
            return BUSY
        try:
            out = self.program(*arrays, *captured)
        finally:
            self.lock.release()
        if out is DIFFERS:
            return out
        result, new = out
        for put, value in zip(self.updates, new, strict=True):
            put(value)
        if self.stamped:
            stamp(*self.stamped)
        if self.single and not isinstance(self.like, Tensor):
            return result[0]
        return _returned(result, self.like)


class Compiled:
    """A compiled function. `plain` has the reasons why calls run without a program."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.variants: dict[Any, list[_Variant]] = {}
        self.plain: dict[Any, str] = {}
        self.attempts: dict[Any, int] = {}
        update_wrapper(self, function)

    @property
    def programs(self) -> list[str]:
        """The sources of the programs, in the order in which they were traced."""
        return [variant.text for known in self.variants.values() for variant in known]

    @property
    def source(self) -> str:
        """The source of the last program that was traced; empty if there is none."""
        return self.programs[-1] if self.programs else ""

    @public
    def __call__(self, *args: Any, **settings: Any) -> Any:
        found = leaves((args, settings))
        recording, _, observer = STATE.get()
        key = (_structure((args, settings)), *[_kind(leaf) for _, leaf in found], recording)
        if None in key or observer is not None or key in self.plain or ACTIVE.get():
            return self.function(*args, **settings)
        arrays = [leaf for _, leaf in found if isinstance(leaf, np.ndarray)]
        known = self.variants.setdefault(key, [])
        for variant in known:
            try:
                out = variant.run(arrays)
            except Exception:
                if variant.written:
                    raise
                return self.function(*args, **settings)  # raises the error that explains it
            if out is BUSY:
                return self.function(*args, **settings)
            if out is not DIFFERS:
                return out
        reason = "its guards keep changing"
        if len(known) < VARIANTS:
            if not TRACING.acquire(blocking=False):
                return self.function(*args, **settings)
            try:
                tracing = _Tracing(self.function, args, settings)
            finally:
                TRACING.release()
            reason = tracing.trace.reason
            if not reason:
                known.append(tracing.variant)
                return replaced(tracing.out, _finished)
            self.attempts[key] = self.attempts.get(key, 0) + 1
            if self.attempts[key] < ATTEMPTS and tracing.may_settle:
                return self.function(*args, **settings)
        self.plain[key] = reason
        warn_user(f"compile: {called(self.function)} runs without a program: {reason}")
        return self.function(*args, **settings)


class _Tracing:
    """One run of a function with traced arrays. After it, either the function's effects are those
    of a plain run and `variant` is the program, or there are none and `trace.reason` says why."""

    def __init__(self, function: Function, args: Any, settings: Any) -> None:
        self.trace = trace = Trace()
        self.reached = Reached(function)
        states = States(*self.reached.generators())
        names = _names(function, args, settings)
        self.entered = [
            trace.enter(leaf, name) if isinstance(leaf, np.ndarray) else leaf
            for (_, leaf), name in zip(leaves((args, settings)), names, strict=True)
        ]
        inner, keywords = filled((args, settings), iter(self.entered))
        self.out: Any = None
        self.may_settle = False
        self._check(args, settings)
        if trace.reason:
            return
        error = None
        self.held: list[Any] = []
        token = ACTIVE.set(True)
        try:
            self.held += [self._lend(slot) for slot in self.reached.slots]
            self.out = function(*inner, **keywords)
        except Untraceable:
            pass
        except Exception as raised:
            error = raised
        finally:
            ACTIVE.reset(token)
            trace.end()
            self._take_back()
        if states.drawn():
            trace.fail("it draws random numbers")
        if any(map(_may_be_differentiated, (leaf for _, leaf in leaves(self.out)))):
            trace.fail("its result requires a gradient")
        if error is not None:
            trace.fail(f"it raises {type(error).__name__}")
        if not trace.reason:
            self._finish()
        if trace.reason:
            for value, before in trace.saved.items():
                value.array[...] = before
        else:
            for slot, value in self.updates:
                slot.set(replaced(value, _finished))

    def _check(self, args: Any, settings: Any) -> None:
        """Fail for what a trace does not notice."""
        given = [leaf for _, leaf in leaves((args, settings)) if isinstance(leaf, np.ndarray)]
        captured = [slot.value for slot in self.reached.slots if isinstance(slot.value, np.ndarray)]
        unknown = self.reached.unknown()
        if any(np.may_share_memory(a, b) for a in given for b in captured):
            self.trace.fail("an argument is a captured array")
            self.may_settle = True
        if unknown:
            self.trace.fail(f"it reaches objects of the type {', '.join(unknown)}")
        if self.reached.draws():
            self.trace.fail("it draws random numbers")
        if any(hooks_of(slot.tensor) for slot in self.reached.slots if slot.tensor is not None):
            self.trace.fail("it reaches a Tensor with a hook")

    def _lend(self, slot: Slot) -> Any:
        """Put traced arrays into a place. Returns what is there now."""
        enter = self.trace.enter
        slot.set(with_arrays(slot.value, lambda leaf: enter(leaf, slot.name, "captured")))
        return slot.get()

    def _take_back(self) -> None:
        """Put everything back, and note what the function changed: the arrays of places that a
        program can set, and anything else, with which it cannot be a program."""
        pairs = list(zip(self.reached.slots, self.held, strict=True))
        self.updates = [(slot, slot.get()) for slot, value in pairs if slot.get() is not value]
        for slot in self.reached.slots:
            slot.set(slot.value)
        changed = self.reached.changed()
        sizes = [value for value, before in self.reached.containers if len(value) != len(before)]
        odd = [slot.name for slot, new in self.updates if not _is_array_or_none(new)]
        if changed or odd or sizes:
            self.may_settle = bool(sizes) and not odd
            self.reached.restore()
            grown = ["the contents of a list or a dict"] if sizes and not changed else []
            self.trace.fail(f"it changes {', '.join(dict.fromkeys([*changed, *odd, *grown]))}")

    def _output(self, leaf: Any) -> Any:
        """A leaf of a traced result as the program returns it."""
        leaf = leaf._array if isinstance(leaf, Tensor) else leaf
        return self.trace._ref(leaf)

    def _finish(self) -> None:
        arguments = [traced._value for traced in self.entered if isinstance(traced, TraceArray)]
        outs = [leaf for _, leaf in leaves(self.out)]
        if not all(isinstance(leaf, RETURNED) for leaf in outs):
            self.trace.fail("its result contains an object that is not an array or a number")
            return
        result = (
            [self._output(leaf) for leaf in outs],
            [self._output(new) for _, new in self.updates],
        )
        program = simplified(Program(arguments, self.trace.calls, result))
        if not writes_last(program):
            self.trace.fail("it writes to a captured array before its last decision")
            return
        used = {value for call in program.calls for value in call.refs()} | set(program.outputs())
        self.captured: dict[Value, list[Slot]] = {}
        for slot, held in zip(self.reached.slots, self.held, strict=True):
            value = self.trace.plain.get(id(slot.value))  # None for a number
            value = held._value if isinstance(held, TraceArray) else value
            if value in used and value not in arguments:
                self.captured.setdefault(value, []).append(slot)
        program.arguments = [*arguments, *self.captured]
        self.variant = _Variant(self, program)


def _may_be_differentiated(leaf: Any) -> bool:
    """True for a Tensor whose graph has not been used by a backward pass."""
    return isinstance(leaf, Tensor) and leaf.node is not None and not leaf.node.released


def _is_array_or_none(value: Any) -> bool:
    return value is None or isinstance(value, TraceArray | np.ndarray)


EMPTY = Tensor(0.0)
# What a result may consist of
RETURNED = (Tensor, TraceArray, np.ndarray, np.generic, bool, int, float, complex, str)


def _like(leaf: Any) -> Any:
    """What is kept of a leaf of a result: whether it is a Tensor."""
    return EMPTY if isinstance(leaf, Tensor) else 0


def _returned(outs: list[Any], like: Any) -> Any:
    """The leaves of a result in the structure of `like`, and as Tensors where it has Tensors."""
    pairs = zip(outs, leaves(like), strict=True)
    return filled(like, iter([
        make(backend.as_array(leaf), None) if isinstance(twin, Tensor) else leaf
        for leaf, (_, twin) in pairs
    ]))  # fmt: skip


def _finished(leaf: Any) -> Any:
    """A leaf of a traced result without its trace."""
    if isinstance(leaf, Tensor):
        return make(backend.as_array(_finished(leaf._array)), None)
    return leaf._real if isinstance(leaf, TraceArray) else leaf


def _structure(tree: Any) -> Any:
    """The structure of a tree of arguments, and the numbers in it, which are static."""
    if isinstance(tree, dict):
        return (type(tree), *((name, _structure(entry)) for name, entry in tree.items()))
    if isinstance(tree, tuple | list):
        return (type(tree), *map(_structure, tree))
    return ()


def _kind(leaf: Any) -> Any:
    """What a program depends on of an argument; None if it cannot be compiled for it."""
    if type(leaf) is np.ndarray:
        return leaf.shape, leaf.dtype, leaf.strides
    if isinstance(leaf, bool | int | str | float | complex):
        return type(leaf), repr(leaf)
    return None


def _held_kind(value: Any) -> Any:
    """What a program depends on of a captured array or number."""
    if type(value) is np.ndarray:
        return value.shape, value.dtype, value.strides
    return type(value)


def _names(function: Function, args: Any, settings: Any) -> list[str]:
    """A name for each leaf of the arguments, as the source writes it."""
    try:
        parameters = list(signature(function).parameters)
    except (TypeError, ValueError):
        parameters = []
    named = []
    for i, arg in enumerate(args):
        first = parameters[i] if i < len(parameters) else f"x{i}"
        named += [first + path for path, _ in leaves(arg)]
    return named + [name + path for name, arg in settings.items() for path, _ in leaves(arg)]


__all__ = ["Compiled"]
