"""What is made of gradient flows: a table, a plot, a history and a comparison."""

import csv
import sys
import types

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.rendering import FlowHistory, compare, draw, explain, record_flow
from autograd_core.rendering.tables import layers as flow_layers
from tests.flows import deep, flow_of


def test_the_table_is_in_the_order_of_the_layers():
    lines = flow_of(deep(nn.Tanh, layers=2)).table().splitlines()
    first = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    assert first[:7] == ["layer", "Linear 0", "Tanh 1", "Linear 2", "Tanh 3", "Linear 4", "MSE"]
    assert lines[1].split()[-2:] != []
    assert len({line.index("(64, ") for line in lines if "(64, " in line}) == 1  # aligned


def test_a_long_table_is_folded():
    x = ac.Tensor(np.ones(9), True, name="x")
    for _ in range(1000):
        x = ac.tanh(x * 1.0)
    with record_flow() as flow:
        ac.sum(x).backward()
    lines = flow.table().splitlines()
    assert len(lines) < 20
    assert any("997 times more" in line for line in lines)


def test_the_ratio_of_gradient_and_parameter():
    w = nn.Parameter(np.full((3, 3), 2.0), name="w")
    with record_flow() as flow:
        ac.sum(w * 3).backward()
    row = next(line for line in flow.table().splitlines() if " w " in line)
    assert row.split()[-1] == "1.5e+00"


def test_two_flows_side_by_side():
    sigmoid, relu = flow_of(deep(nn.Sigmoid)), flow_of(deep(nn.ReLU))
    both = compare(sigmoid=sigmoid, relu=relu)
    text = both.table()
    assert repr(both) == text
    assert "Sigmoid 1 / ReLU 1" in text
    assert "sigmoid: vanishing" in text
    assert "relu: no problems" in text
    axes = both.plot().axes[0]
    assert [line.get_label() for line in axes.lines] == ["sigmoid", "relu"]
    assert axes.get_yscale() == "log"
    first, last = axes.lines[0].get_ydata()[[0, -1]]
    assert first < 1e-12 < last
    for wrong in ({}, {"a": 3}):
        with pytest.raises(AutogradError, match="takes the flows of record_flow"):
            compare(**wrong)


def test_a_plot_of_zeros_and_of_what_is_not_finite():
    x = ac.Tensor([1.0, 2.0], True)
    for factor in (0.0, np.nan):
        with record_flow() as flow, np.errstate(all="ignore"):
            ac.sum(ac.tanh(x) * factor).backward()
        flow.plot().canvas.draw()


def test_history_over_a_training_run():
    model = deep(nn.Tanh, layers=2)
    history = FlowHistory(model)
    x = ac.Tensor(np.random.default_rng(0).standard_normal((16, 30)))
    for step in range(4):
        loss = ac.mean(model(x) ** 2) * 10.0**-step
        model.zero_grad()
        with history.step() as flow:
            loss.backward()
        assert flow.passes == 1
        assert history.count == step + 1
    assert history.steps == [0, 1, 2, 3]
    sizes = list(history.parameters["0.weight"].values())
    np.testing.assert_allclose(np.diff(np.log10(sizes)), -1, rtol=1e-6)
    text = history.table()
    assert "0.weight" in text
    assert "no problems found in 4 recorded steps" in text
    # six parameters; three Linear, two Tanh, and ** and mean
    for rows, of in ((6, "parameters"), (8, "layers")):
        figure = history.plot(of)
        figure.canvas.draw()
        assert figure.axes[0].images[0].get_array().shape == (rows, 4)
    with pytest.raises(AutogradError, match="plot"):
        history.plot("weights")


