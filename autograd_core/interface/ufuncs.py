"""NumPy's ufuncs on Tensors: calls with ``out=`` and ``where=``, and methods such as ``reduce``.

All are composed of the operation for the ufunc, here called `ours`, which supports every order of
derivative and every device. A reduction calls it once per element along the axis; only the
reductions in `REDUCED_BY` and `RUNNING`, such as sums, are single operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.devices import backend
from autograd_core.engine.stamps import stamp
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Operand
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.errors import DTypeError, NotDifferentiableError, ShapeError
from autograd_core.interface.writes import check_out, own, recorded, write_out
from autograd_core.ops.axes import joined, negative_axes
from autograd_core.ops.elementwise import where as choose
from autograd_core.ops.indexing import _add_at, _getitem
from autograd_core.ops.operands import as_operand

Ours = Callable[..., Any]

REDUCED_BY: dict[Any, Ours] = {
    np.add: ops.sum,
    np.multiply: ops.prod,
    np.maximum: ops.max,
    np.minimum: ops.min,
    np.logical_and: ops.all,
    np.logical_or: ops.any,
}
RUNNING: dict[Any, Ours] = {
    np.add: ops.cumsum,
    np.multiply: ops.cumprod,
    np.maximum: ops.cummax,
    np.minimum: ops.cummin,
}
# NumPy's default values of parameters for which no other value is supported
DEFAULTS = {"casting": "same_kind", "order": "K", "signature": None}


def call(ufunc: Any, ours: Ours, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """``ufunc(*inputs, out=…, where=…, dtype=…)``."""
    if settings.get("axes") == [(-2, -1)] * 3:  # what ``array @= tensor`` passes
        del settings["axes"]
    settings.pop("subok", None)  # there are no Tensors of another class
    for name, default in DEFAULTS.items():
        if settings.pop(name, default) != default:
            raise NotDifferentiableError(
                f"np.{ufunc.__name__}: only {name}={default!r} is supported for Tensors"
            )
    dtype, where = settings.pop("dtype", None), settings.pop("where", True)
    out = settings.pop("out", None)
    check_out(_name(ufunc), out, where)
    if dtype is not None:
        inputs = tuple(_in_dtype(ufunc.__name__, x, dtype) for x in inputs)
        _check_loop(ufunc, inputs, dtype)
    if where is True:
        return write_out(_name(ufunc), ours(*inputs, **settings), out)
    if ufunc.signature is not None:
        raise NotDifferentiableError(f"np.{ufunc.__name__} does not support where=")
    return _where(ufunc, ours, inputs, where, out)


def _where(ufunc: Any, ours: Ours, inputs: tuple[Any, ...], where: Any, out: Operand) -> Any:
    """Call the ufunc on the elements for which the mask `where` is true, and write the results to
    `out`. The other elements are not computed and get no gradient."""
    first = out[0] if isinstance(out, tuple) else out
    mask = ops.broadcast_to(as_operand(where), first.shape)
    picked = [
        x if isinstance(x, bool | int | float | complex) else _at(as_operand(x), mask)
        for x in inputs
    ]
    return write_out(_name(ufunc), ours(*picked), out, mask)


def _at(x: Operand, mask: Any) -> Any:
    return _getitem(ops.broadcast_to(x, mask.shape), mask)


def _check_loop(ufunc: Any, inputs: tuple[Any, ...], dtype: Any) -> None:
    """Raise if NumPy has no loop that computes these operands in `dtype`."""
    try:
        shape = (1,) if ufunc.signature is None else (1, 1)
        with np.errstate(all="ignore"):  # arctanh(1)
            ufunc(*(np.ones(shape, x.dtype) for x in inputs), dtype=dtype)
    except TypeError as error:
        raise DTypeError(f"np.{ufunc.__name__}: dtype={dtype}: {error}") from error


def _in_dtype(name: str, x: Operand, dtype: Any) -> Any:
    """The operand x in `dtype`. A Python number is converted; an array must allow the cast."""
    if isinstance(x, bool | int | float | complex):
        return np.dtype(dtype).type(x)
    x = as_operand(x)
    if np.dtype(dtype).kind not in "fc" or not np.can_cast(x.dtype, dtype, "same_kind"):
        raise DTypeError(
            f"np.{name}: an operand of dtype {x.dtype} cannot be computed with dtype={dtype}"
        )
    return x if x.dtype == dtype else ops.astype(x, dtype)


def _name(ufunc: Any, method: str = "") -> str:
    return f"np.{ufunc.__name__}.{method}" if method else f"np.{ufunc.__name__}"


# ---- methods ------------------------------------------------------------------------------------


def outer(ufunc: Any, ours: Ours, x: Operand, y: Operand, **settings: Any) -> Any:
    """Call the ufunc on all pairs of an element of x and an element of y."""
    x, y = as_operand(x), as_operand(y)
    return call(ufunc, ours, (x.reshape(x.shape + (1,) * y.ndim), y), settings)


def _taken_together(method: Any, x: Operand, axis: Any, **settings: Any) -> Any:
    """x in the dtype in which NumPy computes the reduction `method`. Raises ShapeError or
    DTypeError if NumPy raises an error for this axis and dtype."""
    name = f"np.{method.__self__.__name__}.{method.__name__}"
    try:
        dtype = method(np.ones((1,) * x.ndim, x.dtype), axis=axis, **settings).dtype
    except (ValueError, IndexError) as error:
        raise ShapeError(f"{name}: x has shape {x.shape}: {error}") from error
    except TypeError as error:
        raise DTypeError(f"{name}: x has dtype {x.dtype}: {error}") from error
    return x if x.dtype == dtype else ops.astype(x, dtype)


def reduce(
    ufunc: Any,
    ours: Ours,
    x: Operand,
    axis: Any = 0,
    dtype: Any = None,
    out: Operand = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Reduce x along `axis` by the ufunc, one element after the other."""
    x = as_operand(x)
    check_out(_name(ufunc, "reduce"), out)
    target = out[0] if isinstance(out, tuple) else out
    if dtype is None and target is not None and ufunc in (np.add, np.multiply):
        dtype = np.result_type(x.dtype, target.dtype)
    if dtype is not None:
        x = _in_dtype(f"{ufunc.__name__}.reduce", x, dtype) if x.dtype != dtype else x
    x = _taken_together(ufunc.reduce, x, axis, keepdims=keepdims)
    axes = negative_axes(axis, x.ndim)
    if initial is not None and not isinstance(initial, Tensor):
        initial = _as(x.dtype, initial)
    given = {"initial": initial} if initial is not None else {}
    given |= {"where": where} if where is not True else {}
    whole = REDUCED_BY.get(ufunc)
    if whole is not None and (initial is None or (x.size and x.dtype != np.bool_)):
        return write_out(
            _name(ufunc, "reduce"), whole(x, axis=axis, keepdims=keepdims, **given), out
        )
    lines = _parts(joined(x, axes))
    masks = None if where is True else ops.broadcast_to(as_operand(where), x.shape)
    mask = [] if masks is None else _parts(joined(masks, axes))
    folded = _folded(ufunc, ours, lines, initial, mask, x.dtype)
    if not lines:  # an initial value, and no elements
        folded = ops.astype(ops.sum(joined(x, axes), -1) + folded, x.dtype)
    if keepdims:
        kept = tuple(1 if a - x.ndim in axes else n for a, n in enumerate(x.shape))
        folded = folded.reshape(kept)
    return write_out(_name(ufunc, "reduce"), folded, out)


