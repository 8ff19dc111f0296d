"""NumPy's only Bessel function. Its derivative needs SciPy, whereas the functions in `ops` need
only NumPy."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.op import composed
from autograd_core.engine.types import Operand

__all__ = ["i0"]


@composed
def i0(x: Operand) -> Any:
    """The modified Bessel function of the first kind, order 0. It needs SciPy."""
    from autograd_core.scipy.special import i0 as bessel

    return bessel(x)
