"""Descriptions of problems with gradients: inf and NaN, dead units, vanishing gradients …"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from autograd_core.rendering.measured import Finding, Measured
from autograd_core.rendering.scene import SOURCES, Box
from autograd_core.rendering.wording import counted, shortened

FAR = 1e4  # the largest factor between the gradients of two layers of a healthy network
LARGE_SHARE = 0.5  # the share of units at which a layer is reported as dead or saturated


def find(flow: Measured) -> list[Finding]:
    """All findings; each is added to its box."""
    found = [
        *_not_finite(flow),
        *_units(flow),
        *_stops(flow),
        *_unused(flow),
        *_zeros(flow),
        *_shrinks_or_grows(flow),
    ]
    for finding in found:
        if finding.box is not None:
            finding.box.findings += (finding.short,)
    return found


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


def _units(flow: Measured) -> Iterator[Finding]:
    boxes = {box.number: box for box in flow.scene.boxes}
    for seq, (word, share, batch) in sorted(flow.units.items()):
        box = boxes.get(seq)
        if box is None or share < LARGE_SHARE:
            continue
        percent = f"{share:.0%}".replace("%", " %")
        if word == "dead":
            text = (
                f"{percent} of the units of {title_of(box, flow)} are 0 for all {batch:,} examples"
            )
            yield Finding("dead ReLU", box.title, text, f"dead: {percent} of its units", box)
        else:
            text = (
                f"{percent} of the values of {title_of(box, flow)} are in its flat range (slope "
                f"below 4 % of the maximum)"
            )
            yield Finding("saturated", box.title, text, f"saturated: {percent} of its values", box)


def _stops(flow: Measured) -> Iterator[Finding]:
    """Findings for operands that were computed in the graph but have left it, so that the gradient
    stops at them."""
    boxes = {box.id: box for box in flow.scene.boxes}
    for arrow in flow.scene.arrows:
        source = boxes[arrow.source]
        if source.kind == "input" and source.stopped:
            target = boxes[arrow.target]
            operand = f"operand {arrow.operand!r} of " if arrow.operand else ""
            text = f"at {operand}{title_of(target, flow)}: {source.stopped}"
            yield Finding("gradient stops", target.title, text, "the gradient stops here", source)


def _unused(flow: Measured) -> Iterator[Finding]:
    reached = {box.number for box in flow.scene.boxes}
    unused = [name for seq, name in flow.naming.parameters.items() if seq not in reached]
    if not unused:
        return
    what = "has" if len(unused) == 1 else "have"
    text = f"{shortened(', '.join(unused), 100)} {what} no path to the output"
    if flow.exits and not any(box.stopped for box in flow.scene.boxes):
        text += f"; a value may have left the graph by {'; or '.join(flow.exits[:-4:-1])}"
    yield Finding("unused parameter", unused[0], text, "")


def _zeros(flow: Measured) -> Iterator[Finding]:
    """Findings for operations that turn a nonzero gradient into zeros only."""
    into = flow.scene.operands()
    boxes = {box.id: box for box in flow.scene.boxes}
    blamed = {box for box, (word, share, _) in flow.units.items() if word == "dead" and share == 1}
    for box in flow.scene.boxes:
        gone = [a for a in into[box.id] if a.gradient is not None]
        if box.gradient is None or box.gradient.is_zero or not gone or box.number in blamed:
            continue
        sources = [boxes[arrow.source].gradient for arrow in gone]
        # a leaf that is also used elsewhere may still get a gradient
        if box.gradient.size and all(g is not None and g.is_zero for g in sources):
            text = f"the gradient is exactly 0 from {title_of(box, flow)} backwards"
            yield Finding("zero", box.title, text, "zero from here backwards", box)


def _shrinks_or_grows(flow: Measured) -> Iterator[Finding]:
    """The first finding that gradients shrink or grow from layer to layer. The gradients of weights
    are examined first, then the gradients of results."""
    for chain in _chains(flow):
        if len(chain) < 2:
            continue
        (first, g_first), (last, g_last) = chain[0], chain[-1]
        factor = g_first / g_last
        if 1 / FAR < factor < FAR:
            continue
        kind, verb = ("vanishing", "falls") if factor < 1 else ("exploding", "grows")
        each = factor ** (1 / (len(chain) - 1))
        text = (
            f"the gradient's rms {verb} from {g_last:.2g} at {title_of(last, flow)} to "
            f"{g_first:.2g} at {title_of(first, flow)}: by 10^{math.log10(factor):+.1f} over "
            f"{counted(len(chain), 'layer')}, a factor of about {each:.2g} per layer"
        )
        culprit = _culprit(flow, grows=factor > 1)
        if culprit:
            text += f". {culprit}"
        yield Finding(kind, first.title, text, kind, first)
        return


def _chains(flow: Measured) -> Iterator[list[tuple[Box, float]]]:
    """Two lists: the weights in the order of their use, and the results of the operations that use
    them. With fewer than two weights, one list of all results. Each box is listed with the rms of
    its gradient."""
    boxes = {box.id: box for box in flow.scene.boxes}
    uses = [(boxes[arrow.target], boxes[arrow.source]) for arrow in flow.scene.arrows]
    uses = [use for use in uses if use[1].kind in ("parameter", "leaf") and len(use[1].shape) >= 2]
    uses.sort(key=lambda use: use[0].number)
    weights = {weight.id: weight for _, weight in uses}
    if len(weights) < 2:
        yield _sizes(box for box in flow.scene.boxes if box.kind in ("operation", "output"))
    else:
        yield _sizes(weights.values())
        yield _sizes({user.id: user for user, _ in uses}.values())


def _sizes(boxes: Iterable[Box]) -> list[tuple[Box, float]]:
    found = ((box, box.gradient.rms) for box in boxes if box.gradient is not None)
    return [(box, rms) for box, rms in found if 0 < rms < math.inf]


def _culprit(flow: Measured, grows: bool) -> str:
    """The operation that changes the gradient's size most, on average over its calls."""
    boxes = {box.id: box for box in flow.scene.boxes}
    factors: dict[str, list[float]] = {}
    for arrow in flow.scene.arrows:
        target, source = boxes[arrow.target], boxes[arrow.source]
        if arrow.gradient and target.gradient and source.kind in ("operation", "output"):
            out, arriving = arrow.gradient.rms, target.gradient.rms
            if out > 0 and arriving > 0:
                factors.setdefault(target.operation, []).append(math.log(out / arriving))
    means = {name: sum(logs) / len(logs) for name, logs in factors.items() if len(logs) > 1}
    if not means:
        return ""
    worst = (max if grows else min)(means, key=lambda name: means[name])
    return f"Each {worst} multiplies it by {math.exp(means[worst]):.2g} on average"
