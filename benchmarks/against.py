"""Compare this checkout with another one, interleaved: ``python -m benchmarks.against PATH``.

Two processes, one for each checkout, run the same work in turn, so that other load on the machine
affects both alike. Each ratio is the median over the pairs of runs. The script fails if a ratio is
above 1.03 for operations without views and writes, or above 2.2 for the backward pass of an
activation, whose derivative is exact where it saturates.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter_ns

BOUNDS = {"1,000": 1.03, "backward": 2.2}  # by the first word of the name of the work
WORKER = """
import sys, gc, numpy as np
sys.path.insert(0, sys.argv[1])
from time import perf_counter_ns as now
import autograd_core as ac, nn
ac.keep_heap()
rng = np.random.default_rng(0)

def chain(shape):
    leaf = ac.Tensor(rng.standard_normal(shape).astype("f4"), True)
    g = np.ones(shape, "f4")
    def run():
        leaf.grad = None
        y = leaf
        for _ in range(250):
            y = ac.sin(y)
            y = y * 0.5
            y = y + y
            y = y * 0.99
        y.backward(g)
    return once(run)

def once(run):
    return lambda: None, lambda _: run()

def backward(function, spread):
    leaf = ac.Tensor((spread * rng.standard_normal((100, 100))).astype("f4"), True)
    g = np.ones((100, 100), "f4")
    def run(results):
        for y in results:
            y.backward(g)
    return lambda: [function(leaf) for _ in range(50)], run

def step(rows):
    model = nn.Sequential(nn.Linear(784, 50), nn.Sigmoid(), nn.Linear(50, 10), nn.Sigmoid())
    loss_of, optimizer = nn.MSE("batch"), nn.SGD(model.parameters(), lr=0.1)
    x, y = rng.random((rows, 784)), rng.random((rows, 10))
    def run():
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return once(run)

def views():
    leaf = ac.Tensor(rng.standard_normal((30, 30)), True)
    def run():
        leaf.grad = None
        y = leaf
        for _ in range(100):
            y = (y.T * 0.5)[1:].reshape(30, 29)
            y = ac.concatenate([y, y[:, :1]], 1)
        y.sum().backward()
    return once(run)

WORK = {"1,000 operations (10,)": chain((10,)), "1,000 operations (100, 100)": chain((100, 100)),
        "a step of 784-50-10, batch 100": step(100), "a step, batch 1": step(1),
        "500 views and products": views(),
        "backward of sigmoid": backward(ac.sigmoid, 1), "backward of tanh": backward(ac.tanh, 1),
        "backward of sigmoid, saturated": backward(ac.sigmoid, 20),
        "backward of tanh, saturated": backward(ac.tanh, 20)}
for setup, run in WORK.values():
    run(setup()); run(setup())
print("ready", *WORK, sep="|", flush=True)
for line in sys.stdin:
    setup, run = WORK[line.strip()]
    gc.collect()
    total = 0
    for _ in range(3):
        state = setup()
        total -= now()
        run(state)
        total += now()
    print(total // 3, flush=True)
"""


class Worker:
    """A process that runs the work of one checkout on request."""

    def __init__(self, path: str) -> None:
        command = [sys.executable, "-c", WORKER, path]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=path
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.out, self.to = self.process.stdout, self.process.stdin
        self.work = self.out.readline().strip().split("|")[1:]

    def time(self, work: str) -> int:
        """Run `work`; returns its time in nanoseconds."""
        self.to.write(work + "\n")
        self.to.flush()
        return int(self.out.readline())


def imports(path: str) -> float:
    """Milliseconds to import the package after NumPy."""
    code = (
        "import time, numpy, numpy.linalg; s = time.process_time(); import autograd_core; "
        "print((time.process_time() - s) * 1e3)"
    )
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=path,
        capture_output=True,
        text=True,
        check=True,
        env=cached,
    )
    return float(done.stdout)


def main() -> None:
    """Print the ratios; exit 1 if one is above its bound."""
    here, there = str(Path(__file__).parent.parent), sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    ours, others = Worker(here), Worker(there)
    missed, begun = False, perf_counter_ns()
    for work in ours.work:
        pairs = []
        for turn in range(rounds):
            first, second = (ours, others) if turn % 2 else (others, ours)
            times = {first: first.time(work), second: second.time(work)}
            pairs.append((times[ours], times[others]))
        ratio = median(a / b for a, b in pairs)
        least = min(a for a, _ in pairs) / min(b for _, b in pairs)
        missed |= ratio > BOUNDS.get(work.split()[0], math.inf)
        print(f"{work:32} {ratio:.3f} (of the minima {least:.3f})")
    found = [(imports(here), imports(there)) for _ in range(15)]
    mine, theirs = (min(times) for times in zip(*found, strict=True))
    print(
        f"import: {mine:.1f} ms, there {theirs:.1f} ms ({(perf_counter_ns() - begun) / 1e9:.0f} s)"
    )
    sys.exit(missed)


if __name__ == "__main__":
    main()
