"""Summaries, groups of parameters, loss scaling, hooks, states, and what reviews found."""

import collections
import copy
import math
import pickle
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")


# ---- summary -------------------------------------------------------------------------------------


def test_a_summary():
    shared = nn.Linear(8, 8)
    model = nn.Sequential(
        nn.Embedding(5, 8, dtype=np.float32), nn.Dropout(0.5), shared, nn.LayerNorm(8), shared,
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    )  # fmt: skip
    model[1].eval()
    found = nn.summary(model, (3, 4), dtype=np.int64)
    rows = {(row.name, i): row for i, row in enumerate(found.rows)}
    assert rows["0", 1].given == "(3, 4)"
    assert rows["0", 1].result == "(3, 4, 8)"
    assert (rows["0", 1].parameters, rows["0", 1].bytes) == (40, 160)
    assert rows["2", 3].multiply_adds == rows["2", 5].multiply_adds == 12 * 64
    assert (rows["2", 3].parameters, rows["2", 5].parameters) == (72, 0)
    attention = next(row for row in found.rows if row.name == "5.self_attn")
    assert attention.multiply_adds == 3 * 12 * 64 + 2 * 3 * 4 * 4 * 8
    assert attention.parameters == 3 * 64 + 24
    assert found.parameters == sum(p.size for p in model.parameters())
    assert found.parameters == sum(row.parameters for row in found.rows)
    assert found.bytes == sum(row.bytes for row in found.rows)
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    lines = str(found).splitlines()
    assert lines[0].split() == [
        "name",
        "layer",
        "in",
        "out",
        "parameters",
        "bytes",
        "multiply-adds",
    ]
    assert lines[-1] == f"trainable parameters: {found.trainable:,}"
    with pytest.raises(ShapeError, match=r"0 \(Linear\): expects 2 features"):
        nn.summary(nn.Sequential(nn.Linear(2, 3)), (4, 5))


def test_a_summary_of_two_inputs():
    found = nn.summary(nn.Bilinear(3, 4, 5), (2, 3), (2, 4))
    assert found.rows[0].given == "(2, 3), (2, 4)"
    assert found.multiply_adds == 2 * 5 * 5 * 3


# ---- groups --------------------------------------------------------------------------------------


def test_groups_of_parameters():
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1, bias=False))
    rules = [(lambda name, p, module: name.startswith("2"), {"lr": 1.0}),
             (nn.biases_and_norms, {"weight_decay": 0.0})]  # fmt: skip
    groups = nn.parameter_groups(model, *rules)
    optimizer = nn.AdamW(groups, lr=0.1, weight_decay=0.2)
    assert [(len(g["params"]), g["lr"], g["weight_decay"]) for g in optimizer.param_groups] == [
        (1, 0.1, 0.2), (1, 1.0, 0.2), (3, 0.1, 0.0)]  # fmt: skip
    assert len(nn.parameter_groups(nn.Linear(2, 1, bias=False), rules[1])) == 1


# ---- loss scaling --------------------------------------------------------------------------------


def half_step(scaler, w, optimizer, factor, compiled=lambda f: f):
    def step(x):
        optimizer.zero_grad()
        loss = ac.sum((x * w.astype(np.float16)).astype(np.float32))
        scaler.scale(loss * factor).backward()
        scaler.step(optimizer)
        return loss

    return compiled(step)


@pytest.mark.parametrize("compiled", [lambda f: f, Compiled], ids=["plain", "compiled"])
def test_small_gradients_survive_in_float16(compiled):
    x = ac.Tensor(np.ones(3, np.float16))
    for enabled, moved in ((True, True), (False, False)):
        w = nn.Parameter(np.ones(3, np.float32))
        scaler = nn.GradScaler(enabled=enabled)
        step = half_step(scaler, w, nn.SGD([w], lr=1e6), 1e-8, compiled)
        for _ in range(2):
            step(x)
            scaler.update()
        expected = 1 - 2 * 1e6 * 1e-8 * moved
        assert_close(w.detach(), np.full(3, expected, np.float32), rtol=1e-3)


