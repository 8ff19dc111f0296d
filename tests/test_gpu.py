"""What only a real GPU can show. ``pytest -m gpu`` runs this file and, with CuPy in the place of
the stand-in, everything that takes the `device` fixture."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_core as ac
import nn
from autograd_core.devices import backend
from autograd_core.errors import DeviceError, OutOfMemoryError
from examples import mnist_mlp
from tests.conftest import GPU, NO_GPU
from tests.devices import Cuda, Host
from tests.table.checks import called, gradients, normal, operands
from tests.table.rows import ROWS

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(GPU is None, reason=f"no GPU: {NO_GPU}")]
HOST = Host()


@pytest.fixture(autouse=True, scope="module")
def cuda():
    backend.install(GPU)
    yield Cuda("gpu", GPU)
    backend.install(None)


def assert_near(there, here):
    """Sums in another order, and functions that differ in their last bits."""
    accuracy = np.finfo(here.dtype).eps if here.dtype.kind in "fc" else 0
    size = max(1.0, float(np.abs(here).max(initial=0)))
    np.testing.assert_allclose(there, here, rtol=256 * accuracy, atol=256 * accuracy * size)
    assert there.dtype == here.dtype


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@given(data=st.data())
def test_every_operation_agrees_with_numpy(row, dtype, cuda, data):
    case = data.draw(row.cases).cast(dtype)
    here, there = (called(row, case, operands(row, case, d, ()), d) for d in (HOST, cuda))
    assert there.device == "cuda:0"
    assert_near(cuda.numpy(there), HOST.numpy(here))
    if row.keeps:
        cotangent = normal(HOST.numpy(here))
        pairs = zip(
            gradients(row, case, cuda, cotangent),
            gradients(row, case, HOST, cotangent),
            strict=True,
        )
        for on_device, on_host in pairs:
            assert_near(on_device, on_host)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_compiled_training_step(cuda, momentum):
    weights = {}
    for name, device, compiled in (("host", "cpu", False), ("plain", "cuda", False),
                                   ("compiled", "cuda", True)):  # fmt: skip
        model = nn.Sequential(nn.Linear(20, 16, generator=0), nn.Tanh(),
                              nn.Linear(16, 4, generator=1), nn.Sigmoid()).to(device)  # fmt: skip
        optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1, momentum=momentum), nn.MSE("batch")

        def step(x, y, model=model, optimizer=optimizer, loss_of=loss_of):
            loss = loss_of(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        run, rng = ac.compile(step) if compiled else step, np.random.default_rng(0)
        for _ in range(20):
            x, y = rng.normal(size=(32, 20)), rng.uniform(size=(32, 4))
            run(ac.Tensor(x, device=device), ac.Tensor(y, device=device))
        weights[name] = [p.detach().cpu().numpy() for p in model.parameters()]
        if compiled:
            assert not run.plain, run.plain
            assert "cp.ElementwiseKernel" in run.source
    for one, two, three in zip(*weights.values(), strict=True):
        assert_near(two, one)
        assert_near(three, one)


def test_work_follows_the_current_stream(cuda):
    x = ac.Tensor(np.ones((512, 512)), requires_grad=True, device="cuda:0")
    GPU.cuda.get_current_stream().synchronize()
    with GPU.cuda.Stream(non_blocking=True) as stream:
        loss = (x @ x).sum()
        loss.backward()
    stream.synchronize()
    np.testing.assert_allclose(x.grad.cpu().numpy(), 1024.0)


def test_batches_that_travel_on_their_own_stream_arrive_whole(cuda):
    rows = np.random.default_rng(0).normal(size=(64 * 50, 1000))
    batches = nn.DataLoader(rows, batch_size=64, device="cuda:0")
    for number, x in enumerate(batches):
        expected = rows[64 * number : 64 * (number + 1)]
        np.testing.assert_array_equal(x.cpu().numpy(), expected)


def test_memory_is_returned(cuda):
    pool = GPU.get_default_memory_pool()
    before = pool.used_bytes()
    x = ac.Tensor(np.ones((1000, 1000)), requires_grad=True, device="cuda:0")
    for create_graph in (False, True):
        loss = ac.sigmoid(x @ x).sum()
        loss.backward(create_graph=create_graph)
        x.grad = None
        del loss
        assert pool.used_bytes() - before == x.data.nbytes
    del x
    assert pool.used_bytes() == before


def test_out_of_memory(cuda):
    x = ac.Tensor(np.ones(1 << 20), requires_grad=True, device="cuda:0")
    pool = GPU.get_default_memory_pool()
    y = x
    for _ in range(50):
        y = ac.tanh(y) * y
    loss = y.sum()
    limit = pool.get_limit()
    try:
        pool.set_limit(size=pool.used_bytes() + (1 << 20))
        pool.free_all_blocks()
        with pytest.raises(OutOfMemoryError, match="bytes in use"):
            loss.backward()
    finally:
        pool.set_limit(size=limit)
    assert x.grad is None


def test_two_devices(cuda):
    if "cuda:1" not in ac.available_devices():
        pytest.skip("one GPU only")
    x = ac.Tensor(np.arange(3.0), requires_grad=True, device="cuda:0")
    y = x.to("cuda:1")
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), [0.0, 2.0, 4.0])
    assert x.grad.device == "cuda:0"
    with pytest.raises(DeviceError, match="one device"):
        x + y


def test_the_main_job_trains(tmp_path, capsys):
    said = []
    for device in ("cpu", "cuda"):
        options = ["--quick", "--device", device, "--out", str(tmp_path / device)]
        mnist_mlp.main(options)
        lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("epoch")]
        said.append([[float(share) for share in re.findall(r"([\d.]+) %", x)] for x in lines])
    assert len(said[0]) == 3
    np.testing.assert_allclose(said[1], said[0], atol=0.5)  # sums in another order: % correct


def test_other_libraries_arrays_come_in_without_a_copy(cuda):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install -e '.[oracles]'")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch has no CUDA")
    theirs = torch.ones(4, device="cuda")
    ours = ac.from_dlpack(theirs)
    theirs += 1
    torch.cuda.synchronize()
    np.testing.assert_array_equal(ours.cpu().numpy(), 2.0)
