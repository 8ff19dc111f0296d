"""Products of vectors and matrices."""

from __future__ import annotations

import math

import numpy as np

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import IndexingError, ShapeError
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import _pad_constant, moveaxis

__all__ = [
    "cross",
    "dot",
    "linear",
    "matmul",
]
BEYOND_NUMPY = ("linear",)


def product(x: Array, y: Array) -> Array:
    """x @ y for arrays or, in a backward pass that is recorded, for Tensors. For matrices np.dot is
    equal to np.matmul, and is ten times as fast for an outer product."""
    return np.dot(x, y) if x.ndim == 2 == y.ndim else np.matmul(x, y)


def _matmul_x(g: Gradient, y: Array, x_shape: Shape) -> Gradient:
    if y.ndim == 1:
        return g[..., None] * y
    if len(x_shape) == 1:
        return product(g[..., None, :], y.swapaxes(-1, -2))[..., 0, :]
    return product(g, y.swapaxes(-1, -2))


def _matmul_y(g: Gradient, x: Array, y_shape: Shape) -> Gradient:
    if len(y_shape) == 1:
        if x.ndim == 1:
            return g[..., None] * x
        return product(x.swapaxes(-1, -2), g[..., None])[..., 0]
    if x.ndim == 1:
        return x[:, None] * g[..., None, :]
    return product(x.swapaxes(-1, -2), g)


@op(x=_matmul_x, y=_matmul_y)
def matmul(x: Array, y: Array) -> Array:
    """The matrix product x @ y over the last two axes; leading axes broadcast."""
    if not (getattr(x, "ndim", 0) and getattr(y, "ndim", 0)):
        raise ShapeError(
            "matmul: x and y must be vectors, matrices or stacks of them; x has shape "
            f"{np.shape(x)} and y has shape {np.shape(y)}. Use multiply for scalars"
        )
    return product(x, y)


def _dot_x(g: Gradient, y: Array, x_shape: Shape) -> Gradient:
    if not x_shape or np.ndim(y) == 0:
        return g * y
    if y.ndim <= 2:
        return _matmul_x(g, y, x_shape)
    columns = np.moveaxis(y, -2, -1)
    rows = columns.reshape((math.prod(columns.shape[:-1]), columns.shape[-1]))
    lead = g.ndim - (len(x_shape) - 1) - (y.ndim - 1)
    arriving = g.reshape(g.shape[: lead + len(x_shape) - 1] + rows.shape[:1])
    if arriving.ndim == 1:
        return product(arriving[None, :], rows)[0]
    return product(arriving, rows)


def _dot_y(g: Gradient, x: Array, y_shape: Shape) -> Gradient:
    if not y_shape or np.ndim(x) == 0:
        return g * x
    if x.ndim <= 2 >= len(y_shape):
        return _matmul_y(g, x, y_shape)
    rows = x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))
    others = y_shape[:-2] + y_shape[-1:] if len(y_shape) > 1 else ()
    lead = g.ndim - (x.ndim - 1) - len(others)
    batch = g.shape[:lead]
    arriving = g.reshape((*batch, rows.shape[0], math.prod(others)))
    summed = product(rows.swapaxes(-1, -2), arriving).reshape((*batch, rows.shape[1], *others))
    return np.moveaxis(summed, lead, -2) if len(y_shape) > 1 else summed


@op(x=_dot_x, y=_dot_y)
def dot(x: Array, y: Array) -> Array:
    """The sum of products over the last axis of x and the second-last axis of y, or its only axis
    if y is a vector; x * y if x or y has no axes. Unlike in matmul, the other axes do not
    broadcast: the result has the other axes of x, followed by the other axes of y."""
    if not (getattr(x, "ndim", 0) and getattr(y, "ndim", 0)):
        return np.multiply(x, y)  # CuPy's dot does not accept scalars
    if x.ndim > 2 or y.ndim > 2:
        # np.dot does not use BLAS for these
        return np.tensordot(x, y, ((-1,), (-2 if y.ndim > 1 else -1,)))
    return np.dot(x, y)


