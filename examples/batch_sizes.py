"""Batch, mini-batch and stochastic gradient descent on MNIST, compared.

    python -m examples.batch_sizes

The gradient on the whole training set is exact but expensive; the gradient on a few samples is
noisy but cheap. Per epoch, small batches reduce the loss most, because they take more steps. Per
second, single samples are slow, because products of small matrices do not use the processor fully.
Mini-batches are a compromise.

Each way has the best learning rate of a small grid, measured by the loss on images that are not
trained on: full batches and mini-batches after all epochs, single samples after one epoch, to save
time.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save, takes

DATA = Path(__file__).parent / "data" / "mnist"
# name: (samples in a batch, 0 for all of them; learning rates to choose from; line style)
WAYS = {
    "batch": (0, (0.25, 0.5, 1.0, 2.0), "s-"),
    "mini-batch of 100": (100, (0.5, 1.0, 2.0, 4.0), "o-"),
    "stochastic": (1, (0.02, 0.05, 0.1), "^-"),
}


def network() -> nn.Sequential:
    """The network, with the same initial weights each time."""
    how: Any = {
        "initializer": partial(nn.init.normal_, std=0.1),
        "generator": np.random.default_rng(0),
    }
    return nn.Sequential(
        nn.Linear(784, 50, **how), nn.Sigmoid(), nn.Linear(50, 10, **how), nn.Sigmoid()
    )


def train(
    x: Any, y: Any, size: int, rate: float, epochs: int, model: nn.Sequential | None = None
) -> Any:
    """Rows (seconds of training, loss on all of x): before the first epoch and after each epoch."""
    model, loss_of = model or network(), nn.MSE("batch")
    optimizer = nn.SGD(model.parameters(), lr=rate)
    dataset = nn.TensorDataset(x, y)
    batches = nn.DataLoader(dataset, size or len(x), shuffle=True, generator=1)
    seconds, rows = 0.0, []
    for epoch in range(epochs + 1):
        if epoch:
            start = time.perf_counter()
            for images, labels in batches:
                loss = loss_of(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            seconds += time.perf_counter() - start
        with ac.no_grad():
            rows.append((seconds, loss_of(model(ac.Tensor(x)), ac.Tensor(y)).item()))
    return np.array(rows)


def chosen_rate(x: Any, y: Any, held_out: Any, name: str, epochs: int) -> tuple[float, Any]:
    """The learning rate with the smallest loss on the held-out images, and all these losses."""
    size, rates, _ = WAYS[name]
    losses = []
    for rate in rates:
        model = network()
        train(x, y, size, rate, 1 if size == 1 else epochs, model)
        with ac.no_grad():
            losses.append(nn.MSE("batch")(model(held_out[0]), held_out[1]).item())
    return rates[int(np.argmin(losses))], losses


def picture(path: Path, runs: dict[str, Any], best: dict[str, float]) -> Path:
    """Plot the losses by epoch and by time; returns the path."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(11, 4.4), layout="constrained")
    for name, rows in runs.items():
        style = WAYS[name][2]
        label = f"{name}, η = {best[name]:g}"
        left.plot(rows[:, 1], style, label=label, markersize=5)
        right.plot(rows[1:, 0], rows[1:, 1], style, label=label, markersize=5)
    left.set(title="By epoch", xlabel="epoch", ylabel="loss on the training set")
    right.set(title="By time", xlabel="seconds", xscale="log")
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend()
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Train the same network with three batch sizes."""
    chosen = options("Batch, mini-batch and stochastic descent.", "batch_sizes", arguments)
    takes("one to two minutes", chosen.quick)
    rows, epochs = (1_000, 4) if chosen.quick else (10_000, 8)
    mnist = nn.read_mnist(DATA)
    images = mnist.train_images[: rows + 1_000] / 127.5 - 1
    labels = nn.one_hot(mnist.train_labels[: rows + 1_000], 10)
    x, y, held_out = images[:rows], labels[:rows], (images[rows:], labels[rows:])
    runs, best = {}, {}
    print("loss on 1,000 held-out images, by learning rate η")
    for name, (size, rates, _) in WAYS.items():
        best[name], losses = chosen_rate(x, y, held_out, name, epochs)
        for rate, loss in zip(rates, losses, strict=True):
            mark = "  ← chosen" if rate == best[name] else ""
            print(f"{name:18} η = {rate:<5g} {loss:9.4f}{mark}", flush=True)
        runs[name] = train(x, y, size, best[name], epochs)
    print()
    print(f"{rows:,} images, {epochs} epochs")
    print(
        f"{'':18} {'steps':>8} {'seconds':>8} {'loss before':>12} {'after 1':>9} {'at the end':>11}"
    )
    for name, run in runs.items():
        steps = epochs * -(-rows // (WAYS[name][0] or rows))
        print(f"{name:18} {steps:8,} {run[-1, 0]:8.2f} {run[0, 1]:12.4f} ", end="")
        print(f"{run[1, 1]:9.4f} {run[-1, 1]:11.4f}")
    print("\npicture:", picture(chosen.out / "batch_sizes.png", runs, best))


if __name__ == "__main__":
    main()
