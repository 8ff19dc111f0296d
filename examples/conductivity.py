"""An inverse problem in plain NumPy style: what a rod is made of, from how it cools.

    python -m examples.conductivity [--quick]     # needs SciPy: pip install -e '.[scipy]'

The temperature u of a rod follows the heat equation ∂u/∂t = ∂/∂x (k ∂u/∂x), with a conductivity k
that differs from place to place. The rod is heated in three places, and its temperature is measured
with noise at a few sensors. The program finds k at every place: it is an ordinary finite-difference
simulation, and `grad` gives the derivatives of the misfit by the 64 unknowns in one backward pass,
at the cost of a few simulations. SciPy's L-BFGS does the rest. The gradient is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy

import autograd_core as ac
import autograd_core.numpy as np
from autograd_core import value_and_grad
from examples.lecture import options, save, takes

PLACES, SENSORS = 64, 16
STEP = 0.2  # of the time, in units in which the places are 1 apart; stable for k < 2.5
NOISE = 0.002


def start() -> Any:
    """Three heated places."""
    x = np.arange(PLACES)
    return sum(np.exp(-((x - PLACES * c) ** 2) / 18) for c in (0.2, 0.5, 0.8))


def simulated(log_k: Any, steps: int) -> Any:
    """The temperatures of the sensors, (steps / 20, sensors). The ends of the rod are insulated."""
    k = np.exp(log_k)
    between = 2 * k[1:] * k[:-1] / (k[1:] + k[:-1])  # series connection of two half cells
    u, seen = start(), []
    for i in range(steps):
        flow = between * (u[1:] - u[:-1])
        u = u + STEP * (np.append(flow, 0) - np.append(0, flow))
        if (i + 1) % 20 == 0:
            seen.append(u[PLACES // SENSORS // 2 :: PLACES // SENSORS])
    return np.stack(seen)


def misfit(log_k: Any, observed: Any, weight: float = 2e-2) -> Any:
    """The squared deviations in units of the noise, and a penalty for a rough conductivity."""
    deviation = (simulated(log_k, 20 * len(observed)) - observed) / NOISE
    return np.mean(deviation**2) + weight * np.sum((log_k[1:] - log_k[:-1]) ** 2)


def true() -> Any:
    """The logarithm of the conductivity: poor in the middle, good on the right."""
    x = numpy.arange(PLACES) / PLACES
    return numpy.where((x > 0.38) & (x < 0.55), -1.5, 0.0) + 0.6 / (1 + numpy.exp(-(x - 0.7) * 40))


def found(observed: Any, steps: int) -> tuple[Any, list[float]]:
    """The conductivity that explains the observations, and the misfit of each iteration."""
    from scipy.optimize import minimize

    objective = ac.compile(value_and_grad(misfit))
    history: list[float] = []

    def called(log_k: Any) -> Any:
        value, gradient = objective(log_k, observed)
        history.append(float(value))
        return float(value), gradient

    result = minimize(called, numpy.zeros(PLACES), jac=True, method="L-BFGS-B",
                      bounds=[(-4, 0.8)] * PLACES, options={"maxiter": steps})  # fmt: skip
    return result.x, history


def plot(observed: Any, estimate: Any, history: list[float]) -> Any:
    """The conductivities, the temperatures, and the misfit."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    axes[0].plot(numpy.exp(true()), "k--", label="true")
    axes[0].plot(numpy.ones(PLACES), color="grey", lw=0.8, label="first guess")
    axes[0].plot(numpy.exp(estimate), label="found")
    axes[0].set(xlabel="place", ylabel="conductivity", title="what the rod is made of")
    axes[0].legend()
    fitted = simulated(estimate, 20 * len(observed))
    for sensor in range(0, SENSORS, 3):
        (line,) = axes[1].plot(fitted[:, sensor])
        axes[1].plot(observed[:, sensor], ".", ms=3, color=line.get_color())
    axes[1].set(xlabel="measurement", ylabel="temperature", title="measured (dots) and simulated")
    axes[2].semilogy(history)
    axes[2].set(xlabel="evaluation", ylabel="misfit", title="L-BFGS")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Simulate measurements, find the conductivity, and draw."""
    chosen = options("The conductivity of a rod, from temperatures", "conductivity", arguments)
    takes("half a minute", chosen.quick)
    steps, iterations = (200, 15) if chosen.quick else (2000, 300)
    exact = simulated(true(), steps)
    observed = exact + NOISE * numpy.random.default_rng(0).normal(size=exact.shape)
    estimate, history = found(observed, iterations)
    error = numpy.abs(estimate - true())
    print(f"misfit {history[0]:.4g} → {history[-1]:.4g} in {len(history)} evaluations "
          f"(of the true conductivity: {float(misfit(true(), observed)):.4g})")  # fmt: skip
    print(f"median error of the logarithm: {numpy.median(error):.3f} "
          f"(first guess: {numpy.median(numpy.abs(true())):.3f})")  # fmt: skip
    print(f"picture: {save(plot(observed, estimate, history), chosen.out / 'conductivity.png')}")


if __name__ == "__main__":
    main()
