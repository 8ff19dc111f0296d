"""Conversions of a Tensor that leave the graph, such as ``item()`` and ``numpy()``, and a log of
the recent ones, so that a drawing can explain why a gradient stops.

The log holds at most 256 short records and only weak references to the values.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from operator import index
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.scope import Scope
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.types import Array
from autograd_core.errors import AutogradWarning, GraphError, ShapeError

# Why a tracked Tensor is not accepted as a number or as an array, and what to write instead
AS_NUMBER = (
    "of a tracked Tensor would leave the graph silently. Use tensor.item() for a number to print, "
    "to compare or to add up, and np.sin(tensor) for math.sin(tensor). Write tracked values into "
    "ac.zeros_like(x) or ac.zeros(…), not into a plain array, or stack them with ac.stack([…])"
)
AS_ARRAY = (
    "NumPy asked a tracked Tensor for a plain array, as np.asarray(tensor) does, which would leave "
    "the graph silently. Combine several Tensors into one with ac.array([a, b]) or "
    "ac.stack([a, b]), and pass that to NumPy's functions. Write tracked values into ac.zeros(…), "
    "not into np.zeros(…). Read a number with tensor.item()"
)
INSIDE = ("autograd_core", "nn", "contextlib")


class Exit:
    """A record of a value that left the graph: `number` orders the record among the recorded
    operations, `source` is the operation that computed the value, `line` the line of the user's
    code, `array` a weak reference to the value, and `chooses` whether it is true or false: a
    condition has no gradient to lose."""

    __slots__ = ("array", "chooses", "line", "number", "reason", "scope", "source")

    def __init__(self, reason: str, source: str, scope: Scope | None, array: Array) -> None:
        self.number = next(sequence_numbers)
        self.reason, self.source, self.scope = reason, source, scope
        self.line = user_line()
        self.chooses = getattr(array, "dtype", None) == np.dtype(bool)
        self.array = weakref.ref(array) if type(array).__weakrefoffset__ else None


exits: deque[Exit] = deque(maxlen=256)


def note_exit(
    reason: str, source: str = "", array: Array = None, scope: Scope | None = None
) -> None:
    """Log that a result of the operation `source` leaves the graph at the user's current line."""
    exits.append(Exit(reason, source, scope, array))


def number_of(array: Array, call: str) -> Any:
    """The only element of an array as a Python number."""
    if array.size != 1:
        raise ShapeError(
            f"{call} needs a Tensor of one element; this one has shape {array.shape}. Select one, "
            "as in x[0].item(); reduce it, as in x.sum().item(); or convert all with x.tolist() "
            "(x.detach().tolist() if x is tracked). Write np.sin(x) for math.sin(x)"
        )
    return array.item()


class Exits:
    """The methods of a Tensor, other than `detach()`, that return an array or Python numbers. A
    method raises GraphError if a gradient would be lost silently; `item()` and `int()` are logged
    instead."""

    __slots__ = ()

    if TYPE_CHECKING:
        _array: Any
        node: Any

    def numpy(self) -> Any:
        """The array of an untracked Tensor on the CPU, without a copy: the two share memory.

        Returns
        -------
        ndarray
            The data of the Tensor.

        Raises
        ------
        GraphError
            If the Tensor is tracked; use ``detach().numpy()``.
        TypeError
            If the data is on another device; use ``cpu().numpy()``.
        """
        array = self._leave("numpy()", "detach().numpy()")
        if not isinstance(array, np.ndarray):
            raise TypeError(f"this Tensor is on {backend.device_of(array)}; use .cpu().numpy()")
        return array

    def item(self, *place: Any) -> Any:
        """The only element, or the element at the index `place`, as a Python number.

        Parameters
        ----------
        *place : int
            The index of the element, with one number for each axis, or one number that counts all
            elements.

        Returns
        -------
        bool, int, float or complex
            The element. It is not tracked.

        Raises
        ------
        ShapeError
            Without `place`, if the Tensor does not have one element.
        IndexError
            If there is no element at `place`.
        """
        if self.node is not None:
            note_exit("item()", self.node.name, scope=self.node.scope)
        return self._array.item(*place) if place else number_of(self._array, "item()")

    def tolist(self) -> Any:
        """The elements of an untracked Tensor as nested lists of Python numbers.

        Returns
        -------
        list, or a number for a 0-d Tensor
            A list for each axis. None of its numbers is tracked.

        Raises
        ------
        GraphError
            If the Tensor is tracked; use ``detach().tolist()``.
        """
        return self._leave("tolist()", "detach().tolist()").tolist()

    def __float__(self) -> float:
        return float(self._as_number("float()"))

    def __int__(self) -> int:
        if self.node is not None:
            note_exit("int()", self.node.name, scope=self.node.scope)
        return int(number_of(self._array, "int()"))

    def __complex__(self) -> complex:
        return complex(self._as_number("complex()"))

    def _as_number(self, call: str) -> Any:
        if self.node is not None and self._array.size == 1:
            raise GraphError(f"{call} {AS_NUMBER}")
        return number_of(self._array, call)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __index__(self) -> int:
        array = self._array
        return index(array if isinstance(array, np.ndarray) else array.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.node is not None:
            raise GraphError(AS_ARRAY)
        return np.array(self._array, dtype=dtype, copy=copy)

    def _leave(self, call: str, instead: str) -> Any:
        """The array of an untracked Tensor. Raise GraphError if the Tensor is tracked."""
        if self.node is not None:
            raise GraphError(
                f"{call} would leave the graph silently: this Tensor requires a gradient. "
                f"Use {instead} if that is intended"
            )
        return self._array


def by_user() -> bool:
    """True if the calling function was called by code outside the library."""
    frame = sys._getframe(2)
    return frame.f_globals.get("__name__", "").partition(".")[0] not in INSIDE


def _users_frame() -> tuple[Any, int]:
    """The frame of the code that called the library, and how many levels above the caller it is."""
    frame, level = sys._getframe(1), 0
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        frame, level = frame.f_back, level + 1
    return frame, level


def user_line() -> str:
    """``file:line`` of the code that called the library."""
    frame, _ = _users_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn_user(message: str) -> None:
    """Give an AutogradWarning that names the line of the code that called the library."""
    _, level = _users_frame()
    warn(message, AutogradWarning, stacklevel=level + 1)
