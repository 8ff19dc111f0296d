"""A replacement for ``autograd.numpy`` of HIPS autograd: ``import autograd_core.numpy as np``.

It contains the functions that this library defines, and NumPy's for all other names. Creation
functions return arrays unless an argument is or contains a Tensor, as in ``array([x, y])``. So code
outside a derivative runs in NumPy.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import Any

import numpy

from autograd_core.engine.op import functions
from autograd_core.engine.tensor import Tensor
from autograd_core.interface import creation
from autograd_core.ops import fft as fft
from autograd_core.ops import linalg as linalg
from autograd_core.transforms.tree import leaves

random = numpy.random
_SUBMODULES = {"fft": fft.__name__, "linalg": linalg.__name__, "random": random.__name__}
__path__: list[str] = []  # so that ``from autograd_core.numpy.linalg import inv`` works
sys.modules |= {f"{__name__}.{m}": sys.modules[n] for m, n in _SUBMODULES.items()}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    theirs = getattr(numpy, name)
    if name not in creation.__all__:
        return functions.get(name, theirs)
    ours = getattr(creation, name)

    @wraps(theirs)
    def created(*args: Any, **settings: Any) -> Any:
        tensors = any(isinstance(leaf, Tensor) for _, leaf in leaves((args, settings)))
        return (ours if tensors else theirs)(*args, **settings)

    return created


def __dir__() -> list[str]:
    return dir(numpy)
