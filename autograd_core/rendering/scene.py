"""What a drawing shows, before any format: boxes, arrows between them, and nested clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autograd_core.recording import Scope

__all__ = ["Arrow", "Box", "Kind", "Scene"]

Kind = Literal["input", "parameter", "leaf", "operation", "output", "omitted"]


@dataclass(slots=True)
class Box:
    """A Tensor that came in, or an operation and its result. `lines` stand below the title."""

    id: str
    kind: Kind
    title: str
    lines: list[str] = field(default_factory=list)
    tooltip: str = ""
    scope: Scope | None = None  # the cluster it stands in


@dataclass(slots=True)
class Arrow:
    """An operand on its way into an operation. `keeps` says what the edge holds for backward."""

    id: str
    source: str
    target: str
    operand: str = ""
    keeps: str = ""
    tooltip: str = ""


@dataclass(slots=True)
class Scene:
    """Boxes and arrows in the order of the record; `heading` is the drawing's own label."""

    heading: list[str]
    boxes: list[Box]
    arrows: list[Arrow]
    module_names: dict[Scope, str]  # dotted names of the modules behind scopes, where known
