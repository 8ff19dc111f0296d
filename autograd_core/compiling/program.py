"""A traced program: values, and the calls that compute them, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

Template = Any  # an argument of a call, in which each array is replaced by a Ref


@dataclass(eq=False, slots=True)
class Value:
    """An array of the program. `memory` is the Value that owns its memory, which is the Value
    itself unless it is a view."""

    kind: (
        str  # "argument", "captured" (an array of the caller), "constant", "generator" or "result"
    )
    name: str
    array: Any  # what it was while tracing; for a captured array or a constant, what it is
    memory: Any = None
    of: Any = None  # for a gradient or a derivative, the Value that it belongs to

    def __post_init__(self) -> None:
        if self.memory is None:
            self.memory = self


@dataclass(frozen=True, slots=True)
class Ref:
    """A Value among the arguments of a call."""

    value: Value


@dataclass(frozen=True, slots=True)
class Method:
    """The method, or the attribute, of an array."""

    name: str
    attribute: bool = False

    def __call__(self, x: Any, *args: Any, **settings: Any) -> Any:
        found = getattr(x, self.name)
        return found if self.attribute else found(*args, **settings)


@dataclass(frozen=True, slots=True)
class UfuncMethod:
    """A method of a ufunc, such as ``np.add.reduce``."""

    ufunc: Any
    name: str

    def __call__(self, *args: Any, **settings: Any) -> Any:
        return getattr(self.ufunc, self.name)(*args, **settings)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an array."""

    name = "rows"

    def __call__(self, x: Any) -> list[Any]:
        return list(x)


ROWS = Rows()


@dataclass(frozen=True, slots=True)
class Opaque:
    """A function that could not be traced and is called as a whole."""

    name: str
    function: Callable[..., Any]

    def __call__(self, *args: Any, **settings: Any) -> Any:
        return self.function(*args, **settings)


class External(Opaque):
    """One that has effects outside of the program."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A function that writes to elements of its first argument and works elementwise. It consists
    of NumPy calls and is part of the source."""

    name: str
    function: Callable[..., None]

    def __call__(self, *args: Any) -> None:
        self.function(*args)


@cache
def writer(function: Callable[..., None]) -> Writer:
    """The Writer for a function."""
    return Writer(function.__name__, function)


@dataclass(frozen=True, slots=True)
class Guard:
    """What a value was converted to while tracing: ``of(x)`` has to be `expected` again."""

    of: Callable[[Any], Any]
    word: str  # how the source writes it: "bool({})"
    expected: Any


@dataclass(eq=False, slots=True)
class Call:
    """One call. `results` are the Values of the arrays in its result, in order, or empty for a
    guard and for a call that only writes."""

    function: Any
    args: tuple[Template, ...]
    settings: dict[str, Template]
    results: list[Value] = field(default_factory=list)
    shape: Any = None  # the result with its arrays replaced by Refs
    writes: list[Value] = field(default_factory=list)  # owners of the memory written to
    guard: Guard | None = None
    errors: dict[str, str] | None = None  # NumPy's error state, where it is not the usual one
    line: str = ""  # of the user's code, "file:line"
    draws: bool = False  # True if it draws random numbers
    part: str = ""  # the module or operation that it belongs to

    def refs(self) -> list[Value]:
        """The Values among the arguments."""
        found: list[Value] = []
        _collect(self.args, found)
        _collect(self.settings, found)
        return found


ATOMS = frozenset({int, float, str, bool, type(None), type(...), np.dtype, type})


def refs(template: Template) -> list[Value]:
    """The Values in a template."""
    found: list[Value] = []
    _collect(template, found)
    return found


def _collect(template: Template, found: list[Value]) -> None:
    kind = type(template)
    if kind is Ref:
        found.append(template.value)
    elif kind in ATOMS:
        pass
    elif isinstance(template, tuple | list):
        for entry in template:
            _collect(entry, found)
    elif isinstance(template, dict):
        for entry in template.values():
            _collect(entry, found)
    elif kind is slice:
        _collect((template.start, template.stop, template.step), found)


def replaced(template: Template, of: Callable[[Any], Any]) -> Any:
    """`template` with ``of(ref)`` in place of each Ref, or of each array."""
    if type(template) in ATOMS:
        return template
    found = of(template)
    if found is not template:
        return found
    if isinstance(template, tuple | list):
        entries = [replaced(entry, of) for entry in template]
        return type(template)(*entries) if hasattr(template, "_fields") else type(template)(entries)
    if isinstance(template, dict):
        return {name: replaced(entry, of) for name, entry in template.items()}
    if isinstance(template, slice):
        return slice(
            *(replaced(part, of) for part in (template.start, template.stop, template.step))
        )
    return template


def key_of(template: Any) -> Any:
    """A key that is equal for equal arguments; 1, 1.0 and True differ."""
    if isinstance(template, Ref):
        return id(template.value)
    if isinstance(template, tuple | list):
        return (type(template), *map(key_of, template))
    if isinstance(template, dict):
        return tuple((name, key_of(entry)) for name, entry in sorted(template.items()))
    if isinstance(template, slice):
        return ("slice", key_of(template.start), key_of(template.stop), key_of(template.step))
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


@dataclass(eq=False)
class Program:
    """Calls, from the Values of the arguments to the result."""

    arguments: list[Value]
    calls: list[Call]
    result: list[Template]

    def outputs(self) -> list[Value]:
        """The Values in the result."""
        return list(refs(self.result))
