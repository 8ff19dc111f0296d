"""Rows: sliding windows, and the sum of overlapping ones."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tests.table.cases import Case, settled, values
from tests.table.row import Row, anything

view = np.lib.stride_tricks.sliding_window_view


@st.composite
def lines(draw):
    """Windows along one axis, counted from the end."""
    case = draw(settled(anything, least_ndim=1))
    shape = case.arrays[0].shape
    axis = draw(st.integers(-len(shape), -1))
    return replace(case, settings={"length": draw(st.integers(0, shape[axis])), "axis": axis})


@st.composite
def overlaps(draw):
    """One window at least; short ones and many, or long ones and few."""
    ndim = draw(st.integers(1, 3))
    axis = draw(st.integers(-ndim, -1))
    shape = [draw(st.integers(int(a == axis), 3)) for a in range(-ndim, 0)]
    shape.append(draw(st.integers(0, 4)))
    return Case(("x",), values(draw, shape), {"axis": axis})


def added(x, axis):
    windows = np.moveaxis(x, axis - 1, -2)
    count, length = windows.shape[-2:]
    out = np.zeros((*windows.shape[:-2], count + length - 1), x.dtype)
    for i, j in np.ndindex(count, length):
        out[..., i + j] += windows[..., i, j]
    return np.moveaxis(out, -1, axis)


@st.composite
def views(draw):
    """Windows along all axes, along one, along some in any order, and along one of them twice."""
    case = draw(settled(anything))
    shape = case.arrays[0].shape
    axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(0, len(shape)))]
    if draw(st.booleans()):
        axes = [a - len(shape) for a in axes]
    if draw(st.booleans()):
        axes = axes + axes[:1]
    left, lengths = list(shape), []
    for axis in axes:
        lengths.append(draw(st.integers(0, left[axis])))
        left[axis] -= lengths[-1] - 1
    settings = {"window_shape": tuple(lengths), "axis": tuple(axes)}
    if len(axes) == 1 and draw(st.booleans()):
        settings = {"window_shape": lengths[0], "axis": axes[0]}
    if draw(st.booleans()):
        settings = {"window_shape": tuple(draw(st.integers(0, n)) for n in shape), "axis": None}
    return replace(case, settings=settings)


WINDOWS = [
    Row("_windows_along", lines(), {"x": ("axis",)}, lambda x, length, axis: view(x, length, axis),
        linear=True, complex=True,
        never=("0-d",)),
    Row("overlap_add", overlaps(), {"x": ("axis", "x_shape")}, added, linear=True, complex=True,
        never=("0-d",)),
    Row("sliding_window_view", views(), {"x": ()}, view, linear=True, complex=True),
]  # fmt: skip
