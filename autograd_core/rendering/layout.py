"""What Graphviz is told about the places of boxes: which arrows point down, and how strictly.

Graphviz puts every box below its operands. A few attributes of arrows keep a picture readable:

* The calls of one module with the same weights, and the repetitions of a loop, stand side by side
  (`Box.turn`): arrows between them do not point down.
* A picture that would be much higher than wide continues in a second column at the top.
* Operations that follow each other form a straight line, and long arrows, such as the shortcut of a
  residual network, go around it. Inputs and parameters with one use stand beside their operation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from autograd_core.engine.scope import Scope
from autograd_core.rendering.metrics import text_width
from autograd_core.rendering.scene import SOURCES, Arrow, Box, Scene, path_of

GAP = 28  # points between two rows
NARROW = 2.0  # a picture that is higher than this times its width continues in another column
SHAPE = 1.1  # height ÷ width that is aimed at then
LEAST = 1000  # points: lower pictures stay one column


class Placing(NamedTuple):
    """The attributes of each arrow, and for operations with inputs beside them these inputs: the
    first stands on the left, the second, to which the arrow is drawn backwards, on the right."""

    attributes: list[str]
    beside: dict[str, list[str]]


def placing(scene: Scene) -> Placing:
    """The places of the boxes of a scene."""
    boxes = {box.id: box for box in scene.boxes}
    beside = _sources_beside(scene, boxes)
    flat = {source: operation for operation, sources in beside.items() for source in sources}
    rows = _rows(scene, boxes, flat)
    columns = _columns(scene, boxes, rows)

    def attributes(arrow: Arrow) -> str:
        source, target = boxes[arrow.source], boxes[arrow.target]
        if columns[source.id] != columns[target.id] or _neighbours(source, target):
            return "constraint=false"
        if source.id in flat:
            return "weight=1" + ", dir=back" * (beside[target.id].index(source.id) > 0)
        on_the_line = rows[target.id] == rows[source.id] + 1 and source.kind not in SOURCES
        return "weight=8" if on_the_line else "weight=1"

    return Placing([attributes(arrow) for arrow in scene.arrows], beside)


def _sources_beside(scene: Scene, boxes: dict[str, Box]) -> dict[str, list[str]]:
    """By operation: its one or two inputs that have no other use and stand in the same cluster. One
    of the operands stands above in any case."""
    uses: dict[str, int] = {}
    for arrow in scene.arrows:
        uses[arrow.source] = uses.get(arrow.source, 0) + 1
    found: dict[str, list[str]] = {}
    for id_, arrows in scene.operands().items():
        own = [
            a.source for a in arrows
            if boxes[a.source].kind in SOURCES and uses[a.source] == 1
            and boxes[a.source].scope is boxes[id_].scope
        ]  # fmt: skip
        if len(own) == len(arrows):
            own = own[1:]
        if own:
            found[id_] = own[:2]
    return found


def _neighbours(source: Box, target: Box) -> bool:
    """True if the boxes are repetitions of each other's neighbours."""
    return (
        source.turn is not None
        and target.turn is not None
        and source.turn[0] == target.turn[0]
        and source.turn[1] != target.turn[1]
    )


def _rows(scene: Scene, boxes: dict[str, Box], flat: dict[str, str]) -> dict[str, int]:
    """The row of each box: below its operands; sources are directly above their first use, or
    beside it."""
    rows: dict[str, int] = {}
    into = scene.operands()
    for box in scene.boxes:
        if box.kind in SOURCES:
            continue
        above = [
            boxes[a.source] for a in into[box.id]
            if a.source not in flat and not _neighbours(boxes[a.source], box)
        ]  # fmt: skip
        rows[box.id] = max((1 + rows.get(source.id, 0) for source in above), default=0)
    for arrow in scene.arrows:
        if boxes[arrow.source].kind in SOURCES:
            row = rows[arrow.target] - (arrow.source not in flat)
            rows[arrow.source] = min(rows.get(arrow.source, row), row)
    return {box.id: max(rows.get(box.id, 0), 0) for box in scene.boxes}


def _columns(scene: Scene, boxes: dict[str, Box], rows: dict[str, int]) -> dict[str, int]:
    """The column of each box; one column unless the picture would be very high."""
    count = 1 + max(rows.values(), default=0)
    heights, widths = [0.0] * count, [0.0] * count
    for box in scene.boxes:
        width, height = _size(box)
        heights[rows[box.id]] = max(heights[rows[box.id]], height + GAP)
        widths[rows[box.id]] += width + GAP
    height, width = sum(heights), max(widths, default=0)
    wanted = round(math.sqrt(height / (SHAPE * width))) if width else 1
    if height < LEAST or height < NARROW * width or wanted < 2:
        return dict.fromkeys(boxes, 0)
    breaks = _breaks(heights, _costs(scene, boxes, rows, count), wanted)
    columns = {box.id: sum(row >= b for b in breaks) for box in scene.boxes
               for row in [rows[box.id]] if box.kind not in SOURCES}  # fmt: skip
    for arrow in scene.arrows:
        if boxes[arrow.source].kind in SOURCES:
            column = columns[arrow.target]
            columns[arrow.source] = min(columns.get(arrow.source, column), column)
    return {box.id: columns.get(box.id, 0) for box in scene.boxes}


def _costs(scene: Scene, boxes: dict[str, Box], rows: dict[str, int], count: int) -> list[int]:
    """What it costs to begin a column at each row: clusters that are torn, arrows that cross."""
    ends: dict[Scope, list[int]] = {}
    changes = [0] * (count + 1)
    for box in scene.boxes:
        for scope in path_of(box.scope):
            ends.setdefault(scope, []).append(rows[box.id])
    spans: Iterable[tuple[int, int, int]] = [
        *((min(found), max(found), 20) for found in ends.values()),
        *((rows[a.source], rows[a.target], 1) for a in scene.arrows
          if boxes[a.source].kind not in SOURCES),
    ]  # fmt: skip
    for first, last, cost in spans:
        if first < last:
            changes[first + 1] += cost
            changes[last + 1] -= cost
    return list(accumulate(changes))[:count]


def _breaks(heights: list[float], costs: list[int], wanted: int) -> list[int]:
    """The first row of each column but the first."""
    tops = [0.0, *accumulate(heights)]
    found: list[int] = []
    for k in range(1, wanted):
        target, room = k * tops[-1] / wanted, tops[-1] / wanted / 3
        near = [r for r in range(1, len(heights)) if abs(tops[r] - target) <= room]
        if near:
            found.append(min(near, key=lambda r: (costs[r], abs(tops[r] - target))))
    return found


def _size(box: Box) -> tuple[float, float]:
    """About the width and the height of a box in points."""
    lines = [*box.lines, *box.findings]
    width = max(text_width(box.title, 12, True), *(text_width(line, 9) for line in lines), 0)
    return width + 24, 30 + 13 * len(lines)
