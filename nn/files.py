"""Writing files completely or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(*paths: Path) -> Iterator[Sequence[Path]]:
    """Paths of temporary files in the folder of `paths`, which is made if it is missing. What is
    written there replaces `paths`, in their order, once all of it is on the disk, also if the
    machine stops; if an error is raised, it is removed."""
    folder = paths[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    parts = [path.with_name(f".{path.name}.{token}.part") for path in paths]
    try:
        yield parts
        for part in parts:
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        for part, path in zip(parts, paths, strict=True):
            os.replace(part, path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    if os.name != "nt":  # Windows cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
