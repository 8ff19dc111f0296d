"""A CUDA device, played by the strict stand-in for CuPy: where the data lives, and nothing else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core import backend
from autograd_core.errors import DeviceError, OutOfMemoryError
from examples import mnist_mlp
from tests import fake_device as fake

ROOT = Path(__file__).parent.parent

# One step of the lecture's network: 9 launches forward (a layer is product, bias and sigmoid; the
# loss three), 11 backward, 4 for the update of the four parameters. Unfused it is about 32.
LAUNCHES_OF_A_STEP = 24


@pytest.fixture(autouse=True)
def cuda():
    """The stand-in plays CuPy for this test."""
    backend.install(fake)
    yield fake
    backend.install(None)


def network(dtype=np.float32, device="cuda:0"):
    generator = np.random.RandomState(1)
    settings = {"initializer": nn.normal(0, 0.1), "generator": generator, "dtype": dtype}
    model = nn.Sequential(
        nn.Linear(784, 50, **settings), nn.Sigmoid(), nn.Linear(50, 10, **settings), nn.Sigmoid()
    )
    return model.to(device)


def batch(dtype=np.float32, device="cuda:0", rows=100):
    generator = np.random.default_rng(2)
    x = ac.Tensor(generator.uniform(-1, 1, (rows, 784)), dtype=dtype, device=device)
    y = ac.Tensor(nn.one_hot(generator.integers(0, 10, rows), 10, dtype), device=device)
    return x, y


def step(model, loss_of, optimizer, x, y):
    loss = loss_of(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# ---- the step -----------------------------------------------------------------------------------


@pytest.fixture
def plain_layout():
    """Results laid out as NumPy and CuPy do it, not at random: a transposed gradient costs one more
    launch for its contiguous copy."""
    fake.shuffle_strides(None)
    yield
    fake.shuffle_strides(0)


def assert_free_running(step):
    """`step` makes the host wait for nothing, moves nothing, and keeps to its launches."""
    model, (x, y) = network(), batch()
    optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1), nn.MSE("batch")
    step(model, loss_of, optimizer, x, y)
    with fake.counting() as counts:
        step(model, loss_of, optimizer, x, y)
    assert counts.waits == 0
    assert counts.transfers_in == 0
    assert counts.transfers_out == 0
    assert counts.launches == LAUNCHES_OF_A_STEP, counts.launches


def test_a_training_step_neither_waits_nor_transfers(plain_layout):
    assert_free_running(step)


@pytest.mark.parametrize(
    "careless",
    [
        lambda loss, x: float(loss),
        lambda loss, x: bool(loss > 0),
        lambda loss, x: x.cpu(),
        lambda loss, x: x.data[x.data > 0],
        lambda loss, x: ac.Tensor(np.ones(3), device="cuda:0"),
        lambda loss, x: loss + 1,
    ],
    ids=["float", "bool", "cpu", "mask", "host data", "a launch more"],
)
def test_a_step_that_waits_or_transfers_is_seen(careless, plain_layout):
    def wrong(*parts):
        careless(step(*parts), parts[-1])

    with pytest.raises(AssertionError):
        assert_free_running(wrong)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    "loss_of",
    [nn.MSE("batch"), nn.CrossEntropy(), nn.BinaryCrossEntropy(from_logits=True)],
    ids=lambda loss: type(loss).__name__,
)
def test_steps_on_the_device_equal_steps_on_the_host(loss_of, momentum):
    ends = []
    for device in ("cpu", "cuda:1"):
        model = network(np.float64, device)
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=momentum)
        x, y = batch(np.float64, device)
        for _ in range(3):
            step(model, loss_of, optimizer, x, y)
        assert {p.device for p in model.parameters()} == {device}
        ends.append(model.state_dict())
    for name in ends[0]:
        np.testing.assert_allclose(ends[1][name], ends[0][name], rtol=1e-12, atol=1e-14)


def test_the_loss_is_read_once_a_logged_line():
    model = network()
    optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1), nn.MSE("batch")
    x, y = batch()
    with fake.counting() as counts:
        mnist_mlp.train_epoch(model, loss_of, optimizer, [(x, y)] * 150)
    assert counts.waits + counts.transfers_out <= 2, (
        "one look in a hundred steps, and one at the end"
    )


def test_the_main_job_runs_there(tmp_path, capsys):
    said = []
    for device in ("cpu", "cuda"):
        mnist_mlp.main(
            ["--quick", "--epochs", "1", "--device", device, "--out", str(tmp_path / device)]
        )
        lines = capsys.readouterr().out.splitlines()
        said.append([line.split("  mse")[0] for line in lines if line.startswith("epoch")])
    assert said[0] == said[1], "the same start, the same batches, the same result"


# ---- moving -------------------------------------------------------------------------------------


def test_a_tensor_moves_and_its_gradient_comes_back():
    x = ac.Tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3).to("cuda:1")
    assert (y.device, y.shape) == ("cuda:1", (2,))
    (y * y).sum().cpu().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [18.0, 36.0])
    assert x.to("cpu") is x
    assert repr(y.detach()) == "Tensor([3., 6.], device='cuda:1')"
    with pytest.raises(TypeError, match=r"\.cpu\(\)\.numpy\(\)"):
        y.detach().numpy()


def test_host_data_lands_on_the_device_asked_for():
    assert ac.available_devices() == ["cpu", "cuda:0", "cuda:1"]
    with ac.device("cuda:1"):
        assert ac.Tensor([1.0]).device == "cuda:1"
        assert nn.Linear(2, 3).weight.device == "cuda:1"
        assert ac.Tensor([1.0], device="cpu").device == "cpu"
    assert ac.Tensor([1.0]).device == "cpu"
    assert ac.Tensor(fake.asarray(np.ones(2))).device == "cuda:0"


def test_batches_arrive_on_the_device_the_same_as_on_the_host():
    arrays = np.arange(20.0).reshape(10, 2), np.arange(10)
    host, device = (
        [
            (x.cpu().numpy(), y.cpu().numpy(), x.device)
            for x, y in nn.Batches(*arrays, batch_size=4, generator=3, device=name)
        ]
        for name in ("cpu", "cuda:1")
    )
    assert {name for *_, name in device} == {"cuda:1"}
    for (x, y, _), (x_there, y_there, _) in zip(host, device, strict=True):
        np.testing.assert_array_equal(x, x_there)
        np.testing.assert_array_equal(y, y_there)


def test_dlpack_brings_a_device_array_in():
    array = fake.asarray(np.arange(3.0))
    tensor = ac.from_dlpack(array)
    assert tensor.device == "cuda:0"
    assert tensor.__dlpack_device__()[0] == 2


def test_weights_on_disk_come_from_anywhere(tmp_path):
    model = network()
    path = nn.save_state(model.state_dict(), tmp_path / "weights.npz")
    other = network(device="cuda:1")
    other.load_state_dict(nn.load_state(path))
    assert other[0].weight.device == "cuda:1"
    np.testing.assert_array_equal(other.state_dict()["0.weight"], model.state_dict()["0.weight"])


# ---- bad input ----------------------------------------------------------------------------------


def test_host_and_device_do_not_mix_silently():
    there = ac.Tensor([[1.0, 2.0]], requires_grad=True, device="cuda:0")
    host = np.ones((1, 2))
    for mix in (
        lambda: there + host,
        lambda: host * there,
        lambda: ac.where(there > 1, there, host),
        lambda: ac.concatenate([there, host]),
        lambda: there @ host.T,
        lambda: there[np.array([0])],
        lambda: there * ac.Tensor([1.0, 1.0], device="cuda:1"),
        lambda: there.detach().__setitem__(0, host[0]),
        lambda: nn.Linear(2, 1)(there),
    ):
        with pytest.raises(DeviceError, match=r"to\('cuda:[01]'\)"):
            mix()
    for harmless in (there * 2, there + np.float64(1), there[0], there[:, [1, 0]], 1 - there):
        assert harmless.device == "cuda:0"


@pytest.mark.parametrize("name", ["cuda:2", "cuda:-1", "gpu", "cuda:x", ""])
def test_devices_that_are_not_there(name):
    with pytest.raises(DeviceError, match=r"cpu"):
        ac.Tensor([1.0], device=name)


def test_no_usable_gpu(monkeypatch):
    def refuse():
        raise RuntimeError("cudaErrorInsufficientDriver: driver version is insufficient")

    monkeypatch.setattr(fake.cuda.runtime, "getDeviceCount", refuse)
    with pytest.raises(DeviceError, match=r"InsufficientDriver[\s\S]*does its driver fit"):
        ac.Tensor([1.0], device="cuda:0")
    assert ac.available_devices() == ["cpu"]


def test_out_of_memory_in_the_middle_of_backward():
    x = ac.Tensor(np.ones(1000), requires_grad=True, device="cuda:0")
    y = x
    for _ in range(20):
        y = ac.tanh(y) * y
    loss = y.sum()
    pool = fake.get_default_memory_pool()
    with fake.limit_memory(pool.used_bytes() + 12_000), pytest.raises(OutOfMemoryError) as raised:
        loss.backward()
    assert "bytes in use" in str(raised.value)
    assert "Use smaller batches" in str(raised.value)
    assert x.grad is None
    assert loss.node.released
    del y, loss, raised
    assert pool.used_bytes() < 30_000, "the graph is freed and the memory returned"


# ---- without CuPy -------------------------------------------------------------------------------


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_cpu_user_never_imports_cupy():
    code = (
        "import sys, numpy as np, autograd_core as ac, nn, examples.mnist_mlp as job\n"
        "model = nn.Sequential(nn.Linear(4, 3), nn.Sigmoid())\n"
        "optimizer = nn.SGD(model.parameters(), lr=0.1)\n"
        "for x, in nn.Batches(np.ones((4, 4)), batch_size=2):\n"
        "    loss = nn.MSE()(model(x), np.ones((2, 3))); loss.backward(); optimizer.step()\n"
        "repr(loss); model.state_dict(); model.to('cpu'); loss.device\n"
        "try: ac.Tensor(object())\n"
        "except TypeError: pass\n"
        "job.parsed(['--device', 'cpu'])\n"
        "print('cupy' in sys.modules)"
    )
    assert python(code) == "False"


def test_no_cupy_is_said_with_what_to_install():
    code = (
        "import sys; sys.modules['cupy'] = None\n"
        "import autograd_core as ac\n"
        "print(ac.available_devices())\n"
        "try: ac.Tensor([1.0], device='cuda')\n"
        "except ac.DeviceError as error: print(error)"
    )
    devices, message = python(code).splitlines()
    assert devices == "['cpu']"
    assert "pip install cupy-cuda12x" in message
