"""Determinants."""

from __future__ import annotations

from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import op
from autograd_core.engine.types import Array, Gradient
from autograd_core.ops.linalg.decompositions import svd
from autograd_core.ops.linalg.matrices import (
    adjoint,
    call_named,
    column,
    embedded,
    listed,
    require_matrices,
    stacked,
    transposed,
    unit,
)
from autograd_core.ops.linalg.solving import inv
from autograd_core.ops.scans import _prod_of_others

__all__ = ["det", "slogdet"]


# ---- derivatives of the determinant, a polynomial ------------------------------------------------


def _products(s: Any, order: int) -> Array:
    """For every choice of `order` indices, the product of all elements of s except those at these
    indices, computed without division. The result is an array (..., n, ..., n) with one axis for
    each index; it is 0 where two of the indices are equal."""
    n = s.shape[-1]
    rows, apart = s, np.ones_like(s)
    for _ in range(order - 1):
        eye = unit(np.broadcast_to(rows[..., None], (*rows.shape, n)))
        others = np.broadcast_to(apart[..., None, :], (*rows.shape, n)) * (1 - eye)
        rows, apart = rows[..., None, :] * (1 - eye) + eye, others
    return _prod_of_others(rows, None, -1) * apart


def _sign(order: tuple[int, ...]) -> int:
    swaps = sum(a > b for place, a in enumerate(order) for b in order[place + 1 :])
    return -1 if swaps % 2 else 1


def _minors_x(g: Gradient, x: Array, matrices: Array) -> Gradient:
    return _minors(x, stacked([g, *listed(matrices)]))


def _minors_matrices(g: Gradient, x: Array, matrices: Array) -> Gradient:
    parts = listed(matrices)
    others = [[*parts[:k], g, *parts[k + 1 :]] for k in range(len(parts))]
    return stacked([_minors(x, stacked(other)) for other in others])


@op(x=_minors_x, matrices=_minors_matrices)
def _minors(x: Array, matrices: Array) -> Array:
    """The gradient of the k-th derivative of det at x along matrices (..., k, n, n).

    In the bases of the singular vectors, x is diagonal, and the derivative is a sum over k + 1
    indices of the diagonal. Each term is the product of the other singular values with a
    determinant of elements at these indices, where each row is from another matrix. The derivative
    is a polynomial in x, at every order.
    """
    u, s, vh = np.linalg.svd(x, False)
    turned = [adjoint(u) @ part @ adjoint(vh) for part in listed(matrices)]
    letters = "abcdefghijklm"[: len(turned) + 1]
    table: Any = _products(s, len(letters))
    middle: Any = 0
    for order in permutations(range(len(letters))):
        first, *pairs = (letters[row] + letters[k] for row, k in enumerate(order))
        inputs = ",".join(f"...{pair}" for pair in (letters, *pairs))
        straight = first[0] == first[1]
        part = np.einsum(f"{inputs}->...{first[: 2 - straight]}", table, *turned)
        middle = middle + _sign(order) * (embedded(part) if straight else part)
    return column(np.linalg.det(u) * np.linalg.det(vh)) * (u.conj() @ middle @ vh.conj())


def _cofactors_x(g: Gradient, x: Array) -> Gradient:
    return _minors(x, g[..., None, :, :])


@op(x=_cofactors_x, determinant=None)
def _cofactors(x: Array, determinant: Array = None) -> Array:
    """The cofactors, which are the derivative of det: for each element, the signed determinant of
    the matrix without the row and the column of this element. A cofactor is a polynomial in x, so
    it is defined for singular matrices too.

    `determinant` may be det(x). On the host, it is then multiplied by the transposed inverse, if
    all matrices are well-conditioned. Otherwise the cofactors are computed from the singular
    values, without division.
    """
    require_matrices("cofactors", x)
    if backend.on_host(determinant):
        try:
            inverse = np.linalg.inv(x)
        except np.linalg.LinAlgError:
            pass  # singular: computed below
        else:
            size = np.linalg.norm(x, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
            if (size * np.sqrt(np.finfo(x.dtype).eps) < 1).all():
                return column(determinant) * transposed(inverse)
    u, s, vh = svd(x, False)
    return column(det(u) * det(vh)) * (
        (u.conj() * _prod_of_others(s, None, -1)[..., None, :]) @ vh.conj()
    )


# ---- determinants --------------------------------------------------------------------------------


def _det_x(g: Gradient, x: Array, out: Array) -> Gradient:
    return column(g) * _cofactors(x, out)


@op(x=_det_x)
def det(x: Array) -> Array:
    """The determinants of square matrices (..., n, n). Singular matrices have gradients too, of
    every order."""
    require_matrices("det", x)
    return call_named("det", np.linalg.det, x)


class SlogdetResult(NamedTuple):
    sign: Any
    logabsdet: Any


def _slogdet_x(g: Gradient, x: Array, sign: Any) -> Gradient:
    turning, growing = g
    scale = 0 * turning.real if growing is None else growing
    if turning is not None and x.dtype.kind == "c":
        scale = scale + (turning * sign).imag * 1j
    return column(scale) * transposed(inv(x))


@op(x=_slogdet_x, results=SlogdetResult)
def slogdet(x: Array) -> Any:
    """The sign of a determinant and the logarithm of its absolute value, as (sign, logabsdet). The
    determinant itself may be too large or too small for a float.

    The gradient of a singular matrix would be infinite, so the backward pass raises LinAlgError.
    """
    require_matrices("slogdet", x)
    return SlogdetResult(*call_named("slogdet", np.linalg.slogdet, x))
