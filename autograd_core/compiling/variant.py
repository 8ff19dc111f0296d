"""A program that is ready to run: bound to the arrays that it reads and writes, with a function
that checks what it depends on."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import BLOCK, Threads
from autograd_core.compiling.draws import set_state, state_of
from autograd_core.compiling.places import Gradient
from autograd_core.compiling.program import Opaque
from autograd_core.compiling.simplify import decides
from autograd_core.compiling.source import Differs, Source
from autograd_core.compiling.tracing import Tracing
from autograd_core.devices import backend
from autograd_core.engine.stamps import root_of, stamp
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor, make
from autograd_core.transforms.tree import filled, leaves, mapped

DIFFERS = object()  # what a program depends on has changed
BUSY = object()  # another thread runs the program, or it calls itself


class _Everything:
    """Contains everything: for memory whose owner is not an array."""

    def __contains__(self, value: Any) -> bool:
        return True


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
        self.lock = allocate_lock()  # the buffers belong to one run at a time
        self.captured = [(source.names[v], v, slots) for v, slots in tracing.captured.items()
                         if v in source.captured]  # fmt: skip
        self.numbers = [slots[0].place for v, slots in tracing.captured.items()
                        if v not in source.captured]  # fmt: skip
        self.written = [source.names[v] for v, _ in tracing.captured.items() if v in written]
        self.views = compile("\n".join(source.views), "<compiled program>", "exec")
        for name, value, _ in self.captured:
            self.namespace[name] = value.array
        exec("\n".join(source.made), self.namespace)
        exec(compile("\n".join(source.functions), "<compiled program>", "exec"), self.namespace)
        self.step: Callable[..., Any] = self.namespace["step"]
        tensors = [(source.names[v], slot.tensor) for v, slots in tracing.captured.items()
                   for slot in slots if slot.tensor is not None]  # fmt: skip
        self.stamped = [t for name, t in dict.fromkeys(tensors) if name in self.written]
        first = next((i for i, call in enumerate(program.calls) if call.draws), None)
        late = [] if first is None else [c for c in program.calls[first:] if not c.draws]
        self.drawing = [g._real for g in tracing.trace.generators.values()] if any(
            map(decides, late)) else []  # fmt: skip
        self.like = mapped(_like, tracing.out)
        self.outs = len(leaves(tracing.out))
        self.single = [path for path, _ in leaves(tracing.out)] == [""]
        self.recording = recording
        self._sort_results(tracing, source)
        self._bind()
        self.enter: Callable[..., Any] = self._entrance(tracing, given)

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
        self.homes, self.puts = [], []
        held = source.plan.held
        for (slot, _), leaf in zip(tracing.updates, tracing.updated, strict=True):
            value = getattr(leaf, "value", None)
            if value in source.plan.kept:
                name = source.names[held[value]]
                self.homes.append(_Home(name, slot.place.holder, value.array))
            else:
                self.puts.append(slot.place)
        self.empty = [(slot.place, slot.value is None) for slot, _ in tracing.updates
                      if isinstance(slot.place, Gradient)]  # fmt: skip

    def _bind(self) -> None:
        """Make the views of the captured arrays and of the buffers."""
        for home in self.homes:
            self.namespace[home.name] = home.new()
        exec(self.views, self.namespace)
        for home in self.homes:
            home.count(self.namespace)
        roots = [root_of(self.namespace[name]) for name in self.written]
        owned = all(type(root) is np.ndarray and root.base is None for root in roots)
        self.roots: Any = frozenset(map(id, roots)) if owned else _Everything()
        self.namespace["roots"] = self.roots

    def rebind(self) -> bool:
        """Bind the program to the arrays that are captured now, if they have the same kinds."""
        found = {}
        for name, value, slots in self.captured:
            arrays = [slot.get() for slot in slots]
            if any(array is not arrays[0] for array in arrays):
                return False
            if kind_of(arrays[0]) != kind_of(value.array):
                return False
            found[name] = arrays[0]
        written = [found[name] for name in self.written]
        for array in found.values():
            for other in written:
                if other is not array and np.may_share_memory(array, other):
                    return False
        self.namespace.update(found)
        self._bind()
        return True

    def shares(self, array: Any) -> bool:
        """True if an argument may share memory with a captured array that is written to."""
        return any(np.may_share_memory(array, self.namespace[name]) for name in self.written)

    def run(self, *args: Any) -> Any:
        """The result of the program, after the checks."""
        if not self.lock.acquire(False):
            return BUSY
        try:
            for home in self.homes:
                if home.is_held():
                    self._bind()
                    break
            states = [state_of(generator) for generator in self.drawing]
            out = self.step(*args)
            for home in self.homes:
                home.leave()
        except (Differs, FloatingPointError):
            for generator, state in zip(self.drawing, states, strict=True):
                set_state(generator, state)
            return DIFFERS
        finally:
            self.lock.release()
        if self.stamped:
            stamp(*self.stamped)
        if self.single and not self.puts:
            return make(backend.as_array(out), None) if isinstance(self.like, Tensor) else out
        return self._finished(out)

    def _finished(self, out: Any) -> Any:
        total = self.outs + len(self.puts)
        outs = () if not total else (out,) if total == 1 else out
        for place, value in zip(self.puts, outs[self.outs :], strict=True):
            place.put(value)
        pairs = zip(outs[: self.outs], leaves(self.like), strict=True)
        return filled(self.like, iter([
            make(backend.as_array(leaf), None) if isinstance(twin, Tensor) else leaf
            for leaf, (_, twin) in pairs
        ]))  # fmt: skip

    # the checks

    def _entrance(self, tracing: Tracing, given: list[Any]) -> Callable[..., Any]:
        """The function that checks the arguments and what was captured, and runs the program. Its
        text has a condition for each place, as a loop over them would take several times as long.
        """
        bound: dict[str, Any] = {"DIFFERS": DIFFERS, "ndarray": np.ndarray, "STATE": STATE,
                                 "run": self.run, "rebind": self.rebind, "shares": self.shares,
                                 "now": self.namespace}  # fmt: skip
        known: dict[int, str] = {}

        def bind(value: Any) -> str:
            name = known.get(id(value))
            if name is None:
                name = known[id(value)] = f"v{len(known)}"
                bound[name] = value
            return name

        names = [f"a{i}" for i in range(len(given))]
        tests = [f"({test})" for test in self._tests(tracing, bind)]
        lines = [f"def enter({', '.join(names)}):",
                 "    recording, _, observer = STATE.get()",
                 f"    if recording is not {self.recording} or observer is not None: "
                 "return DIFFERS"]  # fmt: skip
        for name, leaf in zip(names, given, strict=True):
            array = leaf
            if isinstance(leaf, Tensor):
                array = leaf._array
                lines.append(
                    f"    if type({name}) is not {bind(Tensor)} or {name}.node is not None: "
                    f"return DIFFERS\n    {name} = {name}._array"
                )
            lines.append(
                f"    if type({name}) is not ndarray or {name}.shape != {array.shape} "
                f"or {name}.dtype != {bind(array.dtype)} or {name}.strides != {array.strides}: "
                "return DIFFERS"
            )
        lines += [
            f"    if {' or '.join(tests[start : start + 20])}: return DIFFERS"
            for start in range(0, len(tests), 20)
        ]
        current = [
            f"{slot.place.text(bind)} is not now[{name!r}]"
            for name, _, slots in self.captured
            for slot in slots
        ]
        for start in range(0, len(current), 20):
            condition = " or ".join(current[start : start + 20])
            lines.append(f"    if ({condition}) and not rebind(): return DIFFERS")
        for name in names if self.written else ():
            lines += [f"    b = {name} if {name}.base is None else {name}.base",
                      "    if (id(b) in now['roots'] or type(b) is not ndarray or b.base is not "
                      f"None) and shares({name}): return DIFFERS"]  # fmt: skip
        numbers = []
        for i, place in enumerate(self.numbers):
            lines.append(f"    if type(n{i} := {place.text(bind)}) is not float: return DIFFERS")
            numbers.append(f"n{i}")
        lines.append(f"    return run({', '.join([*names, *numbers])})")
        exec("\n".join(lines), bound)
        return bound["enter"]  # type: ignore[no-any-return]

    def _tests(self, tracing: Tracing, bind: Callable[[Any], str]) -> list[str]:
        """Conditions that are true if the function reaches something else than while tracing."""
        tests = [place.difference(value, bind) for place, value in tracing.reached.fixed()]
        for container, before in tracing.reached.containers:
            tests.append(f"len({bind(container)}) != {len(before)}")
        for place, empty in self.empty:
            tests.append(f"{bind(place.holder)}._grad is {'not ' if empty else ''}None")
        return list(dict.fromkeys(tests))


class _Home:
    """An array of the program for a gradient, and the Tensor that is left in `grad`. If somebody
    else holds one of them, the program makes new ones, as backward() does in each call."""

    def __init__(self, name: str, tensor: Tensor, like: Any) -> None:
        self.name, self.tensor, self.like = name, tensor, like

    def new(self) -> Any:
        """A new array."""
        self.array = np.empty_like(self.like)
        self.gradient = make(self.array, None)
        return self.array

    def count(self, namespace: dict[str, Any]) -> None:
        """Count the references that the program holds."""
        self.of_array, self.of_gradient = getrefcount(self.array), getrefcount(self.gradient)

    def is_held(self) -> bool:
        """True if there are other references, or if something else is in `grad` now."""
        left = self.tensor._grad is self.gradient
        return (
            getrefcount(self.gradient) > self.of_gradient + left
            or getrefcount(self.array) > self.of_array
        )

    def leave(self) -> None:
        """Put the gradient into `grad`."""
        if self.tensor._grad is not self.gradient:
            self.tensor._grad = self.gradient


EMPTY = Tensor(0.0)


def _like(leaf: Any) -> Any:
    """What is kept of a leaf of a result: whether it is a Tensor."""
    return EMPTY if isinstance(leaf, Tensor) else 0


def kind_of(value: Any) -> Any:
    """What a program depends on of a captured array."""
    if type(value) is np.ndarray:
        return value.shape, value.dtype, value.strides
    return type(value)


__all__ = ["BUSY", "DIFFERS", "Variant"]