def test_a_step_that_overflows_is_left_out():
    w, x = nn.Parameter(np.ones(3, np.float32)), ac.Tensor(np.ones(3, np.float16))
    optimizer = nn.SGD([w], lr=0.1)
    scaler = nn.GradScaler(init_scale=2.0**17, growth_interval=2)
    step, scales = half_step(scaler, w, optimizer, 1.0), []
    with np.errstate(over="ignore"):
        for _ in range(5):
            step(x)
            scaler.update()
            scales.append(math.log2(scaler.get_scale()))
    assert scales == [16, 15, 15, 16, 15], "smaller after an overflow, larger after two steps"
    assert_close(w.detach(), np.full(3, 0.8, np.float32), rtol=1e-6)
    again = nn.GradScaler()
    again.load_state_dict(scaler.state_dict())
    assert again.get_scale() == scaler.get_scale()
    with pytest.raises(AutogradError, match=r"call step\(optimizer\) first"):
        again.update()
    scaler.unscale_(optimizer)
    with pytest.raises(AutogradError, match="divided since the last update"):
        scaler.unscale_(optimizer)
    with pytest.raises(AutogradError, match=r"backoff_factor in \(0, 1\), not 65536.0, 2.0 and 2"):
        nn.GradScaler(backoff_factor=2)


def test_adam_in_float16_needs_a_larger_eps():
    w = nn.Parameter(np.ones(3, np.float16))
    with pytest.raises(DTypeError, match=r"Adam: eps=1e-08 is 0 in float16, .* pass eps=1e-4"):
        nn.Adam([w])
    optimizer = nn.Adam([w], lr=0.1, eps=1e-4)
    w.grad = ac.Tensor(np.zeros(3, np.float16))
    optimizer.step()
    assert_close(w.detach(), np.ones(3, np.float16), rtol=0)


# ---- what reviews found --------------------------------------------------------------------------


def test_copies_of_models_with_buffers():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model(ac.Tensor(np.random.default_rng(0).normal(size=(5, 2))))
    model.register_forward_hook(print)
    for twin in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        for name, values in twin.state_dict().items():
            assert_close(values, model.state_dict()[name], rtol=0)
    twin = copy.deepcopy(model)
    twin[1].running_mean.data[0] = 9
    assert model[1].running_mean.data[0] != 9


def test_an_averaged_model_restarts_with_its_count_and_has_the_buffers():
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    averaged = nn.AveragedModel(model)
    for value in (1.0, 2.0, 3.0):
        nn.init.constant_(model[0].weight, value)
        model(ac.Tensor([[1.0], [3.0]]))
        averaged.update_parameters(model)
    assert_close(averaged.module[1].running_mean, model[1].running_mean, rtol=0)
    again = nn.AveragedModel(model)
    again.load_state_dict(averaged.state_dict())
    nn.init.constant_(model[0].weight, 10.0)
    for each in (averaged, again):
        each.update_parameters(model)
        assert each.module[0].weight.item() == 4.0


def test_tied_weights_have_both_names():
    model = nn.Sequential(nn.Embedding(4, 3), nn.Linear(3, 4, bias=False))
    model[1].weight = model[0].weight
    assert list(model.state_dict()) == ["0.weight", "1.weight"]
    assert len(model.parameters()) == 1
    model.load_state_dict({"0.weight": np.ones((4, 3)), "1.weight": np.ones((4, 3))})
    assert_close(model[1].weight.detach(), np.ones((4, 3)), rtol=0)


@pytest.mark.parametrize("kind", ["Adam", "NAdam", "Adagrad"])
def test_a_restored_optimiser_with_two_groups_counts_once(kind):
    def made():
        parameters = [nn.Parameter(np.ones(3)), nn.Parameter(np.ones(3))]
        return parameters, getattr(nn, kind)([{"params": [p]} for p in parameters], lr=0.01)

    def go(parameters, optimizer, steps):
        for _ in range(steps):
            for p in parameters:
                p.grad = ac.ones(3)
            optimizer.step()

    whole, by_whole = made()
    go(whole, by_whole, 4)
    parts, first = made()
    go(parts, first, 2)
    _, second = made()
    second.param_groups[0]["params"], second.param_groups[1]["params"] = parts[:1], parts[1:]
    second.load_state_dict(pickle.loads(pickle.dumps(first)).state_dict())
    go(parts, second, 2)
    for a, b in zip(parts, whole, strict=True):
        assert_close(a.detach(), b.detach().cpu().numpy(), rtol=0)


