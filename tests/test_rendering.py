"""Drawings: what stands in the DOT text, what can be saved, and what is refused."""

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from contextlib import nullcontext
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.state import module_scope
from autograd_core.errors import AutogradError, FreedGraphError, GraphError
from autograd_core.rendering import Drawing, FormatError, RendererError, draw, drawing, renderer

ROOT = Path(__file__).parent.parent


def has_renderer(format):
    try:
        renderer.find_renderer(format)
    except RendererError:
        return False
    return True


needs_renderer = pytest.mark.skipif(
    not has_renderer("svg"), reason="neither dot nor graphviz-pure is installed: no SVG is checked"
)


def words(label):
    """The lines of an HTML-like label, as a person reads them."""
    lines = re.split(r"<BR[^>]*>|</TR>", label)
    lines = [unescape(re.sub(r"<[^>]*>", "", line)).replace("\\\\", "\\") for line in lines]
    return [line.strip("\xa0 ") for line in lines if line.strip("\xa0 ")]


def boxes(picture):
    """The lines of each box by its id."""
    found = re.findall(r"^\t+(\w+) \[id=.*?label=<(.*)>, tooltip=", picture.dot, re.MULTILINE)
    return {id_: words(label) for id_, label in found}


def arrows(picture):
    """(source, target, label lines) of each arrow, ends by the titles of their boxes."""
    titles = {id_: lines[0] for id_, lines in boxes(picture).items()}
    found = re.findall(
        r'^\t(\w+) -> (\w+) \[id="\w+"(?:, label=<(.*?)>)?, weight', picture.dot, re.MULTILINE
    )
    return [(titles[source], titles[target], words(label)) for source, target, label in found]


def classes(picture):
    return dict(re.findall(r'(\w+) \[id="\w+", class="(\w+)"', picture.dot))


@pytest.fixture
def network():
    generator = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(784, 50, generator=generator),
        nn.Sigmoid(),
        nn.Linear(50, 10, generator=generator),
        nn.Sigmoid(),
    )
    images = ac.Tensor(generator.random((100, 784)), name="unused: inputs have no node")
    labels = np.eye(10)[generator.integers(0, 10, 100)]
    return model, images, nn.MSE("batch")(model(images), ac.Tensor(labels))


# ---- what a drawing shows ------------------------------------------------------------------------


def test_the_network_of_the_lecture(network):
    model, images, loss = network
    picture = draw(loss, model=model, names={"images": images, "loss": loss})
    titles = {lines[0]: lines[1:] for lines in boxes(picture).values()}
    assert titles["0.weight"] == ["parameter · (50, 784) float64"]
    assert titles["2.bias"] == ["parameter · (10,) float64"]
    assert titles["images"] == ["no gradient · (100, 784) float64"]
    assert titles["loss = squared_error"][0] == "output · scalar float64"
    found = arrows(picture)
    assert ("0.weight", "linear", ["weight", "keeps x, 627 kB"]) in found
    assert ("linear", "sigmoid", ["keeps x, out, 80 kB"]) in found
    assert ("0.bias", "linear", ["bias"]) in found
    assert ("images", "linear", ["x"]) in found
    # inputs 627,200 + weight 4,000 + labels 8,000 bytes; hidden 40,000 and outputs 8,000 twice, as
    # a sigmoid keeps its operand and its result
    assert "5 operations, 4 leaves (39,760 numbers), 735 kB kept for backward()" in picture.dot


def test_calls_of_modules_are_nested_clusters(network):
    model, _, loss = network
    text = draw(loss, model=model).dot
    kinds, depth = [], 0
    for line in text.splitlines():
        if "subgraph" in line:
            depth += 1
        elif line.strip() == "}":
            depth -= 1
        label = re.search(r'\[id="c\d+", label=<(.*?)>, style', line)
        if label:
            kinds.append((depth, "".join(words(label[1])).replace("\xa0", "")))
    assert kinds == [
        (1, "Sequential"), (2, "Linear 0"), (2, "Sigmoid"), (2, "Linear 2"), (2, "Sigmoid"),
        (1, "MSE"),
    ]  # fmt: skip
    assert text.count("{") == text.count("}")


def test_a_shared_parameter_stands_where_all_its_users_are():
    layer = nn.Linear(3, 3)
    model = nn.Sequential(layer, layer)
    text = draw(model(np.ones((2, 3))).sum(), model=model).dot
    weight = next(line for line in text.splitlines() if "0.weight" in line)
    assert weight.startswith("\t\tn")  # in Sequential, in neither of the two Linear calls


