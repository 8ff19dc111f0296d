"""What every operation asks before it records: is it on, in which module, does anyone watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["STATE", "Scope", "enable_grad", "is_recording", "module_scope", "no_grad"]


class Scope:
    """Which module made a node: its class and the call around it. Never the module itself, which
    could keep an activation alive and close a reference ring."""

    __slots__ = ("kind", "outer")

    def __init__(self, kind: str, outer: Scope | None) -> None:
        self.kind = kind
        self.outer = outer


# Read once by every operation: (is it recorded, in which scope, who watches). A plain tuple, as
# every call of a module makes one. An observer has ``forward(node, out)`` and
# ``backward(node, rule, g, gx)``.
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
def _recording(wanted: bool) -> Iterator[None]:
    _, scope, observer = STATE.get()
    token = STATE.set((wanted, scope, observer))
    try:
        yield
    finally:
        STATE.reset(token)


def no_grad() -> Any:
    """A context, or a decorator, in which nothing is recorded."""
    return _recording(False)


def enable_grad() -> Any:
    """A context, or a decorator, that records again inside `no_grad`."""
    return _recording(True)


def is_recording() -> bool:
    """Whether operations on tracked Tensors are recorded here and now."""
    return STATE.get()[0]