def test_states_of_another_optimiser_are_refused():
    w = nn.Parameter([1.0])
    w.grad = ac.ones(1)
    other = nn.SGD([w], lr=0.1, momentum=0.9)
    other.step()
    optimizer = nn.Adam([w])
    with pytest.raises(ShapeError, match=r"has \['momentum_buffer'\], expected \['exp_avg"):
        optimizer.load_state_dict(other.state_dict())
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = -5.0
    with pytest.raises(AutogradError, match=r"lr must be at least 0 and finite, not -5\.0"):
        optimizer.load_state_dict(state)
    with pytest.raises(AutogradError, match=r"takes what state_dict\(\) returns"):
        optimizer.load_state_dict({})
    assert optimizer.lr == 1e-3


def test_a_frozen_layer_may_be_given_to_an_optimiser():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    before, optimizer = model.state_dict(), nn.SGD(model.parameters(), lr=0.1)
    ac.sum(model(ac.ones((3, 2)))).backward()
    optimizer.step()
    assert_close(model[0].weight.detach(), before["0.weight"], rtol=0)
    assert (model[1].bias.detach().cpu().numpy() != before["1.bias"]).all()


def test_a_model_that_became_half_precision_is_refused_by_adam():
    model = nn.Linear(2, 2)
    optimizer = nn.Adam(model.parameters())
    model.half()
    model.weight.grad = ac.Tensor(np.zeros((2, 2), np.float16))
    with pytest.raises(DTypeError, match="is 0 in float16"):
        optimizer.step()


def test_a_scaler_steps_once_for_an_update():
    w = nn.Parameter([1.0])
    w.grad = ac.ones(1)
    scaler, optimizer = nn.GradScaler(), nn.SGD([w], lr=0.1)
    scaler.step(optimizer)
    with pytest.raises(AutogradError, match=r"step\(\) was called since the last update"):
        scaler.step(optimizer)
    assert len(scaler.scale([ac.ones(()), ac.ones(())])) == 2


@pytest.mark.parametrize(
    "holder",
    [
        lambda layer: SimpleNamespace(layers=[layer]),
        lambda layer: SimpleNamespace(inner=SimpleNamespace(layer=layer)),
        lambda layer: {(layer, 1)},
        lambda layer: np.array([layer, None], object),
        lambda layer: collections.UserDict(a=layer),
        lambda layer: collections.ChainMap({"a": layer}),
        lambda layer: partial(layer),
    ],
)
def test_hidden_parameters_are_told(holder):
    model = nn.Module()
    model.hidden = holder(nn.Linear(1, 1))
    with pytest.raises(AutogradError, match=r"Module\.hidden is a \w+, in which parameters"):
        model.parameters()


def test_summaries_of_calls_by_keyword():
    class Model(nn.Module):
        def __init__(self):
            self.attention = nn.MultiheadAttention(8, 2)

        def forward(self, x):
            first, _ = self.attention(query=x, key=x, value=x)
            return self.attention(first, None, None)[0]

    found = nn.summary(Model(), (3, 2, 8))
    rows = [row for row in found.rows if row.name == "attention"]
    assert rows[0].multiply_adds == rows[1].multiply_adds > 0


