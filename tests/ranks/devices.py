"""Operations between ranks on arrays of a device, which the stand-in for CuPy plays: staged through
the host, and by a stand-in for NCCL.

mpiexec -n 3 python -m mpi4py -m tests.ranks.devices staged
"""

import sys

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.devices import backend
from nn.distributed import (
    DistributedDataParallel,
    Group,
    all_gather,
    all_reduce,
    all_to_all,
    broadcast,
    gather,
    recv,
    reduce,
    reduce_scatter,
    scatter,
    send,
    sendrecv,
    world,
)
from tests.fake_cupy import cuda
from tests.fake_cupy import device as fake
from tests.ranks import fake_nccl

WORLD = world(timeout=60)
RANK, SIZE = WORLD.rank, WORLD.size
ROOT = 1
MINE = RANK == ROOT
EVERY = np.random.default_rng(0).normal(size=(SIZE, SIZE, 4)).round(1)


def uneven(x, group):
    """Rows of different numbers, none on rank 0."""
    return all_gather(x[:RANK], axis=0, group=group)


# each takes an array with a row for each rank
FUNCTIONS = {
    "all_reduce": lambda x, group: all_reduce(x, group=group),
    "mean": lambda x, group: all_reduce(x, "mean", group),
    "max": lambda x, group: all_reduce(x, "max", group),
    "min": lambda x, group: all_reduce(x, "min", group),
    "reduce": lambda x, group: reduce(x, root=ROOT, group=group),
    "broadcast": lambda x, group: broadcast(x, ROOT, group),
    "broadcast None": lambda x, group: broadcast(x if MINE else None, ROOT, group),
    "gather": lambda x, group: gather(x, ROOT, group),
    "all_gather": lambda x, group: all_gather(x, group=group),
    "all_gather axis": lambda x, group: all_gather(x, 1, group),
    "all_gather uneven": uneven,
    "scatter": lambda x, group: scatter(x, ROOT, group),
    "scatter None": lambda x, group: scatter(x if MINE else None, ROOT, group),
    "reduce_scatter": reduce_scatter,
    "all_to_all": all_to_all,
}

# copies to and from the host in the forward pass; all others have one of each
COPIES = {
    "reduce": (1, int(MINE)),
    "broadcast": (1, 0) if MINE else (0, 1),
    "broadcast None": (1, 0) if MINE else (0, 1),
    "gather": (1, int(MINE)),
    "scatter": (1, 1) if MINE else (0, 1),
    "scatter None": (1, 1) if MINE else (0, 1),
}

# the calls of NCCL: forward, then backward
EXTREME = ["allreduce max float64", "allreduce max uint8"]
LEAST = ["allreduce min float64", "allreduce max uint8"]
SUMS = ["allreduce sum float64"]
CALLS = {
    "all_reduce": (SUMS, SUMS),
    "mean": (["allreduce avg float64"], ["allreduce avg float64"]),
    "max": (EXTREME, EXTREME + SUMS * 2),
    "min": (LEAST, LEAST + SUMS * 2),
    "reduce": (["reduce sum float64"], ["broadcast float64"]),
    "broadcast": (["broadcast float64"], ["reduce sum float64"]),
    "broadcast None": (["broadcast float64"], ["reduce sum float64"]),
    "gather": (["gather float64"], ["scatter float64"]),
    "all_gather": (["allgather float64"], ["reduce_scatter sum float64"]),
    "all_gather axis": (["allgather float64"], SUMS),
    "all_gather uneven": (["broadcast float64"] * (SIZE - 1), SUMS),
    "scatter": (["scatter float64"], ["gather float64"]),
    "scatter None": (["scatter float64"], ["gather float64"]),
    "reduce_scatter": (["reduce_scatter sum float64"], ["allgather float64"]),
    "all_to_all": (["alltoall float64"], ["alltoall float64"]),
}


def on(device, array):
    """A copy of a host array on a device."""
    return backend.to_device(np.array(array), device)


def numpy(value):
    """The values of an array or a Tensor, on the host."""
    return backend.asnumpy(value.data if isinstance(value, ac.Tensor) else value)


def taken():
    """The calls since the last time, in words."""
    words = [" ".join(filter(None, (c.name, c.operation, c.dtype))) for c in fake_nccl.calls]
    fake_nccl.calls.clear()
    return words


def new_group():
    """All ranks, without a communicator of NCCL."""
    return Group(WORLD.comm.Dup())


