"""Every optimiser takes PyTorch's steps, and its state is PyTorch's."""

import numpy as np
import pytest

import nn
from tests.optimizers import NAMES, OPTIONS

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
pytestmark = pytest.mark.oracle


@pytest.fixture(autouse=True)
def double_precision():
    """PyTorch keeps counters in its default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def pairs(dtype):
    """Two parameters here and the same in PyTorch."""
    random = np.random.default_rng(0)
    values = [random.normal(size=shape) for shape in ((4, 3), (5,))]
    if np.dtype(dtype).kind == "c":
        values = [v + 1j * random.normal(size=v.shape) for v in values]
    ours = [nn.Parameter(v.astype(dtype)) for v in values]
    theirs = [torch.nn.Parameter(torch.tensor(v.astype(dtype))) for v in values]
    return ours, theirs


def set_gradients(ours, theirs, step, skip):
    random = np.random.default_rng(100 + step)
    for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        g = random.normal(size=p.shape).astype(p.dtype)
        if p.dtype.kind == "c":
            g = g + (1j * random.normal(size=p.shape)).astype(p.dtype)
        missing = i == 1 and step in skip
        p.grad = None if missing else g.conj()
        q.grad = None if missing else torch.tensor(g)


def agree(ours, theirs, rtol):
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
@pytest.mark.parametrize("skip", [(), (0, 1, 5)], ids=["all", "some without gradient"])
def test_ten_steps(name, options, dtype, skip):
    ours, theirs = pairs(dtype)
    if dtype == "c16" and name in ("Adamax", "RAdam"):
        pytest.skip("PyTorch takes the size of a complex number there, or none at all")
    mine, torchs = getattr(nn, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(10):
        set_gradients(ours, theirs, step, skip)
        mine.step()
        torchs.step()
        if step == 6:
            for optimizer in (mine, torchs):
                optimizer.param_groups[0]["lr"] *= 0.5
    agree(ours, theirs, 2e-5 if dtype == "f4" else 1e-10)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
def test_the_state_goes_both_ways(name, options):
    ours, theirs = pairs("f8")
    mine, torchs = getattr(nn, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(3):
        set_gradients(ours, theirs, step, ())
        torchs.step()
    for p, q in zip(ours, theirs, strict=True):
        p.data = q.detach().numpy().copy()
    mine.load_state_dict(torchs.state_dict())
    for step in range(3, 6):
        set_gradients(ours, theirs, step, ())
        mine.step()
        torchs.step()
    agree(ours, theirs, 1e-10)
    state = mine.state_dict()
    assert state["state"].keys() == torchs.state_dict()["state"].keys() or not state["state"]
    for i, arrays in state["state"].items():
        known = torchs.state_dict()["state"][i]
        assert arrays.keys() == {key for key, value in known.items() if value is not None}
        for key, values in arrays.items():
            np.testing.assert_allclose(values, known[key].numpy(), rtol=1e-6, err_msg=key)
    given = {
        **torchs.state_dict(),
        "state": {i: {k: torch.tensor(v) for k, v in a.items()} for i, a in state["state"].items()},
    }
    torchs.load_state_dict(given)
    for step in range(6, 9):
        set_gradients(ours, theirs, step, ())
        mine.step()
        torchs.step()
    agree(ours, theirs, 1e-10)


def test_settings_and_defaults_are_pytorchs():
    for name in sorted({name for name, _ in OPTIONS}):
        ours, theirs = pairs("f8")
        rate = {"lr": 0.1} if name == "SGD" else {}
        mine = getattr(nn, name)(ours, **rate).param_groups[0]
        known = getattr(torch.optim, name)(theirs, **rate).param_groups[0]
        for key in mine.keys() - {"params"}:
            assert mine[key] == known[key], (name, key)
        further = known.keys() - mine.keys()
        assert further <= {"foreach", "capturable", "differentiable", "fused"}, (name, further)
