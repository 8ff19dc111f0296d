"""The random number generators that a function can reach, and their states."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node
from autograd_core.engine.tensor import Tensor

# frequent types of objects that contain no generator
ATOMS = frozenset(
    [bool, int, float, complex, str, bytes, type(None), type(...), Node, ModuleType, CodeType,
     FrameType, TracebackType, np.dtype, np.ufunc]
)  # fmt: skip
# libraries whose classes and functions use no generators in module variables other than `random`'s
# and ``np.random``'s
LIBRARIES = sys.stdlib_module_names | {"autograd_core", "nn", "numpy", "scipy", "cupy", "cupyx"}


class States:
    """The current states of the random generators of `random` and ``np.random``, and of all
    generators that can be reached from `roots`.

    Generators are found in containers, in attributes of objects and of their classes, in closures,
    defaults, partial functions and bound methods, and in the module variables that functions read.
    The state of a CuPy generator is copied on its device. The global generator of `cupy.random`,
    and generators hidden in other libraries, cannot be reset.
    """

    def __init__(self, *roots: Any) -> None:
        self.generators = list(_reached(roots))
        self.states = list(map(state_of, self.generators))

    @contextmanager
    def again(self) -> Iterator[None]:
        """A context manager in which the generators repeat the draws made since this object was
        created. At the end, their states from before it are restored."""
        present = list(map(state_of, self.generators))
        try:
            self.set(self.states)
            yield
        finally:
            self.set(present)

    def drawn(self) -> bool:
        """True if a generator was used since this object was created. Their states are then
        restored."""
        used = not _equal_all(list(map(state_of, self.generators)), self.states)
        if used:
            self.set(self.states)
        return used

    def note(self, generator: Any) -> None:
        """Take the present state of a generator as the one to compare with."""
        used = getattr(generator, "bit_generator", generator)
        place = next(i for i, known in enumerate(self.generators) if known is used)
        self.states[place] = state_of(used)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, States) and _equal_all(self.states, other.states)

    __hash__ = None  # type: ignore[assignment]

    def set(self, states: list[Any]) -> None:
        """Set the states of all generators."""
        for generator, state in zip(self.generators, states, strict=True):
            set_state(generator, state)


def _is_on_device(value: Any) -> bool:
    """True for a bit generator whose state is an array, as in CuPy."""
    return hasattr(type(value), "random_raw") and backend.is_array(getattr(value, "_state", None))


def state_of(generator: Any) -> Any:
    """The state of one of the generators that are reached."""
    if isinstance(generator, np.random.BitGenerator):
        return generator.state
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    if _is_on_device(generator):
        return backend.run_there(generator._state, generator._state.copy)
    return generator.getstate()


def _equal_all(states: list[Any], others: list[Any]) -> bool:
    return len(states) == len(others) and all(map(_equal, states, others))


def _equal(state: Any, other: Any) -> bool:
    """True if two states are equal; they contain dicts, tuples and arrays."""
    if isinstance(state, dict):
        return all(_equal(entry, other[name]) for name, entry in state.items())
    return bool(np.all(state == other))


def set_state(generator: Any, state: Any) -> None:
    """Restore what `state_of` returned."""
    if isinstance(generator, np.random.BitGenerator):
        generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    elif _is_on_device(generator):
        backend.run_there(state, generator._state.__setitem__, ..., state)
    else:
        generator.setstate(state)


def _reached(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield each generator that can be reached from `roots`, and the two global ones, once."""
    import random  # np.random imports it too, when it is first used

    seen: dict[int, Any] = {}  # keeps the objects alive, so that no id is reused
    shared: list[Any] = [random.random, np.random.normal]
    waiting: list[Any] = [*(draw.__self__ for draw in shared), *roots]
    while waiting:
        value = waiting.pop()
        if type(value) in ATOMS or id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, np.random.Generator):
            waiting.append(value.bit_generator)
        elif isinstance(value, np.random.BitGenerator | np.random.RandomState):
            yield value
        elif isinstance(value, random.Random):
            if not isinstance(value, random.SystemRandom):
                yield value
        elif _is_on_device(value):
            yield value
        else:
            waiting += _inside(value)


def _inside(value: Any) -> Iterable[Any]:
    """The objects that `value` refers to, as reported by `gc.get_referents` or, for a function,
    found from its closure, defaults and code; the module that defines it is left out."""
    if isinstance(value, FunctionType):
        held = [value.__closure__, value.__defaults__, value.__kwdefaults__, value.__dict__]
        if _from_library(value):
            return held
        return [*held, *_referenced(value.__code__, value.__globals__)]
    if isinstance(value, MethodType):
        return value.__self__, value.__func__
    if isinstance(value, type):
        return () if _from_library(value) else gc.get_referents(value)
    if isinstance(value, Tensor):
        return (getattr(value, "__dict__", None), type(value))
    if backend.is_array(value):
        return value.ravel().tolist() if value.dtype.hasobject else ()
    if not gc.is_tracked(value) and isinstance(value, dict | tuple):
        return ()  # its elements are not containers
    if hasattr(type(value), "__globals__"):
        return ()  # a compiled function, which refers to its whole module
    held = [held for held in gc.get_referents(value) if type(held) not in ATOMS]
    return [type(value), *held]


def _from_library(value: Any) -> bool:
    return str(value.__module__).partition(".")[0] in LIBRARIES


def _referenced(code: CodeType, scope: dict[str, Any]) -> Iterator[Any]:
    """Yield the values of the globals whose names occur in the code of a function. If a global is a
    module, yield the attributes of the module with such names instead."""
    names = set(_names(code))
    modules, looked = [scope], set()
    while modules:
        module = modules.pop()
        for name in names & module.keys():
            value = module[name]
            if isinstance(value, ModuleType):
                if value not in looked:
                    looked.add(value)
                    modules.append(vars(value))
            else:
                yield value
        if module is scope:  # modules imported inside the function
            modules += [vars(sys.modules[name]) for name in names & sys.modules.keys()]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
