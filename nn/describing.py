"""Docstrings of classes of one family: the sections that they share are written once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

ORDER = ["Parameters", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes", "References"]
ORDER += ["Examples"]


def like(base: type) -> Callable[[type], type]:
    """A decorator of classes: adds to a docstring those sections of the docstring of `base` that it
    lacks, in the order of numpydoc. Without docstrings (``python -OO``) it does nothing."""

    def described(cls: type) -> type:
        if cls.__doc__ and base.__doc__:
            text, own = _sections(cls)
            found = _sections(base)[1] | own
            cls.__doc__ = "\n\n".join([text, *(found[name] for name in ORDER if name in found)])
        return cls

    return described


def _sections(cls: type) -> tuple[str, dict[str, str]]:
    """The text of a docstring before its sections, and these by their headings."""
    text, *parts = re.split(r"^(?=\w[\w ]*\n---+$)", inspect.getdoc(cls) or "", flags=re.MULTILINE)
    return text.strip(), {part.partition("\n")[0]: part.strip() for part in parts}
