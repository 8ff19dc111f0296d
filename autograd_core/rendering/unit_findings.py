"""Findings about activations, gates, attentions and normalisations."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from autograd_core.rendering.loops import mark_loops
from autograd_core.rendering.measured import Finding, Measured
from autograd_core.rendering.outputs import after_the_last_weight
from autograd_core.rendering.scene import Box
from autograd_core.rendering.thresholds import Thresholds
from autograd_core.rendering.titles import title_of
from autograd_core.rendering.units import Unit

SMALL_BATCH = 32

# problem → (kind of finding, description, line in the box)
SAID = {
    "dead": ("dead ReLU", "units of {} are 0 for all {:,} examples", "units"),
    "off": ("dead ReLU", "units of {} are turned off for all {:,} examples", "units"),
    "negative": (
        "always negative",
        "units of {} have negative inputs for all {:,} examples",
        "units",
    ),
    "saturated": (
        "saturated",
        "values of {} are in its flat range (slope below 4 % of the maximum)",
        "values",
    ),
    "stuck": (
        "stuck gates",
        "values of the gates {} are in the flat range, near 0 or 1",
        "values",
    ),
    "one-hot": (
        "one-hot attention",
        "rows of the attention {} have one weight above 0.99, so that little gradient passes",
        "rows",
    ),
    "constant": (
        "constant input",
        "rows or channels of {} are nearly constant: their variance is below the eps of the "
        "normalisation",
        "rows or channels",
    ),
    "tiny": (
        "constant input",
        "rows of {} are nearly 0: their mean square is below the eps of the normalisation",
        "rows",
    ),
}


def of_units(flow: Measured) -> Iterator[Finding]:
    """A finding for each layer with too large a share of units with a problem. The steps of a loop
    are one layer, and so are the calls of a module in several passes."""
    boxes = {box.number: box for box in flow.scene.boxes}
    ends = after_the_last_weight(flow)
    mark_loops(flow.scene)
    groups: dict[Hashable, list[tuple[Box, Unit]]] = {}
    for seq, unit in sorted(flow.units.items()):
        box = boxes.get(seq)
        if box is not None and not (box.id in ends and _is_right(box, unit, flow)):
            groups.setdefault(_layer(box, unit, flow), []).append((box, unit))
    for group in groups.values():
        box, unit = group[-1]
        share = sum(other.share for _, other in group) / len(group)
        if share >= _limit(unit, flow.thresholds):
            yield _finding(flow, box, unit, share)


def _finding(flow: Measured, box: Box, unit: Unit, share: float) -> Finding:
    kind, text, of = SAID[unit.word]
    percent = f"{share:.0%}".replace("%", " %")
    text = f"{percent} of the {text.format(title_of(box, flow), unit.batch)}"
    if unit.wrong:
        text += ", far from their targets"
    return Finding(kind, box.title, text, f"{unit.word}: {percent} of its {of}", box)


def _limit(unit: Unit, thresholds: Thresholds) -> float:
    if unit.word in ("dead", "off"):
        share = thresholds.dead if unit.batch >= SMALL_BATCH else thresholds.few_dead
        return min(1.0, share + 0.5 / math.sqrt(unit.size))
    if unit.wrong:
        return thresholds.stuck_outputs
    limits = {
        "negative": thresholds.negative,
        "saturated": thresholds.saturated,
        "stuck": thresholds.stuck,
        "one-hot": thresholds.one_hot,
        "constant": thresholds.constant,
        "tiny": thresholds.constant,
    }
    return limits[unit.word]


def _layer(box: Box, unit: Unit, flow: Measured) -> Hashable:
    """What is equal for the calls of one layer."""
    if box.scope is not None and flow.scene.module_names.get(box.scope):
        if unit.word in ("stuck", "negative") or box.turn is not None:
            return flow.scene.module_names[box.scope], unit.word, box.key
        return flow.scene.module_names[box.scope], unit.word, box.key, box.id
    if box.turn is not None:
        return box.turn[0], unit.word, box.key, box.shape
    if box.scope is not None and unit.word in ("stuck", "negative"):
        return box.scope, unit.word
    return box.id


def _is_right(box: Box, unit: Unit, flow: Measured) -> bool:
    """True if an output is no fault though it is saturated: it is near its target, or the loss is
    a logarithm, whose slope makes up for that of the activation."""
    if unit.word == "one-hot":
        return True
    if unit.word != "saturated" or unit.wrong:
        return False
    boxes = {other.id: other for other in flow.scene.boxes}
    users: dict[str, list[Box]] = {}
    for arrow in flow.scene.arrows:
        users.setdefault(arrow.source, []).append(boxes[arrow.target])
    last, at = box, users.get(box.id, [])
    while at:
        if any("log" in user.operation for user in at):
            return True
        following = [user for user in at if user.shape == box.shape]
        last, at = (following[0], users.get(following[0].id, [])) if following else (last, [])
    if last is box or box.gradient is None or last.gradient is None or not last.gradient.rms:
        return False
    # the loss changes little with the output: of (out - target)², by 2 |out - target|
    return box.gradient.rms < 2 * flow.thresholds.wrong * last.gradient.rms
