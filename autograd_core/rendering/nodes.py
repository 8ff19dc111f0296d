"""Queries of a recorded graph: its nodes, their saved results, their operands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from autograd_core.engine.graph import Node, Rule
from autograd_core.transforms.joint import Gathered

Edge = tuple[Node, Rule, tuple[Any, ...]]


def edges_of(node: Node) -> Iterator[Edge]:
    """A node's edges; the node that gathers a checkpoint's operands is skipped."""
    for parent, rule, saved in node.edges():
        if isinstance(parent.op, Gathered):
            yield from parent.edges()
        else:
            yield parent, rule, saved


def nearest(root: Node, limit: int) -> tuple[list[Node], bool]:
    """The `limit` nodes nearest to `root`, counted in edges, and whether there are more."""
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
    """The results of operations that this node's edges saved, with the operations' numbers."""
    origins: dict[Any, Node] = {"out": node}
    origins |= {rule.operand: parent for parent, rule, _ in node.edges()}
    for _, rule, saved in node.edges():
        for source, value in zip(rule.sources, saved, strict=True):
            origin = origins.get(source)
            if origin is not None and getattr(value, "shape", None) == origin.shape:
                yield origin.seq, value
