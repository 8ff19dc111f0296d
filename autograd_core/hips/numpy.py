"""`autograd_core.numpy` with the few functions that HIPS autograd adds to NumPy's or changes."""

from __future__ import annotations

from typing import Any

import numpy as _numpy

import autograd_core.numpy as _ours
from autograd_core.engine.tensor import Tensor as _Tensor
from autograd_core.engine.untracked import tensors_in as _tensors_in
from autograd_core.hips.primitives import getval as _getval
from autograd_core.ops.diagonals import make_diagonal as make_diagonal

__path__: list[str] = []  # so that submodules can be imported, see `__init__`


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """NumPy's `where`. If all arguments are Python numbers or lists of them, so is the result."""
    if x is None and y is None:
        return _ours.where(condition)
    chosen = _ours.where(condition, x, y)
    arrays = (_numpy.ndarray, _numpy.generic, _Tensor)
    return chosen if _holds((condition, x, y), arrays) else chosen.tolist()


def metadata(x: Any) -> tuple[Any, int, Any, bool]:
    """The shape, the number of axes, the dtype of x, and whether it is complex."""
    return _numpy.shape(x), _numpy.ndim(x), _numpy.result_type(x), bool(_numpy.iscomplexobj(x))


def isscalar(x: Any) -> bool:
    """True for a number, also a traced one."""
    return bool(_numpy.isscalar(_getval(x)))


def _holds(value: Any, types: Any) -> bool:
    """True if `value` is of these types, or a list that contains one that is."""
    if isinstance(value, list | tuple):
        return any(_holds(entry, types) for entry in value)
    return isinstance(value, types)


def _integers(kind: Any) -> Any:
    """An integer type of NumPy that converts a tracked Tensor, too; it has no gradient."""

    def __new__(cls: Any, x: Any = 0, *args: Any) -> Any:
        if next(_tensors_in(x), None) is None:
            return kind(x, *args)
        return _numpy.asarray(_getval(x)).astype(kind)[()]

    return type(kind.__name__, (kind,), {"__new__": __new__})


int8, int16, int32, int64 = map(_integers, (_numpy.int8, _numpy.int16, _numpy.int32, _numpy.int64))


def __getattr__(name: str) -> Any:
    return getattr(_ours, name)


def __dir__() -> list[str]:
    return sorted({*dir(_ours), "make_diagonal"})
