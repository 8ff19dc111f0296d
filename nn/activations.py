"""Activation functions as modules, so that they appear in a model's repr and drawings."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.errors.tracebacks import public
from nn.module import Module

__all__ = ["Identity", "LogSoftmax", "ReLU", "Sigmoid", "Softmax", "Softplus", "Tanh"]


class Identity(Module):
    """x itself."""

    def forward(self, x: Any) -> Any:
        """x."""
        return x


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Tensor:
        """Values in (0, 1)."""
        return ac.sigmoid(x)


class ReLU(Module):
    """max(x, 0); the gradient at 0 is 0."""

    def forward(self, x: Any) -> Tensor:
        """Values in [0, ∞)."""
        return ac.relu(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Tensor:
        """Values in (-1, 1)."""
        return ac.tanh(x)


class Softplus(Module):
    """log(1 + exp(x))."""

    def forward(self, x: Any) -> Tensor:
        """Values in (0, ∞)."""
        return ac.softplus(x)


class Softmax(Module):
    """exp(x) / sum(exp(x)) over the axis `dim`."""

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Probabilities: they sum to 1 over `dim`."""
        return ac.softmax(x, axis=self.dim)


class LogSoftmax(Module):
    """log(softmax(x)) over the axis `dim`."""

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Logarithms of probabilities."""
        return ac.log_softmax(x, axis=self.dim)
