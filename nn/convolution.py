"""Convolutions and their transposes, and windows as columns.

Names, arguments and keys of states are PyTorch's. Arrays have the shape (n, channels, *S), or
(channels, *S) for one example; results may lie in memory in another order than their axes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, AutogradError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.ops.convolution import spread
from autograd_core.ops.operands import as_operand
from autograd_core.ops.unfolding import _fold, _unfold
from nn.describing import like
from nn.init import Initializer, generator_of
from nn.linear import uniform_by_fan
from nn.module import Module, Parameter, misfit
from nn.padding import MODES

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Fold",
    "Unfold",
]


class Kernel(Module):
    """A layer with a weight (a, b, *kernel) and a bias.

    Parameters
    ----------
    in_channels : int
        The number of channels of x.
    out_channels : int
        The number of channels of the result.
    kernel_size : int or tuple of int
        The size of the kernel along each axis.
    stride : int or tuple of int, default 1
        The distance between neighbouring places of the kernel.
    groups : int, default 1
        The channels are divided into so many groups, and each result is computed within its group.
    bias : bool, default True
        If false, there is no bias: the attribute is None.
    dilation : int or tuple of int, default 1
        The distance between neighbouring elements of the kernel.
    initializer : callable, optional
        A function of `nn.init` that fills the weight. The bias is then zero.
    generator : int or numpy.random.Generator, optional
        The source of the initial values, see `Linear`.
    dtype : dtype, default float64
        The dtype of weight and bias.
    """

    axes: int

    def _make(self, kind: str, channels: tuple[int, int], kernel_size: Any, stride: Any,
              padding: Any, dilation: Any, groups: int, bias: bool, initializer: Any,
              generator: Any, dtype: Any) -> None:  # fmt: skip
        self.in_channels, self.out_channels = channels
        if min(channels) < 1:
            raise ArgumentError(
                f"{kind} needs at least 1 channel, not {channels[0]}, {channels[1]}"
            )
        if not all(isinstance(n, int | np.integer) for n in (*channels, groups)):
            raise ArgumentError(f"{kind}: channels and groups must be integers")
        if groups < 1 or any(count % groups for count in channels):
            raise ArgumentError(f"{kind}: groups={groups} does not divide the channels {channels}")
        self.groups, self.padding = groups, padding
        try:
            self.kernel_size = spread("kernel_size", kernel_size, self.axes)
            self.stride = spread("stride", stride, self.axes)
            self.dilation = spread("dilation", dilation, self.axes)
            if padding not in ("same", "valid"):
                self.padding = spread("padding", padding, self.axes, 0)
        except ArgumentError as error:
            raise misfit(self, error) from None
        outer, inner = reversed(channels) if self.weighs_outputs else channels
        shape = outer, inner // groups, *self.kernel_size
        self.weight = Parameter(np.zeros(shape, dtype))
        self.bias = Parameter(np.zeros(self.out_channels, dtype)) if bias else None
        drawn = generator_of(generator)
        if initializer is None:
            uniform_by_fan(math.prod(shape[1:]), [self.weight, self.bias], drawn)
        else:
            initializer(self.weight, generator=drawn)

    weighs_outputs = True  # the first axis of the weights is that of the outputs

    def describe(self) -> str:
        """The channels, the kernel and what differs from the defaults."""
        words = [f"{self.in_channels} → {self.out_channels}", shown(self.kernel_size)]
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        for name, value in usual.items():
            found = getattr(self, name, (value,))
            if found not in ((value,) * self.axes, (value,)):
                words.append(f"{name} {found if isinstance(found, str) else shown(found)}")
        words += [f"groups {self.groups}"] * (self.groups > 1)
        return ", ".join(words + ["no bias"] * (self.bias is None))


def shown(sizes: tuple[Any, ...]) -> str:
    """Sizes along axes, as 3x3."""
    return str(sizes[0]) if len(sizes) == 1 else "x".join(map(str, sizes))


@like(Kernel)
class Convolution(Kernel):
    """A convolution along the last axes.

    Parameters
    ----------
    padding : int, tuple of int or str, default 0
        The width of the border on both sides of each axis, "same" for a result of x's size, or
        "valid" for none.
    padding_mode : str, default 'zeros'
        What the border consists of: "zeros", "reflect", "replicate" or "circular".

    Raises
    ------
    ArgumentError
        If a size or a number of channels is not a positive integer (a padding may be 0), if
        `groups` does not divide the channels, if there is no such `padding_mode`, or if `padding`
        is "same" and the stride not 1.
    ShapeError
        In a call, if x has other axes or another number of channels, if the kernel is larger than x
        with its border, or if the border is too wide to reflect or repeat x.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    See Also
    --------
    autograd_core.conv : The function, without parameters.

    Notes
    -----
    Shapes: weight (out_channels, in_channels / groups, *kernel), bias (out_channels,). With x (n,
    in_channels, *S), or (in_channels, *S) for one example, the result is (n, out_channels, *T) with
    T = (S + 2 padding - dilation (kernel - 1) - 1) // stride + 1. The initial values are uniform in
    ±1 / √(in_channels / groups · elements of the kernel).
    """

    @public
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        initializer: Initializer | None = None,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        kind = type(self).__name__
        if padding_mode not in ("zeros", *MODES):
            raise ArgumentError(
                f"{kind}: padding_mode is one of {['zeros', *MODES]}, not {padding_mode!r}"
            )
        self.padding_mode = padding_mode
        self._make(kind, (in_channels, out_channels), kernel_size, stride, padding, dilation,
                   groups, bias, initializer, generator, dtype)  # fmt: skip
        if padding == "same" and set(self.stride) != {1}:
            raise ArgumentError(f"{kind}: padding='same' needs a stride of 1, not {self.stride}")

    def forward(self, x: Any) -> Any:
        """The convolution, of shape (n, out_channels, *T)."""
        padding = self.padding
        try:
            given = as_operand(x)
            if self.padding_mode != "zeros" and padding != "valid":
                given, padding = self._padded(given), 0
            return ac.conv(
                given, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
            )
        except (AutogradError, AttributeError) as error:
            raise _explained(self, x, error) from None

    def _padded(self, x: Any) -> Any:
        """x with a border of `padding_mode`."""
        extents = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if self.padding == "same":
            ends = [(e // 2, e - e // 2) for e in extents]
        else:
            ends = [(p, p) for p in self.padding]
        most = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        lengths = x.shape[-self.axes :]
        if most is not None and any(max(e) > n + most for n, e in zip(lengths, ends, strict=False)):
            raise ShapeError(f"a border of {ends} is too wide to {self.padding_mode} x {x.shape}")
        return ac.pad(x, [(0, 0)] * (x.ndim - self.axes) + ends, mode=MODES[self.padding_mode])

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """One for each weight of an output channel and element of the result."""
        return int(output.size) * math.prod(self.weight.shape[1:])


def _explained(layer: Kernel, x: Any, error: Exception) -> Exception:
    """The error for an input that does not fit, with the name of the layer."""
    if x is None:
        return AttributeError("None")  # which the module explains
    shape = np.shape(x)
    if not isinstance(error, ShapeError | AttributeError):
        return error
    axes = ", ".join("DHW"[3 - layer.axes :])
    if len(shape) - layer.axes not in (1, 2) or shape[-layer.axes - 1] != layer.in_channels:
        said = f"expects (n, {layer.in_channels}, {axes}), x has shape {shape}"
    else:
        said = str(error)
    explained = error if isinstance(error, ShapeError) else ShapeError()
    explained.args = (said,)
    return misfit(layer, explained)


@like(Convolution)
class Conv1d(Convolution):
    """Convolution along one axis.

    Shapes: x (n, in_channels, length) → (n, out_channels, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Conv1d(3, 8, kernel_size=5, padding=2, generator=0)
    >>> layer(np.ones((2, 3, 32))).shape
    (2, 8, 32)
    """

    axes = 1


@like(Convolution)
class Conv2d(Convolution):
    """Convolution of images.

    Shapes: x (n, in_channels, h, w) → (n, out_channels, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Conv2d(3, 8, kernel_size=5, padding="same", generator=0)
    >>> layer(np.ones((2, 3, 32, 32))).shape
    (2, 8, 32, 32)
    """

    axes = 2


@like(Convolution)
class Conv3d(Convolution):
    """Convolution of volumes.

    Shapes: x (n, in_channels, d, h, w) → (n, out_channels, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Conv3d(3, 8, kernel_size=5, padding=2, generator=0)
    >>> layer(np.ones((2, 3, 8, 32, 32))).shape
    (2, 8, 8, 32, 32)
    """

    axes = 3


@like(Kernel)
class TransposedConvolution(Kernel):
    """The transpose of a convolution along the last axes.

    Parameters
    ----------
    padding : int or tuple of int, default 0
        The width that is removed from both ends of each axis of the result.
    output_padding : int or tuple of int, default 0
        The width that is added behind each axis of the result.
    padding_mode : str, default 'zeros'
        "zeros", as there is no other.

    Raises
    ------
    ArgumentError
        If a size or a number of channels is not a positive integer (a padding may be 0), if
        `groups` does not divide the channels, if `padding_mode` is not "zeros", or if
        `output_padding` is neither less than the stride nor less than the dilation.
    ShapeError
        In a call, if x has other axes or another number of channels, if the result would have no
        elements, or if no padding leads to `output_size`.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    See Also
    --------
    autograd_core.conv_transpose : The function, without parameters.

    Notes
    -----
    Shapes: weight (in_channels, out_channels / groups, *kernel), bias (out_channels,). With x (n,
    in_channels, *S), or (in_channels, *S) for one example, the result is (n, out_channels, *T) with
    T = (S - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. In a call,
    ``output_size``, the lengths T, replaces `output_padding`. The initial values are uniform in ±1
    / √(out_channels / groups · elements of the kernel).
    """

    weighs_outputs = False

    @public
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        initializer: Initializer | None = None,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        kind = type(self).__name__
        if padding_mode != "zeros" or isinstance(padding, str):
            raise ArgumentError(f"{kind}: the padding is a number of zeros, as there is no other")
        self._make(kind, (in_channels, out_channels), kernel_size, stride, padding, dilation,
                   groups, bias, initializer, generator, dtype)  # fmt: skip
        self.output_padding = spread("output_padding", output_padding, self.axes, 0)
        if any(o >= max(s, d) for o, s, d in
               zip(self.output_padding, self.stride, self.dilation, strict=True)):  # fmt: skip
            raise ArgumentError(
                f"{kind}: output_padding {self.output_padding} must be less than stride "
                f"{self.stride} or dilation {self.dilation}"
            )

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """The transposed convolution.

        Parameters
        ----------
        x : array_like
            The input, (n, in_channels, *S) or (in_channels, *S).
        output_size : tuple of int, optional
            The shape of the result along the last axes. It replaces `output_padding`.

        Returns
        -------
        Tensor
            The result, (n, out_channels, *T) or (out_channels, *T).
        """
        try:
            more = self.output_padding if output_size is None else self._further(x, output_size)
            return ac.conv_transpose(
                x, self.weight, self.bias, self.stride, self.padding, more, self.groups,
                self.dilation,
            )  # fmt: skip
        except (AutogradError, AttributeError) as error:
            raise _explained(self, x, error) from None

    def _further(self, x: Any, output_size: Any) -> tuple[int, ...]:
        """The padding of the result with which it has a size."""
        wanted = spread("output_size", tuple(output_size)[-self.axes :], self.axes)
        settings = zip(x.shape[-self.axes :], self.stride, self.padding, self.dilation,
                       self.kernel_size, strict=True)  # fmt: skip
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in settings]
        more = tuple(a - b for a, b in zip(wanted, least, strict=True))
        if any(not 0 <= m < s for m, s in zip(more, self.stride, strict=True)):
            most = [b + s - 1 for b, s in zip(least, self.stride, strict=True)]
            raise ShapeError(f"output_size must be in {least} to {most}, not {wanted}")
        return more

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """One for each weight of an input channel and element of x."""
        return int(inputs[0].size) * math.prod(self.weight.shape[1:])


@like(TransposedConvolution)
class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution along one axis.

    Shapes: x (n, in_channels, length) → (n, out_channels, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.ConvTranspose1d(8, 3, kernel_size=2, stride=2, generator=0)
    >>> layer(np.ones((2, 8, 16))).shape
    (2, 3, 32)
    """

    axes = 1


@like(TransposedConvolution)
class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution of images.

    Shapes: x (n, in_channels, h, w) → (n, out_channels, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.ConvTranspose2d(8, 3, kernel_size=2, stride=2, generator=0)
    >>> layer(np.ones((2, 8, 16, 16))).shape
    (2, 3, 32, 32)
    """

    axes = 2


@like(TransposedConvolution)
class ConvTranspose3d(TransposedConvolution):
    """Transposed convolution of volumes.

    Shapes: x (n, in_channels, d, h, w) → (n, out_channels, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.ConvTranspose3d(8, 3, kernel_size=2, stride=2, generator=0)
    >>> layer(np.ones((2, 8, 4, 16, 16))).shape
    (2, 3, 8, 32, 32)
    """

    axes = 3


# ---- windows as columns --------------------------------------------------------------------------


def _counts(layer: Any, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of windows in images of this size."""
    settings = zip(lengths, layer.kernel_size, layer.stride, layer.padding, layer.dilation,
                   strict=True)  # fmt: skip
    room = [(n + 2 * p - d * (k - 1) - 1, s) for n, k, s, p, d in settings]
    if min(r for r, _ in room) < 0:
        raise misfit(layer, ShapeError(
            f"a window of {layer.kernel_size} does not fit into images of {tuple(lengths)}"
        ))  # fmt: skip
    return tuple(r // s + 1 for r, s in room)


class Unfold(Module):
    """The windows of images as columns.

    Shapes: x (n, C, H, W) or (C, H, W) → (n, C · elements of the kernel, windows).

    Parameters
    ----------
    kernel_size : int or tuple of int
        The size of the windows.
    dilation : int or tuple of int, default 1
        The distance between neighbouring elements of a window.
    padding : int or tuple of int, default 0
        The width of a border of zeros around the images.
    stride : int or tuple of int, default 1
        The distance between neighbouring windows.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer (a padding may be 0).
    ShapeError
        In a call, if x has another number of axes, or if no window fits into it.

    See Also
    --------
    Fold : The transpose, a sum of windows.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> nn.Unfold(2)(x)
    array([[[0., 1., 3., 4.],
            [1., 2., 4., 5.],
            [3., 4., 6., 7.],
            [4., 5., 7., 8.]]])
    """

    @public
    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        self.kernel_size = spread("kernel_size", kernel_size, 2)
        self.dilation, self.stride = spread("dilation", dilation, 2), spread("stride", stride, 2)
        self.padding = spread("padding", padding, 2, 0)

    def forward(self, x: Any) -> Any:
        """The columns."""
        if x.ndim not in (3, 4):
            raise misfit(self, ShapeError(f"expects (n, C, H, W), x has shape {x.shape}"))
        counts = _counts(self, x.shape[-2:])
        y = _unfold(x, self.kernel_size, self.stride, self.dilation, self.padding, counts)
        rows = x.shape[-3] * math.prod(self.kernel_size)
        return ac.reshape(y, (*x.shape[:-3], rows, math.prod(counts)))

    def describe(self) -> str:
        """The kernel."""
        return shown(self.kernel_size)


@like(Unfold)
class Fold(Module):
    """The sum of windows at their places in images: the transpose of `Unfold`.

    Shapes: x (n, C · elements of the kernel, windows) or without n → (n, C, H, W).

    Parameters
    ----------
    output_size : int or tuple of int
        The size of the images, H and W.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer (a padding may be 0).
    ShapeError
        In a call, if the shape of x is not that of the windows of such images.

    See Also
    --------
    Unfold : The windows of images.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.ones((1, 4, 4))
    >>> nn.Fold(output_size=3, kernel_size=2)(x)
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """

    @public
    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        self.output_size = spread("output_size", output_size, 2)
        self.kernel_size = spread("kernel_size", kernel_size, 2)
        self.dilation, self.stride = spread("dilation", dilation, 2), spread("stride", stride, 2)
        self.padding = spread("padding", padding, 2, 0)

    def forward(self, x: Any) -> Any:
        """The images."""
        counts, elements = _counts(self, self.output_size), math.prod(self.kernel_size)
        if x.ndim not in (2, 3) or x.shape[-2] % elements or x.shape[-1] != math.prod(counts):
            raise misfit(self, ShapeError(
                f"expects (n, C · {elements}, {math.prod(counts)}), x has shape {x.shape}"
            ))  # fmt: skip
        windows = ac.reshape(
            x, (*x.shape[:-2], x.shape[-2] // elements, *self.kernel_size, *counts)
        )
        return _fold(
            windows, self.kernel_size, self.stride, self.dilation, self.padding, self.output_size
        )

    def describe(self) -> str:
        """The kernel and the size of the images."""
        return f"{shown(self.kernel_size)} → {shown(self.output_size)}"
