"""After `import autograd_core.einops`, ``einops.rearrange(tensor, …)`` works on Tensors too.

Without the import, `einops.array_api` works, as for any Array API standard array.
"""

from __future__ import annotations

from typing import Any

from einops._backends import AbstractBackend  # where other libraries register with einops

import autograd_core as ac
from autograd_core.engine.types import Operand

__all__: list[str] = []


class _Backend(AbstractBackend):
    framework_name = "autograd_core"

    def is_appropriate_type(self, tensor: Any) -> bool:
        return isinstance(tensor, ac.Tensor)

    def from_numpy(self, x: Operand) -> ac.Tensor:
        return ac.Tensor(x)

    def to_numpy(self, x: ac.Tensor) -> Any:
        return x.cpu().numpy()

    def arange(self, start: int, stop: int) -> ac.Tensor:
        return ac.arange(start, stop)

    def stack_on_zeroth_dimension(self, tensors: list[Any]) -> Any:
        return ac.stack(tensors)

    def tile(self, x: Operand, repeats: Any) -> Any:
        return ac.tile(x, repeats)

    def concat(self, tensors: list[Any], axis: int) -> Any:
        return ac.concatenate(tensors, axis)

    def is_float_type(self, x: Operand) -> bool:
        return bool(x.dtype.kind == "f")

    def add_axis(self, x: Operand, new_position: int) -> Any:
        return ac.expand_dims(x, new_position)

    def einsum(self, pattern: str, *x: Any) -> Any:
        return ac.einsum(pattern, *x)
