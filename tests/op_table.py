"""One row per operation: where it is smooth, what NumPy says it is, what its edges keep.

Whatever holds for every operation is tested from here, in test_op_table.py: a new row gets values,
gradients, second order, dtypes, layouts, batching, NumPy's protocols and every device for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st
from op_cases import (
    Case,
    any_axis,
    assignments,
    between,
    concatenations,
    distinct,
    elementwise,
    flat_concatenations,
    flat_products,
    indexings,
    integers,
    linear_layers,
    matrix_products,
    one_axis,
    own_axis,
    pads,
    scatterings,
    settled,
    signed,
    some_axis,
    stacks,
    staggered,
    truths,
)

from autograd_core.op import operations

HERE = object()  # among the settings of a case: the name of the device under test


@dataclass(frozen=True, repr=False)
class Row:
    """What is true of an operation.

    `keeps` says for each differentiable operand what its edge saves, by name. `reference` is a
    function of plain arrays, NumPy's of the same name by default. `dtype` gives the result's dtype
    from those of the operands. `linear` is linear (or affine) in all operands together; then, and
    where `flat` is true, second derivatives are zero. `complex` says that complex operands are
    covered; `extreme` that no finite operand gives a warning or anything but finite numbers.
    """

    name: str
    cases: st.SearchStrategy[Case]
    keeps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None
    linear: bool = False
    flat: bool = False
    complex: bool = False
    extreme: bool = False
    dtype: Callable[..., Any] = np.result_type
    variant: str = ""
    call: Callable[..., Any] = lambda function, *operands, **settings: function(
        *operands, **settings
    )

    @property
    def id(self):
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def __repr__(self):
        return self.id

    @property
    def op(self):
        return operations[self.name]

    @property
    def function(self):
        return self.op.function

    @property
    def expected(self):
        """The reference, called as the operation is."""
        return partial(self.call, self.reference or getattr(np, self.name))

    @property
    def dtypes(self):
        return ["f8", "f4", "f2", *(["c16", "c8"] if self.complex else [])]


def as_list(function, *arrays, **settings):
    """The call of an operation on a list of operands."""
    return function(list(arrays), **settings)


def boolean(*_):
    return np.dtype(bool)


def index(*_):
    return np.dtype(np.intp)


def real(*dtypes):
    return np.finfo(np.result_type(*dtypes)).dtype


def unary(domain):
    return elementwise(x=domain)


def binary(x, y=None):
    return elementwise(x=x, y=y or x)


def reduction(domain, axes=any_axis, **settings):
    return settled(domain, axis=axes, keepdims=lambda shape: st.booleans(), **settings)


def ddofs(shape):
    return st.sampled_from([0, 0.5])


# ---- references of our own, in extended precision where the platform has it ----------------------


def exact(function):
    """`function` evaluated on extended floats, its result in the operands' dtype."""

    def reference(x, **settings):
        return np.asarray(function(x.astype(np.result_type(x, np.longdouble)), **settings)).astype(
            x.dtype
        )

    return reference


def plain_softmax(x, axis):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def plain_linear(x, weight, bias=0):
    return np.einsum("...i,oi->...o", x, weight) + bias


def plain_scatter(g, index, shape, ndim):
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out


def plain_assign(x, value, index):
    out = x.copy()
    out[index] = value
    return out


# ---- domains -------------------------------------------------------------------------------------

anything = between(-2, 2)
nonzero = signed(0.5, 2.5)
apart = distinct(4)
positive = between(0.5, 3)
left, right = staggered(0), staggered(0.25)  # never closer than a step of the differences
REDUCED = ("x_shape", "axis", "keepdims")
MOVED = ("x_shape", "out_shape")

