"""Layers have PyTorch's values, gradients and second derivatives."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from tests.layers import every_activation

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
pytestmark = pytest.mark.oracle


def values(shape):
    """Random numbers, with zeros and the points where pieces meet."""
    x = 3 * np.random.default_rng(0).normal(size=shape)
    x.flat[:8] = [0, -0.0, 1, -1, 3, -3, 6, 40]
    return x


def plain(result):
    """A result as an array: that of a module with parameters is tracked."""
    return result.detach().numpy() if isinstance(result, ac.Tensor) else result


def second_order(x, y):
    """The gradient of the sum of squares of the gradient of sum(y²)."""
    (g,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    if not g.requires_grad:
        return torch.zeros_like(x)
    return torch.autograd.grad((g**2).sum(), x, allow_unused=True)[0]


@every_activation
def test_activations(name, options):
    x = values((5, 4, 6))
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options).double()
    u = torch.tensor(x, requires_grad=True)
    expected = theirs(u)
    found = plain(ours(ac.Tensor(x)))
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-10, atol=1e-14)
    (g,) = torch.autograd.grad((expected**2).sum(), u, retain_graph=True)
    gradient = ac.grad(lambda v: ac.sum(ours(v) ** 2))
    accuracy = 1e-7 if name == "Hardsigmoid" else 1e-10  # PyTorch rounds 1 / 6 to float32
    np.testing.assert_allclose(plain(gradient(x)), g.numpy(), rtol=accuracy, atol=1e-13)
    if name != "Hardsigmoid":
        second, known = ac.grad(lambda v: ac.sum(gradient(v) ** 2)), second_order(u, expected)
        np.testing.assert_allclose(plain(second(x)), known.numpy(), rtol=1e-9, atol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        ours.zero_grad()
        ac.sum(ours(ac.Tensor(x)) ** 2).backward()
        (g,) = torch.autograd.grad((theirs(torch.tensor(x)) ** 2).sum(), q)
        np.testing.assert_allclose(p.grad.numpy(), g.numpy(), rtol=1e-10)
    assert list(ours.state_dict()) == list(theirs.state_dict())