def test_scalars_show_value_and_gradient():
    a, b = ac.Tensor(2.0, True, name="a"), ac.Tensor(-3.0, True, name="b")
    product = a * b
    result = ac.exp(product + 1)
    product.retain_grad()
    result.backward(retain_graph=True)
    lines = {found[0]: found[1:] for found in boxes(draw(result)).values()}
    assert lines["a"] == ["leaf · scalar float64", "value 2", "gradient -0.02021"]
    assert lines["b"] == ["leaf · scalar float64", "value -3", "gradient 0.01348"]
    assert lines["multiply"] == ["scalar float64", "value -6", "gradient 0.006738"]
    assert lines["exp"] == ["output · scalar float64", "value 0.006738"]
    assert ("a", "multiply", ["x", "keeps y, 8 B"]) in arrows(draw(result))
    assert ("multiply", "add", []) in arrows(draw(result))


def test_a_big_gradient_shows_its_norm():
    x = ac.Tensor(np.ones(100), True, name="x")
    (x * 3.0).sum().backward()
    assert boxes(draw(x))["n0"] == ["x", "leaf · (100,) float64", "‖gradient‖ 30"]


@pytest.mark.parametrize(
    ("gradient", "shown"),
    [(np.full(9, 1e300), "3e+300"), (np.full(9, np.nan), "nan"), (np.full(9, -np.inf), "inf")],
)
def test_norms_neither_overflow_nor_fail(gradient, shown):
    x = ac.Tensor(np.ones(9), True, name="x")
    x.grad = ac.Tensor(gradient)
    assert boxes(draw(x))["n0"][-1] == f"‖gradient‖ {shown}"


def test_settings_and_plain_numbers_stand_in_the_operation():
    x = ac.Tensor(np.ones((4, 6)), True)
    found = boxes(draw(ac.sum(ac.power(x, 3)[1:, ::2], axis=0).sum()))
    assert "y = 3" in found["n1"]
    assert "index = [1:, ::2]" in found["n2"]
    assert "axis = 0" in found["n3"]


def test_operands_of_a_list_are_numbered_and_values_keep_their_shape():
    x, y = ac.Tensor([[1.0, 2.5]], True, name="x"), ac.Tensor([[3.0, 4.0]], True, name="y")
    picture = draw(ac.concatenate([x, y]))
    assert arrows(picture) == [
        ("x", "concatenate", ["arrays[0]"]),
        ("y", "concatenate", ["arrays[1]"]),
    ]
    assert boxes(picture)["n2"][-1] == "value [[1, 2.5], [3, 4]]"


def test_a_gradient_graph_of_higher_order():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    picture = draw(first, names={"3x²": first})
    assert [lines[0] for lines in boxes(picture).values()][-1] == "3x² = multiply"
    assert "output · (2,) float64" in boxes(picture)["n3"]
    x.grad = None
    first.sum().backward(create_graph=True)
    assert len(boxes(draw(x.grad))) >= 3


def test_one_box_however_often_an_input_is_used_and_two_arrows_for_two_edges():
    x, data = ac.Tensor(np.ones(9), True, name="x"), ac.Tensor(np.ones(9))
    picture = draw((x * data + x * data) * x, names={"data": data})
    assert [lines[0] for lines in boxes(picture).values()].count("data") == 1
    assert [arrow[:2] for arrow in arrows(picture)].count(("data", "multiply")) == 2
    square = draw(x * x)
    assert [arrow[:2] for arrow in arrows(square)] == [("x", "multiply")] * 2


def test_kinds_differ_in_outline_and_in_words(network):
    model, images, loss = network
    picture = draw(loss, model=model, names={"images": images})
    styles = dict(re.findall(r'class="(\w+)", (.*?), fillcolor', picture.dot))
    assert set(styles) == {"input", "parameter", "operation", "output"}
    assert len(set(styles.values())) == 4


def test_the_same_program_gives_the_same_text():
    def text():
        x = ac.Tensor([1.0, 2.0], True, name="x")
        return draw(ac.tanh(x * 2).sum()).dot

    assert text() == text()


# ---- names and labels ----------------------------------------------------------------------------

NASTY = [
    'a "quoted" name',
    "<B>bold</B> & &amp; &lt; </TABLE>>",
    r"C:\new\N \n \l \\ \G",
    "Ünïcode ∂L/∂w 重み 😀 --> //",
    "}; n0 -> n0 [label=<",
    "",
]


