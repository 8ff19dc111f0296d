"""Layers that set random elements to 0 in training (Srivastava et al., 2014)."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.init import generator_of
from nn.module import Module, misfit

__all__ = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


def dropped(x: Any, p: float, shape: tuple[int, ...], generator: Any) -> Any:
    """x with zeros from a mask of this shape."""
    scale = 0.0 if p == 1 else 1 / (1 - p)
    mask = ((generator.random(shape) >= p) * scale).astype(x.dtype)
    return x * ac.asarray(mask, device=getattr(x, "device", "cpu"))


class Dropout(Module):
    """In training, sets random elements to 0 and divides the others by 1 - p.

    In evaluation, the result is x itself.

    Shapes: x (…) → (…).

    Parameters
    ----------
    p : float, default 0.5
        The probability of 0.
    generator : int or numpy.random.Generator, optional
        The source of the random numbers: a seed or a generator. By default a new generator.

    Raises
    ------
    ArgumentError
        If p is not in [0, 1].
    DTypeError
        If `generator` is of another type, and in a call in training if x is not of floating-point
        or complex numbers.

    Notes
    -----
    The division keeps the mean. The numbers are drawn on the host, so they are the same on every
    device. See Srivastava et al. (2014).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Dropout(0.5, generator=0)
    >>> layer(np.ones(6))
    Tensor([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
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


@like(Dropout)
class Dropout1d(Dropout):
    """`Dropout` of whole channels of sequences.

    Shapes: x (n, c, length) or (c, length) → like x.

    Raises
    ------
    ArgumentError
        If p is not in [0, 1].
    DTypeError
        If `generator` is of another type, and in a call in training if x is not of floating-point
        or complex numbers.
    ShapeError
        In a call in training, if x has another number of axes.

    Notes
    -----
    One random number is drawn for each channel of each example (Tompson et al., 2015). The numbers
    are drawn on the host, so they are the same on every device.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Dropout1d(0.5, generator=0)(np.ones((3, 4)))
    Tensor([[2., 2., 2., 2.],
            [0., 0., 0., 0.],
            [0., 0., 0., 0.]])
    """

    axes = 1

    def shape_of(self, x: Any) -> tuple[int, ...]:
        """One number for each channel of each example."""
        if x.ndim not in (self.axes + 1, self.axes + 2):
            message = f"expects {self.axes + 1} or {self.axes + 2} axes, x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        return (*x.shape[: -self.axes], *(1,) * self.axes)


@like(Dropout1d)
class Dropout2d(Dropout1d):
    """`Dropout` of whole channels of images.

    Shapes: x (n, c, h, w) or (c, h, w) → like x.

    Examples
    --------
    >>> import numpy as np, nn
    >>> out = nn.Dropout2d(0.5, generator=0)(np.ones((1, 6, 8, 8)))
    >>> out[0, :, 0, 0]
    Tensor([2., 0., 0., 0., 2., 2.])
    """

    axes = 2


@like(Dropout1d)
class Dropout3d(Dropout1d):
    """`Dropout` of whole channels of volumes.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) → like x.

    Examples
    --------
    >>> import numpy as np, nn
    >>> out = nn.Dropout3d(0.5, generator=0)(np.ones((1, 6, 2, 8, 8)))
    >>> out[0, :, 0, 0, 0]
    Tensor([2., 0., 0., 0., 2., 2.])
    """

    axes = 3
