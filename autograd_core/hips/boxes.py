"""The types of traced values, for `isinstance`, and their value as the attribute `_value`."""

from __future__ import annotations

from autograd_core.engine.tensor import Tensor
from autograd_core.hips.primitives import getval
from autograd_core.transforms.boxes import Box

__all__ = ["ArrayBox", "Box"]

ArrayBox = Tensor
Tensor._value = property(getval)  # type: ignore[attr-defined]
