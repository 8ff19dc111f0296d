"""The titles of boxes in findings."""

from __future__ import annotations

from autograd_core.rendering.measured import Measured
from autograd_core.rendering.scene import SOURCES, Box


def title_of(box: Box, flow: Measured) -> str:
    """The title of a box, followed by the module that contains it."""
    scope = box.scope
    if scope is None or box.kind in SOURCES:
        return box.title
    name = flow.scene.module_names.get(scope, "")
    if not name:  # a module without parameters is located by the module before it
        boxes = {other.id: other for other in flow.scene.boxes}
        before = (boxes[a.source].scope for a in flow.scene.arrows if a.target == box.id)
        names = (
            flow.scene.module_names.get(s) and f"{s.kind} {flow.scene.module_names[s]}"
            for s in before
            if s is not None
        )
        name = next((f"after {known}" for known in names if known), "")
    return f"{box.title} ({scope.kind}{' ' + name if name else ''})"
