"""Milliseconds that the transforms of nn.data take for a batch: python -m benchmarks.augmentation

256 float32 images of 28 by 28 unless told otherwise, on one core. The least and the median of the
runs, in which the transforms take turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import nn
from benchmarks import measure


def cases(images: Any) -> dict[str, Callable[[nn.Draws], Any]]:
    """What is timed: a function of the draws each."""
    transforms: list[Callable[..., Any]] = [
        nn.RandomHorizontalFlip(),
        nn.RandomVerticalFlip(),
        nn.RandomCrop(images.shape[-2:], padding=2),
        nn.RandomErasing(),
        nn.Normalize(0.1307, 0.3081),
        nn.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), 10),
        nn.ElasticTransform(34, 4),
    ]
    found: dict[str, Callable[[nn.Draws], Any]] = {
        "draws.uniform()": lambda draws: draws.uniform(),
        "draws.normal()": lambda draws: draws.normal(),
    }
    for transform in transforms:
        found[type(transform).__name__] = partial(transform, images)
    return found


def more(parser: argparse.ArgumentParser) -> None:
    """The size of the batch."""
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--side", type=int, default=28)


def main() -> None:
    """Time the transforms and print a table."""
    chosen = measure.options(__doc__.splitlines()[0] if __doc__ else "", more)
    shape = (chosen.batch, chosen.side, chosen.side)
    images = np.random.default_rng(0).random(shape, np.float32)
    timed = cases(images)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for epoch in range(chosen.repeats):
        for name, run in timed.items():
            draws = nn.Draws(0, epoch, np.arange(chosen.batch))
            start = time.perf_counter()
            run(draws)
            seconds[name].append(time.perf_counter() - start)
    print(f"{'':22} {'least':>8} {'median':>8}  ms for {shape}")
    for name, each in seconds.items():
        print(f"{name:22} {1e3 * min(each):8.3f} {1e3 * statistics.median(each):8.3f}")


if __name__ == "__main__":
    main()
