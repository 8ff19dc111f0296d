"""The orders in which elements are read and laid out: C (the last axis fastest), F (the first axis
fastest), A (F if the array is in F order and not in C order, else C) and K (as in memory).

Only C order is implemented by operations. For the other orders, an array is transposed, reshaped in
C order and transposed back, so the result is a view where NumPy's is a view.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd_core.engine.op import composed, listed
from autograd_core.engine.types import Array, Operand
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import shorten
from autograd_core.ops import shaping
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import transpose

__all__ = [
    "ravel",
    "reshape",
]


def _in_memory(x: Array) -> list[int]:
    """The axes of an array from the slowest to the fastest in memory, as NumPy sorts them: axes of
    length 1 or stride 0 are never exchanged with others."""
    steps = [0 if n == 1 else abs(s) for n, s in zip(x.shape, x.strides, strict=True)]
    fastest: list[int] = []
    for axis in reversed(range(x.ndim)):
        place = len(fastest)
        for i in reversed(range(len(fastest))):
            if steps[axis] and steps[fastest[i]]:
                if steps[fastest[i]] <= steps[axis]:
                    break
                place = i
        fastest.insert(place, axis)
    return fastest[::-1]


def _axes(name: str, x: Array, order: str, orders: str) -> list[int] | None:
    """The order of the axes in which the transposed x, read in C order, has the elements of x in
    `order`. None if x need not be transposed."""
    if order not in orders:
        raise ShapeError(f"{name}: order must be one of {', '.join(orders)}, not {order!r}")
    array = unwrap_nested(x)
    if order == "K":
        return _in_memory(array)
    if order == "A" and not array.flags.fnc:
        return None
    return list(range(array.ndim))[::-1]


@listed
def reshape(
    x: Operand, shape: int | Sequence[int], order: str = "C", *, copy: bool | None = None
) -> Array:
    """The elements in another shape, read and written in `order` C, F or A; one length may be -1.
    The result is a view where possible, unless `copy` is true. Raises ShapeError if `copy` is false
    and no view is possible."""
    try:
        if order == "C":
            return shaping.reshape(x, shape, copy)
        x = as_operand(x)
        if _axes("reshape", x, order, "CFA") is None:
            return shaping.reshape(x, shape, copy)
        lengths = tuple(shape) if isinstance(shape, Sequence) else (shape,)
        return transpose(shaping.reshape(transpose(x), lengths[::-1], copy))
    except Exception as error:
        shorten(error)
        raise


@composed
def ravel(x: Operand, order: str = "C") -> Array:
    """The elements as a 1-d array, read in `order` C, F, A or K. A view where possible."""
    if order == "C":
        return shaping.ravel(x)
    x = as_operand(x)
    axes = _axes("ravel", x, order, "CFAK")
    return shaping.ravel(x if axes is None else transpose(x, axes))
