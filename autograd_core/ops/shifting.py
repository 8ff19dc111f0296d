"""Convolutions without copies of windows: one product for each element of the kernel.

If the windows along the only axis of an image beside the rows are not strided, element j of all
windows of a row is the row of x, shifted. The products of the weights of each j with the shifted
rows are added (Anderson et al., 2017, arXiv:1709.03395). Along the rows, windows are overlapping
rows of the same memory, as in `lowering`, where the names are explained.

Products with few terms are slow, and a copy of a few channels is fast: with fewer than TERMS terms
windows are gathered. For 64 channels, 3 × 3, 32 × 32, 16 examples, one product for each element
takes as long as the single product of gathered windows, without the copies (12 % on top of it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from autograd_core.engine.types import Array
from autograd_core.ops.lowering import ALL, Axis, flat, in_order, part, point, slid

TERMS = 64
PART = 1 << 20  # bytes of a product that is added to others: these stay in the cache


def applies(x: Array, axes: list[Axis]) -> bool:
    """True if an arranged array has such windows, and enough channels."""
    rows, first, *others = axes
    shifted = first.stride == 1 and all(axis == point(axis.length) for axis in others)
    return shifted and x.shape[2] * rows.kernel >= TERMS and in_order(x, 2)


def _row_parts(rows: Axis, size: int) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of rows of the result, and which rows of the kernel are inside of x there. `size` is
    the number of bytes of a row."""
    most = max(1, PART // max(1, size))

    def inside(r: int) -> tuple[int, int]:
        return max(0, rows.before - r), min(rows.kernel, rows.length + rows.before - r)

    for (low, high), found in groupby(range(rows.windows), inside):
        run = list(found)
        for start in range(run[0], run[-1] + 1, most):
            yield start, min(start + most, run[-1] + 1), low, high


def _shifts(axes: list[Axis]) -> list[tuple[int, slice, slice]]:
    """For each element of the windows, its number, the columns of a row of the result whose windows
    have it inside of x, and the columns of x. What is inside of all windows comes first."""
    axis, step = axes[1], math.prod(other.windows for other in axes[2:])
    found = []
    for j in range(axis.kernel):
        to, source = (
            where if where == ALL else slice(where.start * step, where.stop * step)
            for where in axis.inside(j)
        )
        found.append((j, to, source))
    return sorted(found, key=lambda shift: shift[1] != ALL)


def correlated(x: Array, w: Array, axes: list[Axis], y: Array) -> None:
    """Write the sums over the windows of x, multiplied by weights (groups, outputs, channels, rows,
    others), to y."""
    rows, (first, *others) = axes[0], _shifts(axes)
    x, y = flat(x), flat(y)
    for start, stop, low, high in _row_parts(rows, y[0, :1].nbytes):
        target = y[:, part(start, stop, rows.windows)]
        if low >= high or first[1] != ALL:
            target[...] = 0
        if low >= high:
            continue
        given = slid(x[:, start + low - rows.before : stop + high - 1 - rows.before], high - low)
        for j, to, source in (first, *others):
            matrix = w[..., part(low, high, rows.kernel), j].swapaxes(2, 3)
            matrix = matrix.reshape((w.shape[0], 1, w.shape[1], given.shape[2]))
            if to == ALL and j == first[0]:
                np.matmul(matrix, given[..., source], out=target)
            else:
                some = target[..., to]
                some += np.matmul(matrix, given[..., source])


def weights(x: Array, y: Array, axes: list[Axis]) -> Array:
    """The sums over the windows of x, multiplied by y. The axes are those of the weights above."""
    rows, shifts, (groups, _, channels) = axes[0], _shifts(axes), x.shape[:3]
    x, y = flat(x), flat(y)
    shape = (len(shifts), groups, y.shape[2], rows.kernel * channels)
    w = np.empty_like(x, shape=shape, dtype=np.result_type(x, y))
    w[...] = 0
    for start, stop, low, high in _row_parts(rows, w[0].nbytes):
        if low >= high:
            continue
        given = slid(x[:, start + low - rows.before : stop + high - 1 - rows.before], high - low)
        arriving = y[:, part(start, stop, rows.windows)]
        for j, to, source in shifts:
            total = w[j][..., part(low * channels, high * channels, shape[3])]
            found = np.matmul(arriving[..., to], given[..., source].swapaxes(2, 3))
            total += found.sum(1)
    return w.reshape((*shape[:3], rows.kernel, channels)).transpose((1, 2, 4, 3, 0))


__all__ = ["applies", "correlated", "weights"]
