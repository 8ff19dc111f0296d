"""Adam, beside hand-written NumPy that allocates nothing.

``python -m benchmarks.optimizers`` times the update of the 1.9 million weights of 784-1024-1024-10,
and a compiled training step of that network at batch size 256 with ReLU and the cross entropy, both
in float32; results are compared first. It fails if a ratio is above its bound.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from benchmarks import measure
from benchmarks.compiled import Call, clock

SIZES = (784, 1024, 1024, 10)
BATCH = 256


class Adam:
    """Adam in place, on whole arrays."""

    def __init__(self, parameters: list[Any], lr: float = 1e-3) -> None:
        self.parameters, self.lr, self.steps = parameters, lr, 0
        self.means = [np.zeros_like(p) for p in parameters]
        self.squares = [np.zeros_like(p) for p in parameters]
        self.scratch = [np.empty_like(p) for p in parameters]

    def step(self, gradients: list[Any], b1: float = 0.9, b2: float = 0.999) -> None:
        """Update the parameters."""
        self.steps += 1
        rate = self.lr / (1 - b1**self.steps)
        root = float(np.sqrt(1 - b2**self.steps))
        for w, g, m, v, t in zip(
            self.parameters, gradients, self.means, self.squares, self.scratch, strict=True
        ):
            np.multiply(m, b1, out=m)
            np.multiply(g, 1 - b1, out=t)
            np.add(m, t, out=m)
            np.multiply(v, b2, out=v)
            np.multiply(g, g, out=t)
            np.multiply(t, 1 - b2, out=t)
            np.add(v, t, out=v)
            np.sqrt(v, out=t)
            np.divide(t, root, out=t)
            np.add(t, 1e-8, out=t)
            np.divide(m, t, out=t)
            np.multiply(t, rate, out=t)
            np.subtract(w, t, out=w)


class Network:
    """A training step of a network with ReLU and the cross entropy, in place."""

    def __init__(self, parameters: list[Any], batch: int) -> None:
        self.parameters = [p.copy() for p in parameters]
        self.gradients = [np.empty_like(p) for p in parameters]
        self.adam = Adam(self.parameters)
        dtype, widths = parameters[0].dtype, [len(b) for b in parameters[1::2]]
        self.values = [np.empty((batch, width), dtype) for width in widths]
        self.deltas = [np.empty((batch, width), dtype) for width in widths]
        self.active = [np.empty((batch, width), bool) for width in widths]
        self.rows = np.arange(batch)

    def step(self, x: Any, y: Any) -> Any:
        """The loss before the step."""
        weights, biases = self.parameters[::2], self.parameters[1::2]
        last, given = len(weights) - 1, x
        for i, (w, b, z) in enumerate(zip(weights, biases, self.values, strict=True)):
            np.dot(given, w.T, out=z)
            np.add(z, b, out=z)
            if i < last:
                np.maximum(z, 0, out=z)
            given = z
        delta = self.deltas[last]
        np.subtract(z, z.max(1, keepdims=True), out=z)
        np.exp(z, out=delta)
        sums = delta.sum(1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - z[self.rows, y])
        np.divide(delta, sums * len(y), out=delta)
        delta[self.rows, y] -= 1 / len(y)
        for i in range(last, -1, -1):
            given = self.values[i - 1] if i else x
            np.dot(delta.T, given, out=self.gradients[2 * i])
            np.sum(delta, 0, out=self.gradients[2 * i + 1])
            if i:
                np.dot(delta, weights[i], out=self.deltas[i - 1])
                np.greater(given, 0, out=self.active[i - 1])
                delta = np.multiply(self.deltas[i - 1], self.active[i - 1], out=self.deltas[i - 1])
        self.adam.step(self.gradients)
        return loss


def parameters() -> list[Any]:
    """Weights and biases of the network."""
    rng = np.random.default_rng(0)
    shapes = [shape for a, b in pairwise(SIZES) for shape in ((b, a), (b,))]
    return [rng.normal(0, 0.03, shape).astype(np.float32) for shape in shapes]


def update() -> dict[str, Call]:
    """The update alone."""
    start, rng = parameters(), np.random.default_rng(1)
    gradients = [rng.normal(size=p.shape).astype(np.float32) for p in start]
    by_hand = Adam([p.copy() for p in start])
    weights = [nn.Parameter(p.copy()) for p in start]
    optimizer = nn.Adam(weights)
    for w, g in zip(weights, gradients, strict=True):
        w.grad = ac.Tensor(g)

    def written() -> list[Any]:
        by_hand.step(gradients)
        return by_hand.parameters

    def ours() -> list[Any]:
        optimizer.step()
        return [w.data for w in weights]

    return {"by hand": written, "nn": ours}


def step() -> dict[str, Call]:
    """A training step."""
    start, rng = parameters(), np.random.default_rng(1)
    x = rng.normal(size=(BATCH, SIZES[0])).astype(np.float32)
    y = rng.integers(0, 10, BATCH)
    by_hand = Network(start, BATCH)
    layers: list[Any] = []
    for a, b in pairwise(SIZES):
        layers += [nn.Linear(a, b, dtype=np.float32), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    for parameter, array in zip(model.parameters(), start, strict=True):
        parameter.data = array.copy()
    loss_of, optimizer = nn.CrossEntropyLoss(), nn.Adam(model.parameters())

    def training_step(images: Any, labels: Any) -> Any:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    run = Compiled(training_step)
    return {
        "by hand": lambda: [by_hand.step(x, y), *by_hand.parameters],
        "nn": lambda: [run(x, y).data, *(p.data for p in model.parameters())],
    }


def agree(peers: dict[str, Call]) -> None:
    """Fail unless both give the same numbers in three calls."""
    for _ in range(3):
        found = [[*map(np.array, call())] for call in peers.values()]
        for out, wanted in zip(found[1], found[0], strict=True):
            np.testing.assert_allclose(out, wanted, rtol=1e-3, atol=1e-4)


def main() -> None:
    """Print a row for each; fail if a ratio is above its bound."""
    chosen = measure.options("Adam")
    rows, missed = [], []
    for title, make, bound in (
        ("Adam, 1.9 million weights", update, 1.1),
        ("compiled step, 784-1024-1024-10, batch 256", step, 1.05),
    ):
        peers = make()
        agree(peers)
        clocks = {name: clock(call) for name, call in peers.items()}
        times = {name: t for name, (t,) in measure.interleaved(clocks, chosen.repeats).items()}
        ratio = times["nn"] / times["by hand"]
        rows.append([title, f"{times['by hand']:.0f}", f"{ratio:.2f}", f"{bound:.2f}"])
        if ratio > bound:
            missed.append(f"{title}: {ratio:.2f} > {bound}")
    measure.markdown(["", "by hand, µs", "nn ÷", "bound"], rows)
    print(f"\n{measure.machine(chosen)}")
    if missed and not chosen.quick:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
