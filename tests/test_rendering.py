"""Drawings: what stands in the DOT text, and what is refused."""

import re

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.state import module_scope
from autograd_core.errors import AutogradError, FreedGraphError, GraphError
from autograd_core.rendering import draw
from tests.drawings import arrows, boxes, needs_renderer, words
from tests.host import processor_seconds


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
        (1, "Sequential"), (2, "Linear 0"), (2, "Sigmoid 1"), (2, "Linear 2"), (2, "Sigmoid 3"),
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


def test_calls_of_modules_fold_to_a_depth(network):
    model, _, loss = network
    whole, one, none = (draw(loss, model=model, depth=d) for d in (2, 1, 0))
    assert [lines[0] for lines in boxes(none).values()] == ["input", "Sequential", "MSE"]
    assert boxes(none)["n0"][1:3] == ["(100, 784) → (100, 10)", "4 operations, 39,760 numbers"]
    inner = [lines[0] for lines in boxes(one).values() if lines[0] != "input"]
    assert inner == ["Linear 0", "Sigmoid 1", "Linear 2", "Sigmoid 3", "squared_error"]
    assert one.dot.count("subgraph") == 2
    assert whole.dot.count("subgraph") == draw(loss, model=model).dot.count("subgraph") == 6
    with pytest.raises(AutogradError, match="0 or more"):
        draw(loss, depth=-1)


@needs_renderer
def test_speed(network, tmp_path):
    model, _, loss = network
    start = processor_seconds()
    draw(loss, model=model).save(tmp_path / "network.svg")
    assert processor_seconds() - start < 0.5
    x = ac.Tensor(np.ones(9), True)
    for _ in range(333):
        with module_scope("Block"):
            x = ac.tanh(x * ac.Tensor(np.ones(9), True))
    start = processor_seconds()
    draw(x).save(tmp_path / "thousand.svg")
    assert processor_seconds() - start < 2


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
