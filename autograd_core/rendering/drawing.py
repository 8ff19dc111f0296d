"""`draw` a recorded graph: a `Drawing` is DOT text that shows and saves itself as a picture."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_core.errors import AutogradError, FreedGraphError, GraphError
from autograd_core.rendering.dot import write
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.reading import read
from autograd_core.rendering.renderer import INSTALL, RendererError, find_renderer, render
from autograd_core.tensor import Tensor

if TYPE_CHECKING:
    import graphviz

__all__ = ["Drawing", "FormatError", "draw"]

TEXT = ("dot", "gv")
PICTURES = ("svg", "png", "pdf")


class FormatError(AutogradError, ValueError):
    """A drawing cannot be saved under this suffix."""


class Drawing:
    """A graph as DOT text (`dot`), which needs no package and no program.

    In Jupyter it shows itself as SVG where a renderer is installed.
    """

    def __init__(self, body: list[str]) -> None:
        self._body = body

    @property
    def dot(self) -> str:
        """The whole graph in the DOT language."""
        return "".join(["digraph autograd {\n", *self._body, "}\n"])

    @property
    def digraph(self) -> graphviz.Digraph:
        """A new ``graphviz.Digraph`` to add to; ImportError without the graphviz package."""
        try:
            import graphviz
        except ImportError as error:
            raise ImportError(
                f"Drawing.digraph needs the package graphviz: {INSTALL}", name="graphviz"
            ) from error
        return graphviz.Digraph("autograd", body=list(self._body))

    def svg(self) -> str:
        """The picture as SVG text. Raises RendererError where no renderer is installed."""
        return render(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to `path`; its suffix is the format: .dot, .gv, .svg, .png or .pdf.

        Returns the path. The file appears whole or not at all. Raises FormatError for another
        suffix, OSError for a place that cannot be written, RendererError where a picture needs a
        program that is not installed; all of them before any work.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in TEXT + PICTURES:
            raise FormatError(
                f"a drawing is saved as .{', .'.join(TEXT + PICTURES)}; "
                f"{path.name!r} has the suffix {path.suffix!r}"
            )
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; give the name of a file in it")
        if format in PICTURES:
            find_renderer(format)
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            part.touch()  # before the work: can anything be written here?
        except OSError as error:
            raise OSError(error.errno, f"cannot save a drawing: {error.strerror}", path) from error
        try:
            part.write_bytes(self.dot.encode() if format in TEXT else render(self.dot, format))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def __str__(self) -> str:
        return self.dot

    def __repr__(self) -> str:
        arrows = sum(" -> " in line for line in self._body)
        return f"<Drawing with {arrows} edges; .save(path), .dot or .svg() shows it>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except RendererError as error:
            return {"text/plain": f"{self!r}\n{error}"}


def draw(
    output: Tensor,
    *,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 2000,
) -> Drawing:
    """Draw everything `output` was computed from; data flow from top to bottom.

    Boxes are leaves, parameters, operations and the arrays they kept; arrows say what the edge
    keeps for the backward pass. Calls of modules are nested clusters. Values of up to six elements
    are printed; so is the gradient of a leaf that has one, of a bigger leaf its norm. An operand
    without a gradient is seen only where a rule saved it.

    `model` (anything with ``named_parameters()``) gives parameters their dotted names; `names` maps
    names of your own to Tensors and arrays, results included. Draw before ``backward()``, or after
    ``backward(retain_graph=True)``; with ``create_graph=True`` a gradient can be drawn as well. Of
    more than `limit` nodes those nearest to the output are drawn, and the drawing says so.

    Raises GraphError for an untracked Tensor, FreedGraphError after a backward pass.

    >>> import autograd_core as ac
    >>> x = ac.Tensor(3.0, requires_grad=True, name="x")
    >>> print(draw(x * x, names={"y": x * x}).dot)  # doctest: +ELLIPSIS
    digraph autograd {
    ...
    """
    if not isinstance(output, Tensor):
        raise AutogradError(f"draw needs a Tensor, the result of a computation; not {output!r:.60}")
    if limit < 1:
        raise AutogradError(f"limit is a number of nodes, at least 1; not {limit}")
    node = output.node
    if node is None:
        raise GraphError(
            "draw: no operation was recorded for this Tensor. Does an input have "
            "requires_grad=True, and was it computed outside no_grad() and without detach()?"
        )
    if node.released:
        raise FreedGraphError(
            f"draw: a backward pass has already released the graph of this {node.name!r}; draw it "
            "before backward(), or pass retain_graph=True to backward()"
        )
    return Drawing(write(read(output, node, Naming(names, model), limit)))
