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
    """The limits of a floating or complex dtype, or of the dtype of a Tensor.

    Parameters
    ----------
    dtype : dtype, Tensor or array
        What to describe.

    Returns
    -------
    numpy.finfo
        An object with the attributes `eps`, `max`, `min`, `tiny` and others.

    Raises
    ------
    ValueError
        If the dtype is neither floating nor complex.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.finfo(ac.float32).eps
    np.float32(1.1920929e-07)
    """
    return np.finfo(_dtype_of(dtype))


def iinfo(dtype: Any) -> Any:
    """The limits of an integer dtype, or of the dtype of a Tensor.

    Parameters
    ----------
    dtype : dtype, Tensor or array
        What to describe.

    Returns
    -------
    numpy.iinfo
        An object with the attributes `max`, `min` and `bits`.

    Raises
    ------
    ValueError
        If the dtype is not one of integers.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.iinfo(ac.int8).max
    127
    """
    return np.iinfo(_dtype_of(dtype))


def isdtype(dtype: Any, kind: Any) -> Any:
    """True if a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype
        The dtype to look at.
    kind : dtype, str, or tuple of these
        A dtype, or the name of a kind: ``"bool"``, ``"signed integer"``, ``"unsigned integer"``,
        ``"integral"``, ``"real floating"``, ``"complex floating"`` or ``"numeric"``. Of a tuple,
        one has to fit.

    Returns
    -------
    bool
        True if `dtype` is of this kind.

    Raises
    ------
    ValueError
        If there is no kind of this name.
    TypeError
        If `dtype` is not a dtype.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.isdtype(ac.float32, "real floating")
    True
    """
    return np.isdtype(dtype, kind)


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> Any:
    """True if a dtype, or the dtype of a Tensor, can be cast to another under a rule.

    Parameters
    ----------
    from_ : dtype, Tensor or array
        The dtype to cast from.
    to : dtype
        The dtype to cast to.
    casting : str, default 'safe'
        The rule: ``"no"``, ``"equiv"``, ``"safe"``, ``"same_kind"`` or ``"unsafe"``.

    Returns
    -------
    bool
        True if the cast is allowed.

    Raises
    ------
    ValueError
        If there is no such rule.
    TypeError
        If `from_` is a Python number.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.can_cast(ac.float64, ac.float32), ac.can_cast(ac.float64, ac.float32, "same_kind")
    (False, True)
    """
    return np.can_cast(_dtype_of(from_), to, casting)


def result_type(*operands: Any) -> Any:
    """The dtype that an operation on these operands would have.

    Parameters
    ----------
    *operands : Tensor, array, number or dtype
        At least one operand.

    Returns
    -------
    dtype
        The dtype to which NumPy promotes the operands.

    Raises
    ------
    ValueError
        If there is no operand.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.result_type(ac.Tensor([1, 2]), 2.5)
    dtype('float64')
    """
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
        """The dtypes of new Tensors, by kind.

        Parameters
        ----------
        device : str, optional
            Ignored, as the dtypes are the same on all devices.

        Returns
        -------
        dict
            From the name of a kind to a dtype.
        """
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
        """The dtypes of the Array API standard, by name.

        Parameters
        ----------
        device : str, optional
            Ignored, as the dtypes are the same on all devices.
        kind : dtype, str, or tuple of these, optional
            If given, only the dtypes of this kind, as in `isdtype`.

        Returns
        -------
        dict
            From the name of a dtype to the dtype.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        standard = {name: np.dtype(name) for name in DTYPES if name != "float16"}
        if kind is None:
            return standard
        return {name: dtype for name, dtype in standard.items() if np.isdtype(dtype, kind)}


def __array_namespace_info__() -> Info:
    """Information about the namespace, as the Array API standard defines it.

    Returns
    -------
    Info
        An object with the methods `capabilities`, `default_device`, `default_dtypes`, `devices` and
        `dtypes`.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.__array_namespace_info__().dtypes(kind="real floating")
    {'float32': dtype('float32'), 'float64': dtype('float64')}
    """
    return Info()
