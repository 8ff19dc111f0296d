"""The pictures of twenty graphs in a real browser: text stays in its box, shapes are moderate."""

import re
import subprocess
from time import perf_counter

import pytest

from autograd_core.rendering import draw
from autograd_core.rendering.metrics import FAMILY, text_width
from tests.drawings import needs_renderer
from tests.pages import needs_browser
from tests.pictures import GRAPHS

pytestmark = [needs_renderer, needs_browser]

# the texts that leave their box, or the picture, by more than half a point
OUTSIDE = """() => {
  const found = [];
  const whole = document.documentElement.getBoundingClientRect();
  const check = (texts, box) => {
    for (const text of texts) {
      if (!text.textContent.trim()) continue;
      const t = text.getBoundingClientRect();
      if (t.left < box.left - 0.7 || t.right > box.right + 0.7 || t.top < box.top - 0.7 ||
          t.bottom > box.bottom + 0.7) found.push(text.textContent);
    }
  };
  for (const group of document.querySelectorAll("g.node, g.cluster")) {
    const outline = group.querySelector("polygon, path");
    check(group.querySelectorAll("text"), outline.getBoundingClientRect());
  }
  check(document.querySelectorAll("text"), whole);
  return found;
}"""


def has_font(name):
    listed = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=False)
    return name in listed.stdout


@pytest.fixture(scope="module")
def page(browser):
    return browser.new_page(viewport={"width": 1280, "height": 800})


@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_text_stays_in_its_box_and_the_shape_is_moderate(build, page, tmp_path):
    output, model = build()
    start = perf_counter()
    svg = draw(output, model=model).svg()
    assert perf_counter() - start < (5 if build.__name__ == "ten_thousand" else 2) * 4  # busy
    for font in ("DejaVu Sans", "Liberation Sans"):
        if not has_font(font):
            continue
        path = tmp_path / "picture.svg"
        path.write_text(svg.replace(FAMILY, f"{font}"), encoding="utf-8")
        page.goto(path.as_uri())
        assert page.evaluate(OUTSIDE) == [], font
    width, height = (
        float(size) for size in re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', svg).groups()
    )
    assert 1 / 3 <= height / width <= 3


def test_an_alarm_is_not_cut_off(page, tmp_path):
    import nn
    from tests.flows import deep, flow_of

    flow = flow_of(deep(nn.Sigmoid))
    path = draw(flow).save(tmp_path / "picture.svg")
    page.goto(path.as_uri())
    assert page.evaluate(OUTSIDE) == []
    assert "falls from" in page.inner_html("svg")


def test_the_width_of_a_text_is_that_of_dejavu_sans(page):
    if not has_font("DejaVu Sans"):
        pytest.skip("DejaVu Sans is not installed: its widths are not measured")
    page.goto("about:blank")
    page.set_content("<canvas></canvas>")
    for text in ("gradient rms 1.2e-03", "0.weight", "".join(map(chr, range(32, 127)))):
        for bold in (False, True):
            font = f"{'bold ' * bold}100px DejaVu Sans"
            measured = page.evaluate(
                "([font, text]) => { const c = document.querySelector('canvas').getContext('2d');"
                "c.font = font; c.fontKerning = 'none'; return c.measureText(text).width; }",
                [font, text],
            )
            assert text_width(text, 100, bold) == pytest.approx(measured, rel=0.01)
