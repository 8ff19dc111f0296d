"""NumPy's functions that write into their first operand x, for Tensors: by ``x[index] = value``.

If x or the values are tracked, the write is recorded: x then refers to a new array with the values
written. An untracked Tensor is written in place. The functions return None, as in NumPy; `assign`
and `where` return a new Tensor and leave their operand unchanged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import DTypeError, NotDifferentiableError, ShapeError
from autograd_core.ops.axes import check_axis
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.selecting import unravel_index, where, within
from autograd_core.ops.shaping import ravel
from autograd_core.ops.sorting import flatnonzero

__all__ = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"]


def _home(x: Array) -> str:
    return backend.device_of(x.data if isinstance(x, Tensor) else x)


def _operand(x: Array, value: Array) -> Array:
    """`value`, to be written into x, as a Tensor or an array; numbers and lists are put on the
    device of x."""
    if isinstance(value, Tensor) or backend.is_array(value):
        return value
    return backend.asarray(value, None, _home(x))


def _check_target(name: str, x: Array, values: Array) -> None:
    """Raise NotDifferentiableError if tracked values would be written into an array, because an
    array has no graph."""
    if not isinstance(x, Tensor) and isinstance(values, Tensor) and values.requires_grad:
        raise NotDifferentiableError(
            f"{name}: the values are tracked, and an array does not record where they came from. "
            "Write into Tensor(array), or use values.detach()"
        )


def _check_cast(name: str, x: Array, values: Array) -> None:
    """Raise DTypeError if NumPy's function `name` does not cast `values` to the dtype of x. Each of
    these functions has its own casting rule, so the function is called with arrays of one
    element."""
    given: Any = values if isinstance(values, bool | int | float | complex) else None
    if given is None:
        dtype = values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype
        given = np.zeros(1, dtype)
    try:
        getattr(np, name)(np.zeros(1, x.dtype), *{"put": ([0],)}.get(name, ([True],)), given)
    except TypeError as error:
        raise DTypeError(f"{name}: x has dtype {x.dtype}: {error}") from error


def _count(x: Array, length: int) -> Array:
    """0, 1, …, `length` - 1, on the device of x."""
    return backend.created("arange", _home(x), length)


def _write_flat(x: Array, places: Array, values: Array, picks: Any) -> None:
    """Write values[picks % values.size], of the flattened `values`, into the flattened x at the
    indices `places`."""
    values = ravel(values)
    if not values.size:  # then NumPy writes nothing
        return
    values = _getitem(values, 0 if values.size == 1 else picks % values.size)
    if x.ndim:
        x[unravel_index(places, x.shape)] = values
    else:
        x[bool(places.size)] = values if values.ndim == 0 else _getitem(values, slice(-1, None))


@composed
def put(x: Operand, ind: Any, v: Operand, mode: str = "raise") -> None:
    """Write the elements of `v`, repeated if there are too few, into the flattened x at the indices
    `ind`. Indices out of range raise IndexingError (`mode` raise), wrap around (wrap) or are
    replaced by the nearest valid index (clip). Returns None. A tracked x needs distinct indices."""
    _check_cast("put", x, v)
    places, values = ravel(_operand(x, ind)), _operand(x, v)
    _check_target("put", x, values)
    if mode == "raise":
        places = where(places < 0, places + x.size, places)
    else:
        places = within("put", places, x.size, mode)
    _write_flat(x, places, values, _count(x, places.size))


@composed
def putmask(x: Operand, mask: Operand, values: Operand) -> None:
    """Write into x, where the mask is true, the elements of `values` at the same positions;
    `values` is repeated if it is too short. Returns None."""
    _check_cast("putmask", x, values)
    mask, values = _operand(x, mask), _operand(x, values)
    _check_target("putmask", x, values)
    _check_mask("putmask", x, mask)
    places = flatnonzero(mask)
    _write_flat(x, places, values, places)


@composed
def place(x: Operand, mask: Operand, vals: Any) -> None:
    """Write the elements of `vals` in order, repeated if there are too few, into x where the mask
    is true. Returns None."""
    _check_cast("place", x, vals)
    mask, values = _operand(x, mask), _operand(x, vals)
    _check_target("place", x, values)
    _check_mask("place", x, mask)
    places = flatnonzero(mask)
    if places.size and not values.size:
        raise ShapeError(f"place: vals is empty, but the mask selects {places.size} elements")
    _write_flat(x, places, values, _count(x, places.size))


def _check_mask(name: str, x: Array, mask: Array) -> None:
    if mask.size != x.size:
        raise ShapeError(
            f"{name}: x has shape {x.shape}, so the mask needs {x.size} elements; it has shape "
            f"{mask.shape}"
        )


@composed
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write `src`, which broadcasts, into `dst` where the mask `where` is true. Returns None."""
    source = src if isinstance(src, bool | int | float | complex) else _operand(dst, src)
    _check_target("copyto", dst, source)
    dtype = source.dtype if hasattr(source, "dtype") else np.result_type(source)
    weak = not hasattr(source, "dtype") and np.result_type(dst.dtype, source) == dst.dtype
    if not weak and not np.can_cast(dtype, dst.dtype, casting):
        raise DTypeError(
            f"copyto: {dtype} cannot be cast to {dst.dtype} under the rule {casting!r}. Convert "
            f"one of them, as in src.astype(dst.dtype)"
        )
    if where is True:
        dst[...] = source
    else:
        dst[...] = _kept(_operand(dst, where), source, dst)


def _kept(mask: Array, source: Array, dst: Any) -> Array:
    return where(mask, source, dst)


@composed
def fill_diagonal(x: Operand, val: Any, wrap: bool = False) -> None:
    """Write `val`, repeated if it is too short, into the diagonal of x: the elements whose indices
    are all equal. With `wrap`, the diagonal of a tall matrix starts again below its end. Returns
    None."""
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ShapeError(
            f"fill_diagonal: x must have two axes, or more of equal length; it has shape {x.shape}"
        )
    values = _operand(x, val)
    _check_target("fill_diagonal", x, values)
    step = 1 + sum(math.prod(x.shape[axis:]) for axis in range(1, x.ndim))
    end = x.shape[1] ** 2 if x.ndim == 2 and not wrap else x.size
    places = backend.created("arange", _home(x), 0, min(end, x.size), step)
    _write_flat(x, places, values, _count(x, places.size))


@composed
def put_along_axis(x: Operand, indices: Operand, values: Operand, axis: int | None) -> None:
    """Write `values`, which broadcast, into each line of x along `axis` at the indices in the same
    line of `indices`. If `axis` is None, they are written into the flattened x. Returns None."""
    places, values = _operand(x, indices), _operand(x, values)
    _check_target("put_along_axis", x, values)
    check_axis("put_along_axis", axis, x)
    if axis is None:
        put(x, places, values)
        return
    if places.ndim != x.ndim or places.dtype.kind not in "iu":
        raise ShapeError(
            f"put_along_axis: x has shape {x.shape}, so indices must be integers with {x.ndim} "
            f"axes; they have shape {places.shape} and dtype {places.dtype}"
        )
    index = [_count(x, n).reshape((n,) + (1,) * (x.ndim - 1 - a)) for a, n in enumerate(x.shape)]
    index[axis] = places
    x[tuple(index)] = values
