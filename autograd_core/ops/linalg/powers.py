"""Powers and the exponential function of matrices."""

from __future__ import annotations

import math
from operator import index

import numpy as np

from autograd_core.engine.op import composed, not_differentiable, op
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.errors import DTypeError
from autograd_core.ops.linalg.matrices import call_named, require_matrices, transposed, unit
from autograd_core.ops.linalg.solving import inv
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul

__all__ = ["expm", "matrix_power"]
BEYOND_NUMPY = ("expm",)


@composed
def matrix_power(x: Operand, n: int) -> Array:
    """The product of n copies of a square matrix, or of its inverse if n is negative; the identity
    matrix for n = 0."""
    x = as_operand(x)
    require_matrices("matrix_power", x)
    try:
        n = index(n)
    except TypeError as error:
        raise DTypeError(f"matrix_power: n must be an integer, not {n!r}") from error
    if n < 0:
        x, n = inv(x), -n
    if n == 0:
        return unit(x) * x**0  # recorded, like any other power
    out = None
    while n:
        if n % 2:
            out = x if out is None else matmul(out, x)
        n //= 2
        x = matmul(x, x) if n else x
    return out


# ---- exponential function -----------------------------------------------------------------------

# The numerator of the Padé approximant of order 13, and the 1-norm up to which it is accurate in
# float64 (Higham, SIAM J. Matrix Anal. Appl. 26, 2005, table 2.3).
PADE = (
    64764752532480000,
    32382376266240000,
    7771770303897600,
    1187353796428800,
    129060195264000,
    10559470521600,
    670442572800,
    33522128640,
    1323241920,
    40840800,
    960960,
    16380,
    182,
    1,
)
REACH = 5.371920351148152


@not_differentiable
def _scale(x: Array) -> Array:
    """For each matrix, the power of 2 just above its largest absolute value, with shape
    (..., 1, 1). It is 1 if this value is 0 or not finite, or if there are no elements."""
    if not x.size:
        return np.ones_like(x.real, shape=(*x.shape[:-2], 1, 1))
    largest = np.max(np.abs(x), (-2, -1))[..., None, None]
    _, exponent = np.frexp(largest)
    fits = np.isfinite(largest) & (largest > 0)
    limit = np.finfo(largest.dtype).maxexp - 1
    return 2 ** np.where(fits, np.minimum(exponent, limit), 0).astype(largest.dtype)


def _expm_x(g: Gradient, x: Array) -> Gradient:
    """The gradient, which is the upper right block of the exponential of [[x.T, g], [0, x.T]]
    (Higham, Functions of Matrices, section 3.2). The block is linear in g. To keep the size of g
    from affecting the scaling in `expm`, each matrix of g is first divided by a power of 2. The
    block is then multiplied by the same power."""
    n = x.shape[-1]
    scale, side = _scale(g), float(2 ** math.frexp(n)[1])
    turned = np.broadcast_to(transposed(x), g.shape)
    upper = np.concatenate([turned, g / scale / side], -1)
    lower = np.concatenate([np.zeros_like(g), turned], -1)
    whole = expm(np.concatenate([upper, lower], -2))
    return whole[..., :n, n:] * side * scale


@op(x=_expm_x)
def expm(x: Array) -> Array:
    """The exponential of square matrices (..., n, n), which is the sum over k of x ** k / k!. It is
    computed by scaling and squaring, where the number of squarings of each matrix depends on its
    own norm. On a device, the host waits once, for the largest number of squarings."""
    require_matrices("expm", x)
    if not x.size:
        return x.copy()
    x = x if x.dtype.kind in "fc" else x.astype(float)
    size = np.max(np.sum(np.abs(x), -2), -1)[..., None, None]
    _, exponent = np.frexp(size / REACH)
    squarings = np.where(np.isfinite(size), np.maximum(exponent, 0), 0)
    out = _pade(x / 2 ** squarings.astype(size.dtype))
    for done in range(int(np.max(squarings))):
        going = squarings > done
        base = np.where(going, out, np.zeros_like(out))
        out = np.where(going, base @ base, out)
    return out


def _pade(x: Array) -> Array:
    second = x @ x
    fourth = second @ second
    sixth = second @ fourth
    eye = unit(x)
    c = [coefficient / PADE[0] for coefficient in PADE]
    odd = sixth @ (c[13] * sixth + c[11] * fourth + c[9] * second)
    odd = x @ (odd + c[7] * sixth + c[5] * fourth + c[3] * second + c[1] * eye)
    even = sixth @ (c[12] * sixth + c[10] * fourth + c[8] * second)
    even = even + c[6] * sixth + c[4] * fourth + c[2] * second + c[0] * eye
    return call_named("expm", np.linalg.solve, even - odd, even + odd)
