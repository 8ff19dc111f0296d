"""Gradient flow: statistics that are right, faults that are named in words, and no false alarms."""

import gc
import itertools
import time
import weakref

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.exits import exits
from autograd_core.errors import AutogradError, GraphError
from autograd_core.rendering import FlowHistory, compare, draw, explain, record_flow
from autograd_core.rendering.statistics import measure, resolved
from nn.data import one_hot


def deep(activation, layers=20, width=30, initializer=None):
    generator = np.random.default_rng(0)
    settings = {"generator": generator} | ({"initializer": initializer} if initializer else {})
    stack = []
    for _ in range(layers):
        stack += [nn.Linear(width, width, **settings), activation()]
    return nn.Sequential(*stack, nn.Linear(width, 10, **settings))


def flow_of(model, width=30, batch=64, home="cpu"):
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((batch, width)), one_hot(generator.integers(0, 10, batch), 10)
    loss = nn.MSE()(model(ac.Tensor(x, device=home)), ac.Tensor(y, device=home))
    with record_flow(model) as flow:
        loss.backward()
    return flow


def kinds(flow):
    return [finding.kind for finding in flow.findings]


# ---- statistics ----------------------------------------------------------------------------------

ARRAYS = {
    "plain": np.random.default_rng(0).standard_normal((300, 700)),
    "float32": np.random.default_rng(0).standard_normal((300, 700)).astype("f4"),
    "float16": np.linspace(-3, 3, 11).astype("f2"),
    "not contiguous": np.arange(24.0).reshape(4, 6)[::2, ::-1].T,
    "broadcast": np.broadcast_to(np.float32(3), (70, 80)),
    "zeros": np.zeros((5, 4)),
    "some zeros": np.array([0.0, -1.0, 0.0, 2.0]),
    "0-d": np.array(-2.5),
    "empty": np.zeros((0, 3)),
    "tiny": np.full(9, 1e-30, "f4"),
    "huge": np.full(9, 1e30, "f4"),
    "huge double": np.array([1e300, -1e300]),
    "complex": np.array([3 + 4j, 0]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_statistics(name, device):
    array = ARRAYS[name]
    found = resolved(measure(device.array(array)))
    wide = np.abs(array) if array.dtype.kind == "c" else array.astype(np.longdouble)
    if array.dtype.itemsize == 4 and device.name != "cpu":
        assert found.size == array.size
    norm = np.sqrt(np.sum(np.square(wide)))
    assert found.norm == pytest.approx(float(norm), rel=1e-6)
    assert found.rms == pytest.approx(float(norm) / max(array.size, 1) ** 0.5, rel=1e-6)
    assert found.size == array.size
    assert found.not_finite == 0
    if array.size:
        assert (found.least, found.greatest) == (float(wide.min()), float(wide.max()))
        assert found.zeros == pytest.approx(np.mean(array == 0))
    assert found.is_zero == (not np.any(array))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_statistics_of_what_is_not_finite(bad, device):
    found = resolved(measure(device.array(np.array([3.0, bad, 4.0, bad]))))
    assert found.not_finite == 2
    assert (found.norm, found.rms) == pytest.approx((5.0, 12.5**0.5))
    assert not found.is_zero
    assert resolved(measure(device.array(np.full(3, bad)))).rms == 0


def test_every_gradient_is_measured(device):
    x = ac.Tensor(device.array(np.array([[1.0, -2.0], [3.0, 0.5]])), True, name="x")
    h = ac.tanh(x)
    h.retain_grad()
    with record_flow() as flow:
        (ac.sum(h * h) + ac.sum(h)).backward()
    boxes = {box.operation or box.title: box for box in flow.scene.boxes}
    for name, tensor in (("tanh", h), ("x", x)):
        g = device.numpy(tensor.grad)
        assert boxes[name].gradient.norm == pytest.approx(np.linalg.norm(g), rel=1e-12)
    into_h = [a.gradient for a in flow.scene.arrows if a.source == boxes["tanh"].id]
    value = np.tanh([[1.0, -2.0], [3.0, 0.5]])
    expected = sorted([np.linalg.norm(value)] * 2 + [2.0])  # h·h by both operands, and the sum
    assert sorted(g.norm for g in into_h) == pytest.approx(expected, rel=1e-12)


def test_gradients_are_the_same_when_they_are_watched(device):
    generator = np.random.default_rng(0)
    w = generator.standard_normal((4, 4))

    def gradient(watched):
        x = ac.Tensor(device.array(w), True)
        y = ac.tanh(x @ x + x)
        loss = (ac.concatenate([y, x]) * 2).sum() + ac.sum(ac.max(y, axis=0))
        if not watched:
            loss.backward()
        else:
            with record_flow(values=True):
                loss.backward()
        return device.numpy(x.grad)

    device.assert_same(gradient(True), gradient(False))


def test_a_flow_keeps_no_array():
    x = ac.Tensor(np.ones((50, 50)), True)
    h = ac.exp(x * np.full((50, 50), 2.0))
    saved = weakref.ref(h.data)
    with record_flow() as flow:
        ac.sum(h * h).backward()
    del h
    gc.collect()
    assert saved() is None
    assert flow.passes == 1


def test_what_edges_keep_is_counted_although_it_goes_in_the_meantime():
    x = ac.Tensor(np.ones((100, 100)), True)
    for _ in range(20):
        x = ac.tanh(x)
    loss = ac.sum(x)
    expected = draw(loss).scene.heading
    with record_flow() as flow:
        loss.backward()
    assert flow.scene.heading == expected
    assert "1.7 MB kept" in expected[0]


def test_the_bound_on_a_wide_network():
    """Under 1.5 × the backward pass of 784-1024-1024-10 at batch 256."""
    generator = np.random.default_rng(0)
    sizes = (784, 1024, 1024, 10)
    layers = [
        nn.Linear(n, m, generator=generator, dtype=np.float32) for n, m in itertools.pairwise(sizes)
    ]
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    x = ac.Tensor(generator.standard_normal((256, 784)).astype("f4"))
    y = ac.Tensor(one_hot(generator.integers(0, 10, 256), 10, np.float32))

    def timed(watched):
        model.zero_grad()
        loss = nn.MSE()(model(x), y)
        start = time.perf_counter()
        if watched:
            with record_flow(model):
                loss.backward()
        else:
            loss.backward()
        return time.perf_counter() - start

    for _ in range(5):  # other work on the machine may slow down one attempt
        plain, watched = np.median([(timed(False), timed(True)) for _ in range(9)], axis=0)
        if watched < 1.5 * plain:
            return
    pytest.fail(f"record_flow takes {watched / plain:.2f} times the backward pass alone")


# ---- what is wrong, in words ---------------------------------------------------------------------


def said_everywhere(flow, words):
    """In the findings, in the table and in the drawing."""
    assert any(words in str(finding) for finding in flow.findings), flow.findings
    assert words in flow.table()
    drawn = draw(flow).dot.replace('</B></FONT><BR ALIGN="LEFT"/><FONT COLOR="#7a120c"><B>', " ")
    assert words in drawn


def test_a_vanishing_gradient_is_named():
    flow = flow_of(deep(nn.Sigmoid))
    assert kinds(flow) == ["vanishing"]
    said_everywhere(flow, "falls from")
    text = str(flow.findings[0])
    assert "at 40.weight" in text
    assert "at 0.weight" in text
    assert "over 21 layers" in text
    assert "Each sigmoid multiplies it by 0.2" in text


def test_an_exploding_gradient_is_named():
    flow = flow_of(deep(nn.Softplus, initializer=nn.normal(0, 0.8)))
    assert kinds(flow) == ["exploding"]
    said_everywhere(flow, "grows from")


def test_a_dead_layer_is_named(device):
    model = deep(nn.ReLU, layers=3)
    model[2].bias.data = model[2].bias.data - 100
    flow = flow_of(model.to(device.home), home=device.home)
    said_everywhere(flow, "100 % of the units of relu (ReLU after Linear 2) are 0")
    assert set(kinds(flow)) == {"dead ReLU"}
    half = deep(nn.ReLU, layers=1)
    half[0].bias.data = np.where(np.arange(30) < 18, -100.0, 0.0)
    assert "60 % of the units" in str(flow_of(half).findings[0])


def test_saturated_sigmoids_are_named(device):
    model = deep(nn.Sigmoid, layers=2, initializer=nn.normal(0, 50)).to(device.home)
    flow = flow_of(model, home=device.home)
    assert "saturated" in kinds(flow)
    said_everywhere(flow, "are in its flat range")


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_the_operation_that_makes_it_not_finite_is_named(bad):
    x = ac.Tensor([1.0, 0.0], True, name="x")
    with record_flow() as flow, np.errstate(all="ignore"):
        ac.sum(ac.sqrt(x) * 2 + ac.Tensor([0.0, 0.0])).backward()
    assert kinds(flow) == ["not finite"]
    said_everywhere(flow, "sqrt produces 1 inf or NaN of 2 elements from a finite gradient")
    with record_flow() as flow:
        ac.exp(x).backward([1.0, bad])
    assert "the gradient given for the output, exp, is not finite" in str(flow.findings[0])


def test_a_gradient_that_becomes_zero_is_named():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    with record_flow() as flow:
        ac.sum(ac.tanh(x) * 0).backward()
    assert kinds(flow) == ["zero"]
    said_everywhere(flow, "exactly 0 from multiply backwards")


class Cell(nn.Module):
    """The same two weights at every step of a sequence."""

    def __init__(self, strength):
        generator = np.random.default_rng(0)
        self.w = nn.Parameter(strength * np.linalg.qr(generator.standard_normal((8, 8)))[0])
        self.u = nn.Parameter(0.1 * generator.standard_normal((3, 8)))

    def forward(self, xs):
        h = ac.Tensor(np.zeros((4, 8)))
        for x in xs:
            h = ac.tanh(h @ self.w + x @ self.u)
        return ac.mean(h * h)


@pytest.mark.parametrize(("strength", "expected"), [(1.0, []), (0.3, ["vanishing"])])
def test_recurrent_networks(strength, expected):
    model = Cell(strength)
    xs = np.random.default_rng(1).standard_normal((30, 4, 3))
    with record_flow(model) as flow:
        model(ac.Tensor(xs)).backward()
    assert kinds(flow) == expected  # the first state is 0, and so is w's first share: no fault
    assert "over 60 layers" in str(flow.findings) or not expected


class Cut(nn.Module):
    """Two layers and something between them."""

    def __init__(self, between):
        self.first = nn.Linear(30, 20, generator=np.random.default_rng(0))
        self.second = nn.Linear(20, 10, generator=np.random.default_rng(1))
        self.between = between

    def forward(self, x):
        return self.second(self.between(ac.tanh(self.first(x))))


def inside_no_grad(h):
    with ac.no_grad():
        return h * 2


CUTS = {
    "detach() of tanh": lambda h: h.detach(),
    "cast to int64, which has no gradient": lambda h: (h * 9).astype(int),
    "floor, which has no gradient": lambda h: np.floor(h * 9),
    "no_grad() at": inside_no_grad,
}


@pytest.mark.parametrize("words", CUTS)
def test_where_the_gradient_stops_is_named(words):
    flow = flow_of(Cut(CUTS[words]))
    said_everywhere(flow, words)
    said_everywhere(flow, "first.weight, first.bias have no path to the output")
    assert "test_flow.py:" in str(flow.findings)


def test_a_cut_that_leaves_no_trace_in_the_graph_is_suspected():
    flow = flow_of(Cut(lambda h: h.detach() * 0 + 1))  # the array that left is not the operand
    assert "a value may have left the graph by detach() at" in str(flow.findings[-1])


def test_a_detach_for_a_metric_is_no_fault():
    model = deep(nn.ReLU, layers=2)
    x = ac.Tensor(np.random.default_rng(0).standard_normal((64, 30)))
    out = model(x)
    accuracy = np.mean(np.argmax(out.detach().numpy(), axis=1) == 3)
    with record_flow(model) as flow:
        ac.mean(out * out).backward()
    assert kinds(flow) == []
    assert 0 <= accuracy <= 1


def test_what_left_the_graph_is_not_kept_alive():
    x = ac.Tensor(np.ones(9), True)
    h = ac.exp(x)
    gone = weakref.ref(h.node.op.__class__) and weakref.ref(h.data)
    h.detach()
    del h
    gc.collect()
    assert gone() is None
    for _ in range(1000):
        ac.exp(x).detach()
    assert len(exits) <= 256


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.ReLU, nn.Tanh, nn.Softplus])
@pytest.mark.parametrize("layers", [1, 3, 6])
def test_healthy_networks_give_no_alarm(activation, layers):
    layers = min(layers, 4) if activation is nn.Sigmoid else layers  # from six on it vanishes
    flow = flow_of(deep(activation, layers))
    assert kinds(flow) == []
    assert "no problems found in the gradients" in flow.table()


