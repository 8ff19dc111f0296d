"""Which objects a function may reach: those without contents, and those that are looked through."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import MutableMapping, MutableSequence
from functools import partial
from pathlib import PurePath
from random import Random
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

from autograd_core.compiling.draws import GENERATORS
from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor
from autograd_core.transforms.generators import LIBRARIES

# Objects without contents that a function could change, or whose contents are looked through
KNOWN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(...),
    slice,
    range,
    np.dtype,
    np.generic,
    np.ufunc,
    Tensor,
    FunctionType,
    BuiltinFunctionType,
    MethodType,
    partial,
    tuple,
    list,
    dict,
    MutableMapping,
    MutableSequence,
    type,
    ModuleType,
    staticmethod,
    classmethod,
    property,
    CodeType,
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    Random,
    PurePath,
    type(np.sum),
    Namespace,
    SimpleNamespace,
)


def is_known(value: Any) -> bool:
    if backend.is_data(value):
        exact = type(value) is np.ndarray or backend.on_device(value)
        return exact and not value.dtype.hasobject
    if isinstance(value, BuiltinFunctionType):
        of = (type(None), ModuleType, type, MutableMapping, MutableSequence)
        return isinstance(value.__self__, (*of, *GENERATORS))
    if isinstance(value, KNOWN):
        return True
    kind = type(value)
    if kind is object or kind.__module__ == "dataclasses":  # marks, such as for a default
        return True
    slots_ = any(vars(base).get("__slots__") for base in kind.__mro__)
    home = str(kind.__module__).partition(".")[0]
    return (
        hasattr(value, "__dict__")
        and not slots_
        and home not in LIBRARIES - {"nn", "autograd_core"}
    )


def from_library_class(kind: type) -> bool:
    """True for a class of a library, whose functions use nothing of the user's."""
    return str(kind.__module__).partition(".")[0] in LIBRARIES | {"builtins"}


__all__ = ["from_library_class", "is_known"]
