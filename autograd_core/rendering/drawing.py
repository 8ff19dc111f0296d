"""`draw` turns a recorded graph into a `Drawing`: DOT text that can be displayed and saved as a
picture."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_core.engine.tensor import Tensor
from autograd_core.errors import ArgumentError, AutogradError, FreedGraphError, GraphError
from autograd_core.errors.tracebacks import public
from autograd_core.rendering.collapsing import fitted, folded
from autograd_core.rendering.dot import dot_lines
from autograd_core.rendering.explaining import traced
from autograd_core.rendering.flow import Flow
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.nodes import nearest
from autograd_core.rendering.notebook import Frame
from autograd_core.rendering.programs import scene_of_program
from autograd_core.rendering.reading import Reader
from autograd_core.rendering.renderer import INSTALL, RendererError, find_renderer, render
from autograd_core.rendering.scene import Scene
from autograd_core.rendering.svg import centred
from autograd_core.rendering.values import small_results
from autograd_core.rendering.wording import is_count

if TYPE_CHECKING:
    import graphviz


TEXT = ("dot", "gv")
PICTURES = ("svg", "png", "pdf")
PAGE = "html"
READ = 200_000  # nodes that are read at most
RECOMPUTED = 2_000  # nodes of a graph whose small results are recomputed if no edge saved them
PAGE_LIMIT = 5_000  # boxes of a page, which opens with modules folded
PLAIN = 5  # times the limit: boxes of a page of a graph without modules


class FormatError(AutogradError, ValueError):
    """The suffix of the file name is not a supported format.

    It is raised by ``Drawing.save``.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import FormatError, draw
    >>> drawing = draw(ac.Tensor(3.0, requires_grad=True) * 2)
    >>> try:
    ...     drawing.save("graph.jpg")
    ... except FormatError as error:
    ...     print(error)
    a drawing is saved as .dot, .gv, .svg, .png, .pdf, .html; 'graph.jpg' has the suffix '.jpg'
    """


class Drawing:
    """A graph as DOT text (`dot`), which needs no further package or program.

    Drawings are made by `draw`. Jupyter displays a Drawing as SVG if a renderer is installed;
    `show()` displays the page of the player. A Drawing keeps the graph alive, because `html()` runs
    a backward pass through it.

    Parameters
    ----------
    scene : Scene
        The boxes and arrows, as `draw` makes them.
    page : callable
        A function without parameters that returns the page of the player as HTML text.

    See Also
    --------
    draw : Makes a Drawing.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import draw
    >>> x = ac.Tensor(3.0, requires_grad=True, name="x")
    >>> drawing = draw(x * x)
    >>> drawing
    <Drawing with 2 edges; .save(path), .dot or .svg() shows it>
    >>> drawing.save("graph.dot").name
    'graph.dot'
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
        """A new ``graphviz.Digraph`` of the graph, which may be extended.

        Raises
        ------
        ImportError
            If the graphviz package is not installed.
        """
        try:
            import graphviz
        except ImportError as error:
            raise ImportError(
                f"Drawing.digraph needs the package graphviz: {INSTALL}", name="graphviz"
            ) from error
        return graphviz.Digraph("autograd", body=list(self._body))

    def svg(self) -> str:
        """The picture as SVG text.

        Returns
        -------
        str
            An SVG document.

        Raises
        ------
        RendererError
            If no renderer is installed, or if it failed.
        """
        return centred(render(self.dot, "svg").decode())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing to a file, completely or not at all.

        Parameters
        ----------
        path : str or path
            The file. The suffix selects the format: .dot, .gv, .svg, .png, .pdf, or .html for a
            page that steps through the forward and the backward pass.

        Returns
        -------
        pathlib.Path
            The path.

        Raises
        ------
        FormatError
            If the suffix is another. This and the next errors are raised before the drawing is
            rendered.
        ArgumentError
            If the path has a NUL.
        OSError
            If the path cannot be written.
        RendererError
            If a picture needs a program that is not installed.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in (*TEXT, *PICTURES, PAGE):
            raise FormatError(
                f"a drawing is saved as .{', .'.join((*TEXT, *PICTURES, PAGE))}; "
                f"{path.name!r} has the suffix {path.suffix!r}"
            )
        if "\0" in str(path):
            raise ArgumentError(f"a file name cannot contain a NUL: {str(path)!r}")
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
        """The page of the player as HTML text, which needs no renderer.

        If a Tensor is drawn, a backward pass (including hooks) runs through its graph, which must
        not have been released. It leaves the graph and every ``.grad`` unchanged.

        Returns
        -------
        str
            An HTML document.

        Raises
        ------
        FreedGraphError
            If a backward pass has released the graph.
        """
        return self._page()

    def show(self, height: int = 600) -> Frame:
        """The page of `html()` in a frame of a notebook, which its styles and scripts do not leave.

        The frame's text says how to save the page. A notebook that is not trusted shows no frames:
        there, the Drawing itself is shown as a picture.

        Parameters
        ----------
        height : int, default 600
            The height of the frame in pixels.

        Returns
        -------
        Frame
            What the notebook displays.

        Raises
        ------
        ArgumentError
            If `height` is not a positive integer.
        FreedGraphError
            If a backward pass has released the graph.
        """
        if not is_count(height):
            raise ArgumentError(f"height must be a number of pixels, at least 1, not {height!r}")
        return Frame(self.html(), height)

    def _encoded(self, format: str) -> bytes:
        if format == PAGE:
            return self.html().encode()
        if format == "svg":
            return self.svg().encode()
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
    output: Any,
    *,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 60,
    depth: int | None = None,
) -> Drawing:
    """Draw everything that a result was computed from, from top to bottom.

    Boxes are leaves, parameters, operations, and untracked operands that a rule saved; other
    untracked operands are not shown. Arrows are labelled with the arrays that the edge saves for
    the backward pass. Module calls are drawn as nested clusters. Values of up to six elements are
    printed. Gradients of leaves are printed likewise; for larger gradients the norm is printed.

    Parameters
    ----------
    output : Tensor, Flow, error or compiled function
        A Tensor is drawn with its graph. A Flow of `record_flow` is drawn with its gradients:
        colour and width show the logarithm of the gradient's rms, and the heading describes
        problems in words. Of an error that an operation raised, the graph up to the failed
        operation is drawn. Of a function of `compile`, the last program is drawn: its calls, in
        clusters for the lines of the function.
    model : Module, optional
        Anything with ``named_parameters()``, which gives parameters their dotted names.
    names : dict, optional
        Further names, with the Tensors (including results) and arrays that they belong to.
    limit : int, default 60
        If there are more boxes, module calls, loops and repetitions are folded, from the innermost
        outwards, then operations that follow each other; the heading says so.
    depth : int, optional
        A module call inside `depth` other calls is drawn as one box.

    Returns
    -------
    Drawing
        DOT text that can be displayed and saved as a picture or as a page.

    Raises
    ------
    GraphError
        For an untracked Tensor, a Flow without a backward pass, an error that no operation with a
        tracked operand raised, and a compiled function that was not called yet.
    FreedGraphError
        If a backward pass has released the graph.
    ArgumentError
        If `output` is something else, or if `model`, `names`, `limit` or `depth` is not of the kind
        above.

    See Also
    --------
    record_flow : Records gradients, which can be drawn.
    explain : Prints the chain rule for one computation.

    Notes
    -----
    Draw before ``backward()``, or after ``backward(retain_graph=True)``; with ``create_graph=True``
    a gradient can be drawn as well. Loops of more than four repetitions are always shortened.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import draw
    >>> x = ac.Tensor(3.0, requires_grad=True, name="x")
    >>> print(draw(x * x, names={"y": x * x}).dot)  # doctest: +ELLIPSIS
    digraph autograd {
    ...
    """
    if not is_count(limit):
        raise ArgumentError(f"limit must be a number of boxes, at least 1, not {limit!r}")
    if depth is not None and not is_count(depth, 0):
        raise ArgumentError(f"depth must be a number of modules, 0 or more, not {depth!r}")
    naming = Naming(names, model)
    with _uncollected():
        whole = _scene(output, naming)
        shown = fitted(whole, limit, depth).renamed()

    def page_of() -> str:
        from autograd_core.rendering.player import page

        values, scene, flow = None, whole, output
        if isinstance(output, Tensor) and len(whole.boxes) < READ:
            most = max(limit, PAGE_LIMIT)
            flow = traced(output, naming, "the player", values=len(whole.boxes) <= most)
        if isinstance(flow, Flow):
            values, scene = flow.values, flow.scene if flow.passes < 2 else flow.last_pass()
        # the page folds modules itself; what has no modules is folded here
        by_modules = len(folded(scene, 0).boxes) <= PLAIN * limit
        most = max(limit, PAGE_LIMIT if by_modules else PLAIN * limit)
        shown = fitted(scene, most, depth, whole_loops=by_modules).renamed()
        return page(shown, values, _title(output), limit)

    return Drawing(shown, page_of)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for reference cycles, which would take a fifth of the time for a large graph."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _title(output: Any) -> str:
    if hasattr(output, "drawn"):
        return f"The program of {output.__name__}"
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
    if hasattr(output, "drawn"):
        return scene_of_program(output)
    raise ArgumentError(
        f"draw needs a Tensor that is the result of a computation, or a Flow, not {output!r:.60}"
    )


