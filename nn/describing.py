"""Docstrings of families of classes and functions: what is common to them is written once."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import cleandoc, signature
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])
ORDER = ("Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples")


def like(base: Callable[..., Any]) -> Callable[[T], T]:
    """Complete the docstring of a class or function with the sections of that of `base` that it
    lacks, and with the parameters that it has in common with `base` and does not describe."""

    def completed(kind: T) -> T:
        if kind.__doc__ and base.__doc__:  # python -OO has none
            own, theirs = _sections(kind.__doc__), _sections(base.__doc__)
            entries = _entries(theirs) | _entries(own)
            found = theirs | own
            named = [entries[name] for name in signature(kind).parameters if name in entries]
            found["Parameters"] = "\n".join(named)
            parts = [f"{title}\n{'-' * len(title)}\n{found[title]}" for title in ORDER
                     if found.get(title)]  # fmt: skip
            kind.__doc__ = "\n\n".join([own[""], *parts])
        return kind

    return completed


def _sections(doc: str) -> dict[str, str]:
    """The text of each section of a docstring; the text before them has the title ''."""
    first, *rest = re.split(r"^(\w[\w ]*)\n-{3,}$", cleandoc(doc), flags=re.MULTILINE)
    parts = {"": first} | dict(zip(rest[::2], rest[1::2], strict=True))
    return {title: text.strip() for title, text in parts.items()}


def _entries(sections: dict[str, str]) -> dict[str, str]:
    """The entries of the section of parameters, by name."""
    entries = re.split(r"\n(?=\S)", sections.get("Parameters", ""))
    return {entry.partition(" :")[0]: entry for entry in entries if entry}
