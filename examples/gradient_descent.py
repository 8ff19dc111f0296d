"""Gradient descent, w ← w − η ∂L/∂w, with learning rates that are too small, right and too large.

    python -m examples.gradient_descent

The step is proportional to the slope, so it becomes smaller near a minimum. If η is too small,
progress is slow; if it is too large, the steps overshoot, and descent oscillates or diverges. With
two parameters the steepest direction limits η, and the flattest one determines the number of steps.
The right rate leads to a minimum, but not always to the global one: on the loss with bumps, descent
ends in a local minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save, takes

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
MINIMA: dict[str, list[Any]] = {  # the global one first
    "parabola": [1.0],
    "with bumps": [1.51882, -1.32858, 4.34584],
    "narrow valley": [np.zeros(2)],
}


def descend(loss: Loss, start: Any, rate: float, steps: int) -> Any:
    """The path: `start` and the point after each step."""
    slope, path = ac.grad(loss), [np.asarray(start, dtype=float)]
    for _ in range(steps):
        path.append(path[-1] - rate * slope(path[-1]))
    return np.array(path)


def outcome(name: str, path: Any) -> str:
    """Where the path ends: at which kind of minimum, on the way, or higher than it began."""
    loss = RATES[name][0]
    distances = [np.abs(path[-1] - minimum).max() for minimum in MINIMA[name]]
    if min(distances) < 0.01:
        return "at a local minimum" if np.argmin(distances) else "at the global minimum"
    return "diverges" if loss(path[-1]) > loss(path[0]) else "not at a minimum"


def contours(axis: Any) -> None:
    """The valley's contour lines, with the same unit on both axes: it is as narrow as it looks."""
    across, up = np.meshgrid(np.linspace(-9, 9, 361), np.linspace(-3, 3, 121))
    levels = [0.5 * size**2 for size in range(1, 13)]
    height = valley(np.stack([across, up]))
    axis.contour(across, up, height, levels, colors="gray", linewidths=0.8, alpha=0.7)
    axis.set(xlim=(-9, 9), ylim=(-3, 3), xlabel="w₁", ylabel="w₂", aspect="equal")


def marks(axis: Any, start: Any, minima: list[Any]) -> None:
    """Mark the start, the global minimum and the local minima, each a pair of coordinates."""
    above: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "black", "zorder": 4}
    axis.plot(*start, "s", color="gold", markersize=8, label="start", **above)
    axis.plot(*minima[0], "*", color="tab:orange", markersize=13, label="global minimum", **above)
    for minimum in minima[1:]:
        axis.plot(*minimum, "D", color="white", markersize=7, label="local minimum", **above)


def picture(file: Path, steps: int) -> Path:
    """Plot a row for each loss and a column for each learning rate."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        3, 3, figsize=(11, 9), layout="constrained", height_ratios=[1, 1, 0.55]
    )
    for row, (name, (loss, start, rates)) in zip(axes, RATES.items(), strict=True):
        for axis, word, rate in zip(row, WORDS, rates, strict=True):
            path = descend(loss, start, rate, steps)
            ends = outcome(name, path)
            bold = "bold" if ends == "at a local minimum" else "normal"
            axis.set_title(f"{name}, η = {rate:g}: {word}", fontsize=10, pad=18)
            axis.annotate(
                f"after {steps} steps: {ends}", (0.5, 1), (0, 4), xycoords="axes fraction",
                textcoords="offset points", ha="center", fontsize=9, weight=bold,
            )  # fmt: skip
            if path.ndim == 1:
                w = np.linspace(-4.5, 6.5, 400)
                axis.plot(w, loss(w), color="gray")
                axis.plot(path, loss(path), "o-", markersize=4, linewidth=1, label="steps")
                axis.set(xlim=(-4.5, 6.5), ylim=(-1.2, loss(w).max()), xlabel="w", ylabel="L")
                marks(axis, (start, loss(start)), [(w, loss(w)) for w in MINIMA[name]])
            else:
                contours(axis)
                axis.plot(*path.T, "o-", markersize=4, linewidth=1, label="steps")
                marks(axis, start, MINIMA[name])
    handles = dict(zip(*axes[1, 0].get_legend_handles_labels()[::-1], strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return save(figure, file)


def animation(file: Path, steps: int) -> Path:
    """Animate the descent in the valley with all three learning rates."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter

    loss, start, rates = RATES["narrow valley"]
    figure, axis = plt.subplots(figsize=(7, 3.5), dpi=90, layout="constrained")
    contours(axis)
    marks(axis, start, MINIMA["narrow valley"])
    paths = [descend(loss, start, rate, steps) for rate in rates]
    lines = [
        axis.plot([], [], style, markersize=4, label=f"η = {rate:g}, {word}")[0]
        for style, rate, word in zip(("s-", "o-", "^-"), rates, WORDS, strict=True)
    ]
    axis.set_title("step 0")
    figure.legend(loc="outside lower center", ncols=5, fontsize=8, columnspacing=1)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # one layout for all frames

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
    takes("15 seconds", chosen.quick)
    steps = 20 if chosen.quick else 60
    print(
        f"after {steps} steps\n{'loss':14} {'η':>6}  {'':10} {'first L':>9} {'last L':>10}   ",
        end="",
    )
    print(f"{'end':22} w")
    for name, (loss, start, rates) in RATES.items():
        for word, rate in zip(WORDS, rates, strict=True):
            path = descend(loss, start, rate, steps)
            print(
                f"{name:14} {rate:6g}  {word:10} {loss(path[0]):9.3f} {loss(path[-1]):10.4g}   "
                f"{outcome(name, path):22} {np.round(path[-1], 3)}"
            )
    reached, lowest = MINIMA["with bumps"][1], MINIMA["with bumps"][0]
    print(
        f"\nWith bumps, the right rate ends in the local minimum at w = {reached:.2f}, "
        f"L = {bumpy(reached):.2f};\nthe global minimum is at w = {lowest:.2f}, "
        f"L = {bumpy(lowest):.2f}. Another start can lead there."
    )
    print("\npictures:", picture(chosen.out / "gradient_descent.png", steps))
    print("         ", animation(chosen.out / "gradient_descent.gif", 12 if chosen.quick else 40))


if __name__ == "__main__":
    main()
