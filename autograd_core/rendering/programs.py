"""The scene of a compiled program: its calls, in clusters for lines of code and for operations."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.scope import Scope
from autograd_core.errors import GraphError
from autograd_core.rendering.scene import Arrow, Box, Kind, Scene


def scene_of_program(compiled: Any) -> Scene:
    """The scene of the last program of a compiled function."""
    drawn = compiled.drawn()
    if drawn is None:
        raise GraphError("draw: there is no program yet; call the compiled function first")
    scene = Scene([f"{compiled.__name__}: {len(drawn.steps)} calls"], program=True)
    for number, name, text, held in drawn.inputs:
        kind: Kind = "parameter" if held else "input"
        scene.boxes.append(Box(f"n{number}", kind, name, [text] if text else [], number=number))
    section: Scope | None = None
    part: Scope | None = None
    line = ""
    for step in drawn.steps:
        if section is None or (step.line and step.line != line):
            line = step.line or line
            section, part = Scope(line or "program", None), None
        if part is None or part.kind != step.part:
            part = Scope(step.part, section) if step.part else None
        scope = part or section
        box = Box(f"n{step.number}", "operation", step.title, step.lines, step.line, scope,
                  step.title, number=step.number)  # fmt: skip
        scene.boxes.append(box)
        for place, (source, label) in enumerate(step.reads):
            _arrow(scene, f"n{source}", box.id, label, place)
        for name in step.changes:
            out = Box(f"{box.id}_{name}", "output", name, ["is written"], number=step.number)
            scene.boxes.append(out)
            _arrow(scene, box.id, out.id, "", 0)
    for name, number in drawn.outputs:
        out = Box(f"out_{name}", "output", name, ["is returned"], number=1 << 30)
        scene.boxes.append(out)
        _arrow(scene, f"n{number}", out.id, "", 0)
    return scene


def _arrow(scene: Scene, source: str, target: str, label: str, place: int) -> None:
    name = f"e{len(scene.arrows)}"
    scene.arrows.append(Arrow(name, source, target, label, place=place))


__all__ = ["scene_of_program"]
