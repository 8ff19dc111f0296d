"""Optimisers of functions of trees of arrays. `nn` has those for modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd_core.hips.misc.flatten import flatten


def unflatten_optimizer(optimize: Callable[..., Any]) -> Callable[..., Any]:
    """Make an optimiser of vectors one of trees of arrays."""

    @wraps(optimize)
    def optimized(grad: Any, x0: Any, callback: Any = None, *args: Any, **settings: Any) -> Any:
        vector, unflatten = flatten(x0)

        def seen(x: Any, i: int, g: Any) -> None:
            callback(unflatten(x), i, unflatten(g))

        def slope(x: Any, i: int) -> Any:
            return flatten(grad(unflatten(x), i))[0]

        found = optimize(slope, vector, seen if callback else None, *args, **settings)
        return unflatten(found)

    return optimized


@unflatten_optimizer
def sgd(
    grad: Any,
    x: Any,
    callback: Any = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Stochastic gradient descent with momentum. ``grad(x, i)`` is the gradient in step i;
    ``callback(x, i, g)`` is called before each step. Returns the last x."""
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        velocity = mass * velocity - (1.0 - mass) * g
        x = x + step_size * velocity
    return x


@unflatten_optimizer
def rmsprop(
    grad: Any,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """RMSProp (Tieleman and Hinton, 2012). See `sgd` for the arguments."""
    square = np.ones(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        square = square * gamma + g**2 * (1 - gamma)
        x = x - step_size * g / (np.sqrt(square) + eps)
    return x


@unflatten_optimizer
def adam(
    grad: Any,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1). See `sgd` for the arguments."""
    mean, square = np.zeros(len(x)), np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        mean = (1 - b1) * g + b1 * mean
        square = (1 - b2) * g**2 + b2 * square
        corrected = mean / (1 - b1 ** (i + 1))
        scale = np.sqrt(square / (1 - b2 ** (i + 1))) + eps
        x = x - step_size * corrected / scale
    return x
