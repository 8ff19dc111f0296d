"""States as JSON and arrays: nested dicts, lists, tuples, numbers, strings and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.errors import DTypeError

# dtypes of safetensors; others are stored as bytes
NATIVE = frozenset({"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
                    "uint64", "float16", "float32", "float64"})  # fmt: skip


def packed(state: Any) -> tuple[Any, dict[str, Any]]:
    """`state` as data for JSON, and its arrays by name: row-major copies on the host. Raises
    DTypeError for what is neither a container, a number, a string, None nor an array."""
    arrays: dict[str, Any] = {}
    return _packed(state, "", arrays), arrays


def _packed(value: Any, path: str, arrays: dict[str, Any]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: _packed(v, f"{path}.{key}" if path else key, arrays)
                    for key, v in value.items()}  # fmt: skip
        pairs = [[_packed(k, path, arrays), _packed(v, f"{path}.{k}", arrays)]
                 for k, v in value.items()]  # fmt: skip
        return {"$dict": pairs}
    if isinstance(value, list | tuple):
        entries = [_packed(v, f"{path}.{i}", arrays) for i, v in enumerate(value)]
        return {"$tuple": entries} if isinstance(value, tuple) else entries
    value = value.data if isinstance(value, Tensor) else value
    if isinstance(value, np.generic):
        return _array(np.asarray(value), path, arrays) | {"number": True}
    if backend.is_array(value):
        return _array(np.array(backend.asnumpy(value), order="C"), path, arrays)
    raise DTypeError(f"{path or 'the state'} is a {type(value).__name__}, which cannot be saved")


def _array(array: Any, path: str, arrays: dict[str, Any]) -> Any:
    if array.dtype.hasobject:
        raise DTypeError(f"{path}: an array of Python objects cannot be saved")
    name = path
    while name in arrays:
        name += "'"
    described: dict[str, Any] = {"$array": name}
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.name not in NATIVE:
        described |= {"dtype": array.dtype.str, "shape": list(array.shape)}
        array = np.frombuffer(array.tobytes(), np.uint8)
    arrays[name] = array
    return described


def unpacked(plain: Any, arrays: Mapping[str, Any]) -> Any:
    """The state that `packed` was given."""
    if isinstance(plain, list):
        return [unpacked(entry, arrays) for entry in plain]
    if not isinstance(plain, dict):
        return plain
    if "$tuple" in plain:
        return tuple(unpacked(entry, arrays) for entry in plain["$tuple"])
    if "$dict" in plain:
        return {unpacked(k, arrays): unpacked(v, arrays) for k, v in plain["$dict"]}
    if "$array" in plain:
        array = arrays[plain["$array"]]
        if "dtype" in plain:
            array = np.frombuffer(array.tobytes(), plain["dtype"]).reshape(plain["shape"])
        return array[()] if "number" in plain else array.copy()
    return {key: unpacked(value, arrays) for key, value in plain.items()}
