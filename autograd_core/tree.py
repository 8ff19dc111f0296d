"""Arrays in lists, tuples, dicts and dataclasses, nested as one likes.

Whatever is none of these containers (nor None) is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

__all__ = ["filled", "leaves", "mapped"]


def _entries(tree: Any) -> list[tuple[str, Any]] | None:
    """What a container holds, with the text that reaches it; None where `tree` is a leaf."""
    if isinstance(tree, dict):
        return [(f"[{key!r}]", value) for key, value in tree.items()]
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return [(f".{name}", value) for name, value in zip(tree._fields, tree, strict=True)]
    if isinstance(tree, tuple | list):
        return [(f"[{i}]", value) for i, value in enumerate(tree)]
    if hasattr(type(tree), "__dataclass_fields__"):
        return [(f".{name}", getattr(tree, name)) for name in _fields(tree)]
    return [] if tree is None else None


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf, with its path: ``"['layers'][0].weight"``. Dicts in the order of their keys."""
    entries = _entries(tree)
    if entries is None:
        yield path, tree
        return
    for step, value in entries:
        yield from leaves(value, path + step)


def filled(tree: Any, values: Iterator[Any]) -> Any:
    """A tree of the same structure, with the next of `values` for each leaf."""
    entries = _entries(tree)
    if entries is None:
        return next(values)
    found = [filled(value, values) for _, value in entries]
    if tree is None:
        return None
    if isinstance(tree, dict):
        same = copy(tree)  # a subclass keeps what else it has, such as a default
        same.update(zip(tree, found, strict=True))
        return same
    if isinstance(tree, tuple | list):
        return type(tree)(*found) if hasattr(tree, "_fields") else type(tree)(found)
    made = object.__new__(type(tree))
    for name, value in zip(_fields(tree), found, strict=True):
        object.__setattr__(made, name, value)
    return made


def _fields(tree: Any) -> list[str]:
    from dataclasses import fields  # where there is a dataclass, it is imported already

    return [field.name for field in fields(tree)]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of the same structure, with ``function(leaf)`` for each leaf."""
    return filled(tree, (function(leaf) for _, leaf in leaves(tree)))
