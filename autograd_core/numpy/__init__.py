"""A replacement for NumPy: ``import autograd_core.numpy as np``, as with ``autograd.numpy`` of HIPS
autograd.

Every name of NumPy is here. Without a Tensor among its arguments, a function is NumPy's: the same
parameters, and results of the same types. With a Tensor, also one in a list, tuple or dict, it is
the operation of this library, called with NumPy's parameters. Functions without an operation, and
everything that is not a function, are NumPy's own.

>>> import autograd_core as ac
>>> import autograd_core.numpy as np
>>> np.clip([0.5, 2.0], a_min=0, a_max=1)
array([0.5, 1. ])
>>> x = ac.Tensor([0.5, 2.0], requires_grad=True)
>>> np.clip(x, a_min=0, a_max=1).sum().backward()
>>> x.grad
Tensor([1., 0.])
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy

from autograd_core.numpy.calls import replacement
from autograd_core.numpy.concatenators import Columns, Rows
from autograd_core.numpy.loops import ndenumerate as ndenumerate
from autograd_core.numpy.loops import vectorize as vectorize
from autograd_core.numpy.renamed import RENAMED

__all__ = numpy.__all__
__version__ = numpy.__version__
SUBMODULES = ("fft", "linalg")  # modules of this package
NUMPYS = ("char", "ma", "polynomial", "random", "rec", "testing")
RENAMED |= {f"{__name__}.{name}": f"numpy.{name}" for name in NUMPYS}

r_ = Rows()
c_ = Columns()


def __getattr__(name: str) -> Any:
    if name in SUBMODULES:
        return import_module(f"{__name__}.{name}")
    found = globals()[name] = replacement(numpy, name, __name__)
    return found


def __dir__() -> list[str]:
    return dir(numpy)
