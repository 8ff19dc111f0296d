"""The Bessel function `i0`, the only one in NumPy. It is not in `ops`, because its derivative needs
SciPy."""

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
