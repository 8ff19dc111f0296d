"""Reduces a large Scene: module calls and repetitions become one box each."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograd_core.engine.scope import Scope
from autograd_core.rendering.scene import SOURCES, Arrow, Box, Kind, Scene
from autograd_core.rendering.wording import byte_size, counted, shortened

__all__ = ["fitted", "folded", "repetitions"]
DEEP = 4  # levels of nested modules that are tried in turn if a drawing has too many boxes
PERIOD = 64  # the longest pattern of operations that is searched for


def fitted(scene: Scene, limit: int, depth: int | None) -> Scene:
    """Reduce `scene` to at most `limit` boxes. Modules are folded to `depth`, or as far as
    necessary if `depth` is None."""
    before = len(scene.boxes)
    small = scene if depth is None else folded(scene, depth)
    if len(small.boxes) > limit:
        for tried in _depths(scene) if depth is None else [depth]:
            small = shortened_repetitions(scene if tried is None else folded(scene, tried))
            if len(small.boxes) <= limit:
                break
    if small is not scene:
        how = "calls of modules and repetitions are folded"
        small.heading.append(f"{before:,} boxes in {len(small.boxes):,}: {how}.")
    return nearest_boxes(small, limit) if len(small.boxes) > limit else small


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
            group = groups.setdefault(home, Group(f"{home.kind} {name}".strip(), home.outer))
            group.boxes.append(box)
            taken[box.id] = group
    return _merged(scene, taken)


# ---- repetitions ---------------------------------------------------------------------------------


def shortened_repetitions(scene: Scene) -> Scene:
    """Of each repeated sequence of operations, keep the first and the last repetition, and fold the
    others."""
    order = [box for box in scene.boxes if box.kind not in SOURCES]
    keys = [(box.operation or box.title, box.shape, box.scope) for box in order]
    users: dict[str, set[str]] = {}
    for arrow in scene.arrows:
        users.setdefault(arrow.source, set()).add(arrow.target)
    taken: dict[str, Group] = {}
    for start, period, times in repetitions(keys):
        pattern = ", ".join(box.operation or box.title for box in order[start : start + period])
        middle = order[start + period : start + period * (times - 1)]
        group = Group(f"… {times - 2:,} times more", middle[0].scope, shortened(pattern, 64))
        group.boxes = middle
        taken |= {box.id: group for box in middle}
    for box in scene.boxes:  # inputs that are used by one group only
        if box.kind in SOURCES:
            homes = {taken.get(user) for user in users.get(box.id, ())}
            home = homes.pop() if len(homes) == 1 else None
            if home is not None:
                home.boxes.append(box)
                taken[box.id] = home
    return _merged(scene, taken) if taken else scene


def repetitions(keys: Sequence[Hashable]) -> Iterator[tuple[int, int, int]]:
    """(start, period, times) of every sequence that occurs at least four times in a row."""
    numbers: dict[Hashable, int] = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
    free = np.ones(len(codes), dtype=bool)
    for period in range(1, min(PERIOD, len(codes) // 4) + 1):
        same = (codes[period:] == codes[:-period]) & free[period:] & free[:-period]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
        for start, end in edges.reshape(-1, 2).tolist():
            times = (end - start) // period + 1
            if times >= 4:
                yield start, period, times
                free[start : start + period * times] = False


# ---- groups --------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Group:
    """Boxes that are drawn as one box."""

    title: str
    scope: Scope | None
    line: str = ""
    boxes: list[Box] = field(default_factory=list)

    def box(self, id_: str, scene: Scene, kept: dict[int, int]) -> Box:
        """The box of the group."""
        operations = [box for box in self.boxes if box.kind not in SOURCES]
        count, numbers = sum(box.count for box in operations), scene.numbers_in(self.boxes)
        what = counted(count, "operation") + (f", {counted(numbers, 'number')}" if numbers else "")
        lines = [self.line, what] if self.line else [what]
        lines += [f"keeps {byte_size(sum(kept.values()))}"] if kept else []
        last = max(operations or self.boxes, key=lambda box: box.number)
        kind: Kind = "output" if last.kind == "output" else "group"
        lines[:0] = last.lines[:1] if kind == "output" else []
        findings = dict.fromkeys(text for box in self.boxes for text in box.findings)
        return Box(
            id_,
            kind,
            self.title,
            lines,
            self.title,
            self.scope,
            self.title,
            last.shape,
            last.number,
            last.gradient,
            tuple(findings)[:3],
            count=count,
            numbers=numbers,
            kept=tuple(kept.items()),
        )


def _merged(scene: Scene, taken: dict[str, Group]) -> Scene:
    groups = list(dict.fromkeys(taken.values()))
    ids = {group: f"g-{group.boxes[0].id}" for group in groups}
    kept: dict[Group, dict[int, int]] = {group: {} for group in groups}
    arrows: dict[tuple[str, str], Arrow] = {}
    plain: list[Arrow] = []
    for arrow in scene.arrows:
        home, target = taken.get(arrow.source), taken.get(arrow.target)
        if target is not None:
            kept[target].update(arrow.kept)
        if home is None and target is None:
            plain.append(arrow)
        elif home is not target:
            ends = ids[home] if home else arrow.source, ids[target] if target else arrow.target
            arrows.setdefault(
                ends, Arrow("", *ends, "", "", f"{ends[0]} to {ends[1]}", (), arrow.gradient)
            )
    boxes = [box for box in scene.boxes if box.id not in taken]
    for group in groups:
        for box in group.boxes:
            kept[group].update(box.kept)
        boxes.append(group.box(ids[group], scene, kept[group]))
    merged = Scene(list(scene.heading), boxes, plain + list(arrows.values()))
    merged.module_names, merged.flow = scene.module_names, scene.flow
    merged.alarms = scene.alarms
    merged.put_in_order()
    return merged


def nearest_boxes(scene: Scene, limit: int) -> Scene:
    """The `limit` boxes that are fewest arrows away from the output."""
    into = scene.operands()
    kept = dict.fromkeys(box.id for box in scene.boxes if box.kind in ("output", "failed"))
    waiting = list(kept)
    for id_ in waiting:  # grows during the loop
        for arrow in into[id_]:
            if arrow.source not in kept and len(kept) < limit:
                kept[arrow.source] = None
                waiting.append(arrow.source)
    more = counted(len(scene.boxes) - len(kept), "more box", "more boxes")
    omitted = Box("omitted", "omitted", "…", [more], more)
    arrows = [a for a in scene.arrows if a.source in kept and a.target in kept]
    cut = {a.target for a in scene.arrows if a.target in kept and a.source not in kept}
    arrows += [Arrow("", "omitted", target, tooltip="not drawn") for target in sorted(cut)]
    line = f"Only the {len(kept):,} boxes nearest to the output are drawn, of {len(scene.boxes):,}."
    boxes = [omitted, *(box for box in scene.boxes if box.id in kept)]
    heading = [*scene.heading, line]
    return replace(scene, heading=heading, boxes=boxes, arrows=arrows)
