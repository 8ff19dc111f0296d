"""Rows: products of matrices."""

import numpy as np
from op_cases import flat_products, linear_layers, matrix_products
from op_row import Row


def plain_linear(x, weight, bias=0):
    return np.einsum("...i,oi->...o", x, weight) + bias


PRODUCTS = [
    Row("matmul", matrix_products(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True),
    Row("dot", flat_products(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True),
    Row("linear", linear_layers(bias=True), {"x": ("weight",), "weight": ("x",), "bias": ()},
        plain_linear, complex=True),
    Row("linear", linear_layers(bias=False), {"x": ("weight",), "weight": ("x",)}, plain_linear,
        complex=True, variant="without bias"),
]  # fmt: skip
