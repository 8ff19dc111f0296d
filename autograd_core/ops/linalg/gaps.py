"""Division by the gaps between eigenvalues or singular values, where the gaps may be 0.

Let E be a perturbation of x, in the basis of the eigenvectors of x. It rotates eigenvectors i and j
into each other by E_ij / (w_j - w_i). So M, the gradient of the eigenvectors in this basis,
contributes M_ij / (w_j - w_i) to the gradient.

Where w_i = w_j, a smooth function has the derivative D_ij with respect to E_ij, but the incoming
gradients do not determine D_ij. An example is sum(C * (V h(w) V^T)). Its gradients are
M_ij = 2 C_ij h for the vectors and h' C_ii for the values, and D_ij = h' C_ij. If h is instead
constant near w_i, M is the same, but D_ij = 0. There are three cases:

* M_ij is not 0. LinAlgError is raised.
* M_ij and M_ii are 0. If h = 0, M is 0 for every C, and the gradient of w_i depends only on C_ii.
  LinAlgError is raised in this case too.
* M_ij is 0 and M_ii is not 0. Then h is not 0, so C_ij is 0, and the result is exact.

In the backward pass of a backward pass, the gradient of a quotient is divided by the same gap, and
the same criterion applies. Therefore the rules of these operations use the operations themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices.backend import module_of
from autograd_core.engine.op import not_differentiable, op
from autograd_core.engine.types import Array, Gradient
from autograd_core.errors import LinAlgError
from autograd_core.ops.linalg.matrices import adjoint, tracked, unit

SMOOTH = {
    "eigh": "use linalg.matrix_function, spectral_projector, sqrtm, logm or whiten, which are "
    "smooth where values are equal",
    "svd": "use linalg.polar or functions of x.mH @ x such as linalg.sqrtm, which are smooth where "
    "values are equal",
    "eig": "use linalg.expm, matrix_power or inv, or linalg.matrix_function for symmetric "
    "matrices, which are smooth where values are equal",
}
VALUES = {"eigh": "eigvalsh", "svd": "svdvals", "eig": "eigvals"}
KINDS = {"eigh": "eigenvalues", "svd": "singular values", "eig": "eigenvalues"}


def closeness(values: Array) -> Array:
    """For each matrix, the distance up to which values count as equal: the possible round-off in
    the values of a matrix of this size, in their dtype."""
    eps = 4 * math.sqrt(values.shape[-1]) * np.finfo(values.dtype).eps
    return eps * np.max(np.abs(values), -1, keepdims=True)[..., None]


def _noise(x: Array, size: Any) -> Array:
    """The bound up to which elements of x count as round-off, if x was computed from numbers of
    magnitude `size`."""
    return 64 * x.shape[-1] * np.finfo(x.dtype).eps * size


def _eye(values: Array) -> Array:
    return unit(values[..., None] * values[..., None, :]) != 0


@not_differentiable
def _size(x: Array) -> Array:
    """The Frobenius norm of each matrix, with shape (..., 1, 1), without overflow or underflow."""
    size = np.abs(x)
    if not x.size:
        return np.sum(size, (-2, -1), keepdims=True)
    top = np.max(size, (-2, -1), keepdims=True)
    top = np.where((top > 0) & np.isfinite(top), top, 1)
    return np.sqrt(np.sum((size / top) ** 2, (-2, -1), keepdims=True)) * top


def _over_x(g: Gradient, gaps: Array, values: Array, apart: bool, name: str) -> Gradient:
    return _over(g, gaps, values, _size(g), apart, name)


def _over_gaps(
    g: Gradient, gaps: Array, values: Array, apart: bool, name: str, out: Array
) -> Gradient:
    flow = g * out
    return -_over(flow, gaps, values, _size(flow), apart, name)


@op(x=_over_x, gaps=_over_gaps, values=None, scale=None)
def _over(x: Array, gaps: Array, values: Array, scale: Array, apart: bool, name: str) -> Array:
    """x / gaps, and 0 where both x and the gap are 0 up to round-off; x was computed from numbers
    of magnitude `scale`. If `apart`, the diagonal is 0 too. Where only the gap is 0, LinAlgError is
    raised; on a device, the result is NaN."""
    if not x.size:
        return x * gaps
    near = np.abs(gaps) <= closeness(values)
    bad = near & (np.abs(x) > _noise(x, scale))
    if apart:
        eye = _eye(values)
        near, bad = near | eye, bad & ~eye
    out = ~near * x / (gaps + near)
    if module_of(x) is not np:
        return np.where(bad, np.nan, out)
    if bad.any():
        raise LinAlgError(_what(name, bad, values) + _PART + SMOOTH[name])
    return out


@op(g=lambda g: g, straight=None, scale=None, values=None)
def _seen(
    g: Gradient, straight: Array, scale: Array, values: Array, alone: bool, name: str
) -> Array:
    """g, the gradient of the values, unchanged. Raises LinAlgError (on a device: returns NaN) for a
    value that equals another value, or that is 0 if `alone`. The error is raised only if g is not 0
    there and the gradient of the vector has no component along the vector."""
    if not g.size:
        return g
    eye = _eye(values)
    near = np.abs(values[..., None, :] - values[..., :, None]) <= closeness(values)
    near = near & ~eye
    if alone:
        near = near | (eye & (np.abs(values)[..., None] <= closeness(values)))
    largest = np.max(np.abs(g), -1, keepdims=True)
    blank = np.abs(straight) <= _noise(straight, scale[..., 0])
    bad = near & (blank & (np.abs(g) > _noise(g, largest)))[..., None, :]
    if module_of(g) is not np:
        return np.where(bad.any(-2), np.nan, g)
    if bad.any():
        raise LinAlgError(_what(name, bad, values) + _ALONE.format(VALUES[name]) + SMOOTH[name])
    return g


_PART = (
    "the incoming gradient has a component between their vectors, so it does not determine the "
    "derivative. What to do: "
)
_ALONE = (
    "the incoming gradient has no component along their vectors, so it does not determine the "
    "derivative. What to do: take the values from {} if the function needs only these; or "
)


def _what(name: str, bad: Any, values: Array) -> str:
    """The first half of an error message, which states the first bad pair of values."""
    *stack, i, j = (int(place[0]) for place in np.nonzero(bad))
    values = np.broadcast_to(values, (*bad.shape[:-2], values.shape[-1]))[tuple(stack)]
    where = f" in matrix {tuple(stack)} of the stack" if stack else ""
    if name == "svd":  # values of [[0, x], [x.mH, 0]] may be negative; additional ones are 0
        values = np.append(np.abs(values), [0.0] * max(bad.shape[-2:]))
        j = len(values) - 1 if i == j else j
    pair = values[min(i, j)], values[max(i, j)]
    one, other = (complex(v) if np.iscomplexobj(v) else float(v) for v in pair)
    return f"{name}: {KINDS[name]} {one:.6g} and {other:.6g}{where} are equal up to round-off; "


def beside(x: Array) -> Array:
    """x with its diagonal set to 0."""
    return x * (1 - unit(x).real)


def by_gaps(name: str, for_values: Any, turning: Any, values: Array, alone: bool = False) -> Array:
    """The sum of two matrices in the basis of the vectors: the diagonal matrix of the gradient of
    the values, and the gradient of the vectors divided by the gaps."""
    gaps = _gaps(values)
    eye = unit(gaps.real)
    if turning is None:
        inner = eye * for_values[..., None, :]
        return _watched(inner, values, name) if tracked(for_values) else inner
    if for_values is None:
        for_values = 0 * values
    else:
        straight = np.diagonal(turning, 0, -2, -1)
        for_values = _seen(for_values, straight, _size(turning), values, alone, name)
    turned = _over(turning, gaps, values, _size(turning), True, name)
    return eye * for_values[..., None, :] + turned


def _gaps(values: Array) -> Array:
    gaps = values[..., None, :] - values[..., :, None]
    return gaps.conj() if gaps.dtype.kind == "c" else gaps


def _watched_x(g: Gradient, values: Array, name: str) -> Gradient:
    return g + 0 * _over(g, _gaps(values), values, _size(g), True, name)


@op(x=_watched_x, values=None)
def _watched(x: Array, values: Array, name: str) -> Array:
    """x unchanged. x is the diagonal matrix of the gradient of the values, and depends on the
    values. How it varies between equal values is unknown, so a gradient between them raises
    LinAlgError."""
    return x


def turned(g: Gradient, values: Array, inner: Any, moving: bool, name: str) -> Gradient:
    """The gradient of x through its vectors, for an operation that returns the matrix with these
    vectors and the values g. `inner`, the gradient of this matrix in the basis of the vectors, is
    multiplied by the differences of g and divided by the gaps of `values`. If g depends on x
    (`moving`), its variation between equal values is unknown, and LinAlgError is raised there."""
    gaps = values[..., None, :] - values[..., :, None]
    step = g[..., None, :] - g[..., :, None]
    scale = _size(inner)
    flow = _over(inner * step, gaps, values, scale * _size(g[..., None, :]), True, name)
    return flow + 0 * _over(inner, gaps, values, scale, True, name) if moving else flow


def doubled(x: Array) -> Array:
    """The symmetric matrix [[0, x], [x.mH, 0]]: its eigenvalues are the singular values of x, their
    negatives, and 0 (Jordan and Wielandt)."""
    m, n = x.shape[-2:]
    stack = x.shape[:-2]
    high = np.concatenate([np.zeros_like(x, shape=(*stack, m, m)), x], -1)
    low = np.concatenate([adjoint(x), np.zeros_like(x, shape=(*stack, n, n))], -1)
    return np.concatenate([high, low], -2)


@op(vectors=lambda g: g, values=None)
def _independent(vectors: Array, values: Array) -> Array:
    """The eigenvectors. Raises LinAlgError on the host if the eigenvectors of equal eigenvalues are
    not independent, that is, if the matrix is defective."""
    if module_of(vectors) is np and vectors.size:
        near = np.abs(values[..., None, :] - values[..., :, None]) <= closeness(np.abs(values))
        if np.count_nonzero(near) > values.size:
            sizes = np.linalg.svd(vectors, compute_uv=False)
            bound = 64 * values.shape[-1] * np.finfo(sizes.dtype).eps
            if (sizes[..., -1] < bound * sizes[..., 0]).any():
                raise LinAlgError(
                    "eig: the matrix has equal eigenvalues and fewer eigenvectors than rows, so "
                    f"there is no derivative. What to do: {SMOOTH['eig']}"
                )
    return vectors
