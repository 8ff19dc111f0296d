"""Finds what repeats itself in a graph: the calls of one module with the same weights, the
repetitions of an unrolled loop, and equal sequences of operations."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import count

import numpy as np

from autograd_core.engine.scope import Scope
from autograd_core.rendering.scene import SOURCES, Box, Scene, path_of

PERIOD = 64  # the longest pattern of operations that is searched for


def mark_loops(scene: Scene) -> None:
    """Set `Box.turn` of the boxes in loops that use the same weights in each repetition and pass
    their result on to the next."""
    users = _users(scene)
    if not any(len(found) > 1 for found in users.values()):
        return
    numbers = count(1)
    turns = _module_calls(scene, users, numbers)
    order = [box for box in scene.boxes if box.kind not in SOURCES and box.id not in turns]
    for start, period, times in repetitions(keys_of(order)):
        parts = [order[start + k * period : start + (k + 1) * period] for k in range(times)]
        where = {box.id: k for k, part in enumerate(parts) for box in part}
        used = [{where[user] for user in found if user in where} for found in users.values()]
        if any(len(found) >= times - 1 for found in used):
            number = next(numbers)
            turns |= {id_: (number, k) for id_, k in where.items()}
    _keep_chained(scene, turns)
    for box in scene.boxes:
        box.turn = turns.get(box.id)


def _users(scene: Scene) -> dict[str, set[str]]:
    """The operations that use each parameter."""
    weights = {box.id: set[str]() for box in scene.boxes if box.kind in ("parameter", "leaf")}
    for arrow in scene.arrows:
        if arrow.source in weights:
            weights[arrow.source].add(arrow.target)
    return weights


def _module_calls(
    scene: Scene, users: dict[str, set[str]], numbers: Iterator[int]
) -> dict[str, tuple[int, int]]:
    """(loop, repetition) of the boxes in modules that are called several times."""
    scopes = {box.id: box.scope for box in scene.boxes}
    weights: dict[Scope, set[str]] = {}
    for source, found in users.items():
        for scope in {s for user in found for s in path_of(scopes[user])}:
            weights.setdefault(scope, set()).add(source)
    calls: dict[Hashable, list[Scope]] = {}
    for box in scene.boxes:
        for scope in path_of(box.scope):
            if scope in weights:
                key = scope.kind, scope.outer, frozenset(weights.pop(scope))
                calls.setdefault(key, []).append(scope)
    turn_of: dict[Scope, tuple[int, int]] = {}
    for same in calls.values():
        if len(same) > 1:
            number = next(numbers)
            turn_of |= {scope: (number, k) for k, scope in enumerate(same)}
    found_turns = {}
    for box in scene.boxes:
        turn = next((turn_of[s] for s in path_of(box.scope) if s in turn_of), None)
        if turn is not None and box.kind not in SOURCES:
            found_turns[box.id] = turn
    return found_turns


def _keep_chained(scene: Scene, turns: dict[str, tuple[int, int]]) -> None:
    """Remove the loops of which most repetitions do not use the result of the one before."""
    passed: dict[int, set[int]] = {}
    last: dict[int, int] = {}
    for loop, turn in turns.values():
        last[loop] = max(last.get(loop, 0), turn)
    for arrow in scene.arrows:
        before, after = turns.get(arrow.source), turns.get(arrow.target)
        if before is not None and after is not None and after == (before[0], before[1] + 1):
            passed.setdefault(after[0], set()).add(after[1])
    for id_, (loop, _) in list(turns.items()):
        if len(passed.get(loop, ())) * 2 < last[loop]:
            del turns[id_]


def keys_of(boxes: Iterable[Box]) -> list[Hashable]:
    """What is equal for boxes that repeat each other."""
    return [(box.operation or box.title, box.shape, box.scope) for box in boxes]


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
