"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors import NotDifferentiableError
from autograd_core.op import op
from autograd_core.ops.axes import Shape

__all__ = [
    "dot",
    "linear",
    "matmul",
]


def product(x: Any, y: Any) -> Any:
    """x @ y of arrays, or of Tensors in a recorded pass. np.dot is the same as np.matmul for
    matrices, and ten times faster for an outer product."""
    return np.dot(x, y) if x.ndim == 2 == y.ndim else np.matmul(x, y)


def _matmul_x(g: Any, y: Any, x_shape: Shape) -> Any:
    if y.ndim == 1:
        return g[..., None] * y
    if len(x_shape) == 1:
        return product(g[..., None, :], y.swapaxes(-1, -2))[..., 0, :]
    return product(g, y.swapaxes(-1, -2))


def _matmul_y(g: Any, x: Any, y_shape: Shape) -> Any:
    if len(y_shape) == 1:
        if x.ndim == 1:
            return g[..., None] * x
        return product(x.swapaxes(-1, -2), g[..., None])[..., 0]
    if x.ndim == 1:
        return x[:, None] * g[..., None, :]
    return product(x.swapaxes(-1, -2), g)


@op(x=_matmul_x, y=_matmul_y)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product x @ y over the last two axes; leading axes broadcast."""
    return product(x, y)


@op(x=_matmul_x, y=_matmul_y)
def dot(x: Any, y: Any) -> Any:
    """The product of vectors and matrices, the same as x @ y."""
    if not 1 <= x.ndim <= 2 or not 1 <= y.ndim <= 2:
        raise NotDifferentiableError(
            f"dot is for one or two axes each; x has {x.ndim} and y has {y.ndim}. Use multiply for "
            "numbers, and matmul for stacks of matrices"
        )
    return np.dot(x, y)


def _weight_gradient(g: Any, x: Any) -> Any:
    return product(g.swapaxes(-1, -2), x) if x.ndim > 1 else g[..., None] * x


@op(x=lambda g, weight: product(g, weight), weight=_weight_gradient, bias=lambda g: g)
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """x @ weight.T + bias, a layer's net input.

    Shapes: x (..., in), weight (out, in), bias (out,) or None; result (..., out). One operation
    instead of three, because the gradient of weight then comes out contiguous and untransposed.
    """
    out = product(x, weight.T)
    if bias is None:
        return out
    if bias.dtype != out.dtype or out.ndim == 0:
        return out + bias
    out += bias
    return out
