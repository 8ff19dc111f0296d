"""Gradient descent, w ← w − η ∂L/∂w, with learning rates that are too small, right and too large.

    python -m examples.gradient_descent

The step is proportional to the slope, so it becomes smaller near a minimum. If η is too small,
progress is slow; if it is too large, the steps overshoot, and descent oscillates or diverges. With
two parameters the steepest direction limits η, and the flattest one determines the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save

Loss = Callable[[Any], Any]


def bowl(w: Any) -> Any:
    """A parabola with its minimum at 1."""
    return (w - 1) ** 2


def bumpy(w: Any) -> Any:
    """A parabola plus a cosine: it has a local and a global minimum."""
    return 0.1 * (w - 1) ** 2 + 0.5 * np.cos(2 * w)


def valley(w: Any) -> Any:
    """A quadratic with curvatures 1 and 10; its minimum is (0, 0)."""
    return 0.5 * (w[0] ** 2 + 10 * w[1] ** 2)


RATES: dict[str, tuple[Loss, Any, tuple[float, float, float]]] = {
    "parabola": (bowl, -3.0, (0.02, 0.3, 1.02)),
    "with bumps": (bumpy, -3.4, (0.02, 0.3, 1.6)),
    "narrow valley": (valley, np.array([-8.0, 1.6]), (0.01, 0.15, 0.205)),
}
WORDS = ("too small", "right", "too large")


def descend(loss: Loss, start: Any, rate: float, steps: int) -> Any:
    """The path: `start` and the point after each step."""
    slope, path = ac.grad(loss), [np.asarray(start, dtype=float)]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return np.array(path)


def picture(file: Path, steps: int) -> Path:
    """Plot a row for each loss and a column for each learning rate."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(3, 3, figsize=(11, 9.5), layout="constrained")
    for row, (name, (loss, start, rates)) in zip(axes, RATES.items(), strict=True):
        for axis, word, rate in zip(row, WORDS, rates, strict=True):
            path = descend(loss, start, rate, steps)
            axis.set_title(f"{name}, η = {rate:g}: {word}", fontsize=10)
            if path.ndim == 1:
                w = np.linspace(-4.5, 6.5, 400)
                axis.plot(w, loss(w), color="gray")
                axis.plot(path, loss(path), "o-", markersize=4, linewidth=1)
                axis.set(xlim=(-4.5, 6.5), ylim=(-1.2, loss(w).max()), xlabel="w", ylabel="L")
            else:
                across, up = np.meshgrid(np.linspace(-9, 9, 181), np.linspace(-3, 3, 121))
                axis.contour(across, up, loss(np.stack([across, up])), 14, cmap="Greys", alpha=0.6)
                axis.plot(*path.T, "o-", markersize=4, linewidth=1)
                axis.set(xlim=(-9, 9), ylim=(-3, 3), xlabel="w₁", ylabel="w₂")
    return save(figure, file)


def animation(file: Path, steps: int) -> Path:
    """Animate the descent in the valley with all three learning rates."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter

    loss, start, rates = RATES["narrow valley"]
    figure, axis = plt.subplots(figsize=(7, 3.6), dpi=90, layout="constrained")
    across, up = np.meshgrid(np.linspace(-9, 9, 181), np.linspace(-3, 3, 121))
    axis.contour(across, up, loss(np.stack([across, up])), 14, cmap="Greys", alpha=0.6)
    paths = [descend(loss, start, rate, steps) for rate in rates]
    lines = [
        axis.plot([], [], style, label=f"η = {rate:g}, {word}")[0]
        for style, rate, word in zip(("s-", "o-", "^-"), rates, WORDS, strict=True)
    ]
    axis.set(xlim=(-9, 9), ylim=(-3, 3), xlabel="w₁", ylabel="w₂")
    axis.legend(loc="upper right", fontsize=8)

    def show(step: int) -> list[Any]:
        axis.set_title(f"step {step}")
        for line, path in zip(lines, paths, strict=True):
            line.set_data(*path[: step + 1].T)
        return lines

    FuncAnimation(figure, show, frames=steps + 1).save(file, PillowWriter(fps=6))
    plt.close(figure)
    return file


def main(arguments: list[str] | None = None) -> None:
    """Minimise three losses with three learning rates each."""
    chosen = options("Gradient descent and its learning rate.", "gradient_descent", arguments)
    steps = 20 if chosen.quick else 60
    print(f"after {steps} steps\n{'loss':14} {'η':>6}  {'':10} {'first L':>9} {'last L':>10}   w")
    for name, (loss, start, rates) in RATES.items():
        for word, rate in zip(WORDS, rates, strict=True):
            path = descend(loss, start, rate, steps)
            print(
                f"{name:14} {rate:6g}  {word:10} {loss(path[0]):9.3f} {loss(path[-1]):10.4g}   "
                f"{np.round(path[-1], 3)}"
            )
    print("\npictures:", picture(chosen.out / "gradient_descent.png", min(steps, 30)))
    print("         ", animation(chosen.out / "gradient_descent.gif", 12 if chosen.quick else 40))


if __name__ == "__main__":
    main()
