"""What a flow tells about the training: gradients that were not set to zero, the loss at the start,
and the size of the updates."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node
from autograd_core.engine.stamps import stamps
from autograd_core.engine.types import Gradient
from autograd_core.errors import ArgumentError
from autograd_core.rendering.nodes import edges_of
from autograd_core.rendering.statistics import Statistics, measure, resolved


class Arrival(NamedTuple):
    """A leaf in a pass: its value, the gradient that it had before, and the gradient that arrived.
    `known` is True if an earlier pass has added to its gradient, `written` if its value was changed
    since."""

    number: int
    passed: int
    value: Any
    before: Any
    arrived: Any
    known: bool
    written: bool
    trained: bool  # it is a Parameter


class Chance(NamedTuple):
    """The mean cross-entropy of the first pass, and the number of classes."""

    loss: float
    classes: int


class Training:
    """What is recorded of leaves and losses while passes run."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.losses: list[tuple[Any, int]] = []

    def leaf(self, seq: int, passed: int, tensor: Any, value: Any, arrived: Any) -> None:
        """Note the gradient that a leaf has before the pass adds to it."""
        before, watch = tensor._grad, tensor.node.watch
        committed = watch.committed if watch is not None else 0
        changed = max(stamps.find(tensor.data)[0], watch.rebound if watch is not None else 0)
        written, trained = 0 < committed < changed, type(tensor).__name__ == "Parameter"
        if before is not None and not written and passed == 1:
            return  # it tells nothing, and to measure the gradient would take time
        kept = measure(before.data) if before is not None else None
        self.arrivals.append(
            Arrival(seq, passed, value, kept, arrived, committed > 0, written, trained)
        )

    def loss(self, node: Node, g: Gradient) -> None:
        """Note the sums from which the cross-entropy of a log_softmax is computed. Its gradient is
        minus the probabilities of the target, times a factor that is the same for all examples."""
        if node.key != "log_softmax":
            return
        _, rule, kept = next(edges_of(node))
        saved = dict(zip(rule.names, kept, strict=True))
        out, axis = saved.get("out"), saved.get("axis")
        if out is not None and isinstance(axis, int) and out.ndim and out.size:
            found = backend.run_there(out, _sums, out, g)
            self.losses.append((found, out.shape[axis]))

    def carried(self) -> list[int]:
        """The leaves that had a gradient from before a step in a later pass. If gradients of other
        leaves of the pass were set to zero, only those that were so twice in a row: in a pass
        through two networks, the one that is not trained by it may keep its gradient. Writes that
        the library does not see are told by the value, if an earlier pass is in this flow."""
        last: dict[int, Statistics] = {}
        kept_last: dict[int, bool] = {}
        found: dict[int, None] = {}
        for passed in sorted({arrival.passed for arrival in self.arrivals}):
            there = [arrival for arrival in self.arrivals if arrival.passed == passed]
            values = {arrival.number: resolved(arrival.value) for arrival in there}
            seen = values | last
            kept = {
                a.number: a.known and (a.written or seen[a.number] != values[a.number])
                and a.before is not None and resolved(a.before).norm > 0
                for a in there
            }  # fmt: skip
            again = [n for n in kept if kept[n] and kept_last.get(n)]
            if not any(_was_zeroed(a) for a in there) and not _are_new(there, last):
                again = [n for n in kept if kept[n]]
            found |= dict.fromkeys(again)
            kept_last |= kept
            last |= values
        return list(found)

    def chance(self) -> Chance | None:
        """The cross-entropy of the first pass, if it has one."""
        sums = [(backend.asnumpy(found), classes) for found, classes in self.losses]
        classes = {count for _, count in sums}
        if len(classes) != 1 or any(float(row[2]) > 0 for row, _ in sums):
            return None
        total, weights = (sum(float(row[i]) for row, _ in sums) for i in (0, 1))
        if not (weights > 0 and math.isfinite(total)):
            return None
        return Chance(total / weights, classes.pop())


def _was_zeroed(arrival: Arrival) -> bool:
    """True if a leaf that has had a gradient has none."""
    if arrival.before is None:
        return arrival.known
    return bool(resolved(arrival.before).norm == 0 < resolved(arrival.arrived).norm)


def _are_new(arrivals: list[Arrival], last: dict[int, Statistics]) -> bool:
    """True if some of the leaves have had no gradient so far, other than inputs."""
    new = [a for a in arrivals if not (a.known or a.number in last)]
    return any(a.trained for a in new) or bool(new and not any(a.trained for a in arrivals))


def _sums(out: Any, g: Any) -> Any:
    finite = np.where(g == 0, 0, out)  # a class with the probability 0 that is not the target
    wide = finite.astype(np.float64)
    return np.stack([np.sum(g * wide), np.sum(np.abs(g).astype(np.float64)), np.max(g) * 1.0])


def update_sizes(optimizer: Any) -> dict[int, tuple[float, bool]]:
    """(learning rate, whether the optimiser divides gradients by their size) by the number of a
    parameter's leaf."""
    groups = getattr(optimizer, "param_groups", None)
    if optimizer is None or groups is None:
        if optimizer is not None:
            raise ArgumentError(
                f"optimizer must have param_groups, as those of nn.optim have; this is a "
                f"{type(optimizer).__name__}"
            )
        return {}
    return {
        parameter.node.seq: (float(group["lr"]), "eps" in group)
        for group in groups
        for parameter in group["params"]
        if parameter.node is not None
    }


def update_ratio(
    rate: tuple[float, bool] | None, gradient: Statistics | None, value: Statistics | None
) -> float | None:
    """lr · ‖g‖ / ‖w‖; for optimisers such as Adam, which divide each element of the gradient by its
    size, lr · √n / ‖w‖, as each of the n elements moves by about lr."""
    if rate is None or gradient is None or value is None or not value.norm:
        return None
    lr, divided = rate
    moved = math.sqrt(gradient.size) if divided and gradient.norm else gradient.norm
    return lr * moved / value.norm
