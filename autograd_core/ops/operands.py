"""Operands of composed functions, which accept anything that NumPy can convert to an array."""

from __future__ import annotations

from autograd_core.devices import backend
from autograd_core.engine.operands import gathered
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array


def as_operand(value: Array) -> Array:
    """`value` itself if it is a Tensor or an array, else `value` converted to an array, or to a
    Tensor if it is a list that contains Tensors."""
    if isinstance(value, Tensor) or backend.is_array(value):
        return value
    value = gathered(value)
    return value if isinstance(value, Tensor) else backend.asarray(value)
