"""Calls of array functions with Tensors: the function gets the arrays, and the caller gets the
results as untracked Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from operator import index
from typing import Any, ParamSpec

from autograd_core.devices.backend import run_there
from autograd_core.engine.exits import note_exit
from autograd_core.engine.tensor import Tensor, result
from autograd_core.engine.types import Array
from autograd_core.errors.tracebacks import public

P = ParamSpec("P")


def without_gradient(function: Callable[P, Any]) -> Callable[P, Any]:
    """Make a function of arrays accept Tensors, tracked or not, and return untracked Tensors."""

    @public
    @wraps(function)
    def untracked(*operands: P.args, **settings: P.kwargs) -> Any:
        tensor = next(tensors_in((operands, settings)), None)
        if tensor is None:
            return function(*operands, **settings)
        run = partial(function, *unwrap_nested(operands), **unwrap_nested(settings))
        out = run_there(tensor.data, run)
        if tensor.node is not None:
            name = getattr(function, "__name__", "a function")
            note_exit(f"{name}, which has no gradient", tensor.node.name, out, tensor.node.scope)
        return wrapped(out)

    return untracked


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The Tensors in a container, at any depth."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(entry)


def unwrap_nested(value: Any) -> Any:
    """`value` with the Tensors in it replaced by their arrays, or by integers inside a slice."""
    if isinstance(value, Tensor):
        return value._array
    if isinstance(value, tuple | list):
        entries = map(unwrap_nested, value)
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    if isinstance(value, dict):
        return {name: unwrap_nested(entry) for name, entry in value.items()}
    if isinstance(value, slice):
        start, stop, step = value.start, value.stop, value.step
        if isinstance(start, Tensor) or isinstance(stop, Tensor) or isinstance(step, Tensor):
            return slice(*(index(v) if isinstance(v, Tensor) else v for v in (start, stop, step)))
    return value


def wrapped(out: Array) -> Any:
    """The arrays in `out` as untracked Tensors; tuples, named or not, keep their types."""
    if isinstance(out, tuple | list):
        entries = map(wrapped, out)
        return type(out)(*entries) if hasattr(out, "_fields") else type(out)(entries)
    return result(out, None)
