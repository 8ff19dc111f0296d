"""Convex and non-convex losses: Hessians, local minima, a saddle point and equivalent weights.

    python -m examples.landscapes

The loss of linear and of polynomial regression is convex: no eigenvalue of its Hessian is negative
anywhere, so every stationary point is a global minimum. The loss of a network is not convex:
gradient descent ends in different minima with saddle points between them, and different weights can
compute the same function.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save

X = np.linspace(-1, 1, 25)
Y = np.tanh(4 * X) - 0.8 * X
EDGE: Any = {"markeredgecolor": "black", "linestyle": "none"}


def polynomial_loss(w: Any, degree: int = 3) -> Any:
    """The mean squared error of a polynomial with the coefficients w."""
    return np.mean((np.vander(X, degree + 1, increasing=True) @ w - Y) ** 2)


def network(theta: Any, x: Any) -> Any:
    """v · tanh(w x) with two hidden units; θ holds both w, then both v."""
    return ac.tanh(x[:, None] * theta[:2]) @ theta[2:]


def network_loss(theta: Any) -> Any:
    """The mean squared error of the network."""
    return np.mean((network(theta, X) - Y) ** 2)


def wavy(w: Any) -> Any:
    """A loss of two parameters with four minima of different depth, separated by saddle points."""
    return (w[0] ** 2 - 1) ** 2 + (w[1] ** 2 - 1) ** 2 + 0.3 * w[0] * w[1] + 0.15 * w[0]


def eigenvalues(loss: Any, at: Any) -> Any:
    """The eigenvalues of the Hessian, in ascending order."""
    return np.linalg.eigvalsh(ac.hessian(loss)(at))


def descend(loss: Any, start: Any, steps: int, rate: float = 0.05) -> Any:
    """The point that gradient descent reaches from `start`."""
    slope, w = ac.grad(loss), np.array(start, dtype=float)
    for _ in range(steps):
        w = w - rate * slope(w)
    return w


def stationary(loss: Any, start: Any) -> Any:
    """A point near `start` where the gradient is zero, by Newton's method."""
    w = np.array(start, dtype=float)
    for _ in range(20):
        w = w - np.linalg.solve(ac.hessian(loss)(w), ac.grad(loss)(w))
    return w


def twins(theta: Any) -> dict[str, Any]:
    """Weights that compute the same function: units swapped, signs of one unit flipped."""
    return {
        "units swapped": theta[[1, 0, 3, 2]],
        "signs of one unit flipped": theta * np.array([-1.0, 1.0, -1.0, 1.0]),
    }


def shaded(axis: Any, a: Any, b: Any, loss: Any, least: float) -> None:
    """Fill the plane by how much the loss exceeds its minimum, lighter for less. Each level is √2
    times the one before."""
    from matplotlib import colormaps
    from matplotlib.colors import BoundaryNorm, ListedColormap

    excess = np.maximum(loss - least, 0)
    doublings = np.arange(-4, np.ceil(np.log2(excess.max())) + 0.5, 0.5)
    levels = [0, *2.0**doublings]
    shades = ListedColormap(colormaps["YlGnBu"](np.linspace(0, 0.65, 256)))
    norm = BoundaryNorm(levels, 256)
    filled = axis.contourf(a, b, excess, levels, cmap=shades, norm=norm)
    axis.contour(a, b, excess, levels, colors="gray", linewidths=0.4)
    bar = axis.figure.colorbar(filled, ax=axis, spacing="uniform", pad=0.02)
    ticks = [0, *levels[1::2]]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.set_label("L minus its minimum, in steps of a factor of √2")


def picture(path: Path, ends: list[Any], saddle: Any) -> Path:
    """Contour plots: a slice of the convex loss, and the wavy loss with its stationary points."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.6), layout="constrained")
    best = stationary(polynomial_loss, np.zeros(4))
    a, b = np.meshgrid(np.linspace(-4, 6, 121), np.linspace(-8, 4, 121))
    grid = np.broadcast_to(best, (*a.shape, 4)).copy()
    grid[..., 1], grid[..., 3] = a, b
    powers = np.vander(X, 4, increasing=True)
    lowest = polynomial_loss(best)
    shaded(left, a, b, np.mean((grid @ powers.T - Y) ** 2, axis=-1), lowest)
    label = f"the minimum, L = {lowest:.3f}"
    left.plot(best[1], best[3], "*", color="tab:orange", markersize=16, label=label, **EDGE)
    left.set(title="Polynomial regression: convex", xlabel="w₁ (of x)", ylabel="w₃ (of x³)")
    a, b = np.meshgrid(np.linspace(-1.7, 1.7, 161), np.linspace(-1.7, 1.7, 161))
    shaded(right, a, b, wavy(np.stack([a, b])), wavy(ends[0]))
    for place, (w, style) in enumerate(zip(ends, ("*", "o", "s", "D"), strict=True)):
        colour = "tab:orange" if place == 0 else "white"
        kind = "global" if place == 0 else "local"
        label = f"{kind} minimum, L = {wavy(w):.2f}"
        right.plot(*w, style, color=colour, markersize=15 if place == 0 else 9, label=label, **EDGE)
    label = f"saddle, L = {wavy(saddle):.2f}"
    right.plot(*saddle, "X", color="tab:red", markersize=11, label=label, **EDGE)
    right.set(title="Not convex", xlabel="w₁", ylabel="w₂")
    for axis in (left, right):
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=9)
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Compute Hessians, descend from several starts, and compare equivalent weights."""
    chosen = options("Convex and non-convex losses.", "landscapes", arguments)
    steps = 200 if chosen.quick else 2000
    generator = np.random.default_rng(0)

    print("smallest eigenvalue of the Hessian at ten random points")
    for name, loss in (("polynomial regression", polynomial_loss), ("network", network_loss)):
        least = min(eigenvalues(loss, 3 * generator.normal(size=4))[0] for _ in range(10))
        verdict = "convex" if least >= 0 else "not convex"
        print(f"  {name:22} {least:10.5f}   {verdict}")

    starts = [(-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (1.0, 1.0)]
    ends = sorted((descend(wavy, start, steps) for start in starts), key=wavy)
    saddle = stationary(wavy, (0.1, 1.1))
    print("\nstationary points")
    for name, w in (*((f"minimum {i}", w) for i, w in enumerate(ends, 1)), ("saddle", saddle)):
        values = eigenvalues(wavy, w)
        size = np.abs(ac.grad(wavy)(w)).max()
        print(f"  {name:10} L = {wavy(w):7.4f}  at {np.round(w, 3)!s:16} ", end="")
        print(f"gradient {size:.0e}, eigenvalues {np.round(values, 2)}")

    theta = descend(network_loss, generator.normal(size=4), steps)
    print(f"\nthe same function with other weights, L = {network_loss(theta):.6f}")
    for name, other in twins(theta).items():
        change = np.abs(network(other, X) - network(theta, X)).max()
        print(f"  {name:25} weights differ by {np.linalg.norm(other - theta):.2f}, ", end="")
        print(f"outputs by {change:.0e}")
    print("\npicture:", picture(chosen.out / "landscapes.png", ends, saddle))


if __name__ == "__main__":
    main()
