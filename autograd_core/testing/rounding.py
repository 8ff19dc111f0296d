"""What rounding does to a gradient: every number on its way is moved by what rounding can do.

This is Monte Carlo arithmetic (Parker, Pierce and Eggert, "Monte Carlo arithmetic: how to gamble
with floating point and win", 2000): ``g * (1 - out * out)`` near ``out = 1`` is then seen to lose
its digits, although the operands tell nothing about it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.graph import Parts, fit
from autograd_core.recording import Observer
from autograd_core.testing.values import host, wide

__all__ = ["Results", "Rounding", "shaken"]


def shaken(rng: Any, values: Any, more: Any = 0.0, units: int = 2) -> Any:
    """`values`, each moved by some units of its rounding, and by `more`, up or down."""
    signs = rng.choice([-1, 1], values.shape)
    by = units * np.finfo(values.dtype).eps * np.abs(values) + more
    moved = values + signs * by
    return np.asarray(np.where(np.isfinite(moved), moved, values), values.dtype)


class Results(Observer):
    """Keeps what every operation returned."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def forward(self, node: Any, out: Any) -> None:
        self.found.append(np.array(host(out)))


class Rounding(Observer):
    """Moves the result of every operation and of every rule, until `restore` is called.

    Each is moved by some units of its rounding and, in less than double precision, by its distance
    from the same in double precision: for an operation that is `exact`, the results of a run in
    double precision in their order.
    """

    def __init__(self, rng: Any, exact: list[Any], units: int) -> None:
        self.rng, self.units = rng, units
        self.exact = iter(exact)
        self.moved: list[tuple[Any, Any]] = []

    def restore(self) -> None:
        for array, values in reversed(self.moved):
            array[...] = values

    def forward(self, node: Any, out: Any) -> None:
        exact = next(self.exact, None)
        known = exact is not None and exact.shape == out.shape
        if out.base is None:
            self.move(out, np.abs(exact - host(out)) if known else 0.0)

    def backward(self, node: Any, rule: Any, g: Any, gx: Any) -> None:
        if isinstance(g, Parts) or not backend.is_array(gx):
            return
        saved = next((kept for _, r, kept in node.edges() if r is rule), ())
        given = [value for value in (g, *saved) if backend.is_array(value)]
        if not any(np.may_share_memory(host(gx), host(value)) for value in given):
            self.move(gx, self.own(rule, g, gx, saved))

    def own(self, rule: Any, g: Any, gx: Any, saved: Any) -> Any:
        """How far a rule's result is from what the rule gives in double precision."""
        if np.finfo(gx.dtype).eps <= np.finfo(float).eps or not rule.operand:
            return 0.0
        exact = rule.function(_widened(g), *map(_widened, saved))
        return np.abs(host(fit(exact, gx.shape, wide(host(gx)).dtype, 0)) - host(gx))

    def move(self, array: Any, more: Any) -> None:
        whole = array.flags.writeable if isinstance(array, np.ndarray) else array.base is None
        if array.dtype.kind not in "fc" or not whole:
            return
        before = array.copy()
        more = self.units / 2 * np.where(np.isfinite(more), more, 0.0)
        moved = shaken(self.rng, host(array), more, self.units)
        array[...] = backend.asarray(moved, device=backend.device_of(array))
        self.moved.append((array, before))


def _widened(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_widened, value))
    if not backend.is_array(value) or value.dtype.kind not in "fc":
        return value
    return backend.asarray(wide(host(value)), device=backend.device_of(value))
