"""MNIST with today's means: cross entropy, ReLU, dropout, Adam and one cycle of the learning rate.

    python -m examples.mnist_adam [--seed 0] [--epochs 10] [--quick]

The network is 784-400-400-10 in float32, trained on 50,000 images in batches of 128; the settings
were chosen on the other 10,000. The training step is compiled. After ten epochs 98.48 % of the test
images are recognised (the mean of the seeds 0, 1 and 2: 98.46, 98.50, 98.49).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import takes

DATA = Path(__file__).parent / "data" / "mnist"
BATCH = 128


def images_and_labels() -> list[tuple[Any, Any]]:
    """The training, validation and test sets: images in [0, 1], and labels."""
    x, labels, test_x, test_labels = nn.read_mnist(DATA)
    sets = [(x[:50_000], labels[:50_000]), (x[50_000:], labels[50_000:]), (test_x, test_labels)]
    return [((a / 255).astype(np.float32), b.astype(np.int64)) for a, b in sets]


def network(generator: Any) -> nn.Sequential:
    """784-400-400-10 with ReLU and dropout."""
    how: Any = {"initializer": nn.init.kaiming_normal_, "generator": generator, "dtype": np.float32}
    return nn.Sequential(
        nn.Linear(784, 400, **how), nn.ReLU(), nn.Dropout(0.3, generator=generator),
        nn.Linear(400, 400, **how), nn.ReLU(), nn.Dropout(0.3, generator=generator),
        nn.Linear(400, 10, **how),
    )  # fmt: skip


def accuracy(model: nn.Module, x: Any, y: Any) -> float:
    """The share of the images that are recognised, in evaluation mode."""
    with ac.no_grad():
        return float(np.mean(model.eval()(x).data.argmax(axis=1) == y))


def train(x: Any, y: Any, valid: tuple[Any, Any], seed: int, epochs: int) -> nn.Sequential:
    """The trained network. Prints a line for each epoch."""
    generator = np.random.default_rng(seed)
    model, loss_of = network(generator), nn.CrossEntropyLoss()
    optimizer = nn.Adam(model.parameters())
    batches = len(x) // BATCH
    schedule = nn.OneCycleLR(optimizer, max_lr=3e-3, total_steps=batches * epochs)

    @ac.compile
    def step(images: Any, labels: Any) -> Any:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    start = time.perf_counter()
    for epoch in range(1, epochs + 1):
        model.train()
        order = generator.permutation(len(x))
        for i in range(batches):
            chosen = order[i * BATCH : (i + 1) * BATCH]
            loss = step(x[chosen], y[chosen])
            schedule.step()
        print(f"epoch {epoch:2}: loss {loss.item():.4f}, validation {accuracy(model, *valid):.2%}, "
              f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip
    return model


def main(arguments: list[str] | None = None) -> None:
    """Train, and print the accuracy on the test images."""
    parser = argparse.ArgumentParser(description="MNIST with Adam")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="two epochs on 10,000 images")
    chosen = parser.parse_args(arguments)
    takes(f"{7 * chosen.epochs} seconds", quick=chosen.quick or chosen.epochs < 2)
    ac.keep_heap()
    (x, y), valid, test = images_and_labels()
    if chosen.quick:
        x, y, chosen.epochs = x[:10_000], y[:10_000], 2
    model = train(x, y, valid, chosen.seed, chosen.epochs)
    print(f"test: {accuracy(model, *test):.2%}")


if __name__ == "__main__":
    main()
