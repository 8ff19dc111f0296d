"""One run of a function with tracing arrays, which becomes a program."""

from __future__ import annotations

from dataclasses import is_dataclass
from inspect import signature
from operator import is_
from typing import Any

import numpy as np

from autograd_core.compiling.arrays import TraceArray
from autograd_core.compiling.blocks import with_blocks
from autograd_core.compiling.captured import Reached, Slot, with_arrays
from autograd_core.compiling.kernels import with_kernels
from autograd_core.compiling.places import Gradient, share_memory
from autograd_core.compiling.program import Program, Ref, Value, replaced
from autograd_core.compiling.reassociate import reassociated
from autograd_core.compiling.simplify import simplified, undecided, without_unused, writes_last
from autograd_core.compiling.stacks import stacked
from autograd_core.compiling.trace import Trace, Untraceable
from autograd_core.devices import backend
from autograd_core.devices.followers import followers
from autograd_core.engine.external import ACTIVE
from autograd_core.engine.tensor import Tensor, make
from autograd_core.transforms.calls import Function
from autograd_core.transforms.generators import States
from autograd_core.transforms.tree import filled, leaves

# What a result may consist of
RETURNED = (Tensor, TraceArray, np.generic, bool, int, float, complex, str)


class Tracing:
    """One run of a function with traced arrays. After it, either the function's effects are those
    of a plain run and `variant` is the program, or there are none and `trace.reason` says why."""

    def __init__(
        self, function: Function, args: Any, settings: Any, reassociate: bool = False
    ) -> None:
        self.reassociate = reassociate
        self.errors = np.geterr()
        self.trace = trace = Trace()
        kinds = {kind for _, kind in paths((args, settings))
                 if issubclass(kind, dict | list | tuple) or is_dataclass(kind)}  # fmt: skip
        self.reached = Reached(function, kinds)
        states = States(*self.reached.generators())
        first = list(states.states)
        trace.drawn = states.note
        names = names_of(function, args, settings)
        self.entered = [
            self._entered(leaf, name)
            for (_, leaf), name in zip(leaves((args, settings)), names, strict=True)
        ]
        self.arrays = [x._array if isinstance(x, Tensor) else x for x in self.entered]
        inner, keywords = filled((args, settings), iter(self.entered))
        self.shape = paths((inner, keywords))
        self.out: Any = None
        self.may_settle = False
        self._check(args, settings)
        if trace.reason:
            return
        error = None
        self.held: list[Any] = []
        token = ACTIVE.set(trace)
        followers.append(trace.note_made)
        try:
            self.held += [self._lend(slot) for slot in self.reached.slots]
            self.out = function(*inner, **keywords)
        except Untraceable:
            pass
        except Exception as raised:
            error = raised
        finally:
            ACTIVE.reset(token)
            followers.remove(trace.note_made)
            trace.end()
            self._take_back()
        if states.drawn():
            trace.fail("it draws random numbers from a generator that is not followed")
        if not self._arguments_are_left((inner, keywords)):
            trace.fail("it changes an argument")
        if any(map(_may_be_differentiated, (leaf for _, leaf in leaves(self.out)))):
            trace.fail("its result requires a gradient")
        if error is not None:
            trace.fail(f"it raises {type(error).__name__}: {error}")
        if not trace.reason:
            self._finish()
        if trace.reason:
            states.set(first)
            for value, before in trace.saved.items():
                value.array[...] = before
        else:
            for slot, value in self.updates:
                slot.set(replaced(value, finished))

    def _entered(self, leaf: Any, name: str) -> Any:
        """A leaf of the arguments as the function receives it."""
        if isinstance(leaf, Tensor):
            return make(self.trace.enter(leaf._array, name), None)
        return self.trace.enter(leaf, name) if backend.is_data(leaf) else leaf

    def _check(self, args: Any, settings: Any) -> None:
        """Fail for what a trace does not notice."""
        found = [leaf for _, leaf in leaves((args, settings))]
        given = [leaf._array if isinstance(leaf, Tensor) else leaf for leaf in found
                 if isinstance(leaf, Tensor) or backend.is_data(leaf)]  # fmt: skip
        captured = [slot.value for slot in self.reached.slots if backend.is_data(slot.value)]
        unknown = self.reached.unknown()
        if any(share_memory(a, b) for a in given for b in captured):
            self.trace.fail("an argument is a captured array")
            self.may_settle = True
        if unknown:
            self.trace.fail(f"it reaches objects of the type {', '.join(unknown)}")
        if self.reached.draws():
            self.trace.fail("it makes a generator of random numbers")
        if self.reached.recorded():
            names = ", ".join(self.reached.recorded())
            self.trace.fail(f"it reaches a Tensor with a graph, recorded outside: {names}")
        if self.reached.hooked():
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

    def _arguments_are_left(self, inner: Any) -> bool:
        """True if the function has changed no list, dict or Tensor among its arguments."""
        after = [leaf for _, leaf in leaves(inner)]
        if self.shape != paths(inner) or not all(map(is_, after, self.entered)):
            return False
        return all(
            leaf._array is array and leaf.node is None and leaf._grad is None
            for leaf, array in zip(self.entered, self.arrays, strict=True)
            if isinstance(leaf, Tensor)
        )

    def _output(self, leaf: Any) -> Any:
        """A leaf of a traced result as the program returns it."""
        if not isinstance(leaf, Tensor):
            return self.trace._ref(leaf)
        found = self.trace._ref(leaf._array)
        made = next((c for c in self.trace.calls[::-1] if found.value in c.results), None)
        if made is not None and made.function is np.asarray and type(made.args[0]) is Ref:
            made.args[0].value.name = found.value.name
            return made.args[0]  # the Tensor is made of it in each call
        return found

    def _finish(self) -> None:
        arguments: list[Value] = []
        for value in (traced._value for traced in self.arrays if isinstance(traced, TraceArray)):
            again = value in arguments  # the same array in two places
            arguments.append(Value("argument", value.name, value.array) if again else value)
        outs = [leaf for _, leaf in leaves(self.out)]
        if not all(isinstance(leaf, RETURNED) or backend.is_data(leaf) for leaf in outs):
            self.trace.fail("its result contains an object that is not an array or a number")
            return
        if self.trace.texts and any(isinstance(leaf, str) for leaf in outs):
            self.trace.fail("it returns a number as text")
            return
        result = [self._output(leaf) for leaf in [*outs, *(new for _, new in self.updates)]]
        self.traced = len(self.trace.calls)
        program = simplified(Program(arguments, self.trace.calls, result))
        self.updated = program.result[len(outs) :]
        self.kept = self._kept(program, len(outs))
        if not writes_last(program, self.kept):
            self.trace.fail("it writes to a captured array before its last decision")
            return
        self.captured = self._captured(program, arguments)
        stacked(program)
        if self.reassociate:
            reassociated(program)
        without_unused(program, {memory for call in program.calls for memory in call.writes})
        with_blocks(program, self.kept)
        with_kernels(program, self.kept)
        program.arguments = [*arguments, *self.captured]
        self.program = program

    def _kept(self, program: Program, count: int) -> list[Value]:
        """The gradients among the results that a program can leave in arrays of its own."""
        read = {value for call in program.calls for value in call.refs()}
        kept = []
        refs = [leaf.value if isinstance(leaf, Ref) else None for leaf in program.result]
        for (slot, _), value in zip(self.updates, refs[count:], strict=True):
            old = self.trace.plain.get(id(slot.value))
            if (isinstance(slot.place, Gradient) and value is not None and value.kind == "result"
                    and value.memory is value and refs.count(value) == 1
                    and (old is None or old not in read)):  # fmt: skip
                value.name = slot.name
                kept.append(value)
        return undecided(program, kept)

    def _captured(self, program: Program, arguments: list[Value]) -> dict[Value, list[Slot]]:
        """The Values of the captured arrays and numbers that the program uses, with their slots."""
        used = {value for call in program.calls for value in call.refs()} | set(program.outputs())
        captured: dict[Value, list[Slot]] = {}
        for slot, held in zip(self.reached.slots, self.held, strict=True):
            value = self.trace.plain.get(id(slot.value))  # None for a number
            value = held._value if isinstance(held, TraceArray) else value
            if value in used and value not in arguments:
                captured.setdefault(value, []).append(slot)
        for value, found in captured.items():
            value.name = found[0].name
        read = {slot for found in captured.values() for slot in found}
        self.unread = [slot for slot in self.reached.slots
                       if slot not in read and not isinstance(slot.place, Gradient)
                       and (backend.is_data(slot.value) or type(slot.value) is float)]  # fmt: skip
        return captured


