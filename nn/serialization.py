"""Weights on disk: NumPy's .npz, without pickle, written atomically."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from nn.files import replaced

__all__ = ["load_state", "save_state"]


def save_state(state: Mapping[str, Any], path: str | Path) -> Path:
    """Write a `state_dict()` to `path`, which must end in .npz. If writing is interrupted, an
    existing file is left unchanged."""
    path = Path(path)
    if path.suffix != ".npz":
        raise ArgumentError(f"weights are saved as .npz; {path.name!r} ends in {path.suffix!r}")
    with replaced(path) as (part,), zipfile.ZipFile(part, "w") as archive:
        for name, array in state.items():  # np.savez(**state) would not allow the name "file"
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
    return path


def load_state(path: str | Path) -> dict[str, Any]:
    """Read a file that `save_state` wrote; return the dict for `load_state_dict`."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
