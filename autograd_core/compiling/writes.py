"""Which calls may write to one of their arguments."""

from __future__ import annotations

from inspect import signature
from typing import Any

from autograd_core.compiling.arrays import TraceArray
from autograd_core.compiling.program import Method
from autograd_core.devices import backend

# Methods and functions with the number of arguments, after the first, that may be arrays to read
READ = {"dot": 1, "take": 1, "choose": 1, "clip": 2, "compress": 1, "searchsorted": 1, "repeat": 1,
        "__getitem__": 1, "__setitem__": 2, "put": 2, "fill": 1}  # fmt: skip


def may_write(function: Any, args: tuple[Any, ...]) -> bool:
    """True if an array may have been given as `out` by position."""
    if isinstance(function, Method):
        behind = args[1 + READ.get(function.name, 0) :]
        return any(isinstance(arg, TraceArray) or backend.is_data(arg) for arg in behind)
    try:
        parameters = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    places = [
        i for i, p in enumerate(parameters) if p.kind is not p.KEYWORD_ONLY and p.name == "out"
    ]
    return any(len(args) > place and args[place] is not None for place in places)


__all__ = ["may_write"]
