"""Parameters where they are not found: in sets and in objects that are neither modules nor
dataclasses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, MutableSequence, Set
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd_core import Tensor

MOST = 1000  # objects that are looked at
PLAIN = (str, bytes, bytearray, int, float, complex, type(None), type, np.generic, np.dtype,
         ModuleType, FunctionType, MethodType)  # fmt: skip


def held(holder: Any, kinds: tuple[type, ...]) -> Iterator[Any]:
    """The objects of these kinds in `holder`, at any depth, of up to a thousand objects."""
    seen: set[int] = set()
    waiting = [holder]
    while waiting and len(seen) < MOST:
        value = waiting.pop()
        if isinstance(value, kinds):
            yield value
        elif not isinstance(value, (*PLAIN, Tensor)) and id(value) not in seen:
            seen.add(id(value))
            waiting += _inside(value)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return list(value.flat)[:MOST] if value.dtype.hasobject else []
    if isinstance(value, Mapping):
        return list(value.values())[:MOST]
    if isinstance(value, tuple | MutableSequence | Set | deque):
        return list(value)[:MOST]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    slots = (vars(kind).get("__slots__", ()) for kind in type(value).__mro__)
    names = [n for some in slots for n in ((some,) if isinstance(some, str) else some)]
    entries = [getattr(value, name, None) for name in names if isinstance(name, str)]
    own = getattr(value, "__dict__", None)
    return entries + (list(own.values()) if isinstance(own, dict) else [])
