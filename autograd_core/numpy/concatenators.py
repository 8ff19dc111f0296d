"""``r_[…]`` and ``c_[…]``, which join arrays written in brackets, for Tensors."""

from __future__ import annotations

from typing import Any

import numpy

from autograd_core import ops
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public
from autograd_core.interface import creation
from autograd_core.numpy.calls import contain_tensor

NUMBERS = (bool, int, float, complex)  # they do not determine the dtype of the result


class Rows:
    """``r_[x, 1.0, 0:3]``: numbers, ranges and arrays, joined along the first axis.

    Without a Tensor it is NumPy's ``r_``. With one the result is a Tensor, of the dtype of NumPy's
    result. Raises NotDifferentiableError for strings such as ``"r"`` or ``"0,2"``.
    """

    theirs: Any = numpy.r_
    axis = 0

    @public
    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not contain_tensor(parts):
            return self.theirs[key]
        name = f"{type(self).__name__.lower()[0]}_"
        if any(isinstance(part, str) for part in parts):
            raise NotDifferentiableError(
                f"np.{name}: strings such as {next(p for p in parts if isinstance(p, str))!r} are "
                "not supported with Tensors. Use np.concatenate([…], axis) or np.stack([…], axis)"
            )
        operands = [_operand(part) for part in parts]
        dtype = numpy.result_type(*(x if isinstance(x, NUMBERS) else x.dtype for x in operands))
        joined = [self._placed(creation.asarray(x, dtype)) for x in operands]
        return ops.concatenate(joined, self.axis)

    def __len__(self) -> int:
        return 0

    def _placed(self, x: Tensor) -> Any:
        return ops.atleast_1d(x)


class Columns(Rows):
    """``c_[x, y]``: arrays joined along the last axis; an array of one axis becomes a column.

    Without a Tensor it is NumPy's ``c_``; see `Rows`.
    """

    theirs: Any = numpy.c_
    axis = -1

    def _placed(self, x: Tensor) -> Any:
        return x if x.ndim > 1 else ops.reshape(x, (-1, 1))


def _operand(part: Any) -> Any:
    """A part of the brackets as a number, an array or a Tensor; a slice is a range of numbers."""
    if isinstance(part, slice):
        return numpy.r_[part]
    if isinstance(part, (*NUMBERS, Tensor)):
        return part
    return creation.asarray(part)