@pytest.mark.parametrize("name", NASTY)
def test_labels_are_shown_as_they_are(name):
    x = ac.Tensor(np.ones(9), True, name=name)
    assert boxes(draw(ac.exp(x)))["n0"][0] == (name or "Tensor")


def test_lines_and_unprintable_characters_in_a_name():
    picture = draw(ac.Tensor(np.ones(9), True, name="one\r\ntwo\x00\udc80"))
    assert boxes(picture)["n0"][:2] == ["one", r"two\x00\udc80"]


@needs_renderer
@pytest.mark.parametrize("name", [*NASTY[:-1], "one\ntwo\x07\ud800"])
def test_labels_survive_the_renderer(name):
    x = ac.Tensor(np.ones(9), True, name=name)
    with module_scope(name):
        result = ac.exp(x) * 2
    shown = "".join(ElementTree.fromstring(draw(result).svg()).itertext())
    expected = name.replace("\n", "").replace("\x07", r"\x07").replace("\ud800", r"\ud800")
    assert re.sub(r"\s", "", shown).count(re.sub(r"\s", "", expected)) == 2


def test_long_names_are_shortened_and_kept_in_the_tooltip():
    picture = draw(ac.Tensor(np.ones(9), True, name="x" * 200))
    assert boxes(picture)["n0"][0] == "x" * 47 + "…"
    assert f'tooltip="leaf {"x" * 200}"' in picture.dot


def test_a_leaf_whose_tensor_is_gone():
    result = ac.exp(ac.Tensor(np.ones(9), True, name="x"))
    assert boxes(draw(result))["n0"] == ["leaf", "leaf · (9,) float64", "its Tensor is gone"]


def test_a_name_twice_gives_two_boxes():
    x, y = ac.Tensor(np.ones(9), True, name="w"), ac.Tensor(np.ones(9), True, name="w")
    assert [lines[0] for lines in boxes(draw(x * y)).values()] == ["w", "w", "multiply"]


def test_given_names_come_first_then_the_model_then_the_tensor():
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    model[0].weight.name = "own"
    result = model(np.ones((1, 2)))
    for given, expected in [
        ({}, "own"),
        ({"model": model}, "0.weight"),
        ({"model": model, "names": {"W": model[0].weight}}, "W"),
    ]:
        assert expected in [lines[0] for lines in boxes(draw(result, **given)).values()]


# ---- long and deep graphs ------------------------------------------------------------------------


def chain(length):
    x = ac.Tensor(np.ones(9), True)
    for _ in range(length):
        x = ac.tanh(x)
    return x


def test_over_the_limit_what_repeats_itself_is_folded_and_the_label_says_so():
    picture = draw(chain(10), limit=4)
    assert [lines[0] for lines in boxes(picture).values()] == [
        "leaf", "tanh", "… 8 times more", "tanh",
    ]  # fmt: skip
    assert boxes(picture)["n2"][1:] == ["tanh", "8 operations", "keeps 648 B"]
    assert [ends[:2] for ends in arrows(picture)] == [
        ("leaf", "tanh"), ("tanh", "… 8 times more"), ("… 8 times more", "tanh"),
    ]  # fmt: skip
    assert "11 boxes in 4: calls of modules and repetitions are folded." in picture.dot
    assert "folded" not in draw(chain(10), limit=11).dot


def test_a_repetition_of_several_operations_takes_its_leaves_along():
    x = ac.Tensor(np.ones(9), True)
    for _ in range(30):
        x = ac.tanh(x * ac.Tensor(np.ones(9), True) + 1)
    picture = draw(x, limit=20)
    titles = [lines[0] for lines in boxes(picture).values()]
    once = ["multiply", "add", "tanh"]
    assert [t for t in titles if t != "leaf"] == [*once, "… 28 times more", *once]
    assert boxes(picture)[f"n{titles.index('… 28 times more')}"][2] == "84 operations, 252 numbers"


def test_a_repetition_of_modules_counts_what_is_in_them():
    x = ac.Tensor(np.ones(9), True)
    for _ in range(30):
        with module_scope("Block"):
            x = ac.tanh(x * ac.Tensor(np.ones(9), True))
    picture = draw(x, limit=12)
    folded = next(lines for lines in boxes(picture).values() if "times more" in lines[0])
    # 28 times two operations and nine weights; each keeps x, the weights and what tanh returned,
    # which is the next one's x
    assert folded == ["… 28 times more", "Block", "56 operations, 252 numbers", "keeps 6.1 kB"]


