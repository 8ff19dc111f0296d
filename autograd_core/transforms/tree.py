"""Trees of arrays: lists, tuples, dicts and dataclasses, nested to any depth.

Everything other than these containers and None is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import numpy as np

from autograd_core.engine.tensor import Tensor

LEAVES = frozenset({Tensor, np.ndarray, np.float64, float, int})  # found without the tests below
_SEQUENCES = (tuple, list)


def leaves(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    """The leaves as a list of (path, leaf), where a path is a string such as
    ``"['layers'][0].weight"``. Dicts are read in insertion order."""
    if type(tree) in LEAVES:
        return [(path, tree)]
    if tree is None:
        return []
    if isinstance(tree, _SEQUENCES):
        if hasattr(tree, "_fields"):
            steps = [(f"{path}.{name}", v) for name, v in zip(tree._fields, tree, strict=True)]
        else:
            steps = [(f"{path}[{i}]", value) for i, value in enumerate(tree)]
    elif isinstance(tree, dict):
        steps = [(f"{path}[{key!r}]", value) for key, value in tree.items()]
    elif hasattr(type(tree), "__dataclass_fields__"):
        steps = [(f"{path}.{name}", getattr(tree, name)) for name in _fields(tree)]
    else:
        return [(path, tree)]
    return [leaf for step, value in steps for leaf in leaves(value, step)]


def filled(tree: Any, values: Iterator[Any]) -> Any:
    """A tree with the structure of `tree`, whose leaves are taken from `values` in order."""
    if tree is None:
        return None
    if isinstance(tree, _SEQUENCES):
        found = [filled(value, values) for value in tree]
        return type(tree)(*found) if hasattr(tree, "_fields") else type(tree)(found)
    if isinstance(tree, dict):
        same = copy(tree)  # keeps further attributes of a subclass, such as a default
        same.update([(key, filled(value, values)) for key, value in tree.items()])
        return same
    if hasattr(type(tree), "__dataclass_fields__"):
        made = object.__new__(type(tree))
        for name in _fields(tree):
            object.__setattr__(made, name, filled(getattr(tree, name), values))
        return made
    return next(values)


def _fields(tree: Any) -> list[str]:
    from dataclasses import fields  # already imported if there is a dataclass

    return [field.name for field in fields(tree)]


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """A tree with the structure of `tree`, in which each leaf is replaced by ``function(leaf)``."""
    if type(tree) in LEAVES:
        return function(tree)
    return filled(tree, (function(leaf) for _, leaf in leaves(tree)))
