"""A CUDA device, played by the strict stand-in for CuPy: how data gets there; what is refused."""

import gc
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.devices import memory
from autograd_core.errors import DeviceError, OutOfMemoryError
from tests.fake_cupy import device as fake
from tests.stand_in import cuda  # noqa: F401  (a fixture of every test)

ROOT = Path(__file__).parent.parent


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
            for x, y in nn.DataLoader(nn.TensorDataset(*arrays), 4, True, generator=3, device=name)
        ]
        for name in ("cpu", "cuda:1")
    )
    assert {name for *_, name in device} == {"cuda:1"}
    for (x, y, _), (x_there, y_there, _) in zip(host, device, strict=True):
        np.testing.assert_array_equal(x, x_there)
        np.testing.assert_array_equal(y, y_there)


def test_a_batch_is_written_only_where_nobody_reads_any_more():
    """Memory is handed on while kernels that read it are still queued: the copying stream waits for
    all that was computed before, and pinned memory lives until its copy is done."""
    fake.cuda.log.clear()
    memory._streams.clear()
    memory._under_way.clear()
    fake.cuda.Event.late = True  # no copy is ever done
    try:
        for _ in range(2):
            for x in nn.DataLoader(np.ones((8, 2)), batch_size=2, device="cuda:1"):
                x + 1
    finally:
        fake.cuda.Event.late = False
    kinds = [kind for kind, *_ in fake.cuda.log]
    computing = fake.cuda.Stream.null
    for place, (kind, stream, _) in enumerate(fake.cuda.log):
        if kind == "copy":
            assert kinds[place - 2 : place] == ["record", "wait"]
            (_, recorder, event), (_, waiter, waited) = fake.cuda.log[place - 2 : place]
            assert (recorder, waiter, event) == (computing, stream, waited)
            assert stream is not computing
            assert kinds[place + 1] == "record"
            done = fake.cuda.log[place + 1][2]
            assert ("wait", computing, done) in fake.cuda.log[place + 2 :]
    assert kinds.count("copy") == 8
    assert len({stream for kind, stream, _ in fake.cuda.log if kind == "copy"}) == 1
    assert len(memory._under_way[1]) == 8, "each copy's source lives on"
    next(iter(nn.DataLoader(np.ones((8, 2)), batch_size=2, device="cuda:1")))
    assert len(memory._under_way[1]) == 1, "those of copies that are done do not"


def test_big_endian_data_travels():
    x = next(iter(nn.DataLoader(np.arange(4.0).astype(">f8"), batch_size=2, device="cuda:0")))
    assert set(x.cpu().numpy().tolist()) < {0.0, 1.0, 2.0, 3.0}


def test_dlpack_brings_a_device_array_in():
    array = fake.asarray(np.arange(3.0))
    tensor = ac.from_dlpack(array)
    assert tensor.device == "cuda:0"
    assert tensor.__dlpack_device__()[0] == 2


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


def test_nothing_is_written_across_devices():
    host, first = ac.Tensor(np.zeros(2)), ac.Tensor(np.zeros(2), device="cuda:0")
    second = ac.Tensor(np.ones(2), device="cuda:1")
    for write in (
        lambda: host.__setitem__(0, first[0]),
        lambda: host.copy_(first),
        lambda: first.__setitem__(slice(None), second),
        lambda: first.copy_(second),
        lambda: first.copy_(host),
    ):
        with pytest.raises(DeviceError, match=r"\.to\('"):
            write()


def test_a_gradient_from_elsewhere_is_refused():
    x = ac.Tensor(np.ones(2), requires_grad=True, device="cuda:0")
    for gradient in (np.ones(2), ac.Tensor(np.ones(2), requires_grad=True, device="cuda:1")):
        with pytest.raises(DeviceError, match="its gradient is on"):
            (x * 2).backward(gradient)
    for hooked in (x, x * 2):
        remove = hooked.register_hook(lambda g: np.ones(2))
        with pytest.raises(DeviceError, match="its hook returned is on cpu"):
            (hooked * 1).sum().backward()
        remove()


def test_another_device_than_the_current_one():
    """All of this while cuda:0 is current."""
    x = ac.Tensor(np.ones(3), requires_grad=True, device="cuda:1")
    with ac.detect_anomaly():
        (ac.exp(x) * x).sum().backward()
    assert x.grad.device == "cuda:1"
    assert ac.Tensor(x.data, dtype=np.float32).device == "cuda:1"
    assert np.allclose(x, x)
    assert "cuda:1" in repr(x)
    assert np.array_equal(x, x)
    assert x.to("cuda:1") is x
    assert x.to("cuda").device == "cuda:0", "the current one"
    with ac.device("cuda:1"):
        assert x.to("cuda") is x


