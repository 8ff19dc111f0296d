"""Faults of individual rules, detected during a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Parts
from autograd_core.engine.state import Observer
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Gradient
from autograd_core.testing.values import host


class RuleObserver(Observer):
    """Checks every rule during the backward pass, by running it twice more."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def backward(self, node: Any, rule: Any, g: Gradient, gx: Gradient) -> None:
        """Run a rule again. Record a fault if it changes its arguments or its earlier result, or if
        it promotes the dtype of the gradient."""
        if isinstance(g, Parts | Tensor) or isinstance(gx, Parts) or not rule.operand:
            return
        saved = next((kept for _, r, kept in node.edges() if r is rule), None)
        if saved is None or not (backend.is_array(g) or isinstance(g, np.generic)):
            return
        name = f"has a fault: the rule of {node.name!r} for {rule.operand!r}"
        before = [np.array(host(a)) for a in (g, *_arrays(saved))]
        first = rule.stacked(g, *saved) if g.ndim > len(node.shape) else rule.function(g, *saved)
        kept = np.array(host(first))
        after = [host(a) for a in (g, *_arrays(saved))]
        if any(
            not np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)
        ):
            self.faults.append(f"{name} writes to its arguments")
        rule.function(backend.as_array(g + g), *saved)
        if not np.array_equal(host(first), kept, equal_nan=True):
            self.faults.append(f"{name} returns one buffer for all calls")
        wanted = np.finfo(g.dtype).eps if g.dtype.kind in "fc" else None
        if wanted is not None and first.dtype.kind in "fc" and np.finfo(first.dtype).eps < wanted:
            self.faults.append(
                f"{name} promotes a {g.dtype} gradient to {first.dtype}. A NumPy scalar "
                "in the rule may be the cause; Python numbers keep the dtype"
            )


def _arrays(saved: Any) -> Iterator[Any]:
    for value in saved:
        if isinstance(value, tuple | list):
            yield from _arrays(value)
        elif backend.is_array(value):
            yield value
