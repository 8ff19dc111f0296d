"""The module call that an operation belongs to."""

from __future__ import annotations


class Scope:
    """The class of a module and the call around it. Never the module itself, which could keep an
    activation alive and create a reference cycle."""

    __slots__ = ("kind", "outer")

    def __init__(self, kind: str, outer: Scope | None) -> None:
        self.kind = kind
        self.outer = outer
