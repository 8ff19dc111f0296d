"""The functions of `autograd_core.numpy`: NumPy's if no argument is or contains a Tensor, else the
operation for Tensors, called with NumPy's parameters as ``np.f(tensor)`` calls it (see
`interface.protocols`)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from types import ModuleType
from typing import Any

import numpy

from autograd_core.engine.tensor import Tensor
from autograd_core.errors.tracebacks import shorten
from autograd_core.interface import creation
from autograd_core.interface.protocols import answer, made_like, operation_of

Function = Callable[..., Any]
# What a ufunc has apart from the call. NumPy dispatches its methods on Tensors
UFUNC_ATTRIBUTES = ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature", "at",
                    "resolve_dtypes")  # fmt: skip
UFUNC_METHODS = ("reduce", "accumulate", "reduceat", "outer")
PLAIN = frozenset({numpy.ndarray, numpy.float64, bool, int, float, complex, str, type(None)})


def contain_tensor(values: Iterable[Any]) -> bool:
    """True if one of `values` is a Tensor, or a list, tuple or dict that contains one."""
    for value in values:
        kind = type(value)
        if kind not in PLAIN and (kind is Tensor or _is_tensor(value)):
            return True
    return False


def _is_tensor(value: Any) -> bool:
    """True if `value` is a Tensor of a subclass, or a container of Tensors."""
    if isinstance(value, list | tuple):
        return contain_tensor(value)
    if isinstance(value, dict):
        return contain_tensor(value.values())
    return isinstance(value, Tensor)


def replacement(module: ModuleType, name: str, place: str) -> Any:
    """What stands for `name` of a module of NumPy in our module called `place`: a function of both
    if there is an operation for it, else NumPy's own object."""
    theirs = getattr(module, name)
    if isinstance(theirs, type) or not callable(theirs):
        return theirs
    ours = operation_of(theirs) if hasattr(theirs, "__name__") else None
    if ours is None and module is numpy:
        ours = getattr(creation, name) if name in creation.__all__ else made_like(theirs)
    if ours is None:
        return theirs
    made = _of_ufunc(theirs, ours) if isinstance(theirs, numpy.ufunc) else _of(theirs, ours)
    made.__module__, made.__name__ = __name__, name  # how a pickle finds it, see `__getattr__`
    made.__qualname__ = f"{place}.{name}".partition(".numpy.")[2]
    return made


def __getattr__(name: str) -> Any:
    """A name of `autograd_core.numpy`, for pickles. If the functions named that module as theirs,
    a doctest of it would run NumPy's examples."""
    return getattr(sys.modules["autograd_core.numpy"], name)


def _of(theirs: Function, ours: Function) -> Function:
    """NumPy's function `theirs`, and `ours` for Tensors."""
    plain, tensor = PLAIN, Tensor  # variables of a closure are fast to read

    @wraps(theirs)
    def called(*args: Any, **settings: Any) -> Any:
        # `contain_tensor`, written out: a call would cost 80 ns
        for value in (*args, *settings.values()) if settings else args:
            kind = type(value)
            if kind not in plain and (kind is tensor or _is_tensor(value)):
                break
        else:
            return theirs(*args, **settings)
        try:
            if not settings and len(args) == 1:
                return ours(*args)
            if isinstance(settings.get("like"), Tensor):  # it determines the device
                return theirs(*args, **settings)
            return answer(theirs, ours, args, settings)
        except Exception as error:
            shorten(error)
            raise

    return called


def _of_ufunc(theirs: numpy.ufunc, ours: Function) -> Function:
    """NumPy's ufunc `theirs`, and the operation `ours` for Tensors."""
    operands, plain, tensor = theirs.nin, PLAIN, Tensor  # variables of a closure are fast to read

    @wraps(theirs)
    def called(*args: Any, **settings: Any) -> Any:
        # `contain_tensor`, written out: a call would cost 80 ns
        for value in (*args, *settings.values()) if settings else args:
            kind = type(value)
            if kind not in plain and (kind is tensor or _is_tensor(value)):
                break
        else:
            return theirs(*args, **settings)
        try:
            if not settings and len(args) == operands:
                return ours(*args)
            # NumPy reads its parameters, and calls `array_ufunc`
            return theirs(*map(_joined, args), **settings)
        except Exception as error:
            shorten(error)
            raise

    for attribute in UFUNC_ATTRIBUTES:
        if hasattr(theirs, attribute):
            setattr(called, attribute, getattr(theirs, attribute))
    for method in UFUNC_METHODS:
        setattr(called, method, _of_lists(getattr(theirs, method)))
    return called


def _of_lists(method: Function) -> Function:
    """A method of a ufunc that also accepts lists of Tensors."""

    @wraps(method)
    def called(*args: Any, **settings: Any) -> Any:
        return method(*map(_joined, args), **settings)

    return called


def _joined(value: Any) -> Any:
    """A list that contains Tensors as one Tensor, because NumPy dispatches on Tensors only."""
    nested = isinstance(value, list | tuple) and contain_tensor(value)
    return creation.asarray(value) if nested else value
