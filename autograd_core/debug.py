"""`detect_anomaly`: find the operation that made the first inf or NaN, or an array that was
overwritten behind the library's back. Slow, for the hunt only."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import NonFiniteError, StaleArrayError
from autograd_core.graph import Node, Rule, root_of
from autograd_core.recording import STATE

__all__ = ["detect_anomaly"]


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Inside, the first operation that produces an inf or a NaN, forward or backward, raises
    NonFiniteError with the line of the user's code that called it.

    What the graph keeps is guarded until backward has used it: NumPy arrays are read-only, so the
    line that writes to one raises; arrays on a device are compared, and StaleArrayError follows.

    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 0.0], requires_grad=True)
    >>> with ac.detect_anomaly():
    ...     y = ac.sqrt(x).sum()
    ...     y.backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd_core.errors.NonFiniteError: sqrt (called at ...) gave 'x' a gradient with 1 inf ...
    """
    observer = _Anomaly()
    recording, scope, _ = STATE.get()
    token = STATE.set((recording, scope, observer))
    try:
        with np.errstate(all="ignore"):  # what it would warn of is raised, with more to say
            yield
    finally:
        STATE.reset(token)
        observer.unlock_all()


class _Anomaly:
    def __init__(self) -> None:
        self.lines: dict[int, str] = {}  # by sequence number: where the user called the operation
        self.locks: dict[int, list[Any]] = {}  # by id: array, times saved, was it writable
        self.sums: dict[int, str] = {}  # by id, for arrays that cannot be locked

    def forward(self, node: Node, out: Any) -> None:
        self.lines[node.seq] = _user_line()
        found = _non_finite(out)
        if found:
            raise NonFiniteError(f"{node.name} ({self.lines[node.seq]}) returned {found}")
        for _, _, saved in node.edges():
            for value in saved:
                self._guard(value)

    def backward(self, node: Node, rule: Rule, g: Any, gx: Any) -> None:
        line = self.lines.get(node.seq, "called before detect_anomaly")
        gx, g = (getattr(value, "_data", value) for value in (gx, g))
        found = _non_finite(gx)
        if found:
            raise NonFiniteError(
                f"{node.name} ({line}) gave {rule.operand!r} a gradient with {found}; "
                f"what arrived at it had {_non_finite(g) or 'only finite values'}"
            )
        for parent_rule, saved in ((r, s) for _, r, s in node.edges() if r is rule):
            for name, value in zip(parent_rule.names, saved, strict=True):
                self._release(value, f"{node.name} ({line}) saved {name!r}, which")

    def _guard(self, value: Any) -> None:
        if isinstance(value, np.ndarray):
            for array in {id(a): a for a in (value, root_of(value))}.values():
                lock = self.locks.setdefault(id(array), [array, 0, array.flags.writeable])
                lock[1] += 1
                array.flags.writeable = False
        elif backend.is_array(value):
            self.sums[id(value)] = _checksum(value)

    def _release(self, value: Any, what: str) -> None:
        if isinstance(value, np.ndarray):
            for key in {id(value), id(root_of(value))} & self.locks.keys():
                lock = self.locks[key]
                lock[1] -= 1
                if lock[1] == 0:
                    _unlock(*self.locks.pop(key))
        elif id(value) in self.sums and _checksum(value) != self.sums[id(value)]:
            raise StaleArrayError(f"{what} was overwritten between forward and backward")

    def unlock_all(self) -> None:
        # roots first: a view cannot be made writable before the memory it looks at
        for lock in sorted(self.locks.values(), key=lambda lock: lock[0].base is not None):
            _unlock(*lock)
        self.locks.clear()


def _unlock(array: Any, _: int, writable: bool) -> None:
    if writable and (array.base is None or getattr(root_of(array), "flags", array.flags).writeable):
        array.flags.writeable = True


def _non_finite(values: Any) -> str:
    if values.dtype.kind not in "fc":
        return ""
    infs, nans = int(np.isinf(values).sum()), int(np.isnan(values).sum())
    return f"{infs} inf and {nans} NaN of {values.size} values" if infs or nans else ""


def _checksum(array: Any) -> str:
    return hashlib.sha256(backend.asnumpy(array).tobytes()).hexdigest()


def _user_line() -> str:
    frame = sys._getframe(2)
    inside = ("autograd_core", "nn", "contextlib")
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in inside:
        frame = frame.f_back
    return f"called at {frame.f_code.co_filename}:{frame.f_lineno}"
