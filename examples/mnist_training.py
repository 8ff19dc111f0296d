"""Training in the MNIST example, by `nn.fit`: data, model, loss, and the metrics of each epoch.

On several ranks (``mpiexec -n 2 python -m mpi4py -m examples.mnist_mlp``) each of them has a part
of every batch and of the images that are evaluated; rank 0 prints and writes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ac
import nn
from autograd_core.errors import NonFiniteError
from examples import mnist_report, mnist_split
from examples.mnist_options import ACTIVATIONS
from nn.distributed import DistributedDataParallel, all_reduce, world


class Part(NamedTuple):
    """Images scaled to [-1, 1], shape (n, 784), their labels and their one-hot labels."""

    x: Any
    labels: Any
    y: Any


# ---- data, model, loss --------------------------------------------------------------------------


def load(options: argparse.Namespace) -> dict[str, Part]:
    """The published split: 55,000 training, 5,000 validation and 10,000 test images."""
    mnist = nn.read_mnist(options.data)
    images = np.concatenate([mnist.train_images, mnist.test_images])
    labels = np.concatenate([mnist.train_labels, mnist.test_labels])
    parts = {}
    for name, rows in mnist_split.stored()._asdict().items():
        rows = rows[: 5_000 if name == "train" else 1_000] if options.quick else rows
        x = ((images[rows] / 255.0) - 0.5) * 2
        one_hot = nn.one_hot(labels[rows], 10, options.dtype)
        parts[name] = Part(x.astype(options.dtype), labels[rows], one_hot)
    return parts


def build(options: argparse.Namespace) -> nn.Sequential:
    """784 - hidden … - 10 with weights from N(0, 0.1) and biases zero.

    For the squared error the outputs go through a sigmoid. The two cross-entropies take the net
    input (logits), which is exact where a probability would be rounded to 0 or 1.
    """
    generator = np.random.RandomState(options.seed)  # the published run's generator
    sizes = [784, *options.hidden, 10]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers.append(
            nn.Linear(
                inputs,
                outputs,
                initializer=partial(nn.init.normal_, std=0.1),
                generator=generator,
                dtype=options.dtype,
            )
        )
        layers.append(ACTIVATIONS[options.activation]())
    layers[-1] = nn.Sigmoid() if options.loss == "mse" else nn.Identity()
    return nn.Sequential(*layers).to(options.device)


def loss_function(options: argparse.Namespace, model: nn.Module) -> Callable[..., ac.Tensor]:
    """The training loss: sum over outputs, mean over the batch, plus λΩ."""
    losses: dict[str, nn.Module] = {
        "mse": nn.MSE("batch"),
        "binary_cross_entropy": nn.BCEWithLogitsLoss(reduction="batch"),
        "cross_entropy": nn.CrossEntropyLoss(),
    }
    loss = losses[options.loss]
    if options.l2 == 0:
        return loss
    weights = model.parameters()
    return lambda prediction, y: loss(prediction, y) + nn.l2_penalty(weights, options.l2)


def probabilities(options: argparse.Namespace, model: nn.Module, x: Any) -> Any:
    """The model's outputs as probabilities, shape (n, 10), on the host; 5,000 rows at a time."""
    last: dict[str, Callable[[Any], Any]] = {
        "mse": lambda a: a,
        "binary_cross_entropy": ac.sigmoid,
        "cross_entropy": ac.softmax,
    }
    with ac.no_grad():
        slabs = (
            ac.Tensor(x[i : i + 5_000], device=options.device) for i in range(0, len(x), 5_000)
        )
        outputs = [last[options.loss](model(slab)).cpu().numpy() for slab in slabs]
    return np.concatenate(outputs)


# ---- training -----------------------------------------------------------------------------------


class Training(nn.Callback):
    """A model, its data and its metrics so far; the last finite weights are always on disk."""

    def __init__(
        self, options: argparse.Namespace, parts: dict[str, Part], model: nn.Sequential
    ) -> None:
        self.options, self.parts, self.model = options, parts, model
        self.ranks = world()
        self.parallel = DistributedDataParallel(model)  # on one rank, the model itself is trained
        self.loss_of = loss_function(options, model)
        self.optimizer = nn.SGD(model.parameters(), lr=options.lr)
        # shared by training and evaluation, as in the published run
        self.generator = np.random.RandomState(options.seed)
        train = parts["train"]
        self.batches = nn.DataLoader(
            nn.TensorDataset(train.x, train.y),
            batch_size=-(-(options.batch or len(train.x)) // self.ranks.size),
            shuffle=True,
            generator=self.generator,
            drop_last=True,
            shard=self.ranks,
            device=options.device,
        )
        self.history: list[dict[str, float]] = []
        if self.ranks.rank == 0:
            mnist_report.begin(options.out)
        self.keep()

    def keep(self) -> None:
        """Store the current weights as the last good ones."""
        self.weights = self.model.state_dict()
        if self.ranks.rank == 0:
            nn.save_state(self.weights, self.options.out / "weights.npz")

    def run(self) -> bool:
        """Train; return True if all epochs ran. After Ctrl-C the last complete epoch counts."""
        try:
            done = nn.fit(
                self.model if self.ranks.size == 1 else self.parallel,
                self.batches,
                self.loss_of,
                self.optimizer,
                epochs=self.options.epochs,
                callbacks=[self],
                compile=not self.options.plain,
            )
        except NonFiniteError as error:
            sys.exit(
                f"training stops in epoch {len(self.history) + 1}: {error}. The last good weights "
                f"are in {self.options.out / 'weights.npz'}. Try a smaller --lr"
            )
        if done.interrupted and self.ranks.rank == 0:
            print(f"stopped by Ctrl-C after {len(self.history)} whole epochs", flush=True)
        self.model.load_state_dict(self.weights)
        return not done.interrupted

    def on_epoch(self, run: nn.Run) -> None:
        """The metrics of an epoch."""
        row = {"epoch": run.epoch, "seconds": run.history[-1]["seconds"]}
        for name in ("train", "valid"):
            row |= evaluate(self.options, self.model, self.parts[name], self.generator, name)
        if not np.isfinite(list(row.values())).all():
            raise NonFiniteError("the error on whole data sets is not finite")
        if self.ranks.rank == 0:
            print(
                f"epoch {run.epoch:3d}  train {row['train_acc']:6.2f} %  "
                f"valid {row['valid_acc']:6.2f} %  mse {row['train_mse']:.5f}  "
                f"{row['seconds']:.2f} s",
                flush=True,
            )
            mnist_report.add(self.options.out, row)
        self.history.append(row)
        self.keep()


def evaluate(
    options: argparse.Namespace, model: nn.Module, part: Part, generator: Any, name: str
) -> dict[str, float]:
    """Accuracy in per cent, and the mean squared error over all elements."""
    generator.shuffle(np.arange(len(part.x)))  # as in the published run: same random stream
    ranks, images = world(), len(part.x)
    part = Part(*(rows[ranks.rank :: ranks.size] for rows in part))
    outputs = probabilities(options, model, part.x)
    correct = (outputs.argmax(1) == part.labels).sum()
    outputs -= part.y
    correct, squares = all_reduce(np.array([correct, np.vdot(outputs, outputs)])).tolist()
    return {f"{name}_mse": squares / (images * 10), f"{name}_acc": correct / images * 100}
