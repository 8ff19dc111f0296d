"""Gradient flow: faults that are named in words, and no false alarms."""

import gc
import re
import weakref
from functools import partial

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.engine.exits import exits
from autograd_core.errors import GraphError
from autograd_core.rendering import FlowHistory, draw, record_flow
from nn.data import one_hot
from tests.drawings import words as lines_of
from tests.flows import deep, flow_of


def kinds(flow):
    return [finding.kind for finding in flow.findings]


# ---- what is wrong, in words ---------------------------------------------------------------------


def said_everywhere(flow, words):
    """In the findings, in the table and in the drawing."""
    assert any(words in str(finding) for finding in flow.findings), flow.findings
    assert words in flow.table()
    heading = re.search(r"^\tlabel=<(.*)>$", draw(flow).dot, re.MULTILINE)[1]
    assert words in " ".join(lines_of(heading))


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
    flow = flow_of(deep(nn.Softplus, initializer=partial(nn.init.normal_, std=0.8)))
    assert kinds(flow) == ["exploding"]
    said_everywhere(flow, "grows from")


def test_a_dead_layer_is_named(device):
    model = deep(nn.ReLU, layers=3)
    model[2].bias.data = model[2].bias.data - 100
    flow = flow_of(model.to(device.home), home=device.home)
    said_everywhere(flow, "100 % of the units of relu (ReLU 3) are 0")
    assert set(kinds(flow)) == {"dead ReLU"}
    half = deep(nn.ReLU, layers=1)
    half[0].bias.data = np.where(np.arange(30) < 18, -100.0, 0.0)
    assert "60 % of the units" in str(flow_of(half).findings[0])


def test_saturated_sigmoids_are_named(device):
    model = deep(nn.Sigmoid, layers=2, initializer=partial(nn.init.normal_, std=50)).to(device.home)
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
    assert "over 30 steps" in str(flow.findings) or not expected


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
    assert repr(flow) == "<Flow: no backward pass has been recorded>"  # a repr raises nothing
    for use in (flow.table, flow.plot, lambda: draw(flow)):
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


def test_gradients_without_elements_are_no_fault():
    x, y = ac.Tensor(np.zeros((0, 3)), True), ac.Tensor(np.ones(3), True)
    with record_flow() as flow:
        (ac.sum(x) + ac.sum(y)).backward()
    assert flow.findings == []
    assert "gradient without elements" in draw(flow).dot