def _rows(x: Array, ndim: int) -> Array:
    """x with axes before the last one joined, so that a stack of products is one product. The axes
    before the last `ndim` are kept: a gradient may have more axes than its array."""
    lead = x.shape[: x.ndim - ndim]
    return x.reshape((*lead, math.prod(x.shape[len(lead) : -1]), x.shape[-1]))


def _by_rows(x: Array, matrix: Array) -> Array:
    """x @ matrix, as one product."""
    if x.ndim <= 2:
        return product(x, matrix)
    return product(_rows(x, x.ndim), matrix).reshape((*x.shape[:-1], matrix.shape[1]))


def _weight_gradient(g: Gradient, x: Array) -> Gradient:
    if x.ndim == 1:
        return g[..., None] * x
    if x.ndim > 2:
        g, x = _rows(g, x.ndim), _rows(x, x.ndim)
    return product(g.swapaxes(-1, -2), x)


@op(x=lambda g, weight: _by_rows(g, weight), weight=_weight_gradient, bias=lambda g: g)
def linear(x: Array, weight: Array, bias: Array = None) -> Array:
    """x @ weight.T + bias, the net input of a layer.

    Shapes: x (..., in), weight (out, in), bias (out,) or None; result (..., out). This is one
    operation instead of three, so that the gradient of `weight` is contiguous and not transposed.
    """
    out = _by_rows(x, weight.T)
    if bias is None:
        return out
    if bias.dtype != out.dtype or out.ndim == 0:
        return out + bias
    out += bias
    return out


def _vector_product_x(g: Gradient, y: Array) -> Gradient:
    return _vector_product(y, g)


def _vector_product_y(g: Gradient, x: Array) -> Gradient:
    return _vector_product(g, x)


@op(x=_vector_product_x, y=_vector_product_y)
def _vector_product(x: Array, y: Array) -> Array:
    """The cross product of vectors (..., 3); leading axes broadcast."""
    x0, x1, x2 = x[..., 0], x[..., 1], x[..., 2]
    y0, y1, y2 = y[..., 0], y[..., 1], y[..., 2]
    first = x1 * y2 - x2 * y1
    out = np.empty_like(first, shape=(*first.shape, 3))
    out[..., 0] = first
    out[..., 1] = x2 * y0 - x0 * y2
    out[..., 2] = x0 * y1 - x1 * y0
    return out


@composed
def cross(
    x: Operand,
    y: Operand,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Array:
    """The cross product of the vectors along `axisa` of x and the vectors along `axisb` of y. In
    the result, the vectors are along `axisc`. `axis` replaces all three parameters. Vectors of 2
    elements get a third element, 0. If the vectors of x and y both have 2 elements, the result is
    only the third element of the product."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = as_operand(x), as_operand(y)
    flat = x.shape[axisa:][:1] == (2,) == y.shape[axisb:][:1]
    out = _vector_product(_in_space("x", x, axisa), _in_space("y", y, axisb))
    if flat:
        return _getitem(out, (..., 2))
    return out if axisc == -1 else moveaxis(out, -1, axisc)


def _in_space(name: str, x: Array, axis: int) -> Array:
    """x with `axis`, the axis of the vectors, moved to the end. Vectors of 2 elements are extended
    by a third element, 0."""
    shape = np.shape(x)
    if not -len(shape) <= axis < len(shape):
        raise IndexingError(f"cross: axis {axis} is out of range; {name} has shape {shape}")
    if shape[axis] not in (2, 3):
        raise ShapeError(
            f"cross: the vectors of {name} need 2 or 3 elements; they have {shape[axis]} (axis "
            f"{axis} of shape {shape})"
        )
    x = x if axis == -1 else moveaxis(x, axis, -1)
    return x if shape[axis] == 3 else _pad_constant(x, [(0, 0)] * (len(shape) - 1) + [(0, 1)])
