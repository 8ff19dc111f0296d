"""Operands that are unusual, and what all ranks must get.

mpiexec -n 3 python -m mpi4py -m tests.ranks.odd
"""

import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradWarning, DTypeError
from nn.distributed import (
    DistributedDataParallel,
    Group,
    all_gather,
    all_reduce,
    all_to_all,
    broadcast,
    gather,
    reduce,
    scatter,
    sendrecv,
    world,
)

GROUP = world(timeout=60)
RANK, SIZE = GROUP.rank, GROUP.size


def same(found, expected, dtype=None):
    """Compare values, and the dtype."""
    found = found.data if isinstance(found, ac.Tensor) else found
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == (np.asarray(expected).dtype if dtype is None else dtype), found.dtype


def dtypes():
    """Every dtype, of NumPy's kinds of numbers."""
    for dtype in ["f2", "f4", "f8", "c8", "c16", "i1", "i4", "i8", "u1", "u8", "b1"]:
        x = np.array([1, 0, RANK], dtype)
        every = np.array([[1, 0, r] for r in range(SIZE)], dtype)
        same(all_reduce(x), every.sum(0, dtype=int if dtype == "b1" else dtype))
        same(all_gather(x), every)
        same(broadcast(x, root=1), every[1])
        same(gather(x, root=1), every if RANK == 1 else every[:0])
        same(all_to_all(every), np.stack([every[RANK]] * SIZE))
        same(sendrecv(x, (RANK + 1) % SIZE, (RANK - 1) % SIZE), every[RANK - 1])
        same(reduce(x, root=1), all_reduce(x) if RANK == 1 else all_reduce(x) * 0)
        same(scatter(every if RANK == 0 else None), every[RANK])
        if dtype[0] != "c":
            same(all_reduce(x, "max"), every.max(0))
            same(all_reduce(x, "min"), every.min(0))
    wide = np.array([1, RANK], np.longdouble) / 3
    same(all_gather(wide), np.array([[1, r] for r in range(SIZE)], np.longdouble) / 3)


def halves():
    """Sums of float16 do not lose what float32 keeps; a mean does not overflow on the way."""
    same(all_reduce(np.full(2, 40000, np.float16), "mean"), np.full(2, 40000, np.float16))
    small = np.array([2048.0 if RANK == 0 else 0.6], np.float16)
    exact = np.float16(2048 + (SIZE - 1) * np.float64(np.float16(0.6)))
    same(all_reduce(small), np.array([exact]))


def layouts():
    """Strided, transposed, 0-d and empty arrays, and NaN."""
    x = np.arange(24.0).reshape(4, 6) + RANK
    total = np.arange(24.0).reshape(4, 6) * SIZE + sum(range(SIZE))
    same(all_reduce(x[::2, ::-3]), total[::2, ::-3])
    same(all_reduce(x.T), total.T)
    same(all_gather(x.T, axis=1), np.concatenate([x.T - RANK + r for r in range(SIZE)], axis=1))
    same(all_reduce(np.array(2.0)), np.array(2.0 * SIZE))
    for empty in (np.ones((0, 3)), np.ones((2, 0))):
        same(all_reduce(empty), empty)
        same(all_gather(empty), np.ones((SIZE, *empty.shape)))
    same(all_reduce(np.array([np.nan if RANK == 1 else 1.0, RANK]), "max"), [np.nan, SIZE - 1])
    same(all_reduce(ac.Tensor([1.0])), np.array([float(SIZE)]))
    with pytest.raises(DTypeError, match="no order"):
        all_reduce(np.array([1j]), "max")
    with pytest.raises(ArgumentError, match="sum, mean, max, min"):
        all_reduce(x, "product")
    with pytest.raises(ArgumentError, match="Group"):
        all_reduce(x, "sum", 3)


def unequal():
    """More ranks than rows, and parts of different lengths."""
    rows = np.arange(4.0).reshape(2, 2)[RANK : RANK + 1]
    assert len(rows) == (RANK < 2)
    x = ac.Tensor(rows, requires_grad=True)
    joined = all_gather(x, axis=0)
    same(joined, np.arange(4.0).reshape(2, 2))
    (joined**2).sum().backward()
    same(x.grad, 2 * rows * SIZE)
    loader = nn.DataLoader(nn.TensorDataset(np.arange(2.0)), 5, shard=GROUP)
    assert [len(b[0]) for b in loader] == [1]  # the order is continued at its start
    model = DistributedDataParallel(nn.Linear(2, 1))
    batch = np.ones((RANK + 1, 2))
    model(batch).sum().backward()  # sums of unequal batches: the mean over ranks
    same(model.module.weight.grad, np.full((1, 2), sum(range(1, SIZE + 1)) / SIZE))


