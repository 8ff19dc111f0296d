"""An operation of one's own whose gradient is not that of its steps: the fixed point x = f(a, x).

    python -m examples.fixed_point

The steps that lead to it need not be remembered. By the implicit function theorem the gradient is
w · ∂f/∂a, where w = g + w · ∂f/∂x is a fixed point as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ac

Function = Callable[[Any, Any], Any]


def _iterated(step: Callable[[Any], Any], start: Any, tolerance: float) -> Any:
    for _ in range(1000):
        following = step(start)
        if np.max(np.abs(following - start), initial=0) <= tolerance:
            return following
        start = following
    raise ArithmeticError(f"no fixed point within 1000 steps and a tolerance of {tolerance}")


@ac.once_differentiable
def _fixed_point_a(g: Any, a: Any, out: Any, f: Function, tolerance: float) -> Any:
    a, x = ac.Tensor(a, requires_grad=True), ac.Tensor(out, requires_grad=True)
    with ac.enable_grad():
        y = f(a, x)

    def step(w: Any) -> Any:
        x.grad = a.grad = None
        y.backward(w, retain_graph=True)
        return g if x.grad is None else g + x.grad.data

    _iterated(step, g, tolerance)
    return np.zeros_like(out) if a.grad is None else a.grad.data


@ac.op(a=_fixed_point_a, start=None)
def fixed_point(a: Any, start: Any, f: Function, tolerance: float = 1e-13) -> Any:
    """The x with x = f(a, x) to which the steps from `start` lead. It is differentiable in a, once.

    Raises ArithmeticError where they lead nowhere.
    """
    return _iterated(lambda x: f(a, x), start, tolerance)


def main() -> None:
    """Square roots, as the Babylonians took them."""
    a = ac.Tensor([2.0, 9.0], requires_grad=True)
    roots = fixed_point(a, np.ones(2), lambda a, x: (x + a / x) / 2)
    ac.sum(roots).backward()
    print("roots    ", roots.detach().numpy())
    print("gradient ", a.grad.numpy() if a.grad is not None else None, "= 1 / (2 · root)")


if __name__ == "__main__":
    main()
