"""A drawing is saved and shown, with a renderer and without one."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.rendering import Drawing, FormatError, RendererError, draw, drawing, renderer
from tests.drawings import boxes, has_renderer, needs_renderer

ROOT = Path(__file__).parent.parent


@pytest.fixture
def small():
    return draw(ac.tanh(ac.Tensor(np.ones(9), True, name="x")))


@pytest.fixture
def no_renderer(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(renderer.sysconfig, "get_path", lambda name: str(tmp_path))


@pytest.mark.parametrize("name", ["graph.dot", "graph.gv", "GRAPH.DOT"])
def test_text_is_saved_without_a_renderer(small, tmp_path, no_renderer, name):
    path = small.save(str(tmp_path / name))
    assert path == tmp_path / name
    assert path.read_text(encoding="utf-8") == small.dot == str(small)
    assert list(tmp_path.iterdir()) == [path]


@needs_renderer
def test_pictures(small, tmp_path):
    svg = ElementTree.parse(small.save(tmp_path / "graph.svg"))
    ids = {element.get("id") for element in svg.iter()}
    assert {"n0", "n1", "e0"} <= ids
    assert small.save(tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert small._repr_mimebundle_()["image/svg+xml"] == small._repr_svg_()


def test_pdf(small, tmp_path):
    if has_renderer("pdf"):
        assert small.save(tmp_path / "graph.pdf").read_bytes().startswith(b"%PDF")
    else:
        with pytest.raises(RendererError, match="install"):
            small.save(tmp_path / "graph.pdf")
        assert list(tmp_path.iterdir()) == []


def test_a_missing_renderer_is_named_with_the_command_that_installs_it(
    small, tmp_path, no_renderer
):
    with pytest.raises(RendererError, match=r"pip install 'autograd-core\[graph\]'"):
        small.save(tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == []
    shown = small._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "pip install" in shown["text/plain"]


@pytest.mark.parametrize("name", ["graph", "graph.jpeg", ".svg", "graph.svg.gz"])
def test_an_unknown_suffix(small, tmp_path, name):
    with pytest.raises(FormatError, match=r"\.dot, \.gv, \.svg, \.png, \.pdf, \.html"):
        small.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(small, tmp_path):
    with pytest.raises(FileNotFoundError, match="cannot save a drawing"):
        small.save(tmp_path / "missing" / "graph.dot")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="cannot save a drawing"):
        small.save(tmp_path / "file" / "graph.dot")
    (tmp_path / "folder.dot").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        small.save(tmp_path / "folder.dot")


def test_a_failure_leaves_the_old_file_and_nothing_else(small, tmp_path, monkeypatch):
    def fails(dot, format):
        raise RendererError("planted")

    monkeypatch.setattr(drawing, "find_renderer", lambda _: "dot")
    monkeypatch.setattr(drawing, "render", fails)
    (tmp_path / "graph.svg").write_text("old")
    with pytest.raises(RendererError, match="planted"):
        small.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("script", ["echo broken >&2; exit 3", "exit 0"])
def test_a_renderer_that_fails(small, tmp_path, no_renderer, script):
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(RendererError, match=r"exit status (3: broken|0)"):
        small.save(tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == [program]


def test_digraph_has_the_same_text(small):
    graphviz = pytest.importorskip("graphviz", reason="the package graphviz is not installed")
    assert isinstance(small.digraph, graphviz.Digraph)
    assert small.digraph.source == small.dot
    small.digraph.node("added")
    assert "added" not in small.dot


def test_digraph_without_the_package(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"pip install 'autograd-core\[graph\]'"):
        _ = small.digraph


def test_drawing_imports_no_package():
    code = (
        "import sys, autograd_core as ac; from autograd_core.rendering import draw;"
        "draw(ac.Tensor([1.0], True)).dot; print('graphviz' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


def test_drawing_says_what_it_is(small):
    assert isinstance(small, Drawing)
    assert repr(small) == "<Drawing with 1 edges; .save(path), .dot or .svg() shows it>"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_drawn(bad, tmp_path):
    x = ac.Tensor([1.0, bad], True, name="x")
    drawing = draw(x * 2)
    assert boxes(drawing)["n0"][2] == f"value [1, {bad}]"
    for suffix in ("html", "svg") if has_renderer("svg") else ("html",):
        path = drawing.save(tmp_path / f"graph.{suffix}")
        assert str(bad).strip("-") in path.read_text(encoding="utf-8")