def compare(name, group, device="cuda:0", nccl=False):
    """Compare the value and the gradient of an operation on a device with those on the host."""
    function, found, copies = FUNCTIONS[name], [], (0, 0)
    x = np.asfortranarray(EVERY[RANK])
    for home in ("cpu", device):
        leaf = ac.Tensor(on(home, x), requires_grad=True)
        with fake.counting() as counts:
            y = function(leaf, group)
        forward, copies = taken(), (counts.transfers_out, counts.transfers_in)
        assert y.device == home, (name, y.device)
        weights = on(home, np.arange(1.0, y.size + 1).reshape(y.shape) * (RANK + 1))
        with fake.counting() as counts:
            (y * weights).sum().backward()
        backward = taken()
        if leaf.grad is not None:
            assert leaf.grad.device == home, name
        found.append((numpy(y), numpy(0.0 if leaf.grad is None else leaf.grad)))
    (value, slope), (there, slope_there) = found
    assert there.dtype == value.dtype
    np.testing.assert_allclose(there, value, rtol=1e-15, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(slope_there, slope, rtol=1e-14, atol=1e-14, err_msg=name)
    if nccl:
        assert (forward, backward) == CALLS[name], (name, forward, backward)
        assert copies == (0, 0) == (counts.transfers_out, counts.transfers_in), (name, copies)
        assert not counts.waits, name
    else:
        assert copies == COPIES.get(name, (1, 1)), (name, copies)
        assert not forward + backward


def dtypes(group, names=("all_reduce", "mean", "max", "all_gather", "broadcast", "reduce")):
    """Values and dtypes are those of the host, for every dtype. Returns those that NCCL moves."""
    moved = set()
    for dtype in ["f2", "f4", "f8", "c8", "c16", "i1", "i2", "i4", "i8", "u1", "u8", "b1"]:
        x = np.array([1, 0, RANK + 100], dtype)
        for name in names:
            if dtype[0] == "c" and name == "max":
                continue
            value = FUNCTIONS[name](x, group)
            there = FUNCTIONS[name](on("cuda:0", x), group)
            assert backend.on_device(there), (name, dtype)
            assert there.dtype == value.dtype, (name, dtype, there.dtype)
            # NCCL multiplies by a third before it adds
            rtol = {"f2": 2e-3, "f4": 2e-7, "f8": 1e-15}.get(dtype, 0) if name == "mean" else 0
            np.testing.assert_allclose(numpy(there), value, rtol, err_msg=f"{name} {dtype}")
            if taken():
                moved.add(dtype)
        if dtype in ("i1", "u1", "b1"):
            every = np.array([[1, 0, r + 100] for r in range(SIZE)], dtype)
            np.testing.assert_array_equal(all_reduce(x, "mean", group), every.mean(0))
            taken()
    return moved


def extremes(group):
    """NaN, infinities, 0-d and empty arrays."""
    x = np.array([np.nan if RANK == 1 else 1.0, RANK, -np.inf], np.float32)
    for kind, expected in (("max", [np.nan, SIZE - 1, -np.inf]), ("min", [np.nan, 0, -np.inf])):
        found = all_reduce(on("cuda:0", x), kind, group)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(numpy(found), expected)
    assert numpy(all_reduce(on("cuda:0", 2.0), group=group)) == 2.0 * SIZE
    for empty in (np.ones((SIZE, 0)), np.ones((0, 3))):
        assert all_reduce(on("cuda:0", empty), group=group).shape == empty.shape
        assert gather(on("cuda:0", empty), ROOT, group).shape == (SIZE * MINE, *empty.shape)
    taken()


def messages(home):
    """Messages, which go through the host: what arrives, and its gradient, are on the device."""
    right, left = (RANK + 1) % SIZE, (RANK - 1) % SIZE
    x = ac.Tensor(on(home, EVERY[RANK]), requires_grad=True)
    with fake.counting() as counts:
        y = sendrecv(x, right, left)
    assert (counts.transfers_out, counts.transfers_in) == (1, 1)
    with ac.device(home):  # of what arrives where nothing is sent
        sent, z = send(x, right), recv(left)
    (sent + (y * (RANK + 1) + z).sum()).backward()
    for found, expected in ((y, EVERY[left]), (z, EVERY[left]), (x.grad, right + 2.0)):
        assert found.device == home, (found.device, home)
        np.testing.assert_array_equal(numpy(found), np.broadcast_to(expected, x.shape))
    zeros = sendrecv(x.data, None, None)
    assert backend.device_of(zeros) == home
    assert not numpy(zeros).any()


# ---- training


def network():
    """A network with two dtypes; that of each rank has other weights at first."""
    rng = np.random.default_rng(RANK)
    return nn.Sequential(
        nn.Linear(4, 5, generator=rng), nn.BatchNorm1d(5), nn.Tanh(),
        nn.Linear(5, 2, generator=rng).float(),
    )  # fmt: skip


def trained(home, group, steps=3):
    """The weights after some steps, and the calls of NCCL in the beginning and in each step."""
    taken()
    model = DistributedDataParallel(network().to(home), group)
    started, stepped = taken(), []
    optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1, momentum=0.9), nn.MSE()
    data = np.random.default_rng(10 + RANK)
    for _ in range(steps):
        x, y = (ac.Tensor(data.normal(size=(6, n)), device=home) for n in (4, 2))
        optimizer.zero_grad()
        loss_of(model(x), y).backward()
        optimizer.step()
        stepped.append(taken())
    assert all(p.device == home for p in model.parameters())
    model.synchronize_buffers()
    return {key: numpy(value) for key, value in model.state_dict().items()}, started, stepped


