"""The function that a compiled call enters: it checks what a program depends on, and runs it.

Its text is generated, with a condition for each place: a loop over them would take several times as
long. For a network with four parameters it takes 3 µs.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Iterator
from itertools import combinations
from sys import getrefcount
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import BIG
from autograd_core.compiling.places import Place
from autograd_core.devices import backend
from autograd_core.engine.stamps import sequence_numbers, stamps
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.versions import versions
from autograd_core.engine.views import VALUE


class Signal:
    """Returned in place of a result. `error` is what the program has raised, before it wrote to
    anything."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


DIFFERS = Signal()  # what a program depends on has changed
BUSY = Signal()  # another thread runs the program, or it calls itself


class Entrance:
    """Writes the function. `tests` are conditions that are true if something has changed;
    `counted` those of objects whose changes are counted; `current` those that are true if an array
    has been replaced; and `numbers` the places of floats that are arguments of the program."""

    def __init__(self, given: list[Any], recording: bool) -> None:
        self.given, self.recording = given, recording
        self.tests: list[str] = []
        self.counted: list[str] = []
        self.current: list[str] = []
        self.numbers: list[Place] = []
        self.homes: list[Home] = []
        self.written, self.stamped = False, 0
        self.lock = allocate_lock()  # the buffers belong to one run at a time
        self.bound: dict[str, Any] = {
            "DIFFERS": DIFFERS, "BUSY": BUSY, "STATE": STATE, "Tensor": Tensor, "VALUE": VALUE,
            "owners": frozenset({np.ndarray, *map(type, map(_data, given))}), "scalar": np.generic,
            "asarray": np.asarray,
            "new": Tensor.__new__, "stamps": stamps,
            "numbers": sequence_numbers, "refs": getrefcount, "acquire": self.lock.acquire,
            "release": self.lock.release,
            "removed": (AttributeError, KeyError, IndexError), "Signal": Signal,
            "versions": versions, "version": versions.number,
        }  # fmt: skip
        self.known: dict[int, str] = {}

    def bind(self, value: Any) -> str:
        """The name of an object in the function."""
        name = self.known.get(id(value))
        if name is None:
            name = self.known[id(value)] = f"v{len(self.known)}"
            self.bound[name] = value
        return name

    def function(self, single: str) -> Callable[..., Any]:
        """The function. `single` is the kind of a result that is neither a tree nor put into a
        place: "array", "Tensor" or "number"; empty for others, which ``finished`` returns."""
        names = [f"a{i}" for i in range(len(self.given))]
        lines = [
            "if more: return DIFFERS",
            "recording, _, observer = STATE.get()",
            f"if recording is not {self.recording} or observer is not None: return DIFFERS",
            *self._aliases(names),
            *(line for name, leaf in zip(names, self.given, strict=True)
              for line in self._argument(name, leaf)),
            "try:",
            "    if versions.number != version and changed(): return DIFFERS",
            *(f"    if {' or '.join(some)}: return DIFFERS" for some in _parts(self.tests)),
            "except removed: return DIFFERS",
            "if not acquire(False): return BUSY",
            "try:",
            *(f"    {line}" for line in self._run(names)),
            "finally: release()",
            *self._after(single),
        ]  # fmt: skip
        changed = ["global version", "number = versions.number",
                   *(f"if {' or '.join(some)}: return True" for some in _parts(self.counted)),
                   "version = number", "return False"]  # fmt: skip
        given = "".join(f"{name}=None, " for name in names)
        text = [f"def enter({given}*more):", *(f"    {line}" for line in lines),
                "def changed():", *(f"    {line}" for line in changed)]  # fmt: skip
        exec("\n".join(text), self.bound)
        self.given = []  # the arrays of the first call are not kept
        return self.bound["enter"]  # type: ignore[no-any-return]

    def _aliases(self, names: list[str]) -> Iterator[str]:
        """Another array, or the same one, in two places that may hold the same."""
        pairs = combinations(zip(names, self.given, strict=True), 2)
        for (first, x), (second, y) in pairs:
            if (x.shape, x.dtype, type(x)) == (y.shape, y.dtype, type(y)):
                yield f"if {first} is {'not ' if x is y else ''}{second}: return DIFFERS"

    def _argument(self, name: str, leaf: Any) -> Iterator[str]:
        array = leaf
        if isinstance(leaf, Tensor):
            array = leaf._array
            other = f"type({name}) is not Tensor or {name}.node is not None"
            yield f"if {other} or {name}._grad is not None: return DIFFERS"
            yield f"{name} = {name}._array"
        dtype, kind = self.bind(array.dtype), self.bind(type(array))
        if backend.on_device(array):
            other = f"type({name}) is not {kind} or {name}.device.id != {array.device.id}"
            yield f"if {other}: return DIFFERS"
        yield (f"if type({name}) is not {kind} or {name}.shape != {array.shape} or "
               f"({name}.dtype is not {dtype} and {name}.dtype != {dtype}) or "
               f"{name}.strides != {array.strides}: return DIFFERS")  # fmt: skip
        if array.size >= BIG and not backend.on_device(array):
            yield f"if {name}.flags.aligned is not {array.flags.aligned}: return DIFFERS"

    def _run(self, names: list[str]) -> Iterator[str]:
        if self.current:
            yield "try:"
            for some in _parts(self.current):
                yield f"    if ({' or '.join(some)}) and not rebind(): return DIFFERS"
            yield "except removed: return DIFFERS"
        for name in names if self.written else ():
            yield f"b = {name} if {name}.base is None else {name}.base"
            yield (f"if (id(b) in roots or type(b) not in owners or b.base is not None) "
                   f"and shares({name}): return DIFFERS")  # fmt: skip
        given = list(names)
        for i, place in enumerate(self.numbers):
            yield f"if type(n{i} := {place.text(self.bind)}) is not float: return DIFFERS"
            given.append(f"n{i}")
        unheld = " and ".join(
            f"{self.bind(home.tensor)}._grad is g{i} and refs(g{i}) == kg{i} "
            f"and refs(h{i}) == kh{i}"
            for i, home in enumerate(self.homes)
        )
        if unheld:
            yield f"same = {unheld}"
            yield "if not same and not ready(): return DIFFERS"
        yield f"try: out = run({', '.join(given)})"
        yield "except Exception as error: return stopped(error)"
        if unheld:
            yield "if not same: leave()"

    def _after(self, single: str) -> Iterator[str]:
        if self.stamped:
            yield "stamps.newest = number = next(numbers)"
            yield f"{' = '.join(f's{i}[1]' for i in range(self.stamped))} = number"
        if single == "Tensor":
            yield "found = new(Tensor)"
            yield "found._array = asarray(out) if isinstance(out, scalar) else out"
            yield "found.node = found._grad = None"
            yield "if isinstance(out, scalar): found._memory = VALUE"
            yield "return found"
        else:
            yield "return out" if single else "return finished(out)"

    # gradients

    def place_gradients(self, namespace: dict[str, Any]) -> None:
        """Make new arrays for the gradients."""
        for i, home in enumerate(self.homes):
            namespace[home.name] = self.bound[f"h{i}"] = home.new()
            self.bound[f"g{i}"] = home.gradient

    def count(self) -> None:
        """Count the references that the program holds to the gradients, and one in `grad`."""
        names = [f"{kind}{i}" for i in range(len(self.homes)) for kind in "gh"]
        exec(f"def counts(): return [{', '.join(f'refs({name})' for name in names)}]", self.bound)
        found = iter(self.bound["counts"]())
        for i, home in enumerate(self.homes):
            self.bound[f"kg{i}"] = next(found) + (home.tensor._grad is not home.gradient)
            self.bound[f"kh{i}"] = next(found)

    def are_held(self) -> bool:
        """True if somebody holds an array of a gradient."""
        names = [f"k{kind}{i}" for i in range(len(self.homes)) for kind in "gh"]
        before = [self.bound[name] for name in names]
        self.count()
        return any(self.bound[name] > n for name, n in zip(names, before, strict=True))

    def leave(self) -> None:
        """Put the gradients into `grad`."""
        for home in self.homes:
            home.tensor._grad = home.gradient


def _data(leaf: Any) -> Any:
    return leaf._array if isinstance(leaf, Tensor) else leaf


class Home:
    """An array of the program for a gradient, and the Tensor that is left in `grad`. If somebody
    else holds one of them, the program makes new ones, as backward() does in each call."""

    def __init__(self, name: str, place: Place, like: Any) -> None:
        self.name, self.tensor, self.like = name, place.holder, like
        self.gradient: Any = None

    def new(self) -> Any:
        """A new array."""
        array = np.empty_like(self.like)
        self.gradient = make(array, None)
        return array


def _parts(tests: list[str]) -> Iterator[list[str]]:
    """Conditions in parts that fit in an expression."""
    for start in range(0, len(tests), 20):
        yield [f"({test})" for test in tests[start : start + 20]]


__all__ = ["BUSY", "DIFFERS", "Entrance", "Home", "Signal"]
