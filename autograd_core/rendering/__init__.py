"""Drawings of the recorded graph.

    draw(loss, model=model).save("graph.svg")

A drawing is made in three steps, each in a file of its own: `reading` turns nodes and edges into a
`Scene` of boxes and arrows, `dot` writes a Scene as DOT text, and a `Drawing` shows or saves that
text through the renderer that `renderer` finds. DOT text needs nothing; pictures need a renderer.
"""

from autograd_core.rendering.drawing import Drawing, FormatError, draw
from autograd_core.rendering.renderer import RendererError

__all__ = ["Drawing", "FormatError", "RendererError", "draw"]
