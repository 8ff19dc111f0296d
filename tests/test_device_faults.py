"""What goes wrong on a device: the wrong device, no memory, no library. Each error is a DeviceError
that names both sides and what to do."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import DeviceError, OutOfMemoryError
from tests.fake_cupy import device as fake


@pytest.fixture(autouse=True)
def cuda():
    """The stand-in plays CuPy for this test: these faults cannot be asked of a real device."""
    backend.install(fake)
    yield fake
    backend.install(None)


def tensor(device, shape=(3,), **settings):
    return ac.Tensor(np.ones(shape), device=device, **settings)


# ---- which device is the current one ------------------------------------------------------------


def test_a_device_that_is_not_current_is_used_all_the_same():
    x = tensor("cuda:1", requires_grad=True)
    with ac.detect_anomaly():
        (ac.exp(x) * x).sum().backward()
    y = x.detach()
    assert ac.Tensor(y.data, dtype=np.float32).device == "cuda:1"
    assert bool(np.allclose(y, y))
    assert bool(np.array_equal(y, y))
    assert bool(np.allclose(y, b=y))
    assert np.isclose(y, y).shape == (3,)
    assert "1." in np.array_repr(y)
    assert fake.cuda.Device().id == 0


@pytest.mark.parametrize("other", ["cpu", "cuda:1"])
def test_arrays_of_two_devices_are_not_compared(other):
    with pytest.raises(DeviceError, match=r"to\('cuda:[01]'\)"):
        np.allclose(tensor("cuda:0"), tensor(other))


def test_cuda_means_the_current_device_everywhere():
    x = tensor("cuda:0")
    assert x.to("cuda") is x
    assert x.to("cuda:0") is x
    with ac.device("cuda:1"):
        assert {t.device for t in (tensor("cuda"), x.to("cuda"), tensor("cpu").to("cuda"))} == {
            "cuda:1"
        }
    with fake.cuda.Device(1):
        assert x.to("cuda").device == "cuda:1"
        context = ac.device("cuda")
        with context, fake.cuda.Device(0):
            assert ac.Tensor([1.0]).device == "cuda:1"


# ---- the wrong device ---------------------------------------------------------------------------


@pytest.mark.parametrize(("home", "other"), [("cpu", "cuda:0"), ("cuda:0", "cuda:1"),
                                             ("cuda:0", "cpu"), ("cuda:1", "cpu")])  # fmt: skip
def test_nothing_is_written_across_devices(home, other):
    x, value = tensor(home), tensor(other)
    index = ac.Tensor([0, 1], device=other)
    for write in (
        lambda: x.__setitem__(0, value[0]),
        lambda: x.__setitem__((slice(None),), value),
        lambda: x.copy_(value),
        lambda: x.copy_(value.data),
        lambda: x.__setitem__(index, 1.0),
        lambda: x.__setitem__((index,), 1.0),
        lambda: x[index],
        lambda: x[index,],
    ):
        with pytest.raises(DeviceError, match=rf"to\('{home}'\)|to\('cuda:[01]'\)"):
            write()


def test_what_cupy_copies_in_silence_is_refused_by_ourselves():
    x = tensor("cuda:0")
    host, index = np.ones(3), np.array([0, 1, 2])
    with fake.lenient():
        for silent in (
            lambda: x.data[index],
            lambda: x.data.__setitem__(index, 1.0),
            lambda: x.data.__setitem__(slice(None), host),
            lambda: fake.add.at(x.data, index, 1.0),
            lambda: np.einsum("i,i", x.data, host),
        ):
            with fake.counting() as counts:
                silent()
            assert counts.transfers_in == 1, "CuPy does it without a word"
        tracked = tensor("cuda:0", requires_grad=True) * 1
        for ours in (
            lambda: x[index],
            lambda: tracked[:, None][index, 0],
            lambda: x.__setitem__(index, 1.0),
            lambda: x.__setitem__(slice(None), host),
            lambda: tracked.__setitem__(index, 1.0),
            lambda: tracked.__setitem__(slice(None), host),
            lambda: x.copy_(host),
            lambda: ac.einsum("i,i", x, host),
        ):
            with fake.counting() as counts, pytest.raises(DeviceError, match=r"to\('cuda:0'\)"):
                ours()
            assert counts.transfers_in == 0


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("other", ["cpu", "cuda:1"])
def test_a_gradient_from_elsewhere(tracked, other):
    x = tensor("cuda:0", requires_grad=True)
    with pytest.raises(DeviceError, match=r"backward[\s\S]*to\('cuda:0'\)"):
        (x * 2).backward(tensor(other, requires_grad=tracked), create_graph=tracked)


# ---- no memory ----------------------------------------------------------------------------------


def spare(nbytes, device=1):
    with fake.cuda.Device(device):
        return fake.limit_memory(fake.get_default_memory_pool().used_bytes() + nbytes)


ASKED = r"allocating (512|8,192) bytes \([^)]*\)\."
SAID = ASKED + r" cuda:1 holds [\d,]+ bytes in use of [\d,]+\. Use smaller"


def test_unused_memory_is_handed_back_when_a_pass_fails():
    x = tensor("cuda:1", (1000,), requires_grad=True)
    y = ac.tanh(ac.tanh(ac.tanh(x))) * x
    pool = fake.get_default_memory_pool()
    with fake.cuda.Device(1):
        fake.zeros(100_000)
    loss = y.sum()
    with spare(1024), pytest.raises(OutOfMemoryError):
        loss.backward()
    with fake.cuda.Device(1):
        assert pool.free_bytes() < 100_000


# ---- no library ---------------------------------------------------------------------------------
