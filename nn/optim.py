"""Optimisers: they read gradients and write parameters, in place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import AutogradError
from autograd_core.fusion import Fused
from autograd_core.graph import stamp
from nn.module import Parameter

__all__ = ["SGD"]


def _descended(parameter: Any, g: Any, lr: Any) -> Any:
    return parameter - lr * g


def _moved(velocity: Any, g: Any, momentum: Any) -> Any:
    return momentum * velocity + g


descended, moved = Fused(_descended), Fused(_moved)


class SGD:
    """Gradient descent, w ← w - lr ∂L/∂w; with momentum μ, v ← μ v + ∂L/∂w and w ← w - lr v
    (Sutskever et al., 2013, as PyTorch has it).

    Parameters without a gradient are left as they are. A graph recorded before a step that still
    needs the old weights refuses to run backward.
    """

    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.1, momentum: float = 0.0
    ) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise AutogradError("SGD was given no parameters to train")
        if not (lr > 0 and math.isfinite(lr)):
            raise AutogradError(f"the learning rate must be positive and finite, not {lr}")
        if not 0 <= momentum < 1:
            raise AutogradError(f"momentum must be in [0, 1), not {momentum}")
        self.lr = lr
        self.momentum = momentum
        self._velocities: dict[int, Any] = {}
        self._scratch: dict[int, Any] = {}

    def zero_grad(self) -> None:
        """Drop every gradient."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            g = parameter.grad.data
            if self.momentum:
                if i in self._velocities:
                    self._write(i, moved, self._velocities[i], g, self.momentum)
                else:
                    self._velocities[i] = g.copy()
                g = self._velocities[i]
            self._write(i, descended, parameter.data, g, self.lr)
            stamp(parameter.data, parameter.name)

    def _write(self, i: int, update: Fused, target: Any, g: Any, factor: float) -> None:
        """target ← update(target, g, factor), without a new array: one launch on a device."""
        module = backend.module_of(target)
        if module is not np and update.expression is not None:
            update.kernel(module)(target, g, factor, target)
        elif update is descended:
            if i not in self._scratch or self._scratch[i].shape != g.shape:
                self._scratch[i] = np.empty_like(g)
            target -= np.multiply(g, factor, out=self._scratch[i])
        else:
            target *= factor
            target += g
