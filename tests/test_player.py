"""The player's page, in a real browser: steps, numbers, keyboard, labels, and no network."""

import re

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.engine.state import module_scope
from autograd_core.errors import FreedGraphError
from autograd_core.rendering import draw, drawing, record_flow
from tests.pages import (
    CONTRASTS,
    data_of,
    mnist_network,
    needs_browser,
    small_network,
    state,
    title_of,
)


def numbers(page, role, of=None):
    """The numbers of one table of the panel, as the page holds them and as it writes them."""
    where = f'#panel [data-role="{role}"]' + (f'[data-of="{of}"]' if of else "")
    cells = page.query_selector_all(f"{where} :is(td, .end)")
    return [(float(cell.get_attribute("data-value")), cell.inner_text()) for cell in cells]


def agree(shown, expected):
    assert [exact for exact, _ in shown] == np.ravel(expected).tolist()
    for exact, text in shown:
        assert float(text) == pytest.approx(exact, rel=1e-5)


@needs_browser
def test_every_number_of_the_small_network_is_the_engines(opened):
    t = small_network()
    page = opened(draw(t["L"], names=t))
    t["L"].backward(retain_graph=True)
    for tensor in t.values():
        if not tensor.is_leaf:  # results: what arrives at them, by passes of their own
            probe = ac.gradients(t["L"], [tensor], retain_graph=True)[0]
            tensor.grad = probe if isinstance(probe, ac.Tensor) else ac.Tensor(probe)
    seen = {"forward": set(), "backward": set()}
    steps = int(page.get_attribute("#slider", "max"))
    assert steps == 22 + 22 + 8
    contributions = 0
    for step in range(1, steps + 1):
        page.keyboard.press("ArrowRight")
        now = state(page)
        assert now["step"] == str(step)
        name = title_of(page).split(" = ")[0]
        if now["phase"] == "forward":
            shown = numbers(page, "value", now["node"])
            assert len(shown) == 1
            if name in t:
                agree(shown, t[name].data)
                seen["forward"].add(name)
            continue
        arrived = numbers(page, "gradient", now["node"])
        if name in t:
            agree(arrived, t[name].grad.data)
            seen["backward"].add(name)
        parts = numbers(page, "contribution")
        if parts:  # accumulation is visible as a sum
            contributions += 1
            assert sum(exact for exact, _ in parts) == arrived[0][0]
        local, product = numbers(page, "local"), numbers(page, "product")
        assert len(local) == len(product)
        for (factor, _), (result, _) in zip(local, product, strict=True):
            assert arrived[0][0] * factor == pytest.approx(result, rel=1e-15)
    assert seen["forward"] == {"a1", "a2", "o1", "o2", "L"}
    assert seen["backward"] == set(t)
    assert contributions == 2  # a1 and a2, each used by both outputs
    for _ in range(steps):
        page.keyboard.press("ArrowLeft")
    assert state(page)["step"] == "0"


@needs_browser
def test_the_mnist_network_in_heat_maps(opened):
    model, loss = mnist_network()
    page = opened(draw(loss, model=model))
    loss.backward()
    page.keyboard.press("End")
    ends, labels = {}, []
    while state(page)["phase"] == "backward":
        ends[title_of(page)] = [exact for exact, _ in numbers(page, "gradient")]
        canvases = page.query_selector_all("#panel canvas")
        labels += [canvas.get_attribute("aria-label") for canvas in canvases]
        page.keyboard.press("ArrowLeft")
    for name, parameter in model.named_parameters():
        g = parameter.grad.data
        if g.size > 64:
            assert ends[name] == [g.min(), g.max()], name
        else:
            assert ends[name] == g.ravel().tolist(), name
    labels = [label for label in labels if label]  # images have one label together
    # what arrives, what flows on, two local derivatives, three factors of matrix rules
    assert len(labels) == 6 + 6 + 2 + 3
    assert all("heat-map of (" in label for label in labels)


