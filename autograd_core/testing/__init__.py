"""Checking gradients: of our operations, of your own, and of any other function.

check_gradients(f, *args)      one call, compared with differences whose error is known
strategies                     Hypothesis strategies: arrays, shapes, axes, indices, programs
gradients_of                   a decorator that makes a property test of a function
"""

from autograd_core.testing.checking import GradientError, InconclusiveError, check_gradients

__all__ = ["GradientError", "InconclusiveError", "check_gradients"]
