"""What the player's page shows: images, matrix rules, results, the gradients of a flow."""

import re

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.rendering import draw, explain, record_flow
from tests.pages import data_of, go_to, mnist_network, needs_browser, small_network, state


def by_title(data):
    return {node["title"]: node for node in data["nodes"]}


@needs_browser
def test_the_page_of_a_flow_shows_the_flow(opened):
    model, loss = mnist_network()
    with record_flow(model) as flow:
        loss.backward()
    drawing = draw(flow)
    data = data_of(drawing)
    assert len(data["backward"]) == 9
    assert sum(edge["passed"] for edge in data["edges"]) == 8
    page = opened(drawing, "#step=6")
    assert state(page)["phase"] == "backward"
    page.keyboard.press("End")
    assert len(page.query_selector_all(".node.shaded")) == 9
    assert "gradient rms" in page.inner_text("#panel")
    assert page.is_visible(".node.arrived .flow")


def test_every_result_of_a_drawn_tensor_is_there():
    model, loss = mnist_network()
    data = data_of(draw(loss, model=model))
    operations = [node for node in data["nodes"] if node["kind"] in ("operation", "output")]
    assert all(node["value"] is not None for node in operations)
    x = ac.Tensor(np.arange(200.0).reshape(20, 10), True)
    y = ac.sum(ac.transpose(x, (1, 0))[2:] * 2.0, axis=1)
    z = ac.sum(y * y)
    found = {node["title"]: node["value"] for node in data_of(draw(z))["nodes"]}
    assert found["transpose"]["ends"] == [0.0, 199.0]
    assert found["getitem"]["ends"] == [2.0, 199.0]


def test_digits_and_weights_are_images():
    model, loss = mnist_network()
    data = data_of(draw(loss, model=model))
    nodes = by_title(data)
    digits = data["nodes"][0]["value"]["images"]
    weights = nodes["0.weight"]["value"]["images"]
    assert np.shape(digits) == np.shape(weights) == (12, 28, 28)
    first = model[0].weight.data[0].reshape(28, 28)
    np.testing.assert_allclose(weights[0], first, rtol=5e-3)
    assert nodes["2.weight"]["value"]["images"] == []
    assert np.shape(nodes["0.weight"]["gradient"]["images"]) == (12, 28, 28)
    small = data_of(draw(ac.sum(ac.Tensor(np.ones((3, 8, 9)), True) ** 2)))
    assert np.shape(by_title(small)["leaf"]["value"]["images"]) == (3, 8, 9)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (70,), (70, 70), (2, 70, 70), (65, 3)])
def test_arrays_without_images(shape):
    x = ac.Tensor(np.ones(shape), True, name="x")
    assert by_title(data_of(draw(ac.sum(ac.exp(x)))))["x"]["value"]["images"] == []


@needs_browser
def test_the_rule_of_a_linear_layer_with_its_matrices(opened):
    model = nn.Linear(3, 2)
    model.weight.data = np.arange(6.0).reshape(2, 3)
    loss = nn.MSE()(model(np.ones((4, 3))), np.zeros((4, 2)))
    page = opened(draw(loss, model=model))
    go_to(page, "backward", "v1 = linear")
    text = page.inner_text("#panel")
    assert "δW = δᵀ x" in text
    assert "δb = the sum of the rows of δ" in text
    factor = page.query_selector('#panel [data-role="factor"] table')
    assert factor.inner_text().split() == ["1"] * 12


@needs_browser
def test_a_sum_names_the_operations_that_contribute(opened):
    """With the page alone, the gradient of a hidden unit is the sum over its two paths."""
    t = small_network()
    page = opened(draw(t["L"], names=t))
    go_to(page, "backward", "a1 = sigmoid")
    text = page.inner_text("#panel")
    assert "from multiply #5 (v11 · a1)" in text
    assert "from multiply #7 (v21 · a1)" in text
    terms = page.eval_on_selector_all(
        '#panel [data-role="contribution"] td', "all => all.map(cell => Number(cell.dataset.value))"
    )
    t["a1"].retain_grad()
    t["L"].backward()
    assert sum(terms) == t["a1"].grad.item()