def test_the_lectures_network_gives_no_alarm_before_and_after_training():
    generator = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(784, 50, generator=generator), nn.Sigmoid(),
                          nn.Linear(50, 10, generator=generator), nn.Sigmoid())  # fmt: skip
    x, labels = generator.random((100, 784)), one_hot(generator.integers(0, 10, 100), 10)
    optimizer, history = nn.SGD(model.parameters(), lr=0.1), FlowHistory(model, every=10)
    for _ in range(30):
        loss = nn.MSE("batch")(model(ac.Tensor(x)), ac.Tensor(labels))
        optimizer.zero_grad()
        with history.step():
            loss.backward()
        optimizer.step()
    assert history.steps == [0, 10, 20]
    assert history.findings == {}


# ---- what it is called, and when it can be named ------------------------------------------------


def test_names_can_be_given_afterwards():
    model = deep(nn.Tanh, layers=1)
    loss = ac.mean(model(ac.Tensor(np.ones((8, 30)))))
    with record_flow() as flow:
        loss.backward()
    assert "0.weight" not in flow.table()
    assert "0.weight" in draw(flow, model=model).dot
    assert "Linear 0" in flow.table()


def test_several_passes_and_none():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    with record_flow() as flow:
        ac.sum(x * 2).backward()
        ac.sum(x * 3).backward()
    assert flow.passes == 2
    by_title = {box.title: box.gradient for box in flow.scene.boxes}
    assert by_title["x"].greatest == 3
    with record_flow() as flow:
        pass
    for use in (flow.table, flow.plot, flow.__repr__, lambda: draw(flow)):
        with pytest.raises(GraphError, match=r"with record_flow\(\) as flow: loss.backward"):
            use()


