"""Docstrings of families: the sections that a class shares with its base are written once."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import cleandoc

ORDER = ("", "Parameters", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes",
         "References", "Examples")  # fmt: skip


def like(base: type) -> Callable[[type], type]:
    """A decorator of classes that appends to a docstring the sections that only the base has."""

    def completed(kind: type) -> type:
        if kind.__doc__ and base.__doc__:
            found = _sections(base.__doc__)
            found = {**found, "": "", **_sections(kind.__doc__)}
            kind.__doc__ = "\n\n".join(found[title] for title in sorted(found, key=ORDER.index))
        return kind

    return completed


def _sections(doc: str) -> dict[str, str]:
    """The parts of a docstring by title; the text before the sections has the title ``""``."""
    parts = re.split(r"^(?=(\w[\w ]*)\n-{3,}$)", cleandoc(doc), flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], (part.strip() for part in parts[::2]), strict=True))
