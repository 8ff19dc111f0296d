"""A self-contained HTML page for stepping through the forward and the backward pass."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from autograd_core.engine.scope import Scope
from autograd_core.rendering.layout import placing
from autograd_core.rendering.scale import Scale, in_words
from autograd_core.rendering.scene import SOURCES, Arrow, Box, Scene
from autograd_core.rendering.symbols import symbols_of
from autograd_core.rendering.values import Picture, Values
from autograd_core.rendering.wording import printable


def page(scene: Scene, values: Values | None, title: str, limit: int) -> str:
    """The page as text. `scene` is the result of `Scene.renamed`. `values` are None if no values
    were recorded. Modules start folded as far as necessary to show about `limit` boxes."""
    parts = {
        "title": escape(printable(title)),
        "css": _file("player.css"),
        "js": "".join(_file(name) for name in ("player.js", "layout.js", "controls.js")),
        # the data must not contain the closing tag of their element
        "data": json.dumps(_data(scene, values, limit), ensure_ascii=True).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _file("player.html"))


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _data(scene: Scene, values: Values | None, limit: int) -> dict[str, Any]:
    scopes: dict[Scope, int] = {}
    described: list[dict[str, Any]] = []

    def index(scope: Scope | None) -> int:
        chain = []
        while scope is not None and scope not in scopes:
            chain.append(scope)
            scope = scope.outer
        for inner in reversed(chain):
            name = scene.module_names.get(inner, "")
            outer = -1 if inner.outer is None else scopes[inner.outer]
            scopes[inner] = len(described)
            described.append({"label": printable(f"{inner.kind} {name}".strip()), "outer": outer})
        return -1 if not chain and scope is None else scopes[chain[0] if chain else scope]  # type: ignore[index]

    scale = Scale(scene)
    root = next((box.number for box in scene.boxes if box.kind == "output"), 0)
    symbols = symbols_of(scene, root) if values else {}
    nodes = [_node(box, index(box.scope), scale, values) for box in scene.boxes]
    by_number = {box.number: box.id for box in scene.boxes if box.number}
    boxes = {box.id: box for box in scene.boxes}
    beside = placing(scene).beside
    for node, box in zip(nodes, scene.boxes, strict=True):
        node["beside"] = beside.get(node["id"], [])
        node["symbol"] = printable(symbols.get(box.number, ""))
        node["named"] = not box.operation or " = " in box.title  # the symbol is in the title
    return {
        "alarms": [printable(line) for line in scene.alarms],
        "alarmNodes": [id_ if id_ in boxes else None for id_ in scene.alarm_boxes],
        "heading": [printable(line) for line in scene.heading],
        "nodes": nodes,
        "edges": [_edge(arrow, values, boxes[arrow.target]) for arrow in scene.arrows],
        "scopes": described,
        "forward": [box.id for box in scene.boxes if box.kind not in (*SOURCES, "omitted")],
        "backward": [by_number[seq] for seq in scene.passed if seq in by_number],
        "program": scene.program,
        "root": printable(symbols.get(root, "")),
        "limit": limit,
    }


def _node(box: Box, scope: int, scale: Scale, values: Values | None) -> dict[str, Any]:
    value = values.results.get(box.number) if values and box.kind != "group" else None
    arrived = values.arrived.get(box.number) if values and box.kind != "group" else None
    late = [line for line in box.lines if line.startswith(("gradient ", "‖gradient‖"))]
    lines = [line for line in box.lines if line not in late]
    lines = [line for line in lines if value is None or not line.startswith("value ")]
    late += [in_words(box.gradient)] if box.gradient is not None else []
    return {
        "id": box.id,
        "kind": box.kind,
        "title": printable(box.title),
        "lines": [printable(line) for line in lines],
        "scope": scope,
        "findings": [printable(text) for text in box.findings],
        "value": _picture(value),
        "gradient": _picture(arrived),
        "flow": [printable(line) for line in late],
        "shade": scale.shade(box.gradient) if box.gradient is not None else "",
    }


# (operation, operand) → the rule with matrices, and the operand that it needs; δ is the gradient
# that arrives, W the weight, of shape (out, in)
RULES = {
    ("linear", "x"): ("δx = δ W", "weight"),
    ("linear", "weight"): ("δW = δᵀ x", "x"),
    ("linear", "bias"): ("δb = the sum of the rows of δ", ""),
    ("matmul", "x"): ("δx = δ yᵀ", "y"),
    ("matmul", "y"): ("δy = xᵀ δ", "x"),
}


def _edge(arrow: Arrow, values: Values | None, target: Box) -> dict[str, Any]:
    rule, factor = RULES.get((target.key, arrow.operand), ("", ""))
    crossing = values.crossings.get(arrow.key) if values and arrow.key else None
    return {
        "id": arrow.id,
        "source": arrow.source,
        "target": arrow.target,
        "operand": printable(arrow.operand),
        "keeps": printable(arrow.keeps),
        "kind": crossing.kind if crossing else "",
        "rule": rule,
        "factor": factor,
        "local": _picture(crossing.local) if crossing else None,
        "product": _picture(crossing.product) if crossing else None,
        "flow": in_words(arrow.gradient) if arrow.gradient is not None else "",
        "passed": arrow.gradient is not None or crossing is not None,
    }


def _picture(found: Picture | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "shape": list(found.shape),
        "dtype": found.dtype,
        "whole": found.whole,
        "rows": [[_number(value) for value in row] for row in found.rows],
        "ends": [_number(found.least), _number(found.greatest)],
        "first": [_number(value) for value in found.first or []],
        "images": [[[_number(x) for x in row] for row in image] for image in found.images or []],
    }


def _number(value: Any) -> Any:
    """A number for JSON: inf, NaN and complex numbers are written as strings."""
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value).strip("()")
    return value
