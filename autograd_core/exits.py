"""Where values left the graph lately: without it no drawing could say why a gradient stops.

Nothing is kept alive by it: a few hundred short notes, and weak references to what left.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from autograd_core.stamps import sequence_numbers

if TYPE_CHECKING:
    from autograd_core.recording import Scope

__all__ = ["Exit", "by_user", "exits", "note_exit", "user_line"]

INSIDE = ("autograd_core", "nn", "contextlib")


class Exit:
    """A value that left: `number` lies between those of the operations around it, `source` is the
    operation whose result it was, `line` is the user's, and `array` refers weakly to the value."""

    __slots__ = ("array", "line", "number", "reason", "scope", "source")

    def __init__(self, reason: str, source: str, scope: Scope | None, array: Any) -> None:
        self.number = next(sequence_numbers)
        self.reason, self.source, self.scope = reason, source, scope
        self.line = user_line()
        self.array = array


exits: deque[Exit] = deque(maxlen=256)


def note_exit(reason: str, source: str = "", array: Any = None, scope: Scope | None = None) -> None:
    """Note that a result of the operation `source` leaves the graph here."""
    referable = type(array).__weakrefoffset__ and array is not None
    reference = weakref.ref(array) if referable else None
    exits.append(Exit(reason, source, scope, reference))


def by_user() -> bool:
    """Whether the function that asks was called by code outside the library."""
    frame = sys._getframe(2)
    return frame.f_globals.get("__name__", "").partition(".")[0] not in INSIDE


def user_line() -> str:
    """``file:line`` of the code that called the library."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
