"""Make the pictures of the README: ``python -m tools.pictures`` writes them to docs/images.

The animation is the page of `draw` in a browser (Chromium, by playwright), a picture for each step.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from autograd_core.rendering import draw, record_flow
from examples import mnist_mlp

FOLDER = Path(__file__).parent.parent / "docs" / "images"
SIZE, SHOWN = (1100, 820), 770  # of the browser's window, and the width of the animation
SECONDS = 1.1  # of a step


def neuron() -> tuple[ac.Tensor, ...]:
    """The squared error of a network with one hidden unit, of scalars, and all that has a
    name in it."""
    named = {"w": 0.5, "b": -0.2, "v": 1.5}
    w, b, v = (ac.Tensor(value, requires_grad=True, name=name) for name, value in named.items())
    a = ac.sigmoid(w * 2.0 + b)
    y = v * a
    a.name, y.name = "a", "y"
    return (y - 0.4) ** 2, w, b, v, a, y


def animation() -> Any:
    """The frames of the page, from the first step to the last."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        loss, *_named = neuron()  # drawings have the names of Tensors that are there
        path = draw(loss).save(Path(folder) / "page.html")
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        page.get_by_role("button", name="Whole graph").click()
        frames, before = [], None
        while (step := page.evaluate("document.body.dataset.step")) != before:
            page.wait_for_timeout(700)  # until the movement has ended
            frames.append(Image.open(io.BytesIO(page.screenshot())))
            before = step
            page.keyboard.press("ArrowRight")
        browser.close()
    height = SHOWN * SIZE[1] // SIZE[0]
    return [f.convert("RGB").resize((SHOWN, height)).quantize(64) for f in frames]


def saturated_network() -> Any:
    """The flow of gradients in a network whose first weights are too large."""
    generator = np.random.default_rng(0)
    how: Any = {"generator": generator}
    model = nn.Sequential(
        nn.Linear(20, 20, **how), nn.Sigmoid(), nn.Linear(20, 2, **how), nn.Sigmoid()
    )
    first = model[0].weight
    first.data = first.data * 100
    x, y = generator.normal(size=(50, 20)), np.eye(2)[generator.integers(0, 2, 50)]
    with record_flow(model) as flow:
        nn.MSE()(model(x), y).backward()
    return flow


def graph() -> Any:
    """The graph of a training step of the MNIST network, with the memory that it keeps."""
    generator = np.random.default_rng(0)
    how: Any = {"generator": generator}
    model = nn.Sequential(
        nn.Linear(784, 50, **how), nn.Sigmoid(), nn.Linear(50, 10, **how), nn.Sigmoid()
    )
    images, labels = generator.random((100, 784)), np.eye(10)[generator.integers(0, 10, 100)]
    loss = nn.MSE("batch")(model(ac.Tensor(images)), ac.Tensor(labels))
    return draw(loss, model=model)


def digits() -> Any:
    """The test images that the network of `make mnist` gets most wrong."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        mnist_mlp.main(["--out", folder])
        picture = Image.open(Path(folder) / "mistakes.png").convert("L")
    return picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).quantize(16)


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    digits().save(FOLDER / "digits.png", optimize=True)
    graph().save(FOLDER / "graph.svg")
    draw(saturated_network()).save(FOLDER / "flow.svg")
    first, *rest = animation()
    duration = [int(SECONDS * 1000)] * (len(rest) + 1)
    duration[-1] *= 3
    first.save(
        FOLDER / "page.gif", save_all=True, append_images=rest, duration=duration, loop=0,
        optimize=True,
    )  # fmt: skip
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
