"""Findings about gradients that shrink or grow from layer to layer, or from step to step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from autograd_core.rendering.measured import Finding, Measured
from autograd_core.rendering.outputs import after_the_last_weight
from autograd_core.rendering.scene import SOURCES, Box
from autograd_core.rendering.titles import title_of
from autograd_core.rendering.wording import counted

Chain = list[tuple[Box, float]]  # boxes and the rms of their gradients
STEPS = 4  # the uses of one weight from which they are the steps of a loop


def shrinks_or_grows(flow: Measured) -> Iterator[Finding]:
    """The first finding that gradients shrink or grow. A layer is a weight, however often it is
    used. The gradients of the weights are examined first, then those of the results that use them,
    then from step to step of each loop."""
    uses = _longest_path(flow)
    weights = {weight.id: weight for weight, _ in uses}
    far = flow.thresholds.far
    if len(weights) < 2 and len(uses) < STEPS:
        loss = after_the_last_weight(flow) if weights else set()
        boxes = (box for box in _longest_chain(flow) if box.id not in loss)  # it may be small
        yield from _judged(flow, _sizes(boxes), far, "operation")
        return
    chains = [(_sizes(weights.values()), far, "layer"), (_results(flow, weights), far, "layer")]
    for weight in weights.values():
        steps = _steps(flow, weight, [user for other, user in uses if other is weight])
        if len(steps) >= STEPS:
            chains.append((_sizes(steps), flow.thresholds.far_in_time, "step"))
    for chain, factor, word in chains:
        found = next(_judged(flow, chain, factor, word), None)
        if found is not None:
            yield found
            return


def _longest_chain(flow: Measured) -> list[Box]:
    """The operations along the path with the most operations, in the order of recording."""
    boxes = {box.id: box for box in flow.scene.boxes}
    into = flow.scene.operands()
    chain: dict[str, tuple[int, str]] = {}  # its length up to an operation, and the one before
    operations = [box for box in flow.scene.boxes if box.kind in ("operation", "output")]
    for box in sorted(operations, key=lambda box: box.number):
        before = ((chain[a.source][0], a.source) for a in into[box.id] if a.source in chain)
        length, source = max(before, default=(0, ""))
        chain[box.id] = length + 1, source
    path = []
    at = max(chain, key=lambda id_: chain[id_][0], default="")
    while at:
        path.append(boxes[at])
        at = chain[at][1]
    return path[::-1]


def _longest_path(flow: Measured) -> list[tuple[Box, Box]]:
    """(weight, operation that uses it) along the path with the most such operations, in the order
    of their use. Branches beside it are left out."""
    boxes = {box.id: box for box in flow.scene.boxes}
    into = flow.scene.operands()
    length: dict[str, tuple[int, int]] = {}  # and the uses of the last weight, to break ties
    before: dict[str, str] = {}
    weight_of: dict[str, Box] = {}
    uses = Counter(arrow.source for arrow in flow.scene.arrows)
    operations = (box for box in flow.scene.boxes if box.kind not in SOURCES)
    for box in sorted(operations, key=lambda box: box.number):
        longest = (0, 0)
        for arrow in into[box.id]:
            source = boxes[arrow.source]
            if source.kind in ("parameter", "leaf") and len(source.shape) >= 2:
                weight_of.setdefault(box.id, source)
            elif length.get(source.id, (-1, 0)) >= longest:
                longest, before[box.id] = length[source.id], source.id
        if box.id in weight_of:
            longest = longest[0] + 1, uses[weight_of[box.id].id]
        length[box.id] = longest
    path = []
    at = max(length, key=lambda id_: length[id_], default="")
    while at:
        if at in weight_of:
            path.append((weight_of[at], boxes[at]))
        at = before.get(at, "")
    return path[::-1]


def _steps(flow: Measured, weight: Box, found: list[Box]) -> list[Box]:
    """The uses of a weight on the path. If only one use is not on it, as that in the first step,
    in which the path begins at another weight, it is added."""
    users = {arrow.target for arrow in flow.scene.arrows if arrow.source == weight.id}
    if len(users) != len(found) + 1:
        return found
    return [box for box in flow.scene.boxes if box.id in users]


def _results(flow: Measured, weights: dict[str, Box]) -> Chain:
    """For each weight, the operation that uses it and has the greatest gradient."""
    boxes = {box.id: box for box in flow.scene.boxes}
    found: dict[str, tuple[Box, float]] = {}
    for arrow in flow.scene.arrows:
        if arrow.source in weights:
            for box, rms in _sizes([boxes[arrow.target]]):
                if arrow.source not in found or rms > found[arrow.source][1]:
                    found[arrow.source] = box, rms
    return [found[id_] for id_ in weights if id_ in found]


def _sizes(boxes: Iterable[Box]) -> Chain:
    found = ((box, box.gradient.rms) for box in boxes if box.gradient is not None)
    return [(box, rms) for box, rms in found if 0 < rms < math.inf]


def _judged(flow: Measured, chain: Chain, far: float, word: str) -> Iterator[Finding]:
    """A finding if the first and the last gradient of a chain differ by the factor `far`."""
    if len(chain) < 2:
        return
    (first, g_first), (last, g_last) = chain[0], chain[-1]
    factor = g_first / g_last
    if 1 / far < factor < far:
        return
    kind, verb = ("vanishing", "falls") if factor < 1 else ("exploding", "grows")
    each = factor ** (1 / (len(chain) - 1))
    at_last, at_first = title_of(last, flow), title_of(first, flow)
    if word == "step":
        at_last, at_first = "the last step", f"the first step of {at_first}"
    text = (
        f"the gradient's rms {verb} from {g_last:.2g} at {at_last} to {g_first:.2g} at {at_first}: "
        f"by 10^{math.log10(factor):+.1f} over {counted(len(chain), word)}, a factor of about "
        f"{each:.2g} per {word}"
    )
    culprit = _culprit(flow, grows=factor > 1)
    if culprit:
        text += f". {culprit}"
    yield Finding(kind, first.title, text, kind, first)


def _culprit(flow: Measured, grows: bool) -> str:
    """The operation whose calls together change the gradient's size most."""
    boxes = {box.id: box for box in flow.scene.boxes}
    factors: dict[str, list[float]] = {}
    for arrow in flow.scene.arrows:
        target, source = boxes[arrow.target], boxes[arrow.source]
        if arrow.gradient and target.gradient and source.kind in ("operation", "output"):
            out, arriving = arrow.gradient.rms, target.gradient.rms
            if out > 0 and arriving > 0:
                factors.setdefault(target.operation, []).append(math.log(out / arriving))
    if not factors:
        return ""
    worst = (max if grows else min)(factors, key=lambda name: sum(factors[name]))
    calls = len(factors[worst])
    factor = math.exp(sum(factors[worst]) / calls)
    if (factor > 1) != grows:
        return ""
    said = f"multiplies it by {factor:.2g}"
    return f"Each {worst} {said} on average" if calls > 1 else f"The {worst} {said}"