@pytest.mark.parametrize("name", ["cuda:2", "cuda:-1", "gpu", "cuda:x", "", 1])
def test_devices_that_are_not_there(name):
    with pytest.raises(DeviceError, match=r"cpu"):
        ac.Tensor([1.0], device=name)


def test_no_usable_gpu(monkeypatch):
    def refuse():
        raise RuntimeError("cudaErrorInsufficientDriver: driver version is insufficient")

    monkeypatch.setattr(fake.cuda.runtime, "getDeviceCount", refuse)
    with pytest.raises(DeviceError, match=r"InsufficientDriver[\s\S]*does its driver support"):
        ac.Tensor([1.0], device="cuda:0")
    assert ac.available_devices() == ["cpu"]


@pytest.mark.parametrize("device", ["cuda:0", "cuda:1"])
def test_out_of_memory_in_the_middle_of_backward(device):
    pool = fake.get_default_memory_pool()
    gc.collect()
    with fake.cuda.Device(int(device[-1])):
        others = pool.used_bytes()  # of other tests
    x = ac.Tensor(np.ones(1000), requires_grad=True, device=device)
    y = x
    for _ in range(20):
        y = ac.tanh(y) * y
    loss = y.sum()
    nodes = [y.node, y.node.parent.parent.parent]
    with fake.cuda.Device(int(device[-1])):
        before = pool.used_bytes()
        with fake.limit_memory(before + 12_000), pytest.raises(OutOfMemoryError) as raised:
            loss.backward()
        # what was asked, what was held then on that device, what to do
        assert re.search(r"allocating [\d,]+ bytes.* held on " + device, str(raised.value))
        held = re.search(r"([\d,]+) bytes in use of ([\d,]+)", str(raised.value))
        assert int(held[1].replace(",", "")) >= before
        assert "Use smaller batches" in str(raised.value)
        assert x.grad is None
        assert all(node.released for node in nodes), "the whole graph, not only what was used"
        assert pool.free_bytes() == 0, "memory is handed back"
        del y
        assert pool.used_bytes() < others + 30_000, "while the loss and the error are still there"


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x * 2,
        lambda x: ac.sum(x).backward(),
        lambda x: ac.Tensor(np.ones(1000), device="cuda:1"),
        lambda x: ac.zeros(1000, device="cuda:1"),
        lambda x: x.to("cuda:0"),
    ],
    ids=["forward", "the gradient's own copy", "from the host", "zeros", "from another device"],
)
def test_out_of_memory_is_told_wherever_it_happens(ask):
    x = ac.Tensor(np.ones(1000), requires_grad=True, device="cuda:1")
    gc.collect()  # what other tests left is not to be freed in between
    limits = []
    for index in (0, 1):
        with fake.cuda.Device(index):
            limits.append(fake.get_default_memory_pool().used_bytes())
    filler = fake.empty(max(limits[1] - limits[0], 8) // 8)  # both devices are equally full
    told = pytest.raises(OutOfMemoryError, match=r"held on cuda:[01]")
    with fake.limit_memory(max(limits) + 600), told:
        ask(x)
    assert filler is not None


def test_a_missing_library_is_told(monkeypatch):
    def missing(*operands, **settings):
        raise ImportError("Failure finding libcublasLt.so")

    x = ac.Tensor(np.ones((2, 2)), device="cuda:0")
    monkeypatch.setattr(fake, "exp", missing)
    with pytest.raises(DeviceError, match=r"libcublasLt[\s\S]*cupy-cuda12x\[ctk\]"):
        ac.exp(x)


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
        "for x in nn.DataLoader(np.ones((4, 4)), batch_size=2):\n"
        "    loss = nn.MSE()(model(x), np.ones((2, 3))); loss.backward(); optimizer.step()\n"
        "repr(loss); model.state_dict(); model.to('cpu'); loss.device\n"
        "import io, pickle; from autograd_core.rendering import draw\n"
        "ac.from_dlpack(np.arange(3.0)); pickle.loads(pickle.dumps(ac.Tensor([1.0])))\n"
        "x = ac.Tensor([1.0], requires_grad=True)\n"
        "with ac.detect_anomaly(): (x * x).sum().backward()\n"
        "np.allclose(x.detach(), x.detach())\n"
        "with ac.device('cpu'): ac.zeros(3).to('cpu')\n"
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
    assert "pip install 'cupy-cuda12x[ctk]'" in message
