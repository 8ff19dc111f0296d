"""Gradients made smaller before a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.engine.stamps import stamp
from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public


def _gradients(parameters: Any) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in listed if p.grad is not None]


def _norm(arrays: list[Any], norm_type: float) -> Any:
    """The p-norm of all elements. float16 is summed in float32."""
    arrays = [a.astype(np.float32) if a.dtype.char == "e" else a for a in arrays]
    if norm_type == np.inf:
        return np.max(np.stack([np.max(np.absolute(a)) for a in arrays if a.size]))
    sizes = [np.sum(np.absolute(a) ** norm_type) if norm_type != 2 else np.vdot(a, a).real
             for a in arrays]  # fmt: skip
    return np.sum(np.stack(sizes)) ** (1 / norm_type)


@public
def get_total_norm(
    tensors: Iterable[Any], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """The norm of all elements of several Tensors, as of one vector: a Tensor of shape ().

    `norm_type` is p > 0 of the p-norm; ``inf`` is the largest absolute value. With
    `error_if_nonfinite`, ArgumentError is raised for a norm that is NaN or infinite.
    """
    arrays = [t._array if isinstance(t, Tensor) else t for t in tensors]
    if not norm_type > 0:
        raise ArgumentError(f"norm_type must be positive, not {norm_type}")
    norm = _norm(arrays, norm_type) if arrays else 0.0
    if error_if_nonfinite and not np.isfinite(norm):
        raise ArgumentError(f"get_total_norm: the norm is {float(norm)}")
    return Tensor(norm)


@public
def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, in place, if their norm is larger than `max_norm` (Pascanu
    et al., 2013). Returns the norm before, as a Tensor of shape ().

    `parameters` is a Tensor or an iterable of Tensors; those without a gradient are left out. The
    factor is min(1, max_norm / (norm + 1e-6)), as in PyTorch. If the norm is NaN or infinite, so
    are the gradients afterwards; with `error_if_nonfinite`, ArgumentError is raised instead.
    """
    gradients = _gradients(parameters)
    arrays = [g._array for g in gradients]
    if not norm_type > 0 or not max_norm >= 0:
        raise ArgumentError(
            f"clip_grad_norm_: max_norm must be at least 0 and norm_type positive, not {max_norm} "
            f"and {norm_type}"
        )
    if not arrays:
        return Tensor(0.0)
    norm = _norm(arrays, norm_type)
    if error_if_nonfinite and not np.isfinite(norm):
        raise ArgumentError(
            f"clip_grad_norm_: the norm of the gradients is {float(norm)}; look for the first "
            "operation that overflows with autograd_core.debug.detect_anomaly()"
        )
    factor = np.minimum(max_norm / (norm + 1e-6), 1.0)
    for array in arrays:
        np.multiply(array, factor.astype(array.real.dtype), out=array)
    stamp(*gradients)
    return Tensor(norm)


@public
def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Limit each element of the gradients to [-clip_value, clip_value], in place. `parameters` is a
    Tensor or an iterable of Tensors."""
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value must be at least 0, not {clip_value}")
    gradients = _gradients(parameters)
    for g in gradients:
        if g.dtype.kind == "c":
            raise ArgumentError("clip_grad_value_: complex numbers have no order")
    for g in gradients:
        np.clip(g._array, -clip_value, clip_value, out=g._array)
    stamp(*gradients)
