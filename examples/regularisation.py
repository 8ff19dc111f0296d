"""L2 regularisation, J = L + λ Ω(θ), where Ω is the sum of the squared weights.

    python -m examples.regularisation

A polynomial has as many coefficients as there are noisy points. If λ is very small, it passes
through all of them and is wrong in between; if λ is too large, it is almost flat. With increasing λ
the training error grows and the weights shrink; the held-out error has a minimum in between.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save

DEGREE = 11


def polynomial(w: Any, x: Any) -> Any:
    """w₀ + w₁ x + w₂ x² + …"""
    return np.vander(x, len(w), increasing=True) @ w


def loss(w: Any, x: Any, y: Any) -> Any:
    """The mean squared error."""
    return np.mean((polynomial(w, x) - y) ** 2)


def objective(w: Any, x: Any, y: Any, strength: float) -> Any:
    """L + λ Ω. The bias w₀ is not penalised."""
    return loss(w, x, y) + strength * np.sum(w[1:] ** 2)


def fitted(x: Any, y: Any, strength: float) -> Any:
    """The weights that minimise J, by one Newton step: J is quadratic in w."""
    w = np.zeros(DEGREE + 1)
    slope = ac.grad(objective)(w, x, y, strength)
    return w - np.linalg.solve(ac.hessian(objective)(w, x, y, strength), slope)


def measured(count: int, seed: int) -> tuple[Any, Any]:
    """Noisy values of sin(πx) in [−1, 1]."""
    x = np.linspace(-1, 1, count)
    return x, np.sin(np.pi * x) + 0.25 * np.random.default_rng(seed).normal(size=count)


def picture(path: Path, train: Any, strengths: Any, fits: Any, table: Any, best: int) -> Path:
    """Plot the fits for three values of λ, and the errors and the weights' norm against λ."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    x = np.linspace(-1, 1, 400)
    left.plot(x, np.sin(np.pi * x), color="gray", linestyle=":", label="sin(πx)")
    curves = [polynomial(w, x) for w in fits]
    for place in (0, best, len(fits) - 1):
        left.plot(x, curves[place], label=f"λ = {strengths[place]:.0e}")
    left.plot(*train, "ko", markersize=5, label="training points")
    lowest, highest = curves[0].min(), curves[0].max()
    left.set(xlabel="x", ylabel="y", title=f"Polynomials of degree {DEGREE}")
    left.set_ylim(lowest - 0.4, highest + 0.4)
    training, held_out, norms = table.T
    lines = right.loglog(strengths, training, "o-", label="training error")
    lines += right.loglog(strengths, held_out, "s-", label="held-out error")
    right.axvline(strengths[best], color="gray", linestyle=":")
    right.set(xlabel="λ", ylabel="mean squared error", title="Errors and weights")
    other = right.twinx()
    lines += other.loglog(strengths, norms, "^--", color="tab:green", label="‖w‖ (right axis)")
    other.set_ylabel("‖w‖")
    below: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "fontsize": 9}
    left.legend(ncols=3, **below)
    right.legend(handles=lines, ncols=3, columnspacing=1, **below)
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Fit the same points for several λ, and compute the errors on other points."""
    chosen = options("L2 regularisation of a polynomial.", "regularisation", arguments)
    train, held_out = measured(DEGREE + 1, seed=2), measured(400, seed=1)
    strengths = np.logspace(-9, 1, 6 if chosen.quick else 21)
    fits = [fitted(*train, strength) for strength in strengths]
    table = np.array([(loss(w, *train), loss(w, *held_out), np.linalg.norm(w[1:])) for w in fits])
    best = int(table[:, 1].argmin())
    print(f"{'λ':>8} {'training error':>16} {'held-out error':>16} {'‖w‖':>12}")
    for place, (strength, row) in enumerate(zip(strengths, table, strict=True)):
        numbers = f"{strength:8.0e} {row[0]:16.5f} {row[1]:16.5f} {row[2]:12.3f}"
        print(numbers + ("  ← smallest held-out error" if place == best else ""))
    path = chosen.out / "regularisation.png"
    print("\npicture:", picture(path, train, strengths, fits, table, best))


if __name__ == "__main__":
    main()
