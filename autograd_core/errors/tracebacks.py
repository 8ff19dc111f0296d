"""Short tracebacks: all frames of the user, but only the first and the last frame of the library.

Every public function passes its errors to `shorten`. The functions that run for every operation do
so in a ``try`` statement, which costs no time if nothing is raised; the others are decorated with
`public`.
In a notebook, where each frame takes several lines, errors of the library show frames of the user
only (`rendered`).
With ``AUTOGRAD_CORE_FULL_TRACEBACK=1`` in the environment, tracebacks and causes stay unchanged.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

from autograd_core.errors.alternatives import keyword_hint

P = ParamSpec("P")
R = TypeVar("R")

OURS, LAYERS = "autograd_core", "nn"
ARRAYS = frozenset({OURS, "numpy", "scipy", "cupy", "cupyx"})  # packages that contain no user code


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function so that its tracebacks show at most two frames of the library."""

    @wraps(function)
    def called(*args: P.args, **settings: P.kwargs) -> R:
        try:
            return function(*args, **settings)
        except Exception as error:
            shorten(error)
            raise

    return called


def shorten(error: BaseException) -> None:
    """Remove frames of the library from the traceback of an error and of its causes. Those that are
    followed by a frame of other code are removed; of the others, the first and the last are kept.
    A cause that adds nothing to the message of the error is dropped."""
    if type(error) is TypeError:
        keyword_hint(error)
    if _is_full():
        return
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        at.__traceback__ = _shortened(at.__traceback__)
        before = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if before is not None and _says_nothing_more(before, at):
            at.__cause__ = at.__context__ = before = None
        at = before


def rendered(error: BaseException) -> list[str]:
    """What IPython shows of an error, in its own format and mode: the frames of the user, without
    those of the library and of NumPy. The traceback of the error stays as it is, for ``%debug``."""
    entries = list(_entries(error.__traceback__))
    users = [entry for entry in entries if _package(entry) not in ARRAYS | {LAYERS}]
    kept = entries if _is_full() or len(users) < 2 else users  # the first is IPython's
    shown: TracebackType | None = None
    for entry in reversed(kept):
        shown = TracebackType(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        import traceback

        return traceback.format_exception(type(error), error, shown)
    return shell.InteractiveTB.structured_traceback(type(error), error, shown)  # type: ignore[no-any-return]


def _is_full() -> bool:
    return bool(os.environ.get("AUTOGRAD_CORE_FULL_TRACEBACK"))


def _entries(entry: TracebackType | None) -> Iterator[TracebackType]:
    while entry is not None:
        yield entry
        entry = entry.tb_next


def _package(entry: TracebackType) -> str:
    return str(entry.tb_frame.f_globals.get("__name__", "")).partition(".")[0]


def _only_passes_on(entry: TracebackType) -> bool:
    """True if the frame only calls the next one, so that it is not worth showing."""
    frame = entry.tb_frame
    return frame.f_globals is globals() or frame.f_code.co_name == "_first_call"


def _shortened(traceback: TracebackType | None) -> TracebackType | None:
    entries = list(_entries(traceback))
    ours = [_package(entry) == OURS for entry in entries]
    last = max((i for i, mine in enumerate(ours) if not mine), default=-1)
    kept = [entry for entry, mine in zip(entries, ours, strict=True) if not mine]
    behind = [entry for entry in entries[last + 1 :] if not _only_passes_on(entry)]
    kept += behind[:1] + behind[1:][-1:]
    following = None
    for entry in reversed(kept):
        entry.tb_next, following = following, entry
    return following


def _says_nothing_more(cause: BaseException, error: BaseException) -> bool:
    """True if the cause was not raised by user code and the error's message contains its text."""
    if any(_package(entry) not in ARRAYS for entry in _entries(cause.__traceback__)):
        return False
    return str(cause).strip().lower() in str(error).lower()
