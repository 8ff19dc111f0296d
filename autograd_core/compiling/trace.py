"""The calls of one run of a function, which its tracing arrays note here."""

from __future__ import annotations

import sys
from _thread import get_ident
from bisect import bisect
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from autograd_core.compiling.arrays import WRITING_METHODS, TraceArray, TraceFloat
from autograd_core.compiling.codes import assigned
from autograd_core.compiling.draws import GENERATORS, TraceGenerator
from autograd_core.compiling.places import share_memory
from autograd_core.compiling.program import (
    Call,
    External,
    Guard,
    Method,
    Opaque,
    Ref,
    Template,
    UfuncMethod,
    Value,
    Writer,
    replaced,
    writer,
)
from autograd_core.compiling.writes import may_write
from autograd_core.devices import backend
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor

INSIDE = frozenset({"autograd_core", "nn", "numpy", "contextlib"})


class Untraceable(Exception):
    """A call that cannot be followed. Its message says why."""


# Functions that return what depends on the shape and dtype of an array only
STATIC = frozenset({np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj,
                    np.can_cast, np.common_type, np.min_scalar_type})  # fmt: skip
# Functions that write to their first argument
WRITERS = frozenset({np.copyto, np.put, np.place, np.putmask, np.fill_diagonal,
                     np.put_along_axis})  # fmt: skip


