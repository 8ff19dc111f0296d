"""Hooks of modules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(eq=False)
class Hook:
    """A function that a module calls: another object for each registration."""

    function: Callable[..., Any]
    with_kwargs: bool


class RemovableHandle:
    """Stands for a hook of a module. As a context manager, it removes the hook at the end."""

    def __init__(
        self, module: Any, kind: str, function: Callable[..., Any], with_kwargs: bool
    ) -> None:
        self.module, self.kind, self.hook = module, kind, Hook(function, with_kwargs)
        setattr(module, kind, (*getattr(module, kind), self.hook))

    def remove(self) -> None:
        """Call the hook no more."""
        kept = tuple(hook for hook in getattr(self.module, self.kind) if hook is not self.hook)
        setattr(self.module, self.kind, kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