def test_an_error_in_the_pass_is_not_swallowed():
    x = ac.Tensor([1.0], True)
    loss = x * 2
    loss.backward()
    with pytest.raises(GraphError, match="retain_graph"), record_flow():
        loss.backward()


def test_it_works_beside_detect_anomaly():
    x = ac.Tensor([1.0, 0.0], True)
    with pytest.raises(ac.NonFiniteError), ac.detect_anomaly(), record_flow():
        ac.sum(ac.sqrt(x)).backward()


@pytest.mark.parametrize("arrays", [False, True])
def test_operations_with_several_results_and_joint_nodes(arrays):
    x = ac.Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), True, name="x")

    def half(x):
        return ac.tanh(x) * 0.5

    @ac.custom_gradient
    def own(x):
        return x * 3, lambda g: g * 3

    with record_flow(values=arrays) as flow:
        u, s, _ = ac.linalg.svd(ac.checkpoint(half)(own(x)))
        (ac.sum(s) + ac.sum(u * np.array([[1.0, 2.0], [3.0, 4.0]]))).backward()
    assert kinds(flow) == []
    drawn = draw(flow)
    for name in ("thin_svd", "half", "own", "operands"):
        assert (f"<B>{name}" in drawn.dot) == (name != "operands")
    assert drawn.dot.count("<B>") == 13  # tanh and multiply, run again inside half, are its own
    assert drawn.dot.count('style="dotted"') == 1  # something flows over each edge but the matrix's
    assert "half" in drawn.html()


