"""A counter of changes to the attributes of modules and optimisers. A compiled program compares it,
and looks at the attributes themselves only if it has changed."""

from __future__ import annotations

from typing import Any, Self


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


class VersionedDict(dict[str, Any]):
    """A dict whose changes are counted."""

    def __setitem__(self, key: str, value: Any) -> None:
        versions.number += 1
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        versions.number += 1
        super().__delitem__(key)

    def update(self, *given: Any, **more: Any) -> None:
        """Set several entries."""
        for key, value in dict(*given, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc,override]
        self.update(other)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The entry of `key`, which is set if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, *args: Any) -> Any:
        """Remove an entry."""
        versions.number += 1
        return super().pop(*args)

    def popitem(self) -> tuple[str, Any]:
        """Remove the last entry."""
        versions.number += 1
        return super().popitem()

    def clear(self) -> None:
        """Remove all entries."""
        versions.number += 1
        super().clear()


__all__ = ["Versioned", "VersionedDict", "versions"]