def test_where_nothing_repeats_itself_the_nearest_boxes_are_drawn():
    x = ac.Tensor(np.ones(9), True)
    for function in (ac.tanh, ac.exp, ac.sin, ac.sinh, ac.cos, ac.sigmoid, ac.arctan):
        x = function(x)
    picture = draw(x, limit=4)
    assert "Only the 4 boxes nearest to the output are drawn, of 8." in picture.dot
    assert boxes(picture)["omitted"] == ["…", "4 more boxes"]
    assert [lines[0] for lines in boxes(picture).values()] == [
        "…",
        "sinh",
        "cos",
        "sigmoid",
        "arctan",
    ]
    assert arrows(picture)[-1][:2] == ("…", "sinh")


def test_calls_of_modules_fold_to_a_depth(network):
    model, _, loss = network
    whole, one, none = (draw(loss, model=model, depth=d) for d in (2, 1, 0))
    assert [lines[0] for lines in boxes(none).values()] == ["input", "Sequential", "input", "MSE"]
    assert boxes(none)["n0"][1] == "4 operations, 39,760 numbers"
    inner = [lines[0] for lines in boxes(one).values() if lines[0] != "input"]
    assert inner == ["Linear 0", "Sigmoid", "Linear 2", "Sigmoid", "squared_error"]
    assert one.dot.count("subgraph") == 2
    assert whole.dot.count("subgraph") == draw(loss, model=model).dot.count("subgraph") == 6
    with pytest.raises(AutogradError, match="0 or more"):
        draw(loss, depth=-1)


@pytest.mark.parametrize("in_modules", [False, True])
def test_a_hundred_thousand_nodes_within_ten_seconds(in_modules, tmp_path):
    x = ac.Tensor(np.ones(9), True)
    for _ in range(50_000):
        with module_scope("Block") if in_modules else nullcontext():
            x = ac.tanh(x * 0.5)
    start = time.perf_counter()
    drawing = draw(x)
    drawing.save(tmp_path / ("graph.svg" if has_renderer("svg") else "graph.dot"))
    assert time.perf_counter() - start < 10
    assert "100,001 boxes in" in drawing.dot


def test_two_thousand_nested_modules():
    x = chain(5_000)
    scopes = [module_scope("Deep") for _ in range(2000)]
    for scope in scopes:
        scope.__enter__()
    x = ac.tanh(x)
    for scope in reversed(scopes):
        scope.__exit__(None, None, None)
    text = draw(x).dot
    assert text.count("subgraph") == 2000
    assert text.count("{") == text.count("}")
    assert "5,002 boxes in" in text


@needs_renderer
def test_speed(network, tmp_path):
    model, _, loss = network
    start = time.perf_counter()
    draw(loss, model=model).save(tmp_path / "network.svg")
    assert time.perf_counter() - start < 0.5
    x = ac.Tensor(np.ones(9), True)
    for _ in range(333):
        with module_scope("Block"):
            x = ac.tanh(x * ac.Tensor(np.ones(9), True))
    start = time.perf_counter()
    draw(x).save(tmp_path / "thousand.svg")
    assert time.perf_counter() - start < 2


# ---- what is refused -----------------------------------------------------------------------------


def test_graphs_that_cannot_be_drawn():
    x = ac.Tensor(np.ones(9), True)
    with pytest.raises(GraphError, match="requires_grad=True"):
        draw(ac.Tensor([1.0]))
    loss = ac.tanh(x).sum()
    loss.backward()
    with pytest.raises(FreedGraphError, match="retain_graph=True"):
        draw(loss)


def test_a_part_that_was_released_is_marked():
    x = ac.Tensor(np.ones(9), True)
    shared = ac.tanh(x)
    shared.sum().backward()
    assert "released by an earlier backward()" in boxes(draw(shared * 2))["n0"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limit": 0}, "at least 1"),
        ({"limit": 2.5}, "at least 1"),
        ({"depth": "all"}, "0 or more"),
        ({"model": 3}, "named_parameters"),
        ({"names": {"x": "not a Tensor"}}, "'x' is a str"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(AutogradError, match=message):
        draw(ac.Tensor([1.0], True), **settings)
    with pytest.raises(AutogradError, match="needs a Tensor"):
        draw(np.ones(3))


# ---- saving and showing --------------------------------------------------------------------------


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
    with pytest.raises(RendererError, match=r"pip install autograd-core\[graph\]"):
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
    with pytest.raises(ImportError, match=r"pip install autograd-core\[graph\]"):
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
