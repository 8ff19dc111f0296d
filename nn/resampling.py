"""Images of another size: upsampling, and channels that become pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.module import Module, misfit
from nn.pooling import along

__all__ = ["PixelShuffle", "PixelUnshuffle", "Upsample"]

MODES = {"nearest": 0, "nearest-exact": 0, "linear": 1, "bilinear": 2, "trilinear": 3,
         "bicubic": 2}  # fmt: skip


class Upsample(Module):
    """Images at another resolution.

    Shapes: x (n, channels, *S) → (n, channels, *T), with one to three axes S.

    Parameters
    ----------
    size : int or tuple of int, optional
        The lengths T. Either this or `scale_factor` is given.
    scale_factor : float or tuple of float, optional
        Times the lengths S, rounded down, gives T.
    mode : str, default 'nearest'
        "nearest" or "nearest-exact", or "linear", "bilinear", "trilinear" or "bicubic" for one,
        two, three or two axes S.
    align_corners : bool, optional
        If true, the centres of the first and last pixels stay where they are. By default false.
    recompute_scale_factor : bool, default False
        If true, the distance between pixels is S / T, even if `scale_factor` is given.

    Raises
    ------
    ArgumentError
        If not exactly one of `size` and `scale_factor` is given, if there is no such mode, or if
        `align_corners` is given for a mode of nearest pixels. In a call, if `size` is not of
        integers.
    ShapeError
        In a call, if the number of axes does not fit the mode or the sizes, or if x or the result
        has an axis without elements.

    Notes
    -----
    Pixels are squares whose values are at their centres. Each axis is a product with a matrix of
    weights.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.array([[[1.0, 2.0]]])
    >>> nn.Upsample(scale_factor=2)(x)
    array([[[1., 1., 2., 2.]]])
    >>> nn.Upsample(size=4, mode="linear")(x)
    array([[[1.  , 1.25, 1.75, 2.  ]]])
    """

    @public
    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool = False,
    ) -> None:
        if (size is None) == (scale_factor is None):
            raise ArgumentError("Upsample needs either size or scale_factor")
        if mode not in MODES:
            raise ArgumentError(f"Upsample: mode is one of {[*MODES]}, not {mode!r}")
        if "nearest" in mode and align_corners is not None:
            raise ArgumentError(f"Upsample: align_corners has no meaning for the mode {mode!r}")
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners = bool(align_corners)
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Any) -> Any:
        """x at the other resolution."""
        axes = x.ndim - 2
        if axes not in ((1, 2, 3) if "nearest" in self.mode else (MODES[self.mode],)):
            raise misfit(self, ShapeError(f"mode {self.mode!r} does not fit x of shape {x.shape}"))
        given, old = self.scale_factor if self.size is None else self.size, x
        values = (given,) * axes if np.ndim(given) == 0 else tuple(given)
        if len(values) != axes:
            raise misfit(self, ShapeError(f"{given} does not fit {axes} axes"))
        for axis, value in zip(range(-axes, 0), values, strict=True):
            length = x.shape[axis]
            if self.size is not None and not isinstance(value, int | np.integer):
                raise misfit(self, ArgumentError(f"size must be integers, not {self.size!r}"))
            count = math.floor(length * value) if self.size is None else int(value)
            if count < 1 or length < 1:
                raise misfit(self, ShapeError(f"axis {axis} of {x.shape} would have no elements"))
            exact = self.size is None and not self.recompute_scale_factor
            x = self._axis(x, axis, count, 1 / value if exact else length / count)
        return ac.copy(x) if x is old else x

    def _axis(self, x: Any, axis: int, count: int, step: float) -> Any:
        """x with `count` elements along an axis, `step` old ones apart."""
        length, near = x.shape[axis], "nearest" in self.mode
        if count == length and self.mode != "bicubic" and (not near or x.ndim == 4):
            return x
        if near:
            if count % length == 0 and step == length / count:
                return ac.repeat(x, count // length, axis)
            shift = 0.5 if self.mode == "nearest-exact" else 0
            places = np.minimum(np.floor((np.arange(count) + shift) * step), length - 1)
            return along(x, axis, _tent(places, length))
        if self.align_corners:
            places = np.arange(count) * ((length - 1) / (count - 1) if count > 1 else 0)
        else:
            places = (np.arange(count) + 0.5) * step - 0.5
        if self.mode == "bicubic":
            return along(x, axis, _cubic(places, length))
        return along(x, axis, _tent(np.clip(places, 0, length - 1), length))

    def describe(self) -> str:
        """The size or the factor, and the mode."""
        given = f"factor {self.scale_factor}" if self.size is None else str(self.size)
        return f"{given}, {self.mode}"


def _tent(places: Any, length: int) -> Any:
    """The weights of linear interpolation at `places`: (places, length)."""
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(length)))


def _cubic(places: Any, length: int, a: float = -0.75) -> Any:
    """The weights of cubic convolution at `places` (Keys, 1981, equation 4). Outside of x, its edge
    is repeated."""
    near = np.floor(places)[:, None] + np.arange(-1, 3)
    d = np.abs(places[:, None] - near)
    inner = ((a + 2) * d - (a + 3)) * d * d + 1
    outer = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    weights = np.zeros((len(places), length))
    rows = np.arange(len(places))[:, None]
    index = np.clip(near, 0, length - 1).astype(int)
    np.add.at(weights, (rows, index), np.where(d <= 1, inner, outer))
    return weights


def _check_axes(layer: Module, x: Any) -> None:
    """Raise ShapeError if x has no axes of channels, heights and widths."""
    if x.ndim < 3:
        raise misfit(layer, ShapeError(f"expects (…, C, H, W), x has shape {x.shape}"))


class PixelShuffle(Module):
    """Makes r² channels the pixels of a square.

    Shapes: x (…, C r², H, W) → (…, C, H r, W r).

    Parameters
    ----------
    upscale_factor : int
        The factor r.

    Raises
    ------
    ShapeError
        In a call, if x has less than three axes, or if the number of channels is not a multiple of
        r².

    See Also
    --------
    PixelUnshuffle : The inverse.

    Notes
    -----
    See Shi et al. (2016), equation 4.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.array([[[1.0]], [[2.0]], [[3.0]], [[4.0]]])
    >>> nn.PixelShuffle(2)(x)
    array([[[1., 2.],
            [3., 4.]]])
    """

    @public
    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Any:
        """The larger images."""
        _check_axes(self, x)
        r, (*lead, channels, height, width) = self.upscale_factor, x.shape
        if r < 1 or channels % r**2:
            raise misfit(self, ShapeError(f"{channels} channels are not a multiple of {r}²"))
        x = ac.reshape(x, (*lead, channels // r**2, r, r, height, width))
        x = ac.moveaxis(x, (-4, -3), (-3, -1))
        x = ac.reshape(x, (*lead, channels // r**2, height * r, width * r))
        return ac.copy(x) if r == 1 else x

    def describe(self) -> str:
        """The factor."""
        return str(self.upscale_factor)


class PixelUnshuffle(Module):
    """Makes the pixels of squares channels: the inverse of `PixelShuffle`.

    Shapes: x (…, C, H r, W r) → (…, C r², H, W).

    Parameters
    ----------
    downscale_factor : int
        The factor r.

    Raises
    ------
    ShapeError
        In a call, if x has less than three axes, or if the height or the width is not a multiple of
        r.

    See Also
    --------
    PixelShuffle : The inverse.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.PixelUnshuffle(2)(np.ones((1, 3, 8, 6))).shape
    (1, 12, 4, 3)
    """

    @public
    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, x: Any) -> Any:
        """The smaller images, of more channels."""
        _check_axes(self, x)
        r, (*lead, channels, height, width) = self.downscale_factor, x.shape
        if r < 1 or height % r or width % r:
            raise misfit(self, ShapeError(f"{height} and {width} are not multiples of {r}"))
        x = ac.reshape(x, (*lead, channels, height // r, r, width // r, r))
        x = ac.moveaxis(x, (-3, -1), (-4, -3))
        x = ac.reshape(x, (*lead, channels * r**2, height // r, width // r))
        return ac.copy(x) if r == 1 else x

    def describe(self) -> str:
        """The factor."""
        return str(self.downscale_factor)