def _parts(lines: Any) -> list[Any]:
    return [lines[..., i] for i in range(lines.shape[-1])]


def _as(dtype: Any, number: Any) -> Any:
    return np.asarray(number).astype(dtype)[()]


def _folded(
    ufunc: Any, ours: Ours, parts: list[Any], initial: Any, mask: list[Any], dtype: Any
) -> Any:
    """The last value of `_running`; without elements, `initial` or the identity of the ufunc."""
    if initial is None and (mask or not parts):
        if ufunc.identity is None:
            raise ShapeError(
                f"np.{ufunc.__name__}.reduce: the ufunc has no identity; pass initial="
            )
        initial = _as(dtype, ufunc.identity)
    return _running(ours, parts, initial, mask)[-1]


def _running(ours: Ours, parts: list[Any], initial: Any = None, mask: Any = ()) -> list[Any]:
    values = [initial] if initial is not None else [parts[0]]
    for i, part in enumerate(parts[len(values) if initial is None else 0 :]):
        if mask:
            step = ours(values[-1], choose(mask[i], part, _as(part.dtype, 1)))
            values.append(choose(mask[i], step, values[-1]))
        else:
            values.append(ours(values[-1], part))
    return values


def accumulate(
    ufunc: Any, ours: Ours, x: Operand, axis: int = 0, dtype: Any = None, out: Operand = None
) -> Any:
    """All partial reductions along `axis`: result i reduces the first i + 1 elements."""
    x = as_operand(x)
    check_out(_name(ufunc, "accumulate"), out)
    if dtype is not None:
        x = _in_dtype(f"{ufunc.__name__}.accumulate", x, dtype)
    if not x.ndim:
        raise ShapeError(f"np.{ufunc.__name__}.accumulate: x has no axes")
    x = _taken_together(ufunc.accumulate, x, axis)
    if ufunc in RUNNING and x.dtype != np.bool_:
        return write_out(_name(ufunc, "accumulate"), RUNNING[ufunc](x, axis=axis), out)
    lines = ops.moveaxis(x, axis, -1)
    found = ops.stack(_running(ours, _parts(lines)), -1) if lines.shape[-1] else lines.copy()
    return write_out(_name(ufunc, "accumulate"), ops.moveaxis(found, -1, axis), out)


