"""Operands that are neither Tensors nor arrays: lists that contain Tensors, which are stacked, and
arrays of other libraries, to which the call is handed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Operation
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.untracked import tensors_in
from autograd_core.errors import GraphError

STACK: list[Callable[[list[Any]], Tensor]] = []  # the operation `stack`, added where it is declared


def gathered(value: Any) -> Any:
    """`value` itself, or a Tensor if it is a list or tuple that contains Tensors at any depth."""
    first = next(tensors_in(value), None) if isinstance(value, list | tuple) else None
    return value if first is None else stacked(value, first.device)


def operand(value: Any) -> Any:
    """An operand as an array or a NumPy scalar, or as a Tensor if it is a list that contains one.

    Raises Foreign for an array of a library that handles NumPy's ufuncs itself.
    """
    value = gathered(value)
    if isinstance(value, Tensor):
        return value
    if _handles_ufuncs(value):
        raise Foreign
    return backend.operand(value)


def stacked(value: Any, device: str) -> Any:
    """Nested lists of Tensors, arrays and numbers as one Tensor."""
    if isinstance(value, list | tuple) and next(tensors_in(value), None) is not None:
        return STACK[0]([stacked(entry, device) for entry in value])
    if isinstance(value, Tensor) or backend.is_array(value):
        return value  # a host array is not moved to another device
    return backend.asarray(value, None, device)


# ---- arrays of other libraries -------------------------------------------------------------------


class Foreign(Exception):
    """An operand is an array of a library that handles NumPy's ufuncs itself, such as xarray."""


def _handles_ufuncs(value: Any) -> bool:
    handler = getattr(type(value), "__array_ufunc__", None)
    return (
        handler is not None
        and not backend.is_array(value)
        and not isinstance(value, np.generic | Tensor)
    )


def handed_on(declared: Operation, found: dict[str, Any], mark: str) -> Any:
    """The result of an operation with a foreign operand. For a ufunc of NumPy it is what the other
    library makes of it. Other operations convert the operand to an array, and so does a ufunc if
    the library cannot hold a Tensor, as pandas.

    `found` are the local variables of the operation's function, in which operands before the
    foreign one are unwrapped already.
    """
    values: list[Any] = []
    for name in declared.parameters:
        value, node = found[name], found.get(f"{mark}node_{name}")
        values.append(value if node is None else make(value, node))
    ufunc = getattr(np, declared.key, None)
    if isinstance(ufunc, np.ufunc):
        for value in filter(_handles_ufuncs, values):
            try:
                out = value.__array_ufunc__(ufunc, "__call__", *values)
            except GraphError:  # it asked a Tensor for a plain array
                continue
            if out is not NotImplemented:
                return out
    values = [np.asarray(v) if _handles_ufuncs(v) else v for v in values]
    return declared.function(*values)  # type: ignore[attr-defined]
