"""The arrays of a module: those that are trained, and others of its state."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor
from autograd_core.devices import backend


class Parameter(Tensor):
    """A Tensor that a `Module` trains: a leaf that requires a gradient.

    Parameters
    ----------
    data : array_like
        The initial values. An array is shared, not copied.
    dtype : dtype, optional
        The dtype, by default that of the data.
    name : str, optional
        A name for error messages and drawings.

    Raises
    ------
    DTypeError
        If the data are not floating-point or complex numbers.

    See Also
    --------
    Buffer : An array of a module that is not trained.

    Examples
    --------
    >>> import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale().parameters()
    [Tensor([2.], requires_grad=True)]
    """

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, requires_grad=True, dtype=dtype, name=name)


class Buffer(Tensor):
    """An array of a `Module` that is not trained, such as a running mean.

    It belongs to the state of the module, and moves with it.

    Parameters
    ----------
    data : array_like
        The initial values. An array is shared, not copied.
    dtype : dtype, optional
        The dtype, by default that of the data.
    persistent : bool, default True
        If false, it is not in ``state_dict()``.

    Raises
    ------
    DTypeError
        If the data are not numbers or booleans.

    See Also
    --------
    Parameter : A Tensor of a module that is trained.

    Examples
    --------
    >>> import nn
    >>> class Centered(nn.Module):
    ...     def __init__(self):
    ...         self.mean = nn.Buffer([0.5])
    ...     def forward(self, x):
    ...         return x - self.mean
    >>> Centered().state_dict()
    {'mean': array([0.5])}
    """

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