ELEMENTWISE = [
    Row("add", binary(anything), {"x": (), "y": ()}, linear=True, complex=True),
    Row("subtract", binary(anything), {"x": (), "y": ()}, linear=True, complex=True),
    Row("multiply", binary(anything), {"x": ("y",), "y": ("x",)}, complex=True),
    Row("divide", binary(anything, nonzero), {"x": ("y",), "y": ("y", "out")}, complex=True),
    Row("negative", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("positive", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("remainder", binary(signed(2.2, 2.3), between(0.9, 0.95)), {"x": (), "y": ("x", "y")},
        flat=True),
    Row("power", binary(positive, anything), {"x": ("x", "y"), "y": ("x", "out")}, complex=True),
    *(
        Row("power", unary(nonzero), {"x": ("x", "y")}, variant=f"to {n}", complex=True,
            flat=n in (0, 1), call=lambda function, x, n=n: function(x, n))
        for n in (0, 1, 2, 3, -1, 2.0, -2.0)
    ),
    Row("power", elementwise(y=anything), {"y": ("x", "out")}, variant="of 2",
        call=lambda function, y: function(2.0, y)),
    Row("square", unary(anything), {"x": ("x",)}, complex=True),
    Row("sqrt", unary(positive), {"x": ("out",)}, complex=True),
    Row("reciprocal", unary(nonzero), {"x": ("out",)}, complex=True),
    Row("absolute", unary(nonzero), {"x": ("x",)}, complex=True, dtype=real),
    Row("exp", unary(anything), {"x": ("out",)}, complex=True),
    Row("expm1", unary(anything), {"x": ("out",)}, complex=True),
    Row("log", unary(positive), {"x": ("x",)}, complex=True),
    Row("log1p", unary(positive), {"x": ("x",)}, complex=True),
    Row("sin", unary(anything), {"x": ("x",)}, complex=True),
    Row("cos", unary(anything), {"x": ("x",)}, complex=True),
    Row("tanh", unary(anything), {"x": ("out",)}, complex=True, extreme=True),
    Row("sigmoid", unary(anything), {"x": ("out",)}, exact(lambda x: 1 / (1 + np.exp(-x))),
        complex=True, extreme=True),
    Row("softplus", unary(anything), {"x": ("x",)}, exact(lambda x: np.log(1 + np.exp(x))),
        extreme=True),
    Row("relu", unary(nonzero), {"x": ("out",)}, lambda x: (abs(x) + x) / 2, flat=True,
        extreme=True),
    Row("maximum", binary(left, right), {"x": ("x", "y"), "y": ("x", "y")}, flat=True),
    Row("minimum", binary(left, right), {"x": ("x", "y"), "y": ("x", "y")}, flat=True),
    Row("where", elementwise(condition=truths, x=anything, y=anything),
        {"x": ("condition",), "y": ("condition",)}, linear=True, complex=True,
        dtype=lambda _, *dtypes: np.result_type(*dtypes)),
    Row("clip", elementwise(x=left, min=staggered(1 / 6), max=staggered(1 / 3)),
        {"x": ("x", "out"), "min": ("x", "min", "max"), "max": ("x", "min", "max")}, flat=True),
    Row("clip", elementwise(x=left, min=right), {"x": ("x", "out"), "min": ("x", "min", "max")},
        flat=True, variant="below", call=lambda function, x, low: function(x, low, None)),
    Row("clip", elementwise(x=left, max=right), {"x": ("x", "out"), "max": ("x", "min", "max")},
        flat=True, variant="above", call=lambda function, x, high: function(x, None, high)),
    Row("real", unary(anything), {"x": ()}, linear=True, complex=True, dtype=real),
    Row("imag", unary(anything), {"x": ()}, linear=True, complex=True, dtype=real),
    Row("conjugate", unary(anything), {"x": ()}, linear=True, complex=True),
    Row("sign", unary(nonzero), complex=True),
    Row("floor_divide", binary(signed(2.2, 2.3), between(0.9, 0.95))),
    *(
        Row(name, binary(left, right), dtype=boolean)
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    ),
    *(
        Row(name, binary(integers(0, 5)))
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
    ),
    Row("invert", unary(integers(-5, 5))),
    *(
        Row(name, unary(anything), complex=True, dtype=boolean)
        for name in ("logical_not", "isfinite", "isnan", "isinf")
    ),
]  # fmt: skip

REDUCTIONS = [
    Row("sum", reduction(anything), {"x": REDUCED}, linear=True, complex=True),
    Row("mean", reduction(anything, own_axis), {"x": REDUCED}, linear=True, complex=True),
    Row("sum", reduction(anything), {"x": REDUCED}, linear=True, variant="in f8",
        call=lambda function, x, **settings: function(x, dtype="f8", **settings),
        dtype=lambda *_: np.dtype("f8")),
    Row("var", reduction(anything, own_axis, ddof=ddofs),
        {"x": ("x", "axis", "ddof", "keepdims")}, complex=True, dtype=real),
    Row("std", reduction(apart, own_axis, ddof=ddofs),
        {"x": ("x", "out", "axis", "ddof", "keepdims")}, complex=True, dtype=real),
    *(
        Row(name, reduction(apart, one_axis, least_ndim=1, least_side=2), keeps, complex=True,
            dtype=real, variant="of a sample",
            call=lambda function, x, **settings: function(x, ddof=1, **settings))
        for name, keeps in {"var": {"x": ("x", "axis", "ddof", "keepdims")},
                            "std": {"x": ("x", "out", "axis", "ddof", "keepdims")}}.items()
    ),
    Row("max", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("min", reduction(distinct(), some_axis), {"x": ("x", "out", "axis", "keepdims")},
        flat=True),
    Row("logsumexp", reduction(anything, some_axis), {"x": ("x", "axis", "keepdims")},
        exact(lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))),
        extreme=True),
    Row("softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        exact(plain_softmax), extreme=True),
    Row("log_softmax", settled(anything, axis=some_axis), {"x": ("out", "axis")},
        exact(lambda x, axis: np.log(plain_softmax(x, axis))), extreme=True),
    Row("argmax", reduction(distinct(), one_axis, least_side=1), dtype=index),
    Row("argmin", reduction(distinct(), one_axis, least_side=1), dtype=index),
    Row("all", reduction(integers(0, 2)), dtype=boolean),
    Row("any", reduction(integers(0, 2)), dtype=boolean),
]  # fmt: skip


def reshapes(shape):
    size = int(np.prod(shape))
    inferred = [-1, (-1, 1)] if size else []
    return st.sampled_from([size, (size,), (1, size), shape[::-1], *inferred])


def order(shape):
    """All axes, in any order."""
    drawn = st.permutations(range(len(shape)))
    return drawn.map(tuple) | drawn.map(lambda axes: tuple(axis - len(shape) for axis in axes))


def repetitions(shape):
    """Shapes that `shape` broadcasts to."""
    wider = st.tuples(*(st.sampled_from([2, 3]) if n == 1 else st.just(n) for n in shape))
    return st.tuples(st.sampled_from([(), (2,), (0, 2)]), wider).map(lambda pair: pair[0] + pair[1])


def single(shape):
    return st.sampled_from(range(-len(shape), len(shape)))


def squeezable(shape):
    ones = [axis for axis, n in enumerate(shape) if n == 1]
    return st.sampled_from([None, tuple(ones), *ones, *(axis - len(shape) for axis in ones)])


def new_axes(shape):
    return st.sampled_from([*range(-len(shape) - 1, len(shape) + 1), (0, len(shape) + 1), (-1, 0)])


def here(shape):
    return st.just(HERE)


REORDERED = {"x": ("source", "destination", "out_shape")}
SHAPING = [
    Row("reshape", settled(anything, shape=reshapes), {"x": MOVED}, linear=True, complex=True),
    Row("ravel", settled(anything), {"x": MOVED}, linear=True, complex=True),
    Row("expand_dims", settled(anything, axis=new_axes), {"x": MOVED}, linear=True, complex=True),
    Row("squeeze", settled(anything, axis=squeezable), {"x": MOVED}, linear=True, complex=True),
    Row("broadcast_to", settled(anything, shape=repetitions), {"x": ()}, linear=True, complex=True),
    Row("transpose", settled(anything, axes=lambda shape: st.none() | order(shape)),
        {"x": ("axes", "out_shape")}, linear=True, complex=True),
    Row("swapaxes", settled(anything, least_ndim=1, axis1=single, axis2=single),
        {"x": ("axis1", "axis2", "out_shape")}, linear=True, complex=True),
    Row("moveaxis", settled(anything, least_ndim=1, source=single, destination=single), REORDERED,
        linear=True, complex=True),
    Row("moveaxis", settled(anything, source=order, destination=order), REORDERED, linear=True,
        complex=True, variant="several"),
    Row("copy", settled(anything), {"x": ()}, linear=True, complex=True),
    *(
        Row("astype", settled(anything), {"x": ()}, lambda x, dtype: x.astype(dtype), linear=True,
            variant=f"to {dtype}", call=lambda function, x, dtype=dtype: function(x, dtype),
            dtype=lambda *_, dtype=dtype: np.dtype(dtype))
        for dtype in ("f8", "c16")
    ),
    Row("to_device", settled(anything, device=here, source=here), {"x": ("device", "source")},
        lambda x, device, source: x, linear=True, complex=True),
    Row("concatenate", concatenations(), {"arrays": ("position", "shapes", "axis")}, linear=True,
        complex=True, call=as_list),
    Row("concatenate", flat_concatenations(), {"arrays": ("position", "shapes", "axis")},
        linear=True, complex=True, call=as_list, variant="flat"),
    Row("stack", stacks(), {"arrays": ("position", "out_shape", "axis")}, linear=True, complex=True,
        call=as_list),
    Row("pad", pads(None), {"x": ("x_shape", "pad_width")}, linear=True, complex=True),
    Row("pad", pads(1.5), {"x": ("x_shape", "pad_width")}, linear=True, complex=True,
        variant="with 1.5"),
]  # fmt: skip

INDEXING = [
    Row("getitem", indexings(), {"x": ("index", "x_shape", "out_shape")}, lambda x, index: x[index],
        linear=True, complex=True),
    Row("scatter", scatterings(), {"g": ("index", "shape")}, plain_scatter, linear=True,
        complex=True),
    Row("assign", assignments(),
        {"x": ("index", "x_shape"), "value": ("index", "x_shape", "value_shape")}, plain_assign,
        linear=True),
]  # fmt: skip

PRODUCTS = [
    Row("matmul", matrix_products(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True),
    Row("dot", flat_products(), {"x": ("y", "x_shape"), "y": ("x", "y_shape")}, complex=True),
    Row("linear", linear_layers(bias=True), {"x": ("weight",), "weight": ("x",), "bias": ()},
        plain_linear, complex=True),
    Row("linear", linear_layers(bias=False), {"x": ("weight",), "weight": ("x",)}, plain_linear,
        complex=True, variant="without bias"),
]  # fmt: skip

ROWS = [*ELEMENTWISE, *REDUCTIONS, *SHAPING, *INDEXING, *PRODUCTS]
DIFFERENTIABLE = [row for row in ROWS if row.keeps]
