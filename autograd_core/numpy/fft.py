"""``np.fft`` of `autograd_core.numpy`: NumPy's names, for arrays and for Tensors."""

from __future__ import annotations

from typing import Any

import numpy

from autograd_core.numpy.calls import replacement

__all__ = numpy.fft.__all__


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = replacement(numpy.fft, name, __name__)
    return found


def __dir__() -> list[str]:
    return dir(numpy.fft)
