"""Graphviz's SVG, made independent of the fonts of the machine that shows it.

Graphviz gives every text a place that is right for the font that it assumed. The texts of a box are
put around its middle instead; the boxes have room for the widest common font (see `metrics`).
"""

from __future__ import annotations

import re

from autograd_core.rendering.metrics import FAMILY

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PLACE = re.compile(r'text-anchor="\w+" x="[^"]*"')
FONT = re.compile(r'font-family="[^"]*"')


def centred(svg: str) -> str:
    """The picture with the texts of each box in its middle, and a list of fonts."""
    middle: str | None = None  # of the box that is open, once its outline is known
    in_box = False
    lines = svg.split("\n")
    for place, line in enumerate(lines):
        if line.startswith("<g "):
            if 'class="' in line:
                in_box, middle = 'class="node' in line, None
        elif line.startswith("<text "):
            if middle is not None:
                line = PLACE.sub(f'text-anchor="middle" x="{middle}"', line, count=1)
            lines[place] = FONT.sub(f'font-family="{FAMILY}"', line, count=1)
        elif in_box and middle is None and line.startswith(("<polygon ", "<path ")):
            middle = _middle(line)
    return "\n".join(lines)


def _middle(outline: str) -> str:
    """The horizontal middle of a polygon or a path."""
    points = re.search(r' (?:points|d)="([^"]*)"', outline)
    assert points is not None
    across = [float(x) for x in NUMBER.findall(points[1])[::2]]
    return f"{(min(across) + max(across)) / 2:.2f}"
