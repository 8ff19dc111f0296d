"""Operands of composed functions, which may be given as anything that NumPy makes an array of."""

from __future__ import annotations

from typing import Any

from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor

__all__ = ["as_operand"]


def as_operand(value: Any) -> Any:
    """`value` itself where it is a Tensor or an array, else an array of it."""
    return value if isinstance(value, Tensor) or backend.is_array(value) else backend.asarray(value)
