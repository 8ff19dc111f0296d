"""A single neuron, h = f(W·x + b): the perceptron, and a unit that gradient descent can train.

    python -m examples.neuron

The perceptron's f is a step function. Its derivative is 0 wherever it exists, so gradient descent
does not change the weights. The perceptron has its own learning rule (Rosenblatt, 1958), which
stops at the first line that separates the classes. With a sigmoid as f, gradient descent works, and
the output is a probability.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save


def neuron(theta: Any, x: Any, f: Any) -> Any:
    """f(W·x + b) for every row of x."""
    return f(x @ theta["W"] + theta["b"])


def step(z: Any) -> Any:
    """1 where z is positive, else 0."""
    return np.heaviside(z, 0.0)


def loss(theta: Any, x: Any, y: Any, f: Any) -> Any:
    """The mean squared error of the neuron with activation f."""
    return np.mean((neuron(theta, x, f) - y) ** 2)


def clouds(count: int) -> tuple[Any, Any]:
    """Two linearly separable clouds of points in the plane, and the labels 0 and 1."""
    generator = np.random.default_rng(3)
    centres = np.repeat([[-1.2, -0.6], [1.2, 0.9]], count // 2, axis=0)
    return centres + 0.65 * generator.normal(size=(count, 2)), np.repeat([0.0, 1.0], count // 2)


def perceptron(x: Any, y: Any, epochs: int) -> tuple[Any, int]:
    """Train by Rosenblatt's rule, W ← W + (y − h) x, point by point; returns θ and the epochs."""
    theta = {"W": np.zeros(2), "b": 0.0}
    for epoch in range(1, epochs + 1):
        before = theta
        for point, label in zip(x, y, strict=True):
            wrong = label - neuron(theta, point, step)  # −1, 0 or 1
            if wrong:
                theta = {"W": theta["W"] + wrong * point, "b": theta["b"] + wrong}
        if theta is before:  # an epoch without a mistake
            return theta, epoch
    return theta, epochs


def descend(theta: Any, x: Any, y: Any, f: Any, *, lr: float, steps: int) -> Any:
    """Gradient descent, θ ← θ − η ∂L/∂θ, for any f."""
    slope = ac.grad(loss)
    for _ in range(steps):
        g = slope(theta, x, y, f)
        theta = {name: theta[name] - lr * g[name] for name in theta}
    return theta


def picture(path: Path, x: Any, y: Any, lines: dict[str, Any]) -> Path:
    """Plot the points, the boundaries W·x + b = 0, and the last unit's output as shading."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 5.4), layout="constrained")
    across, up = np.meshgrid(np.linspace(-3.6, 3.6, 181), np.linspace(-2.7, 2.7, 136))
    theta = list(lines.values())[-1]
    h = neuron(theta, np.stack([across, up], axis=-1), ac.sigmoid)
    shading = axis.imshow(
        h, cmap="coolwarm", vmin=0, vmax=1, alpha=0.7, origin="lower", aspect="auto",
        extent=(-3.6, 3.6, -2.7, 2.7), interpolation="bilinear",
    )  # fmt: skip
    figure.colorbar(shading, ax=axis, label="the logistic unit's probability of y = 1")
    for label, colour, marker in ((0, "tab:blue", "o"), (1, "tab:red", "s")):
        x1, x2 = x[y == label].T
        axis.scatter(x1, x2, c=colour, marker=marker, edgecolor="white", label=f"y = {label}")
    for (name, unit), style in zip(lines.items(), ("--", "-"), strict=True):
        (w1, w2), b = unit["W"], unit["b"]
        axis.plot(across[0], -(w1 * across[0] + b) / w2, style, color="black", label=name)
    axis.set(xlim=(-3.6, 3.6), ylim=(-2.7, 2.7), xlabel="x₁", ylabel="x₂")
    axis.set_title("Decision boundaries of two neurons")
    axis.legend(loc="lower left")
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Train the neuron in three ways, and plot the two that learned."""
    chosen = options("One neuron, with a step and with a sigmoid.", "neuron", arguments)
    x, y = clouds(40 if chosen.quick else 120)
    start = {"W": np.array([0.5, -1.0]), "b": 0.0}
    steps = 200 if chosen.quick else 2000
    with warnings.catch_warnings(record=True) as said:  # a step has no gradient
        warnings.simplefilter("always")
        stuck = descend(start, x, y, step, lr=1.0, steps=10)
        slope = ac.grad(loss)(start, x, y, step)["W"]
    taught, epochs = perceptron(x, y, epochs=100)
    logistic = descend(start, x, y, ac.sigmoid, lr=1.0, steps=steps)
    print(f"{said[0].category.__name__}: {said[0].message}\n")
    print("∂L/∂W at the start:  step", slope, end="")
    print("   sigmoid", ac.grad(loss)(start, x, y, ac.sigmoid)["W"].round(3))
    print(f"\n{'unit':10} {'trained by':30} {'W₁':>6} {'W₂':>6} {'b':>6} {'correct':>9}")
    for name, how, unit in (
        ("step", "gradient descent, 10 steps", stuck),
        ("step", f"the perceptron rule, {epochs} epochs", taught),
        ("sigmoid", f"gradient descent, {steps} steps", logistic),
    ):
        correct = np.mean(neuron(unit, x, step) == y)
        numbers = "".join(f"{number:7.2f}" for number in (*unit["W"], unit["b"]))
        print(f"{name:10} {how:29} {numbers} {correct:9.1%}")
    lines = {"perceptron": taught, "logistic unit": logistic}
    print("\npicture:", picture(chosen.out / "neuron.png", x, y, lines))


if __name__ == "__main__":
    main()
