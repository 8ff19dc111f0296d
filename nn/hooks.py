"""Hooks of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class RemovableHandle:
    """Stands for a hook of a module."""

    def __init__(self, module: Any, kind: str, hook: Callable[..., Any]) -> None:
        self.module, self.kind = module, kind
        self.hook = lambda *given: hook(*given)  # another object for each registration
        setattr(module, kind, (*getattr(module, kind), self.hook))

    def remove(self) -> None:
        """Call the hook no more."""
        kept = tuple(hook for hook in getattr(self.module, self.kind) if hook is not self.hook)
        setattr(self.module, self.kind, kept)
