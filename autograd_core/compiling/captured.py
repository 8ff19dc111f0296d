"""The arrays that a function reaches without taking them as arguments, and where they are kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from copy import copy
from functools import partial
from operator import is_not
from random import Random
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from autograd_core.compiling.codes import globals_of, names_in
from autograd_core.compiling.draws import GENERATORS
from autograd_core.compiling.known import from_library_class, is_known
from autograd_core.compiling.places import (
    VALUES,
    Fixed,
    Gradient,
    Kind,
    Number,
    NumberOfTuple,
    Place,
    Tracked,
    same,
)
from autograd_core.compiling.program import replaced
from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.versions import Versioned, VersionedDict
from autograd_core.transforms.generators import ATOMS, LIBRARIES

FUNCTIONS = (FunctionType, property, staticmethod, classmethod)  # in a class
# Names in the code of a function that makes random numbers of its own
RANDOM = frozenset({"default_rng", "RandomState", "Generator"})


class Slot:
    """A place that holds an array, a number that may change, or a tuple that contains arrays."""

    __slots__ = ("name", "place", "value")

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place
        self.value = place.get()

    def get(self) -> Any:
        """What is there."""
        return self.place.get()

    def set(self, value: Any) -> None:
        """Replace it."""
        self.place.put(value)

    @property
    def tensor(self) -> Tensor | None:
        """The Tensor whose array this is."""
        return self.place.tensor


class Reached:
    """What a function reaches: the places of arrays, every place with what is there, and every list
    and dict with a copy."""

    def __init__(self, function: Any, kinds: Iterable[type] = ()) -> None:
        self.containers: list[tuple[Any, Any]] = []
        self.own: set[int] = set()  # ids of the dicts of objects
        self.versioned: set[int] = set()  # and of objects whose changes are counted
        self.kinds: list[tuple[type, int]] = []  # classes, and the number of their entries
        self.places: list[tuple[str, Place, Any]] = []
        self.slots = slots((function, *kinds), backend.is_data, self)

    def draws(self) -> bool:
        """True if a function may make a generator of random numbers. The `__init__` of a class of
        which only instances are reached is not called."""
        called = [
            value
            for name, place, value in self.places
            if isinstance(value, type) and name and not isinstance(place, Kind | _Base)
        ]
        functions = [
            value for _, place, value in self.places
            if isinstance(value, FunctionType)
            and not (isinstance(place, _OfClass) and place.key == "__init__"
                     and not any(issubclass(kind, place.kind) for kind in called))
        ]  # fmt: skip
        own = [f for f in functions if str(f.__module__).partition(".")[0] not in LIBRARIES]
        return any(RANDOM.intersection(names_in(function.__code__)) for function in own)

    def unknown(self) -> list[str]:
        """The types of the objects whose contents are not looked through."""
        return sorted({type(value).__name__ for _, _, value in self.places if not is_known(value)})

    def generators(self) -> list[Any]:
        """The generators of random numbers among what is reached."""
        kinds = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, Random)
        return [value for _, _, value in self.places if isinstance(value, kinds)]

    def recorded(self) -> list[str]:
        """The names of the Tensors with a graph."""
        return [name for name, place, value in self.places
                if isinstance(place, Tracked) and value[2]]  # fmt: skip

    def hooked(self) -> bool:
        """True if there is a Tensor with a hook."""
        return any(value[1] for _, place, value in self.places if isinstance(place, Tracked))

    def fixed(self) -> list[tuple[Place, Any]]:
        """The places and their values that a program depends on, besides arrays."""
        return [
            (place, value)
            for _, place, value in self.places
            if not isinstance(place, Gradient | Fixed)
            and not backend.is_data(value)
            and not (isinstance(place, Number) and _varies(value))
        ]

    def changed(self) -> list[str]:
        """The names of the places that hold something else now."""
        return [name for name, place, value in self.places if not _holds(place, value)]

    def restore(self) -> None:
        """Give lists and dicts their former entries, and other places what they held."""
        for value, before in self.containers:
            if isinstance(value, MutableMapping):
                for key in [key for key in value if key not in before]:
                    del value[key]
                value.update(before)
            elif len(value) != len(before) or any(map(is_not, value, before)):
                value.clear()
                value.extend(before)
        for _, place, value in self.places:
            if not isinstance(place, Fixed | Tracked | Gradient) and not _holds(place, value):
                place.put(value)


def _holds(place: Place, value: Any) -> bool:
    try:
        found = place.get()
    except (KeyError, IndexError, AttributeError, ValueError):
        return False
    return found is value or (type(value) in (*VALUES, tuple) and same(found, value))


def slots(
    starts: tuple[Any, ...],
    wanted: Callable[[Any], bool] = backend.is_data,
    reached: Reached | None = None,
) -> list[Slot]:
    """The places of the arrays (or of what is `wanted`) that can be reached from functions: in a
    closure, defaults and the globals that it reads, in attributes, lists, tuples and dicts, at any
    depth.
    The array and the gradient of a Tensor are such places, and so are the numbers that an object
    names in `traced_numbers`."""
    found: list[Slot] = []
    seen: dict[int, Any] = {}
    names: dict[Tensor, tuple[str, Any]] = {}
    waiting: list[tuple[str, Place]] = [("", Fixed(start)) for start in reversed(starts)]
    while waiting:
        name, place = waiting.pop()
        value = place.get()
        if isinstance(value, Tensor) and (value not in names or type(names[value][1]) is int):
            names[value] = value.name or name, place.key
        if reached is not None:
            reached.places.append((name, place, value))
        if isinstance(place, Tracked):
            continue
        if _has_array(value, wanted) or isinstance(place, Gradient) or (
            isinstance(place, Number) and _varies(value)
        ):  # fmt: skip
            found.append(Slot(name, place))
        if type(value) in ATOMS or isinstance(value, np.generic) or backend.is_data(value):
            continue
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if reached is not None and isinstance(value, MutableMapping | MutableSequence):
            reached.containers.append((value, copy(value)))
            if isinstance(value, VersionedDict):
                reached.versioned.add(id(value))
        if reached is not None and isinstance(value, type) and not from_library_class(value):
            reached.kinds.append((value, len(vars(value))))
        partly = _kept(value) is not None
        if reached is not None and not partly and (
            isinstance(own := getattr(value, "__dict__", None), dict)
        ):  # fmt: skip
            reached.containers.append((own, dict(own)))
            reached.own.add(id(own))
            if isinstance(value, Versioned):
                reached.versioned.add(id(own))
        waiting += _inside(name, value)
    for slot in found:  # an entry of a list, such as those of an optimiser, has a better name
        tensor = slot.place.holder
        if isinstance(tensor, Tensor) and slot.place.key in ("_array", "_grad"):
            slot.name = "grad_" * (slot.place.key == "_grad") + names[tensor][0]
    return found


def _has_array(value: Any, wanted: Callable[[Any], bool]) -> bool:
    if isinstance(value, tuple):
        return any(_has_array(entry, wanted) for entry in value)
    return wanted(value) or isinstance(value, GENERATORS)


def _varies(number: Any) -> bool:
    """True for a number that is an argument of a program. With 0, a method is another one."""
    return type(number) is float and number != 0


def with_arrays(value: Any, of: Callable[[Any], Any]) -> Any:
    """`value`, an array, a generator, a number or a tuple, with ``of(leaf)`` for it, or for each
    array and generator in it."""
    if type(value) is float:
        return of(value)
    return replaced(
        value,
        lambda leaf: of(leaf) if backend.is_data(leaf) or isinstance(leaf, GENERATORS) else leaf,
    )


def _inside(name: str, value: Any) -> Iterator[tuple[str, Place]]:
    """The places in an object, each with a name."""
    if isinstance(value, Tensor):
        title = value.name or name
        yield title, Place(value, "_array", attribute=True)
        yield f"grad_{title}", Gradient(value)
        yield name, Tracked(value)
        yield from _of_attributes(name, value)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
        if str(value.__module__).partition(".")[0] not in LIBRARIES:
            yield name, Place(value, "__code__", attribute=True)
            yield from _of_attributes("", value)
    elif isinstance(value, MethodType):
        yield name, Fixed(value.__self__)
        yield name, Fixed(value.__func__)
    elif isinstance(value, BuiltinFunctionType):
        if isinstance(value.__self__, MutableMapping | MutableSequence):
            yield name, Fixed(value.__self__)
    elif isinstance(value, partial):
        yield name, Fixed(value.func)
        yield name, _Arguments(value)
        yield name, Fixed(value.keywords)
    elif isinstance(value, tuple):
        yield from _of_subclass(name, value)
        yield from ((f"{name}_{i}", Fixed(entry)) for i, entry in enumerate(value))
    elif isinstance(value, MutableMapping):
        counted, numbers = isinstance(value, VersionedDict), _numbers_of(value)
        yield from _of_subclass(name, value)
        for key in list(value):
            title = str(key) if isinstance(key, str) else name
            if key not in numbers:
                yield title, Place(value, key, versioned=counted)
            elif isinstance(value[key], tuple):
                for i in range(len(value[key])):
                    yield f"{title}_{i}", NumberOfTuple(value, key, i, counted)
            else:
                yield title, Number(value, key, attribute=False, versioned=counted)
    elif isinstance(value, MutableSequence):
        yield from _of_subclass(name, value)
        yield from ((f"{name}_{i}", Place(value, i)) for i in range(len(value)))
    elif isinstance(value, staticmethod | classmethod):
        yield name, Fixed(value.__func__)
    elif isinstance(value, property):
        yield from ((name, Fixed(f)) for f in (value.fget, value.fset, value.fdel))
    elif isinstance(value, type):
        for key in () if from_library_class(value) else list(vars(value)):
            if key != "__repr__" and (
                not key.startswith("__") or isinstance(vars(value)[key], FUNCTIONS)
            ):
                yield key, _OfClass(value, key)
        for base in () if from_library_class(value) else value.__bases__:
            yield name, _Base(base)
    elif not isinstance(value, ModuleType):
        yield from _of_subclass(name, value)


def _of_subclass(name: str, value: Any) -> Iterator[tuple[str, Place]]:
    """The attributes of an object, and its class if that is the user's."""
    yield from _of_attributes(name, value)
    if not from_library_class(type(value)):
        yield name, Kind(value, isinstance(value, Versioned))


