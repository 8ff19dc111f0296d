"""Functions with effects outside of the program, such as messages to other processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from autograd_core.compiling.program import External
from autograd_core.compiling.tracing import ACTIVE


def external(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays and settings that returns an array, or a tuple with arrays in it. Each
    of its calls in a compiled function is one call of the program: none is left out, joined with
    an equal one or computed before another. The function is called with arrays, and never with
    what records the calls."""

    def untraced(*args: Any) -> Any:
        token = ACTIVE.set(None)
        try:
            return function(*args)
        finally:
            ACTIVE.reset(token)

    whole = External(function.__name__, untraced)

    @wraps(function)
    def called(*args: Any) -> Any:
        trace = ACTIVE.get()
        if trace is None or trace.is_over():
            return function(*args)
        return trace.call(whole, args, {})

    return called


def refuse_tracing(what: str) -> None:
    """End the trace under way, if there is one: a program cannot contain `what`, so the function
    runs plainly."""
    trace = ACTIVE.get()
    if trace is not None and not trace.is_over():
        raise trace.fail(what)
