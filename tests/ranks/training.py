"""Data-parallel training, compared with that of one rank on the whole batches. Prints a digest of
the weights for each kind of model, the same one on all ranks.

    mpiexec -n 2 python -m mpi4py -m tests.ranks.training
"""

from __future__ import annotations

import hashlib

import numpy as np

import autograd_core as ac
import nn
from nn.distributed import DistributedDataParallel, SyncBatchNorm, world

GROUP = world(timeout=60)
ROWS = 48  # of a batch, on all ranks together
STEPS = 6


def data():
    """Inputs and targets of all steps."""
    x = np.random.default_rng(1).normal(size=(STEPS, ROWS, 8))
    return x, np.sin(x[..., :3] * 2)


def mlp(batch_norm=False):
    """A network; that of each rank has other weights at first."""
    generator = np.random.default_rng(GROUP.rank)
    middle = [nn.BatchNorm1d(16)] if batch_norm else []
    return nn.Sequential(
        nn.Linear(8, 16, generator=generator), *middle, nn.Tanh(),
        nn.Linear(16, 3, generator=generator),
    )  # fmt: skip


def trained(model, parts, compiled, accumulate=1):
    """Train on the part of this rank of each batch."""
    optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1, momentum=0.9), nn.MSE()

    def gradient(x, y):
        loss = loss_of(model(x), y)
        (loss / accumulate).backward()
        return loss

    def step(x, y):
        optimizer.zero_grad()
        n = len(x) // accumulate
        for i in range(accumulate - 1):
            with model.no_sync(), model.no_sync():  # nested
                gradient(x[i * n : (i + 1) * n], y[i * n : (i + 1) * n])
        gradient(x[(accumulate - 1) * n :], y[(accumulate - 1) * n :])
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    if compiled:
        step = ac.compile(step)
    for x, y in parts:
        step(x, y)
    assert not compiled or not step.plain, step.plain
    return model


def mine(array):
    """The rows of this rank."""
    return np.array_split(array, GROUP.size)[GROUP.rank]


def digest(model):
    """The digest of all parameters and buffers, if it is the same on all ranks."""
    arrays = [np.ascontiguousarray(a).tobytes() for a in model.state_dict().values()]
    own = hashlib.sha256(b"".join(arrays)).hexdigest()[:16]
    assert len(set(GROUP.objects(own))) == 1, "the ranks have other bits"
    return own


def compared(name, ranks, alone, parts, compiled, **settings):
    """Train on all ranks and alone, and compare all weights."""
    inner = getattr(alone, "module", alone)
    inner.load_state_dict(ranks.state_dict())
    whole = list(zip(*data(), strict=True))
    trained(ranks, parts, compiled, **settings)
    plain = alone if settings else DistributedDataParallel(alone, world().split(GROUP.rank))
    trained(plain, whole, False)
    for key, value in ranks.state_dict().items():
        expected = inner.state_dict()[key]
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12, err_msg=f"{name} {key}")
    if GROUP.rank == 0:
        print(name, digest(ranks.module), flush=True)
    else:
        digest(ranks.module)


def main():
    """All kinds of training."""
    x, y = data()
    parts = list(zip(map(mine, x), map(mine, y), strict=True))
    for compiled in (False, True):
        ranks = DistributedDataParallel(mlp())
        compared(f"mlp compiled={compiled}", ranks, mlp(), parts, compiled)
    ranks = DistributedDataParallel(mlp())
    alone = DistributedDataParallel(mlp(), world().split(GROUP.rank))
    compared("accumulated", ranks, alone, parts, False, accumulate=2)
    ranks = DistributedDataParallel(SyncBatchNorm.convert_sync_batchnorm(mlp(batch_norm=True)))
    compared("SyncBatchNorm", ranks, mlp(batch_norm=True), parts, False)
    half = DistributedDataParallel(mlp().float())
    single = [(a.astype(np.float32), b.astype(np.float32)) for a, b in parts]
    text = digest(trained(half, single, True).module)
    if GROUP.rank == 0:
        print("float32", text, flush=True)


if __name__ == "__main__":
    main()
