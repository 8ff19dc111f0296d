"""SciPy's optimisers with exact derivatives, without an adapter.

    python -m examples.minimize

`minimize` takes the value and the gradient from one function, and products with the Hessian from
another; `least_squares` takes a Jacobian.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

import autograd_core as ac


def rosenbrock(x: Any) -> Any:
    """The Rosenbrock function, with its minimum at (1, 1, …) (Rosenbrock, 1960)."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def decay(parameters: Any, times: Any, measured: Any) -> Any:
    """The residuals of the measurements for an exponential decay with (height, rate)."""
    height, rate = parameters
    return height * np.exp(-rate * times) - measured


def main() -> None:
    """Minimise the Rosenbrock function by two methods, and fit a decay."""
    start = np.zeros(10)
    first = minimize(ac.value_and_grad(rosenbrock), start, jac=True, method="BFGS")
    second = minimize(
        rosenbrock, start, jac=ac.grad(rosenbrock), hessp=ac.hvp(rosenbrock), method="Newton-CG"
    )
    for name, found in (("BFGS", first), ("Newton-CG, with hvp", second)):
        print(f"{name:20} {found.nit:3} steps, largest error {abs(found.x - 1).max():.1e}")
    times = np.linspace(0, 2, 20)
    noise = 0.01 * np.random.default_rng(0).normal(size=20)
    measured = 3 * np.exp(-2 * times) + noise
    fit = least_squares(decay, [1.0, 1.0], jac=ac.jacobian(decay), args=(times, measured))
    print(f"{'decay':20} height {fit.x[0]:.3f}, rate {fit.x[1]:.3f}; the true values are 3 and 2")


if __name__ == "__main__":
    main()
