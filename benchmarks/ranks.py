"""What data-parallel training on several ranks costs, and where the time goes.

    mpiexec -n 2 python -m mpi4py -m benchmarks.ranks

Each rank trains the network 784-2048-10 in float32 with batches of 1024, compiled, with one BLAS
thread (OPENBLAS_NUM_THREADS=1), on a core of its own. The same processes run short blocks of steps
in turn with `DistributedDataParallel` and without, where they meet at the ends of blocks only. The
ratio is that of the wall clock times from barrier to barrier, a median of pairs of blocks.

Then the parts of an exchange are measured alone: the division of the gradients into one array, the
agreement of the ranks, MPI's sum; and how much is lost by waiting for the slowest rank of a step.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from nn.distributed import DistributedDataParallel, Group, all_reduce, world
from nn.distributed.parallel import _divided, _parts
from nn.distributed.world import mpi

BATCH, SIZES = 1024, (784, 2048, 10)


class Trained:
    """The network, its optimiser and its compiled step, with or without an exchange."""

    def __init__(self, parallel: bool) -> None:
        generator = np.random.default_rng(0)
        how: Any = {"generator": generator, "dtype": np.float32}
        wide, hidden, classes = SIZES
        model: Any = nn.Sequential(
            nn.Linear(wide, hidden, **how), nn.ReLU(), nn.Linear(hidden, classes, **how)
        )
        if parallel:
            model = DistributedDataParallel(model)
        loss_of, optimizer = nn.CrossEntropyLoss(), nn.SGD(model.parameters(), lr=0.01)

        @ac.compile
        def step(x: Any, y: Any) -> Any:
            loss = loss_of(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        self.model, self.step = model, step
        draws = np.random.default_rng(1 + world().rank)
        self.x = draws.random((BATCH, wide), np.float32)
        self.y = draws.integers(0, classes, BATCH)

    def block(self, steps: int) -> None:
        """Some steps, the loss of the last one read."""
        for _ in range(steps):
            loss = self.step(self.x, self.y)
        loss.item()


def pin(group: Group) -> None:
    """Keep all threads of this rank on a core of its own, if there are as many as ranks."""
    cores = sorted(os.sched_getaffinity(0))
    if group.size <= len(cores):
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {cores[group.local_rank]})


def seconds(function: Callable[[], Any], group: Group) -> tuple[float, float]:
    """The wall clock time from barrier to barrier, and this rank's own."""
    group.comm.Barrier()
    start = time.perf_counter()
    function()
    own = time.perf_counter() - start
    group.comm.Barrier()
    return time.perf_counter() - start, own


def throughput(group: Group, pairs: int, steps: int) -> list[Any]:
    """The ratios of all pairs of blocks: by wall clock, by the ranks' own times; and the times of
    a step without and with exchange."""
    alone, parallel = Trained(False), Trained(True)
    for one in (alone, parallel):
        one.block(4)
    found = []
    for i in range(pairs):
        times = {}
        for one in (alone, parallel) if i % 2 else (parallel, alone):
            wall, own = seconds(partial(one.block, steps), group)
            rate = sum(1 / t for t in group.comm.allgather(own)) / group.size
            times[one] = wall / steps, 1 / rate / steps
        found.append((*times[alone], *times[parallel]))
    return found


def parts(group: Group, repeats: int) -> dict[str, list[float]]:
    """The times of the parts of an exchange, and of the exchange, each from barrier to barrier."""
    trained = Trained(True)
    trained.block(1)
    model, tensors = trained.model, list(trained.model.parameters())
    grads = [t.grad.numpy().copy() for t in tensors]
    total = np.zeros_like(_divided(grads, 1))
    in_place = mpi().IN_PLACE

    def exchange() -> None:
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = grad
        model._synchronize()

    named: dict[str, Callable[[], Any]] = {
        "division of the gradients, into one array": lambda: _divided(grads, group.size),
        "agreement of the ranks": lambda: group.agree("benchmark"),
        "MPI's sum, in place": lambda: group.comm.Allreduce(in_place, total),
        "parts of the array in their shapes": lambda: list(_parts(total, tensors)),
        "the whole exchange": exchange,
        "all_reduce of such an array, for comparison": lambda: all_reduce(total, "mean"),
    }
    found: dict[str, list[float]] = {name: [] for name in named}
    for i in range(repeats + 1):
        for name, function in named.items():
            wall, _ = seconds(function, group)
            if i:
                found[name].append(wall)
    return found


def waiting(group: Group, steps: int) -> tuple[float, float]:
    """The average time of a step without exchange, of the rank that is slowest on average; and how
    much longer the slowest rank of each step takes, which is what an exchange after each step
    costs if the ranks' times vary."""
    alone = Trained(False)
    alone.block(4)
    times = np.array([group.comm.allgather(seconds(lambda: alone.block(1), group)[1])
                      for _ in range(steps)])  # fmt: skip
    slower = float(times.mean(axis=0).max())
    return slower, float(times.max(axis=1).mean()) - slower


def quartiles(values: Any, form: str) -> str:
    """The median, and both quartiles in brackets."""
    low, middle, high = (form.format(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    return f"{middle} (quartiles {low}, {high})"


def main() -> None:
    """Print the figures on rank 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--steps", type=int, default=5, help="steps of a block")
    parser.add_argument("--free", action="store_true", help="ranks are not kept on cores")
    chosen = parser.parse_args()
    group = world()
    if group.size < 2:
        raise SystemExit("run it on ranks: mpiexec -n 2 python -m mpi4py -m benchmarks.ranks")
    ac.keep_heap()
    if not chosen.free:
        pin(group)
    pairs = throughput(group, chosen.pairs, chosen.steps)
    pieces = parts(group, 4 * chosen.pairs)
    step, wait = waiting(group, 2 * chosen.pairs)
    if group.rank:
        return
    a, a_own, b, b_own = np.array(pairs).T
    print(f"a step without exchange: {quartiles(a * 1e3, '{:.1f}')} ms")
    print(f"a step with exchange:    {quartiles(b * 1e3, '{:.1f}')} ms")
    print(f"throughput, with ÷ without: {quartiles(a / b, '{:.3f}')}, {len(pairs)} pairs of blocks")
    print(f"by each rank's own time:    {quartiles(a_own / b_own, '{:.3f}')}")
    for name, values in pieces.items():
        print(f"{name}: {quartiles(np.array(values) * 1e3, '{:.3f}')} ms")
    print(f"the slowest rank of each step takes {wait * 1e3:.1f} ms more than the slower rank on")
    print(f"average, of {step * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
