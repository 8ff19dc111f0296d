"""Findings that need more than one gradient: loops, targets, several passes, losses, thresholds."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError
from autograd_core.rendering import FlowHistory, Thresholds, draw, record_flow
from tests.flows import deep, flow_of
from tests.pages import data_of


def kinds(flow):
    return [finding.kind for finding in flow.findings]


# ---- outputs that are right ----------------------------------------------------------------------


def outputs(prediction_is_right, activation, loss):
    """The flow of a layer whose outputs are all in the flat range."""
    generator = np.random.default_rng(0)
    x = np.sign(generator.standard_normal((32, 4)))
    model = nn.Sequential(nn.Linear(4, 4, generator=generator), activation())
    model[0].weight.data, model[0].bias.data = 20 * np.eye(4), np.zeros(4)
    low = 0.0 if activation is nn.Sigmoid else -1.0
    right = np.where(x > 0, 1.0, low)
    target = right if prediction_is_right else 1 + low - right
    with record_flow(model) as flow:
        loss(model(ac.Tensor(x)), ac.Tensor(target)).backward()
    return flow


def own_mse(prediction, target):
    return ac.mean((prediction - target) ** 2)


@pytest.mark.parametrize("loss", [nn.MSE(), own_mse])
@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh])
def test_outputs_are_saturated_because_they_are_right_or_although_they_are_wrong(activation, loss):
    assert kinds(outputs(True, activation, loss)) == []
    assert kinds(outputs(False, activation, loss)) == ["saturated"]


def test_a_logarithm_makes_up_for_a_saturated_output():
    assert kinds(outputs(True, nn.Sigmoid, nn.BCELoss())) == []
    assert kinds(outputs(False, nn.Sigmoid, nn.BCELoss())) == []


# ---- time and branches ---------------------------------------------------------------------------


def test_the_steps_of_a_loop_are_one_layer():
    model = nn.LSTM(3, 8, generator=np.random.default_rng(0))
    model.bias_ih_l0.data = np.full(32, 15.0)
    x = np.random.default_rng(1).standard_normal((20, 16, 3))
    with record_flow(model) as flow:
        ac.mean(model(ac.Tensor(x))[0] ** 2).backward()
    assert kinds(flow).count("stuck gates") == 1
    assert "layers" not in str([f.text for f in flow.findings])


class Two(nn.Module):
    def __init__(self, a, b):
        self.a, self.b = a, b

    def forward(self, x):
        return self.a(x) + self.b(x)


def test_layers_are_counted_along_the_longest_branch():
    flow = flow_of(Two(deep(nn.Tanh, layers=2), deep(nn.Sigmoid)))
    assert kinds(flow) == ["vanishing"]
    assert "over 21 layers" in str(flow.findings[0])


# ---- several passes ------------------------------------------------------------------------------


def train(model, steps, zero="none", accumulated=1):
    x = ac.Tensor(np.random.default_rng(0).standard_normal((16, 30)))
    optimizer = nn.SGD(model.parameters(), lr=0.01)
    with record_flow(model) as flow:
        for _ in range(steps):
            for _ in range(accumulated):
                ac.mean(model(x) ** 2).backward()
            optimizer.step()
            if zero != "no":
                optimizer.zero_grad(set_to_none=zero == "none")
    return flow


def test_a_forgotten_zero_grad_is_named():
    flow = train(deep(nn.Tanh, layers=1), steps=2, zero="no")
    assert kinds(flow) == ["forgotten zero_grad"]
    assert "0.weight, 0.bias" in str(flow.findings[0])
    assert "optimizer.zero_grad()" in flow.table()


@pytest.mark.parametrize("zero", ["none", "zeros"])
@pytest.mark.parametrize("accumulated", [1, 3])
def test_gradients_that_are_added_on_purpose_are_no_fault(zero, accumulated):
    assert kinds(train(deep(nn.Tanh, layers=1), 3, zero, accumulated)) == []


def test_a_network_that_is_not_trained_by_a_pass_may_keep_its_gradient():
    """As a discriminator in the passes of the generator."""
    maker, judge = deep(nn.Tanh, layers=1, width=10), deep(nn.Tanh, layers=1, width=10)
    first, second = nn.SGD(maker.parameters(), lr=0.1), nn.SGD(judge.parameters(), lr=0.1)
    x = np.random.default_rng(0).standard_normal((16, 10))
    with record_flow() as flow:
        for _ in range(3):
            second.zero_grad()
            ac.mean(judge(ac.Tensor(x)) ** 2).backward()
            second.step()
            first.zero_grad()
            ac.mean(judge(maker(ac.Tensor(x))) ** 2).backward()
            first.step()
    assert kinds(flow) == []


# ---- the loss at the start -----------------------------------------------------------------------


@pytest.mark.parametrize("hot", [False, True])
def test_a_loss_far_above_chance_is_named(hot):
    generator = np.random.default_rng(0)
    logits = ac.Tensor(50 * generator.standard_normal((64, 10)), True)
    labels = generator.integers(0, 10, 64)
    target = ac.Tensor(nn.one_hot(labels, 10)) if hot else labels
    with record_flow() as flow:
        loss = nn.CrossEntropyLoss()(logits, target)
        loss.backward()
    assert kinds(flow) == ["above chance"]
    assert f"the cross-entropy is {loss.item():.3g}" in str(flow.findings[0])
    assert "ln 10 = 2.3" in str(flow.findings[0])
    with record_flow(thresholds={"chance": 1000}) as flow:
        nn.CrossEntropyLoss()(logits, target).backward()
    assert kinds(flow) == []


# ---- settings ------------------------------------------------------------------------------------


def test_thresholds_can_be_set():
    model = deep(nn.Tanh, layers=4)
    x = ac.Tensor(np.random.default_rng(0).standard_normal((16, 30)))
    for thresholds in (Thresholds(far=1.01), {"far": 1.01}):
        with record_flow(model, thresholds=thresholds) as flow:
            ac.mean(model(x) ** 2).backward()
        assert kinds(flow) in (["vanishing"], ["exploding"])
    with (
        pytest.raises(ArgumentError, match=r"unknown \['fra'\]"),
        record_flow(thresholds={"fra": 1}),
    ):
        pass


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam])
def test_the_size_of_an_update(make):
    w = nn.Parameter(np.full((3, 3), 2.0), name="w")
    with record_flow(optimizer=make([w], lr=0.01)) as flow:
        ac.sum(w * 4).backward()
    head, row = (
        flow.table().splitlines()[0],
        next(line for line in flow.table().splitlines() if " w " in line),
    )
    assert "update ÷ value" in head
    assert row.split()[-1] == ("2.0e-02" if make is nn.SGD else "5.0e-03")
    with pytest.raises(ArgumentError, match="param_groups"), record_flow(optimizer=3):
        pass


@pytest.mark.parametrize("bad", [{"far": -1}, {"dead": np.nan}, {"dead": "x"}, {"deaf": 1}])
def test_thresholds_that_are_none_are_refused(bad):
    with pytest.raises(ArgumentError, match="thresholds: "), record_flow(thresholds=bad):
        pass


@pytest.mark.parametrize("names", [[1], {1: ac.Tensor(1.0)}])
def test_names_are_strings(names):
    with pytest.raises(ArgumentError, match="names must map strings"), record_flow(names=names):
        pass


# ---- losses that are exactly 0, and outputs that are stuck ---------------------------------------


def hinge(scores, sides):
    return ac.mean(ac.maximum(0, 1 - sides * scores))


@pytest.mark.parametrize("right", [True, False])
def test_a_hinge_loss_of_zero_is_no_fault(right):
    w = ac.Tensor([[1.0, 0.0], [0.0, 1.0]], True, name="w")
    sides = np.array([[1.0, -1.0], [-1.0, 1.0]])
    with record_flow() as flow:
        loss = hinge(3 * sides @ w, sides if right else -sides)
        loss.backward()
    assert kinds(flow) == [], flow
    with record_flow() as flow:  # the same zeros, and the loss is not 0
        (hinge(3 * sides @ w, sides) + 1).backward()
    assert kinds(flow) == ["zero"]


def test_outputs_that_are_stuck_are_named_although_most_are_right():
    model = nn.Sequential(nn.Linear(4, 1, generator=np.random.default_rng(0)), nn.Sigmoid())
    model[0].bias.data = np.array([-50.0])
    x = ac.Tensor(np.random.default_rng(1).standard_normal((40, 4)))
    for ones, expected in ((12, ["saturated"]), (2, [])):
        target = ac.Tensor((np.arange(40)[:, None] < ones) * 1.0)
        with record_flow(model) as flow:
            nn.MSE()(model(x), target).backward()
        assert kinds(flow) == expected, flow


def test_the_input_of_an_rms_norm_is_nearly_zero():
    model = nn.Sequential(nn.Linear(4, 6, generator=np.random.default_rng(0)), nn.RMSNorm(6, 1e-5))
    x = ac.Tensor(np.random.default_rng(1).standard_normal((16, 4)))
    for factor, expected in ((1.0, []), (1e-5, ["constant input"])):
        model[0].weight.data = model[0].weight.data * factor
        model[0].bias.data = np.zeros(6)
        model.zero_grad()
        with record_flow(model) as flow:
            ac.mean(model(x) ** 2).backward()
        assert kinds(flow) == expected, flow


# ---- gradients from before this flow -------------------------------------------------------------


def single_steps(zero, accumulated=1):
    """The findings of each of some passes, each in a flow of its own."""
    model = deep(nn.Tanh, layers=1)
    x = ac.Tensor(np.random.default_rng(0).standard_normal((16, 30)))
    optimizer, history, found = nn.SGD(model.parameters(), lr=0.01), FlowHistory(model), []
    for _ in range(3):
        for _ in range(accumulated):
            with history.step() as flow:
                ac.mean(model(x) ** 2).backward()
            found.append(kinds(flow))
        optimizer.step()
        if zero:
            optimizer.zero_grad(set_to_none=False)
    return found, history


def test_a_forgotten_zero_grad_is_named_in_a_flow_of_one_pass():
    found, history = single_steps(zero=False)
    assert found == [[], ["forgotten zero_grad"], ["forgotten zero_grad"]]
    assert "forgotten zero_grad at 0.weight, step 1 to 2" in history.table()
    assert single_steps(zero=True, accumulated=3)[0] == 9 * [[]]
    assert single_steps(zero=False, accumulated=2)[0][2] == ["forgotten zero_grad"]


def test_a_chain_of_operations_without_weights():
    x = ac.Tensor(np.full(8, 2.0), True, name="x")
    with record_flow() as flow:
        parts = [ac.sum(x * 0.1 * x) for _ in range(40)]
        while len(parts) > 1:
            parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts[0].backward()
    assert kinds(flow) == []
    y = x
    for _ in range(9):
        y = y * 0.1 + 0
    with record_flow() as flow:
        ac.sum(y).backward()
    assert "over 19 operations" in str(flow.findings[0])


# ---- several optimisers --------------------------------------------------------------------------


def two():
    leaves = [nn.Parameter(np.ones(3), name=name) for name in "uv"]
    return leaves, [nn.SGD([leaf], lr=0.01) for leaf in leaves]


def product(u, v):
    return ac.sum((u * v - 2.0) ** 2)


def test_optimisers_may_take_turns():
    """Each sets the gradients of its own parameters to zero, before its pass."""
    (u, v), optimizers = two()
    with record_flow() as flow:
        for _ in range(3):
            for optimizer in optimizers:
                optimizer.zero_grad()
                product(u, v).backward()
                optimizer.step()
    assert kinds(flow) == []


def test_one_of_two_optimisers_forgets():
    (u, v), (first, second) = two()
    with record_flow() as flow:
        for _ in range(3):
            product(u, v).backward()
            first.step()
            second.step()
            first.zero_grad()
    assert kinds(flow) == ["forgotten zero_grad"]
    assert str(flow.findings[0]).startswith("forgotten zero_grad: v changed")


@pytest.mark.parametrize("fresh", [True, False])
def test_inputs_that_need_a_gradient_do_not_hide_it(fresh):
    w, optimizer = nn.Parameter(np.ones((2, 2)), name="w"), None
    optimizer = nn.SGD([w], lr=0.01)
    x = ac.Tensor(np.ones((3, 2)), True)
    for _ in range(2):
        x = ac.Tensor(np.ones((3, 2)), True) if fresh else x
        with record_flow() as flow:
            ac.sum((x @ w) ** 2).backward()
        optimizer.step()
    assert kinds(flow) == ["forgotten zero_grad"]


def test_a_gradient_that_was_assigned_is_meant():
    w = nn.Parameter(np.ones(3), name="w")
    optimizer = nn.SGD([w], lr=0.01)
    with record_flow() as flow:
        for _ in range(3):
            optimizer.zero_grad()
            w.grad = ac.Tensor(0.01 * w.data)  # weight decay
            ac.sum((w - 2) ** 2).backward()
            optimizer.step()
    assert kinds(flow) == []


def test_values_that_are_replaced_count_as_changed():
    w = nn.Parameter(np.ones(3), name="w")
    for _ in range(2):
        with record_flow() as flow:
            ac.sum((w - 2) ** 2).backward()
        w.data = w.data - 0.01 * w.grad.data
    assert kinds(flow) == ["forgotten zero_grad"]


@pytest.mark.parametrize("units", [1, 2, 16])
def test_a_layer_of_few_units_that_are_all_dead(units):
    model = nn.Sequential(nn.Linear(5, units, generator=np.random.default_rng(0)), nn.ReLU())
    model[0].bias.data = np.full(units, -50.0)
    with record_flow(model, thresholds={"dead": 0.9, "few_dead": 0.9}) as flow:
        x = np.random.default_rng(1).standard_normal((9, 5))
        nn.MSE()(model(x), np.full((9, units), 3.0)).backward()
    assert kinds(flow) == ["dead ReLU"]


def test_thresholds_of_another_type():
    with pytest.raises(ArgumentError, match="map names to numbers"), record_flow(thresholds=3):
        pass


# ---- what a flow of several passes shows ---------------------------------------------------------


def test_the_page_of_several_passes_is_that_of_the_last():
    w = nn.Parameter([[1.0, 2.0]], name="w")
    optimizer = nn.SGD([w], lr=1.0)
    with record_flow(values=True) as flow:
        for k in range(2):
            ac.sum(w @ np.array([[k + 1.0], [1.0]])).backward()
            optimizer.step()
            optimizer.zero_grad()
    data = data_of(draw(flow))
    assert "The last of 2 backward passes." in data["heading"]
    nodes = {node["title"]: node for node in data["nodes"]}
    assert len(nodes) == len(data["nodes"]) == 4
    assert nodes["w"]["value"]["rows"] == [[0.0, 1.0]]
    assert nodes["w"]["gradient"]["rows"] == [[2.0, 1.0]]
    assert (nodes["sum"]["symbol"], nodes["matmul"]["value"]["rows"]) == ("L", [[1.0]])


def test_a_box_has_the_gradient_of_the_flow_alone():
    x = ac.Tensor(2.0, True, name="x")
    with record_flow() as flow:
        (x**2).backward()
        (x**3).backward()
    box = next(box for box in flow.scene.boxes if box.title == "x")
    assert [line for line in box.lines if "gradient" in line] == []
    assert box.gradient.rms == 12
    y = [nn.Parameter(np.ones(2)) for _ in range(2)]
    with record_flow() as flow:
        ac.sum(y[0] * y[1] ** 2).backward()
    assert set(flow.parameter_rms().values()) == {1.0, 2.0}


def test_a_drawn_tensor_after_a_step_is_no_fault():
    """The pass of the page adds to no gradient."""
    w = nn.Parameter(np.ones(3), name="w")
    optimizer = nn.SGD([w], lr=0.01)
    ac.sum((w - 2) ** 2).backward()
    optimizer.step()
    assert data_of(draw(ac.sum((w - 2) ** 2)))["alarms"] == []