def groups():
    """Parts of the ranks."""
    part = GROUP.split(RANK % 2)
    assert (part.rank, part.size) == (RANK // 2, len(range(RANK % 2, SIZE, 2)))
    same(all_reduce(np.array([RANK]), group=part), np.array([sum(range(RANK % 2, SIZE, 2))]))
    back = GROUP.split(0, key=-RANK)
    assert back.rank == SIZE - 1 - RANK
    own = Group(GROUP.comm.Dup())
    same(all_reduce(np.ones(2), group=own), np.full(2, float(SIZE)))
    assert GROUP.objects({"rank": RANK}) == [{"rank": r} for r in range(SIZE)]
    assert GROUP.same("root" if RANK == 2 else None, root=2) == "root"
    assert GROUP.local_rank == RANK
    GROUP.barrier()


def orders():
    """The same order of the samples on all ranks, whatever their generators; each has its own."""
    loader = nn.DataLoader(np.arange(12), 2, shuffle=True, generator=None, shard=GROUP)
    for _ in range(2):
        mine = np.concatenate([batch.numpy() for batch in loader])
        assert sorted(all_gather(mine, axis=0)) == list(range(12))


def unused():
    """Parameters without a gradient."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    ranks = DistributedDataParallel(model, find_unused_parameters=True)
    layer = ranks.module[RANK % 2]
    layer(np.ones((1, 2))).sum().backward()
    share = len(range(0, SIZE, 2)) / SIZE
    same(model[0].weight.grad, np.full((2, 2), share))
    assert model[1].weight.grad is not None
    ranks.zero_grad()
    model[0](np.ones((1, 2))).sum().backward()
    assert model[1].weight.grad is None


def frozen():
    """Parameters that are frozen and free again, and layers that are replaced, are exchanged."""
    model = nn.Sequential(nn.Linear(2, 2, generator=RANK), nn.Linear(2, 1, generator=RANK))
    ranks = DistributedDataParallel(model)

    def alike():
        ranks.zero_grad()
        ranks(np.full((1, 2), RANK + 1.0)).sum().backward()
        grads = [p.grad.data.ravel() for p in ranks.parameters() if p.grad is not None]
        every = all_gather(np.concatenate(grads))
        assert (every == every[0]).all(), every
        return len(grads)

    assert alike() == 4
    ranks.requires_grad_(False)
    model[1].requires_grad_(True)
    assert alike() == 2
    ranks.requires_grad_(True)
    assert alike() == 4
    model[0] = nn.Linear(2, 2, generator=RANK)
    assert alike() == 4
    weights = all_gather(model[0].weight.data)
    assert (weights == weights[0]).all()
    with pytest.raises(ArgumentError, match="already in another"):
        DistributedDataParallel(model)


def compiled():
    """Decisions and shapes that differ between ranks and calls repeat no exchange."""
    step = ac.compile(lambda x: all_reduce(x) * (2 if RANK == 0 and float(all_reduce(x)[0]) else 1))
    for i in range(4):
        found = step(np.full(2, 1.0 + i))
        if RANK != 0:
            all_reduce(np.full(2, 1.0 + i))  # as rank 0 does, to decide
        same(found, np.full(2, SIZE * (1.0 + i) * (2 if RANK == 0 else 1)))

    joined = ac.compile(lambda x: all_gather(x, axis=0).sum())
    for count in (1, 1, 2, 1, 3):
        found = joined(np.ones(count if RANK == 1 else 1))
        assert found == SIZE - 1 + count, found
    shared = ac.compile(lambda x: (all_reduce(x) ** 2).sum())

    def slope(x):
        x = ac.Tensor(x, requires_grad=RANK == 0 and bool(x[0] > 1))
        total = shared(x)
        if total.requires_grad:
            total.backward()
        return x.grad

    warnings.simplefilter("ignore", AutogradWarning)  # where the result requires a gradient
    for i in range(4):
        found = slope(np.full(2, 1.0 + i))
        assert (found is not None) == (RANK == 0 and i > 0)
        if found is not None:
            same(found, np.full(2, 2 * SIZE * SIZE * (1.0 + i)))


def evaluated():
    """No sample counts twice in an evaluation, and none is lost."""
    rows, labels = np.eye(3)[np.arange(25) % 3], np.arange(25) % 3
    model = nn.Linear(3, 3, generator=0)
    alone = nn.evaluate(model, nn.DataLoader(nn.TensorDataset(rows, labels), 4),
                        nn.CrossEntropyLoss(), [nn.ConfusionMatrix(3)])  # fmt: skip
    loader = nn.DataLoader(nn.TensorDataset(rows, labels), 4, shard=GROUP, even=False)
    found = nn.evaluate(model, loader, nn.CrossEntropyLoss(), [nn.ConfusionMatrix(3)], group=GROUP)
    same(found["confusion"], alone["confusion"])
    assert abs(found["loss"] - alone["loss"]) < 1e-14
    few = nn.DataLoader(nn.TensorDataset(rows[:1], labels[:1]), 4, shard=GROUP, even=False)
    assert nn.evaluate(model, few, metrics=[nn.Accuracy()], group=GROUP)["accuracy"] in (0.0, 1.0)


def recording():
    """Arrays on one rank and Tensors on another, without recording."""
    with ac.no_grad():
        same(all_reduce(ac.Tensor(1.0) if RANK else np.array(1.0)), np.array(float(SIZE)))


if __name__ == "__main__":
    for check in (dtypes, halves, layouts, unequal, groups, orders, unused, frozen, compiled,
                  evaluated, recording):  # fmt: skip
        check()
    if RANK == 0:
        print("passed", flush=True)
