"""Functions on matrices, for rules: transposes, checks of operands, and hints in NumPy's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array
from autograd_core.errors import LinAlgError
from autograd_core.ops.diagonals import _embedded

# What to do about NumPy's errors, by a fragment of their message.
HINTS = {
    "Singular": "use pinv or lstsq, or x + small * eye",
    "positive definite": "use x + small * eye, if x is symmetric without negative eigenvalues",
    "converge": "check that all elements are finite",
    "Internal error": "check that all elements are finite",
    "infs or NaNs": "mask them first, as in where(isfinite(x), x, 0)",
}


def transposed(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def adjoint(x: Array) -> Array:
    return x.swapaxes(-1, -2).conj()


def column(x: Array) -> Array:
    """x, which holds one number for each matrix, in a shape that broadcasts with the matrices."""
    return x[..., None, None]


def unit(x: Array) -> Array:
    """The identity matrix, for each of the matrices x."""
    n = x.shape[-1]
    return _embedded(np.ones_like(np.diagonal(x, 0, -2, -1)), 0, n, n)


def embedded(x: Array) -> Array:
    """The diagonal matrices with the elements of x."""
    return _embedded(x, 0, x.shape[-1], x.shape[-1])


def stacked(matrices: list[Any]) -> Array:
    """k matrices, or stacks of matrices, that broadcast, as one array (..., k, n, n)."""
    shape = np.broadcast_shapes(*(m.shape for m in matrices))
    return np.stack([np.broadcast_to(m, shape) for m in matrices], -3)


def listed(matrices: Array) -> list[Any]:
    """The k matrices of an array (..., k, n, n)."""
    return [matrices[..., k, :, :] for k in range(matrices.shape[-3])]


def skew(x: Array) -> Array:
    return x - adjoint(x)


def tracked(x: Array) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def inverted(x: Array, near: Any) -> Array:
    """1 / x, and 0 where `near`, a mask of the elements that count as 0, is true."""
    return ~near / (x + near)


def require_matrices(name: str, x: Array, square: bool = True) -> None:
    """Raise LinAlgError if x is not a stack of (square) matrices."""
    shape = np.shape(x)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        what = "square matrices" if square else "matrices"
        raise LinAlgError(f"{name}: x needs {what} in its last two axes; it has shape {shape}")


def call_named(name: str, function: Callable[..., Any], *operands: Any, **settings: Any) -> Array:
    """Call a linear-algebra function of NumPy or SciPy. If it fails, raise LinAlgError with `name`,
    the shapes and a hint, because the call may come from a rule rather than from the user. SciPy
    raises ValueError for non-finite elements, which is converted too."""
    try:
        return function(*operands, **settings)
    except ValueError as error:
        if not isinstance(error, np.linalg.LinAlgError) and "infs or NaNs" not in str(error):
            raise
        shapes = " and ".join(str(np.shape(x)) for x in operands[:2] if np.ndim(x))
        hint = next((f". What to do: {h}" for word, h in HINTS.items() if word in str(error)), "")
        raise LinAlgError(f"{name}, of shape {shapes}: {error}{hint}") from error
