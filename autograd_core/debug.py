"""`detect_anomaly` finds the operation that produced the first inf or NaN, and saved arrays that
were overwritten unnoticed. It is slow and meant for debugging."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.exits import user_line
from autograd_core.engine.graph import Node, Parts, Rule
from autograd_core.engine.state import Observer, observed
from autograd_core.engine.types import Array, Gradient
from autograd_core.errors import NonFiniteError, StaleArrayError

__all__ = ["detect_anomaly"]


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """A context manager that raises an error at the first inf or NaN, forward or backward.

    The error names the operation that produced it and the line of the user's code that called the
    operation. The backward pass also checks the saved arrays, for writes that otherwise go
    unnoticed. This is slow and meant for debugging.

    Returns
    -------
    context manager
        For a ``with`` statement.

    Raises
    ------
    NonFiniteError
        In the context, by the first operation whose result or gradient has an inf or a NaN.
    StaleArrayError
        In the context, by a backward pass that needs an array that was overwritten in a way that
        otherwise goes unnoticed, as in ``weight.data[...] = 0``. It names the operation that saved
        the array.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 0.0], requires_grad=True)
    >>> with ac.detect_anomaly():
    ...     y = ac.sqrt(x).sum()
    ...     y.backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd_core.errors.NonFiniteError: sqrt (called at ...) gave 'x' a gradient with 1 inf ...
    """
    # NumPy's warnings are not needed: the errors raised here contain more detail
    with np.errstate(all="ignore"), observed(_Anomaly()):
        yield


class _Anomaly(Observer):
    hunts = True

    def __init__(self) -> None:
        self.lines: dict[int, str] = {}  # sequence number of a node → where it was called
        self.sums: dict[tuple[int, int, str], int] = {}  # (node, edge, name) → checksum

    def forward(self, node: Node, out: Array, operands: tuple[Any, ...]) -> None:
        self.lines[node.seq] = f"called at {user_line()}"
        found = _non_finite(out)
        if found:
            raise NonFiniteError(f"{node.name} ({self.lines[node.seq]}) returned {found}")
        for key, value in _arrays_of(node):
            self.sums[key] = _checksum(value)

    def backward(self, node: Node, rule: Rule, g: Gradient, gx: Gradient) -> None:
        line = self.lines.get(node.seq, "called before detect_anomaly")
        found = _non_finite(gx)
        if found:
            raise NonFiniteError(
                f"{node.name} ({line}) gave {rule.operand!r} a gradient with {found}; "
                f"its incoming gradient had {_non_finite(g) or 'only finite values'}"
            )
        for key, value in _arrays_of(node):
            if self.sums.get(key, _checksum(value)) != _checksum(value):
                raise StaleArrayError(
                    f"{node.name} ({line}) saved {key[2]!r}, which was overwritten between forward "
                    "and backward"
                )


def _arrays_of(node: Node) -> Iterator[tuple[tuple[int, int, str], Any]]:
    """The arrays that a node's edges save, each with a unique key."""
    for place, (_, rule, saved) in enumerate(node.edges()):
        for name, value in zip(rule.names, saved, strict=True):
            if backend.is_array(value):
                yield (node.seq, place, name), value


def _non_finite(values: Any) -> str:
    if isinstance(values, Parts):  # the gradients of an operation with several results
        return " and ".join(filter(None, (_non_finite(v) for v in values if v is not None)))
    values = getattr(values, "_array", values)
    if values.dtype.kind not in "fc":
        return ""
    infs, nans = backend.run_there(values, _counted, values)
    return f"{infs} inf and {nans} NaN of {values.size} values" if infs or nans else ""


def _counted(values: Any) -> tuple[int, int]:
    return int(np.isinf(values).sum()), int(np.isnan(values).sum())


def _checksum(array: Array) -> int:
    return hash(backend.asnumpy(array).tobytes())
