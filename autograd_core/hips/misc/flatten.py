"""Trees of arrays as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import numpy as anp
from autograd_core.hips.vspace import vspace
from autograd_core.transforms.tree import filled, leaves


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the elements of a tree of arrays and numbers as one vector, and a function that
    returns a tree of the same structure and shapes from such a vector. Both are differentiable.

    Dicts are read in the order of their sorted keys.
    Raises TypeError for a leaf that is not a floating number or an array, and RecursionError for a
    container that contains itself.
    """
    tree = _sorted(value)
    vspace(tree)  # raises TypeError for a leaf that is not a number or an array
    parts = [leaf for _, leaf in leaves(tree)]
    shapes = [np.shape(part) for part in parts]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    vector = anp.concatenate([anp.ravel(part) for part in parts]) if parts else np.array([])

    def unflatten(flat: Any) -> Any:
        if np.shape(flat) != np.shape(vector):
            raise ValueError(
                f"unflatten: the vector has shape {np.shape(flat)}; the tree has "
                f"{np.size(vector)} elements"
            )
        starts = [0, *ends]
        rows = (
            anp.reshape(flat[start:end], shape) if shape else flat[start]
            for start, end, shape in zip(starts, ends, shapes, strict=False)
        )
        return _ordered(filled(tree, rows), value)

    return vector, unflatten


def _sorted(tree: Any) -> Any:
    """`tree` with the keys of its dicts in sorted order."""
    if tree is None:
        raise TypeError("flatten: None is not a number or an array")
    if isinstance(tree, dict):
        return {key: _sorted(tree[key]) for key in sorted(tree)}
    if isinstance(tree, list | tuple) and not hasattr(tree, "_fields"):
        return type(tree)(map(_sorted, tree))
    return tree


def _ordered(tree: Any, like: Any) -> Any:
    """`tree` with the keys of its dicts in the order of `like`."""
    if isinstance(tree, dict):
        return {key: _ordered(tree[key], like[key]) for key in like}
    if isinstance(tree, list | tuple) and not hasattr(tree, "_fields"):
        return type(tree)(map(_ordered, tree, like))
    return tree


def flatten_func(func: Callable[..., Any], example: Any) -> tuple[Any, Any, Any]:
    """Return `func` as a function of vectors in place of trees, the function from vectors to trees,
    and `example` as a vector."""
    vector, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, vector
