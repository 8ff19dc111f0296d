"""Summaries, groups of parameters, loss scaling, CTC."""

import itertools
import math

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from autograd_core.testing import check_gradients
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
    rules = [(lambda name, p: name.startswith("2"), {"lr": 1.0}),
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


# ---- CTC -----------------------------------------------------------------------------------------


def sequences(seed=0, n=3, length=7, classes=4):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(length, n, classes))
    targets = random.integers(1, classes, (n, 3))
    targets[0, 1] = targets[0, 0]  # a repeated label needs a blank
    return logits, targets, np.array([length, length - 1, length - 2]), np.array([3, 2, 0])


def by_alignments(log_probs, target, blank=0):
    """The sum over all sequences that give the target."""
    length, classes = log_probs.shape
    total = 0.0
    for path in itertools.product(range(classes), repeat=length):
        kept = [a for a, _ in itertools.groupby(path) if a != blank]
        if kept == list(target):
            total += math.exp(sum(log_probs[t, c] for t, c in enumerate(path)))
    return -math.log(total) if total else math.inf


def test_ctc_is_the_sum_over_alignments():
    logits, targets, steps, lengths = sequences(length=5, classes=3)
    log_probs = ac.log_softmax(ac.Tensor(logits))
    found = nn.CTCLoss(reduction="none")(log_probs, targets % 3, steps, lengths)
    plain = log_probs.cpu().numpy()
    clean = np.where(targets % 3 == 0, 1, targets % 3)
    found = nn.CTCLoss(reduction="none")(log_probs, clean, steps, lengths)
    expected = [by_alignments(plain[: steps[i], i], clean[i, : lengths[i]]) for i in range(3)]
    assert_close(found, expected, rtol=1e-10)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batch"])
def test_ctc_has_right_gradients_and_compiles(reduction, device):
    logits, targets, steps, lengths = sequences()
    loss_of = nn.CTCLoss(reduction=reduction)

    def f(x):
        return loss_of(ac.log_softmax(x), targets, steps, lengths)

    if device.name == "cpu":
        check_gradients(f, ac.Tensor(logits))
    gradient = ac.grad(lambda x: ac.sum(f(x)))
    expected = gradient(ac.Tensor(logits)).cpu().numpy()
    compiled = Compiled(gradient)
    rtol = 0 if device.name == "cpu" else 1e-9
    assert_close(compiled(ac.Tensor(logits)), expected, rtol=rtol, atol=1e-12 * (rtol > 0))
    assert compiled.programs


def test_ctc_of_targets_that_do_not_fit():
    logits, targets, steps, lengths = sequences(length=3)
    log_probs = ac.Tensor(logits, requires_grad=True)
    steps, lengths = np.array([3, 2, 1]), np.array([3, 1, 1])
    found = nn.CTCLoss(reduction="none")(log_probs, targets, steps, lengths)
    assert np.isinf(found.detach().cpu().numpy()).tolist() == [True, False, False]
    loss = nn.CTCLoss(zero_infinity=True)(log_probs, targets, steps, lengths)
    loss.backward()
    g = log_probs.grad.cpu().numpy()
    assert np.isfinite(g).all()
    assert not g[:, 0].any()
    with pytest.raises(AutogradError, match=r"the label 4 is the blank or not in \[0, 4\)"):
        nn.CTCLoss()(log_probs, targets * 0 + 4, steps, lengths)
    with pytest.raises(DTypeError, match="targets must be integers"):
        nn.CTCLoss()(log_probs, targets * 1.0, steps, lengths)
    with pytest.raises(AutogradError, match=r"input_lengths must be in \[1, 3\]"):
        nn.CTCLoss()(log_probs, targets, steps + 1, lengths)
    with pytest.raises(ShapeError, match="4 targets, but target_lengths add up to 5"):
        nn.CTCLoss()(log_probs, np.ones(4, int), steps, lengths)
    with pytest.raises(ShapeError, match="at least one example"):
        nn.CTCLoss()(log_probs[:, :0], targets[:0], steps[:0], lengths[:0])


@pytest.mark.oracle
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("joined", [False, True])
def test_ctc_is_pytorchs(reduction, joined, device):
    if device.name != "cpu":
        pytest.skip("compared on the host")
    torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    for seed in range(5):
        logits, targets, steps, lengths = sequences(seed, length=9)
        if joined:
            targets = np.concatenate([t[:n] for t, n in zip(targets, lengths, strict=True)])
        x, u = ac.Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
        a = nn.CTCLoss(reduction=reduction)(ac.log_softmax(x), targets, steps, lengths)
        b = torch.nn.CTCLoss(reduction=reduction)(
            torch.log_softmax(u, -1), *map(torch.tensor, (targets, steps, lengths))
        )
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10)
        ac.sum(a).backward()
        b.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), u.grad.numpy(), rtol=1e-9, atol=1e-13)
