"""The nodes between the results of a computation and the Tensors to differentiate with respect
to."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.graph import Node, freed


class Paths:
    """The nodes on the paths from outputs to targets, and to leaves that stand for operands of
    other processes. A backward pass with them visits no others.

    `targets` maps nodes to names. The search stops at nodes older than `oldest` (by default the
    number of the oldest target). If such a node is a target, it receives its gradient but passes
    nothing on; otherwise it is listed in `outside`, because the outputs depend on it, too.
    Raises FreedGraphError if a backward pass has already released a node.
    """

    __slots__ = ("nodes", "oldest", "outside", "wanted")

    def __init__(
        self, outputs: list[Node], targets: dict[Node, Any], oldest: int | None = None
    ) -> None:
        if oldest is None:
            oldest = min((node.seq for node in targets), default=0)
        parents: dict[int, list[int]] = {}
        self.nodes: dict[int, Node] = {}
        self.outside: list[Node] = []
        elsewhere: list[int] = []
        waiting = list(outputs)
        while waiting:
            node = waiting.pop()
            if node.seq in parents:
                continue
            parents[node.seq] = older = []
            if node.seq < oldest:
                if node not in targets:
                    self.outside.append(node)
                continue
            self.nodes[node.seq] = node
            if node.released:
                raise freed(node)
            parent, more = node.parent, node.more
            if parent is None and node.watch is not None and node.watch.always:
                elsewhere.append(node.seq)
            while parent is not None:
                older.append(parent.seq)
                if parent.seq not in parents:
                    waiting.append(parent)
                if more is None:
                    break
                parent, _, _, _, more = more
        self.oldest = oldest
        self.wanted = dict.fromkeys(elsewhere) | {node.seq: name for node, name in targets.items()}
        for seq in sorted(parents):
            if seq not in self.wanted and any(older in self.wanted for older in parents[seq]):
                self.wanted[seq] = None

    def lead_from(self, node: Node) -> bool:
        """True if this node is a target or a path leads from it to a target."""
        return node.seq in self.wanted
