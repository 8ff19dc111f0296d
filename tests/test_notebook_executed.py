"""A notebook is executed, and looked at in a browser, in a light and in a dark colour scheme."""

import re
from html import escape
from pathlib import Path

import pytest

from tests.pages import CHROMIUM

ROOT = Path(__file__).parent.parent
CELLS = """
import numpy as np, autograd_core as ac, nn
from autograd_core.rendering import *
generator = np.random.default_rng(0)
---
x = ac.Tensor(generator.random((4, 3)), requires_grad=True, name='<b>"x" 😀'); x
---
ac.tanh(x @ generator.random((3, 50)))
---
model = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10)); model
---
optimizer = nn.Adam([{"params": model[0].parameters(), "lr": 0.1}, {"params": [model[2].bias]}])
optimizer
---
nn.StepLR(optimizer, step_size=3)
---
history = FlowHistory(model)
for step in range(5):
    loss = (model(ac.Tensor(generator.random((8, 64)))) ** 2).sum()
    drawing = draw(loss, model=model)
    frame = drawing.show(500)
    with history.step() as flow:
        loss.backward()
flow
---
history
---
flow.plot()
---
compare(first=flow, second=flow)
---
drawing
---
frame
---
with record_flow() as empty:
    pass
empty
---
loss.backward()
---
class Model(nn.Module):
    def __init__(self):
        self.inner = nn.Sequential(nn.Linear(3, 4))
    def forward(self, x):
        return self.inner(x)

Model()(np.ones((2, 7)))
---
def loss_of(x):
    return ac.sum(x @ np.ones((4, 4)))
ac.grad(loss_of)(np.ones((2, 3)))
"""  # fmt: skip
ERRORS = 3  # the last cells

PAGE = """<!doctype html><meta charset="utf-8"><title>notebook</title>
<style>:root { color-scheme: light dark; } body { font: 14px sans-serif; margin: 1em }</style>
"""

# the contrast of each text with the first background behind it that is not transparent
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const found = [];
  for (const element of document.querySelectorAll(".output *")) {
    const texts = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
    if (!texts.length || element.closest("svg")) continue;
    let behind = element, colour = [0, 0, 0, 0];
    for (; behind && !colour[3]; behind = behind.parentElement)
      colour = rgb(getComputedStyle(behind).backgroundColor);
    if (!colour[3]) colour = dark ? [18, 18, 18, 255] : [255, 255, 255, 255];
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(colour)];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), texts[0].data.slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The outputs of each cell, from a kernel."""
    nbformat = pytest.importorskip(
        "nbformat", reason="nbformat is missing: no notebook is executed"
    )
    nbclient = pytest.importorskip(
        "nbclient", reason="nbclient is missing: no notebook is executed"
    )
    pytest.importorskip("ipykernel", reason="ipykernel is missing: no notebook is executed")
    folder = str(tmp_path_factory.mktemp("jupyter"))
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS.split("---\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, folder)
        patch.delenv("AUTOGRAD_CORE_FULL_TRACEBACK", raising=False)
        client = nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", allow_errors=True,
            resources={"metadata": {"path": str(ROOT)}},
        )  # fmt: skip
        client.execute()
    return notebook.cells


def without_colours(lines):
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))


@pytest.mark.filterwarnings("ignore")  # those of Jupyter's packages
def test_a_notebook_is_executed(executed):
    for cell in executed[1:-ERRORS]:
        (output,) = cell.outputs
        assert output.output_type == "execute_result", output
        assert {"text/html", "image/png", "image/svg+xml"} & output.data.keys() or (
            cell.source == "drawing" and "install" in output.data["text/plain"]
        )
    for cell in executed[-ERRORS:]:
        (output,) = cell.outputs
        assert output.output_type == "error"
        text = without_colours(output.traceback)
        assert output.evalue in text
        assert "File " not in text, "frames of the library are left out"
        assert re.search(r"Cell In ?\[\d+\], line \d+", text)
    assert "in Model.forward(self, x)" in without_colours(executed[-2].outputs[0].traceback)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_in_a_browser(executed, scheme, tmp_path):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: no notebook is looked at"
    )
    if CHROMIUM is None:
        pytest.skip("chromium is missing: no notebook is looked at")
    path = tmp_path / "notebook.html"
    path.write_text(PAGE + "".join(map(written, executed)), encoding="utf-8")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        complaints = []
        page = browser.new_page(viewport={"width": 1000, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        page.frames[1].wait_for_selector("body[data-ready]")
        page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
        contrasts = page.evaluate(CONTRAST)
        counts = [page.locator(f".output {tag}").count() for tag in ("script", "style", "iframe")]
        page.locator("iframe").scroll_into_view_if_needed()
        page.frames[1].click("#next")
        page.frames[1].wait_for_selector(".node.current")
        page.frames[1].wait_for_selector(f'html[data-theme="{scheme}"]')
        page.locator("iframe").screenshot(path=tmp_path / f"{scheme}-frame.png")
        browser.close()
    assert complaints == []
    assert counts == [0, 0, 1]
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == []


def written(cell):
    """A cell as a notebook shows it: the richest form of each output."""
    parts = [f"<pre>{escape(cell.source)}</pre>"]
    for output in cell.outputs:
        data = output.get("data", {})
        for kind in ("text/html", "image/svg+xml", "image/png", "text/plain"):
            if kind in data:
                shown = data[kind]
                if kind == "image/png":
                    shown = f'<img src="data:image/png;base64,{shown}">'
                elif kind == "text/plain":
                    shown = f"<pre>{escape(shown)}</pre>"
                parts.append(f'<div class="output">{shown}</div>')
                break
        else:
            parts.append(f"<pre>{escape(without_colours(output.traceback))}</pre>")
    return "".join(parts)