class Trace:
    """The calls of one run of a function.

    All arrays of the run are kept alive until it ends, so that no id is used twice.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.arrays: dict[Value, TraceArray] = {}
        self.owners: dict[int, Value] = {}  # id of an array that owns memory → its Value
        self.plain: dict[int, Value] = {}  # id of a plain array → its Value
        self.constants: list[tuple[Any, Value, Any]] = []  # an array, its Value, what it held
        self.made: dict[int, Any] = {}  # arrays on a device made from numbers, by id of the owner
        self.saved: dict[Value, Any] = {}  # copies of the captured arrays that were written to
        self.reason = ""  # why it cannot be followed
        self.closed = False
        self.texts = False  # True if a number was written as text
        self.generators: dict[int, Any] = {}
        self.usual = np.geterr()
        self.part = ""  # the operation or module that runs
        self.depth = 0  # the number of kernels that run
        self.place: tuple[FrameType, int] | None = None  # the user's line that runs
        self.numbers: list[int] = []  # sequence numbers, each before that of a node
        self.outs: list[Value] = []  # the results of the operations with these nodes
        self.thread = get_ident()
        self.drawn: Callable[[Any], None] = lambda generator: None  # called after a draw

    def note_made(self, array: Any, sources: tuple[Any, ...]) -> None:
        """Remember an array on a device that was computed from such arrays only."""
        known = all(not backend.on_device(x) or self._is_made(x) for x in sources)
        if known and backend.on_device(array) and not self.is_over():
            self.made[id(_root(array))] = array

    def _is_made(self, array: Any) -> bool:
        return not backend.is_traced(array) and id(_root(array)) in self.made

    def is_over(self) -> bool:
        """True after the run, and in other threads."""
        return self.closed or get_ident() != self.thread

    def fail(self, reason: str) -> Untraceable:
        """An error to raise. The reason is kept, as a user's function may catch the error."""
        frame = _users_frame()
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        self.reason = self.reason or f"{reason} at {place}"
        return Untraceable(reason)

    def enter(self, real: Any, name: str, kind: str = "argument") -> Any:
        """A traced array for an argument or for a captured array, or a traced generator."""
        if isinstance(real, GENERATORS):
            return self.generators.setdefault(id(real), TraceGenerator(real, name, self))
        known = self.plain.get(id(real))
        if kind == "captured" or (known is not None and known.kind != "argument"):
            known = known if kind == "captured" else None
        if known is None or isinstance(real, float):
            known = Value(kind, name, real)
            if isinstance(real, float):
                return TraceFloat(real, known, self)
            self.plain[id(real)] = known
            self._traced(real, known)
        return self.arrays[known]

    def number(self, function: Any, args: tuple[Any, ...]) -> Any:
        """The result of an operator of Python on numbers."""
        out = function(*_real(args))
        if self.is_over():
            return out
        if not isinstance(out, float):  # a complex number
            return function(*(float(x) if isinstance(x, TraceFloat) else x for x in args))
        call = Call(function, self._template(args), {})
        value = Value("result", "", out)
        call.results, call.shape = [value], Ref(value)
        self._note(call, np.geterr())
        return TraceFloat(out, value, self)

    def draw(self, generator: TraceGenerator, function: Any, args: Any, settings: Any) -> Any:
        """The result of a draw of random numbers."""
        out = self.call(function, (generator, *args), settings)
        self.calls[-1].draws = True
        self.drawn(generator._real)
        return out

    def external(self, name: str, function: Callable[..., Any], args: Any) -> Any:
        """The result of a function with effects outside of the program."""
        return self.call(External(name, function), args, {})

    def _traced(self, real: Any, value: Value) -> TraceArray:
        traced = TraceArray(real, value, self)
        self.arrays[value] = traced
        if backend.is_data(real):
            self.owners.setdefault(id(_root(real)), value.memory)
        return traced

    # calls

    def call(self, function: Any, args: Any, settings: Any) -> Any:
        """The result of a call, which is noted."""
        if self.is_over():
            return function(*_real(args), **_real(settings))
        errors = np.geterr()
        call = Call(function, self._template(args), self._template(settings))
        self._check_writes(call, args, settings)
        try:
            out = function(*_real(args), **_real(settings))
        except Exception as error:  # the function may catch it, which a program would not
            self.fail(f"a call raises {type(error).__name__}")
            raise
        if isinstance(function, Method) and function.name == "__setitem__":
            self._note(call, errors)
            return None
        given = settings.get("out")
        if given is not None and not (type(given) is tuple and any(x is None for x in given)):
            self._note(call, errors)
            return given[0] if isinstance(given, tuple) and len(given) == 1 else given
        if function in STATIC if not isinstance(function, Method) else False:
            return out
        found: list[Any] = []
        if type(out) is float:
            shaped = self._result(out, call, found)
        else:
            shaped = replaced(out, lambda leaf: self._result(leaf, call, found))
        if not call.results and not call.writes:
            if out is None or out is NotImplemented:
                return out
            raise self.fail(f"{getattr(function, '__name__', function)} returns {out!r:.40}")
        call.shape = _refs(shaped)
        self._note(call, errors)
        return shaped

    def _result(self, leaf: Any, call: Call, found: list[Any]) -> Any:
        if type(leaf) is float:
            value = Value("result", "", leaf)
            call.results.append(value)
            return TraceFloat(leaf, value, self)
        if not (isinstance(leaf, np.generic) or backend.is_data(leaf)):
            return leaf
        memory = self._memory_of(leaf, call)
        value = Value("result", "", leaf, memory)
        call.results.append(value)
        traced = self._traced(leaf, value)
        found.append(traced)
        return traced

    def _memory_of(self, leaf: Any, call: Call) -> Value | None:
        """The Value whose memory a result shares, if it is a view of an argument."""
        if not backend.is_data(leaf):
            return None
        root = _root(leaf)
        return next(
            (value.memory for value in call.refs()
             if backend.is_data(value.array) and _root(value.array) is root),
            None,
        )  # fmt: skip

    def _note(self, call: Call, errors: Any) -> None:
        if errors != self.usual and not any(backend.on_device(v.array) for v in call.refs()):
            call.errors = errors  # a device raises none
        frame = _users_frame()
        self._enter_line((frame, frame.f_lineno))
        call.line, call.part = f"{frame.f_code.co_filename}:{frame.f_lineno}", self.part
        self.calls.append(call)

    def _enter_line(self, place: tuple[FrameType, int] | None) -> None:
        """A line of the user begins. If the last one gave a result a name, the program does so."""
        if place == self.place:
            return
        last, self.place = self.place, place
        if not self.depth:
            self.part = ""
        if last is None:
            return
        frame, number = last
        name = assigned(frame.f_code.co_filename, number)
        held = frame.f_locals.get(name) if name else None
        array = held._array if isinstance(held, Tensor) else held
        if isinstance(array, TraceArray) and array._value.kind == "result":
            array._value.name = name

    def _check_writes(self, call: Call, args: Any, settings: Any) -> None:
        function = call.function
        over = function is np.nan_to_num and False in (settings.get("copy", True), *args[1:2])
        plain = not isinstance(function, np.ufunc | UfuncMethod | Opaque | Writer)
        if over or (plain and may_write(function, args)):
            raise self.fail(
                f"{getattr(function, '__name__', function.__class__)} may write by position"
            )
        targets = list(settings["out"]) if isinstance(settings.get("out"), tuple) else []
        if isinstance(settings.get("out"), TraceArray) or backend.is_data(settings.get("out")):
            targets = [settings["out"]]
        writes = isinstance(function, Method) and function.name in WRITING_METHODS
        ufunc_at = isinstance(function, UfuncMethod) and function.name == "at"
        named = not isinstance(function, Method | Writer) and function in WRITERS
        if isinstance(function, Writer) or writes or ufunc_at or named:
            targets.append(args[0])
        for target in targets:
            if target is None:
                continue
            if not isinstance(target, TraceArray) or target._trace is not self:
                raise self.fail("a traced value is written into a plain array")
            memory = target._value.memory
            if memory.kind == "captured":
                if any(value.kind == "captured" and value is not memory
                       and share_memory(value.array, memory.array)
                       for value in self.plain.values()):  # fmt: skip
                    raise self.fail("a captured array is written to, of which a view is captured")
                self.saved.setdefault(memory, memory.array.copy())
            elif memory.kind != "result":
                what = {"argument": "an argument"}.get(memory.kind, f"a {memory.kind}")
                raise self.fail(f"it writes to {what}")
            call.writes.append(memory)

    def _template(self, argument: Any) -> Template:
        return replaced(argument, self._ref)

    def _ref(self, leaf: Any) -> Any:
        if type(leaf) is TraceGenerator:
            return Ref(leaf._value)
        if isinstance(leaf, TraceArray):
            if leaf._trace is self:
                return Ref(leaf._value)
            leaf = leaf._real  # of a trace that has ended
        if not backend.is_data(leaf):
            return leaf
        known = self.plain.get(id(leaf))
        unknown = known is None and not self._is_made(leaf)
        if unknown and backend.on_device(leaf):  # draws on a device are not noticed
            raise self.fail("an array on a device is made by a function that is not followed")
        if known is None:
            whole = leaf.flags.c_contiguous or leaf.flags.f_contiguous
            known = self.plain[id(leaf)] = Value("constant", "", leaf.copy("K") if whole else leaf)
            self.constants.append((leaf, known, leaf.copy()))
        return Ref(known)

    def operator(self, function: Any, x: Any, y: Any) -> Any:
        """The result of an operator of Python, which differs from its ufunc in the last bit."""
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            return NotImplemented
        return self.call(function, (x, y), {})

    def guarded(self, x: TraceArray, of: Any, word: str) -> Any:
        """``of(x)``, a Python value, which the program compares."""
        value = of(x._real)
        if not self.is_over():
            call = Call(of, (Ref(x._value),), {}, guard=Guard(of, word, value))
            self._note(call, np.geterr())
        return value

    def end(self) -> None:
        """The run is over. Fails if a plain array changed after it was used."""
        self.closed = True
        self.made.clear()
        self._enter_line(None)
        if any(leaf.tobytes() != before.tobytes() for leaf, _, before in self.constants):
            self.fail("a plain array is written to between traced calls")

    # kernels

    def kernel(
        self, name: str, kernel: Any, values: tuple[Any, ...], title: str = "", part: str = ""
    ) -> Any:
        """The result of a kernel of an operation, followed if possible, else as one call."""
        if self.reason or self.is_over():
            return kernel(*_real(values))
        mark, before = len(self.calls), self.part
        self.depth += 1
        self.part = part or _part(name, STATE.get()[1])
        try:
            out = kernel(*values)
            if not self.reason:  # a kernel may catch an error, such as an overflow
                if isinstance(out, TraceArray):
                    out._value.name = out._value.name or title or name
                    self.numbers.append(next(sequence_numbers))
                    self.outs.append(out._value)
                return out
        except Untraceable:
            pass
        finally:
            self.part, self.depth = before, self.depth - 1
        if any(memory.kind == "captured" for c in self.calls[mark:] for memory in c.writes):
            raise Untraceable(self.reason)
        del self.calls[mark:]
        self.reason = ""
        return self.call(Opaque(name, kernel), values, {})

    def write_elements(self, function: Any, out: TraceArray, *operands: Any) -> None:
        """Call a function that writes to elements of `out`."""
        self.call(writer(function), (out, *operands), {})

    def rule(self, node: Any, parent: Any, rule: Any, g: Any, saved: tuple[Any, ...]) -> Any:
        """The result of a rule of an operation, the gradient of its operand `parent`, followed if
        possible, else as one call. What else the rule computes is the derivative."""
        part = f"backward of {_part(node.name, node.scope)}"
        held = None if parent.watch is None else getattr(parent.watch.tensor(), "_array", None)
        of = held._value if isinstance(held, TraceArray) else self._out_of(parent)
        mark, title = len(self.calls), f"grad_{of.name if of else parent.name}"
        gx = self.kernel(f"slope of {node.name}", rule, (g, *saved), title, part)
        for call in self.calls[mark:]:
            self.part = part  # also of what fits the gradient to the operand
            for value in call.results:
                value.name = value.name or f"d_{node.name}"
                value.of = of if value.name == title else self._out_of(node)
        return gx

    def _out_of(self, node: Any) -> Value | None:
        """The result of the operation that made a node."""
        place = bisect(self.numbers, node.seq) - 1
        return self.outs[place] if place >= 0 else None


def _part(name: str, scope: Any) -> str:
    """An operation with the module that calls it, if that has another name."""
    if scope is None:
        return name
    return scope.kind if scope.kind.lower() == name else f"{scope.kind}: {name}"


def _users_frame() -> FrameType:
    """The innermost frame of code that belongs to no library which runs the calls."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in INSIDE:
            break
        frame = frame.f_back
    return frame


def _root(array: Any) -> Any:
    """The array that owns the memory. Between a sliding window and it is an object that is not an
    array."""
    owner = array
    while (array := getattr(array, "base", None)) is not None:
        owner = array if backend.is_data(array) else owner
    return owner


def _real(argument: Any) -> Any:
    return replaced(argument, lambda leaf: leaf._real if type(leaf) in TRACED else leaf)


TRACED = frozenset({TraceArray, TraceFloat, TraceGenerator})


def _refs(shaped: Any) -> Template:
    return replaced(shaped, lambda leaf: Ref(leaf._value) if isinstance(leaf, TraceArray) else leaf)
