"""Rows: products of vectors and matrices."""

import numpy as np
from hypothesis import strategies as st

from autograd_core.testing.strategies import broadcastable, shapes
from tests.table.cases import Case, linear_layers, matrix_products, values
from tests.table.row import Row


@st.composite
def dots(draw):
    """Operands of dot: x's last axis is as long as the last but one of y."""
    x, y = draw(shapes()), draw(shapes())
    if x and y:
        y = (*y[:-2], x[-1], *y[-1:]) if len(y) > 1 else x[-1:]
    return Case(("x", "y"), values(draw, x, y), {})


@st.composite
def vectors(draw, x_length=3, y_length=3):
    """Stacks of vectors that broadcast."""
    x, y = draw(broadcastable(2))
    return Case(("x", "y"), values(draw, (*x, x_length), (*y, y_length)), {})


@st.composite
def plain_vectors(draw):
    """Two, of any lengths."""
    return Case(("x", "y"), values(draw, draw(st.integers(0, 3)), draw(st.integers(0, 3))), {})


@st.composite
def turned_vectors(draw):
    """Vectors along any axes, named in the ways that cross has."""
    case = draw(vectors(draw(st.sampled_from([2, 3])), 3))
    x, y = case.arrays
    ndim = max(x.ndim, y.ndim)
    a, b, c = (draw(st.integers(-n, n - 1)) for n in (x.ndim, y.ndim, ndim))
    settings = {"axisa": a, "axisb": b, "axisc": c}
    if x.ndim == y.ndim and draw(st.booleans()):
        a = b = c
        settings = {"axis": c}
    return Case(case.names, (np.moveaxis(x, -1, a), np.moveaxis(y, -1, b)), settings)


def plain_cross(x, y, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """From the definition: the i-th element of e_j × e_k is the sign of (i, j, k)."""
    if axis is not None:
        axisa = axisb = axisc = axis
    signs = np.zeros((3, 3, 3))
    signs[[0, 1, 2], [1, 2, 0], [2, 0, 1]] = 1
    signs[[0, 1, 2], [2, 0, 1], [1, 2, 0]] = -1
    x, y = np.moveaxis(x, axisa, -1), np.moveaxis(y, axisb, -1)
    if x.shape[-1] == 2 == y.shape[-1]:
        signs, axisc = signs[2:], None
    signs = signs[:, : x.shape[-1], : y.shape[-1]]
    out = np.einsum("ijk,...j,...k->...i", signs, x, y).astype(np.result_type(x, y))
    return out[..., 0] if axisc is None else np.moveaxis(out, -1, axisc)


def plain_linear(x, weight, bias=0):
    return np.einsum("...i,oi->...o", x, weight) + bias


NOTHING = {"x": (), "y": ()}
PRODUCTS = [
    Row("matmul", matrix_products(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True,
        never=("0-d",)),
    Row("dot", dots(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True),
    Row("linear", linear_layers(bias=True), {"x": ("weight",), "weight": ("x",), "bias": ()},
        plain_linear, complex=True, never=("0-d",)),
    Row("linear", linear_layers(bias=False), {"x": ("weight",), "weight": ("x",)}, plain_linear,
        complex=True, variant="without bias", never=("0-d",)),
    Row("_vector_product", vectors(), {"x": ("y",), "y": ("x",)}, plain_cross, complex=True,
        never=("0-d",)),
    Row("cross", vectors(), NOTHING, complex=True, never=("0-d",)),
    Row("cross", turned_vectors(), NOTHING, plain_cross, complex=True, variant="along axes",
        never=("0-d",)),
    Row("linalg.cross", vectors(), NOTHING, complex=True, never=("0-d",)),
    Row("linalg.outer", plain_vectors(), NOTHING, complex=True, never=("0-d",)),
    Row("linalg.matmul", matrix_products(), NOTHING, complex=True, never=("0-d",)),
    Row("cross", vectors(2, 2), NOTHING, plain_cross, complex=True, variant="of two elements",
        never=("0-d",)),
]  # fmt: skip
