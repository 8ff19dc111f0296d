"""Reading and writing elements, functionally: an operation never writes to its operand."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import ShapeError
from autograd_core.op import nested, op
from autograd_core.ops.axes import Shape, negative

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


def _batch_last(x: Any, lead: int) -> Any:
    return np.moveaxis(x, tuple(range(lead)), tuple(range(-lead, 0)))


def _place(index: Any, lead: int) -> Any:
    """`index` for an array that has `lead` batch axes at its end. In front they would not stay in
    front: x[:, 0, :, [1, 2]] begins with the axis of the array, because it stands apart."""
    entries = index if isinstance(index, tuple) else (index,)
    return (*entries, *[slice(None)] * lead) if any(e is ... for e in entries) else entries


def _taken(g: Any, index: Any, lead: int) -> Any:
    """g[index] behind `lead` batch axes."""
    if not lead:
        return g[index]
    taken = _batch_last(g, lead)[_place(index, lead)]
    return np.moveaxis(taken, tuple(range(-lead, 0)), tuple(range(lead)))


@op(g=lambda g, index, shape: _taken(g, index, g.ndim - len(shape)))
def scatter(g: Any, index: Any, shape: Shape, ndim: int) -> Any:
    """Zeros of `shape` with g added at `index`: what getitem's gradient is. `ndim` is the number of
    axes that x[index] has; axes of g beyond it are batch axes."""
    lead = g.ndim - ndim
    out = written = np.zeros_like(g, shape=g.shape[:lead] + shape)
    if lead:
        g, written, index = _batch_last(g, lead), _batch_last(out, lead), _place(index, lead)
    if not _repeats(index):
        written[index] = g
    elif g.dtype.kind == "c":  # CuPy's add.at knows real numbers only
        np.add.at(written.real, index, g.real)
        np.add.at(written.imag, index, g.imag)
    else:
        np.add.at(written, index, g)
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


def _assign_value(g: Any, index: Any, x_shape: Shape, value_shape: Shape) -> Any:
    lead = g.ndim - len(x_shape)
    if not value_shape and _repeats(index):  # written twice, a single value still counts once
        written = assign(np.zeros_like(g), 1, _behind(index, lead)) != 0
        return np.where(written, g, 0).sum(negative(None, len(x_shape)))
    taken = _taken(g, index, lead)
    ones = (1,) * (len(value_shape) - (taken.ndim - lead))  # NumPy drops such axes of a value
    return taken.reshape(taken.shape[:lead] + ones + taken.shape[lead:]) if ones else taken


@op(x=_assign_x, value=_assign_value, index=nested)
def assign(x: Any, value: Any, index: Any) -> Any:
    """A copy of x in which x[index] is `value`. An index that names an element twice is for a
    single value only: of several, it is not defined which one stands."""
    backend.check_value(x, value)
    if type(x) is not np.ndarray:
        backend.check_index(x, index)
    if np.ndim(value) and _repeats(index):
        times = np.zeros_like(x, dtype=np.int64)
        np.add.at(times, index, 1)
        if times.size and times.max() > 1:
            raise ShapeError("assign: the index names an element twice, with a value for each")
    out = x.copy()
    out[index] = value
    return out
