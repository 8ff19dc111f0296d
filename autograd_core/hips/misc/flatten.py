"""Trees of arrays as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import numpy as anp
from autograd_core.hips.vspace import vspace
from autograd_core.transforms.tree import filled, leaves


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The elements of a tree of arrays and numbers as one vector, and the function back.

    Both are differentiable. Dicts are read in the order of their sorted keys.

    Parameters
    ----------
    value : tree of arrays
        An array or a floating number, or lists, tuples, dicts and so on of these.

    Returns
    -------
    vector : array
        The elements, of shape (n,).
    unflatten : callable
        A function of a vector of shape (n,) that returns a tree of the structure and shapes of
        `value`. It raises ValueError for a vector of another shape.

    Raises
    ------
    TypeError
        For a leaf that is not a floating number or an array, and for keys that cannot be sorted.
    RecursionError
        For a container that contains itself.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.hips.misc import flatten
    >>> vector, unflatten = flatten({"w": np.array([1.0, 2.0]), "b": 3.0})
    >>> vector
    array([3., 1., 2.])
    >>> unflatten(10 * vector)
    {'w': array([10., 20.]), 'b': np.float64(30.0)}
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
    """A function of trees as a function of vectors.

    Parameters
    ----------
    func : callable
        A function of a tree, and of further arguments, that returns a tree.
    example : tree of arrays
        A tree of the structure and shapes of func's argument.

    Returns
    -------
    flat_func : callable
        A function of a vector in place of the tree, and of the further arguments by position. It
        returns a vector.
    unflatten : callable
        The function from vectors to trees.
    vector : array
        `example` as a vector.

    Raises
    ------
    TypeError, RecursionError
        For the reasons listed at `flatten`.
    """
    vector, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, vector
