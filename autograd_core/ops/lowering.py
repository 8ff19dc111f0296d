"""Convolutions as products of matrices: the windows of an array, gathered block by block.

Arrays (n, C, *S) are read and written as (groups, rows, channels, *others), "arranged": the rows
are the first axis of S, the others its further axes and then the examples. Results lie in memory as
(rows, C, *others), so the copies below are of runs as long as a row of all examples, and the next
layer need not transpose.

Windows are gathered along all axes but the rows. Along these, overlapping rows of the same memory
are the windows, so that 3 × 3 windows take three times the memory of x, not nine (Cho and Brand,
2017, arXiv:1706.06873), and a stack of products of matrices, one for each row, is the convolution.
If the rows have a stride or a dilation, or if there is one axis only, the windows are gathered
along it too; there is then one row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from autograd_core.engine.types import Array

# Bytes of windows that are gathered at a time. For 64 channels, 3 × 3, 32 × 32, 16 examples: from 1
# to 6 MB the copies take 0.6 ms, with 13 MB 1.0 ms, beside a product of 15 ms.
BLOCK = 1 << 22
ROWS = 3  # a block has this many rows for each row of the kernel, as blocks overlap
WHOLE = 1 << 24  # bytes of an array that is transposed as a whole, once

Sizes = tuple[int, ...]
ALL = slice(None)


def part(start: int, stop: int, length: int, step: int | None = None) -> slice:
    """A part of an axis of this length."""
    return ALL if (start, stop, step) == (0, length, None) else slice(start, stop, step)


class Axis(NamedTuple):
    """The windows along an axis: element i of window r is x[r * stride + i * dilation - before], or
    0 if x has no such element."""

    kernel: int
    stride: int
    dilation: int
    before: int
    windows: int
    length: int  # of x

    def some(self, start: int, stop: int) -> Axis:
        """The axis with some of the windows."""
        return self._replace(before=self.before - start * self.stride, windows=stop - start)

    def bounds(self) -> tuple[int, int]:
        """Where in x the windows begin and end."""
        last = (self.windows - 1) * self.stride + (self.kernel - 1) * self.dilation - self.before
        start = min(max(0, -self.before), self.length)
        return start, max(start, min(self.length, last + 1))

    def within(self, start: int, stop: int) -> Axis:
        """The same windows of x[start:stop]."""
        return self._replace(before=self.before + start, length=stop - start)

    def inside(self, i: int) -> tuple[slice, slice]:
        """The windows whose element i is in x, and where in x it is."""
        shift = i * self.dilation - self.before
        start = max(0, -(shift // self.stride))
        stop = min(self.windows, -((shift - self.length) // self.stride))
        if stop <= start:
            return slice(0, 0), slice(0, 0)
        first, last = (r * self.stride + shift for r in (start, stop - 1))
        step = self.stride if self.stride > 1 else None
        return part(start, stop, self.windows), part(first, last + 1, self.length, step)

    def turned(self) -> Axis:
        """The windows of what was computed with a stride of 1, one for each element of x."""
        before = self.dilation * (self.kernel - 1) - self.before
        return Axis(self.kernel, 1, self.dilation, before, self.length, self.windows)


def point(length: int) -> Axis:
    """An axis whose windows are its elements."""
    return Axis(1, 1, 1, 0, length, length)


def axes_of(lengths: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, before: Sizes,
            windows: Sizes, n: int) -> list[Axis]:  # fmt: skip
    """The axes of a convolution, of which the first is that of the rows and the last that of the n
    examples."""
    axes = [*map(Axis, kernel, stride, dilation, before, windows, lengths)]
    overlap = len(axes) > 1 and axes[0].stride == axes[0].dilation == 1
    return [*([] if overlap else [point(1)]), *axes, point(n)]


def inner(axes: list[Axis]) -> int:
    """The number of elements of a window along all axes but the rows."""
    return math.prod(axis.kernel for axis in axes[1:])


def arranged(x: Array, groups: int, axes: list[Axis]) -> Array:
    """x (n, C, *S) as (groups, rows, channels, *others): a view, or a copy if it is small and lies
    in another order."""
    n, channels, *lengths = x.shape
    rows = [1] * (len(axes) - 1 - len(lengths))
    split = x.reshape((n, groups, channels // groups, *rows, *lengths))
    x = split.transpose((1, 3, 2, *range(4, split.ndim), 0))
    return x.copy() if _is_turned(x) and x.nbytes <= WHOLE else x


def _is_turned(x: Array) -> bool:
    return bool(x.shape[-1] > 1 and x.strides[-1] != x.itemsize)


def restored(y: Array, dimensions: int) -> Array:
    """A view of an arranged array as (n, C, *S), with this many axes S."""
    y = y.transpose((y.ndim - 1, 0, 2, 1, *range(3, y.ndim - 1)))
    return y.reshape((y.shape[0], y.shape[1] * y.shape[2], *y.shape[y.ndim - dimensions :]))


def made(like: Array, dtype: Any, groups: int, channels: int, axes: Sizes) -> Array:
    """A new arranged array, with this many rows and others."""
    rows, *others = axes
    return np.empty_like(like, shape=(rows, groups, channels, *others), dtype=dtype).swapaxes(0, 1)


def blocks(axes: list[Axis], size: int) -> Iterator[tuple[list[Axis], Any]]:
    """Parts of the windows, of about BLOCK bytes: the axes of each part, and its place in the
    arranged result. `size` is the number of bytes of a window."""
    lengths = [axis.windows for axis in axes]
    counts = list(lengths)
    counts[0] = min(lengths[0], max(_fitting(0, counts, size), ROWS * axes[0].kernel))
    for place in (*range(1, len(counts)), 0):  # runs are along the last axes
        counts[place] = max(1, min(counts[place], _fitting(place, counts, size)))
    starts = [range(0, length, count) for length, count in zip(lengths, counts, strict=True)]
    for start in product(*starts):
        stop = [min(s + c, end) for s, c, end in zip(start, counts, lengths, strict=True)]
        rows, *others = map(part, start, stop, lengths)
        yield [a.some(s, e) for a, s, e in zip(axes, start, stop, strict=True)], (
            ALL, rows, ALL, *others)  # fmt: skip


def _fitting(place: int, counts: list[int], size: int) -> int:
    others = math.prod(counts[:place]) * math.prod(counts[place + 1 :])
    return BLOCK // max(1, size * others)


def offsets(axes: list[Axis]) -> Iterator[tuple[Any, Any, Any]]:
    """For each element of the windows along all axes but the rows: its place in gathered windows,
    the windows of which it is inside of x, and where in x it is."""
    rows = _single(axes[0]).inside(0)
    for place in product(*(range(axis.kernel) for axis in axes[1:])):
        others = [axis.inside(i) for axis, i in zip(axes[1:], place, strict=True)]
        to, source = zip(rows, (ALL, ALL), *others, strict=True)
        yield (ALL, ALL, ALL, *place), (ALL, *to), (ALL, *source)


def _single(rows: Axis) -> Axis:
    """All rows of the windows, as windows of one row."""
    return rows._replace(kernel=1, windows=rows.windows + rows.kernel - 1)


def gathered(x: Array, axes: list[Axis]) -> Array:
    """The windows along all axes but the rows, (groups, rows, channels, *kernel, *windows), of an
    arranged array. They are a view of x if it has them."""
    kernel, windows = [a.kernel for a in axes[1:]], [a.windows for a in axes[1:]]
    rows = _single(axes[0]).windows
    if math.prod(kernel) == 1:
        ((_, _, source),) = offsets(axes)
        found = x[source]
        if found.shape[1:] == (rows, x.shape[2], *windows) and in_order(found, axes[0].kernel):
            return found.reshape((*found.shape[:3], *kernel, *windows))
    if _is_turned(x):  # one transposition, not one for each element of the kernel
        places = [axis.bounds() for axis in axes]
        first, *others = (slice(*place) for place in places)
        x = x[(ALL, first, ALL, *others)].copy()
        axes = [axis.within(*place) for axis, place in zip(axes, places, strict=True)]
    out = np.empty_like(x, shape=(x.shape[0], rows, x.shape[2], *kernel, *windows))
    for outside in _outside(_single(axes[0]).inside(0)[0], rows):
        out[:, outside] = 0
    for place, inside, source in offsets(axes):
        target = out[place][:, inside[1]]
        for axis, where in enumerate(inside[3:], 3):
            for outside in _outside(where, target.shape[axis]):
                target[(*(ALL,) * axis, outside)] = 0
        target[(ALL, ALL, *inside[2:])] = x[source]
    return out


def _outside(inside: slice, length: int) -> list[slice]:
    """The two parts of an axis of `length` that are not inside, if they are not empty."""
    if inside == ALL:
        return []
    ends = (0, inside.start), (inside.stop, length)
    return [part(start, stop, length) for start, stop in ends if start < stop]


def in_order(x: Array, rows: int) -> bool:
    """True if the axes behind the channels are one axis in memory and, for windows of several rows,
    the rows are one axis with the channels."""
    step = x.itemsize
    for length, stride in zip(x.shape[:2:-1], x.strides[:2:-1], strict=True):
        if length > 1 and stride != step:
            return False
        step *= length
    channels = x.shape[2] == 1 or x.strides[2] == step
    return rows == 1 or (channels and x.strides[1] == step * x.shape[2])


def columns(windows: Array, axes: list[Axis]) -> Array:
    """Gathered windows as matrices (groups, rows, elements of a window, windows of a row)."""
    groups, _, channels = windows.shape[:3]
    elements = channels * math.prod(axis.kernel for axis in axes[1:])
    across = math.prod(axis.windows for axis in axes[1:])
    flat = windows.reshape((groups, windows.shape[1], elements, across))
    return slid(flat, axes[0].kernel)


def slid(x: Array, rows: int) -> Array:
    """Windows of this many rows of an array (groups, rows, channels, columns), as matrices (groups,
    rows, elements of a window, columns) in the same memory."""
    if rows == 1:
        return x
    groups, count, channels, across = x.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, rows, 1).transpose((0, 1, 4, 2, 3))
    return windows.reshape((groups, count - rows + 1, rows * channels, across))


def flat(x: Array) -> Array:
    """An arranged array as (groups, rows, channels, all others), a view if it has them in order."""
    x = x if in_order(x, 1) else x.copy()
    return x.reshape((*x.shape[:3], math.prod(x.shape[3:])))


def store(a: Array, b: Array, target: Array) -> None:
    """Write ``a @ b`` to a part of an arranged array."""
    if in_order(target, 1):
        np.matmul(a, b, out=flat(target))
    else:
        target[...] = np.matmul(a, b).reshape(target.shape)


def scatter(windows: Array, x: Array, axes: list[Axis]) -> None:
    """Add windows (groups, rows, channels, *kernel, *windows) to an arranged array: the transpose
    of `gathered`."""
    for place, inside, source in offsets(axes):
        target = x[source]
        target += windows[place][inside]


__all__ = ["BLOCK", "Axis", "Sizes", "arranged", "axes_of", "blocks", "columns", "flat", "gathered",
           "in_order", "inner", "made", "part", "point", "restored", "scatter", "slid",
           "store"]  # fmt: skip