def test_gradient_graphs_of_higher_order():
    x = ac.Tensor([1.0, 2.0], True, name="x")
    with record_flow(values=True) as flow:
        ac.sum(x**3).backward(create_graph=True)
        slope, x.grad = x.grad, None
        ac.sum(slope).backward()
    assert flow.passes == 2
    np.testing.assert_allclose(x.grad.data, [6.0, 12.0])
    assert draw(flow).dot


# ---- table, plot, history, comparison ------------------------------------------------------------


def test_the_table_is_in_the_order_of_the_layers():
    lines = flow_of(deep(nn.Tanh, layers=2)).table().splitlines()
    first = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    assert first[:7] == ["layer", "Linear 0", "Tanh", "Linear 2", "Tanh", "Linear 4", "MSE"]
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
    assert "Sigmoid / ReLU" in text
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


# ---- errors that are drawn -----------------------------------------------------------------------


def test_a_shape_error_draws_the_graph_up_to_where_it_failed():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(ac.ShapeError) as raised:
        model(ac.Tensor(np.ones((2, 4))))
    text = draw(raised.value, model=model).dot
    for words in ("0.weight", "relu", "linear failed", "it failed here", "2.weight"):
        assert words in text
    with pytest.raises(GraphError, match="no operation with a tracked operand"):
        draw(ac.ShapeError("by hand"))


# ---- explain -------------------------------------------------------------------------------------


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
    loss = x * 2
    loss.backward()
    with pytest.raises(ac.FreedGraphError, match="explain"):
        explain(loss)
