"""An LSTM learns to remember: the adding problem of Hochreiter and Schmidhuber (1997).

    python -m examples.adding [--quick]

Each step of a sequence is a random number and a mark, which is 1 at two steps and 0 elsewhere. The
target is the sum of the two marked numbers, so the network has to keep the first one until the end
and to ignore the others. Answering 1 always has a squared error of 1/6. The step is compiled. The
picture shows the error during training, the answers, and the cells of the LSTM on one sequence.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save, takes

LENGTH, UNITS, BATCH = 50, 32, 64


def sequences(count: int, length: int, generator: Any) -> tuple[Any, Any]:
    """Sequences (length, count, 2) and their targets (count, 1)."""
    numbers = generator.random((length, count))
    marks = np.zeros((length, count))
    half = length // 2
    marks[generator.integers(0, half, count), np.arange(count)] = 1
    marks[generator.integers(half, length, count), np.arange(count)] = 1
    x = np.stack([numbers, marks], axis=2)
    return x.astype(np.float32), (numbers * marks).sum(0)[:, None].astype(np.float32)


class Adder(nn.Module):
    """An LSTM, and a linear unit on its last state."""

    def __init__(self, units: int, generator: Any) -> None:
        self.lstm = nn.LSTM(2, units, generator=generator, dtype=np.float32)
        self.head = nn.Linear(units, 1, generator=generator, dtype=np.float32)

    def forward(self, x: Any) -> Any:
        """The answers (n, 1)."""
        _, (h, _) = self.lstm(x)
        return self.head(h[0])


def fitted(steps: int, length: int, seed: int = 0) -> tuple[Adder, list[float]]:
    """The trained network, and its error on each batch."""
    generator = np.random.default_rng(seed)
    model, loss_of = Adder(UNITS, generator), nn.MSELoss()
    optimizer = nn.Adam(model.parameters())
    schedule = nn.OneCycleLR(optimizer, max_lr=1e-2, total_steps=steps)

    @ac.compile
    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    errors = []
    for i in range(steps):
        errors.append(step(*sequences(BATCH, length, generator)).item())
        schedule.step()
        if (i + 1) % max(1, steps // 10) == 0:
            print(f"step {i + 1:5}: mean squared error {np.mean(errors[-20:]):.5f}", flush=True)
    return model, errors


def cells(model: Adder, x: Any) -> Any:
    """The cells (length, units) of the LSTM on one sequence x (length, 2)."""
    state, found = None, []
    cell = nn.LSTMCell(2, UNITS, dtype=np.float32)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in model.lstm.state_dict().items()})
    with ac.no_grad():
        for row in x:
            state = cell(row, state)
            found.append(state[1].data)
    return np.stack(found)


def plot(model: Adder, errors: list[float], length: int) -> Any:
    """The error during training, answers, and the cells that change most on one sequence."""
    import matplotlib.pyplot as plt

    x, y = sequences(500, length, np.random.default_rng(1))
    with ac.no_grad():
        answers = model(x).data
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    axes[0].semilogy(errors, lw=0.7)
    axes[0].axhline(1 / 6, color="grey", ls="--", label="always answering 1")
    axes[0].set(xlabel="step", ylabel="squared error", title="training")
    axes[0].legend()
    axes[1].plot([0, 2], [0, 2], color="grey")
    axes[1].plot(y, answers, ".", ms=3)
    axes[1].set(xlabel="sum of the marked numbers", ylabel="answer", title="500 new sequences")
    found = cells(model, x[:, 0])
    most = np.argsort(-np.abs(np.diff(found, axis=0)).max(0))[:6]
    axes[2].plot(found[:, most])
    for place in np.flatnonzero(x[:, 0, 1]):
        axes[2].axvline(place, color="grey", ls="--")
    axes[2].set(xlabel="step (dashed: marked)", ylabel="cell", title="six cells on one sequence")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Train, print the error on new sequences, and draw."""
    chosen = options("An LSTM that adds two marked numbers", "adding", arguments)
    takes("one to two minutes", chosen.quick)
    ac.keep_heap()
    steps, length = (300, 10) if chosen.quick else (3000, LENGTH)
    model, errors = fitted(steps, length)
    x, y = sequences(1000, length, np.random.default_rng(2))
    with ac.no_grad():
        error = float(np.mean((model(x).data - y) ** 2))
    print(f"new sequences: mean squared error {error:.5f} (always answering 1: {1 / 6:.5f})")
    print(f"picture: {save(plot(model, errors, length), chosen.out / 'adding.png')}")


if __name__ == "__main__":
    main()
