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
PAPER = -MEAN / DEVIATION  # the value around the digits


LINEAR, MOVED, BENT = 0.05, 1.0, 0.5  # deviations of a random map, a shift and a field, in pixels
PLACE = np.arange(28, dtype=np.float32) - 13.5
GRID = np.stack(np.meshgrid(PLACE, PLACE, indexing="ij"))
_NEAR = np.exp(-(((PLACE[:, None] - np.linspace(-14, 14, 6, dtype=np.float32)) / 5.6) ** 2))
FIELD = _NEAR / np.linalg.norm(_NEAR, axis=1, keepdims=True)  # 6 random numbers → a smooth line


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


def deformed(images: Images, batch: int, generator: Any) -> Iterator[tuple[Any, Any]]:
    """Batches of one epoch in random order, each image moved, turned, stretched and bent a little:
    read at places that are a random linear map of its own, plus a smooth random field (as in Simard
    et al., 2003), by linear interpolation."""
    order = generator.permutation(len(images.x))
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        yield read_at(images.x[chosen], places(batch, generator)), images.y[chosen]


def places(count: int, generator: Any) -> Any:
    """Where to read each pixel: (count, 2, 28, 28), rows and columns."""

    def normal(*shape: int) -> Any:
        return generator.standard_normal((count, *shape), np.float32)

    linear = (LINEAR * normal(2, 2)) @ GRID.reshape(2, -1)
    bent = FIELD @ (BENT * normal(2, 6, 6)) @ FIELD.T
    return GRID + 13.5 + MOVED * normal(2, 1, 1) + linear.reshape(count, 2, 28, 28) + bent


def read_at(x: Any, at: Any) -> Any:
    """The values of images (n, 1, 28, 28) at places between their pixels; around them is paper."""
    flat = np.pad(x[:, 0], ((0, 0), (1, 2), (1, 2)), constant_values=PAPER).ravel()
    at = np.clip(at + 1, 0, 29)
    whole = np.floor(at)
    down, right = (at - whole).swapaxes(0, 1)
    whole = whole.astype(np.int32)
    first = 31 * 31 * np.arange(len(x))[:, None, None] + 31 * whole[:, 0] + whole[:, 1]
    top = flat[first] * (1 - right) + flat[first + 1] * right
    bottom = flat[first + 31] * (1 - right) + flat[first + 32] * right
    return (top * (1 - down) + bottom * down)[:, None]


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
    resumes: bool = False,
) -> None:
    """The program of an example: train, print the accuracy on the test images, and draw. `minutes`
    is how long an epoch takes. With `resumes`, a run can be continued."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}", description=title)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--quick", action="store_true", help="a few steps on a part of the images")
    parser.add_argument("--out", type=Path, default=Path("runs") / name, help="for the results")
    if resumes:
        parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    total = chosen.epochs * minutes
    takes(f"{total} minute{'' if total == 1 else 's'}", chosen.quick)
    ac.keep_heap()
    images, valid, test = mnist()
    if chosen.quick:
        chosen.epochs = min(chosen.epochs, 2) if resumes else 1
        images, valid, test = images.first(1_280), valid.first(200), test.first(400)
    more = {"out": chosen.out, "resume": chosen.resume} if resumes else {}
    model = fitted(images, valid, chosen.seed, chosen.epochs, **more)
    print(f"test: {accuracy(model, test):.2%}")
    print(f"picture: {plot(model, test, chosen.out / f'{name}.png')}")
