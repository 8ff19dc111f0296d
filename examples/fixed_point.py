"""A user-defined operation that is not differentiated step by step: the fixed point x = f(a, x).

    python -m examples.fixed_point

The iterates need not be stored. By the implicit function theorem the gradient is w · ∂f/∂a, where w
is the solution of w = g + w · ∂f/∂x, again a fixed point.
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
    """The solution of x = f(a, x) that iteration from `start` reaches. Differentiable once, in a.

    Raises ArithmeticError if it does not converge within 1000 steps.
    """
    return _iterated(lambda x: f(a, x), start, tolerance)


def main() -> None:
    """Square roots by the Babylonian method."""
    a = ac.Tensor([2.0, 9.0], requires_grad=True)
    roots = fixed_point(a, np.ones(2), lambda a, x: (x + a / x) / 2)
    ac.sum(roots).backward()
    print("roots    ", roots.detach().numpy())
    print("gradient ", a.grad.numpy() if a.grad is not None else None, "= 1 / (2 · root)")


if __name__ == "__main__":
    main()
