"""The losses and their gradients are PyTorch's, for each reduction and option."""

from itertools import product

import numpy as np
import pytest

import autograd_core as ac
import nn
from tests.host import assert_close

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")

pytestmark = pytest.mark.oracle

REDUCTIONS = ("mean", "sum", "none")


def assert_torchs(name, options, x, target, like=None):
    """The loss called `name` of x and the target has PyTorch's value, gradient and shape."""
    ours = getattr(nn, name)(**options)
    theirs = getattr(torch.nn, name)(
        **{k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    )
    u, v = ac.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    loss, expected = ours(u, target), theirs(v, torch.tensor(target))
    assert loss.shape == tuple(expected.shape)
    assert_close(loss.detach(), expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    loss.sum().backward()
    expected.sum().backward()
    assert_close(u.grad, v.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(6,), (4, 3), (2, 3, 4)])
def test_elementwise_losses(shape, reduction):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=shape), generator.normal(size=shape)
    p, t = generator.uniform(size=(2, *shape))
    weight, classes = generator.uniform(size=shape), generator.uniform(0.5, 4, shape[-1:])
    labels = generator.integers(0, 2, shape).astype(float)
    assert_torchs("MSELoss", {"reduction": reduction}, x, y)
    for target, given in product((t, labels), ({}, {"weight": weight})):
        given["reduction"] = reduction
        assert_torchs("BCELoss", given, p, target)
        assert_torchs("BCEWithLogitsLoss", given, x, target)
        assert_torchs("BCEWithLogitsLoss", given | {"pos_weight": classes}, x, target)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 5, 2), (2, 5, 3, 4)])
def test_losses_of_classes(shape, weighted, reduction):
    generator = np.random.default_rng(1)
    axis = min(1, len(shape) - 1)
    x = generator.normal(size=shape) * 3
    indices = generator.integers(0, 5, shape[:axis] + shape[axis + 1 :])
    options = {"reduction": reduction}
    if weighted:
        options["weight"] = generator.uniform(0.1, 2, 5)
    logarithms = ac.log_softmax(x, axis)
    for ignored in (-100, 2):
        if ignored == 2 and indices.ndim == 0:
            continue
        given = options | {"ignore_index": ignored}
        assert_torchs("NLLLoss", given, logarithms, indices)
        for smoothing in (0.0, 0.3, 1.0):
            smoothed = given | {"label_smoothing": smoothing}
            assert_torchs("CrossEntropyLoss", smoothed, x, indices)
            probabilities = ac.softmax(generator.normal(size=shape), axis)
            assert_torchs("CrossEntropyLoss", options | {"label_smoothing": smoothing}, x,
                          probabilities)  # fmt: skip


def test_all_targets_ignored():
    x, ignored = np.zeros((2, 3)), np.full(2, -100)
    with np.errstate(invalid="ignore"):
        assert np.isnan(nn.CrossEntropyLoss()(x, ignored))
    assert_torchs("CrossEntropyLoss", {"reduction": "sum"}, x, ignored)


@pytest.mark.parametrize("p", [0.0, 1e-50, 1e-44, 1e-12, 0.5, 1.0])
def test_the_lowest_logarithm(p):
    ours = nn.BCELoss()(np.array([p]), np.array([1.0]))
    theirs = torch.nn.BCELoss()(torch.tensor([p], dtype=torch.float64), torch.ones(1).double())
    assert ours == pytest.approx(theirs.item(), rel=1e-14)
