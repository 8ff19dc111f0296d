"""The modules that differ from this package's in their names only. They are imported when they are
first used, as ``autograd_core.hips.scipy`` needs SciPy."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_HERE = f"{__package__}."
# names below autograd_core.hips → modules; a submodule is looked up in its parent's
RENAMED = {
    "numpy.fft": "autograd_core.numpy.fft",
    "numpy.linalg": "autograd_core.numpy.linalg",
    "numpy.random": "autograd_core.numpy.random",
    "scipy": "autograd_core.scipy",
    "scipy.signal": "autograd_core.hips.signal",
    "numpy.numpy_boxes": "autograd_core.hips.boxes",
    "numpy.numpy_wrapper": "autograd_core.numpy",
}


def _real(name: str) -> str | None:
    """The name of the module behind a name below autograd_core.hips; None if there is none."""
    if name in RENAMED:
        return RENAMED[name]
    parent, _, last = name.rpartition(".")
    return f"{real}.{last}" if parent and (real := _real(parent)) else None


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        real = _real(name.removeprefix(_HERE)) if name.startswith(_HERE) else None
        return None if real is None else ModuleSpec(name, self, origin=real, is_package=True)

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
