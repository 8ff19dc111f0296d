"""How long `all_reduce` takes by the number of bytes, beside mpi4py alone, and the agreement of the
ranks; with files of both, the constants of a model of this time.

    mpiexec -n 2 python -m mpi4py -m benchmarks.ranks_messages two.json
    mpiexec -n 4 python -m mpi4py -m benchmarks.ranks_messages four.json
    python -m benchmarks.ranks_messages two.json four.json

The model of an exchange of n bytes on P ranks is

    latency · log2(P) + n · 2 (P - 1) / P / bandwidth + n · copy

The copy is that of a step in `benchmarks.ranks`; on two ranks it could not be told from the
bandwidth. The other constants minimise the squares of the relative errors of the rows of the first
file; the errors of the others show how far it holds. The third command also prints what the model
predicts for networks of some sizes, with these constants and with those of a cluster.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from benchmarks.measure import markdown
from benchmarks.ranks import pin, seconds
from nn.distributed import all_reduce, world

SIZES = [8 << 2 * i for i in range(11)] + [64 << 20]  # 8 B to 8 MiB, and 64 MiB
LIMIT = 0.3  # seconds for each size
RANKS = (8, 64, 512)
MODELS = {"0.4 MB, 5 ms": (0.4e6, 5e-3), "6.5 MB, 120 ms": (6.5e6, 0.12), "400 MB, 1 s": (4e8, 1.0)}
COPY = 0.26e-9  # seconds per byte: 1.7 ms for 6.5 MB
CLUSTER = (2e-6, 12e9)  # an assumption: latency of a message, bytes per second


def measured() -> list[list[float]]:
    """For each size the bytes, and the median seconds of our function, of mpi4py alone into an
    array that exists, and of the agreement."""
    group = world()
    pin(group)
    found = []
    for size in SIZES:
        x = np.ones(size // 8)
        total = np.empty_like(x)
        functions: list[Any] = [
            lambda x=x: all_reduce(x),
            lambda x=x, total=total: group.comm.Allreduce(x, total),
            lambda: group.agree("benchmark"),
        ]
        rounds: list[list[float]] = []
        until = time.perf_counter() + LIMIT
        while group.comm.bcast(len(rounds) < 8 or time.perf_counter() < until):
            rounds.append([repeated(function, size) for function in functions])
        found.append([float(size), *np.median(rounds[1:], axis=0)])
    return found


def repeated(function: Any, size: int) -> float:
    """The time of one call, of several in a row if they are short."""
    count = 20 if size < 1 << 16 else 1

    def calls() -> None:
        for _ in range(count):
            function()

    return seconds(calls, world())[0] / count


def terms(ranks: Any, size: Any) -> Any:
    """What latency, seconds per byte of the network, and seconds per byte of a copy multiply."""
    ranks, size = np.asarray(ranks, float), np.asarray(size, float)
    return np.stack([np.log2(ranks), size * 2 * (ranks - 1) / ranks, size + 0 * ranks], -1)


def fitted(paths: list[str]) -> tuple[Any, float]:
    """The constants, and the time in Python of a call; prints measured and fitted times."""
    rows = [(ranks, *row) for p in paths for ranks, row in read(p)]
    ranks, size, ours, bare, agree = np.array(rows).T
    matrix = terms(ranks, size)
    first = ranks == ranks[0]
    rest = 1 - COPY * size / ours
    constants = np.array([*nnls((matrix[:, :2] / ours[:, None])[first], rest[first])[0], COPY])
    found = matrix @ constants
    cells = [
        [f"{p:.0f}", amount(n), *(f"{t * 1e6:,.0f}" for t in (b, o, a, f)), f"{f / o - 1:+.0%}"]
        for p, n, b, o, a, f in zip(ranks, size, bare, ours, agree, found, strict=True)
    ]
    markdown(["ranks", "bytes", "mpi4py, µs", "all_reduce", "agreement", "model", "error"], cells)
    return constants, float((ours - bare - agree)[0])


def read(path: str) -> list[tuple[int, list[float]]]:
    """The rows of a file with their number of ranks."""
    content = json.loads(Path(path).read_text())
    return [(content["ranks"], row) for row in content["rows"]]


def amount(size: float) -> str:
    """Bytes in words."""
    for unit in ("B", "KiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.0f} MiB"


def predicted(constants: Any, call: float = 0.0) -> None:
    """Print the time of an exchange on several numbers of ranks, with the time in Python of a call,
    and the share of a step that computes."""
    rows = []
    for name, (size, compute) in MODELS.items():
        cells = [name]
        for ranks in RANKS:
            added = float(terms(ranks, size) @ constants) + call
            cells += [f"{added * 1e3:.2f} ms", f"{compute / (compute + added):.0%}"]
        rows.append(cells)
    head = [text for ranks in RANKS for text in (f"exchange, {ranks}", "efficiency")]
    markdown(["gradients, step", *head], rows)


def main() -> None:
    """Measure on ranks, or print the tables of files."""
    paths = sys.argv[1:]
    if world().size == 1:
        constants, call = fitted(paths)
        latency, per_byte, copy = constants
        bandwidth = f"{1e-9 / per_byte:.2f} GB/s" if per_byte else "no limit"
        print(
            f"\nlatency {latency * 1e6:.0f} µs, bandwidth {bandwidth}, copy {copy * 1e9:.3f} ns/B"
        )
        predicted(constants)
        predicted(np.array([2 * CLUSTER[0], 1 / CLUSTER[1], copy]), call)
        return
    rows = measured()
    if world().rank == 0:
        Path(paths[0]).write_text(json.dumps({"ranks": world().size, "rows": rows}))


if __name__ == "__main__":
    main()
