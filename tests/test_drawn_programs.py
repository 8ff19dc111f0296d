"""Drawings of compiled programs."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.rendering import draw


def test_a_training_step_is_drawn_by_lines_and_operations(tmp_path):
    model = nn.Sequential(nn.Linear(4, 3, generator=0), nn.Sigmoid())
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @ac.compile
    def step(images):
        loss = ac.mean(model(images) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(ac.GraphError, match="no program yet"):
        draw(step)
    for _ in range(2):
        step(np.ones((5, 4)))
    dot = draw(step).dot
    for text in ("loss = ac.mean(model(images) ** 2)", "optimizer.step()", "Linear", "weight_0",
                 "backward of Sigmoid", "is written", "is returned", "grad_weight_0"):  # fmt: skip
        assert text in dot, text
    assert all(word in dot for word in ("argument", "array outside", "arrows: data"))
    assert "no gradient" not in dot  # what has one is not known of arguments
    assert "gradients flow back" not in dot  # the backward pass has boxes of its own
    draw(step).save(tmp_path / "step.html")
    assert "The program of step" in (tmp_path / "step.html").read_text(encoding="utf-8")
    scene = draw(step).scene
    boxes = {box.id: box for box in scene.boxes}
    slope = next(box.id for box in scene.boxes if box.title == "recompute_sigmoid_slope")
    assert [boxes[a.target].title for a in scene.arrows if a.source == slope] == ["multiply"]
    written = [box.title for box in scene.boxes if box.lines == ["is written"]]
    assert sorted(written) == ["bias_0", "weight_0"]
    assert {a.target for a in scene.arrows} <= boxes.keys()


def test_loops_blocks_and_guards_are_drawn():
    def f(x):
        h = 0.0
        for t in range(8):
            h = h + ac.tanh(x[t] * 2)
        return ac.sum(h) if ac.max(h) > 0 else h

    compiled = ac.compile(ac.grad(lambda x: ac.sum(f(x))))
    compiled(np.ones((8, 3)))
    assert "tanh" in draw(compiled).dot
    large = ac.compile(lambda x: np.sum(np.sin(x) * 2 + x))
    large(np.ones(100_000))
    assert "sin, multiply, add" in draw(large).dot
