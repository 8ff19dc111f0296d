"""Initial weights. They are drawn on the host, so they are the same on every device.

An initializer is called with a shape and a generator, ``numpy.random.Generator`` or the legacy
``RandomState``, and returns a float64 array.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.errors import DTypeError

__all__ = ["glorot_uniform", "he_normal", "normal", "uniform", "zeros"]

Initializer = Callable[[tuple[int, ...], Any], Any]


def generator_of(seed: Any) -> Any:
    """A random generator for `seed`: a new one for an int, a SeedSequence or None; `seed` itself if
    it is a generator. Raises DTypeError for anything else."""
    if seed is None or isinstance(seed, int | np.integer | np.random.SeedSequence):
        return np.random.default_rng(seed)
    if not hasattr(seed, "normal"):
        raise DTypeError(
            "generator is an int (a seed), a numpy.random generator or None, not a "
            f"{type(seed).__name__}"
        )
    return seed


def normal(mean: float = 0.0, std: float = 0.1) -> Initializer:
    """Gaussian with the mean `mean` and the standard deviation `std`."""
    return lambda shape, generator: generator.normal(mean, std, size=shape)


def uniform(low: float, high: float) -> Initializer:
    """Uniform in [low, high)."""
    return lambda shape, generator: generator.uniform(low, high, size=shape)


def zeros(shape: tuple[int, ...], generator: Any = None) -> Any:
    """Zeros, as for biases."""
    return np.zeros(shape)


def glorot_uniform(shape: tuple[int, ...], generator: Any) -> Any:
    """Uniform in ±sqrt(6 / (in + out)), for sigmoid and tanh (Glorot and Bengio, 2010). `shape` is
    (out, in)."""
    bound = math.sqrt(6 / (shape[0] + shape[1]))
    return generator.uniform(-bound, bound, size=shape)


def he_normal(shape: tuple[int, ...], generator: Any) -> Any:
    """Gaussian with standard deviation sqrt(2 / in), for ReLU (He et al., 2015). `shape` is
    (out, in)."""
    return generator.normal(0.0, math.sqrt(2 / shape[1]), size=shape)
