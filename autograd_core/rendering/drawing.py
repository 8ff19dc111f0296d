"""`draw` a recorded graph: a `Drawing` is DOT text that shows and saves itself as a picture."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_core.engine.tensor import Tensor
from autograd_core.errors import AutogradError, FreedGraphError, GraphError
from autograd_core.errors.tracebacks import public
from autograd_core.rendering.collapsing import fitted
from autograd_core.rendering.dot import dot_lines
from autograd_core.rendering.explaining import traced
from autograd_core.rendering.flow import Flow
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.nodes import nearest
from autograd_core.rendering.reading import Reader
from autograd_core.rendering.renderer import INSTALL, RendererError, find_renderer, render
from autograd_core.rendering.scene import Scene

if TYPE_CHECKING:
    import graphviz


TEXT = ("dot", "gv")
PICTURES = ("svg", "png", "pdf")
PAGE = "html"
READ = 200_000  # nodes that are read before boxes are folded


class FormatError(AutogradError, ValueError):
    """The suffix of a file name is not a format of drawings."""


class Drawing:
    """A graph as DOT text (`dot`), which needs no further package or program.

    Jupyter displays it as SVG if a renderer is installed. It keeps the drawn graph alive, because
    the page of the player runs its own backward pass.
    """

    def __init__(self, scene: Scene, page: Callable[[], str]) -> None:
        self.scene = scene
        self._page = page
        self._body = dot_lines(scene)

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
        """The picture as SVG text. Raises RendererError if no renderer is installed."""
        return render(self.dot, "svg").decode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to `path`; its suffix is the format: .dot, .gv, .svg, .png, .pdf, or
        .html for a page that steps through the forward and the backward pass.

        Returns the path. The file is written completely or not at all. Raises FormatError for
        another suffix, OSError if the path cannot be written, RendererError if a picture needs a
        program that is not installed; all of them before the drawing is rendered.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in (*TEXT, *PICTURES, PAGE):
            raise FormatError(
                f"a drawing is saved as .{', .'.join((*TEXT, *PICTURES, PAGE))}; "
                f"{path.name!r} has the suffix {path.suffix!r}"
            )
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; give the name of a file in it")
        if format in PICTURES:
            find_renderer(format)
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            part.touch()  # fails early if nothing can be written here
        except OSError as error:
            raise OSError(error.errno, f"cannot save a drawing: {error.strerror}", path) from error
        try:
            part.write_bytes(self._encoded(format))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def html(self) -> str:
        """The page of the player; needs no renderer. A Tensor's graph must not have been
        released: a backward pass, including hooks, runs through it and keeps the graph and every
        ``.grad``."""
        return self._page()

    def _encoded(self, format: str) -> bytes:
        if format == PAGE:
            return self.html().encode()
        return self.dot.encode() if format in TEXT else render(self.dot, format)

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


@public
def draw(
    output: Tensor | Flow | AutogradError,
    *,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 2000,
    depth: int | None = None,
) -> Drawing:
    """Draw everything that `output` was computed from, from top to bottom.

    Boxes are leaves, parameters, operations and the arrays they saved; arrows are labelled with
    what the edge saves for the backward pass. Module calls are nested clusters; inside `depth`
    others they are one box each. Values of up to six elements are printed, and so are gradients of
    leaves; of larger gradients the norm. An operand without a gradient is shown only if a rule
    saved it.

    `model` (anything with ``named_parameters()``) gives parameters their dotted names; `names` maps
    further names to Tensors and arrays, results included. Draw before ``backward()``, or after
    ``backward(retain_graph=True)``; with ``create_graph=True`` a gradient can be drawn as well.

    A `Flow` of `record_flow` is drawn with its gradients: colour and width show the logarithm of
    the gradient's rms, and the heading describes problems in words. An error that an operation
    raised is drawn as the graph up to the failed operation.

    More than `limit` boxes are folded: module calls first, then repetitions. If that is not enough,
    only those nearest to the output are drawn, and the drawing says so.

    Raises GraphError for an untracked Tensor, FreedGraphError after a backward pass.

    >>> import autograd_core as ac
    >>> x = ac.Tensor(3.0, requires_grad=True, name="x")
    >>> print(draw(x * x, names={"y": x * x}).dot)  # doctest: +ELLIPSIS
    digraph autograd {
    ...
    """
    if not isinstance(limit, int) or limit < 1:
        raise AutogradError(f"limit must be a number of boxes, at least 1, not {limit!r}")
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise AutogradError(f"depth must be a number of modules, 0 or more, not {depth!r}")
    naming = Naming(names, model)
    shown = fitted(_scene(output, naming), limit, depth).renamed()

    def page_of() -> str:
        from autograd_core.rendering.player import page

        values, played = None, shown
        if isinstance(output, Flow):
            values = output.values
        elif isinstance(output, Tensor):
            flow = traced(output, naming, "the player")
            values, played = flow.values, fitted(flow.scene, limit, depth).renamed()
        return page(played, values, _title(output))

    return Drawing(shown, page_of)


def _title(output: Any) -> str:
    name = output.name if isinstance(output, Tensor) else ""
    return f"How the gradient flows{' from ' + name if name else ''}"


def _scene(output: Any, naming: Naming) -> Scene:
    if isinstance(output, Flow):
        output.require()
        return output.named(naming)
    if isinstance(output, Tensor):
        return _scene_of(output, naming)
    if isinstance(output, AutogradError):
        return _scene_of_failure(output, naming)
    raise AutogradError(
        f"draw needs a Tensor, the result of a computation, or a Flow; not {output!r:.60}"
    )


def _scene_of(output: Tensor, naming: Naming) -> Scene:
    node = output.node
    if node is None:
        raise GraphError(
            "draw: no operation was recorded for this Tensor. Does an input have "
            "requires_grad=True, and was it computed outside no_grad() and without detach()?"
        )
    if node.released:
        raise FreedGraphError(
            f"draw: a backward pass has already released the graph of this {node.name!r}; draw it "
            "before backward(), pass retain_graph=True to backward(), or record the gradients: "
            "with record_flow() as flow: loss.backward()"
        )
    reader = Reader(naming)
    nodes, more = nearest(node, READ)
    for found in sorted(nodes, key=lambda found: -found.seq):
        reader.add(found, output if found is node else None)
    scene = reader.scene()
    if more:
        scene.heading.append(f"Only the {READ:,} nodes nearest to the output were read.")
    return scene


def _scene_of_failure(error: AutogradError, naming: Naming) -> Scene:
    """The graph of the operands of a failed operation, and a box for the operation."""
    if not getattr(error, "operands", None):
        raise GraphError(
            f"draw: this {type(error).__name__} was raised by no operation with a tracked operand"
        ) from error
    nodes = {n.seq: n for _, operand in error.operands for n in nearest(operand, READ)[0]}
    reader = Reader(naming)
    for number in sorted(nodes, reverse=True):
        reader.add(nodes[number])
    reader.add_failure(error)
    return reader.scene()
