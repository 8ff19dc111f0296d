"""Convolution over any number of axes, and its transpose.

A convolution of x (n, C, *S) with weights w (O, C / groups, *kernel) is linear in each of them. Its
transposes by x and by w are the other two operations, so the rules of each are the others, at any
order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices.followers import followed
from autograd_core.engine.op import composed, op
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.ops import shifting
from autograd_core.ops.lowering import (
    BLOCK,
    Axis,
    Sizes,
    arranged,
    axes_of,
    blocks,
    columns,
    flat,
    gathered,
    inner,
    made,
    part,
    point,
    restored,
    scatter,
    store,
)
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul
from autograd_core.ops.shaping import reshape

__all__ = ["conv", "conv_transpose"]
BEYOND_NUMPY = ("conv", "conv_transpose")

# A gradient by x is a convolution of the gradient of y if that has at most this many more products:
# copies of windows take less time than additions of windows.
WASTE = 1.2


def _stacked(kernel: Callable[[Array, Array], Array], a: Array, b: Array, ndim: int) -> Array:
    """A kernel of arrays of `ndim` axes, for arrays with further axes in front, such as a stack of
    gradients. The first axis of `a` is one of examples, which they join if `b` has none."""
    if b.ndim > ndim or a.ndim == ndim:
        return _looped(kernel, a, b, ndim)
    examples = a.shape[: a.ndim - ndim + 1]
    out = kernel(a.reshape((math.prod(examples), *a.shape[len(examples) :])), b)
    return out.reshape((*examples, *out.shape[1:]))


def _looped(kernel: Callable[[Array, Array], Array], a: Array, b: Array, ndim: int) -> Array:
    if a.ndim == ndim == b.ndim:
        return kernel(a, b)
    lead = np.broadcast_shapes(a.shape[:-ndim], b.shape[:-ndim])
    a, b = (
        np.broadcast_to(x, (*lead, *x.shape[-ndim:])).reshape((math.prod(lead), *x.shape[-ndim:]))
        for x in (a, b)
    )
    if not len(a):
        one = kernel(*(np.zeros_like(x, shape=x.shape[1:]) for x in (a, b)))
        return np.empty_like(one, shape=(*lead, *one.shape))
    found = np.stack([kernel(*pair) for pair in zip(a, b, strict=True)])
    return found.reshape((*lead, *found.shape[1:]))


def _split(w: Array, groups: int, axes: list[Axis]) -> Array:
    """Weights (O, C, *kernel) as (groups, outputs, channels, rows, others)."""
    shape = groups, w.shape[0] // groups, w.shape[1], axes[0].kernel, inner(axes)
    return w.reshape(shape)


def _correlated(x: Array, w: Array, axes: list[Axis]) -> Array:
    """The arranged sums over the windows of x, multiplied by weights (groups, outputs, channels,
    rows, others)."""
    groups, outputs, channels, _, others = w.shape
    given = arranged(x, groups, axes)
    y = made(x, np.result_type(x, w), groups, outputs, tuple(axis.windows for axis in axes))
    if shifting.applies(given, axes):
        shifting.correlated(given, w, axes, y)
        return y
    for parts, place in blocks(axes, groups * channels * others * x.itemsize):
        windows = columns(gathered(given, parts), parts)
        for some in _parts(outputs, w[:, :1].nbytes):
            matrix = w[:, some].transpose((0, 1, 3, 2, 4))
            matrix = matrix.reshape((groups, 1, matrix.shape[1], windows.shape[2]))
            store(followed(matrix, w), windows, y[place][:, :, some])
    return y


def _scattered(y: Array, w: Array, axes: list[Axis]) -> Array:
    """The transpose of `_correlated`: the products of y and the weights for each element of the
    windows, added to its place in x."""
    groups, _, channels, _, others = w.shape
    given = arranged(y, groups, axes)
    x = made(y, np.result_type(y, w), groups, channels, tuple(axis.length for axis in axes))
    x[...] = 0
    matrix = w[:, :, :, ::-1].transpose((0, 2, 4, 3, 1))
    matrix = matrix.reshape((groups, 1, channels * others, axes[0].kernel * w.shape[1]))
    matrix = followed(matrix, w)
    size = max(groups * channels * others, y.shape[1]) * y.itemsize
    for (rows, *parts), (_, at, _, *rest) in blocks([axes[0].turned(), *axes[1:]], size):
        read = [rows, *(point(axis.windows) for axis in parts)]
        found = np.matmul(matrix, columns(gathered(given[(..., *rest)], read), read))
        kernel, windows = [a.kernel for a in parts], [a.windows for a in parts]
        found = found.reshape((*found.shape[:2], channels, *kernel, *windows))
        scatter(found, x[:, at], [point(rows.windows), *parts])
    return x


def _parts(count: int, size: int) -> list[slice]:
    """Parts of `count` things of `size` bytes, of about BLOCK bytes."""
    step = max(1, BLOCK // max(1, size))
    return [part(start, min(start + step, count), count) for start in range(0, count, step)]


def _x(g: Gradient, w: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
       x_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution_x(g, w, stride, dilation, before, x_shape[-len(stride) :], groups)


def _w(g: Gradient, x: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
       w_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution_w(x, g, stride, dilation, before, w_shape[-len(stride) :], groups)


def _over_places(g: Gradient, stride: Sizes) -> Gradient:
    return g.sum((-2 - len(stride), *range(-len(stride), 0)))


@op(x=_x, w=_w, bias=_over_places)
def _convolution(x: Array, w: Array, stride: Any, dilation: Any, before: Any, counts: Any,
                 groups: Any, bias: Array = None) -> Array:  # fmt: skip
    """The sums over the windows of x, multiplied by w, plus `bias`. On each axis, element i of
    window r is x[r * stride + i * dilation - before], or 0 outside of x; there are `counts`
    windows."""

    def kernel(x: Array, w: Array) -> Array:
        axes = axes_of(x.shape[2:], w.shape[2:], stride, dilation, before, counts, len(x))
        return restored(_correlated(x, _split(w, groups, axes), axes), len(stride))

    return _plus(_stacked(kernel, x, w, len(stride) + 2), bias, len(stride))


def _plus(y: Array, bias: Array, axes: int) -> Array:
    """A new array y (…, O, *T) with its bias (…, O), in place if that has its dtype."""
    if bias is None:
        return y
    bias = bias.reshape((*bias.shape[:-1], *(1,) * (bias.ndim > 1), bias.shape[-1], *(1,) * axes))
    if bias.dtype != y.dtype or bias.ndim > y.ndim:
        return y + bias
    y += bias
    return y


def _x_y(g: Gradient, w: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
         y_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution(g, w, stride, dilation, before, y_shape[-len(stride) :], groups)


def _x_w(g: Gradient, y: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
         w_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution_w(g, y, stride, dilation, before, w_shape[-len(stride) :], groups)


@op(y=_x_y, w=_x_w, bias=_over_places)
def _convolution_x(y: Array, w: Array, stride: Any, dilation: Any, before: Any, lengths: Any,
                   groups: Any, bias: Array = None) -> Array:  # fmt: skip
    """The transpose of `_convolution` as a function of x, which has `lengths`: the products of y
    and w, added to the places of x that they were read from; plus `bias`."""

    def kernel(y: Array, w: Array) -> Array:
        axes = axes_of(lengths, w.shape[2:], stride, dilation, before, y.shape[2:], len(y))
        split = _split(w, groups, axes)
        if max(stride) == 1 and math.prod(lengths[1:]) <= WASTE * math.prod(y.shape[3:]):
            turned = split[..., ::-1, ::-1].swapaxes(1, 2)
            x = _correlated(y, turned, [axis.turned() for axis in axes])
        else:
            x = _scattered(y, split, axes)
        return restored(x, len(stride))

    return _plus(_stacked(kernel, y, w, len(stride) + 2), bias, len(stride))


def _w_x(g: Gradient, y: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
         x_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution_x(y, g, stride, dilation, before, x_shape[-len(stride) :], groups)


def _w_y(g: Gradient, x: Array, stride: Sizes, dilation: Sizes, before: Sizes, groups: int,
         y_shape: Shape) -> Gradient:  # fmt: skip
    return _convolution(x, g, stride, dilation, before, y_shape[-len(stride) :], groups)


@op(x=_w_x, y=_w_y)
def _convolution_w(x: Array, y: Array, stride: Any, dilation: Any, before: Any, lengths: Any,
                   groups: Any) -> Array:  # fmt: skip
    """The transpose of `_convolution` as a function of w, whose kernel has `lengths`."""

    def kernel(x: Array, y: Array) -> Array:
        axes = axes_of(x.shape[2:], lengths, stride, dilation, before, y.shape[2:], len(x))
        given, arriving = arranged(x, groups, axes), arranged(y, groups, axes)
        channels, outputs, dtype = given.shape[2], arriving.shape[2], np.result_type(x, y)
        if shifting.applies(given, axes):
            w = shifting.weights(given, arriving, axes)
            return w.reshape((groups * outputs, channels, *lengths))
        elements = axes[0].kernel * channels * inner(axes)
        w = np.empty_like(x, shape=(groups, outputs, elements), dtype=dtype)
        w[...] = 0
        for parts, place in blocks(axes, x.shape[1] * inner(axes) * x.itemsize):
            windows = columns(gathered(given, parts), parts).swapaxes(2, 3)
            rows = flat(arriving[place])
            for some in _parts(outputs, groups * elements * dtype.itemsize):
                total = w[:, some]
                for r in _parts(rows.shape[1], total.nbytes):
                    total += np.matmul(rows[:, r, some], windows[:, r]).sum(1)
        w = w.reshape((groups * outputs, axes[0].kernel, channels, inner(axes))).swapaxes(1, 2)
        return w.reshape((groups * outputs, channels, *lengths))

    return _looped(kernel, x, y, len(stride) + 2)


# ---- what is public ------------------------------------------------------------------------------


def spread(name: str, value: Any, count: int, least: int = 1) -> Sizes:
    """A setting as a tuple with an integer for each of `count` axes."""
    values = value if isinstance(value, tuple | list) else (value,) * count
    if len(values) != count or not all(
        isinstance(v, int | np.integer) and v >= least for v in values
    ):
        raise ArgumentError(
            f"{name} must be an integer of at least {least}, or one for each of {count} axes, "
            f"not {value!r}"
        )
    return tuple(map(int, values))


def _operands(name: str, x: Any, weight: Any, groups: int, channels: int) -> tuple[Any, Any, int]:
    """The operands and the number of axes. Raises for shapes that do not fit; `channels` is the
    axis of the weights on which those of x are."""
    x, weight = as_operand(x), as_operand(weight)
    count = weight.ndim - 2
    if count < 1 or x.ndim not in (count + 1, count + 2):
        raise ShapeError(
            f"{name}: weight must have 2 axes and one for each axis of the kernel, and x the axes "
            f"(n, channels, *S) or (channels, *S); weight has shape {weight.shape}, x {x.shape}"
        )
    if not isinstance(groups, int | np.integer) or groups < 1 or weight.shape[0] % groups:
        raise ArgumentError(f"{name}: groups={groups} does not divide {weight.shape[0]} channels")
    expected = weight.shape[channels] * (groups if channels else 1)
    if x.shape[-count - 1] != expected:
        raise ShapeError(
            f"{name}: x must have {expected} channels, as weight has shape {weight.shape} and "
            f"groups={groups}; x has shape {x.shape}"
        )
    return x, weight, count


def _bias(name: str, bias: Any, outputs: int) -> Any:
    if bias is None:
        return None
    bias = as_operand(bias)
    if bias.shape != (outputs,):
        raise ShapeError(f"{name}: bias must have shape ({outputs},), not {bias.shape}")
    return bias


@composed
def conv(
    x: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """The convolution, without flipping, of x with `weight`, as in PyTorch's conv1d, conv2d and
    conv3d (Goodfellow et al., 2016, equation 9.6).

    Shapes: x (n, C, *S) or (C, *S), weight (O, C / groups, *kernel), bias (O,); the result is
    (n, O, *T) or (O, *T), where T = (S + 2 padding - dilation (kernel - 1) - 1) // stride + 1 on
    each axis. `padding` is a number, or one for each axis, or "valid" (0), or "same": as many zeros
    as keep the shape with a stride of 1, with the odd one at the end.

    The result may lie in memory in another order than its axes. Raises ShapeError if the shapes do
    not fit and if the kernel is larger than the padded x.
    """
    x, weight, count = _operands("conv", x, weight, groups, 1)
    stride, dilation = spread("stride", stride, count), spread("dilation", dilation, count)
    lengths, kernel = x.shape[-count:], weight.shape[-count:]
    extents = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if padding == "same":
        if set(stride) != {1}:
            raise ArgumentError(f"conv: padding='same' needs a stride of 1, not {stride}")
        before, counts = tuple((e - 1) // 2 for e in extents), lengths
    else:
        if isinstance(padding, str) and padding != "valid":
            raise ArgumentError(f'conv: padding is a number, "same" or "valid", not {padding!r}')
        before = spread("padding", 0 if padding == "valid" else padding, count, 0)
        room = [s + 2 * p - e for s, p, e in zip(lengths, before, extents, strict=True)]
        if min(room) < 0 or min(kernel) < 1 or min(lengths) < 1:
            raise ShapeError(
                f"conv: a kernel of {kernel}, {extents} with dilation {dilation}, does not fit "
                f"into x of shape {x.shape} with padding {before}"
            )
        counts = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    single = x.ndim == count + 1
    x = x[None] if single else x
    bias = _bias("conv", bias, weight.shape[0])
    if groups == 1 and counts == lengths and _is_product(x, weight, stride, before):
        y = reshape(_product(x, weight), (len(x), len(weight), *counts))
        y = y if bias is None else y + reshape(bias, (-1, *(1,) * count))
    else:
        y = _convolution(x, weight, stride, dilation, before, counts, groups, bias)
    return y[0] if single else y


def _is_product(x: Any, weight: Any, stride: Sizes, before: Sizes) -> bool:
    """True for a kernel of one element and x in C order, with few enough weights: the gradient by
    them is computed for each example."""
    small = len(x) * weight.size * weight.dtype.itemsize <= BLOCK
    points = math.prod(weight.shape[2:]) == 1 and set(stride) == {1} and not any(before)
    return small and points and bool((x._array if isinstance(x, Tensor) else x).flags.c_contiguous)


def _product(x: Any, weight: Any) -> Any:
    """A convolution with a kernel of one element, (n, O, elements), without a copy of x."""
    n, channels, *lengths = x.shape
    rows = reshape(x, (n, channels, math.prod(lengths)))
    return matmul(reshape(weight, weight.shape[:2]), rows)


@composed
def conv_transpose(
    x: Operand,
    weight: Operand,
    bias: Operand = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """The transpose of a convolution, which is its gradient by x (Dumoulin and Visin, 2016,
    chapter 4), as in PyTorch's conv_transpose2d.

    Shapes: x (n, C, *S) or (C, *S), weight (C, O / groups, *kernel), bias (O,); the result is
    (n, O, *T) or (O, *T), where T = (S - 1) stride - 2 padding + dilation (kernel - 1) +
    output_padding + 1 on each axis. `output_padding`, which is less than the stride or the
    dilation, selects one of the shapes that a convolution takes to S.
    """
    x, weight, count = _operands("conv_transpose", x, weight, groups, 0)
    stride, dilation = spread("stride", stride, count), spread("dilation", dilation, count)
    before = spread("padding", padding, count, 0)
    more = spread("output_padding", output_padding, count, 0)
    if any(o >= max(s, d) for o, s, d in zip(more, stride, dilation, strict=True)):
        raise ArgumentError(
            f"conv_transpose: output_padding {more} must be less than stride {stride} or "
            f"dilation {dilation}"
        )
    lengths = tuple(
        (size - 1) * s - 2 * p + d * (k - 1) + o + 1
        for size, s, p, d, k, o in zip(
            x.shape[-count:], stride, before, dilation, weight.shape[-count:], more, strict=True
        )
    )
    if min(lengths) < 1:
        raise ShapeError(f"conv_transpose: the result of x with shape {x.shape} would be {lengths}")
    single = x.ndim == count + 1
    x = x[None] if single else x
    bias = _bias("conv_transpose", bias, groups * weight.shape[1])
    y = _convolution_x(x, weight, stride, dilation, before, lengths, groups, bias)
    return y[0] if single else y
