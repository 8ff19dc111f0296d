"""Functions with effects outside of the program, such as messages to other processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core.compiling.program import External
from autograd_core.compiling.tracing import ACTIVE


class external:
    """A function of arrays and settings that returns an array, or a tuple with arrays in it. Each
    of its calls in a compiled function is one call of the program: none is left out, joined with
    an equal one or computed before another. The function is called with arrays, and never with
    what records the calls."""

    traced_attributes = ()  # a compiled function depends on none

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.whole = External(function.__name__, self.untraced)

    def __call__(self, *args: Any) -> Any:
        trace = ACTIVE.get()
        if trace is None or trace.is_over():
            return self.function(*args)
        return trace.call(self.whole, args, {})

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
