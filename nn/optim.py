"""Optimisers, which update parameters in place from their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.devices.fusion import Fused
from autograd_core.engine.stamps import stamp
from autograd_core.engine.versions import Versioned
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter

__all__ = ["SGD"]


class _Update:
    """The in-place update target ← form(target, g, factor). On a device it is one kernel launch. On
    the host it is `in_place`, with a scratch array from `known`, which stores one array for each
    shape, dtype and device."""

    def __init__(self, form: Any, in_place: Any) -> None:
        self.fused = Fused(form)
        self.in_place = in_place

    def __call__(self, target: Any, g: Any, factor: float, known: dict[Any, Any]) -> None:
        module = backend.module_of(target)
        if module is not np and not backend.is_traced(target) and self.fused.fits(target, g):
            self.fused.kernel(module)(target, g, factor, target)
        else:
            kind = target.shape, target.dtype, backend.device_of(target)
            if backend.is_traced(target):
                scratch = np.empty_like(target)
            elif kind in known:
                scratch = known[kind]
            else:
                scratch = known[kind] = np.empty_like(target)
            self.in_place(target, g, factor, scratch)


def _descend_in_place(w: Any, g: Any, lr: float, scratch: Any) -> None:
    np.multiply(g, lr, out=scratch)
    w -= scratch


def _move_in_place(v: Any, g: Any, momentum: float, scratch: Any) -> None:
    v *= momentum
    v += g


_descend = _Update(lambda w, g, lr: w - lr * g, _descend_in_place)
_move = _Update(lambda v, g, momentum: momentum * v + g, _move_in_place)


class SGD(Versioned):
    """Gradient descent, w ← w - lr ∂L/∂w. With momentum μ it is v ← μ v + ∂L/∂w and w ← w - lr v
    (Sutskever et al., 2013, in PyTorch's form). For a complex w, the conjugate of `w.grad` takes
    the place of ∂L/∂w (see docs/conventions.md).

    Parameters without a gradient are not changed. A backward pass raises StaleArrayError if it
    needs weights that a step has overwritten since. Raises TypeError for an argument that is not a
    list of Tensors, and AutogradError for a Tensor that cannot be trained or occurs twice and for
    an invalid lr or momentum.
    """

    traced_numbers = ("lr", "momentum")  # inputs of a compiled step

    traced_attributes = ("parameters", "_velocities")  # the arrays it reads; _scratch holds nothing

    @public
    def __init__(
        self, parameters: Iterable[Parameter], lr: float = 0.1, momentum: float = 0.0
    ) -> None:
        self.parameters = _trainable(parameters)
        if not (lr > 0 and math.isfinite(lr)):
            raise AutogradError(f"the learning rate must be positive and finite, not {lr}")
        if not 0 <= momentum < 1:
            raise AutogradError(f"momentum must be in [0, 1), not {momentum}")
        self.lr = lr
        self.momentum = momentum
        self._velocities: dict[Parameter, Any] = {}
        self._scratch: dict[tuple[Any, ...], Any] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """A NumPy number as lr, from a schedule, is a float."""
        super().__setattr__(name, float(value) if isinstance(value, np.floating) else value)

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to None."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        moved = [parameter for parameter in self.parameters if parameter.grad is not None]
        for parameter in moved:
            backend.run_there(parameter._array, self._move, parameter)
        stamp(*moved)

    def _move(self, parameter: Parameter) -> None:
        w, g = parameter._array, parameter.grad._array  # type: ignore[union-attr]
        if g.dtype.kind == "c":
            g = g.conj()
        if self.momentum:
            g = self._velocity(parameter, g)
        _descend(w, g, self.lr, self._scratch)

    def _velocity(self, parameter: Parameter, g: Any) -> Any:
        velocity = self._velocities.get(parameter)
        if velocity is None:
            velocity = g.copy()
        else:
            velocity = backend.to_device(velocity, parameter.device)  # the parameter may have moved
            _move(velocity, g, self.momentum, self._scratch)
        self._velocities[parameter] = velocity
        return velocity


def _trainable(parameters: Any) -> list[Parameter]:
    """The parameters as a list. Raises an error unless all are leaves that require a gradient, and
    each occurs once."""
    if isinstance(parameters, Tensor | Module) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"SGD takes a list of Tensors, not a {type(parameters).__name__}: write "
            "SGD(model.parameters()), or SGD([weight]) for a single Tensor"
        )
    listed = list(parameters)
    if not listed:
        raise AutogradError("SGD was given no parameters to train")
    places: dict[int, int] = {}
    for place, parameter in enumerate(listed):
        if not (isinstance(parameter, Tensor) and parameter.requires_grad and parameter.is_leaf):
            raise AutogradError(
                f"SGD trains leaves that require a gradient; number {place} is {parameter!r}"
            )
        first = places.setdefault(id(parameter), place)
        if first != place:
            called = f" ({parameter.name!r})" if parameter.name else ""
            raise AutogradError(
                f"SGD was given one parameter twice: numbers {first} and {place}{called}, of shape "
                f"{parameter.shape}, are the same Tensor. Pass it once"
            )
    return listed
