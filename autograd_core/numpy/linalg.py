"""``np.linalg`` of `autograd_core.numpy`: NumPy's names, for arrays and for Tensors. The functions
of `autograd_core.linalg` that NumPy does not have, such as `expm`, are here too."""

from __future__ import annotations

from typing import Any

import numpy

from autograd_core.numpy.calls import replacement
from autograd_core.ops import linalg as _ours

__all__ = numpy.linalg.__all__


def __getattr__(name: str) -> Any:
    if name in _ours.__all__ and not hasattr(numpy.linalg, name):
        return getattr(_ours, name)
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = replacement(numpy.linalg, name, __name__)
    return found


def __dir__() -> list[str]:
    return dir(numpy.linalg)