def paths(tree: Any) -> list[tuple[str, type]]:
    """The paths of all entries of a tree, and their types."""
    entries = [("", tree)]
    found = []
    while entries:
        path, entry = entries.pop()
        found.append((path, type(entry)))
        if isinstance(entry, dict):
            entries += [(f"{path}[{key!r}]", inner) for key, inner in entry.items()]
        elif isinstance(entry, list | tuple):
            entries += [(f"{path}[{i}]", inner) for i, inner in enumerate(entry)]
        elif is_dataclass(entry):
            entries += [(f"{path}.{key}", inner) for key, inner in vars(entry).items()]
    return found


def _may_be_differentiated(leaf: Any) -> bool:
    """True for a Tensor whose graph has not been used by a backward pass."""
    return isinstance(leaf, Tensor) and leaf.node is not None and not leaf.node.released


def _is_array_or_none(value: Any) -> bool:
    return value is None or isinstance(value, TraceArray) or backend.is_data(value)


def finished(leaf: Any) -> Any:
    """A leaf of a traced result without its trace."""
    if isinstance(leaf, Tensor):
        return make(backend.as_array(finished(leaf._array)), None)
    if not isinstance(leaf, TraceArray):
        return leaf
    return leaf._real.copy() if _is_constant(leaf) else leaf._real


def _is_constant(leaf: TraceArray) -> bool:
    """True for an array that the program contains, and somebody could change."""
    return backend.is_data(leaf._real) and leaf._value.memory.kind == "constant"


def names_of(function: Function, args: Any, settings: Any) -> list[str]:
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


__all__ = ["Tracing"]
