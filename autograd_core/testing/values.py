"""The arguments of a checked function: their floating-point leaves, random arrays of the same shape
and dtype, and their text as Python source."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.state import no_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Array
from autograd_core.transforms.tree import filled, leaves


def array_of(leaf: Any) -> Any:
    return leaf._array if isinstance(leaf, Tensor) else backend.asarray(leaf)


def is_floating_leaf(leaf: Any) -> bool:
    if isinstance(leaf, float | complex):
        return True
    array = isinstance(leaf, Tensor | np.generic) or backend.is_array(leaf)
    return array and leaf.dtype.kind in "fc"


def floats(tree: Any) -> bool:
    found = [is_floating_leaf(leaf) for _, leaf in leaves(tree)]
    return bool(found) and all(found)


def host(leaf: Any) -> Any:
    """A leaf's values as an array on the host."""
    return np.asarray(backend.asnumpy(array_of(leaf)))


def wide(array: Array) -> Any:
    """An array on the host in double precision."""
    return array.astype({"f": "f8", "c": "c16"}[array.dtype.kind])


def random_like(rng: Any, leaf: Any) -> Any:
    """Random numbers of a leaf's shape and dtype, on its device."""
    array = array_of(leaf)
    values = rng.uniform(0.5, 1, array.shape) * rng.choice([-1, 1], array.shape)
    if array.dtype.kind == "c":
        values = values + 1j * rng.uniform(-1, 1, array.shape)
    there = backend.asarray(np.asarray(values, array.dtype), device=backend.device_of(array))
    return make(there, None)


def plain(f: Any, args: Any) -> Any:
    """The result of f on Tensors, without recording."""
    with no_grad():
        return f(*tensors_of(args))


def tensors_of(args: Any) -> Any:
    """The arguments, with each floating-point leaf as an untracked Tensor."""
    return filled(args, (tensor_of(leaf) for _, leaf in leaves(args)))


def tensor_of(leaf: Any) -> Any:
    return make(array_of(leaf), None) if is_floating_leaf(leaf) else leaf


def terms_of(weights: list[Any], values: list[Any]) -> Any:
    """The terms of the real number Re Σ weights · values."""
    pairs = zip(weights, values, strict=True)
    parts = [(np.asarray(w) * np.asarray(v)).real.ravel() for w, v in pairs]
    return np.concatenate(parts) if parts else np.zeros(0)


def function_name(f: Any) -> str:
    return str(getattr(f, "__qualname__", getattr(f, "__name__", repr(f))))


def text_of(value: Any) -> str:
    """A value as Python source."""
    if isinstance(value, Tensor):
        value = host(value)
    if isinstance(value, np.ndarray):
        with np.printoptions(floatmode="unique", threshold=2**20):
            listed = repr(value.tolist())
        return f"array({listed}, {value.dtype.name!r}).reshape({value.shape})"
    return repr(value)