@needs_browser
def test_formulas_have_the_symbols_of_explain(opened, capsys):
    t = small_network()
    explain(t["L"], names=t)
    said = capsys.readouterr().out
    page = opened(draw(t["L"], names=t))
    go_to(page, "backward", "a1 = sigmoid")
    formulas = [line for line in page.inner_text("#panel").splitlines() if "· ∂" in line]
    assert len(formulas) == 3
    assert all(formula in said for formula in formulas), (formulas, said)
    page.keyboard.press("ArrowLeft")
    assert re.search(r"∂L/∂v\d+", page.inner_text("#panel"))
    assert re.search(r"v\d+ = multiply", page.text_content("#graph"))


@needs_browser
def test_the_target_and_the_outputs_of_the_first_digit_are_bars(opened):
    model, loss = mnist_network()
    page = opened(draw(loss, model=model))
    go_to(page, "forward", "L = squared_error")
    bars = "#panel [data-role=operand] .bars rect"
    shown = page.eval_on_selector_all(bars, "all => all.map(e => Number(e.dataset.value))")
    data = data_of(draw(loss, model=model))
    outputs = next(n["value"] for n in data["nodes"] if n["symbol"] == "v4")
    assert shown[:10] == outputs["first"]
    assert sorted(shown[10:]) == [0.0] * 9 + [1.0]
    heights = page.eval_on_selector_all(bars, "all => all.map(e => e.getBBox().height)")
    assert heights[10:][shown[10:].index(1.0)] == 56
    assert "means of blocks" in page.inner_text("#panel")  # 100 rows


def test_gradients_are_no_lines_that_show_before_the_pass():
    model, loss = mnist_network()
    loss.backward(retain_graph=True)
    nodes = by_title(data_of(draw(loss, model=model)))
    assert not any("gradient" in line for node in nodes.values() for line in node["lines"]
                   if not line.startswith("no gradient"))  # fmt: skip
    assert nodes["0.weight"]["flow"][0].startswith("‖gradient‖ ")


@needs_browser
def test_a_deep_model_starts_folded_and_opens(opened):
    layers = [nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(30)]
    model = nn.Sequential(*layers)
    page = opened(draw(ac.sum(model(np.ones((2, 4)))), model=model))
    assert 30 <= len(page.query_selector_all(".node")) <= 60
    page.click("#unfold")
    assert len(page.query_selector_all(".node")) == 30 * 4 + 2


@needs_browser
def test_a_narrow_page_does_not_scroll_sideways(opened):
    t = small_network()
    page = opened(draw(t["L"], names=t))
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.querySelector('.tools').scrollWidth") > 390


@needs_browser
def test_folded_modules_are_reached_and_opened_by_the_keyboard(opened):
    layers = [nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(30)]
    model = nn.Sequential(*layers)
    page = opened(draw(ac.sum(model(np.ones((2, 4)))), model=model))
    boxes = len(page.query_selector_all(".node"))
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.node.folded')"):
            break
    page.keyboard.press("Enter")
    assert len(page.query_selector_all(".node")) > boxes
    page.focus('[aria-label="Fold Sequential"]')
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('.node.folded')")
    x, y = page.evaluate(
        "(() => { const b = document.activeElement.getBoundingClientRect(); return [b.x, b.y]; })()"
    )
    assert 0 < x < 1280
    assert 0 < y < 800


def test_the_page_of_a_long_graph_without_modules_is_folded():
    x = ac.Tensor(np.ones(3), True)
    for i in range(700):
        x = (ac.tanh, ac.sin, ac.arctan, ac.cos)[i * i % 7 % 4](x * 0.5) + i
    data = data_of(draw(ac.sum(x)))
    assert len(data["nodes"]) <= 300
    assert len(data["backward"]) == len(data["nodes"])
