"""The same network twice: from basic operations, and from `nn`.

    python -m examples.small_network

Training needs only a few operations, `backward()` and one line of gradient descent; the modules of
`nn` wrap these lines. Both networks start from the same weights, are trained on the same points
(two spirals, which a straight line cannot separate) and end with the same weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save

HIDDEN, RATE = 16, 0.5


def spirals(count: int) -> tuple[Any, Any]:
    """Points on two spirals with a little noise, and their labels, 0 or 1."""
    generator = np.random.default_rng(0)
    turn = np.linspace(0.3, 1.0, count // 2)
    angle = 1.5 * np.pi * turn
    arm = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1)
    points = np.concatenate([arm, -arm]) + 0.02 * generator.normal(size=(2 * len(turn), 2))
    return points, np.repeat([[0.0], [1.0]], len(turn), axis=0)


def start() -> list[Any]:
    """The initial weights and biases of two layers."""
    generator = np.random.default_rng(1)
    return [
        generator.normal(size=(HIDDEN, 2)) * 2, generator.normal(size=HIDDEN),
        generator.normal(size=(1, HIDDEN)), np.zeros(1),
    ]  # fmt: skip


def by_primitives(x: Any, y: Any, steps: int) -> tuple[list[Any], list[float]]:
    """Train with Tensors, operators, `backward()`, and w ← w − η ∂L/∂w."""
    w1, b1, w2, b2 = parameters = [ac.Tensor(array, requires_grad=True) for array in start()]
    losses = []
    for _ in range(steps):
        hidden = ac.tanh(x @ w1.T + b1)
        output = ac.sigmoid(hidden @ w2.T + b2)
        loss = -ac.mean(y * ac.log(output) + (1 - y) * ac.log(1 - output))
        loss.backward()
        for parameter in parameters:
            assert parameter.grad is not None
            parameter.data = parameter.data - RATE * parameter.grad.data
            parameter.grad = None
        losses.append(loss.item())
    return [parameter.data for parameter in parameters], losses


def by_modules(x: Any, y: Any, steps: int) -> tuple[list[Any], list[float]]:
    """Train the same network with `nn`."""
    model = nn.Sequential(nn.Linear(2, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1), nn.Sigmoid())
    for parameter, array in zip(model.parameters(), start(), strict=True):
        parameter.data = array
    loss_of, optimizer = nn.BCELoss(), nn.SGD(model.parameters(), lr=RATE)
    losses = []
    for _ in range(steps):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [parameter.data for parameter in model.parameters()], losses


def probability(weights: list[Any], x: Any) -> Any:
    """The network's output for points x, in plain NumPy."""
    w1, b1, w2, b2 = weights
    return 1 / (1 + np.exp(-(np.tanh(x @ w1.T + b1) @ w2.T + b2)))


def picture(path: Path, x: Any, y: Any, weights: list[Any], losses: dict[str, Any]) -> Path:
    """Plot the points on the network's output, and both losses."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    grid = np.stack(np.meshgrid(np.linspace(-1.2, 1.2, 121), np.linspace(-1.2, 1.2, 121)), axis=-1)
    shading = left.contourf(
        *np.moveaxis(grid, -1, 0), probability(weights, grid)[..., 0],
        levels=np.linspace(0, 1, 11), cmap="coolwarm", alpha=0.7,
    )  # fmt: skip
    figure.colorbar(shading, ax=left, label="output")
    for label, marker, colour in ((0, "o", "tab:blue"), (1, "s", "tab:red")):
        arm = x[y[:, 0] == label]
        left.scatter(*arm.T, marker=marker, c=colour, edgecolor="white", label=f"y = {label}")
    left.set(title="Two spirals", xlabel="x₁", ylabel="x₂", aspect="equal")
    left.legend(loc="upper left")
    for (name, values), style in zip(losses.items(), ("-", "--"), strict=True):
        right.semilogy(values, style, linewidth=2.5, label=name)
    right.set(title="The same loss, twice", xlabel="step", ylabel="binary cross-entropy")
    right.legend()
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Train both and compare."""
    chosen = options("A network from primitives and from nn.", "small_network", arguments)
    x, y = spirals(120)
    steps = 500 if chosen.quick else 5000
    first, first_losses = by_primitives(x, y, steps)
    second, second_losses = by_modules(x, y, steps)
    print(f"{'step':>6} {'primitives':>12} {'nn':>12}")
    for step in (0, steps // 10, steps // 2, steps - 1):
        print(f"{step:6} {first_losses[step]:12.6f} {second_losses[step]:12.6f}")
    difference = max(float(abs(a - b).max()) for a, b in zip(first, second, strict=True))
    correct = np.mean((probability(first, x) > 0.5) == y)
    print(f"\nlargest difference of a weight: {difference:.1e}; correct: {correct:.1%}")
    losses = {"primitives": first_losses, "nn": second_losses}
    print("\npicture:", picture(chosen.out / "small_network.png", x, y, first, losses))


if __name__ == "__main__":
    main()
