"""Train a network on MNIST: 784-50-10, sigmoid, mini-batch gradient descent.

    python -m examples.mnist_mlp                      # the published run: 94.54 % on the test set
    python -m examples.mnist_mlp --hidden 100 50 --activation relu --loss cross_entropy --lr 0.05
    python -m examples.mnist_mlp --quick              # a few seconds
    mpiexec -n 2 python -m mpi4py -m examples.mnist_mlp   # on two cores, half of each batch on each

The defaults reproduce, batch for batch, the run published by Raschka, Liu and Mirjalili (Machine
Learning with PyTorch and Scikit-Learn, 2022, chapter 11). Pictures, weights and metrics are written
to runs/.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

import autograd_core as ac
import nn
from examples import mnist_report
from examples.lecture import takes
from examples.mnist_options import parsed
from examples.mnist_training import Training, build, load, probabilities
from nn.distributed import world

INTERRUPTED = 130  # the exit status that shells use for Ctrl-C


def main(arguments: list[str] | None = None) -> None:
    """Train, then write the pictures, the weights and the metrics."""
    options = parsed(arguments)
    quick = options.quick or options.device != "cpu"
    first = world().rank == 0  # prints and writes
    if first:
        takes(f"{1.5 * options.epochs:.0f} seconds with the default network and batches", quick)
    ac.keep_heap()  # glibc: keep freed pages; training is about 20 % faster
    parts = load(options)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"python -m examples.mnist_mlp: --out: {error}")
    model = build(options)
    if first:
        print(model, flush=True)
    training = Training(options, parts, model)
    start = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore"):  # values that are not finite are reported
        finished = training.run()
    seconds = time.perf_counter() - start
    with undisturbed(), training.parallel.no_sync():
        if first:
            report(training, seconds)
    if not finished:
        sys.exit(INTERRUPTED)


def report(training: Training, seconds: float) -> None:
    """Test the model, and write the pictures, the weights and the metrics."""
    options, model = training.options, training.model
    test, some = training.parts["test"], training.parts["train"]
    outputs = probabilities(options, model, test.x)
    accuracy = float((outputs.argmax(1) == test.labels).mean() * 100)
    print(f"test accuracy {accuracy:.2f} %; trained and evaluated in {seconds:.1f} s", flush=True)
    x, y = (ac.Tensor(rows[:100], device=options.device) for rows in (some.x, some.y))
    loss = training.loss_of(model(x), y)
    mnist_report.write(options.out, training.history, test, outputs, loss, model)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C inside the block: the report takes a few seconds and should be complete."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    try:
        main()
    except nn.DataError as error:
        sys.exit(f"python -m examples.mnist_mlp: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