@needs_browser
def test_keyboard_slider_and_clicks(opened):
    t = small_network()
    page = opened(draw(t["L"], names=t))
    last = page.get_attribute("#slider", "max")
    page.keyboard.press("End")
    assert state(page)["step"] == last
    assert page.is_disabled("#next")
    page.keyboard.press("Home")
    assert state(page)["step"] == "0"
    assert page.is_disabled("#back")
    page.fill("#slider", "7")
    assert state(page)["step"] == "7"
    page.focus("#slider")
    page.keyboard.press("ArrowRight")
    assert state(page)["step"] == "8"
    page.click("#last")
    assert state(page)["phase"] == "backward"
    page.click("#first")
    page.click("#fit")
    page.click('.node:has-text("o2 = sigmoid")')
    assert title_of(page) == "o2 = sigmoid"
    page.click("#play")
    page.wait_for_selector('body[data-step="17"]')
    page.keyboard.press("p")
    assert page.inner_text("#play") == "Play"


@needs_browser
def test_clusters_fold_by_mouse_and_by_keyboard(opened):
    model, loss = mnist_network()
    page = opened(draw(loss, model=model))
    whole = len(page.query_selector_all(".node"))
    page.click("#fold")
    assert len(page.query_selector_all(".node")) == 3  # Sequential, MSE, the images
    page.keyboard.press("ArrowRight")
    assert page.get_attribute(".node.current", "aria-label") == "Sequential, folded; unfold"
    page.click("#unfold")
    assert len(page.query_selector_all(".node")) == whole
    page.focus('[aria-label="Fold Linear 0"]')
    page.keyboard.press("Enter")
    assert len(page.query_selector_all(".node")) == whole - 2
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == (
        "Linear 0, folded; unfold"
    )
    page.keyboard.press("Enter")
    assert len(page.query_selector_all(".node")) == whole


@needs_browser
def test_nodes_are_found(opened):
    model, loss = mnist_network()
    page = opened(draw(loss, model=model))
    page.keyboard.press("/")
    page.keyboard.type("SIGMOID")
    assert state(page)["found"] == "2"
    assert len(page.query_selector_all(".node.found")) == 2
    assert page.text_content("#matches") == "2 of 11 match"
    page.keyboard.press("Enter")
    assert title_of(page) == "v2 = sigmoid"
    page.keyboard.press("Escape")
    assert not page.query_selector_all(".node.found")


@needs_browser
def test_words_for_screen_readers(opened):
    t = small_network()
    page = opened(draw(t["L"], names=t))
    assert page.get_attribute("#said", "aria-live") == "polite"
    page.keyboard.press("ArrowRight")
    words = "Forward, step 1 of 52: multiply computes v1 from w11 (x) and 0.6 (y)."
    assert page.text_content("#said") == words
    assert page.get_attribute("#slider", "aria-valuetext") == words
    page.keyboard.press("End")
    for _ in range(60):
        if title_of(page).startswith("a1 ="):
            break
        page.keyboard.press("ArrowLeft")
    assert re.fullmatch(
        r"Backward, step \d+ of 52: a gradient arrives at a1, the sum of 2 contributions, and "
        r"sigmoid passes it on to v3\.",
        page.text_content("#said"),
    )
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select, [role=button], canvas')].filter("
        "e => !(e.getAttribute('aria-label') || e.innerText || '').trim()).length"
    )
    assert unnamed == 0
    label = page.get_attribute(".node.current", "aria-label")
    assert label.startswith("a1 = sigmoid, scalar float64, value 0.55971")


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_can_be_read(opened, scheme):
    t = small_network()
    page = opened(draw(t["L"], names=t), color_scheme=scheme)
    assert page.get_attribute("html", "data-theme") == scheme
    page.keyboard.press("End")
    contrasts = page.evaluate(CONTRASTS)
    assert min(contrasts) >= 4.5  # WCAG 2.1, 1.4.3
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") != scheme
    assert min(page.evaluate(CONTRASTS)) >= 4.5