def reduceat(
    ufunc: Any,
    ours: Ours,
    x: Operand,
    indices: Any,
    axis: int = 0,
    dtype: Any = None,
    out: Operand = None,
) -> Any:
    """Reduce slices along `axis`. Slice i is ``x[indices[i]:indices[i + 1]]``, or the single
    element ``x[indices[i]]`` if the next index is not larger."""
    x = as_operand(x)
    check_out(_name(ufunc, "reduceat"), out)
    places = [int(i) for i in np.asarray(backend.asnumpy(as_operand(unwrap_nested(indices))))]
    length = x.shape[axis]
    for place in places:
        if not 0 <= place < length:
            raise ShapeError(
                f"np.{ufunc.__name__}.reduceat: index {place} is out of range for axis {axis} of "
                f"x, which has shape {x.shape}"
            )
    lines = ops.moveaxis(x, axis, 0)
    parts = [
        reduce(ufunc, ours, lines[start : max(stop, start + 1)], 0, dtype)
        for start, stop in zip(places, [*places[1:], length], strict=True)
    ]
    found = ops.stack(parts, 0) if parts else lines[:0].copy()
    return write_out(_name(ufunc, "reduceat"), ops.moveaxis(found, 0, axis), out)


def at(ufunc: Any, ours: Ours, x: Operand, index: Any, *values: Any) -> None:
    """``x[index] = ufunc(x[index], value)``, but applied to an element as often as it occurs in the
    index."""
    if not isinstance(x, Tensor):
        check_out(_name(ufunc, "at"), x, tracked=any(recorded(x, v) for v in values))
        ufunc.at(x, *unwrap_nested((index, *values)))
        return
    tracked = recorded(x, *values)
    if not tracked and isinstance(x._array, np.ndarray):
        own(x)
        ufunc.at(x._array, *unwrap_nested((index, *values)))
        stamp(x)
    elif ufunc in (np.add, np.subtract):
        (value,) = values
        write_out(
            _name(ufunc, "at"),
            _add_at(x, index, value if ufunc is np.add else -as_operand(value)),
            x,
        )
    else:
        _one_by_one(ours, x, index, values)


def _one_by_one(ours: Ours, x: Tensor, index: Any, values: tuple[Any, ...]) -> None:
    """`at` in several writes, in each of which every element occurs at most once."""
    places = np.arange(x.size).reshape(x.shape)[_on_host(unwrap_nested(index))]
    values = tuple(  # copies, because they may be views of x
        v if np.ndim(v) == 0 else ops.broadcast_to(as_operand(v), places.shape).reshape(-1).copy()
        for v in values
    )
    for picks, chosen in _rounds(places.reshape(-1)):
        here = np.unravel_index(chosen, x.shape) if x.ndim else ()
        here = tuple(backend.to_device(part, x.device) for part in here)
        now = (v if np.ndim(v) == 0 else v[backend.to_device(picks, x.device)] for v in values)
        x[here] = ours(x[here], *now)


def _on_host(index: Any) -> Any:
    if isinstance(index, tuple | list):
        return type(index)(map(_on_host, index))
    return backend.asnumpy(index) if backend.is_array(index) else index


def _rounds(places: np.ndarray) -> Any:
    """Yield positions in `places` and the values at these positions: first for the first occurrence
    of each value, then for the second, and so on."""
    order = np.argsort(places, kind="stable")
    ranked = places[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=-1))
    counts = np.diff(starts, append=places.size)
    rank = np.empty(places.size, int)
    rank[order] = np.arange(places.size) - np.repeat(starts, counts)
    for turn in range(int(rank.max(initial=-1)) + 1):
        picks = np.flatnonzero(rank == turn)
        yield picks, places[picks]


UFUNC_METHODS: dict[str, Callable[..., Any]] = {
    "outer": outer,
    "reduce": reduce,
    "accumulate": accumulate,
    "reduceat": reduceat,
    "at": at,
}
