"""Derivatives by central differences, with a bound on their error, so that no tolerance is guessed.

Gradients are compared along directions: for a real loss L and operands x, the derivative of
L(x + t·d) at t = 0 is the real part of Σ gradient·d. That holds for complex x as well, in the
convention that the gradient of L is ∂L/∂Re x - i ∂L/∂Im x.
"""

import math

import numpy as np

STEP = 1 / 16  # tables keep their operands farther than this from every kink
ROUNDING = 32 * np.finfo(float).eps  # of one term of a sum, its evaluation included


def terms(weights, values):
    """The terms of the real number Re Σ weights·values."""
    return (np.asarray(weights) * np.asarray(values)).real.ravel()


def derivative(sum_at, largest=STEP, levels=4):
    """d/dt of the sum of the terms ``sum_at(t)`` at t = 0, and a bound on its error.

    Romberg's extrapolation of central differences with steps that are powers of two. The bound is
    the change that the last extrapolation made, plus what rounding the terms can have cost.
    """
    magnitude, row = 0.0, []
    for level in range(levels):
        step = largest / 2**level
        above, below = sum_at(step), sum_at(-step)
        magnitude = max(magnitude, math.fsum(abs(above)) + math.fsum(abs(below)))
        extrapolated = [math.fsum([*above, *-below]) / (2 * step)]
        for order, coarser in enumerate(row, start=1):
            finer = extrapolated[-1]
            extrapolated.append(finer + (finer - coarser) / (4**order - 1))
        previous, row = row, extrapolated
    truncation = abs(row[-1] - row[-2]) + abs(row[-1] - previous[-1])
    rounding = ROUNDING * magnitude / step
    return row[-1], truncation + rounding


def assert_agrees(gradient_terms, sum_at, what="", largest=STEP):
    """The derivative of ``sum_at`` is the sum of `gradient_terms`, to the accuracy of both."""
    expected, error = derivative(sum_at, largest)
    size = math.fsum(abs(gradient_terms))
    actual = math.fsum(gradient_terms)
    magnitude = math.fsum(abs(sum_at(0.0)))
    assert error <= 1e-6 * (magnitude + abs(expected) + 1), (
        f"{what}: the differences {expected} ± {error} are too coarse to judge by; "
        "is the domain of the operands too close to a singular point?"
    )
    assert abs(actual - expected) <= error + ROUNDING * size, (
        f"{what}: the gradient says {actual}, differences say {expected} ± {error:.1e}"
    )
