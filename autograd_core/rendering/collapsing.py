"""Reduces a large Scene: module calls and repetitions become one box each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autograd_core.engine.scope import Scope
from autograd_core.rendering.loops import keys_of, mark_loops, repetitions
from autograd_core.rendering.scene import SOURCES, Arrow, Box, Kind, Scene, path_of
from autograd_core.rendering.wording import byte_size, counted, shortened

__all__ = ["fitted", "folded"]
DEEP = 4  # levels of nested modules that are tried in turn if a drawing has too many boxes
DENSE = 4  # arrows for each box; a picture with more is folded further
LONG = 4  # loops with more repetitions than this are shortened


def fitted(scene: Scene, limit: int, depth: int | None, whole_loops: bool = False) -> Scene:
    """Reduce `scene` to about `limit` boxes. Modules are folded to `depth`, or as far as necessary
    if `depth` is None; loops (unless they are wanted whole) and repetitions are shortened; then
    operations that follow each other are folded."""
    before = len(scene.boxes)
    mark_loops(scene)
    small = scene if depth is None else folded(scene, depth)
    small = small if whole_loops else shortened_loops(small)
    if len(small.boxes) > limit:
        for tried in _depths(scene) if depth is None else [depth]:
            small = shortened_loops(scene if tried is None else folded(scene, tried))
            small = shortened_repetitions(small)
            if len(small.boxes) <= limit:
                break
        else:
            small = _readable_pieces(small, limit)
    if small is not scene:
        how = "modules, loops and sequences are folded"
        small.heading.append(f"{before:,} boxes in {len(small.boxes):,}: {how}.")
    return small


def _depths(scene: Scene) -> list[int | None]:
    """The depths to try in turn: all modules open, then closed from the innermost outwards."""
    deepest = 0
    for scope in {box.scope for box in scene.boxes}:
        depth, at = 0, scope
        while at is not None and depth < DEEP + 1:
            depth, at = depth + 1, at.outer
        deepest = max(deepest, depth)
    return [None, *range(deepest - 1, -1, -1)]


# ---- calls of modules ----------------------------------------------------------------------------


def folded(scene: Scene, depth: int) -> Scene:
    """Collapse each module call at nesting depth `depth` into one box (depth 0: the outermost
    calls)."""
    around: dict[Scope, tuple[int, Scope | None]] = {}  # (depth, folded into)

    def place(scope: Scope) -> tuple[int, Scope | None]:
        chain = []
        while scope not in around and scope.outer is not None:
            chain.append(scope)
            scope = scope.outer
        if scope not in around:
            around[scope] = 0, scope if depth == 0 else None
        for inner in reversed(chain):
            level, taken = around[scope]
            around[inner] = level + 1, taken or (inner if level + 1 == depth else None)
            scope = inner
        return around[scope]

    groups: dict[Scope, Group] = {}
    taken: dict[str, Group] = {}
    for box in scene.boxes:
        home = place(box.scope)[1] if box.scope is not None else None
        if home is not None:
            name = scene.module_names.get(home, "")
            if home not in groups:
                groups[home] = Group(f"{home.kind} {name}".strip(), home.outer, module=True)
            groups[home].boxes.append(box)
            taken[box.id] = groups[home]
    return _merged(scene, taken) if taken else scene


# ---- loops and repetitions -----------------------------------------------------------------------


def shortened_loops(scene: Scene) -> Scene:
    """Of each long loop, keep the first and the last repetition, and fold the others."""
    last: dict[int, int] = {}
    for box in scene.boxes:
        if box.turn is not None:
            last[box.turn[0]] = max(last.get(box.turn[0], 0), box.turn[1])
    groups: dict[int, Group] = {}
    taken: dict[str, Group] = {}
    for box in scene.boxes:
        loop, turn = box.turn or (0, 0)
        if 0 < turn < last.get(loop, 0) and last[loop] >= LONG:
            if loop not in groups:
                title = f"… {last[loop] - 1:,} times more"
                what = box.scope.kind if box.scope is not None else ""
                groups[loop] = Group(title, _common_scope(scene, loop), what, turn=(loop, 1))
            groups[loop].boxes.append(box)
            taken[box.id] = groups[loop]
    return _merged(scene, _with_inputs(scene, taken)) if taken else scene


def _common_scope(scene: Scene, loop: int) -> Scope | None:
    """The innermost cluster that contains all repetitions of a loop."""
    paths = [path_of(box.scope) for box in scene.boxes if box.turn and box.turn[0] == loop]
    return _innermost(paths)


def _innermost(paths: list[list[Scope]]) -> Scope | None:
    common = paths[0]
    for path in paths[1:]:
        common = [s for s, t in zip(common, path, strict=False) if s is t]
    return common[-1] if common else None


def shortened_repetitions(scene: Scene) -> Scene:
    """Of each repeated sequence of operations, keep the first and the last repetition, and fold the
    others."""
    order = [box for box in scene.boxes if box.kind not in SOURCES]
    taken: dict[str, Group] = {}
    for start, period, times in repetitions(keys_of(order)):
        pattern = ", ".join(box.operation or box.title for box in order[start : start + period])
        middle = order[start + period : start + period * (times - 1)]
        group = Group(f"… {times - 2:,} times more", middle[0].scope, shortened(pattern, 64))
        group.boxes = middle
        taken |= {box.id: group for box in middle}
    return _merged(scene, _with_inputs(scene, taken)) if taken else scene


def _with_inputs(scene: Scene, taken: dict[str, Group]) -> dict[str, Group]:
    """`taken`, with the inputs that are used by one group only, which they join."""
    homes: dict[str, set[Group | None]] = {}
    for arrow in scene.arrows:
        homes.setdefault(arrow.source, set()).add(taken.get(arrow.target))
    for box in scene.boxes:
        home = homes.get(box.id, set())
        if box.kind in SOURCES and len(home) == 1:
            group = next(iter(home))
            if group is not None:
                group.boxes.append(box)
                taken[box.id] = group
    return taken


# ---- pieces --------------------------------------------------------------------------------------


def _readable_pieces(scene: Scene, limit: int) -> Scene:
    pieces = max(1, limit // 2)
    small = in_pieces(scene, limit, pieces)
    while pieces > 8 and len(small.arrows) > DENSE * len(small.boxes):
        pieces //= 2
        small = in_pieces(scene, limit, pieces)
    return small


def in_pieces(scene: Scene, limit: int, pieces: int) -> Scene:
    """Fold operations that follow each other, in pieces of equal numbers, and inputs that are used
    by the same pieces, so that there are at most `limit` boxes if that is possible."""
    order = [box for box in scene.boxes if box.kind not in SOURCES]
    size = -(-len(order) // pieces)
    taken: dict[str, Group] = {}
    for start in range(0, len(order), size):
        piece = [box for box in order[start : start + size] if box.kind not in ("output", "failed")]
        if len(piece) > 1:
            names = dict.fromkeys(box.operation or box.title for box in piece)
            scope = _innermost([path_of(box.scope) for box in piece])
            group = Group(
                counted(len(piece), "box", "boxes"), scope, shortened(", ".join(names), 48)
            )
            group.boxes = piece
            taken |= {box.id: group for box in piece}
    taken = _with_inputs(scene, taken)
    users: dict[str, list[str]] = {}
    for arrow in scene.arrows:
        home = taken.get(arrow.target)
        users.setdefault(arrow.source, []).append(arrow.target if home is None else str(id(home)))
    alike: dict[tuple[str, ...], list[Box]] = {}
    for box in scene.boxes:
        if box.kind in SOURCES and box.id not in taken:
            alike.setdefault(tuple(sorted(set(users.get(box.id, ())))), []).append(box)
    if len(alike) + pieces > limit:  # too many different ones: all inputs in one box
        alike = {(): [box for found in alike.values() for box in found]}
    for found in alike.values():
        if len(found) > 1:
            group = Group(counted(len(found), "input"), None)
            group.boxes = found
            taken |= {box.id: group for box in found}
    return _merged(scene, taken)


# ---- groups --------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Group:
    """Boxes that are drawn as one box."""

    title: str
    scope: Scope | None
    line: str = ""
    boxes: list[Box] = field(default_factory=list)
    module: bool = False  # the call of a module
    turn: tuple[int, int] | None = None
    entering: list[str] = field(default_factory=list)  # shapes of the operands of a module

    def box(self, id_: str, scene: Scene, kept: dict[int, int]) -> Box:
        """The box of the group."""
        operations = [box for box in self.boxes if box.kind not in SOURCES]
        count, numbers = sum(box.count for box in operations), scene.numbers_in(self.boxes)
        parts = [counted(count, "operation")] if count else []
        parts += [counted(numbers, "number")] if numbers else []
        last = max(operations or self.boxes, key=lambda box: box.number)
        kind: Kind = "output" if last.kind == "output" else "group"
        lines = last.lines[:1] if kind == "output" else []
        lines += [self.line] if self.line else []
        if self.module:
            given = ", ".join(dict.fromkeys(self.entering)) or "…"
            lines.append(f"{shortened(given, 30)} → {last.shape or 'scalar'}")
        lines += [", ".join(parts)] if parts else []
        lines += [f"keeps {byte_size(sum(kept.values()))}"] if kept else []
        findings = dict.fromkeys(text for box in self.boxes for text in box.findings)
        turns = {box.turn for box in operations}
        made = Box(id_, kind, self.title, lines, self.title, self.scope, self.title, last.shape)
        made.number, made.gradient, made.findings = last.number, last.gradient, tuple(findings)[:3]
        made.count, made.numbers, made.kept = count, numbers, tuple(kept.items())
        made.turn = self.turn or (turns.pop() if len(turns) == 1 else None)
        return made


def _merged(scene: Scene, taken: dict[str, Group]) -> Scene:
    groups = list(dict.fromkeys(taken.values()))
    ids = {group: f"g-{group.boxes[0].id}" for group in groups}
    kept: dict[Group, dict[int, int]] = {group: {} for group in groups}
    known = {box.id: box for box in scene.boxes}
    arrows: dict[tuple[str, str], Arrow] = {}
    plain: list[Arrow] = []
    for arrow in scene.arrows:
        home, target = taken.get(arrow.source), taken.get(arrow.target)
        if target is not None and arrow.kept:
            kept[target].update(arrow.kept)
        if home is None and target is None:
            plain.append(arrow)
        elif home is not target:
            source = known[arrow.source]
            if target is not None and target.module and source.kind not in ("parameter", "leaf"):
                target.entering.append(str(source.shape or "scalar"))
            ends = ids[home] if home else arrow.source, ids[target] if target else arrow.target
            arrows.setdefault(
                ends, Arrow("", *ends, "", "", f"{ends[0]} to {ends[1]}", (), arrow.gradient)
            )
    boxes = [box for box in scene.boxes if box.id not in taken]
    for group in groups:
        for box in group.boxes:
            if box.kept:
                kept[group].update(box.kept)
        boxes.append(group.box(ids[group], scene, kept[group]))
    heading, arrows_left = list(scene.heading), plain + list(arrows.values())
    merged = replace(scene, heading=heading, boxes=boxes, arrows=arrows_left)
    merged.alarm_boxes = [ids[taken[id_]] if id_ in taken else id_ for id_ in scene.alarm_boxes]
    merged.put_in_order()
    return merged
