"""Descriptions of problems with gradients: inf and NaN, dead units, vanishing gradients …"""

from __future__ import annotations

import math
from collections.abc import Iterator

from autograd_core.rendering.chains import shrinks_or_grows
from autograd_core.rendering.measured import Finding, Measured
from autograd_core.rendering.outputs import after_the_last_weight
from autograd_core.rendering.scene import Arrow, Box
from autograd_core.rendering.titles import title_of
from autograd_core.rendering.unit_findings import of_units
from autograd_core.rendering.wording import shortened

ERRORS = {"squared_error", "power", "square", "absolute"}  # of a difference from a target
MARGINS = {"maximum", "relu", "clip", "where"}  # of a loss that is 0 from a margin on


def find(flow: Measured) -> list[Finding]:
    """All findings; each is added to its box."""
    found = [
        *_not_finite(flow),
        *of_units(flow),
        *_stops(flow),
        *_unused(flow),
        *_zeros(flow),
        *shrinks_or_grows(flow),
        *_carried(flow),
        *_above_chance(flow),
    ]
    # of several passes, each finds the same
    found = list({(f.kind, f.where, f.text): f for f in found}.values())
    for finding in found:
        if finding.box is not None:
            finding.box.findings += (finding.short,)
    return found


def _not_finite(flow: Measured) -> Iterator[Finding]:
    """Findings for operations that produce inf or NaN from finite gradients."""
    boxes = {box.id: box for box in flow.scene.boxes}
    for arrow in flow.scene.arrows:
        target = boxes[arrow.target]
        made, before = arrow.gradient, target.gradient
        if made is None or not made.not_finite:
            continue
        if target.kind == "output" and before is not None and before.not_finite:
            text = f"the gradient given for the output, {target.title}, is not finite"
        elif before is not None and not before.not_finite:
            text = (
                f"{title_of(target, flow)} produces {made.not_finite:,} inf or NaN of "
                f"{made.size:,} elements from a finite gradient"
            )
        else:
            continue
        short = f"not finite from here backwards ({made.not_finite:,} of {made.size:,})"
        yield Finding("not finite", target.title, text, short, target)


def _stops(flow: Measured) -> Iterator[Finding]:
    """Findings for operands that were computed in the graph but have left it, so that the gradient
    stops at them."""
    for arrow, source, target in _cut(flow):
        operand = f"operand {arrow.operand!r} of " if arrow.operand else ""
        text = f"at {operand}{title_of(target, flow)}: {source.stopped}"
        yield Finding("gradient stops", target.title, text, "the gradient stops here", source)


def _cut(flow: Measured) -> Iterator[tuple[Arrow, Box, Box]]:
    """(arrow, operand, operation) for the operands that have left the graph. A choice between
    values has no gradient."""
    boxes = {box.id: box for box in flow.scene.boxes}
    for arrow in flow.scene.arrows:
        source, target = boxes[arrow.source], boxes[arrow.target]
        chooses = target.key == "where" and arrow.operand == "condition"
        if source.kind == "input" and source.stopped and not chooses:
            yield arrow, source, target


def _unused(flow: Measured) -> Iterator[Finding]:
    reached = {box.number for box in flow.scene.boxes}
    unused = [name for seq, name in flow.naming.parameters.items() if seq not in reached]
    if not unused:
        return
    what = "has" if len(unused) == 1 else "have"
    text = f"{shortened(', '.join(unused), 100)} {what} no path to the output"
    if flow.exits and not any(_cut(flow)):
        text += f"; a value may have left the graph by {'; or '.join(flow.exits[:-4:-1])}"
    yield Finding("unused parameter", unused[0], text, "")


def _zeros(flow: Measured) -> Iterator[Finding]:
    """Findings for operations that turn a nonzero gradient into zeros only."""
    into = flow.scene.operands()
    boxes = {box.id: box for box in flow.scene.boxes}
    blamed = {seq for seq, unit in flow.units.items() if unit.word == "dead" and unit.share == 1}
    starved, ends = _reached_by_zero(flow), after_the_last_weight(flow)
    for box in flow.scene.boxes:
        gone = [a for a in into[box.id] if a.gradient is not None]
        if box.gradient is None or box.gradient.is_zero or not gone or box.number in blamed:
            continue
        right = ERRORS | MARGINS if flow.is_zero else ERRORS
        if box.id in ends and box.operation in right:
            continue  # every output is equal to its target, or right by a margin
        sources = [boxes[arrow.source].gradient for arrow in gone]
        # a leaf that is also used elsewhere may still get a gradient
        zero = all(g is not None and g.size and g.is_zero for g in sources)
        if zero and any(arrow.source in starved for arrow in gone):
            text = f"the gradient is exactly 0 from {title_of(box, flow)} backwards"
            yield Finding("zero", box.title, text, "zero from here backwards", box)


def _reached_by_zero(flow: Measured) -> set[str]:
    """The boxes that depend on a leaf whose whole gradient is zero. Where a gradient is zero but
    all leaves get another share, as at a gate whose state is still 0, nothing is lost."""
    found = {
        box.id
        for box in flow.scene.boxes
        if box.kind in ("parameter", "leaf") and box.gradient is not None and box.gradient.is_zero
    }
    into = flow.scene.operands()
    for box in flow.scene.boxes:
        if any(arrow.source in found for arrow in into[box.id]):
            found.add(box.id)
    return found


def _carried(flow: Measured) -> Iterator[Finding]:
    """A finding if gradients were added to those from before a step."""
    boxes = {box.number: box for box in flow.scene.boxes}
    there = [boxes[seq] for seq in sorted(flow.carried) if seq in boxes]
    if there:
        names = shortened(", ".join(box.title for box in there), 100)
        text = (
            f"{names} changed after a backward pass, and kept the gradient of that pass, to which "
            f"this one was added: call optimizer.zero_grad() after each step"
        )
        short = "its gradient was not set to zero"
        yield Finding("forgotten zero_grad", there[0].title, text, short, there[0])


def _above_chance(flow: Measured) -> Iterator[Finding]:
    """A finding if the first cross-entropy is far above that of equal probabilities."""
    chance = flow.chance
    if chance is None or chance.classes < 2:
        return
    level = math.log(chance.classes)
    if chance.loss > flow.thresholds.chance * level:
        text = (
            f"the cross-entropy is {chance.loss:.3g}; with equal probabilities for "
            f"{chance.classes:,} classes, the loss at chance is ln {chance.classes} = {level:.3g}. "
            f"At the start of a training, the initial outputs are too large"
        )
        yield Finding("above chance", "log_softmax", text, "")
