"""Which operations compute the outputs of a network, and its loss."""

from __future__ import annotations

from autograd_core.rendering.measured import Measured
from autograd_core.rendering.scene import SOURCES

PRODUCTS = {"matmul", "einsum", "linear", "convolution", "dot", "tensordot"}


def after_the_last_weight(flow: Measured) -> set[str]:
    """The boxes after which no operation uses a weight or multiplies matrices."""
    boxes = {box.id: box for box in flow.scene.boxes}
    heavy = {box.id for box in flow.scene.boxes if box.key in PRODUCTS}
    for arrow in flow.scene.arrows:
        source = boxes[arrow.source]
        if source.kind in ("parameter", "leaf") and len(source.shape) >= 2:
            heavy.add(arrow.target)
    users: dict[str, list[str]] = {}
    for arrow in flow.scene.arrows:
        users.setdefault(arrow.source, []).append(arrow.target)
    found: set[str] = set()
    for box in sorted(flow.scene.boxes, key=lambda box: -box.number):
        if box.kind not in SOURCES:
            after = users.get(box.id, ())
            if all(user in found and user not in heavy for user in after):
                found.add(box.id)
    return found
