"""The lecture's network learns MNIST: 784-50-10, sigmoid, mini-batch gradient descent.

    python -m examples.mnist_mlp                      # the published run: 94.54 % on the test set
    python -m examples.mnist_mlp --hidden 100 50 --activation relu --loss cross_entropy --lr 0.05
    python -m examples.mnist_mlp --quick              # a few seconds

The defaults repeat, batch for batch, the run that Raschka, Liu and Mirjalili publish (Machine
Learning with PyTorch and Scikit-Learn, 2022, chapter 11). Pictures, weights and metrics end up in
runs/.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

import autograd_core as ac
import nn
from examples import mnist_report, mnist_split

HERE = Path(__file__).parent
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh, "identity": nn.Identity}
STEPS_BETWEEN_LOOKS = 100  # reading a loss makes the host wait for a device, so it is done seldom


class Part(NamedTuple):
    """Images scaled to [-1, 1], shape (n, 784), their labels and their labels one-hot."""

    x: Any
    labels: Any
    y: Any


class Diverged(Exception):
    """The loss of a step was not finite; `step` counts from 0 within the epoch."""

    def __init__(self, step: int) -> None:
        self.step = step


# ---- options ------------------------------------------------------------------------------------


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options, all checked before any work is done."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.mnist_mlp",
        description="Train the lecture's network on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--hidden", type=int, nargs="+", default=[50], help="units of each hidden layer")
    add("--activation", choices=ACTIVATIONS, default="sigmoid", help="of the hidden layers")
    add("--loss", choices=["mse", "binary_cross_entropy", "cross_entropy"], default="mse")
    add("--batch", type=int, default=100, help="1 = stochastic, 0 = all at once")
    add("--epochs", type=int, default=50)
    add("--lr", type=float, default=0.1, help="learning rate η")
    add("--l2", type=float, default=0.0, help="strength λ of the L2 regularisation")
    add("--seed", type=int, default=123, help="of the weights and of the batches")
    add("--dtype", choices=["float32", "float64"], default="float64")
    add("--device", default="cpu", help="cpu, cuda, cuda:1 …")
    add("--data", type=Path, default=HERE / "data" / "mnist", help="folder of the MNIST files")
    add("--out", type=Path, default=Path("runs") / "mnist_mlp", help="folder for the results")
    add("--quick", action="store_true", help="5,000 images and 3 epochs")
    options = parser.parse_args(arguments)
    checks = [
        (min(options.hidden) >= 1, f"--hidden must be positive, not {options.hidden}"),
        (options.batch >= 0, f"--batch must be 0 or more, not {options.batch}"),
        (options.epochs >= 1, f"--epochs must be at least 1, not {options.epochs}"),
        (0 < options.lr < float("inf"), f"--lr must be positive and finite, not {options.lr}"),
        (0 <= options.l2 < float("inf"), f"--l2 must be 0 or more, not {options.l2}"),
        (0 <= options.seed < 2**32, f"--seed must be in [0, 2³²), not {options.seed}"),
        (not options.out.is_file(), f"--out {options.out} is a file, not a folder"),
    ]
    for holds, complaint in checks:
        if not holds:
            parser.error(complaint)
    try:
        with ac.device(options.device):
            pass
    except ac.DeviceError as error:
        parser.error(f"--device {options.device}: {error}")
    if options.quick:
        options.epochs = min(options.epochs, 3)
    rows = 5_000 if options.quick else 55_000
    if options.batch > rows:
        parser.error(f"--batch {options.batch} is larger than the {rows:,} training images")
    return options


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

    For the squared error the outputs go through a sigmoid, as in the lecture; the two likelihoods
    take the net input itself, which is exact where a probability would round to 0 or 1.
    """
    generator = np.random.RandomState(options.seed)  # the published run's generator
    sizes = [784, *options.hidden, 10]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers.append(
            nn.Linear(
                inputs,
                outputs,
                initializer=nn.normal(0.0, 0.1),
                generator=generator,
                dtype=options.dtype,
            )
        )
        layers.append(ACTIVATIONS[options.activation]())
    layers[-1] = nn.Sigmoid() if options.loss == "mse" else nn.Identity()
    return nn.Sequential(*layers).to(options.device)


def loss_function(options: argparse.Namespace, model: nn.Module) -> Callable[..., ac.Tensor]:
    """The loss whose gradient is taken: sum over outputs, mean over the batch, plus λΩ."""
    losses: dict[str, nn.Module] = {
        "mse": nn.MSE("batch"),
        "binary_cross_entropy": nn.BinaryCrossEntropy("batch", from_logits=True),
        "cross_entropy": nn.CrossEntropy("mean", from_logits=True),
    }
    loss = losses[options.loss]
    if options.l2 == 0:
        return loss
    weights = model.parameters()
    return lambda prediction, y: loss(prediction, y) + nn.l2_penalty(weights, options.l2)


def probabilities(options: argparse.Namespace, model: nn.Module, x: Any) -> Any:
    """The model's outputs as numbers in [0, 1], shape (n, 10), on the host; in large slabs."""
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


