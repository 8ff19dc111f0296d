"""Random generators: those that objects hold, and their states as plain data."""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.transforms import generators

ATOMS = (bool, int, float, complex, str, bytes, type(None), type, ModuleType, Tensor)


def state_of(generator: Any) -> Any:
    """The state of a generator of NumPy, CuPy or `random`, as dicts, tuples, numbers and arrays."""
    return copy.deepcopy(generators.state_of(_inner(generator)))


def set_state(generator: Any, state: Any) -> None:
    """Restore what `state_of` returned."""
    generators.set_state(_inner(generator), state)


def _inner(generator: Any) -> Any:
    """What has the state of a ``numpy.random`` generator."""
    return getattr(generator, "bit_generator", generator)


def with_state(generator: Any, state: Any) -> Any:
    """A copy of a generator, in the state `state`."""
    made = copy.deepcopy(generator)
    set_state(made, state)
    return made


def reached(*roots: Any) -> list[Any]:
    """The global generators of `random` and ``np.random``, and those in the attributes, containers
    and closures of `roots`, in an order that is the same in every process. Module variables that a
    function reads are left out."""
    shared: list[Any] = [random.random, np.random.random]
    found: list[Any] = [draw.__self__ for draw in shared]
    seen: dict[int, Any] = {id(generator): generator for generator in found}
    waiting = deque(roots)
    while waiting:
        value = waiting.popleft()
        if isinstance(value, ATOMS) or backend.is_array(value) or id(value) in seen:
            continue
        seen[id(value)] = value  # kept alive, so that no id is used again
        if isinstance(value, np.random.Generator):
            waiting.append(value.bit_generator)
        elif isinstance(value, np.random.BitGenerator | np.random.RandomState | random.Random):
            if not isinstance(value, random.SystemRandom):
                found.append(value)
        else:
            waiting.extend(_inside(value))
    return found


def _inside(value: Any) -> list[Any]:
    """What an object refers to."""
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if not _is_empty(cell)]
        return [*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    inner = [*getattr(value, "__dict__", {}).values()]
    if isinstance(value, Mapping):
        return [*inner, *value.values()]
    return [*inner, *value] if isinstance(value, list | tuple | deque) else inner


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is None
    except ValueError:  # a variable that has no value yet
        return True
