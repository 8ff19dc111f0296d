"""One counter for the recording of operations and for writes to memory through the library, so that
the two can be ordered in time."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from autograd_core.engine.types import Array
from autograd_core.errors import StaleArrayError

sequence_numbers = itertools.count(1)


class _Stamps:
    """When each array's memory was last overwritten through the library.

    `table` maps the id of the array that owns the memory to [weak reference, sequence number,
    name]. `newest` is the greatest sequence number in it: if nothing was overwritten after a node
    was recorded, a backward pass finds that out with one comparison.
    """

    def __init__(self) -> None:
        self.newest = 0
        self.table: dict[int, list[Any]] = {}

    def set(self, written: Iterable[Any]) -> None:
        self.newest = number = next(sequence_numbers)
        for tensor in written:
            self.entry(tensor)[1] = number

    def entry(self, tensor: Any) -> list[Any]:
        array = tensor._array
        root = array if array.base is None else root_of(array)
        known = self.table.get(id(root))
        if known is None or known[0]() is not root:
            reference = weakref.ref(root, partial(_forget, self.table, id(root)))
            known = self.table[id(root)] = [reference, 0, tensor.name]
        return known

    def find(self, array: Array) -> tuple[int, str | None]:
        root = root_of(array)
        known = self.table.get(id(root))
        return (known[1], known[2]) if known is not None and known[0]() is root else (0, None)


def _forget(table: dict[int, Any], key: int, _: Any) -> None:
    table.pop(key, None)


stamps = _Stamps()


def stamp(*tensors: Any) -> None:
    """Note that the memory of these Tensors has just been overwritten. Every write of the library
    calls this; a graph recorded earlier that saved the same memory then raises StaleArrayError."""
    stamps.set(tensors)


def root_of(array: Array) -> Any:
    """The array that owns the memory: the last link of the `.base` chain that is an array."""
    while hasattr(base := getattr(array, "base", None), "base"):
        array = base
    return array


def _arrays_in(saved: Any) -> Iterator[Any]:
    """The arrays in a saved value, which may be an index with arrays in it."""
    if hasattr(saved, "base"):
        yield saved
    elif isinstance(saved, tuple | list):
        for entry in saved:
            yield from _arrays_in(entry)


def refuse_stale(node: Any) -> None:
    """Raise if an array that an edge of a node saved was overwritten after the node was made."""
    for _, rule, saved in node.edges():
        kept = zip(rule.names, saved, strict=True)
        for name, value in ((name, array) for name, held in kept for array in _arrays_in(held)):
            number, tensor_name = stamps.find(value)
            if number > node.seq:
                what = f"{tensor_name!r}, saved as" if tensor_name else "the array saved as"
                raise StaleArrayError(
                    f"{node.name}: the gradient for {rule.operand!r} needs {what} "
                    f"{name!r} (shape {value.shape}), but that memory was overwritten after the "
                    "operation ran. Run backward() before the write, or write to a copy"
                )
