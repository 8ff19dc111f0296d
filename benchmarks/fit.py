"""What `nn.fit` costs over a loop that is written by hand, on the network of the MNIST example.

    python -m benchmarks.fit

Both take their batches of 100 from a `DataLoader`, have the step compiled, and read the loss: the
loop every 100 batches, `fit` as it does. The runs alternate; the ratio is the median of the pairs.
A second figure: whether an augmented batch of 256 images that is made in advance is there when a
step of 10 ms ends.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import autograd_core as ac
import nn

IMAGES, BATCH, PAIRS = 30_000, 100, 15


def network() -> tuple[nn.Module, nn.SGD]:
    """784-50-10, sigmoid, and its optimiser."""
    generator = np.random.default_rng(0)
    how: Any = {"generator": generator, "dtype": np.float32}
    model = nn.Sequential(
        nn.Linear(784, 50, **how), nn.Sigmoid(), nn.Linear(50, 10, **how), nn.Sigmoid()
    )
    return model, nn.SGD(model.parameters(), lr=0.1)


def batches() -> nn.DataLoader:
    """Random images and one-hot rows."""
    draws = np.random.default_rng(1)
    x = draws.random((IMAGES, 784), np.float32)
    y = np.eye(10, dtype=np.float32)[draws.integers(0, 10, IMAGES)]
    return nn.DataLoader(nn.TensorDataset(x, y), BATCH, shuffle=True, generator=0)


class Bare:
    """The loop that is written by hand."""

    def __init__(self) -> None:
        (model, optimizer), loss_of = network(), nn.MSE()

        @ac.compile
        def step(x: Any, y: Any) -> Any:
            loss = loss_of(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        self.loader, self.step = batches(), step

    def epoch(self) -> None:
        """Train for an epoch."""
        for i, (x, y) in enumerate(self.loader, 1):
            loss = self.step(x, y)
            if i % 100 == 0:
                loss.item()


class Fitted:
    """The same by `fit`, an epoch at a time: the run and its compiled step are kept."""

    def __init__(self) -> None:
        model, optimizer = network()
        self.run = nn.Run(model, batches(), nn.MSE(), optimizer)

    def epoch(self) -> None:
        """Train for an epoch."""
        self.run.epochs += 1
        self.run.train()


def seconds(one: Bare | Fitted) -> float:
    """The time of an epoch."""
    start = time.perf_counter()
    one.epoch()
    return time.perf_counter() - start


def waiting() -> float:
    """The share of steps of 10 ms after which the next augmented batch was not ready within 0.5
    ms."""
    x = np.random.default_rng(0).random((5120, 1, 28, 28), np.float32)
    augment = nn.Compose([nn.RandomCrop(28, padding=2), nn.RandomAffine(10, (0.1, 0.1))])
    loader = nn.DataLoader(x, 256, shuffle=True, transform=augment, num_workers=1)
    late, steps = 0, 0
    for _ in range(5):
        pass_of = iter(loader)
        next(pass_of)
        while True:
            time.sleep(0.01)
            start = time.perf_counter()
            if next(pass_of, None) is None:
                break
            late += time.perf_counter() - start > 5e-4
            steps += 1
    return late / steps


def main() -> None:
    """Print both figures."""
    ac.keep_heap()
    bare, fitted = Bare(), Fitted()
    for one in (bare, fitted):
        one.epoch()
    pairs = [(seconds(bare), seconds(fitted)) for _ in range(PAIRS)]
    ratios = [b / a for a, b in pairs]
    per_step = np.median([a for a, _ in pairs]) / (IMAGES / BATCH) * 1e6
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"a step of the loop: {per_step:.0f} µs")
    print(f"fit ÷ loop: {middle:.3f} (quartiles {low:.3f}, {high:.3f})")
    print(f"augmented batches of 256 that were not ready after 10 ms: {waiting():.1%}")


if __name__ == "__main__":
    main()
