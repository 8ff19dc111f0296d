"""The published split of MNIST: 55,000 training, 5,000 validation and 10,000 test rows.

Stratified, drawn twice by scikit-learn with random_state=123 (Raschka, Liu and Mirjalili, 2022,
chapter 11) from the 70,000 images, training file first. The rows are stored, so that the example
runs without scikit-learn; ``python -m examples.mnist_split`` draws and stores them again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PATH = Path(__file__).with_name("data") / "mnist_split.npz"


class Split(NamedTuple):
    """Row numbers among the 70,000 images, in the order in which they are used."""

    train: Any
    valid: Any
    test: Any


def stored() -> Split:
    """The split that is stored with the data."""
    with np.load(PATH) as file:
        return Split(*(file[name] for name in Split._fields))


def draw_split(labels: Any) -> Split:
    """The same split, drawn by scikit-learn."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(labels), dtype=np.int32)
    rest, test = train_test_split(rows, test_size=10_000, random_state=123, stratify=labels)
    train, valid = train_test_split(rest, test_size=5_000, random_state=123, stratify=labels[rest])
    return Split(train, valid, test)


if __name__ == "__main__":
    from nn import read_mnist

    mnist = read_mnist(PATH.parent / "mnist")
    split = draw_split(np.concatenate([mnist.train_labels, mnist.test_labels]))
    np.savez_compressed(PATH, **split._asdict())
