"""What is known of calls: whether the shape and dtype of their results follow from those of their
arguments, and whether they may fail."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_core.compiling.arrays import SHAPED
from autograd_core.compiling.program import (
    ROWS,
    Call,
    Method,
    Opaque,
    Program,
    Ref,
    UfuncMethod,
    Value,
    Writer,
    refs,
)

# Functions whose result has a shape that follows from the shapes of their arguments
OF_SHAPES = frozenset({np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.dot, np.vdot,
    np.tensordot, np.outer, np.inner, np.transpose, np.swapaxes, np.moveaxis, np.reshape, np.ravel,
    np.expand_dims, np.squeeze, np.concatenate, np.stack, np.zeros_like, np.ones_like,
    np.empty_like, np.full_like, np.broadcast_to, np.copy, np.cumsum, np.cumprod, np.tril, np.triu,
    np.diagonal, np.flip, np.roll, np.clip, np.real, np.imag, np.take_along_axis, np.sort,
    np.argsort, np.argmax, np.argmin, np.all, np.any, np.einsum, np.linalg.solve, np.linalg.inv,
    np.linalg.cholesky, np.linalg.det, np.isclose, np.trace, np.asarray, np.diff, np.kron,
    np.round, np.lib.stride_tricks.sliding_window_view})  # fmt: skip


# Functions whose result holds nothing yet
EMPTY: frozenset[Any] = frozenset({np.empty_like, np.empty})
# Calls that return views of their argument, whatever its values, where NumPy can make a view
VIEWS = frozenset(
    {Method(name) for name in ("__getitem__", "diagonal", "ravel", "reshape", "squeeze", "swapaxes",
                               "transpose", "view")}
    | {Method(name, attribute=True) for name in ("T", "mT", "real", "imag")}
    | {np.broadcast_to, np.diagonal, np.expand_dims, np.flip, np.moveaxis, np.ravel, np.reshape,
       np.squeeze, np.swapaxes, np.transpose, np.lib.stride_tricks.sliding_window_view}
)  # fmt: skip
# Calls that return their argument itself, depending on its dtype only
ITSELF = frozenset({Method("conj"), Method("conjugate"), Method("real", attribute=True), np.asarray,
                    np.real})  # fmt: skip


PRODUCTS = frozenset({np.dot, np.matmul, np.inner, np.tensordot, np.einsum, np.vdot, Method("dot")})
NUMBERS = frozenset({operator.pow, operator.truediv, operator.floordiv, operator.mod})
OPERATORS = NUMBERS | {operator.abs, operator.add, operator.mul, operator.neg, operator.sub}
INDEXING = frozenset({"__getitem__", "__setitem__", "take", "choose", "put", "repeat"})


def may_fail(call: Call) -> bool:
    """True for a call of NumPy's array functions that may raise an error for other values: an index
    that is too large, a negative power of an integer, a number divided by zero."""
    function = call.function
    if function in NUMBERS and all(type(value.array) is float for value in call.results):
        return True
    if function is np.power:
        return any(map(_is_integer, call.results))
    if isinstance(function, UfuncMethod):
        indices = call.args[1:2] if function.name in ("at", "reduceat") else ()
    elif isinstance(function, Method) and function.name in INDEXING:
        indices = call.args[1:2] if function.name == "__setitem__" else call.args[1:]
        indices = call.args if function.name == "choose" else indices
    else:
        return False
    return any(_is_integer(value) and value.kind != "constant" for value in refs(indices)) or (
        _writes_to_selected(call)
    )


def _writes_to_selected(call: Call) -> bool:
    """True if an array is written to the elements of a mask, whose number it must have."""
    if getattr(call.function, "name", "") != "__setitem__":
        return False
    given = [v for v in refs(call.args[2:3]) if np.ndim(v.array)]
    listed = not isinstance(call.args[2], Ref) and np.ndim(call.args[2])
    masks = [v for v in refs(call.args[1:2]) if v.array.dtype.kind == "b"]
    return bool(masks and (given or listed))


def _is_integer(value: Value) -> bool:
    return hasattr(value.array, "dtype") and value.array.dtype.kind in "iu"


def keeps_shape(call: Call) -> bool:
    """True if the shape and the dtype of the result do not depend on the values of the arrays."""
    function = call.function
    if call.draws:
        return True
    if all(type(value.array) is float for value in call.results):
        return function is not operator.pow or not call.results  # it may become complex
    if isinstance(function, Method):
        written = 2 if function.name == "__setitem__" else None  # the value is no size
        further = list(refs((call.args[1:written], call.settings)))
        sizes = [v for v in further if not np.ndim(v.array) or v.array.dtype == bool]
        return not sizes and function.name in SHAPED | {"__getitem__", "__setitem__"}
    if function in OPERATORS or function in (np.asarray, ROWS):
        return True
    if isinstance(function, UfuncMethod):
        return function.name != "at"
    if isinstance(function, Opaque | Writer):
        return False
    if function is np.where:
        return len(call.args) == 3
    if function in (np.stack, np.concatenate):
        return not any(refs((call.args[1:], call.settings)))
    if not isinstance(function, np.ufunc) and any(not np.ndim(v.array) for v in call.refs()):
        return False
    return isinstance(function, np.ufunc) or function in OF_SHAPES


def factors_of(program: Program) -> dict[Value, set[Value]]:
    """For each memory, those that it is multiplied with in a product of matrices. NumPy computes a
    product of an array with itself by another function of BLAS, with other bits."""
    found: dict[Value, set[Value]] = {}
    for call in program.calls:
        if call.function in PRODUCTS:
            memories = {value.memory for value in call.refs()}
            for memory in memories:
                found.setdefault(memory, set()).update(memories - {memory})
    return found
