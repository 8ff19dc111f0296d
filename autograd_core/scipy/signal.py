"""Convolution in several dimensions, under SciPy's name."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np
import scipy.signal as scipys

from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ShapeError
from autograd_core.ops.contraction import tensordot
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.operands import as_operand
from autograd_core.ops.padding import pad
from autograd_core.ops.shaping import transpose
from autograd_core.ops.windows import sliding_window_view
from autograd_core.scipy.linalg import require_host
from autograd_core.scipy.passing import passed_through

__all__ = ["convolve"]

__getattr__ = passed_through("scipy.signal")


def _flipped(x: Array, ndim: int) -> Array:
    return x[(..., *[slice(None, None, -1)] * ndim)]


def _overlaps_x(g: Gradient, y: Array, ndim: int, mode: str) -> Gradient:
    return _overlaps(g, _flipped(y, ndim), ndim, "valid" if mode == "full" else "full")


def _overlaps_y(g: Gradient, x: Array, ndim: int, mode: str) -> Gradient:
    if mode == "full":
        return _overlaps(g, _flipped(x, ndim), ndim, "valid")
    return _flipped(_overlaps(x, _flipped(g, ndim), ndim, "valid"), ndim)


@op(x=_overlaps_x, y=_overlaps_y)
def _overlaps(x: Array, y: Array, ndim: int, mode: str) -> Array:
    """The convolution over the last `ndim` axes; leading axes broadcast. `mode` is "full" or
    "valid"; for "valid", x must be at least as long as y along each of the last `ndim` axes."""
    require_host("convolve", x, y)
    lead = x.ndim - ndim, y.ndim - ndim
    stack = np.broadcast_shapes(x.shape[: lead[0]], y.shape[: lead[1]])
    sign = 1 if mode == "full" else -1
    pairs = zip(x.shape[lead[0] :], y.shape[lead[1] :], strict=True)
    sides = tuple(n + sign * (m - 1) for n, m in pairs)
    out = np.empty((*stack, *sides), np.result_type(x.dtype, y.dtype))
    x = np.broadcast_to(x, stack + x.shape[lead[0] :])
    y = np.broadcast_to(y, stack + y.shape[lead[1] :])
    for place in np.ndindex(stack):
        out[place] = scipys.convolve(x[place], y[place], mode)
    return out


Axes = tuple[tuple[int, ...], tuple[int, ...]]


@composed
def convolve(
    x: Operand,
    y: Operand,
    mode: str = "full",
    *,
    axes: Any = None,
    dot_axes: Any = None,
) -> Array:
    """The convolution of two arrays. `mode` selects the returned part: all positions at which the
    arrays overlap ("full"), the central part with the lengths of x ("same"), or the positions at
    which one array lies entirely within the other ("valid").

    Without `axes` and `dot_axes`, x and y have the same number of axes and are convolved along all
    of them. `axes` is a pair of lists: the axes of x along which x is convolved, and the axes of y
    that belong to them. `dot_axes` is a pair of lists of axes over whose products the result is
    summed, as in `tensordot`. All other axes are kept: the result has the other axes of x, the
    other axes of y and the convolved axes, in this order. The dtype is that of x * y.

    Raises ShapeError, which names the argument and both shapes, if `axes` or `dot_axes` do not fit
    the operands, if the lengths along `dot_axes` differ, if a convolved axis is empty, or, for
    mode="valid", if neither array is at least as long as the other along every convolved axis.

    >>> images, filters = np.ones((8, 3, 28, 28)), np.ones((3, 6, 5, 5))
    >>> maps = convolve(images, filters, "valid", axes=([2, 3], [2, 3]), dot_axes=([1], [0]))
    >>> maps.shape  # (image, filter, row, column)
    (8, 6, 24, 24)
    """
    x, y = as_operand(x), as_operand(y)
    if mode not in ("full", "same", "valid"):
        raise ShapeError(f"convolve: mode must be 'full', 'same' or 'valid', not {mode!r}")
    if axes is None and dot_axes is None:
        return _along_all(x, y, mode)
    every = (range(x.ndim), range(y.ndim))
    along = _pair("axes", every if axes is None else axes, x.shape, y.shape)
    dotted = _pair("dot_axes", ((), ()) if dot_axes is None else dot_axes, x.shape, y.shape)
    _check_pairs(along, dotted, x.shape, y.shape)
    sides = [(x.shape[i], y.shape[j]) for i, j in zip(*along, strict=True)]
    turned = _slides_y(sides, mode, (x.shape, y.shape))
    if turned:
        x, y, along, dotted = y, x, along[::-1], dotted[::-1]
    return _slid(x, y, mode, along, dotted, turned)


def _along_all(x: Array, y: Array, mode: str) -> Array:
    """The convolution along all axes."""
    if x.ndim != y.ndim or not (x.ndim and x.size and y.size):
        raise ShapeError(
            "convolve: x and y must be non-empty and have the same number of axes, at least 1; "
            f"they have shapes {x.shape} and {y.shape}"
        )
    if mode == "full":
        return _overlaps(x, y, x.ndim, mode)
    pairs = list(zip(x.shape, y.shape, strict=True))
    if mode == "same":
        middle = tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in pairs)
        return _getitem(_overlaps(x, y, x.ndim, "full"), middle)
    if _slides_y(pairs, mode, (x.shape, y.shape)):
        return _overlaps(y, x, x.ndim, mode)
    return _overlaps(x, y, x.ndim, mode)


def _slides_y(sides: list[tuple[int, int]], mode: str, shapes: tuple[Shape, Shape]) -> bool:
    """True if x is moved along y, False if y is moved along x. `sides` are the lengths of x and y
    along each convolved axis. The shorter array is moved; for "same" it is always y."""
    if mode == "full":
        return math.prod(n for n, _ in sides) < math.prod(m for _, m in sides)
    if mode == "same" or all(n >= m for n, m in sides):
        return False
    if all(m >= n for n, m in sides):
        return True
    raise ShapeError(
        "convolve: for mode='valid' one array must be at least as long as the other along every "
        f"convolved axis; the shapes are {shapes[0]} and {shapes[1]}"
    )


def _pair(name: str, axes: Any, x_shape: Shape, y_shape: Shape) -> Axes:
    """`axes`, a pair of lists, with all axes counted from the front."""

    def fail(problem: str) -> ShapeError:
        return ShapeError(
            f"convolve: {name}={axes!r} {problem}; x has shape {x_shape} and y has shape {y_shape}"
        )

    if not isinstance(axes, tuple | list) or len(axes) != 2:
        raise fail("must be a pair of lists of axes, ([axes of x], [axes of y])")
    found = []
    for shape, one in zip((x_shape, y_shape), axes, strict=True):
        try:
            places = [index(i) for i in one]
        except TypeError as error:
            raise fail("must be a pair of lists of integers") from error
        if any(not -len(shape) <= i < len(shape) for i in places):
            raise fail(f"contains an axis that shape {shape} does not have")
        found.append(tuple(i % len(shape) for i in places))
    if len(found[0]) != len(found[1]):
        raise fail("must have as many axes of x as of y")
    return found[0], found[1]


def _check_pairs(along: Axes, dotted: Axes, x_shape: Shape, y_shape: Shape) -> None:
    shapes = f"x has shape {x_shape} and y has shape {y_shape}"
    for name, one, other in zip("xy", along, dotted, strict=True):
        if len({*one, *other}) < len(one) + len(other):
            raise ShapeError(
                f"convolve: axes={along} and dot_axes={dotted} must name each axis of {name} at "
                f"most once; {shapes}"
            )
    if any(x_shape[i] != y_shape[j] for i, j in zip(*dotted, strict=True)):
        raise ShapeError(f"convolve: dot_axes={dotted} must name axes of equal lengths; {shapes}")
    if not all(x_shape[i] and y_shape[j] for i, j in zip(*along, strict=True)):
        raise ShapeError(f"convolve: axes={along} must not name an empty axis; {shapes}")


def _slid(x: Array, y: Array, mode: str, along: Axes, dotted: Axes, turned: bool) -> Array:
    """The convolution, computed as the products of y, reversed, with every window of x. `turned`
    if x and y were exchanged."""
    lengths = tuple(y.shape[j] for j in along[1])
    if mode != "valid":
        widths = [(0, 0)] * x.ndim
        for i, m in zip(along[0], lengths, strict=True):
            widths[i] = (m - 1, m - 1) if mode == "full" else (m // 2, (m - 1) // 2)
        x = pad(x, widths)
    views = sliding_window_view(x, lengths, along[0])
    reverse = tuple(slice(None, None, -1 if j in along[1] else None) for j in range(y.ndim))
    inside = tuple(range(x.ndim, views.ndim))
    out = tensordot(_getitem(y, reverse), views, ((*dotted[1], *along[1]), (*dotted[0], *inside)))
    # the axes of `out`: the kept axes of y, then the axes of x that are not dotted, in x's order
    left = [i for i in range(x.ndim) if i not in dotted[0]]
    count = out.ndim - len(left)
    of_y, moved = tuple(range(count)), tuple(count + left.index(i) for i in along[0])
    of_x = tuple(count + k for k, i in enumerate(left) if i not in along[0])
    return transpose(out, (of_y + of_x if turned else of_x + of_y) + moved)
