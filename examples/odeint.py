"""A damped spring: how its path depends on stiffness and friction, and finding both from the path.

    python -m examples.odeint          # needs SciPy: pip install -e '.[scipy]'

SciPy solves the differential equation. The gradient does not need the solver's steps: it is the
solution of an adjoint equation, solved backward in time by the same function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.scipy.integrate import odeint

TIMES = np.linspace(0, 3, 7)
TRUE = {"stiffness": 4.0, "friction": 0.5}


def spring(y: Any, t: float, theta: dict[str, Any]) -> Any:
    """The derivative of (position, velocity)."""
    return np.stack([y[1], -theta["stiffness"] * y[0] - theta["friction"] * y[1]])


def positions(theta: dict[str, Any]) -> Any:
    """The positions at the times, from position 1 at rest."""
    return odeint(spring, np.array([1.0, 0.0]), TIMES, (theta,))[:, 0]


def fitted(observed: Any, theta: dict[str, Any], steps: int = 20) -> dict[str, Any]:
    """Stiffness and friction for which the positions are `observed`, by Gauss-Newton steps."""
    for _ in range(steps):
        jacobian = ac.jacobian(positions)(theta)
        columns = np.stack([jacobian[name] for name in theta], -1)
        change = np.linalg.lstsq(columns, observed - positions(theta), rcond=None)[0]
        theta = dict(zip(theta, np.array(list(theta.values())) + change, strict=True))
    return theta


def main() -> None:
    """Print the gradient of a sum of squared positions, and the parameters found from a path."""
    value, gradient = ac.value_and_grad(lambda theta: np.sum(positions(theta) ** 2))(TRUE)
    print("positions ", positions(TRUE).round(4))
    print("value     ", value.round(4))
    print("gradient  ", {name: float(g.round(4)) for name, g in gradient.items()})
    found = fitted(positions(TRUE), {"stiffness": 3.0, "friction": 1.0})
    print("fitted    ", {name: float(x.round(4)) for name, x in found.items()})


if __name__ == "__main__":
    main()
