"""Questions to a recorded graph: which nodes, what they returned, where leaves belong."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

from autograd_core.graph import Node
from autograd_core.recording import Scope

__all__ = ["homes", "nearest", "saved_results"]


def nearest(root: Node, limit: int) -> tuple[list[Node], int]:
    """The `limit` nodes that are fewest edges away, and how many there are.

    Operations are in the order they ran, each leaf stands before the first that uses it.
    """
    found = {root.seq: root}
    waiting = deque([root])
    while waiting:
        for parent, _, _ in waiting.popleft().edges():
            if parent.seq not in found:
                found[parent.seq] = parent
                waiting.append(parent)
    kept = dict(itertools.islice(found.items(), limit))
    ordered: dict[int, Node] = {}
    for seq in sorted(kept):
        node = kept[seq]
        if node.op is not None or node is root:
            leaves = (parent for parent, _, _ in node.edges() if parent.op is None)
            ordered |= {leaf.seq: leaf for leaf in leaves if leaf.seq in kept}
            ordered[seq] = node
    return list(ordered.values()), len(found)


def saved_results(nodes: list[Node]) -> dict[int, Any]:
    """What operations returned, where an edge has kept it, by the node's number."""
    results: dict[int, Any] = {}
    for node in nodes:
        origins: dict[Any, Node] = {rule.operand: parent for parent, rule, _ in node.edges()}
        origins["out"] = node
        for _, rule, saved in node.edges():
            for source, value in zip(rule.sources, saved, strict=True):
                origin = origins.get(source)
                if origin is not None and getattr(value, "shape", None) == origin.shape:
                    results[origin.seq] = value
    return results


def homes(nodes: list[Node]) -> dict[int, Scope | None]:
    """By a leaf's number: the innermost scope around everything that uses it."""
    paths: dict[int, list[Scope]] = {}
    for node in nodes:
        path = _path(node.scope)
        for parent, _, _ in node.edges():
            if parent.op is None:
                before = paths.get(parent.seq, path)
                shared = [s for s, t in zip(before, path, strict=False) if s is t]
                paths[parent.seq] = shared
    return {seq: path[-1] if path else None for seq, path in paths.items()}


def _path(scope: Scope | None) -> list[Scope]:
    path = []
    while scope is not None:
        path.append(scope)
        scope = scope.outer
    return path[::-1]
