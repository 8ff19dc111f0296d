"""The state that every operation reads: whether recording is on, the scope of the current module
call, and the observer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, ParamSpec

from autograd_core.engine.exits import by_user, note_exit
from autograd_core.engine.scope import Scope
from autograd_core.engine.types import Array, Gradient

P = ParamSpec("P")


class Observer:
    """Base class of observers of recording and backward passes; its methods do nothing.

    If `hunts` is true, checks are also made where they are otherwise left out because they are
    slow, such as checks that read values from a device.
    """

    hunts = False

    def forward(self, node: Any, out: Array, operands: tuple[Any, ...]) -> None:
        """Called when `node` has been recorded. `out` is the array of its result, `operands` holds
        arrays and numbers in the order of ``node.op.operands``, for a single result."""

    def arrive(self, node: Any, g: Gradient) -> None:
        """Called with the total gradient `g` of `node`, before the rules of `node` run. `node` may
        be a leaf."""

    def backward(self, node: Any, rule: Any, g: Gradient, gx: Gradient) -> None:
        """Called when `rule`, a rule of `node`, has computed `gx` from `g`. `gx` has the shape and
        dtype of the operand."""


# Read once by every operation: (recording, scope, observer). A plain tuple, because every module
# call creates one.
State = tuple[bool, Scope | None, Any]
_outermost: State = (True, None, None)
STATE: ContextVar[State] = ContextVar("autograd_core", default=_outermost)


@contextmanager
def module_scope(kind: str) -> Iterator[Scope]:
    """A context manager. Nodes recorded in it belong to one call of a module of class `kind`."""
    recording, outer, observer = STATE.get()
    scope = Scope(kind, outer)
    token = STATE.set((recording, scope, observer))
    try:
        yield scope
    finally:
        STATE.reset(token)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """A context manager in which `observer` is called, in addition to any already active."""
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

    def forward(self, node: Any, out: Array, operands: tuple[Any, ...]) -> None:
        for observer in self.observers:
            observer.forward(node, out, operands)

    def arrive(self, node: Any, g: Gradient) -> None:
        for observer in self.observers:
            observer.arrive(node, g)

    def backward(self, node: Any, rule: Any, g: Gradient, gx: Gradient) -> None:
        for observer in self.observers:
            observer.backward(node, rule, g, gx)


class _Recording:
    """A reusable context manager and decorator that switches recording on or off."""

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
        """Run a generator or a coroutine with the switch set only while its own code runs, not
        while it is suspended."""
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
    """Makes an iterator awaitable."""

    def __init__(self, steps: Generator[Any, Any, Any]) -> None:
        self.steps = steps

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.steps


def no_grad() -> Any:
    """A context manager or decorator that switches recording off.

    Operations in it return untracked Tensors, and leaves can be written to. A function that is
    decorated runs with recording off; of a generator or a coroutine, only its own code does.

    Returns
    -------
    context manager
        It can also be applied to a function as a decorator: ``@no_grad()``.

    See Also
    --------
    enable_grad : Switches recording on again.
    is_recording : Whether operations are recorded.

    Examples
    --------
    >>> import autograd_core as ac
    >>> w = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> with ac.no_grad():
    ...     w -= 0.5
    >>> w
    Tensor([0.5, 1.5], requires_grad=True)
    """
    return _Recording(False)


def enable_grad() -> Any:
    """A context manager or decorator that switches recording on again inside `no_grad`.

    Returns
    -------
    context manager
        It can also be applied to a function as a decorator: ``@enable_grad()``.

    See Also
    --------
    no_grad : Switches recording off.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> with ac.no_grad():
    ...     with ac.enable_grad():
    ...         y = x * x
    >>> y.requires_grad
    True
    """
    return _Recording(True)


def hunting() -> bool:
    """True if an observer looks for bad values, as `detect_anomaly` does."""
    observer = STATE.get()[2]
    return observer is not None and observer.hunts


def is_recording() -> bool:
    """True if operations on tracked Tensors are currently recorded.

    Returns
    -------
    bool
        False under `no_grad`.

    Examples
    --------
    >>> import autograd_core as ac
    >>> with ac.no_grad():
    ...     ac.is_recording()
    False
    """
    return STATE.get()[0]
