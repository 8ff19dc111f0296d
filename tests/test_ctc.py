"""CTCLoss: the sum over alignments, gradients, programs, mistakes, PyTorch's values."""

import itertools
import math

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from autograd_core.rendering import draw
from autograd_core.testing import check_gradients
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")


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
    with pytest.raises(AutogradError, match=r"blank must be in \[0, 4\), not 9"):
        nn.CTCLoss(blank=9)(log_probs, targets, steps, lengths)
    with pytest.raises(DTypeError, match="targets must be integers"):
        nn.CTCLoss()(log_probs, targets * 1.0, steps, lengths)
    with pytest.raises(AutogradError, match=r"input_lengths must be in \[1, 3\]"):
        nn.CTCLoss()(log_probs, targets, steps + 1, lengths)
    with pytest.raises(ShapeError, match="4 targets, but target_lengths add up to 5"):
        nn.CTCLoss()(log_probs, np.ones(4, int), steps, lengths)
    with pytest.raises(ShapeError, match=r"log_probs have shape \(T, n, C\) or \(T, C\), not \(4,"):
        nn.CTCLoss()(log_probs[0, 0], targets, steps, lengths)
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


def test_it_is_drawn():
    logits, targets, steps, lengths = sequences(length=4)
    x = ac.Tensor(logits, requires_grad=True, name="x")
    drawn = str(draw(nn.CTCLoss()(ac.log_softmax(x), targets, steps, lengths)))
    assert "CTCLoss" in drawn
    assert "logaddexp" in drawn