def test_small_things_that_reviews_found():
    table = nn.Embedding(3, 2, max_norm=1.0, norm_type=np.inf)
    nn.init.constant_(table.weight, 4.0)
    assert_close(table(ac.Tensor([1])).detach(), [[1, 1]], rtol=1e-6)
    with pytest.raises(DTypeError, match="Dropout: expects floating-point numbers, x has int64"):
        nn.Dropout(0.5)(np.ones(3, int))
    norm = nn.LayerNorm((2, 3))
    groups = nn.parameter_groups(norm, (nn.biases_and_norms, {"weight_decay": 0.0}))
    assert len(groups) == 1
    attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
    groups = nn.parameter_groups(attention, (nn.biases_and_norms, {"weight_decay": 0.0}))
    assert [p.ndim for p in groups[0]["params"]] == [2, 2]
    x = np.random.default_rng(0).normal(size=(4, 5))
    layer = nn.InstanceNorm1d(4)
    assert_close(layer(ac.Tensor(x)), layer(ac.Tensor(x[None])).cpu().numpy()[0], rtol=0)
    assert nn.Unflatten(1, (2, -1))(ac.ones((0, 4))).shape == (0, 2, 2)
    for dim, sizes in ((2, (2, 2)), (-3, (2, 2)), (2, (1, -1)), (1, (-1, -1))):
        with pytest.raises(ShapeError, match=f"Unflatten: axis {dim} of x .* cannot be divided"):
            nn.Unflatten(dim, sizes)(ac.ones((3, 4)))
    with pytest.raises(DTypeError, match="RMSNorm: expects floating-point numbers, x has int64"):
        nn.RMSNorm(3)(np.ones((2, 3), int))
    assert nn.scaled_dot_product_attention(*[ac.ones((2, 0, 4))] * 3).shape == (2, 0, 4)
    with pytest.raises(AutogradError, match="a group of parameters is"):
        nn.SGD([{"lr": 0.1}])
    with pytest.raises(AutogradError, match="lr must be at least 0 and finite, not None"):
        nn.SGD([nn.Parameter([1.0])], lr=None)


@dataclass
class Heads:
    left: nn.Module
    scale: nn.Parameter
    title: str = "two heads"


class Plain:
    def __init__(self, layer):
        self.layer = layer


def test_parameters_in_dataclasses_sets_and_objects():
    model = nn.Module()
    model.heads = Heads(nn.Linear(2, 1), nn.Parameter([1.0]))
    names = ["heads.left.weight", "heads.left.bias", "heads.scale"]
    assert [name for name, _ in model.named_parameters()] == names
    model.again = Plain(model.heads.left)  # it is found elsewhere
    assert len(model.parameters()) == 3
    for holder, kind in ((Plain(nn.Linear(1, 1)), "Plain"), ({nn.Linear(1, 1)}, "set")):
        model.other = holder
        with pytest.raises(AutogradError, match=f"Module.other is a {kind}, in which parameters"):
            model.parameters()


def test_forward_hooks():
    model, seen = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), []
    layer = model[0]
    first = layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 2)
    second = layer.register_forward_hook(lambda module, inputs, out: seen.append((inputs, out)))
    third = model.register_forward_hook(lambda module, inputs, out: out + 1)
    x = ac.ones((4, 2))
    out = model(x)
    (((doubled,), inner),) = seen
    assert_close(doubled, 2 * np.ones((4, 2)), rtol=0)
    assert_close(out.detach(), np.maximum(inner.detach().cpu().numpy(), 0) + 1, rtol=1e-12)
    assert len(model.state_dict()) == 2
    for handle in (first, second, third):
        handle.remove()
    assert_close(model(x).detach(), np.maximum(layer(x).detach().cpu().numpy(), 0), rtol=1e-12)
    assert len(seen) == 1


def test_a_sequential_is_a_list_of_layers():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).append(nn.Linear(3, 1))
    model[-1] = nn.Linear(3, 4)
    assert model[:2](ac.ones((1, 2))).shape == (1, 3)
    assert model[:1][0] is model[0]
    assert model(ac.ones((1, 2))).shape == (1, 4)
    with pytest.raises(TypeError, match="Sequential: layer 0 is None"):
        model[0] = None

    class Model(nn.Module):
        def __init__(self):
            self.layers = nn.ModuleList([nn.Linear(2, 3)])
            self.heads = nn.ModuleDict({"a": nn.Linear(3, 1)})

    shown = "Model(\n  layers.0: Linear(2 → 3)\n  heads.a: Linear(3 → 1)\n)"
    assert repr(Model()) == shown


def test_hints_for_pytorchs_keywords():
    with pytest.raises(TypeError, match="Modules return new Tensors; leave it out"):
        nn.Dropout(0.5, inplace=True)
    with pytest.raises(TypeError, match=r"Write model\.to\(device\)"):
        nn.Linear(2, 3, device="cpu")
    with pytest.raises(AutogradError, match="var has negative variances"):
        nn.GaussianNLLLoss()(np.ones(2), np.ones(2), np.array([1.0, -1.0]))
    with pytest.raises(AutogradError, match="get_total_norm: the norm is nan"):
        nn.get_total_norm([np.array([np.nan])], error_if_nonfinite=True)
