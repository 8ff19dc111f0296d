"""Rows: shape, order, joining, padding, dtype."""

import numpy as np
from hypothesis import strategies as st

from tests.older_numpy import reshaped
from tests.table.cases import concatenations, flat_concatenations, pads, settled, stacks
from tests.table.row import HERE, Row, anything, as_list

MOVED = ("x_shape", "out_shape")


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


def one_of(choices):
    return lambda shape: st.sampled_from(choices)


def laid(function, x, *, layout, shape=None, **settings):
    """Of x whose axes lie in memory in the order `layout`: orders A and K go by that. NumPy 2.0
    has another name for reshape's parameter, which stands second."""
    laid = np.copy(x.transpose(layout), order="C").transpose(np.argsort(layout).tolist())
    return function(laid, **settings) if shape is None else function(laid, shape, **settings)


REORDERED = {"x": ("source", "destination", "out_shape")}
SHAPING = [
    Row("_argument", settled(anything), {"x": ()}, np.asarray, linear=True, complex=True),
    Row("reshape", settled(anything, shape=reshapes), {"x": MOVED}, linear=True, complex=True,
        call=reshaped),
    Row("reshape", settled(anything, shape=reshapes, layout=order, order=one_of("CFA")), {"x": ()},
        linear=True, complex=True, parts=True, call=laid, variant="in order"),
    Row("ravel", settled(anything), {"x": MOVED}, linear=True, complex=True),
    Row("ravel", settled(anything, layout=order, order=one_of("CFAK")), {"x": ()}, linear=True,
        complex=True, parts=True, call=laid, variant="in order"),
    Row("expand_dims", settled(anything, axis=new_axes), {"x": MOVED}, linear=True, complex=True),
    Row("squeeze", settled(anything, axis=squeezable), {"x": MOVED}, linear=True, complex=True),
    Row("broadcast_to", settled(anything, shape=repetitions), {"x": ()}, linear=True, complex=True),
    Row("transpose", settled(anything, axes=lambda shape: st.none() | order(shape)),
        {"x": ("axes", "out_shape")}, linear=True, complex=True),
    Row("swapaxes", settled(anything, least_ndim=1, axis1=single, axis2=single),
        {"x": ("axis1", "axis2", "out_shape")}, linear=True, complex=True, never=("0-d",)),
    Row("moveaxis", settled(anything, least_ndim=1, source=single, destination=single), REORDERED,
        linear=True, complex=True, never=("0-d",)),
    Row("moveaxis", settled(anything, source=order, destination=order), REORDERED, linear=True,
        complex=True, variant="several"),
    Row("copy", settled(anything), {"x": ()}, linear=True, complex=True),
    Row("copy", settled(anything, order=one_of("CFAK")), {"x": ()}, linear=True, complex=True,
        variant="in order"),
    Row("_cast", settled(anything, dtype=lambda shape: st.just(np.float64)), {"x": ()},
        lambda x, dtype: x.astype(dtype), linear=True, dtype=lambda *_: np.dtype(float)),
    *(
        Row("astype", settled(anything), {"x": ()}, lambda x, dtype: x.astype(dtype), linear=True,
            variant=f"to {dtype}", call=lambda function, x, dtype=dtype: function(x, dtype),
            dtype=lambda *_, dtype=dtype: np.dtype(dtype))
        for dtype in ("f8", "c16")
    ),
    Row("_to_device", settled(anything, device=here, source=here), {"x": ("device", "source")},
        lambda x, device, source: x, linear=True, complex=True, transfer=True),
    Row("concatenate", concatenations(), {"arrays": ("position", "shapes", "axis")}, linear=True,
        complex=True, call=as_list, never=("0-d",)),
    Row("concatenate", flat_concatenations(), {"arrays": ("position", "shapes", "axis")},
        linear=True, complex=True, call=as_list, variant="flat"),
    Row("stack", stacks(), {"arrays": ("position", "out_shape", "axis")}, linear=True, complex=True,
        call=as_list),
    Row("_pad_constant", pads(None), {"x": ("x_shape", "pad_width")}, np.pad, linear=True,
        complex=True),
    Row("_pad_constant", pads(1.5), {"x": ("x_shape", "pad_width")}, np.pad, linear=True,
        complex=True, variant="with 1.5"),
]  # fmt: skip
