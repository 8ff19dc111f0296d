"""Questions to a recorded graph: which nodes, what they returned, which operands they know."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from autograd_core.engine.graph import Node, Rule
from autograd_core.transforms.joint import Gathered

__all__ = ["Edge", "edges_of", "nearest", "saved_results"]

Edge = tuple[Node, Rule, tuple[Any, ...]]


def edges_of(node: Node) -> Iterator[Edge]:
    """A node's edges. The node that gathers a checkpoint's operands is not a step of its own."""
    for parent, rule, saved in node.edges():
        if isinstance(parent.op, Gathered):
            yield from parent.edges()
        else:
            yield parent, rule, saved


def nearest(root: Node, limit: int) -> tuple[list[Node], bool]:
    """The `limit` nodes that are fewest edges away, and whether there are more."""
    found = {root.seq: root}
    waiting = deque([root])
    while waiting:
        for parent, _, _ in edges_of(waiting.popleft()):
            if parent.seq not in found:
                if len(found) == limit:
                    return list(found.values()), True
                found[parent.seq] = parent
                waiting.append(parent)
    return list(found.values()), False


def saved_results(node: Node) -> Iterator[tuple[int, Any]]:
    """What operations returned, as far as this node's edges have kept it, with their numbers."""
    origins: dict[Any, Node] = {"out": node}
    origins |= {rule.operand: parent for parent, rule, _ in node.edges()}
    for _, rule, saved in node.edges():
        for source, value in zip(rule.sources, saved, strict=True):
            origin = origins.get(source)
            if origin is not None and getattr(value, "shape", None) == origin.shape:
                yield origin.seq, value
