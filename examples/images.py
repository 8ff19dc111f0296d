"""Shared by the examples with convolutions: MNIST as images, random shifts, training, accuracy."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import takes

DATA = Path(__file__).parent / "data" / "mnist"
MEAN, DEVIATION = 0.1307, 0.3081  # of the training images, in [0, 1]


class Images(NamedTuple):
    """Images (n, 1, 28, 28) with mean 0 and deviation 1, in float32, and their labels."""

    x: Any
    y: Any

    def first(self, count: int) -> Images:
        """The first of them."""
        return Images(self.x[:count], self.y[:count])


def mnist() -> tuple[Images, Images, Images]:
    """50,000 images for training, 10,000 for choosing settings, and 10,000 for the test."""
    x, labels, test_x, test_labels = nn.read_mnist(DATA)

    def prepared(images: Any, classes: Any) -> Images:
        scaled = (images.reshape(-1, 1, 28, 28) / 255 - MEAN) / DEVIATION
        return Images(scaled.astype(np.float32), classes.astype(np.int64))

    return (
        prepared(x[:50_000], labels[:50_000]),
        prepared(x[50_000:], labels[50_000:]),
        prepared(test_x, test_labels),
    )


def shifted(images: Images, batch: int, most: int, generator: Any) -> Iterator[tuple[Any, Any]]:
    """Batches of one epoch in random order, each image shifted by up to `most` pixels."""
    ends = (0, 0), (0, 0), (most, most), (most, most)
    padded = np.pad(images.x, ends, constant_values=-MEAN / DEVIATION)[:, 0]
    views = np.lib.stride_tricks.sliding_window_view(padded, (28, 28), (1, 2))
    order = generator.permutation(len(images.x))
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        down, right = generator.integers(0, 2 * most + 1, (2, batch))
        yield views[chosen, down, right][:, None], images.y[chosen]


def scores(model: nn.Module, x: Any, batch: int = 500) -> Any:
    """The outputs (n, 10) in evaluation mode."""
    model.eval()
    with ac.no_grad():
        parts = [model(x[i : i + batch]).data for i in range(0, len(x), batch)]
    return np.concatenate(parts)


def accuracy(model: nn.Module, images: Images) -> float:
    """The share of the images that are recognised."""
    return float(np.mean(scores(model, images.x).argmax(axis=1) == images.y))


def train(
    model: nn.Module,
    step: Callable[[Any, Any], Any],
    batches: Callable[[], Iterator[tuple[Any, Any]]],
    schedule: Any,
    epochs: int,
    valid: Images,
    averaged: nn.AveragedModel | None = None,
) -> None:
    """Train for some epochs. Prints the accuracy on the validation images after each: of the
    averaged model, if there is one."""
    start = time.perf_counter()
    for epoch in range(1, epochs + 1):
        model.train()
        for x, y in batches():
            loss = step(x, y)
            schedule.step()
            if averaged is not None:
                averaged.update_parameters(model)
        share = accuracy(averaged or model, valid)
        print(f"epoch {epoch:2}: loss {loss.item():.4f}, validation {share:.2%}, "
              f"{time.perf_counter() - start:.0f} s", flush=True)  # fmt: skip


def run(
    name: str,
    title: str,
    fitted: Callable[..., Any],
    plot: Callable[..., Path],
    epochs: int,
    minutes: int,
    arguments: list[str] | None,
) -> None:
    """The program of an example: train, print the accuracy on the test images, and draw. `minutes`
    is how long an epoch takes."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}", description=title)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--quick", action="store_true", help="a few steps on a part of the images")
    parser.add_argument("--out", type=Path, default=Path("runs") / name, help="for the picture")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    takes(f"{chosen.epochs * minutes} minutes", chosen.quick)
    ac.keep_heap()
    images, valid, test = mnist()
    if chosen.quick:
        chosen.epochs = 1
        images, valid, test = images.first(1_280), valid.first(200), test.first(400)
    model = fitted(images, valid, chosen.seed, chosen.epochs)
    print(f"test: {accuracy(model, test):.2%}")
    print(f"picture: {plot(model, test, chosen.out / f'{name}.png')}")