class _Arguments(Place):
    """The positional arguments of a partial function, a tuple."""

    def __init__(self, bound: Any) -> None:
        super().__init__(bound, "args", attribute=True)

    def put(self, value: Any) -> None:
        """Set them."""
        bound = self.holder
        bound.__setstate__((bound.func, value, bound.keywords, vars(bound)))


class _Base(Fixed):
    """A base of a class."""


class _OfClass(Place):
    """An entry of a class."""

    def __init__(self, kind: type, key: str) -> None:
        super().__init__(vars(kind), key)
        self.kind = kind

    def put(self, value: Any) -> None:
        """Set it."""
        setattr(self.kind, self.key, value)


def _of_attributes(name: str, value: Any) -> Iterator[tuple[str, Place]]:
    counted = isinstance(value, Versioned)
    for key in () if isinstance(value, MutableMapping) else _numbers_of(value):
        yield key, Number(value, key, versioned=counted)
    outer, _, last = name.rpartition("_")
    kept = _kept(value)
    for key in list(getattr(value, "__dict__", ())) if kept is None else kept:
        if key in _numbers_of(value):
            continue
        title = key
        if name and _is_named(value.__dict__[key]):
            title = f"{key}_{last}" if outer and last.isdigit() else f"{name}_{key}"
        yield title, Place(value.__dict__, key, versioned=counted)


