"""Losses of numbers, distributions and distances: dtypes, the checker, programs, mistakes."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, ShapeError
from autograd_core.rendering import draw
from autograd_core.testing import check_gradients
from tests.host import assert_close
from tests.losses import CASES, IDS

pytestmark = pytest.mark.usefixtures("there")
every = pytest.mark.parametrize(("name", "options", "operands", "tracked"), CASES, ids=IDS)


@every
@pytest.mark.parametrize("reduction", ["mean", "batch"])
def test_float32_is_kept(name, options, operands, tracked, reduction):
    if np.ndim(operands[-1]) == 0 and reduction == "batch":
        pytest.skip("a single loss has no batch")
    loss_of = getattr(nn, name)(**options, reduction=reduction)
    given = [ac.Tensor(np.float32(x), requires_grad=i < tracked) for i, x in enumerate(operands)]
    loss = loss_of(*given)
    assert loss.dtype == np.float32
    exact = loss_of(*(ac.Tensor(np.float64(np.float32(x))) for x in operands))
    assert_close(loss.detach(), exact.cpu().numpy(), rtol=2e-4)
    loss.backward()
    assert all(x.grad.dtype == np.float32 for x in given[:tracked])


@every
def test_the_checker_finds_no_error(name, options, operands, tracked, device):
    if name == "GaussianNLLLoss":
        operands = (*operands[:2], operands[2] + 0.6)  # below eps the gradient is that at eps
    loss_of = getattr(nn, name)(**options, reduction="none")
    fixed = [ac.Tensor(x) for x in operands[tracked:]]
    check_gradients(lambda *x: loss_of(*x, *fixed), *(ac.Tensor(x) for x in operands[:tracked]))


@every
def test_programs_have_the_same_bits(name, options, operands, tracked, device):
    loss_of = getattr(nn, name)(**options)
    w = nn.Parameter(1.1)

    def f(*given):
        w.grad = None
        loss = loss_of(given[0] * w, *given[1:])
        loss.backward()
        return loss.detach(), w.grad.detach()

    compiled = Compiled(f)
    given = [ac.Tensor(x) for x in operands]
    for _ in range(3):
        for found, expected in zip(compiled(*given), f(*given), strict=True):
            slack = 0 if device.name == "cpu" else 1e-11  # the stand-in changes the order of sums
            assert_close(found, expected.cpu().numpy(), rtol=slack, atol=slack)
    assert compiled.programs


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: nn.HuberLoss(delta=0), "HuberLoss: delta must be positive, not 0"),
        (lambda: nn.SmoothL1Loss(beta=-1), "beta must be at least 0"),
        (lambda: nn.L1Loss("average"), "reduction is one of"),
        (lambda: nn.L1Loss()(ac.Tensor([1.0, 2.0]), ac.Tensor([[1.0], [2.0]])), "the same shape"),
        (lambda: nn.GaussianNLLLoss()([1.0, 2.0], [1.0, 2.0], [1.0, 1.0, 1.0]), "var has shape"),
        (lambda: nn.CosineEmbeddingLoss()([[1.0]], [[1.0]], [1.0, 1.0]), "need labels of shape"),
        (lambda: nn.MarginRankingLoss()([1.0], [1.0, 2.0], [1.0]), "the same shape"),
        (lambda: nn.TripletMarginLoss()([1.0], [1.0], None), "is None"),
        (lambda: nn.L1Loss()(ac.Tensor(np.zeros((0, 2))), ac.Tensor(np.zeros((0, 2)))), "reduced"),
    ],
)
def test_mistakes(make, complaint):
    with pytest.raises((AutogradError, ShapeError), match=complaint):
        make()


@every
def test_losses_are_drawn(name, options, operands, tracked):
    given = [ac.Tensor(x, requires_grad=i < tracked) for i, x in enumerate(operands)]
    drawn = str(draw(getattr(nn, name)(**options)(*given)))
    assert name in drawn
    assert "nan" not in drawn