def _scene_of(output: Tensor, naming: Naming) -> Scene:
    node = output.node
    if node is None:
        raise GraphError(
            "draw: no operation was recorded for this Tensor. Does an input have "
            "requires_grad=True? Was the Tensor computed outside no_grad() and without detach()?"
        )
    if node.released:
        raise FreedGraphError(
            f"draw: a backward pass has already released the graph of this {node.name!r}; draw it "
            "before backward(), pass retain_graph=True to backward(), or record the gradients: "
            "with record_flow() as flow: loss.backward()"
        )
    reader = Reader(naming)
    nodes, more = nearest(node, READ)
    if len(nodes) <= RECOMPUTED:
        tensors = {found.seq: naming.tensor_of(found) for found in nodes}
        known = {seq: tensor for seq, tensor in tensors.items() if tensor is not None}
        reader.results.update(small_results(nodes, known))
    for found in sorted(nodes, key=lambda found: -found.seq):
        reader.add(found, output if found is node else None)
    scene = reader.scene()
    if more:
        words = f"Only the {READ:,} nodes nearest to the output were read; pages have no values."
        scene.heading.append(words)
    return scene


def _scene_of_failure(error: AutogradError, naming: Naming) -> Scene:
    """The scene of a failed operation: the graph of its operands, and a box for the operation."""
    if not getattr(error, "operands", None):
        raise GraphError(
            f"draw: no operation with a tracked operand raised this {type(error).__name__}"
        ) from error
    nodes = {n.seq: n for _, operand in error.operands for n in nearest(operand, READ)[0]}
    reader = Reader(naming)
    for number in sorted(nodes, reverse=True):
        reader.add(nodes[number])
    reader.add_failure(error)
    return reader.scene()
