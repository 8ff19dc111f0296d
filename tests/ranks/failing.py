"""Programs on three ranks in which something goes wrong, by name.

mpiexec -n 3 python -m mpi4py -m tests.ranks.failing raises
"""

import os
import signal
import sys
import time

import numpy as np

import autograd_core as ac
import nn
from nn.distributed import (
    DistributedDataParallel,
    all_gather,
    all_reduce,
    broadcast,
    recv,
    reduce_scatter,
    scatter,
    send,
    sendrecv,
    world,
)

GROUP = world(timeout=3)
RANK = GROUP.rank


def killed():
    """Rank 1 is killed while the others wait."""
    if RANK == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    all_reduce(np.ones(3))


def raises():
    """Rank 1 raises an error while the others wait."""
    if RANK == 1:
        raise ValueError("the file of this rank is missing")
    all_reduce(np.ones(3))


def raises_in_backward():
    """Rank 1 raises an error in a hook of the backward pass."""
    x = ac.Tensor(np.ones(3), requires_grad=True)
    if RANK == 1:

        def hook(g):
            raise ValueError("the hook fails")

        x.register_hook(hook)
    model = DistributedDataParallel(nn.Linear(3, 2))
    model(x).sum().backward()


def shapes():
    """Rank 1 gives another shape."""
    all_reduce(np.ones(3 + (RANK == 1)))


def dtypes():
    """Rank 1 gives another dtype."""
    all_gather(np.ones(3, np.float32 if RANK == 1 else np.float64))


def rows():
    """Rank 1 gives rows of another length to be joined."""
    all_gather(np.ones((2, 3 + (RANK == 1))), axis=0)


def other_operation():
    """Rank 1 is in another operation."""
    if RANK == 1:
        broadcast(np.ones(3))
    all_reduce(np.ones(3))


def one_branch():
    """Ranks 0 and 2 are in an operation, and rank 1 is busy."""
    if RANK == 1:
        time.sleep(60)  # busy
    all_reduce(np.ones(3))


def leaves():
    """Rank 1 ends its program."""
    if RANK == 1:
        sys.exit(0)
    all_reduce(np.ones(3))


def no_gradient():
    """Rank 1 does not use a parameter."""
    model = DistributedDataParallel(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    out = model.module[0](ac.ones((2, 3)))
    (out if RANK == 1 else model.module[1](out)).sum().backward()


def not_recorded():
    """Rank 1 is inside no_grad."""
    x = ac.Tensor(np.ones(3), requires_grad=True)
    with ac.no_grad() if RANK == 1 else ac.enable_grad():
        all_reduce(x)


def lost_message():
    """The result of `send` is not part of the loss."""
    x = ac.Tensor(np.ones(3), requires_grad=True)
    if RANK == 0:
        send(x, 1)
    elif RANK == 1:
        recv(0).sum().backward()


def other_gradient():
    """The result of the first `send` is not part of the loss."""
    x = ac.Tensor(np.ones(3), requires_grad=True)
    if RANK == 0:
        send(x, 1)
        send(x * 2, 1).backward()
    elif RANK == 1:
        first, second = recv(0), recv(0)
        (second.sum() + first.sum()).backward()


def nobody_sends():
    """Rank 1 waits for a message."""
    if RANK == 1:
        recv(0)
    all_reduce(np.ones(3))


def other_models():
    """Rank 1 has another model."""
    DistributedDataParallel(nn.Linear(3, 2 + (RANK == 1)))


def of_the_root():
    """Rank 1 gives another shape than the root."""
    broadcast(np.ones(3 + (RANK == 1)))


def few_rows():
    """The root has too few rows."""
    scatter(np.ones((2, 3)) if RANK == 0 else None)


def few_rows_everywhere():
    """All ranks have too few rows."""
    reduce_scatter(np.ones((2, 3)))


def unknown_rank():
    """There is no such rank."""
    sendrecv(np.ones(2), dest=3, source=None)


def other_calls():
    """Rank 0 uses the result of one call and the others that of another one."""
    a, b = (ac.Tensor(1.0, requires_grad=True) for _ in range(2))
    y, z = all_reduce(a), all_reduce(b)
    (y if RANK == 0 else z).backward()


def first_batch():
    """Rank 0 looks at the first batch."""
    loader = nn.DataLoader(np.arange(12), 2, shuffle=True, shard=GROUP)
    if RANK == 0:
        next(iter(loader))
    for _ in loader:
        all_reduce(np.ones(1))


def other_samples():
    """The ranks have different subsets."""
    train, _ = nn.random_split(np.arange(12), [0.5, 0.5], generator=RANK)
    list(nn.DataLoader(train, 2, shard=GROUP))


def not_parallel():
    """The model of fit is not a DistributedDataParallel."""
    x, model = np.ones((12, 2)), nn.Linear(2, 1)
    loader = nn.DataLoader(nn.TensorDataset(x, x[:, :1]), 2, shard=GROUP)
    nn.fit(model, loader, nn.MSE(), nn.SGD(model.parameters(), lr=0.1))


def leaves_a_receiver():
    """Rank 1 ends, and rank 0 waits for its message."""
    world(timeout=600)
    if RANK == 1:
        sys.exit(3)
    if RANK == 0:
        recv(1)


def not_finite():
    """The loss of rank 1 is NaN in its second step."""
    x = np.ones((12, 2))
    x[4 + 3 :: 6] = np.nan if RANK == 1 else 1
    loader = nn.DataLoader(nn.TensorDataset(x, x[:, :1] * 0), 2, shard=GROUP)
    model = DistributedDataParallel(nn.Linear(2, 1))
    nn.fit(model, loader, nn.MSE(), nn.SGD(model.parameters(), lr=0.1))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("not reached by all")