def _numbers_of(value: Any) -> tuple[str, ...]:
    """The names of the floats in an object that are inputs of a program."""
    return getattr(type(value), "traced_numbers", ())


def _kept(value: Any) -> tuple[str, ...] | None:
    """The names of the attributes that matter, if the class of the library says so. A class of the
    user that is derived from it may add others."""
    for kind in type(value).__mro__:
        if "traced_attributes" in vars(kind):
            return vars(kind)["traced_attributes"]  # type: ignore[no-any-return]
        if not from_library_class(kind):
            break
    return None


def _is_named(value: Any) -> bool:
    return isinstance(value, Tensor) or backend.is_data(value)


def _of_function(function: FunctionType) -> Iterator[tuple[str, Place]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if _is_filled(cell):
            yield name, Place(cell, "cell_contents", attribute=True)
    if function.__defaults__:
        yield "default", Place(function, "__defaults__", attribute=True)
    if function.__kwdefaults__:
        yield "default", Place(function, "__kwdefaults__", attribute=True)
    if hasattr(function, "__wrapped__"):
        yield "", Place(function, "__wrapped__", attribute=True)
    if str(function.__module__).partition(".")[0] in LIBRARIES:
        return
    names = set(names_in(function.__code__))
    modules, looked = [function.__globals__], [function.__globals__]
    held = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    held += [sys.modules[name] for name in sorted(names & sys.modules.keys())]  # imported inside
    for module in held:
        if isinstance(module, ModuleType) and module.__name__.partition(".")[0] not in LIBRARIES:
            yield from ((n, Place(vars(module), n)) for n in sorted(names & vars(module).keys())
                        if not isinstance(vars(module)[n], ModuleType))  # fmt: skip
    wanted = set(globals_of(function.__code__))
    while modules:
        module = modules.pop()
        for name in sorted(wanted & module.keys()):
            value = module[name]
            if not isinstance(value, ModuleType):
                yield name, Place(module, name)
            elif value.__name__.partition(".")[0] not in LIBRARIES and vars(value) not in looked:
                looked.append(vars(value))
                modules.append(vars(value))
        wanted = names  # of a module, its attributes with names that occur in the code


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
