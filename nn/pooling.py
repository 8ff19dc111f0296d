"""Pooling: maxima, means and norms of windows, and resampling.

Names and arguments are PyTorch's. Arrays have the shape (n, channels, *S) or (channels, *S).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, AutogradError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.ops.arranging import there
from autograd_core.ops.convolution import spread
from autograd_core.ops.operands import as_operand
from nn.convolution import shown
from nn.module import Module, misfit

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class Pool(Module):
    """Windows along the last axes."""

    axes: int
    kernel_size: tuple[int, ...]

    def forward(self, x: Any) -> Any:
        """What the windows become, (n, channels, *T) or (channels, *T)."""
        if x is not None and np.ndim(x) not in (self.axes + 1, self.axes + 2):
            shape = np.shape(x)
            raise misfit(self, ShapeError(f"expects {self.axes + 2} axes, x has shape {shape}"))
        try:
            return self.pooled(x if x is None else as_operand(x))
        except AutogradError as error:
            raise misfit(self, error) from None

    def pooled(self, x: Any) -> Any:
        """What the windows become."""
        raise NotImplementedError

    def _windows(self, kernel_size: Any, stride: Any) -> None:
        self.kernel_size = spread("kernel_size", kernel_size, self.axes)
        self.stride = spread("stride", kernel_size if stride is None else stride, self.axes)

    def describe(self) -> str:
        """The size of the windows, and their stride if it is another."""
        same = self.stride == self.kernel_size
        return shown(self.kernel_size) + ("" if same else f", stride {shown(self.stride)}")


class MaxPool(Pool):
    """The largest element of each window; see `autograd_core.max_pool`. With `return_indices` the
    result is a pair, with the places of these elements in the flat array of *S."""

    @public
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self._windows(kernel_size, stride)
        self.padding = spread("padding", padding, self.axes, 0)
        self.dilation = spread("dilation", dilation, self.axes)
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def pooled(self, x: Any) -> Any:
        """The maxima, and their places if they are wanted."""
        settings = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        out = ac.max_pool(x, *settings)
        return (out, ac.max_pool_indices(x, *settings)) if self.return_indices else out


class AvgPool(Pool):
    """The mean of each window; see `autograd_core.avg_pool`."""

    @public
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._windows(kernel_size, stride)
        self.padding = spread("padding", padding, self.axes, 0)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def pooled(self, x: Any) -> Any:
        """The means."""
        return ac.avg_pool(
            x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class LPPool(Pool):
    """The p-norm of each window, (Σ x^p)^(1 / p). The result is NaN where the sum is negative, and
    the gradient where it is 0, as in PyTorch."""

    @public
    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        self._windows(kernel_size, stride)
        if not norm_type > 0:
            raise ArgumentError(f"LPPool: norm_type must be positive, not {norm_type}")
        self.norm_type, self.ceil_mode = norm_type, ceil_mode

    def pooled(self, x: Any) -> Any:
        """The norms; for the norm ∞, the maxima."""
        if self.norm_type == math.inf:
            return ac.max_pool(x, self.kernel_size, self.stride, ceil_mode=self.ceil_mode)
        means = ac.avg_pool(x**self.norm_type, self.kernel_size, self.stride, 0, self.ceil_mode)
        total = ac.sign(means) * ac.relu(ac.abs(means)) * math.prod(self.kernel_size)
        return total ** (1 / self.norm_type)


class AdaptivePool(Pool):
    """Windows that divide each axis into `output_size` parts, which overlap if they cannot be
    equal: window i is from ⌊i S / T⌋ to ⌈(i + 1) S / T⌉. None keeps the length of an axis."""

    @public
    def __init__(self, output_size: Any) -> None:
        many = isinstance(output_size, tuple | list)
        sizes = tuple(output_size) if many else (output_size,) * self.axes
        spread("output_size", tuple(1 if s is None else s for s in sizes), self.axes)
        self.output_size = sizes

    def pooled(self, x: Any) -> Any:
        """One axis after the other, the last one first."""
        if not all(x.shape[-self.axes :]):
            raise ShapeError(f"x has no elements to pool, its shape is {x.shape}")
        given = x
        for axis in range(-1, -self.axes - 1, -1):
            count, length = self.output_size[axis], x.shape[axis]
            if count is None or count == length:
                continue
            if length % count == 0:
                size = (length // count, *(1,) * (-1 - axis))
                x = self.equal(x, size)
            else:
                parts = np.arange(count + 1) * length
                x = self.unequal(x, axis, parts[:-1] // count, -(-parts[1:] // count))
        return ac.copy(x) if x is given else x

    def equal(self, x: Any, size: tuple[int, ...]) -> Any:
        """The result of windows of one size."""
        raise NotImplementedError

    def unequal(self, x: Any, axis: int, start: Any, stop: Any) -> Any:
        """The result of windows with these bounds along an axis."""
        raise NotImplementedError

    def describe(self) -> str:
        """The size of the result."""
        return shown(self.output_size)


class AdaptiveAvgPool(AdaptivePool):
    """The means of a given number of windows; see `AdaptivePool`."""

    def equal(self, x: Any, size: tuple[int, ...]) -> Any:
        """Means of windows of one size."""
        return ac.avg_pool(x, size)

    def unequal(self, x: Any, axis: int, start: Any, stop: Any) -> Any:
        """A product with the matrix of the weights."""
        place = np.arange(x.shape[axis])
        inside = (place >= start[:, None]) & (place < stop[:, None])
        return along(x, axis, inside / inside.sum(1, keepdims=True))


class AdaptiveMaxPool(AdaptivePool):
    """The maxima of a given number of windows; see `AdaptivePool`."""

    def equal(self, x: Any, size: tuple[int, ...]) -> Any:
        """Maxima of windows of one size."""
        return ac.max_pool(x, size)

    def unequal(self, x: Any, axis: int, start: Any, stop: Any) -> Any:
        """Maxima of windows of one size, of which the shorter ones repeat their last element."""
        size = (stop - start).max()
        places = np.minimum(start[:, None] + np.arange(size), stop[:, None] - 1).ravel()
        x = x[(..., places.tolist(), *(slice(None),) * (-1 - axis))]
        return ac.max_pool(x, (int(size), *(1,) * (-1 - axis)))


def along(x: Any, axis: int, matrix: Any) -> Any:
    """The product of a constant matrix with x along a negative axis."""
    matrix = there(x, matrix.astype(x.dtype if x.dtype.kind in "fc" else float))
    if axis == -2:
        return ac.matmul(matrix, x)
    return ac.moveaxis(ac.matmul(ac.moveaxis(x, axis, -1), matrix.T), -1, axis)


class MaxPool1d(MaxPool):
    """Maxima of windows along one axis; see `MaxPool`."""

    axes = 1


class MaxPool2d(MaxPool):
    """Maxima of windows along two axes; see `MaxPool`."""

    axes = 2


class MaxPool3d(MaxPool):
    """Maxima of windows along three axes; see `MaxPool`."""

    axes = 3


class AvgPool1d(AvgPool):
    """Means of windows along one axis; see `AvgPool`."""

    axes = 1


class AvgPool2d(AvgPool):
    """Means of windows along two axes; see `AvgPool`."""

    axes = 2


class AvgPool3d(AvgPool):
    """Means of windows along three axes; see `AvgPool`."""

    axes = 3


class LPPool1d(LPPool):
    """Norms of windows along one axis; see `LPPool`."""

    axes = 1


class LPPool2d(LPPool):
    """Norms of windows along two axes; see `LPPool`."""

    axes = 2


class LPPool3d(LPPool):
    """Norms of windows along three axes; see `LPPool`."""

    axes = 3


class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """Means of a given number of windows along one axis; see `AdaptiveAvgPool`."""

    axes = 1


class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """Means of a given number of windows along two axes; see `AdaptiveAvgPool`."""

    axes = 2


class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """Means of a given number of windows along three axes; see `AdaptiveAvgPool`."""

    axes = 3


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """Maxima of a given number of windows along one axis; see `AdaptiveMaxPool`."""

    axes = 1


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """Maxima of a given number of windows along two axes; see `AdaptiveMaxPool`."""

    axes = 2


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """Maxima of a given number of windows along three axes; see `AdaptiveMaxPool`."""

    axes = 3
