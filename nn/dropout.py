"""Layers that set random elements to 0 in training (Srivastava et al., 2014)."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.init import generator_of
from nn.module import Module, misfit

__all__ = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


def dropped(x: Any, p: float, shape: tuple[int, ...], generator: Any) -> Any:
    """x with zeros from a mask of this shape."""
    scale = 0.0 if p == 1 else 1 / (1 - p)
    mask = ((generator.random(shape) >= p) * scale).astype(x.dtype)
    return x * ac.asarray(mask, device=getattr(x, "device", "cpu"))


class Dropout(Module):
    """In training, each element of x is 0 with the probability `p`, and the others are divided by
    1 - p, so that the mean is kept. In evaluation, x itself.

    `generator` is a ``numpy.random`` generator, an int (a seed), or None for a new generator. The
    numbers are drawn on the host, so they are the same on every device.
    """

    @public
    def __init__(self, p: float = 0.5, *, generator: Any = None) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: p must be in [0, 1], not {p}")
        self.p, self.generator = p, generator_of(generator)

    def shape_of(self, x: Any) -> tuple[int, ...]:
        """The shape of the mask."""
        return tuple(x.shape)

    def forward(self, x: Any) -> Any:
        """x, with zeros in training."""
        if not self.training or self.p == 0:
            return x
        if x.dtype.kind not in "fc":
            raise misfit(self, DTypeError(f"expects floating-point numbers, x has {x.dtype}"))
        return dropped(x, self.p, self.shape_of(x), self.generator)

    def describe(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Dropout1d(Dropout):
    """`Dropout` of whole channels of x of the shape (n, c, length), or (c, length) (Tompson et al.,
    2015)."""

    axes = 1

    def shape_of(self, x: Any) -> tuple[int, ...]:
        """One number for each channel of each example."""
        if x.ndim not in (self.axes + 1, self.axes + 2):
            message = f"expects {self.axes + 1} or {self.axes + 2} axes, x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        return (*x.shape[: -self.axes], *(1,) * self.axes)


class Dropout2d(Dropout1d):
    """`Dropout1d` for x of the shape (n, c, h, w), or (c, h, w)."""

    axes = 2


class Dropout3d(Dropout1d):
    """`Dropout1d` for x of the shape (n, c, d, h, w), or (c, d, h, w)."""

    axes = 3
