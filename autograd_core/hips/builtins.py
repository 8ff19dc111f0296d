"""Python's built-in types and functions under HIPS autograd's names. Lists, tuples and dicts of
Tensors are Python's own; `isinstance` and `type` look at the value of a Tensor."""

from __future__ import annotations

import builtins
from typing import Any

from autograd_core.engine.tensor import Tensor
from autograd_core.hips.primitives import getval
from autograd_core.hips.tracer import isbox
from autograd_core.transforms.tree import leaves

dict, list, tuple = builtins.dict, builtins.list, builtins.tuple


def _value(x: Any) -> Any:
    """The value of x: a Python number for an argument that was one, of a transform."""
    value = getval(x)
    watch = x.node.watch if builtins.isinstance(x, Tensor) and x.node is not None else None
    number = builtins.isinstance(value, float | complex)
    return value.item() if number and watch is not None and watch.argument else value


def isinstance(x: Any, kind: Any) -> bool:
    """True if the value of x is of a type, or of one of a tuple of types.

    Parameters
    ----------
    x : object
        A Tensor is replaced by its array or number.
    kind : type or tuple of types
        The type, as for Python's function.

    Returns
    -------
    bool
        The result of Python's function.

    Examples
    --------
    >>> import autograd_core as ac, autograd_core.hips as autograd, numpy as np
    >>> autograd.isinstance(ac.Tensor([1.0]), np.ndarray)
    True
    """
    return builtins.isinstance(_value(x), kind)


def type(x: Any) -> Any:
    """The type of the value of x.

    Parameters
    ----------
    x : object
        A Tensor is replaced by its array or number.

    Returns
    -------
    type
        The result of Python's function.

    Examples
    --------
    >>> import autograd_core as ac, autograd_core.hips as autograd
    >>> autograd.type(ac.Tensor([1.0]))
    <class 'numpy.ndarray'>
    """
    return builtins.type(_value(x))


class _Traced(builtins.type):
    """The type of classes whose instances are the containers of `kind` with a traced leaf."""

    kind: Any

    def __instancecheck__(cls, x: Any) -> bool:
        return builtins.isinstance(x, cls.kind) and any(isbox(leaf) for _, leaf in leaves(x))


class SequenceBox(metaclass=_Traced):
    """For `isinstance`: a list or tuple of which a leaf is traced."""

    kind = (builtins.list, builtins.tuple)


class DictBox(metaclass=_Traced):
    """For `isinstance`: a dict of which a leaf is traced."""

    kind = builtins.dict
