"""Error messages of operations: the operation's name, every operand, the likely fix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node, Operation
from autograd_core.errors import (
    AutogradError,
    DeviceError,
    DTypeError,
    IndexingError,
    LinAlgError,
    NotDifferentiableError,
    ShapeError,
)


def setting_error(declared: Operation, setting: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"{declared.name}: {setting!r} is not differentiable and cannot be a Tensor. "
        f"Pass a plain value, for example {setting}=int(tensor)"
    )


def unexpected(declared: Operation, keyword: str) -> TypeError:
    """Python's error for an unknown keyword."""
    return TypeError(f"{declared.name}() got an unexpected keyword argument {keyword!r}")


def none_given(
    declared: Operation, error: Exception, operands: tuple[tuple[str, Any], ...]
) -> DTypeError | None:
    """The error to raise if a required operand is None; None if that is not the cause."""
    absent = [name for name, value in operands if value is None]
    if not absent or not isinstance(error, TypeError | ValueError):
        return None
    missing = DTypeError(
        f"{declared.name}: {absent[0]} is None; an operand must be a number, an array or a Tensor. "
        "Does the function that computed it have a return statement?"
    )
    missing.operation, missing.operands = declared.name, []
    return missing


def explanation(declared: Operation, error: Exception, operands: dict[str, Any]) -> AutogradError:
    """The error to raise in place of a kernel's `error`. Its message names the operation, the shape
    or dtype of every operand, and the likely fix if one is known."""
    apart = scattered(declared, operands)
    if apart is not None:
        return apart
    what = "dtype" if isinstance(error, TypeError) else "shape"
    described = [
        f"{name} has {what} {getattr(value, what)}"
        for name, value in operands.items()
        if hasattr(value, what)
    ]
    described += [
        f"{name} have shapes {', '.join(str(np.shape(entry)) for entry in value)}"
        for name, value in operands.items()
        if isinstance(value, list)
    ]
    text = str(error).strip()
    message = f"{declared.name}: {', '.join(described)}. {text[:1].upper()}{text[1:]}"
    if isinstance(error, TypeError):
        return DTypeError(message)
    if isinstance(error, np.linalg.LinAlgError):
        return LinAlgError(message)
    kind = IndexingError if isinstance(error, IndexError) else ShapeError
    return kind(message + _hint(declared, operands))


def failed(
    declared: Operation, error: AutogradError, nodes: dict[str, list[Node | None] | None]
) -> AutogradError:
    """`error`, with the graph up to the failed operation attached, so that it can be drawn."""
    if not hasattr(error, "operands"):
        error.operation = declared.name
        error.operands = [
            (name, node)
            for name, found in nodes.items()
            for node in found or ()
            if node is not None
        ]
    return error


def scattered(declared: Operation, operands: dict[str, Any]) -> DeviceError | None:
    """The error to raise if the operands' arrays are on several devices, else None."""
    homes = {name: backend.device_of(array) for name, array in _arrays_in(operands)}
    found = {backend.device_of(array) for _, array in _arrays_in(operands)}
    if len(found) < 2:
        return None
    where = ", ".join(f"{name} is on {home}" for name, home in homes.items())
    where = where if len(homes) > 1 else f"they are on {', '.join(sorted(found))}"
    return DeviceError(
        f"{declared.name}: the operands must be on one device, but {where}. Move one of them "
        f"first, as in tensor.to({max(found)!r})"
    )


def _arrays_in(operands: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in operands.items():
        for entry in value if isinstance(value, list) else [value]:
            number = isinstance(entry, float) and not isinstance(entry, np.generic)  # also traced
            if backend.is_array(entry) and not number:
                yield name, entry


def _hint(declared: Operation, operands: dict[str, Any]) -> str:
    """For matmul, the number of rows that y needs, and ``y.T`` if the transpose has that number."""
    x, y = operands.get("x"), operands.get("y")
    if declared.key == "matmul" and getattr(y, "ndim", 0) == 2 and getattr(x, "ndim", 0) >= 1:
        rows = x.shape[-1]  # type: ignore[union-attr]
        asked = f". y needs {rows} rows"
        return asked + (". Did you mean y.T?" if y.shape[1] == rows else "")  # type: ignore[union-attr]
    return ""
