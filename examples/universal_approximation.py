"""One hidden layer approximates any continuous function on a bounded domain, given enough units.

    python -m examples.universal_approximation

(Cybenko, 1989.) Three functions on [−1, 1], one smooth, one with a kink and one with steep steps,
are fitted by networks of 1, 2, 4 … sigmoid units. Each network starts from the units of the
previous one and new units with output weight 0, so that its loss cannot be larger. SciPy's BFGS
uses the gradient of `ac.value_and_grad`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from examples.lecture import options, save, takes

Function = Callable[[Any], Any]
FUNCTIONS: dict[str, Function] = {
    "sin(3x)": lambda x: np.sin(3 * x),
    "|x|": np.abs,
    "stairs": lambda x: np.clip(8 * (x + 0.5), -1, 0) + np.clip(8 * (x - 0.5), 0, 1),
}
POINTS = np.linspace(-1, 1, 201)
BETWEEN = np.linspace(-1, 1, 1500)


def network(theta: Any, x: Any) -> Any:
    """v · sigmoid(w x + b) + c of every x; θ holds w, b and v, then c."""
    w, b, v = theta[:-1].reshape(3, -1)
    return ac.sigmoid(x[:, None] * w + b) @ v + theta[-1]


def loss(theta: Any, x: Any, y: Any) -> Any:
    """The mean squared error."""
    return np.mean((network(theta, x) - y) ** 2)


def grown(theta: Any, units: int) -> Any:
    """θ with units added: steps evenly spaced over the domain, with weight v = 0."""
    known = theta[:-1].reshape(3, -1)
    count = units - known.shape[1]
    steps = np.linspace(-1, 1, 2 * count + 1)[1::2]
    w = np.full(count, 4.0 * units)  # steeper with more units
    new = np.stack([w, -w * steps, np.zeros(count)])
    return np.append(np.concatenate([known, new], axis=1), theta[-1])


def fitted(function: Function, sizes: list[int], steps: int) -> list[Any]:
    """The trained θ of a network of each size."""
    from scipy.optimize import minimize

    objective, theta, found = ac.value_and_grad(loss), np.zeros(1), []
    how: Any = {"jac": True, "method": "BFGS", "options": {"maxiter": steps, "gtol": 1e-9}}
    for units in sizes:
        start = grown(theta, units)
        theta = minimize(objective, start, args=(POINTS, function(POINTS)), **how).x
        found.append(theta)
    return found


def largest_error(theta: Any, function: Function) -> float:
    """The largest absolute error, also at points between the training points."""
    return float(np.max(np.abs(network(theta, BETWEEN) - function(BETWEEN))))


def picture(path: Path, sizes: list[int], fits: dict[str, list[Any]], errors: Any) -> Path:
    """Plot each function with three of its networks, and the errors of all networks."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for axis, (name, function) in zip(axes.flat, FUNCTIONS.items(), strict=False):
        axis.plot(BETWEEN, function(BETWEEN), color="black", linewidth=4, alpha=0.25, label=name)
        for place in (0, 1, len(sizes) - 1):
            units = sizes[place]
            label = f"{units} unit" + "s" * (units > 1)
            axis.plot(BETWEEN, network(fits[name][place], BETWEEN), label=label)
        axis.set(xlabel="x", title=name)
        axis.legend(fontsize=9)
    last = axes[1, 1]
    for name, row in zip(FUNCTIONS, errors, strict=True):
        last.semilogy(row, "o-", label=name)
    last.set(xlabel="hidden units", title="Largest error on [-1, 1]")
    last.set_xticks(range(len(sizes)), map(str, sizes))
    last.grid(alpha=0.3)
    last.legend()
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Fit the three functions with increasing numbers of units."""
    chosen = options(
        "One hidden layer as a universal approximator.", "universal_approximation", arguments
    )
    takes("15 seconds", chosen.quick)
    sizes, steps = ([1, 2, 4, 8], 300) if chosen.quick else ([1, 2, 4, 8, 16, 32], 1000)
    fits = {name: fitted(function, sizes, steps) for name, function in FUNCTIONS.items()}
    errors = [
        [largest_error(theta, function) for theta in fits[name]]
        for name, function in FUNCTIONS.items()
    ]
    print("largest error on [-1, 1]")
    print(f"{'hidden units':14}", *(f"{units:9}" for units in sizes))
    for name, row in zip(FUNCTIONS, errors, strict=True):
        print(f"{name:14}", *(f"{error:9.2e}" for error in row))
    path = chosen.out / "universal_approximation.png"
    print("\npicture:", picture(path, sizes, fits, errors))


if __name__ == "__main__":
    main()
