"""Losses of several operands have PyTorch's values and gradients."""

from itertools import product

import numpy as np
import pytest

import autograd_core as ac
import nn
from tests.losses import CASES, IDS, P, Q

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
pytestmark = pytest.mark.oracle


@pytest.mark.parametrize(
    ("case", "reduction"), list(product(CASES, ("mean", "sum", "none"))),
    ids=[f"{i}-{r}" for i, r in product(IDS, ("mean", "sum", "none"))],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:reduction:UserWarning")
def test_values_and_gradients(case, reduction):
    name, options, operands, tracked = case
    ours = getattr(nn, name)(**options, reduction=reduction)
    theirs = getattr(torch.nn, name)(**options, reduction=reduction)
    u = [ac.Tensor(x, requires_grad=i < tracked) for i, x in enumerate(operands)]
    v = [torch.tensor(x, requires_grad=i < tracked) for i, x in enumerate(operands)]
    found, expected = ours(*u), theirs(*v)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10,
                               atol=1e-13)  # fmt: skip
    ac.sum(found).backward()
    expected.sum().backward()
    for a, b in zip(u[:tracked], v[:tracked], strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_batchmean():
    u, v = np.log(P), torch.tensor(np.log(P))
    found = nn.KLDivLoss("batchmean")(u, Q)
    expected = torch.nn.KLDivLoss(reduction="batchmean")(v, torch.tensor(Q))
    np.testing.assert_allclose(found, expected.item(), rtol=1e-12)
