"""Functions with effects outside of the program, such as messages to other processes.

A compiled function that stops and runs again, as a decision differs, must not repeat them: the
results of the first run are kept, and given to the second.

This module is imported by what declares them, `compile` only when something is compiled.
"""

from __future__ import annotations

from _thread import _local
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from autograd_core.devices import backend

ACTIVE: ContextVar[Any] = ContextVar("autograd_core tracing", default=None)  # a Trace, or None


class Changed(Exception):
    """What an external function returns besides arrays differs from what it returned in the traced
    run."""


class Results(_local):
    """The results of external functions in the compiled call that is under way, in this thread:
    `done` are those of the present run of the function, `left` those of the runs before it that
    were not asked for yet."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Any]] = []
        self.left: list[tuple[str, Any]] = []

    def of(self, name: str, function: Callable[..., Any], args: Any, keep: bool) -> Any:
        """The result of a function, which is called if no earlier run has called it."""
        if self.left:
            before, result = self.left.pop(0)
            if before != name:
                raise RuntimeError(f"{name}: {before} was called in its place before")
        else:
            result = function(*args)
        if keep:
            self.done.append((name, _copied(result)))
        return result

    def begin(self) -> None:
        """A program begins to run."""
        if not self.left:
            self.done.clear()

    def again(self) -> None:
        """The run is over without an effect, and another one begins."""
        self.left, self.done = [*self.done, *self.left], []

    def clear(self) -> None:
        """The call is over."""
        self.left, self.done = [], []


RESULTS = Results()


def _copied(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_copied, result))
    return backend.run_there(result, result.copy) if backend.is_data(result) else result


def _others(result: Any) -> list[Any]:
    """What a result has besides arrays."""
    if isinstance(result, tuple):
        return [other for part in result for other in _others(part)]
    return [] if backend.is_data(result) else [result]


class external:
    """A function of arrays and settings that returns an array, or a tuple of arrays and numbers.
    Each of its calls in a compiled function is one call of the program: none is left out, joined
    with an equal one, computed before another or repeated. The function is called with arrays, and
    never with what records the calls."""

    traced_attributes = ()  # a compiled function depends on none

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__

    def __call__(self, *args: Any) -> Any:
        trace = ACTIVE.get()
        if trace is None or trace.is_over():
            return RESULTS.of(self.name, self.function, args, keep=False)
        return trace.external(self.name, Followed(self), args)


class Followed:
    """An external function as a program calls it."""

    def __init__(self, called: external) -> None:
        self.called = called
        self.others: Any = None  # what it returned besides arrays when it was traced

    def __call__(self, *args: Any) -> Any:
        token = ACTIVE.set(None)
        try:
            result = RESULTS.of(self.called.name, self.called.function, args, keep=True)
        finally:
            ACTIVE.reset(token)
        others = _others(result)
        if self.others is None:
            self.others = others
        elif self.others != others:
            raise Changed(f"{self.called.name} returns {others}, and returned {self.others}")
        return result


def refuse_tracing(what: str) -> None:
    """End the trace under way, if there is one: a program cannot contain `what`, so the function
    runs plainly."""
    trace = ACTIVE.get()
    if trace is not None and not trace.is_over():
        raise trace.fail(what)