@needs_browser
def test_two_thousand_nodes_stay_fluid(opened):
    x = ac.Tensor(np.ones(9), True)
    for _ in range(660):
        with module_scope("Block"):
            x = ac.tanh(x * ac.Tensor(np.ones(9), True))
    page = opened(draw(x, limit=2000))
    assert len(page.query_selector_all(".node")) == 1981
    times = page.evaluate(
        """() => [...Array(40).keys()].map(i => {
          const start = performance.now();
          document.getElementById('slider').value = 800 + 20 * i;
          document.getElementById('slider').dispatchEvent(new Event('input'));
          document.body.getBoundingClientRect();
          return performance.now() - start;
        })"""
    )
    assert np.median(times) < 100  # ms: ten steps a second


@needs_browser
def test_a_flow_is_played_with_its_findings(opened):
    x = ac.Tensor(np.array([1.0, 0.0]), True, name="x")
    with record_flow(values=True) as flow, np.errstate(all="ignore"):
        ac.sqrt(x).sum().backward()
    page = opened(draw(flow))
    assert "not finite" in page.inner_text("#heading")
    page.keyboard.press("End")
    assert numbers(page, "gradient") == [(0.5, "0.5"), (np.inf, "inf")]
    assert page.query_selector(".node.alarming") is not None


@needs_browser
@pytest.mark.parametrize(
    "name",
    ['a "quoted" name', "</script><script>throw 1</script>", "Ünï ∂L/∂w 😀", "{{js}}", "a\nb"],
)
def test_nasty_names(opened, name):
    x = ac.Tensor([1.0, 2.0], True, name=name)
    result = (x * 2).sum()
    result.name = name
    with module_scope(name):
        result = result * 2
    page = opened(draw(result, names={name: result}))
    page.keyboard.press("End")
    assert title_of(page) == name.replace("\n", " ")  # as HTML shows a new line


def test_the_page_needs_no_browser_no_renderer_and_leaves_gradients_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    x = ac.Tensor([1.0, 2.0], True, name="x")
    loss = (x * x).sum()
    drawing = draw(loss)
    assert drawing.save(tmp_path / "page.html").read_text(encoding="utf-8") == drawing.html()
    assert x.grad is None
    data = data_of(drawing)
    by_title = {node["title"]: node for node in data["nodes"]}
    assert by_title["x"]["gradient"]["rows"] == [[2.0, 4.0]]
    assert by_title["multiply"]["value"]["rows"] == [[1.0, 4.0]]
    assert re.findall(r"https?://[^\"]*", drawing.html()) == ["http://www.w3.org/2000/svg"]
    loss.backward()
    with pytest.raises(FreedGraphError, match="the player"):
        drawing.html()


def test_many_results_are_played_as_their_sum():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    by_title = {node["title"]: node for node in data_of(draw(x * 3))["nodes"]}
    assert by_title["x"]["gradient"]["rows"] == [[3.0, 3.0]]


def test_a_jacobian_is_the_local_derivative_of_what_is_small():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    edges = data_of(draw((ac.matmul(matrix, x)).sum()))["edges"]
    jacobian = next(edge for edge in edges if edge["kind"] == "jacobian")
    assert np.array_equal(np.array(jacobian["local"]["rows"]).reshape(2, 2), matrix)


def test_a_folded_graph_is_played_too(monkeypatch):
    monkeypatch.setattr(drawing, "PAGE_LIMIT", 10)
    x = ac.Tensor(np.ones(3), True)
    for _ in range(50):
        x = ac.tanh(x)
    data = data_of(draw(x, limit=10))
    assert [node["title"] for node in data["nodes"]] == ["leaf", "tanh", "… 48 times more", "tanh"]
    assert len(data["forward"]) == 3
    assert len(data["backward"]) == 4
