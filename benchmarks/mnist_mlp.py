"""One training epoch of a 784-50-10 network on MNIST, batch size 100, in several libraries.

    python -m benchmarks.mnist_mlp

All peers start from the same weights and use the same 550 batches. Before timing, their weights
after one epoch are compared with those of hand-written NumPy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure
from benchmarks.published import Network, Tight

BATCH, LR = 100, 0.1
Epoch = Callable[[Any], list[Any]]  # takes the order of the rows; returns the weights afterwards


def data(dtype: Any) -> tuple[Any, Any, Any]:
    """55,000 images in [-1, 1], labels, and one-hot labels."""
    import nn

    mnist = nn.read_mnist(Path(__file__).parent.parent / "examples" / "data" / "mnist")
    x = (((mnist.train_images[:55_000] / 255.0) - 0.5) * 2).astype(dtype)
    labels = mnist.train_labels[:55_000]
    return x, labels, nn.one_hot(labels, 10, dtype)


def batches(order: Any, *arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of each array, batch by batch."""
    for start in range(0, len(order) - BATCH + 1, BATCH):
        rows = order[start : start + BATCH]
        yield tuple(array.take(rows, axis=0) for array in arrays)


def textbook(x: Any, y: Any, labels: Any) -> Epoch:
    """Hand-written NumPy as published."""

    def epoch(order: Any) -> list[Any]:
        network = Network()
        network.train_epoch(x, labels, order)
        return network.parameters()

    return epoch


def tight(x: Any, y: Any, labels: Any) -> Epoch:
    """Hand-optimised NumPy."""

    def epoch(order: Any) -> list[Any]:
        network = Tight(x.dtype)
        network.train_epoch(x, y, order)
        return network.parameters()

    return epoch


def ours(x: Any, y: Any, labels: Any) -> Epoch:
    """autograd_core through nn."""
    import autograd_core as ac
    import nn

    def epoch(order: Any) -> list[Any]:
        generator = np.random.RandomState(123)
        settings = {
            "initializer": partial(nn.init.normal_, std=0.1),
            "generator": generator,
            "dtype": x.dtype,
        }
        model = nn.Sequential(
            nn.Linear(784, 50, **settings),
            nn.Sigmoid(),
            nn.Linear(50, 10, **settings),
            nn.Sigmoid(),
        )
        loss_of, optimizer = nn.MSE("batch"), nn.SGD(model.parameters(), lr=LR)
        for inputs, target in batches(order, x, y):
            loss = loss_of(model(ac.Tensor(inputs)), ac.Tensor(target))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [parameter.data for parameter in model.parameters()]

    return epoch


def primitives(x: Any, y: Any, labels: Any) -> Epoch:
    """autograd_core without nn, from basic operations."""
    import autograd_core as ac

    def epoch(order: Any) -> list[Any]:
        start = [p.astype(x.dtype) for p in Network().parameters()]
        leaves = [ac.Tensor(p, requires_grad=True) for p in start]
        w_h, b_h, w_out, b_out = leaves
        for inputs, target in batches(order, x, y):
            a_h = ac.sigmoid(inputs @ w_h.T + b_h)
            a_out = ac.sigmoid(a_h @ w_out.T + b_out)
            loss = ac.sum((a_out - target) ** 2) / BATCH
            loss.backward()
            for leaf in leaves:
                leaf.data -= LR * leaf.grad.data  # type: ignore[union-attr]
                leaf.grad = None
        return [leaf.data for leaf in leaves]

    return epoch


