"""Optimisers of functions of trees of arrays. `nn` has those for modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd_core.hips.misc.flatten import flatten


def unflatten_optimizer(optimize: Callable[..., Any]) -> Callable[..., Any]:
    """Make an optimiser of vectors one of trees of arrays.

    Parameters
    ----------
    optimize : callable
        ``optimize(grad, x, callback, …)`` for a vector x. It calls ``grad(x, i)`` and, unless
        `callback` is None, ``callback(x, i, g)``, and returns a vector.

    Returns
    -------
    callable
        A function of ``(grad, x0, callback=None, …)`` for a tree `x0`. Its functions `grad` and
        `callback` take trees.

    See Also
    --------
    autograd_core.hips.misc.flatten.flatten : The vector of a tree.
    """

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
    """Minimise a function by stochastic gradient descent with momentum.

    Parameters
    ----------
    grad : callable
        ``grad(x, i)`` is the gradient in step i, with the structure of x.
    x : tree of arrays
        The start. As a keyword argument it is called `x0`.
    callback : callable, optional
        ``callback(x, i, g)`` is called before each step, with the gradient g.
    num_iters : int, default 200
        The number of steps.
    step_size : float, default 0.1
        The learning rate.
    mass : float, default 0.9
        The part of the velocity that is kept in each step.

    Returns
    -------
    tree of arrays
        The last x.

    Raises
    ------
    TypeError
        If a leaf of x or of a gradient is not a floating number or an array.

    Notes
    -----
    A step is v ← mass v - (1 - mass) g, x ← x + step_size v. The velocity v is zero at first.
    """
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
    """Minimise a function with RMSProp (Tieleman and Hinton, 2012).

    Parameters
    ----------
    grad : callable
        ``grad(x, i)`` is the gradient in step i, with the structure of x.
    x : tree of arrays
        The start. As a keyword argument it is called `x0`.
    callback : callable, optional
        ``callback(x, i, g)`` is called before each step, with the gradient g.
    num_iters : int, default 100
        The number of steps.
    step_size : float, default 0.1
        The learning rate.
    gamma : float, default 0.9
        The part of the mean square of the gradients that is kept in each step.
    eps : float, default 1e-08
        A number that is added to the denominator.

    Returns
    -------
    tree of arrays
        The last x.

    Raises
    ------
    TypeError
        If a leaf of x or of a gradient is not a floating number or an array.

    Notes
    -----
    A step is s ← gamma s + (1 - gamma) g², x ← x - step_size g / (√s + eps). s is one at first.
    """
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
    """Minimise a function with Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1).

    Parameters
    ----------
    grad : callable
        ``grad(x, i)`` is the gradient in step i, with the structure of x.
    x : tree of arrays
        The start. As a keyword argument it is called `x0`.
    callback : callable, optional
        ``callback(x, i, g)`` is called before each step, with the gradient g.
    num_iters : int, default 100
        The number of steps.
    step_size : float, default 0.001
        The learning rate.
    b1 : float, default 0.9
        The part of the mean of the gradients that is kept in each step.
    b2 : float, default 0.999
        The part of the mean square of the gradients that is kept in each step.
    eps : float, default 1e-08
        A number that is added to the denominator.

    Returns
    -------
    tree of arrays
        The last x.

    Raises
    ------
    TypeError
        If a leaf of x or of a gradient is not a floating number or an array.

    Examples
    --------
    >>> from autograd_core.hips import grad
    >>> from autograd_core.hips.misc.optimizers import adam
    >>> def loss(p, i):  # i is the number of the step
    ...     return (p["w"] - 3.0) ** 2 + (p["b"] + 1.0) ** 2
    >>> found = adam(grad(loss), {"w": 0.0, "b": 0.0}, num_iters=1000, step_size=0.1)
    >>> {name: round(float(value), 6) for name, value in found.items()}
    {'w': 3.0, 'b': -1.0}
    """
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
