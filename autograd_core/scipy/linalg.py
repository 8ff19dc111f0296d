"""Linear algebra that SciPy has and NumPy does not have: triangular, banded and Sylvester
equations, and the square root of a matrix. `expm` is available here and in `linalg`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as scipys

from autograd_core.devices.backend import module_of
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import DeviceError, LinAlgError, ShapeError
from autograd_core.ops.elementwise import conjugate
from autograd_core.ops.linalg import expm
from autograd_core.ops.linalg import solve as solved
from autograd_core.ops.linalg.matrices import call_named, require_matrices, transposed, unit
from autograd_core.ops.operands import as_operand
from autograd_core.scipy.passing import passed_through

__all__ = [
    "expm",
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
]

__getattr__ = passed_through("scipy.linalg")


def require_host(name: str, *arrays: Any) -> None:
    for array in arrays:
        if module_of(array) is not np:
            raise DeviceError(
                f"{name}: not available in CuPy; move the operands to the host with x.to('cpu')"
            )


# ---- triangular matrices -------------------------------------------------------------------------


def _triangular_y(
    g: Gradient, x: Array, lower: bool, unit_diagonal: bool, y_shape: Shape
) -> Gradient:
    columns = g if len(y_shape) > 1 else g[..., None]
    flow = _triangular(transposed(x), columns, not lower, unit_diagonal)
    return flow if len(y_shape) > 1 else flow[..., 0]


def _triangular_x(
    g: Gradient, x: Array, lower: bool, unit_diagonal: bool, y_shape: Shape, out: Array
) -> Gradient:
    flow = _triangular_y(g, x, lower, unit_diagonal, y_shape)
    if len(y_shape) == 1:
        flow, out = flow[..., None], out[..., None]
    whole = -(flow @ transposed(out))
    k = int(unit_diagonal)
    return np.tril(whole, -k) if lower else np.triu(whole, k)


@op(x=_triangular_x, y=_triangular_y)
def _triangular(x: Array, y: Array, lower: bool, unit_diagonal: bool) -> Array:
    """The solution of x @ out = y, where only one triangle of x is used."""
    if module_of(x) is not np:
        k = int(unit_diagonal)
        x = np.tril(x, -k) if lower else np.triu(x, k)
        if unit_diagonal:
            x = x + unit(x)
        return solved(x, y)
    if x.ndim == 2 and y.ndim <= 2:
        return _one(x, y, lower, unit_diagonal)
    vector = y.ndim == 1
    stack = np.broadcast_shapes(x.shape[:-2], () if vector else y.shape[:-2])
    x = np.broadcast_to(x, stack + x.shape[-2:])
    y = np.broadcast_to(y, stack + y.shape[(-1 if vector else -2) :])
    out = np.empty_like(y, dtype=np.result_type(x.dtype, y.dtype))
    for place in np.ndindex(stack):
        out[place] = _one(x[place], y[place], lower, unit_diagonal)
    return out


def _one(x: Array, y: Array, lower: bool, unit_diagonal: bool) -> Array:
    if not y.size:
        return np.empty_like(y, dtype=np.result_type(x.dtype, y.dtype))
    settings = {"lower": lower, "unit_diagonal": unit_diagonal}
    return call_named("solve_triangular", scipys.solve_triangular, x, y, **settings)


@composed
def solve_triangular(
    x: Operand, y: Operand, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> Array:
    """The solution of x @ out = y for triangular matrices x (..., n, n) and y (n,) or (..., n, k).

    Only the upper triangle of x is used, or the lower triangle if `lower`. With `unit_diagonal`,
    the diagonal elements of x are taken to be 1. If `trans` is 1 or "T", the equation is x.mT @ out
    = y; if it is 2 or "C", the equation is x.mH @ out = y.
    """
    x, y = as_operand(x), as_operand(y)
    require_matrices("solve_triangular", x)
    if y.ndim == 0 or y.shape[-2:][0] != x.shape[-1]:
        raise ShapeError(
            f"solve_triangular: x has shape {x.shape}, so y needs {x.shape[-1]} rows; y has shape "
            f"{y.shape}"
        )
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ShapeError(f"solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    if trans in (0, "N"):
        return _triangular(x, y, lower, unit_diagonal)
    turned = transposed(x) if trans in (1, "T") else conjugate(transposed(x))
    return _triangular(turned, y, not lower, unit_diagonal)


# ---- banded matrices -----------------------------------------------------------------------------


def _shift(row: Array, steps: int) -> Array:
    """The row with element j moved to j + steps; elements moved beyond an end are dropped."""
    n = row.shape[-1]
    steps = max(-n, min(n, steps))
    gap = np.zeros_like(row[..., : abs(steps)])
    if steps >= 0:
        return np.concatenate([gap, row[..., : n - steps]], -1)
    return np.concatenate([row[..., -steps:], gap], -1)


def _turned_bands(bands: Any, lower: int, upper: int) -> Array:
    """The bands of the transposed matrix. Diagonal d becomes diagonal -d, and its elements are
    shifted to their new columns."""
    rows = [_shift(bands[r, :], r - upper) for r in range(lower + upper, -1, -1)]
    return np.stack(rows)


def _banded_y(g: Gradient, bands: Any, lower: int, upper: int, y_shape: Shape) -> Gradient:
    turned = _turned_bands(bands, lower, upper)
    if len(y_shape) == 1:
        return _banded(turned, g[..., None], upper, lower)[..., 0]
    return _banded(turned, g, upper, lower)


def _banded_bands(
    g: Gradient, bands: Any, lower: int, upper: int, y_shape: Shape, out: Array
) -> Gradient:
    flow = _banded_y(g, bands, lower, upper, y_shape)
    if len(y_shape) == 1:
        flow, out = flow[..., None], out[..., None]
    flow, out = transposed(flow), transposed(out)
    rows = [-(_shift(flow, upper - r) * out).sum(-2) for r in range(lower + upper + 1)]
    return np.stack(rows, -2)


@op(bands=_banded_bands, y=_banded_y)
def _banded(bands: Array, y: Array, lower: int, upper: int) -> Array:
    """The solution of x @ out = y, where bands[upper + i - j, j] is x[i, j]."""
    require_host("solve_banded", bands, y)
    n = bands.shape[-1]
    y = y.astype(np.result_type(bands.dtype, y.dtype))
    columns = y if y.ndim <= 2 else np.moveaxis(y, -2, 0).reshape(n, -1)
    if n == 1:  # SciPy 1.13 does not divide by the row of the main diagonal
        out = columns / bands[upper]
    else:
        out = call_named(
            "solve_banded", partial(scipys.solve_banded, (lower, upper)), bands, columns
        )
    if y.ndim <= 2:
        return out
    return np.moveaxis(out.reshape(n, *y.shape[:-2], y.shape[-1]), 0, -2)


@composed
def solve_banded(l_and_u: tuple[int, int], bands: Any, y: Operand) -> Array:
    """The solution of x @ out = y for a banded matrix x. `l_and_u` is (l, u), the numbers of
    nonzero diagonals below and above the main diagonal. `bands` has shape (l + u + 1, n), and
    bands[u + i - j, j] is x[i, j]. y has shape (n,) or (n, k)."""
    lower, upper = l_and_u
    bands, y = as_operand(bands), as_operand(y)
    rows = (lower + upper + 1, y.shape[0] if y.ndim in (1, 2) else -1)
    if bands.shape != rows:
        raise ShapeError(
            f"solve_banded: for l_and_u={(lower, upper)} and y of shape {y.shape}, the bands must "
            f"have shape {rows}; they have shape {bands.shape}"
        )
    return _banded(bands, y, lower, upper)


# ---- Sylvester's equation and square roots -------------------------------------------------------


def _sylvester_q(g: Gradient, a: Array, b: Array) -> Gradient:
    return solve_sylvester(transposed(a), transposed(b), g)


def _sylvester_a(g: Gradient, a: Array, b: Array, out: Array) -> Gradient:
    return -(_sylvester_q(g, a, b) @ transposed(out))


def _sylvester_b(g: Gradient, a: Array, b: Array, out: Array) -> Gradient:
    return -(transposed(out) @ _sylvester_q(g, a, b))


@op(a=_sylvester_a, b=_sylvester_b, q=_sylvester_q)
def solve_sylvester(a: Array, b: Array, q: Array) -> Array:
    """The solution of a @ out + out @ b = q. Shapes: a (m, m), b (n, n), q (m, n)."""
    require_host("solve_sylvester", a, b, q)
    require_matrices("solve_sylvester", a)
    require_matrices("solve_sylvester", b)
    if q.shape[-2:] != (a.shape[-1], b.shape[-1]):
        raise ShapeError(
            f"solve_sylvester: a {a.shape} and b {b.shape} need q of shape "
            f"{(a.shape[-1], b.shape[-1])}; q has shape {q.shape}"
        )
    if a.ndim == b.ndim == q.ndim == 2:
        return _equation(a, b, q)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    a, b, q = (np.broadcast_to(x, stack + x.shape[-2:]) for x in (a, b, q))
    out = np.empty_like(q, dtype=np.result_type(a.dtype, b.dtype, q.dtype))
    for place in np.ndindex(stack):
        out[place] = _equation(a[place], b[place], q[place])
    return out


def _equation(a: Array, b: Array, q: Array) -> Array:
    """Solve one equation with the Schur forms of a and of the adjoint of b (Bartels and Stewart,
    1972)."""
    if not q.size:
        return np.empty_like(q, dtype=np.result_type(a.dtype, b.dtype, q.dtype))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise LinAlgError(
            f"solve_sylvester: a, of shape {a.shape}, or b, of shape {b.shape}, contains inf or "
            "NaN. In the gradient of sqrtm this means that x contains inf or NaN, or that x is "
            "singular and SciPy found no square root"
        )
    output = "complex" if "c" in a.dtype.kind + b.dtype.kind + q.dtype.kind else "real"
    left, from_left = call_named("solve_sylvester", scipys.schur, a, output)
    right, from_right = call_named("solve_sylvester", scipys.schur, b.conj().T, output)
    turned = from_left.conj().T @ q @ from_right
    (solver,) = scipys.get_lapack_funcs(("trsyl",), (left, right, turned))
    found, scale, close = solver(left, right, turned, tranb="C")
    if close:
        raise LinAlgError(
            f"solve_sylvester: for a of shape {a.shape} and b of shape {b.shape} the solution is "
            "not unique, because an eigenvalue of a is the negative of an eigenvalue of b. In the "
            "gradient of sqrtm this means that x is singular"
        )
    return from_left @ (scale * found) @ from_right.conj().T


def _sqrtm_x(g: Gradient, out: Array) -> Gradient:
    turned = transposed(out)
    return solve_sylvester(turned, turned, g)


@op(x=_sqrtm_x)
def sqrtm(x: Array) -> Array:
    """The principal square root of a matrix (n, n): out @ out = x. It is complex if x has
    negative eigenvalues. A singular x has no gradient."""
    require_host("sqrtm", x)
    require_matrices("sqrtm", x)
    found = call_named("sqrtm", scipys.sqrtm, x)
    dtype = np.result_type(x.dtype, np.float32)
    if np.iscomplexobj(found):
        dtype = np.result_type(dtype, np.complex64)
    return found.astype(dtype, copy=False)  # SciPy 1.13 returns complex128 for complex64
