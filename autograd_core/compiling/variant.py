"""A program that is ready to run: bound to the arrays that it reads and writes, with a function
that checks what it depends on."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from itertools import count
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import BLOCK, Threads
from autograd_core.compiling.draws import set_state, state_of
from autograd_core.compiling.entrance import BUSY, DIFFERS, Entrance, Home, Signal
from autograd_core.compiling.places import Gradient, Place, share_memory
from autograd_core.compiling.program import External, Opaque, Program
from autograd_core.compiling.source import Differs, Source
from autograd_core.compiling.tracing import Tracing
from autograd_core.devices import backend
from autograd_core.engine.external import RESULTS, Changed
from autograd_core.engine.stamps import root_of, stamps
from autograd_core.engine.tensor import Tensor, result
from autograd_core.transforms.tree import filled, leaves, mapped

USUAL = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


class _Everything:
    """Contains everything: for memory whose owner is not an array."""

    def __contains__(self, value: Any) -> bool:
        return True


DIFFERING = (Differs, FloatingPointError, Changed)  # errors after which another program is tried


class Variant:
    """A traced program, bound to arrays. `enter(args)` returns its result, DIFFERS or BUSY."""

    def __init__(
        self, tracing: Tracing, given: list[Any], recording: bool, threads: int = 1
    ) -> None:
        program, self.traced = tracing.program, tracing.traced
        # threads take turns between calls, which larger blocks make rarer
        source = Source(program, tracing.kept, BLOCK if threads == 1 else 2 * BLOCK)
        self.source = source
        self.opaque = [
            call.function.name for call in program.calls if isinstance(call.function, Opaque)
        ]
        written = {m for call in program.calls for m in call.writes if m.kind == "captured"}
        self.names = source.names
        self.namespace = source.namespace
        if threads > 1 and source.blocks:
            self.namespace["in_blocks"] = Threads(threads)
        self.captured = [(source.names[v], kind_of(v.array), slots)
                         for v, slots in tracing.captured.items()
                         if v in source.captured]  # fmt: skip
        self._add_unread(tracing)
        self.numbers = [slots[0].place for v, slots in tracing.captured.items()
                        if v not in source.captured]  # fmt: skip
        self.number_names = [source.names[v] for v in tracing.captured if v not in source.captured]
        self.written = [source.names[v] for v, _ in tracing.captured.items() if v in written]
        self.views = compile("\n".join(source.views), "<compiled program>", "exec")
        for value in source.captured:
            self.namespace[source.names[value]] = value.array
        exec("\n".join(source.made), self.namespace)
        exec(compile("\n".join(source.functions), "<compiled program>", "exec"), self.namespace)
        self.step: Callable[..., Any] = self.namespace["step"]
        tensors = [(source.names[v], slot.tensor) for v, slots in tracing.captured.items()
                   for slot in slots if slot.tensor is not None]  # fmt: skip
        self.stamped = [t for name, t in dict.fromkeys(tensors) if name in self.written]
        draws = any(call.draws for call in program.calls)
        self.drawing = [g._real for g in tracing.trace.generators.values()] if draws else []
        self.talks = any(isinstance(call.function, External) for call in program.calls)
        self.like = mapped(_like, tracing.out)
        self.outs = len(leaves(tracing.out))
        self.entrance = Entrance(given, recording)
        self._sort_results(tracing, source)
        self._bind()
        single = [path for path, _ in leaves(tracing.out)] == [""] and not self.puts
        kind = ("Tensor" if isinstance(self.like, Tensor) else "array") if single else ""
        self.enter: Callable[..., Any] = self._entrance(tracing, kind)
        if self.stamped:  # the traced run wrote to them
            stamps.set(self.stamped)
        _forget_arrays(program, source)

    @property
    def text(self) -> str:
        """The source of the program."""
        return self.source.text

    def reported(self, number: int) -> tuple[Any, ...]:
        """The row of the report: calls and buffers."""
        plan, source = self.source.plan, self.source
        own = [b for b in dict.fromkeys(plan.held.values()) if b not in plan.models]
        total = sum(buffer.array.nbytes for buffer in own)
        unshared = sum(value.array.nbytes for value in plan.held)
        counts = (self.traced, len(source.body), len(self.opaque), len(source.views), len(own))
        return (number, *counts, f"{total:,}", f"{unshared:,}")

    def _sort_results(self, tracing: Tracing, source: Source) -> None:
        """Sort the results of the program: those of the function, gradients in arrays of the
        program, and others that are put into places of the function."""
        self.puts: list[Place] = []
        self.leaves = False  # True if arrays are put into places
        held = source.plan.held
        for (slot, _), leaf in zip(tracing.updates, tracing.updated, strict=True):
            value = getattr(leaf, "value", None)
            if value in source.plan.kept:
                name = source.names[held[value]]
                self.entrance.homes.append(Home(name, slot.place, value.array))
            else:
                self.puts.append(slot.place)
                self.leaves = self.leaves or value is not None
        self.empty = {slot.place.holder for slot, _ in tracing.updates
                      if isinstance(slot.place, Gradient) and slot.value is None}  # fmt: skip

    def _add_unread(self, tracing: Tracing) -> None:
        """Arrays of which the function has not used the values: whether they are there, of which
        kind, and which of them are the same. It may decide by that."""
        updated = [slot for slot, _ in tracing.updates]
        self.unread = [slot for slot in tracing.unread if slot in updated]
        groups: dict[int, list[Any]] = {}
        for slot in tracing.unread:
            if type(slot.value) is not float and slot not in updated:
                groups.setdefault(id(slot.value), []).append(slot)
        taken = set(self.namespace)
        numbered = (name for i in count() if (name := f"unread_{i}") not in taken)
        for name, slots in zip(numbered, groups.values(), strict=False):
            self.namespace[name] = slots[0].value
            self.captured.append((name, kind_of(slots[0].value), slots))

    def _bind(self) -> None:
        """Make the views of the captured arrays and of the buffers."""
        bound = self.entrance.bound
        self.entrance.place_gradients(self.namespace)
        exec(self.views, self.namespace)
        self.entrance.count()
        roots = [root_of(self.namespace[name]) for name in self.written]
        owned = all(backend.is_data(root) and root.base is None for root in roots)
        bound["roots"] = frozenset(map(id, roots)) if owned else _Everything()
        bound.update({f"s{i}": stamps.entry(tensor) for i, tensor in enumerate(self.stamped)})
        bound.update({f"now_{name}": self.namespace[name] for name, _, _ in self.captured})

    def rebind(self) -> bool:
        """Bind the program to the arrays that are captured now, if they have the same kinds."""
        found = {}
        for name, kind, slots in self.captured:
            arrays = [slot.get() for slot in slots]
            if any(array is not arrays[0] for array in arrays) or kind_of(arrays[0]) != kind:
                return False
            found[name] = arrays[0]
        if len({*map(id, found.values())}) != len(found):
            return False  # two of them are one array now
        written = [found[name] for name in self.written]
        for array in found.values():
            for other in written:
                if other is not array and share_memory(array, other):
                    return False
        self.namespace.update(found)
        self._bind()
        return True

    def numbers_now(self) -> dict[str, float]:
        """The numbers that are arguments of the program, as they are now."""
        return {
            name: place.get() for name, place in zip(self.number_names, self.numbers, strict=True)
        }

    def shares(self, array: Any) -> bool:
        """True if an argument may share memory with a captured array that is written to."""
        return any(share_memory(array, self.namespace[name]) for name in self.written)

    def ready(self) -> bool:
        """Make new arrays for the gradients if somebody holds those of the last call. False if a
        Tensor has lost its gradient."""
        homes = self.entrance.homes
        if any(home.tensor._grad is None for home in homes if home.tensor not in self.empty):
            return False
        if self.entrance.are_held():
            self._bind()
        return True

    def stopped(self, error: Exception) -> Signal:
        """What a program returns that has raised an error, in an ``except`` block. If it has
        written to arrays of the caller, the error is raised again."""
        if self._has_written(error):
            RESULTS.clear()  # nothing runs again
            raise error
        return DIFFERS if isinstance(error, DIFFERING) else Signal(error)

    def _has_written(self, error: Exception) -> bool:
        """True if the program has raised an error after its first write to the caller's arrays."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self.step.__code__:
                return trace.tb_lineno >= self.source.first_write
            trace = trace.tb_next
        return False

    @property
    def _run(self) -> Callable[..., Any]:
        return self.draw if self.drawing else self.talk if self.talks else self.step

    def draw(self, *args: Any) -> Any:
        """The result of the program. The generators have their former states if it stops before it
        has written to anything."""
        states = [state_of(generator) for generator in self.drawing]
        try:
            return self.talk(*args) if self.talks else self.step(*args)
        except Exception as error:
            for generator, state in zip(self.drawing, states, strict=True):
                if not self._has_written(error):
                    set_state(generator, state)
            raise

    def talk(self, *args: Any) -> Any:
        """The result of a program with effects outside. If it stops, their results are kept."""
        RESULTS.begin()
        out = self.step(*args)
        RESULTS.clear()
        return out

    def _finished(self, out: Any) -> Any:
        total = self.outs + len(self.puts)
        outs = () if not total else (out,) if total == 1 else out
        for place, value in zip(self.puts, outs[self.outs :], strict=True):
            place.put(value)
        pairs = zip(outs[: self.outs], leaves(self.like), strict=True)
        return filled(self.like, iter([
            result(leaf, None) if isinstance(twin, Tensor) else leaf
            for leaf, (_, twin) in pairs
        ]))  # fmt: skip

    def _entrance(self, tracing: Tracing, kind: str) -> Callable[..., Any]:
        entrance = self.entrance
        bind = entrance.bind
        reached, own = tracing.reached, tracing.reached.own
        for place, value in reached.fixed():
            tests = entrance.counted if place.versioned else entrance.tests
            tests.append(place.difference(value, bind))
        for value, before in reached.containers:
            tests = entrance.counted if id(value) in reached.versioned else entrance.tests
            tests.append(f"len({bind(value)}) != {len(before)}")
            if isinstance(value, MutableMapping) and len(before) > 1 and id(value) not in own:
                tests.append(f"[*map(id, {bind(value)})] != {[*map(id, before)]}")
        for owner, number in reached.kinds:
            entrance.tests.append(f"len({bind(owner)}.__dict__) != {number}")
        for slot in tracing.unread:
            if slot in self.unread:
                now = f"{bind(kind_of)}({slot.place.text(bind)})"
                entrance.tests.append(f"{now} != {bind(kind_of(slot.value))}")
            elif type(slot.value) is float:
                tests = entrance.counted if slot.place.versioned else entrance.tests
                tests.append(f"type({slot.place.text(bind)}) is not {bind(float)}")
        if tracing.errors != USUAL:
            entrance.tests.append(f"{bind(np.geterr)}() != {tracing.errors}")
        homes = {home.tensor for home in entrance.homes}
        for _, place, value in reached.places:
            if isinstance(place, Gradient) and (value is None or place.holder not in homes):
                test = f"{bind(place.holder)}._grad is {'not ' if value is None else ''}None"
                entrance.tests.append(test)
        entrance.tests = list(dict.fromkeys(entrance.tests))
        entrance.current = [
            f"{slot.place.text(bind)} is not now_{name}"
            for name, _, slots in self.captured
            for slot in slots
        ]
        entrance.numbers = self.numbers
        entrance.written, entrance.stamped = bool(self.written), len(self.stamped)
        entrance.bound |= {
            "run": self._run, "rebind": self.rebind,
            "ready": self.ready, "leave": entrance.leave, "shares": self.shares,
            "finished": self._finished, "stopped": self.stopped,
        }  # fmt: skip
        return entrance.function(kind)


def _forget_arrays(program: Program, source: Source) -> None:
    """Replace the arrays of the traced run, of which only the shapes and dtypes are needed now."""
    calls = [*program.calls, *source.body]
    inner = [call for c in calls for call in getattr(c.function, "calls", ())]
    values = [v for call in [*calls, *inner] for v in (*call.results, *call.refs(), *call.writes)]
    for value in {*values, *program.arguments, *source.plan.held, *source.plan.held.values()}:
        for one in (value, value.memory):
            array = one.array
            if one.kind != "constant" and type(array) is np.ndarray:
                one.array = np.broadcast_to(np.empty((), array.dtype), array.shape)


EMPTY = Tensor(0.0)


def _like(leaf: Any) -> Any:
    """What is kept of a leaf of a result: whether it is a Tensor."""
    return EMPTY if isinstance(leaf, Tensor) else 0


def kind_of(value: Any) -> Any:
    """What a program depends on of a captured array."""
    if backend.is_data(value):
        aligned = backend.on_device(value) or value.flags.aligned
        home = backend.device_of(value)
        return type(value), home, value.shape, value.dtype, value.strides, aligned
    return type(value)


__all__ = ["BUSY", "DIFFERS", "Variant"]
