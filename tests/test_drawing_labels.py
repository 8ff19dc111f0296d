"""Names and labels in a drawing are shown as they are."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.state import module_scope
from autograd_core.rendering import draw, record_flow
from tests.drawings import boxes, needs_renderer

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
    assert boxes(draw(result))["n0"] == ["x", "leaf · (9,) float64", "its Tensor is gone"]


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


def test_every_intermediate_of_a_scalar_graph_has_its_value_and_its_gradient():
    a, b, c = (ac.Tensor(v, True, name=n) for v, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c")))

    def loss():
        return ac.tanh((a * b + c) * 0.5 + 1)

    values = [-6.0, 4.0, 2.0, 3.0]  # and that of tanh
    shown = [lines for lines in boxes(draw(loss())).values() if lines[0] in ("multiply", "add")]
    assert [line for lines in shown for line in lines if line.startswith("value")] == [
        f"value {value:g}" for value in values
    ]
    with record_flow() as flow:
        loss().backward()
    found = boxes(draw(flow)).values()
    shown = [lines for lines in found if lines[0] in ("multiply", "add", "tanh")]
    assert all(sum(line.startswith("value ") for line in lines) == 1 for lines in shown)
    assert all(sum(line.startswith("gradient ") for line in lines) == 1 for lines in shown)
    assert [lines[0] for lines in found if "constant" in lines[1]] == ["0.5", "1"]


def test_results_are_not_recomputed_from_what_was_overwritten():
    a = ac.Tensor(2.0, True, name="a")
    result = a + ac.Tensor(3.0, True, name="b")
    out = result * 2
    with ac.no_grad():
        a += 1
    assert boxes(draw(out))["n2"] == ["add", "scalar float64"]


def test_results_are_not_recomputed_from_what_was_replaced():
    w, x = ac.Tensor(2.0, True, name="w"), ac.Tensor(3.0, True, name="x")
    out = ac.tanh(0.1 * ((w + x) + x))
    w.data = np.array(10.0)
    shown = boxes(draw(out)).values()
    assert [lines for lines in shown if lines[0] == "add"] == [["add", "scalar float64"]] * 2
    v = ac.Tensor(np.ones(2), True)
    total = ac.sum(v + 1.0)
    v.data = np.ones(3)
    assert "value 4" in boxes(draw(total))["n2"]
