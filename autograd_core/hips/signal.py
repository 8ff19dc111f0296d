"""Convolution with HIPS autograd's order of arguments."""

from __future__ import annotations

from typing import Any

from autograd_core.engine.types import Operand
from autograd_core.scipy import signal

__all__ = ["convolve"]


def convolve(
    A: Operand, B: Operand, axes: Any = None, dot_axes: Any = None, mode: str = "full"
) -> Any:
    """`autograd_core.scipy.signal.convolve`, with `mode` as the last argument."""
    return signal.convolve(A, B, mode, axes=axes, dot_axes=dot_axes)
