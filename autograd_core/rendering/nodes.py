"""Queries of a recorded graph: its nodes, their saved results, their operands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from autograd_core.engine.graph import Node, Rule
from autograd_core.transforms.joint import Gathered

Edge = tuple[Node, Rule, tuple[Any, ...]]


def edges_of(node: Node) -> Iterator[Edge]:
    """The edges of a node. An edge to a node that gathers the operands of a checkpoint is replaced
    by the edges of that node."""
    for parent, rule, saved in node.edges():
        if isinstance(parent.op, Gathered):
            yield from parent.edges()
        else:
            yield parent, rule, saved


def nearest(root: Node, limit: int) -> tuple[list[Node], bool]:
    """Return the `limit` nodes that are fewest edges away from `root`, and True if there are more
    nodes."""
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
    """The results of operations that the edges of this node saved, as pairs of the operation's node
    number and the array."""
    origins: dict[Any, Node] = {"out": node}
    origins |= {rule.operand: parent for parent, rule, _ in node.edges()}
    for _, rule, saved in node.edges():
        for source, value in zip(rule.sources, saved, strict=True):
            origin = origins.get(source)
            if origin is not None and getattr(value, "shape", None) == origin.shape:
                yield origin.seq, value
