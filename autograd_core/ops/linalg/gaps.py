"""Division by the gaps between eigenvalues or singular values, where the gaps may be 0.

Let E be what happens to x, in x's own basis. Vectors i and j turn into each other by
E_ij / (w_j - w_i), so that M, what arrives at the vectors in this basis, counts by
M_ij / (w_j - w_i). Where w_i = w_j, a smooth function has the derivative D_ij E_ij there, but D_ij
is not a function of what arrives: for sum(C * (V h(w) V^T)) arrive M_ij = 2 C_ij h and h' C_ii at
the values, and D_ij = h' C_ij; for h that is constant near w_i the same M arrives, and D_ij = 0.
So M_ij that is not 0 is refused.
Where h = 0, M is 0 however C is, and what arrives at w_i alone tells of C_ii only: refused as well.
Where M_ii says that h is not 0 and M_ij is 0, so is C_ij, and nothing is lost.

What arrives at a quotient in the backward pass of a backward pass is divided by the same gap, and
refused by the same law: the operations here are their own rules.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices.backend import module_of
from autograd_core.engine.op import not_differentiable, op
from autograd_core.errors import LinAlgError
from autograd_core.ops.linalg.matrices import adjoint, tracked, unit

__all__: list[str] = []

SMOOTH = {
    "eigh": "linalg.matrix_function, spectral_projector, sqrtm, logm and whiten are smooth there",
    "svd": "linalg.polar, and functions of x.mH @ x such as linalg.sqrtm, are smooth there",
    "eig": "linalg.expm, matrix_power and inv are smooth there, and for symmetric matrices "
    "linalg.matrix_function",
}
VALUES = {"eigh": "eigvalsh", "svd": "svdvals", "eig": "eigvals"}
KINDS = {"eigh": "eigenvalues", "svd": "singular values", "eig": "eigenvalues"}


def closeness(values: Any) -> Any:
    """How far apart values may be and still be equal, for each matrix: what rounding may do to the
    values of a matrix of this size, in their dtype."""
    eps = 4 * math.sqrt(values.shape[-1]) * np.finfo(values.dtype).eps
    return eps * np.max(np.abs(values), -1, keepdims=True)[..., None]


def _noise(x: Any, size: Any) -> Any:
    """Up to where elements of x are rounding, if they came from numbers of this size."""
    return 64 * x.shape[-1] * np.finfo(x.dtype).eps * size


def _eye(values: Any) -> Any:
    return unit(values[..., None] * values[..., None, :]) != 0


@not_differentiable
def _size(x: Any) -> Any:
    """The root of the sum of squares of each matrix, kept as a matrix; of numbers of any size."""
    size = np.abs(x)
    if not x.size:
        return np.sum(size, (-2, -1), keepdims=True)
    top = np.max(size, (-2, -1), keepdims=True)
    top = np.where((top > 0) & np.isfinite(top), top, 1)
    return np.sqrt(np.sum((size / top) ** 2, (-2, -1), keepdims=True)) * top


def _over_x(g: Any, gaps: Any, values: Any, apart: bool, name: str) -> Any:
    return _over(g, gaps, values, _size(g), apart, name)


def _over_gaps(g: Any, gaps: Any, values: Any, apart: bool, name: str, out: Any) -> Any:
    flow = g * out
    return -_over(flow, gaps, values, _size(flow), apart, name)


@op(x=_over_x, gaps=_over_gaps, values=None, scale=None)
def _over(x: Any, gaps: Any, values: Any, scale: Any, apart: bool, name: str) -> Any:
    """x / gaps, and 0 where both are as good as 0, if x came from numbers of this scale; on the
    diagonal too if `apart`. Where only the gap is 0: LinAlgError, or NaN on a device."""
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
def _seen(g: Any, straight: Any, scale: Any, values: Any, alone: bool, name: str) -> Any:
    """What arrives at the values, g, where it may be: refused where a value is equal to another (or
    to 0, if `alone` says that this is as bad), and nothing arrives straight at its vector."""
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
    "what arrives has a part between their vectors, and does not determine the derivative. What to "
    "do: "
)
_ALONE = (
    "of what arrives nothing is at their vectors, which does not determine the derivative. What to "
    "do: take the values from {} if the function needs no more of them; "
)


def _what(name: str, bad: Any, values: Any) -> str:
    """What is wrong with the first pair of values that is bad."""
    *stack, i, j = (int(place[0]) for place in np.nonzero(bad))
    values = np.broadcast_to(values, (*bad.shape[:-2], values.shape[-1]))[tuple(stack)]
    where = f" in matrix {tuple(stack)} of the stack" if stack else ""
    if name == "svd":  # of [[0, x], [x.mH, 0]] they are negative too; a place beyond them is 0
        values = np.append(np.abs(values), [0.0] * max(bad.shape[-2:]))
        j = len(values) - 1 if i == j else j
    pair = values[min(i, j)], values[max(i, j)]
    one, other = (complex(v) if np.iscomplexobj(v) else float(v) for v in pair)
    return (
        f"{name}: {KINDS[name]} {one:.6g} and {other:.6g}{where} are equal, closer than rounding "
        "can tell; "
    )


def beside(x: Any) -> Any:
    """x without its diagonal."""
    return x * (1 - unit(x).real)


def by_gaps(name: str, for_values: Any, turning: Any, values: Any, alone: bool = False) -> Any:
    """What arrives at values on the diagonal, and what arrives at their vectors over the gaps."""
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


def _gaps(values: Any) -> Any:
    gaps = values[..., None, :] - values[..., :, None]
    return gaps.conj() if gaps.dtype.kind == "c" else gaps


def _watched_x(g: Any, values: Any, name: str) -> Any:
    return g + 0 * _over(g, _gaps(values), values, _size(g), True, name)


@op(x=_watched_x, values=None)
def _watched(x: Any, values: Any, name: str) -> Any:
    """x, the diagonal matrix of what arrives at the values and moves with them: how it differs
    between values that were equal is not known, so that no gradient may arrive between them."""
    return x


def turned(g: Any, values: Any, inner: Any, moving: bool, name: str) -> Any:
    """What arrives at the matrix that has vectors of its own and the values g, as `inner` in the
    basis of the vectors, over the gaps of `values`. How a g that moves with x differs between
    values that were equal is not known here."""
    gaps = values[..., None, :] - values[..., :, None]
    step = g[..., None, :] - g[..., :, None]
    scale = _size(inner)
    flow = _over(inner * step, gaps, values, scale * _size(g[..., None, :]), True, name)
    return flow + 0 * _over(inner, gaps, values, scale, True, name) if moving else flow


def doubled(x: Any) -> Any:
    """The symmetric matrix [[0, x], [x.mH, 0]]: its eigenvalues are the singular values of x, their
    negatives, and 0 (Jordan and Wielandt)."""
    m, n = x.shape[-2:]
    stack = x.shape[:-2]
    high = np.concatenate([np.zeros_like(x, shape=(*stack, m, m)), x], -1)
    low = np.concatenate([adjoint(x), np.zeros_like(x, shape=(*stack, n, n))], -1)
    return np.concatenate([high, low], -2)


@op(vectors=lambda g: g, values=None)
def _independent(vectors: Any, values: Any) -> Any:
    """The eigenvectors; refused on the host where those of equal eigenvalues are not independent,
    so that the matrix is defective."""
    if module_of(vectors) is np and vectors.size:
        near = np.abs(values[..., None, :] - values[..., :, None]) <= closeness(np.abs(values))
        if np.count_nonzero(near) > values.size:
            sizes = np.linalg.svd(vectors, compute_uv=False)
            bound = 64 * values.shape[-1] * np.finfo(sizes.dtype).eps
            if (sizes[..., -1] < bound * sizes[..., 0]).any():
                raise LinAlgError(
                    "eig: the matrix has equal eigenvalues and fewer eigenvectors than rows, so "
                    f"that there is no derivative. What to do: {SMOOTH['eig']}"
                )
    return vectors
