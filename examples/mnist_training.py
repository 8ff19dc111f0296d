"""Training in the MNIST example: epochs, checks for values that are not finite, and Ctrl-C."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

import autograd_core as ac
import nn
from examples import mnist_report, mnist_split
from examples.mnist_options import ACTIVATIONS

STEPS_BETWEEN_LOOKS = 100  # reading a loss makes the host wait for the device


class Part(NamedTuple):
    """Images scaled to [-1, 1], shape (n, 784), their labels and their one-hot labels."""

    x: Any
    labels: Any
    y: Any


class Diverged(Exception):
    """`what` was not finite after `step`, which counts from 0 within the epoch."""

    def __init__(self, what: str, step: int) -> None:
        self.what = what
        self.step = step


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


def training_step(
    model: nn.Module, loss_of: Callable[..., ac.Tensor], optimizer: nn.SGD
) -> Callable[..., ac.Tensor]:
    """Forward, loss, backward and update for one batch; returns the loss."""

    def step(images: Any, labels: Any) -> ac.Tensor:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def train_epoch(step: Callable[..., ac.Tensor], batches: Iterable[Any]) -> None:
    """One pass over the data: a step for every batch."""
    losses: list[ac.Tensor] = []
    done = 0
    for x, y in batches:
        losses.append(step(x, y))
        if len(losses) == STEPS_BETWEEN_LOOKS:
            look(losses, done)
            done += len(losses)
            losses.clear()
    look(losses, done)


def look(losses: list[ac.Tensor], done: int) -> None:
    """Raise Diverged if one of these losses is not finite."""
    if losses:
        finite = np.isfinite(ac.stack(losses).cpu().numpy())
        if not finite.all():
            raise Diverged("the loss", done + int(finite.argmin()))


def first_not_finite(
    model: nn.Sequential,
    loss_of: Callable[..., ac.Tensor],
    optimizer: nn.SGD,
    batches: nn.DataLoader,
) -> str:
    """Repeat an epoch up to the first value that is not finite, and describe it: the gradient of a
    parameter, or a parameter after its update, and the step."""
    for step, (x, y) in enumerate(batches):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in reversed(list(model.named_parameters())):
            if parameter.grad is not None and not finite(parameter.grad):
                return f"the gradient of {name} was the first that was not finite, at step {step}"
        optimizer.step()
        for name, parameter in reversed(list(model.named_parameters())):
            if not finite(parameter):
                return f"every gradient was finite, but not {name} after step {step}"
    return "every gradient was finite"


def finite(tensor: ac.Tensor) -> bool:
    """Return True if all elements are finite; waits for a device."""
    return bool(np.isfinite(tensor.detach().cpu().numpy()).all())


class Training:
    """A model, its data and its metrics so far; the last finite weights are always on disk."""

    def __init__(
        self, options: argparse.Namespace, parts: dict[str, Part], model: nn.Sequential
    ) -> None:
        self.options, self.parts, self.model = options, parts, model
        self.loss_of = loss_function(options, model)
        self.optimizer = nn.SGD(model.parameters(), lr=options.lr)
        step = training_step(model, self.loss_of, self.optimizer)
        self.step = step if options.plain else ac.compile(step)
        # shared by training and evaluation, as in the published run
        self.generator = np.random.RandomState(options.seed)
        train = parts["train"]
        self.batches = nn.DataLoader(
            nn.TensorDataset(train.x, train.y),
            batch_size=options.batch or len(train.x),
            shuffle=True,
            generator=self.generator,
            drop_last=True,
            device=options.device,
        )
        self.history: list[dict[str, float]] = []
        mnist_report.begin(options.out)
        self.keep()

    def keep(self) -> None:
        """Store the current weights as the last good ones."""
        self.weights, self.order = self.model.state_dict(), self.generator.get_state()
        nn.save_state(self.weights, self.options.out / "weights.npz")

    def run(self) -> bool:
        """Train; return True if all epochs ran. After Ctrl-C the last complete epoch counts."""
        try:
            for epoch in range(1, self.options.epochs + 1):
                row = self.epoch(epoch)
                mnist_report.add(self.options.out, row)
                self.history.append(row)
                self.keep()
        except KeyboardInterrupt:
            print(f"stopped by Ctrl-C after {len(self.history)} whole epochs", flush=True)
        except Diverged as diverged:
            self.stop(diverged)
        self.model.load_state_dict(self.weights)
        return len(self.history) == int(self.options.epochs)

    def epoch(self, epoch: int) -> dict[str, float]:
        """One epoch and its metrics."""
        start = time.perf_counter()
        bar = tqdm(self.batches, f"epoch {epoch}", leave=False, disable=None)
        train_epoch(self.step, bar)
        row = {"epoch": epoch, "seconds": time.perf_counter() - start}
        for name in ("train", "valid"):
            row |= evaluate(self.options, self.model, self.parts[name], self.generator, name)
        last = len(self.batches) - 1
        if not all(map(finite, self.model.parameters())):
            raise Diverged("a weight", last)
        if not np.isfinite(list(row.values())).all():
            raise Diverged("the error on whole data sets", last)
        print(
            f"epoch {epoch:3d}  train {row['train_acc']:6.2f} %  "
            f"valid {row['valid_acc']:6.2f} %  mse {row['train_mse']:.5f}  "
            f"{row['seconds']:.2f} s",
            flush=True,
        )
        return row

    def stop(self, diverged: Diverged) -> None:
        """Exit with a message that names the first value that was not finite."""
        self.model.load_state_dict(self.weights)
        self.generator.set_state(self.order)
        why = first_not_finite(self.model, self.loss_of, self.optimizer, self.batches)
        print(
            f"training stops: {diverged.what} was not finite at epoch {len(self.history) + 1}, "
            f"step {diverged.step}; {why}. The last good weights are in "
            f"{self.options.out / 'weights.npz'}. Try a smaller --lr",
            file=sys.stderr,
        )
        raise SystemExit(1)


def evaluate(
    options: argparse.Namespace, model: nn.Module, part: Part, generator: Any, name: str
) -> dict[str, float]:
    """Accuracy in per cent, and the mean squared error over all elements."""
    generator.shuffle(np.arange(len(part.x)))  # as in the published run: same random stream
    outputs = probabilities(options, model, part.x)
    correct = float((outputs.argmax(1) == part.labels).mean() * 100)
    outputs -= part.y
    return {f"{name}_mse": float(np.vdot(outputs, outputs)) / outputs.size, f"{name}_acc": correct}
