"""Finds and runs Graphviz, which turns DOT text into a picture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

from autograd_core.errors import AutogradError

INSTALL = "pip install 'autograd-core[graph]'"


class RendererError(AutogradError, RuntimeError):
    """No renderer for the format is installed, or the renderer failed.

    It is raised by ``Drawing.svg``, and by ``Drawing.save`` for pictures. DOT text and HTML pages
    need no renderer.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import RendererError, draw
    >>> drawing = draw(ac.Tensor(3.0, requires_grad=True) * 2)
    >>> try:
    ...     path = drawing.save("graph.svg")
    ... except RendererError:
    ...     path = drawing.save("graph.dot")
    >>> path.stem
    'graph'
    """


def find_renderer(format: str) -> str:
    """The program that turns DOT into `format` (``"svg"``, ``"png"``, ``"pdf"``).

    Graphviz's own ``dot`` is preferred. ``graphviz-pure`` is a single program from the Python
    package index, which cannot write PDF. If no program is found, raises RendererError, which says
    what to install.
    """
    # the programs of an environment that is not activated are not on PATH
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")])
    dot = shutil.which("dot", path=path)
    pure = shutil.which("graphviz-pure", path=path)
    if dot:
        return dot
    if pure and format != "pdf":
        return pure
    if pure:
        raise RendererError(
            "PDF needs Graphviz's own dot, which is not installed (apt install graphviz, or brew "
            "install graphviz); the renderer found here, graphviz-pure, writes .svg and .png"
        )
    raise RendererError(
        f"no Graphviz renderer was found for {format.upper()}. Install one with: {INSTALL} "
        "(or your system's graphviz); pages (.html) and .dot files need no renderer"
    )


def render(dot: str, format: str) -> bytes:
    """The picture of a DOT text. Raises RendererError if the renderer is missing or fails."""
    program = find_renderer(format)
    command = [program, f"-T{format}"]
    if format == "png":
        command.append("-Gdpi=144")
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, check=False)
    except OSError as error:
        raise RendererError(f"{program} could not be started: {error}") from error
    if done.returncode != 0 or not done.stdout:
        complaint = done.stderr.decode(errors="replace").strip()[-500:]
        raise RendererError(f"{program} failed with exit status {done.returncode}: {complaint}")
    return done.stdout
