"""The arrays that a function reaches without taking them as arguments, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from copy import copy
from functools import partial
from random import Random
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from autograd_core.compiling.program import replaced
from autograd_core.engine.tensor import Tensor, make
from autograd_core.transforms.generators import ATOMS, LIBRARIES

# Names in the code of a function that makes random numbers of its own
RANDOM = frozenset(
    {"default_rng", "RandomState", "Generator", "random", "rand", "randn", "randint"}
)
VALUES = frozenset({bool, int, float, complex, str, bytes})
Link = tuple[Callable[[], Any], Any]  # how an object was reached, and the object


class Slot:
    """A place that holds an array, or a tuple that contains arrays."""

    __slots__ = ("get", "name", "set", "value")

    def __init__(self, name: str, get: Any, put: Any) -> None:
        self.name, self.get, self.set = name, get, put
        self.value = get()

    @property
    def tensor(self) -> Tensor | None:
        """The Tensor whose array this is."""
        is_array = isinstance(self.get, partial) and self.get.args[1:] == ("_array",)
        return self.get.args[0] if is_array else None


class Gradient:
    """The place of the gradient of a Tensor: its array, or None."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __call__(self) -> Any:
        g = self.tensor._grad
        return g if g is None or g.node is not None else g._array

    def put(self, value: Any) -> None:
        """Set the gradient to an array, or to None."""
        tensor = value is None or isinstance(value, Tensor)
        self.tensor._grad = value if tensor else make(value, None)


class Number:
    """The place of a number that may change from call to call, such as a learning rate."""

    def __init__(self, holder: Any, name: str) -> None:
        self.holder, self.name = holder, name

    def __call__(self) -> Any:
        return getattr(self.holder, self.name)

    def put(self, value: Any) -> None:
        """Set the number."""
        setattr(self.holder, self.name, value)


class Reached:
    """What a function reaches: the places of arrays, every place with what is there, and every list
    and dict with a copy."""

    def __init__(self, function: Any) -> None:
        self.containers: list[tuple[Any, Any]] = []
        self.places: list[tuple[str, Any, Any]] = []
        self.slots = slots(function, np.ndarray, self)

    def draws(self) -> bool:
        """True if a function may make a generator of random numbers."""
        functions = [value for _, _, value in self.places if isinstance(value, FunctionType)]
        own = [f for f in functions if str(f.__module__).partition(".")[0] not in LIBRARIES]
        return any(RANDOM.intersection(_names(function.__code__)) for function in own)

    def unknown(self) -> list[str]:
        """The types of the objects whose contents are not looked through."""
        return sorted({type(value).__name__ for _, _, value in self.places if not _is_known(value)})

    def generators(self) -> list[Any]:
        """The generators of random numbers among what is reached."""
        kinds = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, Random)
        return [value for _, _, value in self.places if isinstance(value, kinds)]

    def fixed(self) -> tuple[list[Link], list[Link], list[tuple[Any, int]]]:
        """What a program depends on besides arrays: the objects, the Python values, and the sizes
        of the lists and dicts."""
        kept = [
            (get, value)
            for _, get, value in self.places
            if not isinstance(get, Gradient | Number) and not isinstance(value, np.ndarray)
        ]
        values = [link for link in kept if type(link[1]) in VALUES]
        objects = [link for link in kept if type(link[1]) not in VALUES]
        sizes = [(container, len(container)) for container, _ in self.containers]
        return objects, values, sizes

    def changed(self) -> list[str]:
        """The names of the places that hold something else now."""
        return [name for name, get, value in self.places if not _holds(get, value)]

    def restore(self) -> None:
        """Give lists and dicts their former entries."""
        for value, before in self.containers:
            if isinstance(value, MutableMapping):
                for key in [key for key in value if key not in before]:
                    del value[key]
                value.update(before)
            else:
                value[:] = before


# Objects without contents that a function could change, or whose contents are looked through
KNOWN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(...),
    slice,
    range,
    np.dtype,
    np.generic,
    np.ufunc,
    Tensor,
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    partial,
    tuple,
    list,
    dict,
    MutableMapping,
    MutableSequence,
    type,
    ModuleType,
    staticmethod,
    classmethod,
    property,
    CodeType,
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    Random,
)


