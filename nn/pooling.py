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
from nn.describing import like
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
    """Windows along the last axes.

    Parameters
    ----------
    kernel_size : int or tuple of int
        The size of the windows along each axis.
    stride : int or tuple of int, optional
        The distance between neighbouring windows, by default their size.
    padding : int or tuple of int, default 0
        The width of a border on both sides of each axis, at most half of the size of the windows.
    ceil_mode : bool, default False
        If true, the last window may go beyond the end of x.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer (a padding may be 0), and in a call if the border is
        wider than half of the windows.
    ShapeError
        In a call, if x has another number of axes, or if no window fits into it.
    """

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


@like(Pool)
class MaxPool(Pool):
    """The largest element of each window.

    Parameters
    ----------
    padding : int or tuple of int, default 0
        The width of a border of -∞ on both sides of each axis, at most half of the size of the
        windows.
    dilation : int or tuple of int, default 1
        The distance between neighbouring elements of a window.
    return_indices : bool, default False
        If true, the result is a pair, with the places of the maxima in the flat array of the last
        axes.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer (a padding may be 0), and in a call if the border is
        wider than half of the windows.
    ShapeError
        In a call, if x has another number of axes, or if no window fits into it.
    DTypeError
        In a call, if x is complex.

    See Also
    --------
    autograd_core.max_pool : The function.
    """

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


@like(Pool)
class AvgPool(Pool):
    """The mean of each window.

    Parameters
    ----------
    padding : int or tuple of int, default 0
        The width of a border of zeros on both sides of each axis, at most half of the size of the
        windows.
    count_include_pad : bool, default True
        If false, the zeros of the border are left out of the means.
    divisor_override : int, optional
        Divides the sums, instead of the number of elements.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer (a padding may be 0), and in a call if the border is
        wider than half of the windows, or if `divisor_override` is 0.
    ShapeError
        In a call, if x has another number of axes, or if no window fits into it.

    See Also
    --------
    autograd_core.avg_pool : The function.
    """

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


@like(Pool)
class LPPool(Pool):
    """The p-norm of each window, (Σ x^p)^(1 / p).

    Parameters
    ----------
    norm_type : float
        The p of the norm, which is positive; for ∞, the result is the maxima.

    Raises
    ------
    ArgumentError
        If `norm_type` is not positive, or a size not a positive integer.
    ShapeError
        In a call, if x has another number of axes, or if no window fits into it.

    Notes
    -----
    The result is NaN where the sum is negative, and the gradient where it is 0, as in PyTorch.
    """

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
    """Windows that divide each axis into a given number of parts.

    Parameters
    ----------
    output_size : int, or tuple of int or None
        The number of windows along each axis. None keeps the length of an axis.

    Raises
    ------
    ArgumentError
        If a size is not an integer of at least 1.
    ShapeError
        In a call, if x has another number of axes or no elements.

    Notes
    -----
    The windows overlap if they cannot be equal: of T windows on a length S, window i is from ⌊i S /
    T⌋ to ⌈(i + 1) S / T⌉.
    """

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


@like(AdaptivePool)
class AdaptiveAvgPool(AdaptivePool):
    """The means of a given number of windows."""

    def equal(self, x: Any, size: tuple[int, ...]) -> Any:
        """Means of windows of one size."""
        return ac.avg_pool(x, size)

    def unequal(self, x: Any, axis: int, start: Any, stop: Any) -> Any:
        """A product with the matrix of the weights."""
        place = np.arange(x.shape[axis])
        inside = (place >= start[:, None]) & (place < stop[:, None])
        return along(x, axis, inside / inside.sum(1, keepdims=True))


@like(AdaptivePool)
class AdaptiveMaxPool(AdaptivePool):
    """The maxima of a given number of windows.

    Raises
    ------
    ArgumentError
        If a size is not an integer of at least 1.
    ShapeError
        In a call, if x has another number of axes or no elements.
    DTypeError
        In a call, if x is complex.
    """

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


@like(MaxPool)
class MaxPool1d(MaxPool):
    """Maxima of windows along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[3., 2.]])
    """

    axes = 1


@like(MaxPool)
class MaxPool2d(MaxPool):
    """Maxima of windows along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool2d(2)(np.ones((2, 3, 8, 8))).shape
    (2, 3, 4, 4)
    """

    axes = 2


@like(MaxPool)
class MaxPool3d(MaxPool):
    """Maxima of windows along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.MaxPool3d(2)(np.ones((2, 3, 8, 8, 8))).shape
    (2, 3, 4, 4, 4)
    """

    axes = 3


@like(AvgPool)
class AvgPool1d(AvgPool):
    """Means of windows along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[2., 1.]])
    """

    axes = 1


@like(AvgPool)
class AvgPool2d(AvgPool):
    """Means of windows along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool2d(2)(np.ones((2, 3, 8, 8))).shape
    (2, 3, 4, 4)
    """

    axes = 2


@like(AvgPool)
class AvgPool3d(AvgPool):
    """Means of windows along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AvgPool3d(2)(np.ones((2, 3, 8, 8, 8))).shape
    (2, 3, 4, 4, 4)
    """

    axes = 3


@like(LPPool)
class LPPool1d(LPPool):
    """Norms of windows along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LPPool1d(2, kernel_size=2)(np.array([[3.0, 4.0, 0.0, 1.0]]))
    array([[5., 1.]])
    """

    axes = 1


@like(LPPool)
class LPPool2d(LPPool):
    """Norms of windows along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LPPool2d(2, kernel_size=2)(np.ones((2, 3, 8, 8))).shape
    (2, 3, 4, 4)
    """

    axes = 2


@like(LPPool)
class LPPool3d(LPPool):
    """Norms of windows along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LPPool3d(2, kernel_size=2)(np.ones((2, 3, 8, 8, 8))).shape
    (2, 3, 4, 4, 4)
    """

    axes = 3


@like(AdaptiveAvgPool)
class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """Means of a given number of windows along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0, 4.0]]))
    array([[2., 2.]])
    """

    axes = 1


@like(AdaptiveAvgPool)
class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """Means of a given number of windows along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool2d(2)(np.ones((2, 3, 8, 8))).shape
    (2, 3, 2, 2)
    """

    axes = 2


@like(AdaptiveAvgPool)
class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """Means of a given number of windows along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool3d(2)(np.ones((2, 3, 8, 8, 8))).shape
    (2, 3, 2, 2, 2)
    """

    axes = 3


@like(AdaptiveMaxPool)
class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """Maxima of a given number of windows along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0, 4.0]]))
    array([[3., 4.]])
    """

    axes = 1


@like(AdaptiveMaxPool)
class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """Maxima of a given number of windows along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool2d(2)(np.ones((2, 3, 8, 8))).shape
    (2, 3, 2, 2)
    """

    axes = 2


@like(AdaptiveMaxPool)
class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """Maxima of a given number of windows along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, *output_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.AdaptiveMaxPool3d(2)(np.ones((2, 3, 8, 8, 8))).shape
    (2, 3, 2, 2, 2)
    """

    axes = 3
