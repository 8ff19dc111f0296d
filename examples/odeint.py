"""A user-defined operation around SciPy's solver for ordinary differential equations.

    python -m examples.odeint          # needs SciPy: pip install -e '.[scipy]'

SciPy solves dy/dt = f(y, t, theta). The gradient does not need the solver's steps: it is the
solution of an adjoint equation, solved backward in time (Chen et al., Neural Ordinary Differential
Equations, arXiv:1806.07366, appendix B).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import odeint as scipys_odeint

import autograd_core as ac

Function = Callable[[Any, Any, Any], Any]


def _pulled(f: Function, y: Any, t: float, theta: Any, w: Any) -> tuple[Any, Any, Any]:
    """f, and w · ∂f/∂y and w · ∂f/∂theta."""
    at, given = ac.Tensor(y, requires_grad=True), ac.Tensor(theta, requires_grad=True)
    with ac.enable_grad():
        slope = f(at, t, given)
        slope.backward(w)
    parts = (np.zeros_like(x) if x.grad is None else x.grad.data for x in (at, given))
    return (slope.data, *parts)


def _adjoint(g: Any, out: Any, times: Any, theta: Any, f: Function) -> tuple[Any, Any]:
    """The gradients of `start` and theta, integrated backward from time to time."""
    n = out.shape[1]

    def slopes(state: Any, t: float) -> Any:
        slope, along_y, along_theta = _pulled(f, state[:n], t, theta, state[n : 2 * n])
        return np.concatenate([slope, -along_y, -along_theta])

    for_y, for_theta = g[-1], np.zeros_like(theta)
    for i in range(len(times) - 1, 0, -1):
        state = np.concatenate([out[i], for_y, for_theta])
        solved = scipys_odeint(slopes, state, times[[i, i - 1]], rtol=1e-10, atol=1e-10)[-1]
        for_y, for_theta = solved[n : 2 * n] + g[i - 1], solved[2 * n :]
    return for_y, for_theta


@ac.once_differentiable
def _odeint_start(g: Any, out: Any, times: Any, theta: Any, f: Function) -> Any:
    return _adjoint(g, out, times, theta, f)[0]


@ac.once_differentiable
def _odeint_theta(g: Any, out: Any, times: Any, theta: Any, f: Function) -> Any:
    return _adjoint(g, out, times, theta, f)[1]


@ac.once_differentiable
def _odeint_times(g: Any, out: Any, times: Any, theta: Any, f: Function) -> Any:
    """g · f at each later time; for the first time, also the effect of moving the start."""
    along = [g[i] @ f(out[i], times[i], theta) for i in range(1, len(times))]
    first = -_adjoint(g, out, times, theta, f)[0] @ f(out[0], times[0], theta)
    return np.array([first + g[0] @ f(out[0], times[0], theta), *along])


@ac.op(start=_odeint_start, times=_odeint_times, theta=_odeint_theta)
def odeint(start: Any, times: Any, theta: Any, f: Function) -> Any:
    """y at each of the `times` (t,), as (t, n): the solution of dy/dt = f(y, t, theta) with y =
    `start` (n,) at the first of them. theta (p,) are parameters. Differentiable once."""
    return scipys_odeint(lambda y, t: f(y, t, theta), start, times, rtol=1e-10, atol=1e-10)


def main() -> None:
    """A damped spring: the gradient of its positions in stiffness and friction."""

    def spring(y: Any, t: float, theta: Any) -> Any:
        return np.stack([y[1], -theta[0] * y[0] - theta[1] * y[1]])

    theta = ac.Tensor([4.0, 0.5], requires_grad=True)
    path = odeint(np.array([1.0, 0.0]), np.linspace(0, 3, 7), theta, spring)
    ac.sum(path[:, 0] ** 2).backward()
    print("positions ", path.detach().numpy()[:, 0].round(4))
    print("gradient  ", None if theta.grad is None else theta.grad.numpy().round(4))


if __name__ == "__main__":
    main()
