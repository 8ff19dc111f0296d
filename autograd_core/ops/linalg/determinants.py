"""Determinants."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd_core.op import op
from autograd_core.ops.linalg.decompositions import svd
from autograd_core.ops.linalg.matrices import adjoint, checked, column, told, transposed, unit
from autograd_core.ops.linalg.solving import inv
from autograd_core.ops.scans import _prod_of_others

__all__ = ["cofactors", "det", "slogdet"]


def _cofactors_x(g: Any, x: Any) -> Any:
    u, s, vh = svd(x, False)
    eye = unit(x)
    others = _prod_of_others(s[..., None, :] * (1 - eye) + eye, None, -1) * (1 - eye)
    turned = adjoint(u) @ g @ adjoint(vh)
    straight = others @ np.diagonal(turned, 0, -2, -1)[..., None]
    middle = eye * straight - others * transposed(turned)
    return column(det(u) * det(vh)) * (u.conj() @ middle @ vh.conj())


@op(x=_cofactors_x, determinant=None)
def cofactors(x: Any, determinant: Any = None) -> Any:
    """The derivative of det: for each element the determinant of what is left without its row and
    its column, with its sign. It is a polynomial, so singular matrices have it too.

    `determinant` is det(x) where it is known: on the host it is then often enough to multiply it by
    the inverse. Else the singular values serve; the products that leave one out need no division.
    """
    checked("cofactors", x)
    if type(determinant) is np.ndarray:
        try:
            inverse = np.linalg.inv(x)
        except np.linalg.LinAlgError:
            pass  # singular: the way below is for these
        else:
            size = np.linalg.norm(x, axis=(-2, -1)) * np.linalg.norm(inverse, axis=(-2, -1))
            if (size * np.sqrt(np.finfo(x.dtype).eps) < 1).all():
                return column(determinant) * transposed(inverse)
    u, s, vh = svd(x, False)
    return column(det(u) * det(vh)) * (
        (u.conj() * _prod_of_others(s, None, -1)[..., None, :]) @ vh.conj()
    )


def _det_x(g: Any, x: Any, out: Any) -> Any:
    return column(g) * cofactors(x, out)


@op(x=_det_x)
def det(x: Any) -> Any:
    """The determinants of square matrices (..., n, n). A singular matrix has a gradient as well."""
    checked("det", x)
    return told("det", np.linalg.det, x)


class SlogdetResult(NamedTuple):
    sign: Any
    logabsdet: Any


def _slogdet_x(g: Any, x: Any, sign: Any) -> Any:
    turning, growing = g
    scale = 0 * turning.real if growing is None else growing
    if turning is not None and x.dtype.kind == "c":
        scale = scale + (turning * sign).imag * 1j
    return column(scale) * transposed(inv(x))


@op(x=_slogdet_x, results=SlogdetResult)
def slogdet(x: Any) -> Any:
    """The sign and the logarithm of the absolute value of determinants, for those that are too
    large or too small for a float. Returns (sign, logabsdet).

    The gradient at a singular matrix would be infinite: LinAlgError in the backward pass.
    """
    checked("slogdet", x)
    return SlogdetResult(*told("slogdet", np.linalg.slogdet, x))
