"""Functions that create Tensors, with NumPy's names and parameters, and the parameter `device`.

Unlike operations, they always return Tensors, on `device` or on the device of an enclosing
``with device(...)``. The default dtypes are NumPy's.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.devices import backend
from autograd_core.engine.docstrings import described
from autograd_core.engine.op import composed
from autograd_core.engine.operands import gathered
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Operand
from autograd_core.engine.untracked import tensors_in
from autograd_core.errors import GraphError
from autograd_core.ops.shaping import _cast

__all__ = [
    "arange",
    "array",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "indices",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "zeros",
    "zeros_like",
]

ShapeLike = int | tuple[int, ...]


@described
def asarray(
    data: Any, dtype: Any = None, *, device: str | None = None, copy: bool | None = None
) -> Tensor:
    """`data` as a Tensor. A Tensor, tracked or not, is returned unchanged if no conversion
    is needed.

    `copy` is True (always copy), None (copy only if needed) or False (raise ValueError if a copy is
    needed).
    """
    data = gathered(data)
    if isinstance(data, Tensor):
        return _converted(data, dtype, device, copy)
    array = backend.asarray(data, dtype, device)
    if copy and backend.is_array(data) and array is data:
        array = backend.run_there(array, array.copy)
    if copy is False and array is not data:
        raise ValueError("asarray: copy=False, but this data has to be copied to become a Tensor")
    return make(array, None)


def _converted(x: Tensor, dtype: Any, device: str | None, copy: bool | None) -> Tensor:
    out = x if dtype is None or x.dtype == dtype else ops.astype(x, dtype)
    out = out if device is None else out.to(device)
    if copy is False and out is not x:
        raise ValueError(
            f"asarray: copy=False, but a {x.dtype} Tensor on {x.device} has to be copied to become "
            f"{out.dtype} on {out.device}"
        )
    return ops.copy(x) if copy and out is x else out


@described
def array(
    data: Any,
    dtype: Any = None,
    *,
    copy: bool = True,
    ndmin: int = 0,
    device: str | None = None,
) -> Tensor:
    """A Tensor of `data`, copied unless `copy` is false. Axes of length 1 are added in front, up to
    `ndmin` axes."""
    out = asarray(data, dtype, device=device, copy=True if copy else None)
    return out if out.ndim >= ndmin else ops.reshape(out, (1,) * (ndmin - out.ndim) + out.shape)


def _refuse_tracked(name: str, given: Any) -> None:
    if any(tensor.requires_grad for tensor in tensors_in(given)):
        raise GraphError(
            f"{name}: the arguments are not differentiable, so none of them can be a tracked "
            "Tensor; pass tensor.item()"
        )


def _new(name: str, *operands: Any, device: str | None, **settings: Any) -> Tensor:
    """A Tensor created by the function `name` of NumPy or, on a device, of CuPy."""
    _refuse_tracked(name, operands)
    return make(backend.created(name, device, *operands, **settings), None)


@described
def zeros(shape: ShapeLike, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Zeros, float64 by default."""
    return _new("zeros", shape, device=device, dtype=dtype or np.float64)


