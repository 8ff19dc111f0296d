"""The types of traced values, for `isinstance`."""

from autograd_core.engine.tensor import Tensor as ArrayBox
from autograd_core.transforms.boxes import Box

__all__ = ["ArrayBox", "Box"]
