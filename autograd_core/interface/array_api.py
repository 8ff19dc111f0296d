"""The dtypes, constants and inspection functions of a namespace of the Python Array API standard
(2024.12). Results are NumPy's; arguments may be Tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (  # noqa: F401
    bool,
    complex64,
    complex128,
    e,
    euler_gamma,
    float16,
    float32,
    float64,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
    uint16,
    uint32,
    uint64,
)

from autograd_core.devices import backend
from autograd_core.engine.untracked import unwrap_nested

DTYPES = ("bool", "complex64", "complex128", "float16", "float32", "float64", "int8", "int16",
          "int32", "int64", "uint8", "uint16", "uint32", "uint64")  # fmt: skip
CONSTANTS = ("e", "euler_gamma", "inf", "nan", "newaxis", "pi")

__all__ = [
    "__array_namespace_info__",
    "can_cast",
    "finfo",
    "iinfo",
    "isdtype",
    "result_type",
]
__all__ += DTYPES
__all__ += CONSTANTS

__array_api_version__ = "2024.12"


def _dtype_of(value: Any) -> Any:
    return value if isinstance(value, type) else getattr(value, "dtype", value)


def finfo(dtype: Any) -> Any:
    """The limits of a floating or complex dtype, or of the dtype of a Tensor: `eps`, `max` ..."""
    return np.finfo(_dtype_of(dtype))


def iinfo(dtype: Any) -> Any:
    """The limits of an integer dtype, or of the dtype of a Tensor: `max`, `min`, `bits`."""
    return np.iinfo(_dtype_of(dtype))


def isdtype(dtype: Any, kind: Any) -> Any:
    """True if `dtype` is of a `kind`: a dtype, a name ("real floating"), or a tuple of them."""
    return np.isdtype(dtype, kind)


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> Any:
    """True if a dtype, or the dtype of a Tensor, can be cast to `to` under the rule `casting`."""
    return np.can_cast(_dtype_of(from_), to, casting)


def result_type(*operands: Any) -> Any:
    """The dtype that an operation on these Tensors, arrays, numbers and dtypes would have."""
    return np.result_type(*unwrap_nested(operands))


class Info:
    """The result of `__array_namespace_info__`: capabilities, dtypes and devices."""

    def capabilities(self) -> dict[str, Any]:
        """Supported shapes, ranks and indices."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The device of new Tensors by default."""
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, Any]:
        """The dtypes of new Tensors, by kind."""
        return {
            "real floating": np.dtype(float),
            "complex floating": np.dtype(complex),
            "integral": np.dtype(int),
            "indexing": np.dtype(np.intp),
        }

    def devices(self) -> list[str]:
        """The available devices."""
        return backend.available_devices()

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes of the Array API standard; with `kind` (one or a tuple), only those of that
        kind. Implemented here because NumPy 2.0 has no such function."""
        standard = {name: np.dtype(name) for name in DTYPES if name != "float16"}
        if kind is None:
            return standard
        return {name: dtype for name, dtype in standard.items() if np.isdtype(dtype, kind)}


def __array_namespace_info__() -> Info:
    """Information about the namespace, as the standard defines it."""
    return Info()
