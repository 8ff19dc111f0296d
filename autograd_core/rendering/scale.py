"""The logarithmic scale of the colours and widths of gradients."""

from __future__ import annotations

import math

from autograd_core.rendering.scene import Arrow, Box, Scene
from autograd_core.rendering.statistics import Statistics

# light to dark in one hue, to be readable without colours; dark text is legible on all of them
BLUES = ("#f4f8fc", "#e1ecf7", "#cadef0", "#aecde6", "#9cc4e2", "#7db1d8")
DECADES = 12  # the range of the scale; smaller gradients have the colour of its lower end
THIN, BROAD = 0.5, 4.5  # points


class Scale:
    """A logarithmic scale from the least to the greatest rms of the gradients in a scene."""

    def __init__(self, scene: Scene) -> None:
        self.flow = scene.flow
        found = [box.gradient for box in scene.boxes] + [a.gradient for a in scene.arrows]
        sizes = [math.log10(s.rms) for s in found if s is not None and 0 < s.rms < math.inf]
        self.found = bool(sizes)
        self.top = max(sizes, default=0.0)
        self.bottom = max(min(sizes, default=0.0), self.top - DECADES)
        if self.top - self.bottom < 2:  # a small range is not stretched over the whole scale
            middle = (self.top + self.bottom) / 2
            self.top, self.bottom = middle + 1, middle - 1

    def share(self, gradient: Statistics) -> float:
        """The position of a gradient on the scale, from 0 for the least rms to 1 for the
        greatest."""
        if not 0 < gradient.rms < math.inf:
            return 0.0
        share = (math.log10(gradient.rms) - self.bottom) / (self.top - self.bottom)
        return min(max(share, 0.0), 1.0)

    def shade(self, gradient: Statistics) -> str:
        """The colour of a box."""
        return BLUES[round(self.share(gradient) * (len(BLUES) - 1))]

    def fill(self, box: Box) -> str:
        """Attributes of a box: its colour, and a bold outline if it has findings."""
        text = ""
        if self.flow:
            text = f', fillcolor="{self.shade(box.gradient)}"' if box.gradient is not None else ""
            if box.gradient is None or box.gradient.is_zero:
                text = ', fillcolor="#ffffff"'
        return text + (', color="#b3261e", penwidth=2.6' if box.findings else "")

    def line(self, arrow: Arrow) -> str:
        """Attributes of an arrow: its width, dotted if no gradient flows back."""
        if not self.flow:
            return ""
        if arrow.gradient is None or arrow.gradient.is_zero:
            return ', penwidth=0.8, style="dotted"'
        if arrow.gradient.not_finite:
            return f', penwidth={BROAD}, color="#b3261e", style="dashed"'
        breadth = THIN + (BROAD - THIN) * self.share(arrow.gradient)
        return f', penwidth={breadth:.2f}, color="#4d7ba3"'


def in_words(gradient: Statistics) -> str:
    """A description of a gradient on one line."""
    if gradient.not_finite:
        return f"gradient: {gradient.not_finite:,} of {gradient.size:,} not finite"
    if not gradient.size:
        return "gradient without elements"
    if gradient.is_zero:
        return "gradient 0 everywhere" if gradient.size > 1 else "gradient 0"
    if gradient.size == 1:
        return f"gradient {gradient.least:.4g}"
    zeros = f", {gradient.zeros:.0%} zeros".replace("%", " %") if gradient.zeros >= 0.005 else ""
    return f"gradient rms {gradient.rms:.1e}{zeros}"