def test_history_says_what_was_wrong_and_when():
    history = FlowHistory()
    for factor in [1.0, 0.0, 0.0, 1.0]:
        x = ac.Tensor([1.0], True, name="x")
        with history.step():
            ac.sum(ac.tanh(x) * factor).backward()
    assert "zero at multiply, step 1 to 2" in history.table()
    for use in (FlowHistory().table, FlowHistory().plot):
        with pytest.raises(AutogradError, match=r"history.step\(\)"):
            use()
    with pytest.raises(AutogradError, match="at least 1"):
        FlowHistory(every=0)


def test_a_deep_model_is_folded_with_its_range_and_nothing_is_left_out():
    flow = flow_of(deep(nn.Tanh, layers=60))
    lines = flow.table().splitlines()
    folded = next(line for line in lines if "times more" in line)
    sizes = [layer.gradient.rms for layer in flow_layers(flow) if layer.name.startswith(("L", "T"))]
    assert f"{min(sizes[2:-3]):.1e} … {max(sizes[2:-3]):.1e}" in folded
    assert lines[1].startswith("Linear 0")
    assert any(line.startswith("Linear 120") for line in lines)
    assert len(lines) < 20


def test_a_comparison_matches_layers_by_name():
    short, long = deep(nn.Tanh, layers=1), deep(nn.Tanh, layers=2)
    rows = compare(short=flow_of(short), long=flow_of(long)).table().splitlines()
    cells = {
        row.split("  ")[0]: row.split()[-2:] for row in rows if row[:6] in ("Linear", "Tanh 3")
    }
    assert list(cells) == ["Linear 0", "Linear 2", "Tanh 3", "Linear 4"]
    assert cells["Tanh 3"][0] == "3"  # there is no such layer in the first


def test_export(tmp_path):
    flow = flow_of(deep(nn.Tanh, layers=1))
    flow.to_csv(tmp_path / "flow.csv")
    with (tmp_path / "flow.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == ["Linear 0", "Linear 0", "Tanh 1", "Linear 2",
                                              "Linear 2", "MSE"]  # fmt: skip
    assert [row["parameter"] for row in rows[:3]] == ["0.weight", "0.bias", ""]
    assert float(rows[0]["parameter_gradient_rms"]) == flow.parameter_rms()["0.weight"]


def test_export_to_pandas(monkeypatch):
    flow = flow_of(deep(nn.Tanh, layers=1))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="needs pandas"):
        flow.to_pandas()
    frames = types.ModuleType("pandas")
    frames.DataFrame = lambda rows, columns: (rows, columns)
    monkeypatch.setitem(sys.modules, "pandas", frames)
    rows, columns = flow.to_pandas()
    assert list(rows[0]) == columns
    assert len(rows) == 6


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "x" * 500, "\x1b[31mred"])
def test_names_stay_in_their_line_of_a_table(name, capsys):
    w = ac.Tensor(np.ones((2, 2)), True, name=name)
    with record_flow() as flow:
        ac.sum(ac.tanh(w)).backward()
    lines = flow.table().splitlines()
    assert len(lines) == 5
    explain(ac.sum(ac.tanh(w)))
    lines += capsys.readouterr().out.splitlines()
    assert all(len(line) < 200 and line.isprintable() for line in lines)


@pytest.mark.parametrize("limit", [0, -1, True, 2.0, "3"])
def test_limits_that_are_none(limit):
    w = ac.Tensor(np.ones((2, 2)), True)
    with record_flow() as flow:
        ac.sum(ac.tanh(w)).backward()
    with pytest.raises(ArgumentError, match="limit must be a number of layers"):
        flow.table(limit=limit)
    with pytest.raises(ArgumentError, match="limit must be a number of boxes"):
        draw(flow, limit=limit)


def test_file_names_that_are_none(tmp_path):
    picture = draw(ac.sum(ac.Tensor(np.ones(2), True) * 2))
    with pytest.raises(ArgumentError, match="cannot contain a NUL"):
        picture.save(f"{tmp_path}/a\0b.svg")
    with pytest.raises(OSError, match="too long"):
        picture.save(tmp_path / f"{'x' * 300}.svg")
