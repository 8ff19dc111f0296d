"""Which calls have results of a shape and dtype that follow from those of their arguments."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_core.compiling.arrays import SHAPED
from autograd_core.compiling.program import ROWS, Call, Method, Opaque, UfuncMethod, Writer, refs

# Functions whose result has a shape that follows from the shapes of their arguments
OF_SHAPES = frozenset({np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.dot, np.vdot,
    np.tensordot, np.outer, np.inner, np.transpose, np.swapaxes, np.moveaxis, np.reshape, np.ravel,
    np.expand_dims, np.squeeze, np.concatenate, np.stack, np.zeros_like, np.ones_like,
    np.empty_like, np.full_like, np.broadcast_to, np.copy, np.cumsum, np.cumprod, np.tril, np.triu,
    np.diagonal, np.flip, np.roll, np.clip, np.real, np.imag, np.take_along_axis, np.sort,
    np.argsort, np.argmax, np.argmin, np.all, np.any, np.einsum, np.linalg.solve, np.linalg.inv,
    np.linalg.cholesky, np.linalg.det, np.isclose, np.trace, np.asarray, np.diff, np.kron,
    np.round})  # fmt: skip


# Functions whose result holds nothing yet
EMPTY: frozenset[Any] = frozenset({np.empty_like, np.empty})
# Calls that return views of their argument, whatever its values, where NumPy can make a view
VIEWS = frozenset(
    {Method(name) for name in ("__getitem__", "diagonal", "ravel", "reshape", "squeeze", "swapaxes",
                               "transpose", "view")}
    | {Method(name, attribute=True) for name in ("T", "mT", "real", "imag")}
    | {np.broadcast_to, np.diagonal, np.expand_dims, np.flip, np.moveaxis, np.ravel, np.reshape,
       np.squeeze, np.swapaxes, np.transpose}
)  # fmt: skip
# Calls that return their argument itself, depending on its dtype only
ITSELF = frozenset({Method("conj"), Method("conjugate"), Method("real", attribute=True), np.asarray,
                    np.real})  # fmt: skip


def keeps_shape(call: Call) -> bool:
    """True if the shape and the dtype of the result do not depend on the values of the arrays."""
    function = call.function
    if call.draws or all(type(value.array) is float for value in call.results):
        return True
    if isinstance(function, Method):
        further = list(refs((call.args[1:], call.settings)))
        sizes = [v for v in further if not np.ndim(v.array) or v.array.dtype == bool]
        return not sizes and function.name in SHAPED | {"__getitem__", "__setitem__"}
    if function in (operator.pow, np.asarray, ROWS):
        return True
    if isinstance(function, UfuncMethod):
        return function.name != "at"
    if isinstance(function, Opaque | Writer):
        return False
    if not isinstance(function, np.ufunc) and any(not np.ndim(v.array) for v in call.refs()):
        return False
    if function is np.where:
        return len(call.args) == 3
    return isinstance(function, np.ufunc) or function in OF_SHAPES