@described
def ones(shape: ShapeLike, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Ones, float64 by default."""
    return _new("ones", shape, device=device, dtype=dtype or np.float64)


@described
def empty(shape: ShapeLike, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """Uninitialized elements, float64 by default."""
    return _new("empty", shape, device=device, dtype=dtype or np.float64)


@described
def full(
    shape: ShapeLike, fill_value: Any, dtype: Any = None, *, device: str | None = None
) -> Tensor:
    """A Tensor in which every element is `fill_value`. A Tensor is broadcast, and its gradient is
    the sum over the elements."""
    fill_value = gathered(fill_value)
    if isinstance(fill_value, Tensor):
        return ops.copy(ops.broadcast_to(asarray(fill_value, dtype, device=device), shape))
    return _new("full", shape, fill_value, device=device, dtype=dtype)


@described
def eye(
    n: int, m: int | None = None, k: int = 0, dtype: Any = None, *, device: str | None = None
) -> Tensor:
    """A matrix of n rows and m columns with ones on the `k`-th diagonal and zeros elsewhere."""
    return _new("eye", n, m, k=k, device=device, dtype=dtype or np.float64)


@described
def identity(n: int, dtype: Any = None, *, device: str | None = None) -> Tensor:
    """The identity matrix of n rows."""
    return eye(n, dtype=dtype, device=device)


@described
def tri(
    n: int, m: int | None = None, k: int = 0, dtype: Any = None, *, device: str | None = None
) -> Tensor:
    """A matrix of n rows and m columns with ones on and below the `k`-th diagonal, else zeros."""
    return _new("tri", n, m, k=k, device=device, dtype=dtype or np.float64)


@described
def indices(dimensions: tuple[int, ...], dtype: Any = int, *, device: str | None = None) -> Tensor:
    """The indices of every element along each axis; shape (ndim, *dimensions)."""
    return _new("indices", dimensions, device=device, dtype=dtype)


@described
def arange(
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = None,
    *,
    device: str | None = None,
) -> Tensor:
    """Numbers from `start` up to, not including, `stop`; from 0 if only one bound is given."""
    bounds = (0, start) if stop is None else (start, stop)
    return _new("arange", *bounds, step, device=device, dtype=dtype)


def _fractions(like: Tensor, num: int, endpoint: bool) -> Tensor:
    """`num` evenly spaced numbers from 0 to 1, without 1 if `endpoint` is false. They have shape
    (num, 1, …, 1), so that they broadcast with `like`, and the floating dtype of `like`."""
    steps = np.arange(num) / max(num - 1 if endpoint else num, 1)
    dtype = like.dtype if like.dtype.kind in "fc" else np.dtype(float)
    return Tensor(steps.reshape((num,) + (1,) * like.ndim), dtype=dtype, device=like.device)


def _spaced(
    name: str, start: Any, stop: Any, axis: int, dtype: Any, device: Any, **how: Any
) -> Any:
    """The result of NumPy's function `name` if `start` and `stop` are numbers, else None."""
    if hasattr(start, "ndim") or hasattr(stop, "ndim"):
        return None
    return _new(name, start, stop, axis=axis, dtype=dtype, device=device, **how)


def _placed(out: Operand, axis: int, dtype: Any) -> Tensor:
    out = ops.moveaxis(out, 0, axis) if axis else out
    return out if dtype is None else _cast(out, dtype)


@composed
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: str | None = None,
) -> Any:
    """`num` evenly spaced numbers from `start` to `stop`, which may be Tensors: the numbers are
    ``start * (1 - t) + stop * t`` for t from 0 to 1. With `retstep` returns (numbers, step)."""
    start, stop = gathered(start), gathered(stop)
    out = _spaced("linspace", start, stop, axis, dtype, device, num=num, endpoint=endpoint)
    if out is None:
        start, stop = asarray(start), asarray(stop)
        t = _fractions(stop - start, num, endpoint)
        out = _placed(start * (1 - t) + stop * t, axis, dtype)
    return (out, (stop - start) / max(num - endpoint, 1)) if retstep else out


@composed
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: str | None = None,
) -> Any:
    """`base` to the power of `num` numbers evenly spaced from `start` to `stop`."""
    out = base ** linspace(start, stop, num, endpoint, axis=axis, device=device)
    return _placed(out, 0, dtype)


@composed
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: str | None = None,
) -> Any:
    """`num` numbers from `start` to `stop` in a geometric progression."""
    start, stop = gathered(start), gathered(stop)
    out = _spaced("geomspace", start, stop, axis, dtype, device, num=num, endpoint=endpoint)
    if out is None:
        start = asarray(start)
        ratio = stop / start
        out = _placed(start * ratio ** _fractions(ratio, num, endpoint), axis, dtype)
    return out


def _like(
    name: str, x: Operand, dtype: Any, shape: Any, device: str | None, **settings: Any
) -> Tensor:
    _refuse_tracked(name, settings)
    x = gathered(x)
    prototype = x.data if isinstance(x, Tensor) else backend.asarray(x)
    settings |= {"dtype": dtype, "shape": shape}
    made = backend.run_there(prototype, partial(getattr(np, name), **settings), prototype)
    return make(made if device is None else backend.to_device(made, device), None)


@described
def zeros_like(
    x: Operand, dtype: Any = None, *, shape: ShapeLike | None = None, device: str | None = None
) -> Tensor:
    """Zeros. The shape, dtype and device are those of x where no other is given."""
    return _like("zeros_like", x, dtype, shape, device)


@described
def ones_like(
    x: Operand, dtype: Any = None, *, shape: ShapeLike | None = None, device: str | None = None
) -> Tensor:
    """Ones. The shape, dtype and device are those of x where no other is given."""
    return _like("ones_like", x, dtype, shape, device)


@described
def empty_like(
    x: Operand, dtype: Any = None, *, shape: ShapeLike | None = None, device: str | None = None
) -> Tensor:
    """Uninitialized. The shape, dtype and device are those of x where no other is given."""
    return _like("empty_like", x, dtype, shape, device)


@described
def full_like(
    x: Operand,
    fill_value: Any,
    dtype: Any = None,
    *,
    shape: ShapeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """A Tensor in which every element is `fill_value`, which is broadcast if it is a Tensor. The
    shape, dtype and device are those of x where no other is given."""
    x, fill_value = gathered(x), gathered(fill_value)
    if isinstance(fill_value, Tensor):
        shape = np.shape(x) if shape is None else shape
        return full(shape, fill_value, dtype or x.dtype, device=device)
    return _like("full_like", x, dtype, shape, device, fill_value=fill_value)
