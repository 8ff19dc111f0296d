"""A real browser that opens pages of the player, and what it reads there."""

import json
import shutil

import numpy as np
import pytest

import autograd_core as ac
import nn

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: the page is not tested in a browser"
)


@pytest.fixture(scope="module")
def browser():
    """A real Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: the page is not tested"
    )
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a drawing's page; whatever it logs, requests or throws fails the test."""
    complaints, pages = [], []

    def open_page(drawing, address="", **settings):
        path = drawing.save(tmp_path / "page.html")
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}} | settings)
        here = path.as_uri(), "data:image/svg+xml", "blob:"  # the latter two: what is saved
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(here) or complaints.append(request.url),
        )
        page.goto(path.as_uri() + address)
        page.wait_for_selector("body[data-ready]")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


def small_network():
    """Two inputs, two hidden units, two outputs, of scalars; all Tensors by name."""
    names = ["w11", "w12", "w21", "w22", "v11", "v12", "v21", "v22"]
    values = dict(zip(names, np.arange(1, 9) / 10, strict=True))
    t = {name: ac.Tensor(value, True, name=name) for name, value in values.items()}
    x1, x2 = 0.6, 0.9
    t["a1"] = ac.sigmoid(t["w11"] * x1 + t["w12"] * x2)
    t["a2"] = ac.sigmoid(t["w21"] * x1 + t["w22"] * x2)
    t["o1"] = ac.sigmoid(t["v11"] * t["a1"] + t["v12"] * t["a2"])
    t["o2"] = ac.sigmoid(t["v21"] * t["a1"] + t["v22"] * t["a2"])
    t["L"] = ((t["o1"] - 1) ** 2 + (t["o2"] - 0) ** 2) / 2
    return t


def mnist_network():
    generator = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(784, 50, generator=generator), nn.Sigmoid(),
        nn.Linear(50, 10, generator=generator), nn.Sigmoid(),
    )  # fmt: skip
    images, labels = generator.random((100, 784)), np.eye(10)[generator.integers(0, 10, 100)]
    return model, nn.MSE("batch")(model(ac.Tensor(images)), ac.Tensor(labels))


def state(page):
    return page.evaluate("({...document.body.dataset})")


def title_of(page):
    return page.inner_text("#panel h2")


def go_to(page, phase, title):
    """Step forward to the step of a phase with this title."""
    for _ in range(200):
        if state(page)["phase"] == phase and title_of(page) == title:
            return
        page.keyboard.press("ArrowRight")
    raise AssertionError(f"no step {phase} of {title}")


def data_of(drawing):
    """The data that a drawing's page contains."""
    text = drawing.html()
    start = text.index('type="application/json">') + len('type="application/json">')
    return json.loads(text[start : text.index("</script>", start)])


# of every text on the page to what is behind it
CONTRASTS = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const found = [];
  for (const node of document.querySelectorAll('.node')) {
    const back = light(getComputedStyle(node.querySelector('rect')).fill);
    for (const text of node.querySelectorAll('text')) {
      if (getComputedStyle(text).visibility === 'hidden') continue;
      found.push(ratio(light(getComputedStyle(text).fill), back));
    }
  }
  const paper = light(getComputedStyle(document.querySelector('aside')).backgroundColor);
  const words = 'aside p, aside h2, aside h3, #said, #heading *, #count';
  for (const text of document.querySelectorAll(words)) {
    found.push(ratio(light(getComputedStyle(text).color), paper));
  }
  return found;
}"""