def _is_known(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return type(value) is np.ndarray and not value.dtype.hasobject
    if isinstance(value, KNOWN):
        return True
    kind = type(value)
    slots_ = any(vars(base).get("__slots__") for base in kind.__mro__)
    home = str(kind.__module__).partition(".")[0]
    return (
        hasattr(value, "__dict__")
        and not slots_
        and home not in LIBRARIES - {"nn", "autograd_core"}
    )


def _holds(get: Any, value: Any) -> bool:
    try:
        return get() is value or (type(value) in (int, float, str, bool) and get() == value)
    except (KeyError, IndexError, AttributeError, ValueError):
        return False


def slots(function: Any, kind: type = np.ndarray, reached: Reached | None = None) -> list[Slot]:
    """The places of the arrays (of a type) that can be reached from a function: in its closure,
    defaults and the globals that it reads, in attributes, lists, tuples and dicts, at any depth.
    The array and the gradient of a Tensor are such places, and so are the numbers that an object
    names in `traced_numbers`."""
    found: list[Slot] = []
    seen: dict[int, Any] = {}
    waiting: list[tuple[str, Any, Any]] = [("function", lambda: function, _nowhere)]
    while waiting:
        name, get, put = waiting.pop()
        value = get()
        if reached is not None:
            reached.places.append((name, get, value))
        if _has_array(value, kind) or (kind is np.ndarray and isinstance(get, Gradient | Number)):
            found.append(Slot(name, get, put))
        if type(value) in ATOMS or isinstance(value, np.ndarray | np.generic) or id(value) in seen:
            continue
        seen[id(value)] = value
        if reached is not None and isinstance(value, MutableMapping | MutableSequence):
            reached.containers.append((value, copy(value)))
        if reached is not None and isinstance(own := getattr(value, "__dict__", None), dict):
            reached.containers.append((own, dict(own)))
        waiting += _inside(name, value)
    return found


def _has_array(value: Any, kind: type) -> bool:
    if isinstance(value, tuple):
        return any(_has_array(entry, kind) for entry in value)
    return isinstance(value, kind)


def with_arrays(value: Any, of: Callable[[Any], Any]) -> Any:
    """`value`, an array, a number or a tuple, with ``of(leaf)`` for each array and number."""
    return replaced(value, lambda leaf: of(leaf) if isinstance(leaf, np.ndarray | float) else leaf)


def _inside(name: str, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The places in an object, each with a name."""
    if isinstance(value, Tensor):
        yield name, partial(getattr, value, "_array"), partial(setattr, value, "_array")
        gradient = Gradient(value)
        yield f"grad_{name}", gradient, gradient.put
        yield name, lambda: value.node is not None, _nowhere
        yield name, lambda: hooks_of(value), _nowhere
        yield from _of_attributes(name, value)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
        if str(value.__module__).partition(".")[0] not in LIBRARIES:
            yield from _of_attributes(name, value)
    elif isinstance(value, MethodType):
        yield name, lambda: value.__self__, _nowhere
        yield name, lambda: value.__func__, _nowhere
    elif isinstance(value, partial):
        yield name, lambda: value.func, _nowhere
        yield name, lambda: list(value.args), _nowhere
        yield name, lambda: value.keywords, _nowhere
    elif isinstance(value, tuple):
        for i, entry in enumerate(value):
            yield f"{name}_{i}", lambda entry=entry: entry, _nowhere
    elif isinstance(value, MutableMapping):
        for key in list(value):
            title = str(key) if isinstance(key, str) else name
            yield title, partial(value.__getitem__, key), partial(value.__setitem__, key)
    elif isinstance(value, MutableSequence):
        for i in range(len(value)):
            yield f"{name}_{i}", partial(value.__getitem__, i), partial(value.__setitem__, i)
    elif isinstance(value, staticmethod | classmethod):
        yield name, lambda: value.__func__, _nowhere
    elif isinstance(value, property):
        yield name, lambda: value.fget, _nowhere
    elif isinstance(value, type):
        for key in () if _from_library_class(value) else list(vars(value)):
            if not key.startswith("__") or key == "__call__":
                yield key, partial(vars(value).__getitem__, key), partial(setattr, value, key)
        for base in () if _from_library_class(value) else value.__bases__:
            yield name, lambda base=base: base, _nowhere
    elif not isinstance(value, ModuleType):
        yield from _of_attributes(name, value)
        if not _from_library_class(type(value)):
            yield name, partial(type, value), _nowhere


def hooks_of(tensor: Tensor) -> int:
    """The number of hooks of a Tensor."""
    watch = None if tensor.node is None else tensor.node.watch
    return 0 if watch is None else len(watch.hooks)


def _of_attributes(name: str, value: Any) -> Iterator[tuple[str, Any, Any]]:
    for key in getattr(type(value), "traced_numbers", ()):
        number = Number(value, key)
        yield key, number, number.put
    for key in list(getattr(value, "__dict__", ())):
        own = value.__dict__
        yield key, partial(own.__getitem__, key), partial(own.__setitem__, key)


def _nowhere(value: Any) -> None:
    """For what cannot be replaced."""


def _of_function(function: FunctionType) -> Iterator[tuple[str, Any, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if _is_filled(cell):
            yield (
                name,
                lambda cell=cell: cell.cell_contents,
                partial(setattr, cell, "cell_contents"),
            )
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield "default", lambda default=default: default, _nowhere
    if hasattr(function, "__wrapped__"):
        yield "wrapped", lambda: function.__wrapped__, _nowhere
    if str(function.__module__).partition(".")[0] in LIBRARIES:
        return
    modules, looked = [function.__globals__], [function.__globals__]
    names = set(_names(function.__code__))
    while modules:
        module = modules.pop()
        for name in names & module.keys():
            value = module[name]
            if not isinstance(value, ModuleType):
                yield name, partial(module.__getitem__, name), partial(module.__setitem__, name)
            elif value.__name__.partition(".")[0] not in LIBRARIES and vars(value) not in looked:
                looked.append(vars(value))
                modules.append(vars(value))


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _from_library_class(kind: type) -> bool:
    """True for a class of a library, whose functions use nothing of the user's."""
    return str(kind.__module__).partition(".")[0] in LIBRARIES | {"builtins"}
