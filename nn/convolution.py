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
    """A layer with a weight (a, b, *kernel) and a bias. The initial values are uniform in ±1 /
    √(b · elements of the kernel), or `initializer` fills the weights and the bias is zero; see
    `Linear`."""

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


class Convolution(Kernel):
    """Shapes: x (n, in_channels, *S), weight (out_channels, in_channels / groups, *kernel), bias
    (out_channels,); result (n, out_channels, *T) with T = (S + 2 padding - dilation (kernel - 1) -
    1) // stride + 1. See `autograd_core.conv`."""

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


class Conv1d(Convolution):
    """Convolution along one axis; see `Convolution`."""

    axes = 1


class Conv2d(Convolution):
    """Convolution of images; see `Convolution`."""

    axes = 2


class Conv3d(Convolution):
    """Convolution of volumes; see `Convolution`."""

    axes = 3


class TransposedConvolution(Kernel):
    """Shapes: x (n, in_channels, *S), weight (in_channels, out_channels / groups, *kernel), bias
    (out_channels,); result (n, out_channels, *T) with T = (S - 1) stride - 2 padding + dilation
    (kernel - 1) + output_padding + 1. See `autograd_core.conv_transpose`."""

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
        """The transposed convolution. `output_size` is the shape of the result along the last axes;
        it replaces `output_padding`."""
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


class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution along one axis; see `TransposedConvolution`."""

    axes = 1


class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution of images; see `TransposedConvolution`."""

    axes = 2


class ConvTranspose3d(TransposedConvolution):
    """Transposed convolution of volumes; see `TransposedConvolution`."""

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
    """The windows of images as columns: (n, C, H, W) → (n, C · elements of the kernel, windows)."""

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


class Fold(Module):
    """The sum of windows at their places in images of `output_size`: the transpose of `Unfold`,
    (n, C · elements of the kernel, windows) → (n, C, H, W)."""

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
