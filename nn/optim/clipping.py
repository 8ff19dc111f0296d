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
    """The norm of all elements of several Tensors, as of one vector.

    Parameters
    ----------
    tensors : iterable of Tensors or arrays
        The parts of the vector.
    norm_type : float, default 2.0
        The p > 0 of the p-norm; ``inf`` is the largest absolute value.
    error_if_nonfinite : bool, default False
        If true, a norm that is NaN or infinite is an error.

    Returns
    -------
    Tensor
        The norm, of shape ().

    Raises
    ------
    ArgumentError
        If `norm_type` is not positive, or with `error_if_nonfinite` if the norm is NaN or infinite.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.get_total_norm([np.array([3.0]), np.array([4.0])])
    Tensor(5.)
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
    """Scale all gradients by one factor, in place, if their norm is larger than `max_norm`.

    The factor is min(1, max_norm / (norm + 1e-6)) (Pascanu et al., 2013; in PyTorch's form). If the
    norm is NaN or infinite, the gradients become NaN or 0.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        The parameters. Those without a gradient are left out.
    max_norm : float
        The norm that the gradients may have together.
    norm_type : float, default 2.0
        The p > 0 of the p-norm; ``inf`` is the largest absolute value.
    error_if_nonfinite : bool, default False
        If true, a norm that is NaN or infinite is an error.

    Returns
    -------
    Tensor
        The norm before, of shape ().

    Raises
    ------
    ArgumentError
        If `max_norm` is negative or `norm_type` is not positive, or with `error_if_nonfinite` if
        the norm is NaN or infinite. The gradients are then unchanged.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.5, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.clip_grad_norm_([w], max_norm=1.0)
    Tensor(5.)
    >>> w.grad.numpy().round(4)
    array([ 0.6, -0.8])
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
    """Limit each element of the gradients to [-clip_value, clip_value], in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensors
        The parameters. Those without a gradient are left out.
    clip_value : float
        The largest absolute value of an element.

    Raises
    ------
    ArgumentError
        If `clip_value` is negative, or if a gradient is complex.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([0.25, -2.0])
    >>> (w * w).sum().backward()
    >>> nn.clip_grad_value_([w], 1.0)
    >>> w.grad
    Tensor([ 0.5, -1. ])
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value must be at least 0, not {clip_value}")
    gradients = _gradients(parameters)
    for g in gradients:
        if g.dtype.kind == "c":
            raise ArgumentError("clip_grad_value_: complex numbers have no order")
    for g in gradients:
        np.clip(g._array, -clip_value, clip_value, out=g._array)
    stamp(*gradients)
