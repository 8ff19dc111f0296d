"""Optimisers: they read gradients and write parameters, in place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import AutogradError
from autograd_core.fusion import Fused
from autograd_core.stamps import stamp
from nn.module import Parameter

__all__ = ["SGD"]


class _Update:
    """target ← form(target, g, factor) in place: one launch on a device; on the host two passes,
    with `scratch` so that no array is made."""

    def __init__(self, form: Any, in_place: Any) -> None:
        self.fused = Fused(form)
        self.in_place = in_place

    def __call__(self, target: Any, g: Any, factor: float, scratch: Any) -> None:
        module = backend.module_of(target)
        if module is not np and self.fused.fits(target, g):
            self.fused.kernel(module)(target, g, factor, target)
        else:
            self.in_place(target, g, factor, scratch)


def _descend_in_place(w: Any, g: Any, lr: float, scratch: Any) -> None:
    np.multiply(g, lr, out=scratch)
    w -= scratch


def _move_in_place(v: Any, g: Any, momentum: float, scratch: Any) -> None:
    v *= momentum
    v += g


_descend = _Update(lambda w, g, lr: w - lr * g, _descend_in_place)
_move = _Update(lambda v, g, momentum: momentum * v + g, _move_in_place)


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
        self._velocities: dict[Parameter, Any] = {}
        self._scratch: dict[Parameter, Any] = {}

    def zero_grad(self) -> None:
        """Drop every gradient."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        moved = [parameter for parameter in self.parameters if parameter.grad is not None]
        for parameter in moved:
            backend.run_there(parameter._array, self._move, parameter)
        stamp(*moved)

    def _move(self, parameter: Parameter) -> None:
        w, g = parameter._array, parameter.grad._array  # type: ignore[union-attr]
        scratch = self._scratch.get(parameter)
        if scratch is None or scratch.shape != w.shape or scratch.dtype != w.dtype:
            scratch = self._scratch[parameter] = np.empty_like(w)
        if self.momentum:
            g = self._velocity(parameter, g, scratch)
        _descend(w, g, self.lr, scratch)

    def _velocity(self, parameter: Parameter, g: Any, scratch: Any) -> Any:
        if parameter not in self._velocities:
            self._velocities[parameter] = g.copy()
        else:
            _move(self._velocities[parameter], g, self.momentum, scratch)
        return self._velocities[parameter]