def torch(x: Any, y: Any, labels: Any) -> Epoch:
    """PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    xs, ys = torch.from_numpy(x), torch.from_numpy(y)

    def epoch(order: Any) -> list[Any]:
        model = torch.nn.Sequential(
            torch.nn.Linear(784, 50),
            torch.nn.Sigmoid(),
            torch.nn.Linear(50, 10),
            torch.nn.Sigmoid(),
        ).to(xs.dtype)
        with torch.no_grad():
            for parameter, start in zip(model.parameters(), Network().parameters(), strict=True):
                parameter.copy_(torch.from_numpy(start))
        optimizer = torch.optim.SGD(model.parameters(), lr=LR)
        rows = torch.from_numpy(order)
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            chosen = rows[start : start + BATCH]
            loss = ((model(xs[chosen]) - ys[chosen]) ** 2).sum() / BATCH
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [parameter.detach().numpy() for parameter in model.parameters()]

    return epoch


def hips(x: Any, y: Any, labels: Any) -> Epoch:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    def loss_of(parameters: Any, inputs: Any, target: Any) -> Any:
        w_h, b_h, w_out, b_out = parameters
        a_h = 1 / (1 + anp.exp(-(anp.dot(inputs, w_h.T) + b_h)))
        a_out = 1 / (1 + anp.exp(-(anp.dot(a_h, w_out.T) + b_out)))
        return anp.sum((a_out - target) ** 2) / BATCH

    gradient_of = autograd.grad(loss_of)

    def epoch(order: Any) -> list[Any]:
        parameters = [p.astype(x.dtype) for p in Network().parameters()]
        for inputs, target in batches(order, x, y):
            for parameter, g in zip(
                parameters, gradient_of(parameters, inputs, target), strict=True
            ):
                parameter -= LR * g
        return parameters

    return epoch


def mygrad(x: Any, y: Any, labels: Any) -> Epoch:
    """MyGrad."""
    import mygrad
    from mygrad.nnet.activations import sigmoid

    def epoch(order: Any) -> list[Any]:
        leaves = [mygrad.Tensor(p.astype(x.dtype)) for p in Network().parameters()]
        w_h, b_h, w_out, b_out = leaves
        for inputs, target in batches(order, x, y):
            a_h = sigmoid(mygrad.matmul(inputs, w_h.T) + b_h)
            a_out = sigmoid(mygrad.matmul(a_h, w_out.T) + b_out)
            (mygrad.sum((a_out - target) ** 2) / BATCH).backward()
            for leaf in leaves:
                leaf.data -= LR * leaf.grad
        return [leaf.data for leaf in leaves]

    return epoch


PEERS: dict[str, tuple[str, Callable[[Any, Any, Any], Epoch]]] = {
    "NumPy, optimised by hand": ("numpy", tight),
    "autograd_core, nn": ("autograd_core", ours),
    "autograd_core, primitives": ("autograd_core", primitives),
    "NumPy, as published (float64)": ("numpy", textbook),
    "PyTorch eager": ("torch", torch),
    "HIPS autograd": ("autograd", hips),
    "MyGrad": ("mygrad", mygrad),
}


def check(epochs: dict[str, Epoch], order: Any, dtype: Any) -> None:
    """Exit with an error unless all peers end with the same weights."""
    expected = Network()
    x, labels, _ = data(np.float64)
    expected.train_epoch(x, labels, order)
    tolerance = 1e-9 if dtype == np.float64 else 2e-3
    for name, epoch in epochs.items():
        for found, wanted in zip(epoch(order), expected.parameters(), strict=True):
            error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
            if not error < tolerance:
                raise SystemExit(f"{name} ends with other weights: relative difference {error:.1e}")


def results(dtype: Any, repeats: int) -> dict[str, float]:
    """Seconds per epoch, by peer."""
    x, labels, y = data(dtype)
    x_double = data(np.float64)[0]
    makers = {
        name: (package, lambda make=make: make(x_double if make is textbook else x, y, labels))
        for name, (package, make) in PEERS.items()
    }
    epochs = measure.available(makers)
    order = np.random.default_rng(0).permutation(len(x))
    check(epochs, order, dtype)

    def timed(epoch: Epoch) -> tuple[float]:
        start = time.perf_counter()
        epoch(order)
        return (time.perf_counter() - start,)

    clocks = {name: lambda epoch=epoch: timed(epoch) for name, epoch in epochs.items()}
    return {name: seconds for name, (seconds,) in measure.interleaved(clocks, repeats).items()}


def main() -> None:
    """Print one table for each dtype."""
    chosen = measure.options("seconds per epoch, compared")
    for dtype in (np.float32, np.float64):
        figures = results(dtype, chosen.repeats)
        floor = figures["NumPy, optimised by hand"]
        rows = [[name, f"{s:.3f}", f"{s / floor:.2f}"] for name, s in figures.items()]
        title = f"MNIST 784-50-10, one training epoch (550 batches of 100), {dtype.__name__}"
        measure.table(title, ["", "seconds", "÷ optimised NumPy"], rows)
    print(f"\n{measure.machine(chosen)}")
    print("PyTorch's matrix products (MKL) are slower than OpenBLAS on AMD processors.")


if __name__ == "__main__":
    main()
