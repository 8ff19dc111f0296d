"""Reading and writing elements. An operation never writes into its operand: it returns a new
array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.checks import check_index, check_value
from autograd_core.engine.layouts import copied, is_part
from autograd_core.engine.op import nested, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Shape
from autograd_core.engine.views import VALUE
from autograd_core.errors import DTypeError, IndexingError, ShapeError
from autograd_core.ops.axes import negative_axes

__all__ = [
    "assign",
]
BEYOND_NUMPY = ("assign",)

MANY_ELEMENTS = 256  # from this number of elements, faster code paths are used


def _repeats(index: Any) -> bool:
    """Return True if an index may select an element twice, which only integer arrays can do."""
    entries = index if isinstance(index, tuple) else (index,)
    return any(
        not isinstance(entry, int | slice | type(None) | type(...) | np.integer)
        and getattr(entry, "dtype", None) != np.bool_
        for entry in entries
    )


def _behind(index: Any, lead: int) -> tuple[Any, ...]:
    """`index` for an array that has `lead` additional batch axes in front."""
    entries = index if isinstance(index, tuple) else (index,)
    return (*[slice(None)] * lead, *entries)


def _batch_last(x: Array, lead: int) -> Array:
    return np.moveaxis(x, tuple(range(lead)), tuple(range(-lead, 0)))


def _place(index: Any, lead: int) -> Array:
    """`index` for an array that has `lead` additional batch axes at its end. Batch axes in front
    would not always stay in front: the first axis of x[:, 0, :, [1, 2]] is the axis of the index
    array."""
    entries = index if isinstance(index, tuple) else (index,)
    return (*entries, *[slice(None)] * lead) if any(e is ... for e in entries) else entries


def _taken(g: Gradient, index: Any, lead: int) -> Gradient:
    """g[index], where `index` applies to the axes after the `lead` batch axes of g."""
    if not lead:
        return _getitem(g, index)
    taken = _batch_last(g, lead)[_place(index, lead)]
    return np.moveaxis(taken, tuple(range(-lead, 0)), tuple(range(lead)))


def _is_many(x: Array, index: Any) -> bool:
    """Return True if the index is a single array with at least `MANY_ELEMENTS` elements and x is a
    host array in C order."""
    return (
        backend.on_host(index)
        and index.size >= MANY_ELEMENTS
        and backend.on_host(x)
        and x.flags.c_contiguous
    )


def _masked(x: Array, mask: Array) -> tuple[Any, Any]:
    """x, which is in C order, with the axes of `mask` merged into one axis, and the flat indices
    where `mask` is true. Indexing with these is 5 times as fast as indexing with `mask`."""
    return x.reshape(mask.size, *x.shape[mask.ndim :]), np.flatnonzero(mask)


def _read(x: Array, index: Any) -> Array:
    """x[index]."""
    if _is_many(x, index):
        if index.dtype == np.bool_ and index.shape == x.shape[: index.ndim]:
            rows, places = _masked(x, index)
            return rows[places]
        if index.dtype.kind == "i" and x.ndim > 1:
            return x.take(index, axis=0)  # 3 times as fast
    return x[index]


def _add(out: Array, index: Any, g: Gradient) -> None:
    """Add g to out[index], where an element may be selected twice."""
    if out.dtype.kind == "c":  # CuPy's add.at supports real dtypes only
        np.add.at(out.real, index, g.real)
        if g.dtype.kind == "c":
            np.add.at(out.imag, index, g.imag)
    else:
        np.add.at(out, index, g)


def _add_many(out: Array, index: Any, g: Gradient) -> None:
    """`_add` for host arrays in C order. np.add.at has a fast loop for arrays with one axis, so the
    index is converted to flat indices where this is worthwhile: 3 to 5 times as fast."""
    if backend.on_host(index):
        width = math.prod(out.shape[1:])
        numbers = index.reshape(-1).astype(np.intp, copy=False)
        if out.ndim > 1:
            numbers = (numbers[:, None] * width + np.arange(width)).reshape(-1)
    elif 2 * g.size >= out.size:
        numbers = np.arange(out.size).reshape(out.shape)[index].reshape(-1)
    else:
        _add(out, index, g)
        return
    _add(out.reshape(-1), numbers, g.reshape(-1))


@op(g=lambda g, index, shape: _taken(g, index, g.ndim - len(shape)))
def _scatter(g: Gradient, index: Any, shape: Shape, ndim: int) -> Array:
    """Zeros of `shape` with g added at `index`: the gradient of getitem. `ndim` is the number of
    axes of x[index]; additional leading axes of g are batch axes."""
    lead = g.ndim - ndim
    out = written = backend.zeros(g, g.shape[:lead] + shape)
    if lead:
        g, written, index = _batch_last(g, lead), _batch_last(out, lead), _place(index, lead)
    if not _repeats(index):
        if _is_many(out, index) and not lead:
            written, index = _masked(out, index)
        written[index] = g
    elif lead or g.size < MANY_ELEMENTS or not isinstance(g, np.ndarray):
        _add(written, index, g)
    else:
        _add_many(written, index, g)
    return out


def _keeps_all(index: Any, x_shape: Shape, out_shape: Shape) -> bool:
    """True if x[index] is x with other axes, as for x[..., None]."""
    if math.prod(x_shape) != math.prod(out_shape):
        return False
    entries = index if isinstance(index, tuple) else (index,)
    return all(
        e is None or e is ... or type(e) is int or (type(e) is slice and (e.step or 1) > 0)
        for e in entries
    )


def _getitem_x(g: Gradient, index: Any, x_shape: Shape, out_shape: Shape) -> Gradient:
    if _keeps_all(index, x_shape, out_shape):
        return g.reshape(g.shape[: g.ndim - len(out_shape)] + x_shape)
    return _scatter(g, index, x_shape, len(out_shape))


def _getitem_into(
    g: Gradient, total: Gradient, index: Any, x_shape: Shape, out_shape: Shape
) -> Gradient | None:
    """Add the gradient of x[index] to that of x, for a view: only its elements are touched, so that
    a loop over the rows of x takes linear time."""
    if not out_shape or g.dtype != total.dtype or _repeats(index):
        return None
    part = total[index]
    if not is_part(part, total):
        return None
    part += g
    return total


_getitem_x.into = _getitem_into  # type: ignore[attr-defined]


def _is_number(index: Any) -> bool:
    """Return True if NumPy returns a 0-d result of x[index] as a scalar, not as an array.
    This is the case if the index does not contain ``...``."""
    return not any(e is ... for e in (index if isinstance(index, tuple) else (index,)))


def _put_back(x: Array, part: Array, index: Any) -> Array:
    return assign(x, index, part)


@op(x=_getitem_x, index=nested, view=_put_back)
def _getitem(x: Array, index: Array) -> Array:
    """x[index] for any index that NumPy supports. Integer and boolean arrays in the index may be
    Tensors."""
    if backend.in_use():
        check_index(x, index)
    try:
        out = _read(x, index)
    except IndexError as error:
        raise _misfit("getitem", x, index, error) from error
    if backend.on_host(out) or out.ndim or not _is_number(index):
        return out
    return out.copy()  # on a device: like NumPy's scalar, a copy does not change with x


def number(out: Array) -> Array:
    """`out` as NumPy returns it: as a scalar if it has no axes, else as an array."""
    if not isinstance(out, Tensor):
        return out[()]
    return out if out.ndim or getattr(out, "_memory", None) is VALUE else _getitem(out, ())


def _misfit(what: str, x: Array, index: Any, error: Exception) -> IndexingError:
    return IndexingError(
        f"{what}: x has shape {x.shape}, so x[{_text(index)}] is not valid: {error}"
    )


def _text(index: Any) -> str:
    """The index as written between the brackets, with arrays given by dtype and shape."""
    if isinstance(index, tuple):
        return f"({', '.join(map(_text, index))})"
    if isinstance(index, slice):
        parts = [index.start, index.stop] + ([index.step] if index.step is not None else [])
        return ":".join("" if part is None else str(part) for part in parts)
    if index is ...:
        return "..."
    return f"{index.dtype} array of shape {index.shape}" if backend.is_array(index) else str(index)


def write_elements(x: Array, index: Any, value: Array) -> None:
    """``x[index] = value`` on an array."""
    check_value(x, value)
    if backend.in_use():
        check_index(x, index)
    try:
        x[index] = value
    except IndexError as error:
        raise _misfit("assign", x, index, error) from error
    except ValueError as error:
        if "read-only" in str(error):
            raise
        raise ShapeError(
            f"assign: value has shape {np.shape(value)}, which does not fit x[{_text(index)}], "
            f"where x has shape {x.shape}: {error}"
        ) from error


def _assign_x(g: Gradient, index: Any, x_shape: Shape) -> Gradient:
    return assign(g, _behind(index, g.ndim - len(x_shape)), 0)


def _assign_value(g: Gradient, index: Any, x_shape: Shape, value_shape: Shape) -> Gradient:
    lead = g.ndim - len(x_shape)
    if not value_shape and _repeats(index):  # a single value that is written twice counts once
        written = assign(np.zeros_like(g), _behind(index, lead), 1) != 0
        return np.where(written, g, 0).sum(negative_axes(None, len(x_shape)))
    taken = _taken(g, index, lead)
    if _repeats(index):
        last = _last(index, x_shape)
        taken = taken if last is None else np.where(last, taken, 0)
    ones = (1,) * (len(value_shape) - (taken.ndim - lead))  # NumPy ignores these axes of a value
    return taken.reshape(taken.shape[:lead] + ones + taken.shape[lead:]) if ones else taken


def _last(index: Any, x_shape: Shape) -> Array:
    """A mask in the shape of x[index]. It is true where an element of x is selected for the last
    time, because the last value is kept. None if no element is selected twice, or if the index
    contains arrays on a device, where `assign` raises an error for repeated elements."""
    entries = index if isinstance(index, tuple) else (index,)
    if not all(backend.on_host(entry) or not backend.is_array(entry) for entry in entries):
        return None
    places = np.arange(math.prod(x_shape)).reshape(x_shape)[index]
    order = np.arange(places.size).reshape(places.shape)
    winner = np.empty(math.prod(x_shape), np.intp)
    winner[places.reshape(-1)] = order.reshape(-1)
    last = winner[places] == order
    return None if last.all() else last


def _check_kinds(x: Array, value: Array) -> None:
    """Raise DTypeError where NumPy would silently drop a part of the value, such as the imaginary
    part: a gradient would flow to the dropped part."""
    dtype = value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype
    lacking = {"f": "biu", "c": "biuf"}.get(dtype.kind, "")
    if x.dtype.kind in lacking:
        raise DTypeError(
            f"assign: value has dtype {dtype}, which elements of dtype {x.dtype} cannot hold. "
            f"Convert x first, as in x = x.astype({dtype.name!r})"
        )


@op(x=_assign_x, value=_assign_value, index=nested)
def assign(x: Array, index: Array, value: Array) -> Array:
    """A copy of x in which x[index] is replaced by `value`, which broadcasts to the shape of
    x[index].

    No gradient flows to the elements of x that were replaced. If the index selects an element
    twice, the last value is kept and gets the gradient. On a device, where the order of writes is
    undefined, such an index raises ShapeError unless `value` is a single number. Float values for
    an array of integers, or complex values for an array of real numbers, raise DTypeError.
    """
    _check_kinds(x, value)
    out = copied(x)
    write_elements(out, index, value)
    if not isinstance(out, np.ndarray) and np.ndim(value) and _repeats(index):
        times = np.zeros_like(x, dtype=np.int64)
        np.add.at(times, index, 1)
        if times.size and times.max() > 1:
            raise ShapeError(
                "assign: the index selects an element twice and value is an array; on a device the "
                "order of writes is undefined"
            )
    return out


@op(
    x=lambda g: g,
    value=lambda g, index, x_shape: _taken(g, index, g.ndim - len(x_shape)),
    index=nested,
)
def _add_at(x: Array, index: Array, value: Array) -> Array:
    """A copy of x with `value` added at x[index]. If an element is selected several times, all its
    values are added, as in `np.add.at`."""
    _check_kinds(x, value)
    out = copied(x)
    _add(out, index, value if hasattr(value, "dtype") else x.dtype.type(value))
    return out
