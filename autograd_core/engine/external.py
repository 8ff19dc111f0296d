"""Functions with effects outside of the program, such as messages to other processes.

This module is imported by what declares them, `compile` only when something is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

ACTIVE: ContextVar[Any] = ContextVar("autograd_core tracing", default=None)  # a Trace, or None


class external:
    """A function of arrays and settings that returns an array, or a tuple with arrays in it. Each
    of its calls in a compiled function is one call of the program: none is left out, joined with
    an equal one or computed before another. The function is called with arrays, and never with
    what records the calls."""

    traced_attributes = ()  # a compiled function depends on none

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__

    def __call__(self, *args: Any) -> Any:
        trace = ACTIVE.get()
        if trace is None or trace.is_over():
            return self.function(*args)
        return trace.external(self.name, self.untraced, args)

    def untraced(self, *args: Any) -> Any:
        """Call the function outside of a trace."""
        token = ACTIVE.set(None)
        try:
            return self.function(*args)
        finally:
            ACTIVE.reset(token)


def refuse_tracing(what: str) -> None:
    """End the trace under way, if there is one: a program cannot contain `what`, so the function
    runs plainly."""
    trace = ACTIVE.get()
    if trace is not None and not trace.is_over():
        raise trace.fail(what)
