"""Drawings of the recorded graph and of its gradients.

    draw(loss, model=model).save("graph.svg")

    with record_flow(model) as flow:
        loss.backward()
    print(flow.table())
    draw(flow).save("flow.svg")

A drawing is made in steps, each in its own file: `reading` turns nodes and edges into a `Scene` of
boxes and arrows, `collapsing` folds a large one, `dot` writes it as DOT text and `player` as an
HTML page. `flow` records backward passes, and `findings` describes their problems in words.
DOT text, tables and HTML pages need only NumPy; pictures need a renderer, and plots need
matplotlib.
"""

from autograd_core.rendering.drawing import Drawing, FormatError, draw
from autograd_core.rendering.explaining import explain
from autograd_core.rendering.flow import Flow, record_flow
from autograd_core.rendering.history import FlowHistory, compare
from autograd_core.rendering.renderer import RendererError
from autograd_core.rendering.thresholds import Thresholds

__all__ = [
    "Drawing",
    "Flow",
    "FlowHistory",
    "FormatError",
    "RendererError",
    "Thresholds",
    "compare",
    "draw",
    "explain",
    "record_flow",
]
