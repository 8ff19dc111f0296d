"""A counter of changes to the attributes of modules and optimisers. A compiled program compares it,
and looks at the attributes themselves only if it has changed."""

from __future__ import annotations

from typing import Any


class Versions:
    """`number` counts the changes."""

    number = 0


versions = Versions()


class Versioned:
    """Base class of objects whose attributes are set as usual, and counted."""

    def __setattr__(self, name: str, value: Any) -> None:
        versions.number += 1
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        versions.number += 1
        object.__delattr__(self, name)


__all__ = ["Versioned", "versions"]
