"""The arrays of a module: those that are trained, and others of its state."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor
from autograd_core.devices import backend


class Parameter(Tensor):
    """A leaf that a Module trains. An array `data` is shared, not copied."""

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, requires_grad=True, dtype=dtype, name=name)


class Buffer(Tensor):
    """An array of a Module that is not trained, such as a running mean. It belongs to the state of
    the module, and moves with it. One that is not `persistent` is not in `state_dict`."""

    __slots__ = ("persistent",)

    def __init__(self, data: Any, *, dtype: Any = None, persistent: bool = True) -> None:
        super().__init__(data, dtype=dtype)
        self.persistent = persistent

    def __reduce__(self) -> Any:
        return _restored, (self.data, self.persistent), None

    def __copy__(self) -> Buffer:
        return _restored(self.copy().data, self.persistent)

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        same: Buffer = memo.setdefault(id(self), self.__copy__())
        return same


def _restored(data: Any, persistent: bool) -> Buffer:
    with backend.device(backend.device_of(data)):  # not the one of the context
        return Buffer(data, persistent=persistent)