def training(group, nccl):
    """Training on a device is that on the host."""
    expected, _, _ = trained("cpu", new_group())
    weights, started, stepped = trained("cuda:0", group)
    for key, value in expected.items():
        rtol = 1e-5 if value.dtype == np.float32 else 1e-7
        np.testing.assert_allclose(weights[key], value, rtol, 1e-7, err_msg=key)
        bits = WORLD.objects(weights[key].tobytes())
        assert len(set(bits)) == 1, key
    if not nccl:
        assert not started
        assert not any(stepped)
        return
    kinds = ["float64", "float32"]
    state = kinds + [b.dtype.name for b in network().buffers() if b.dtype.name not in kinds]
    assert started == [f"broadcast {kind}" for kind in state], started
    buffers = list(dict.fromkeys(b.dtype.name for b in network().buffers()))
    means = [f"allreduce sum {kind}" for kind in kinds]  # of what was divided
    for calls in stepped:
        assert calls == [f"broadcast {kind}" for kind in buffers] + means, calls


# ---- the programs


def own_device(number):
    """Devices 0 and 1 of this rank are those of a machine with many."""
    usual = cuda.get_device_properties

    def properties(device):
        return usual(device) | {"uuid": bytes([1 + number + 100 * device] * 16)}

    cuda.runtime.getDeviceProperties = properties


def staged():
    """Through the host: nccl4py is missing."""
    fake_nccl.install(present=False)
    for name in FUNCTIONS:
        compare(name, WORLD)
    compare("all_reduce", WORLD, "cuda:1")  # not the current device
    messages("cuda:0")
    messages("cuda:1")
    assert not dtypes(WORLD)
    extremes(WORLD)
    training(WORLD, nccl=False)


def connected():
    """By NCCL: each rank has its own device."""
    fake_nccl.install()
    own_device(RANK)
    for name in FUNCTIONS:
        compare(name, WORLD, nccl=True)
    assert dtypes(WORLD) == {"f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8"}
    extremes(WORLD)
    training(WORLD, nccl=True)
    compare("all_gather uneven", WORLD, "cuda:1", nccl=True)  # not the current device
    with cuda.Stream() as stream:
        all_reduce(on("cuda:0", [1.0]))
    assert fake_nccl.calls[-1].stream == stream.ptr != 0
    with pytest.raises(fake_nccl.NcclInvalid, match="different calls"):
        WORLD.nccl["cuda:0"].all_reduce(on("cuda:0", np.ones(2 + (RANK == 1))), "sum")


def chosen():
    """Two ranks with one device, and a rank without nccl4py: all use the host."""
    fake_nccl.install()
    for numbers, present, nccl in (
        ([0, 1, 1], [1, 1, 1], False),
        ([0, 1, 2], [1, 0, 1], False),
        ([0, 1, 2], [1, 1, 1], True),
    ):
        own_device(numbers[RANK])
        fake_nccl.install(bool(present[RANK]))
        group = new_group()
        compare("broadcast None", group, nccl=nccl)
        compare("all_reduce", group, nccl=nccl)
        assert (group.nccl["cuda:0"] is not None) == nccl


if __name__ == "__main__":
    backend.install(fake)
    globals()[sys.argv[1]]()
    if RANK == 0:
        print("passed", flush=True)
