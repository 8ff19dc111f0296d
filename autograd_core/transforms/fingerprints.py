"""Compare the results of two runs of a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.stamps import sequence_numbers, stamps
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array
from autograd_core.transforms.tree import leaves


class Fingerprint:
    """A record of the result of a function, to compare with the result of a second run.

    For an array on the host, only a checksum of its bits is stored, in which all NaNs are equal. On
    a device the order of summation is not defined; an array there is stored, and compared to within
    sqrt(eps) times its largest element.
    """

    def __init__(self, result: Any) -> None:
        self.number = next(sequence_numbers)
        self.marks = {path: _mark(leaf) for path, leaf in leaves(result)}

    def difference(self, result: Any) -> str | None:
        """A description of how `result` differs from the recorded one; None if they agree."""
        found = dict(leaves(result))
        if found.keys() != self.marks.keys():
            return f"it first returned {list(self.marks)} and then {list(found)}"
        for path, leaf in found.items():
            first, second = self.marks[path], _mark(leaf)
            if first[:2] != second[:2]:
                return f"its result{path} was {_described(first)} and is {_described(second)}"
            if not self._is_same(first[2], second[2]):
                return f"its result{path}, {_described(first)}, has other values"
        return None

    def _is_same(self, first: Any, second: Any) -> bool:
        if not backend.is_array(first):
            return bool(first == second)
        if stamps.find(first)[0] > self.number:
            return True  # the first result was overwritten: it cannot be compared
        return bool(backend.run_there(first, _is_close, first, second))


def _described(mark: tuple[Any, Any, Any]) -> str:
    shape, dtype, _ = mark
    return f"of shape {shape} and dtype {dtype}" if shape is not None else f"of type {dtype}"


def _mark(leaf: Any) -> tuple[Any, Any, Any]:
    """(shape, dtype, a fingerprint of the values)."""
    array = leaf._array if isinstance(leaf, Tensor) else leaf
    if isinstance(array, bool | int | float | complex | np.generic):
        array = np.asarray(array)
    if not backend.is_array(array) or array.dtype.hasobject:
        return None, type(leaf).__name__, None
    on_host = isinstance(array, np.ndarray)
    return array.shape, array.dtype, _checksum(array) if on_host else array


@np.errstate(all="ignore")
def _checksum(array: Array) -> int:
    from zlib import crc32

    if array.dtype.char in "gG":  # a long double contains padding bytes
        array = np.stack([array.real, array.imag])
        leading = array.astype(float)
        array = np.stack([leading, (array - leading).astype(float)])
    if array.dtype.kind in "fc" and array.size and np.isnan(np.min(array)):
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    array = np.ascontiguousarray(array)
    return crc32(array)


def _is_close(first: Any, second: Any) -> Any:
    if first.dtype.kind not in "fc" or not first.size:
        return np.all(first == second)
    size = np.where(np.isfinite(first), np.abs(first), 0)
    bound = np.sqrt(np.finfo(first.dtype).eps) * np.max(size)
    nan = np.isnan(first) & np.isnan(second)
    return np.all((first == second) | nan | (np.abs(first - second) <= bound))
