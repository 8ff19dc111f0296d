"""Joining and splitting arrays: stacks, blocks, insertions, deletions, sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.errors import DTypeError, IndexingError, ShapeError
from autograd_core.ops.arranging import along, atleast_1d, atleast_2d, atleast_3d, host_setting
from autograd_core.ops.axes import check_axis, from_end
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype, broadcast_to, concatenate, moveaxis, ravel, reshape

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "insert",
    "split",
    "unstack",
    "vsplit",
    "vstack",
]

# ---- joining ------------------------------------------------------------------------------------


def _joined(arrays: Array, change: Any, axis: int, **cast: Any) -> Array:
    return concatenate([change(x) for x in arrays], axis, **cast)


@composed
def hstack(arrays: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """Arrays joined along axis 1, or along axis 0 if they are vectors; see `concatenate`."""
    parts = [atleast_1d(x) for x in arrays]
    axis = 0 if parts and parts[0].ndim == 1 else 1
    return concatenate(parts, axis, dtype=dtype, casting=casting)


@composed
def vstack(arrays: Sequence[Any], *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """Arrays joined along axis 0; vectors count as rows; see `concatenate`."""
    return _joined(arrays, atleast_2d, 0, dtype=dtype, casting=casting)


@composed
def dstack(arrays: Sequence[Any]) -> Array:
    """Arrays joined along axis 2. Vectors and matrices first get a new axis 2."""
    return _joined(arrays, atleast_3d, 2)


@composed
def column_stack(arrays: Sequence[Any]) -> Array:
    """Matrices joined along axis 1; vectors count as columns."""
    return _joined(
        map(as_operand, arrays), lambda x: x if x.ndim > 1 else reshape(x, (x.size, 1)), 1
    )


@composed
def block(arrays: Operand) -> Array:
    """Nested lists of blocks as one array: the innermost lists are joined along the last axis, the
    lists that contain them along the second-last axis, and so on."""
    depth = _depth(arrays)
    parts = list(_blocks(arrays))
    ndim = max([depth, *(x.ndim for x in parts)])
    return _block(arrays, depth, ndim)


def _depth(arrays: Array) -> int:
    if not isinstance(arrays, list):
        if isinstance(arrays, tuple):
            raise TypeError("block: write lists of blocks, not tuples: a tuple could mean an array")
        return 0
    depths = {_depth(entry) for entry in arrays}
    if len(depths) != 1:
        raise ShapeError(
            "block: an empty list has no blocks"
            if not depths
            else "block: the lists of blocks "
            f"are nested {min(depths) + 1} and {max(depths) + 1} deep; all must have the same depth"
        )
    return depths.pop() + 1


def _blocks(arrays: Array) -> Array:
    if isinstance(arrays, list):
        for entry in arrays:
            yield from _blocks(entry)
    else:
        yield as_operand(arrays)


def _block(arrays: Array, depth: int, ndim: int) -> Array:
    if isinstance(arrays, list):
        return concatenate([_block(entry, depth - 1, ndim) for entry in arrays], -depth)
    x = as_operand(arrays)
    return reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x


# ---- inserting and deleting ---------------------------------------------------------------------


@composed
def append(x: Operand, values: Operand, axis: int | None = None) -> Array:
    """`values` appended to x along `axis`; if `axis` is None, x and `values` are flattened
    first."""
    if axis is None:
        return concatenate([ravel(as_operand(x)), ravel(as_operand(values))])
    return concatenate([as_operand(x), as_operand(values)], axis)


def _line(name: str, x: Array, axis: int | None) -> tuple[Any, int]:
    """x, flattened if `axis` is None, and `axis` as a negative axis."""
    x = as_operand(x)
    if axis is None:
        x, axis = ravel(x), -1
    check_axis(name, axis, x)
    return x, from_end(axis, x.ndim)


def _places(name: str, function: Any, length: int, obj: Any, *values: Any) -> Array:
    """The result of `function`, which is np.insert or np.delete, on the indices of `length`
    elements."""
    obj = obj if isinstance(obj, slice | int) else host_setting(obj)
    try:
        return function(np.arange(length), obj, *values)
    except (IndexError, ValueError) as error:
        raise IndexingError(
            f"{name}: {obj} does not fit an axis of length {length}: {error}"
        ) from error


@composed
def insert(x: Operand, obj: Any, values: Operand, axis: int | None = None) -> Array:
    """x with `values`, cast to the dtype of x, inserted before the indices `obj` along `axis`; if
    `axis` is None, x is flattened first. `obj` is an integer, a slice, or a list of integers or
    booleans."""
    x, axis = _line("insert", x, axis)
    length, values = x.shape[axis], as_operand(values)
    if getattr(values, "requires_grad", False) and not np.can_cast(
        values.dtype, x.dtype, "same_kind"
    ):
        raise DTypeError(
            f"insert: casting the tracked values from {values.dtype} to {x.dtype}, the dtype of x, "
            "would lose a part of them and their gradient; convert x first, as in x.astype(float)"
        )
    values = values if values.dtype == x.dtype else astype(values, x.dtype)
    values = reshape(values, (1,) * (x.ndim - values.ndim) + values.shape)
    single = not isinstance(obj, slice) and np.ndim(host_setting(obj)) == 0
    if single:  # NumPy then counts the inserted values along axis 0
        values = moveaxis(values, 0, axis)
        count = values.shape[axis]
    else:
        count = len(_places("insert", np.insert, length, obj, 0)) - length
    shape = (*x.shape[: x.ndim + axis], count, *x.shape[x.ndim + axis + 1 :])
    joined = concatenate([x, broadcast_to(values, shape)], axis)
    order = _places("insert", np.insert, length, obj, length + np.arange(count))
    return _getitem(joined, along(axis, order.tolist()))


@composed
def delete(x: Operand, obj: Any, axis: int | None = None) -> Array:
    """x without the elements at the indices `obj` along `axis`; if `axis` is None, x is flattened
    first. `obj` is an integer, a slice, or a list of integers or booleans."""
    x, axis = _line("delete", x, axis)
    kept = _places("delete", np.delete, x.shape[axis], obj)
    if isinstance(obj, int):  # two slices, without an index array
        cut = int(obj) % x.shape[axis]
        parts = [_getitem(x, along(axis, part)) for part in (slice(cut), slice(cut + 1, None))]
        return concatenate(parts, axis)
    return _getitem(x, along(axis, kept.tolist()))


# ---- splitting ----------------------------------------------------------------------------------


@composed
def array_split(x: Operand, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """The parts of x along `axis`: a number of sections of nearly equal length, or the parts
    between the listed indices."""
    x = as_operand(x)
    check_axis("array_split", axis, x)
    axis, length = from_end(axis, x.ndim), x.shape[axis]
    if isinstance(indices_or_sections, int | np.integer):
        sections = int(indices_or_sections)
        if sections < 1:
            raise ShapeError(
                f"array_split: the number of sections must be 1 or more, not {sections}"
            )
        short, longer = divmod(length, sections)
        ends = np.cumsum([short + 1] * longer + [short] * (sections - longer)).tolist()[:-1]
    else:
        ends = [int(n) for n in host_setting(indices_or_sections)]
    spans = zip([0, *ends], [*ends, length], strict=True)
    return [_getitem(x, along(axis, slice(start, stop))) for start, stop in spans]


@composed
def split(x: Operand, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """The parts of x along `axis`: a number of sections of equal length, or the parts between the
    listed indices."""
    x = as_operand(x)
    check_axis("split", axis, x)
    if isinstance(indices_or_sections, int | np.integer) and x.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"split: axis {axis} of shape {x.shape} does not split into {indices_or_sections} "
            "equal sections; array_split allows unequal ones"
        )
    return array_split(x, indices_or_sections, axis)


def _split_along(name: str, x: Array, where: Any, axis: int, least: int) -> list[Any]:
    x = as_operand(x)
    if x.ndim < least:
        raise ShapeError(f"{name}: x needs {least} axes or more; it has shape {x.shape}")
    return split(x, where, axis)


@composed
def hsplit(x: Operand, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 1; along axis 0 for a vector."""
    x = as_operand(x)
    return _split_along("hsplit", x, indices_or_sections, min(x.ndim - 1, 1), 1)


@composed
def vsplit(x: Operand, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 0 of an array with two axes or more."""
    return _split_along("vsplit", x, indices_or_sections, 0, 2)


@composed
def dsplit(x: Operand, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 2 of an array with three axes or more."""
    return _split_along("dsplit", x, indices_or_sections, 2, 3)


@composed
def unstack(x: Operand, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of x along `axis`, each without this axis, as a tuple."""
    x = as_operand(x)
    check_axis("unstack", axis, x)
    lines = moveaxis(x, axis, 0) if axis else x
    return tuple(_getitem(lines, place) for place in range(lines.shape[0]))
