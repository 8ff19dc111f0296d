"""The module call that an operation belongs to."""

from __future__ import annotations


class Scope:
    """One call of a module: the name of its class, and the scope of the enclosing call. The module
    itself is not referenced, as it could keep an activation alive and create a reference cycle."""

    __slots__ = ("kind", "outer")

    def __init__(self, kind: str, outer: Scope | None) -> None:
        self.kind = kind
        self.outer = outer
