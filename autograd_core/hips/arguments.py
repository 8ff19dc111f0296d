"""Replacing entries of a tuple of arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def subvals(x: Iterable[Any], pairs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """The tuple of the entries of x, with the entry at i replaced for each pair (i, value)."""
    entries = list(x)
    for i, value in pairs:
        entries[i] = value
    return tuple(entries)


def subval(x: Iterable[Any], i: int, value: Any) -> tuple[Any, ...]:
    """The tuple of the entries of x, with the entry at i replaced."""
    return subvals(x, [(i, value)])