def train_epoch(
    model: nn.Module, loss_of: Callable[..., ac.Tensor], optimizer: nn.SGD, batches: Iterable[Any]
) -> None:
    """One pass over the data: forward, loss, backward, step, for every batch."""
    losses: list[ac.Tensor] = []
    done = 0
    for x, y in batches:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if len(losses) == STEPS_BETWEEN_LOOKS:
            look(losses, done)
            done += len(losses)
            losses.clear()
    look(losses, done)


def look(losses: list[ac.Tensor], done: int) -> None:
    """Raise Diverged where one of these losses is not finite."""
    if losses:
        finite = np.isfinite(ac.stack(losses).cpu().numpy())
        if not finite.all():
            raise Diverged(done + int(finite.argmin()))


def first_bad_gradient(
    model: nn.Sequential, loss_of: Callable[..., ac.Tensor], optimizer: nn.SGD, batches: nn.Batches
) -> str:
    """Repeat an epoch up to the first gradient that is not finite: which layer's, at which step."""
    for step, (x, y) in enumerate(batches):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in reversed(list(model.named_parameters())):
            gradient = parameter.grad
            if gradient is not None and not np.isfinite(gradient.cpu().numpy()).all():
                return f"the gradient of {name} was the first that was not finite, at step {step}"
        optimizer.step()
    return "every gradient was finite"


def train(
    options: argparse.Namespace, parts: dict[str, Part], model: nn.Sequential
) -> list[dict[str, float]]:
    """Train and return one row of metrics an epoch. Ctrl-C ends at the last whole epoch."""
    loss_of = loss_function(options, model)
    optimizer = nn.SGD(model.parameters(), lr=options.lr)
    generator = np.random.RandomState(options.seed)  # shared by training and evaluation: published
    batches = nn.Batches(
        parts["train"].x,
        parts["train"].y,
        batch_size=options.batch,
        generator=generator,
        drop_last=True,
        device=options.device,
    )
    history: list[dict[str, float]] = []
    weights, order = model.state_dict(), generator.get_state()
    nn.save_state(weights, options.out / "weights.npz")
    try:
        for epoch in range(1, options.epochs + 1):
            start = time.perf_counter()
            bar = tqdm(batches, f"epoch {epoch}", leave=False, disable=None)
            train_epoch(model, loss_of, optimizer, bar)
            row = {"epoch": epoch, "seconds": time.perf_counter() - start}
            for name in ("train", "valid"):
                row |= evaluate(options, model, parts[name], generator, name)
            history.append(row)
            print(
                f"epoch {epoch:3d}  train {row['train_acc']:6.2f} %  "
                f"valid {row['valid_acc']:6.2f} %  mse {row['train_mse']:.5f}  "
                f"{row['seconds']:.2f} s",
                flush=True,
            )
            weights, order = model.state_dict(), generator.get_state()
            nn.save_state(weights, options.out / "weights.npz")
    except KeyboardInterrupt:
        print(f"stopped by Ctrl-C after {len(history)} whole epochs", flush=True)
    except Diverged as diverged:
        model.load_state_dict(weights)
        generator.set_state(order)
        print(
            f"training stops: the loss was not finite at epoch {len(history) + 1}, step "
            f"{diverged.step}; {first_bad_gradient(model, loss_of, optimizer, batches)}. The last "
            f"good weights are in {options.out / 'weights.npz'}. Try a smaller --lr",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    model.load_state_dict(weights)
    return history


def evaluate(
    options: argparse.Namespace, model: nn.Module, part: Part, generator: Any, name: str
) -> dict[str, float]:
    """Accuracy in per cent, and the mean squared error over all elements."""
    generator.shuffle(np.arange(len(part.x)))  # the published run shuffles here too: same stream
    outputs = probabilities(options, model, part.x)
    correct = float((outputs.argmax(1) == part.labels).mean() * 100)
    outputs -= part.y
    return {f"{name}_mse": float(np.vdot(outputs, outputs)) / outputs.size, f"{name}_acc": correct}


def main(arguments: list[str] | None = None) -> None:
    """Train, then write the pictures, the weights and the metrics."""
    options = parsed(arguments)
    ac.keep_heap()  # glibc: keep freed pages; training runs about a fifth faster
    parts = load(options)
    options.out.mkdir(parents=True, exist_ok=True)
    model = build(options)
    print(model, flush=True)
    start = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite is reported
        history = train(options, parts, model)
    seconds = time.perf_counter() - start
    test = parts["test"]
    outputs = probabilities(options, model, test.x)
    accuracy = float((outputs.argmax(1) == test.labels).mean() * 100)
    print(f"test accuracy {accuracy:.2f} %; trained and evaluated in {seconds:.1f} s", flush=True)
    loss = loss_function(options, model)(
        model(ac.Tensor(parts["train"].x[:100], device=options.device)),
        ac.Tensor(parts["train"].y[:100], device=options.device),
    )
    mnist_report.write(options.out, history, test, outputs, loss, model)


if __name__ == "__main__":
    try:
        main()
    except nn.DataError as error:
        sys.exit(f"python -m examples.mnist_mlp: {error}")
