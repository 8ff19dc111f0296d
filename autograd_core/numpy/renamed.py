"""Modules under a second name. They are imported when they are first used, and are the same objects
as under their own name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

RENAMED: dict[str, str] = {}  # name → the module's own name, which applies to submodules too


def own_name(name: str) -> str | None:
    """The own name of the module called `name`; None if `name` is not a second name."""
    if name in RENAMED:
        return RENAMED[name]
    parent, _, last = name.rpartition(".")
    own = own_name(parent) if parent else None
    return f"{own}.{last}" if own else None


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        own = own_name(name) if name.startswith("autograd_core.") else None
        return None if own is None else ModuleSpec(name, self, origin=own, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(str(spec.origin))
        spec.loader_state = module.__spec__, getattr(module, "__path__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Undo the import system's changes of the module's attributes."""
        before, path = module.__spec__.loader_state  # type: ignore[union-attr]
        module.__spec__ = before
        if path is not None:
            module.__path__ = path


sys.meta_path.insert(0, _Finder())
