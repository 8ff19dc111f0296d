"""The contents of a drawing, independent of its format: boxes, arrows, and nested clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from autograd_core.engine.scope import Scope

if TYPE_CHECKING:
    from autograd_core.rendering.statistics import Statistics


Kind = Literal["input", "parameter", "leaf", "operation", "output", "failed", "group", "omitted"]
SOURCES: tuple[Kind, ...] = ("input", "parameter", "leaf")


@dataclass(slots=True)
class Box:
    """An input Tensor, an operation with its result, or a group of these.

    `lines` are printed below the title; `findings` describe problems. `kept` holds pairs of an
    array's number and its bytes, because several edges may save the same array, which is counted
    once. Frequent containers are tuples, because the garbage collector does not track tuples of
    numbers and strings.
    """

    id: str
    kind: Kind
    title: str
    lines: list[str] = field(default_factory=list)
    tooltip: str = ""
    scope: Scope | None = None  # its cluster
    operation: str = ""
    shape: tuple[int, ...] = ()
    number: int = 0  # of the node, in the order of recording; inputs have negative numbers
    gradient: Statistics | None = None  # in a recorded flow
    findings: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()  # of the operation, in the order of its signature
    count: int = 1  # in a group: the number of operations
    numbers: int = 0  # in a group: the number of elements of its leaves
    kept: tuple[tuple[int, int], ...] = ()  # in a group: what its edges save
    stopped: str = ""  # why the gradient stops here, if this input was computed in the graph
    key: str = ""  # the operation's name in the library's tables; empty for a user's operation
    turn: tuple[int, int] | None = None  # (loop, repetition) of an unrolled loop


@dataclass(slots=True)
class Arrow:
    """An operand of an operation. `keeps` says what the edge saves for the backward pass."""

    id: str
    source: str
    target: str
    operand: str = ""
    keeps: str = ""
    tooltip: str = ""
    kept: tuple[tuple[int, int], ...] = ()  # numbers of arrays and their bytes
    gradient: Statistics | None = None  # in a recorded flow
    place: int = 0  # of the operand in the operation's signature
    key: tuple[int, int] | None = None  # the number of the node, and the position among its edges


@dataclass(slots=True)
class Scene:
    """Boxes and arrows in the order of recording; `heading` is the label of the drawing."""

    heading: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    module_names: dict[Scope, str] = field(default_factory=dict)  # dotted names
    flow: bool = False  # True if boxes and arrows have gradients
    passed: list[int] = field(default_factory=list)  # in a flow: nodes, in the pass's order
    program: bool = False  # True if the boxes are the calls of a compiled function
    alarms: list[str] = field(default_factory=list)  # problems, in full sentences
    alarm_boxes: list[str] = field(default_factory=list)  # of each the box's id, or ""

    def operands(self) -> dict[str, list[Arrow]]:
        """The arrows into each box, by the id of the box."""
        found: dict[str, list[Arrow]] = {box.id: [] for box in self.boxes}
        for arrow in self.arrows:
            found[arrow.target].append(arrow)
        for arrows in found.values():
            arrows.sort(key=lambda arrow: arrow.place)
        return found

    def put_in_order(self) -> None:
        """Sort operations in the order in which they ran, and inputs before their first use."""
        sources = {box.id: box for box in self.boxes if box.kind in SOURCES}
        into = self.operands()
        ordered: dict[str, Box] = {}
        operations = (box for box in self.boxes if box.id not in sources)
        for box in sorted(operations, key=lambda box: box.number):
            for arrow in into[box.id]:
                if arrow.source in sources:
                    ordered.setdefault(arrow.source, sources[arrow.source])
            ordered[box.id] = box
        self.boxes = list((ordered | sources).values())
        self.arrows = [arrow for id_ in ordered for arrow in into[id_]]

    def renamed(self) -> Scene:
        """A copy with ids that depend only on positions, so that the same program gives the same
        drawing."""
        ids, counts = {"omitted": "omitted"}, {"i": 0, "n": 0}
        for box in self.boxes:
            letter = "i" if box.kind == "input" else "n"
            if ids.setdefault(box.id, f"{letter}{counts[letter]}") != "omitted":
                counts[letter] += 1
        boxes = [replace(box, id=ids[box.id]) for box in self.boxes]
        arrows = [
            replace(arrow, id=f"e{number}", source=ids[arrow.source], target=ids[arrow.target])
            for number, arrow in enumerate(self.arrows)
        ]
        alarm_boxes = [ids.get(id_, "") for id_ in self.alarm_boxes]
        return replace(self, boxes=boxes, arrows=arrows, alarm_boxes=alarm_boxes)

    def bring_leaves_home(self) -> None:
        """Move each parameter, and each input that joins results of operations, into the innermost
        cluster that contains all its uses."""
        boxes = {box.id: box for box in self.boxes}
        first = {a.target for a in self.arrows if boxes[a.source].kind not in SOURCES}
        alone = {a.source for a in self.arrows if a.target not in first}
        moved = {box.id for box in self.boxes if box.kind == "parameter"}
        moved |= {box.id for box in self.boxes if box.kind == "input"} - alone
        paths: dict[str, list[Scope]] = {}
        for arrow in self.arrows:
            if arrow.source in moved:
                path = path_of(boxes[arrow.target].scope)
                before = paths.get(arrow.source, path)
                paths[arrow.source] = [s for s, t in zip(before, path, strict=False) if s is t]
        for id_, path in paths.items():
            boxes[id_].scope = path[-1] if path else None

    def numbers_in(self, boxes: list[Box]) -> int:
        """The number of elements of the leaves among `boxes`."""
        leaves = [box for box in boxes if box.kind in ("parameter", "leaf")]
        return sum(math.prod(box.shape) for box in leaves) + sum(box.numbers for box in boxes)

    def bytes_kept(self) -> int:
        """The bytes that all edges save for the backward pass, counting each array once."""
        kept: dict[int, int] = {}
        for arrow in self.arrows:
            kept.update(arrow.kept)
        return sum(kept.values())


def path_of(scope: Scope | None) -> list[Scope]:
    """The scopes around a box, outermost first."""
    path = []
    while scope is not None:
        path.append(scope)
        scope = scope.outer
    return path[::-1]
