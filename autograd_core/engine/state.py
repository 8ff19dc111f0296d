"""What every operation asks before it records: is it on, in which module, does anyone watch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, ParamSpec

from autograd_core.engine.exits import by_user, note_exit
from autograd_core.engine.scope import Scope

__all__ = [
    "STATE",
    "Observer",
    "enable_grad",
    "hunting",
    "is_recording",
    "module_scope",
    "no_grad",
    "observed",
]

P = ParamSpec("P")


class Observer:
    """Watches what is recorded and what flows back. This one looks at nothing. Where one `hunts`,
    values are checked that nobody reads otherwise, as those on a device."""

    hunts = False

    def forward(self, node: Any, out: Any) -> None:
        """`node` was recorded and holds the array `out`."""

    def arrive(self, node: Any, g: Any) -> None:
        """`g` is all that arrives at `node`: in a moment its rules run, or it is a leaf."""

    def backward(self, node: Any, rule: Any, g: Any, gx: Any) -> None:
        """`rule` of `node` made `gx`, of an operand's shape and dtype, out of `g`."""


# Read once by every operation: (is it recorded, in which scope, who watches). A plain tuple, as
# every call of a module makes one.
State = tuple[bool, Scope | None, Any]
_outermost: State = (True, None, None)
STATE: ContextVar[State] = ContextVar("autograd_core", default=_outermost)


@contextmanager
def module_scope(kind: str) -> Iterator[Scope]:
    """Nodes recorded inside belong to one call of a module of class `kind`."""
    recording, outer, observer = STATE.get()
    scope = Scope(kind, outer)
    token = STATE.set((recording, scope, observer))
    try:
        yield scope
    finally:
        STATE.reset(token)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Inside, `observer` watches; one that did before does so too."""
    recording, scope, before = STATE.get()
    token = STATE.set((recording, scope, observer if before is None else _Both(before, observer)))
    try:
        yield
    finally:
        STATE.reset(token)


class _Both(Observer):
    def __init__(self, first: Observer, second: Observer) -> None:
        self.observers = (first, second)
        self.hunts = first.hunts or second.hunts

    def forward(self, node: Any, out: Any) -> None:
        for observer in self.observers:
            observer.forward(node, out)

    def arrive(self, node: Any, g: Any) -> None:
        for observer in self.observers:
            observer.arrive(node, g)

    def backward(self, node: Any, rule: Any, g: Any, gx: Any) -> None:
        for observer in self.observers:
            observer.backward(node, rule, g, gx)


class _Recording:
    """Recording switched on or off: for a block, again and again, or for a function's calls."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.tokens: list[Any] = []

    def __enter__(self) -> None:
        _, scope, observer = STATE.get()
        if not self.wanted and by_user():
            note_exit("no_grad()", scope=scope)
        self.tokens.append(STATE.set((self.wanted, scope, observer)))

    def __exit__(self, *_: Any) -> None:
        STATE.reset(self.tokens.pop())

    def __call__(self, function: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(function)
        def switched(*args: P.args, **settings: P.kwargs) -> Any:
            with _Recording(self.wanted):
                return function(*args, **settings)

        @wraps(function)
        def resumed(*args: P.args, **settings: P.kwargs) -> Any:
            return (yield from self._steps(function(*args, **settings)))

        @wraps(function)
        async def awaited(*args: P.args, **settings: P.kwargs) -> Any:
            return await _Awaited(self._steps(function(*args, **settings)))

        @wraps(function)
        async def iterated(*args: P.args, **settings: P.kwargs) -> Any:
            running = function(*args, **settings)
            step, given = running.asend, None
            while True:
                try:
                    value = await _Awaited(self._steps(step(given)))
                except StopAsyncIteration:
                    return
                try:
                    step, given = running.asend, (yield value)
                except GeneratorExit:
                    await _Awaited(self._steps(running.aclose()))
                    raise
                except BaseException as error:
                    step, given = running.athrow, error

        if isasyncgenfunction(function):
            return iterated
        if iscoroutinefunction(function):
            return awaited
        return resumed if isgeneratorfunction(function) else switched

    def _steps(self, running: Any) -> Generator[Any, Any, Any]:
        """Run a generator, or a coroutine, between two of its yields with the switch set: what runs
        in between belongs to whoever waits for them."""
        step, given = running.send, None
        while True:
            try:
                with _Recording(self.wanted):
                    value = step(given)
            except StopIteration as end:
                return end.value
            try:
                step, given = running.send, (yield value)
            except GeneratorExit:
                with _Recording(self.wanted):
                    running.close()
                raise
            except BaseException as error:
                step, given = running.throw, error


class _Awaited:
    """An iterator, to be awaited."""

    def __init__(self, steps: Generator[Any, Any, Any]) -> None:
        self.steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.steps


def no_grad() -> Any:
    """A context, or a decorator, in which nothing is recorded."""
    return _Recording(False)


def enable_grad() -> Any:
    """A context, or a decorator, that records again inside `no_grad`."""
    return _Recording(True)


def hunting() -> bool:
    """Whether an observer looks for bad values, as `detect_anomaly` does."""
    observer = STATE.get()[2]
    return observer is not None and observer.hunts


def is_recording() -> bool:
    """Whether operations on tracked Tensors are recorded here and now."""
    return STATE.get()[0]
