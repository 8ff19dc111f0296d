"""A gradient in words: the numbers of each path from the output."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import AutogradError, GraphError
from autograd_core.rendering import explain


def explained(capsys, *args, **settings):
    explain(*args, **settings)
    return capsys.readouterr().out.splitlines()


def test_paths_are_summed_with_their_numbers(capsys):
    x = ac.Tensor(3.0, True, name="x")
    y = x * x + x
    lines = explained(capsys, y, names={"y": y})
    assert lines[0] == "forward"
    assert "  v1 = multiply(x, x) = 3 · 3 = 9" in lines
    assert (
        "  ∂y/∂x  = ∂y/∂y · ∂y/∂x + ∂y/∂v1 · ∂v1/∂x + ∂y/∂v1 · ∂v1/∂x = 1 · 1 + 1 · 3 + 1 · 3 = 7"
        in lines
    )
    assert x.grad is None
    assert explained(capsys, y, of=x, names={"y": y}) == [
        "∂y/∂x = ∂y/∂x",
        "      + ∂y/∂v1 · ∂v1/∂x",
        "      + ∂y/∂v1 · ∂v1/∂x",
        "      = 1",
        "      + 1 · 3",
        "      + 1 · 3",
        "      = 7",
    ]


def test_many_paths_long_graphs_and_big_arrays(capsys):
    x = ac.Tensor(1.0, True, name="x")
    y = x
    for _ in range(300):
        y = y + y * 0.5
    lines = explained(capsys, y)
    assert "more" in lines[201]
    assert len(lines) == 404
    assert "more than 12 paths" in explained(capsys, y, of=x)[0]
    big = ac.Tensor(np.ones((30, 40)), True, name="W")
    lines = explained(capsys, ac.sum(big * 2))
    assert lines[-1].strip() == (
        "∂L/∂W  = ∂L/∂v1 · ∂v1/∂W = (30, 40) from 1 to 1 · (30, 40) from 2 to 2 = "
        "(30, 40) from 2 to 2"
    )


def test_two_tensors_of_one_name_are_told_apart(capsys):
    a, b = ac.Tensor(1.0, True, name="w"), ac.Tensor(2.0, True, name="w")
    lines = explained(capsys, a * b)
    assert lines[1] == "  L = multiply(w, w (2)) = 1 · 2 = 2"


def test_what_cannot_be_explained():
    x, y = ac.Tensor(1.0, True), ac.Tensor(1.0, True)
    with pytest.raises(GraphError, match="requires_grad=True"):
        explain(ac.Tensor(1.0))
    with pytest.raises(GraphError, match="does not depend"):
        explain(x * 2, of=y)
    with pytest.raises(AutogradError, match="needs a Tensor"):
        explain(3.0)
    for limit in (0, -1, 1.5, "all"):
        with pytest.raises(ac.ArgumentError, match="limit must be a number of steps"):
            explain(x * 2, limit=limit)
    loss = x * 2
    loss.backward()
    with pytest.raises(ac.FreedGraphError, match="explain"):
        explain(loss)
