"""The symbols of results and leaves in formulas: their names, otherwise v1, v2 …"""

from __future__ import annotations

import itertools

from autograd_core.rendering.scene import Scene
from autograd_core.rendering.wording import one_line


def symbols_of(scene: Scene, root: int, name: str = "L") -> dict[int, str]:
    """Symbols by the number of a node. The result of the node `root` is called `name` if it has no
    other name. Inputs without a gradient and folded operations have no symbol."""
    symbols: dict[int, str] = {}
    counts: dict[str, int] = {}
    taken = {box.title.rpartition(" = ")[0] or box.title for box in scene.boxes}
    fresh = (f"v{i}" for i in itertools.count(1) if f"v{i}" not in taken)
    for box in scene.boxes:
        if box.kind in ("input", "group", "omitted"):
            continue
        known = box.title.rpartition(" = ")[0] if box.operation else box.title
        if not known and box.number == root:
            known = name
        known = one_line(known, 32) or next(fresh)
        counts[known] = counts.get(known, 0) + 1
        symbols[box.number] = f"{known} ({counts[known]})" if counts[known] > 1 else known
    return symbols
