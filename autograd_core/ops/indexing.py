"""Reading and writing elements, functionally: an operation never writes to its operand."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import ShapeError
from autograd_core.op import nested, op
from autograd_core.ops.axes import Shape

__all__ = [
    "assign",
    "getitem",
    "scatter",
]


def _repeats(index: Any) -> bool:
    """Whether an index may name one element twice: only integer arrays can."""
    entries = index if isinstance(index, tuple) else (index,)
    return any(
        not isinstance(entry, int | slice | type(None) | type(...) | np.integer)
        and getattr(entry, "dtype", None) != np.bool_
        for entry in entries
    )


def _behind(index: Any, lead: int) -> tuple[Any, ...]:
    """`index` for an array that has `lead` batch axes in front."""
    entries = index if isinstance(index, tuple) else (index,)
    return (*[slice(None)] * lead, *entries)


@op(g=lambda g, index, shape: g[_behind(index, g.ndim - len(shape))])
def scatter(g: Any, index: Any, shape: Shape, ndim: int) -> Any:
    """Zeros of `shape` with g added at `index`: what getitem's gradient is. `ndim` is the number of
    axes that x[index] has; axes of g beyond it are batch axes."""
    lead = g.ndim - ndim
    out = np.zeros_like(g, shape=g.shape[:lead] + shape)
    place = _behind(index, lead) if lead else index
    if not _repeats(index):
        out[place] = g
    elif g.dtype.kind == "c":  # CuPy's add.at knows real numbers only
        np.add.at(out.real, place, g.real)
        np.add.at(out.imag, place, g.imag)
    else:
        np.add.at(out, place, g)
    return out


def _getitem_x(g: Any, index: Any, x_shape: Shape, out_shape: Shape) -> Any:
    return scatter(g, index, x_shape, len(out_shape))


@op(x=_getitem_x, index=nested)
def getitem(x: Any, index: Any) -> Any:
    """x[index] for every index that NumPy has; a Tensor of integers or booleans may stand in it."""
    if type(x) is not np.ndarray:
        backend.check_index(x, index)
    return x[index]


def _assign_x(g: Any, index: Any, x_shape: Shape) -> Any:
    return assign(g, 0, _behind(index, g.ndim - len(x_shape)))


def _assign_value(g: Any, index: Any, x_shape: Shape) -> Any:
    return g[_behind(index, g.ndim - len(x_shape))]


@op(x=_assign_x, value=_assign_value, index=nested)
def assign(x: Any, value: Any, index: Any) -> Any:
    """A copy of x in which x[index] is `value`. An index that names an element twice is for a
    single value only: of several, it is not defined which one stands."""
    if type(x) is not np.ndarray:
        backend.check_index(x, index)
        backend.check_value(x, value)
    if np.ndim(value) and _repeats(index):
        times = np.zeros_like(x, dtype=np.int64)
        np.add.at(times, index, 1)
        if times.size and times.max() > 1:
            raise ShapeError("assign: the index names an element twice, with a value for each")
    out = x.copy()
    out[index] = value
    return out
