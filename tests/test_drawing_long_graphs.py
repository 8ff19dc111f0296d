"""Long and deep graphs are folded when they are drawn."""

from contextlib import nullcontext

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.state import module_scope
from autograd_core.rendering import draw
from autograd_core.rendering.layout import placing
from tests.drawings import arrows, boxes, has_renderer
from tests.host import processor_seconds


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
    assert "11 boxes in 4: modules, loops and sequences are folded." in picture.dot
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


def test_where_nothing_repeats_itself_what_follows_each_other_is_folded():
    x = ac.Tensor(np.ones(9), True)
    for function in (ac.tanh, ac.exp, ac.sin, ac.sinh, ac.cos, ac.sigmoid, ac.arctan):
        x = function(x)
    picture = draw(x, limit=4)
    assert "8 boxes in 3: " in picture.dot
    assert list(boxes(picture).values()) == [
        ["4 boxes", "tanh, exp, sin, sinh", "4 operations, 9 numbers", "keeps 288 B"],
        ["2 boxes", "cos, sigmoid", "2 operations", "keeps 216 B"],
        ["arctan", "output · (9,) float64"],
    ]


def test_inputs_of_many_pieces_stand_in_one_box():
    x = weights = [ac.Tensor(np.ones(2), True) for _ in range(30)]
    for k in range(60):
        x = [*x, ac.tanh(x[k] * weights[k % 30] + x[-1])]
    assert len(draw(x[-1], limit=20).scene.boxes) <= 20


def unrolled(steps, cell):
    h = np.zeros((2, 5))
    for _ in range(steps):
        h = cell(np.ones((2, 3)), h)
    return ac.mean(h**2)


def plain_cell():
    W, U = ac.Tensor(np.ones((3, 5)), True), ac.Tensor(np.ones((5, 5)), True)
    return lambda x, h: ac.tanh(x @ W + h @ U)


@pytest.mark.parametrize("make", [lambda: nn.RNNCell(3, 5), plain_cell], ids=["module", "plain"])
def test_steps_of_an_unrolled_loop_stand_side_by_side(make):
    scene = draw(unrolled(4, make())).scene
    assert {box.turn[1] for box in scene.boxes if box.turn} == {0, 1, 2, 3}
    boxes_of = {box.id: box for box in scene.boxes}
    for arrow, attributes in zip(scene.arrows, placing(scene).attributes, strict=True):
        turns = [boxes_of[end].turn for end in (arrow.source, arrow.target)]
        beside = None not in turns and turns[0] != turns[1]
        assert (attributes == "constraint=false") == beside
    long = draw(unrolled(20, make())).scene
    assert any("18 times more" in box.title for box in long.boxes)
    assert {box.turn[1] for box in long.boxes if box.turn} == {0, 1, 19}


def test_weights_that_are_shared_without_a_loop_are_no_loop():
    layer = nn.Linear(3, 3)
    out = sum(layer(np.full((2, 3), k)) for k in range(8))
    assert all(box.turn is None for box in draw(out).scene.boxes)


@pytest.mark.parametrize("in_modules", [False, True])
def test_a_hundred_thousand_nodes_within_ten_seconds(in_modules, tmp_path):
    x = ac.Tensor(np.ones(9), True)
    for _ in range(50_000):
        with module_scope("Block") if in_modules else nullcontext():
            x = ac.tanh(x * 0.5)
    start = processor_seconds()
    drawing = draw(x)
    drawing.save(tmp_path / ("graph.svg" if has_renderer("svg") else "graph.dot"))
    assert processor_seconds() - start < 10
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
