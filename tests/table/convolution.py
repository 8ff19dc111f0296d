"""Rows: convolution, its transposes, pooling."""

from itertools import product

import numpy as np
from hypothesis import strategies as st

from tests.table.cases import Case, values
from tests.table.row import Row, apart, index


@st.composite
def shapes(draw):
    """The shapes of x, the weights and the result, and the settings that they share."""
    count = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2]))
    n, channels, outputs = draw(st.integers(0, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))

    def each(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(count))

    kernel, before, counts = each(1, 3), each(0, 2), each(1, 3)
    plain = draw(st.booleans())
    stride, dilation = ((1,) * count,) * 2 if plain else (each(1, 3), each(1, 2))
    lengths = each(1, 4)
    settings = {"stride": stride, "dilation": dilation, "before": before, "groups": groups}
    x = (n, groups * channels, *lengths)
    w = (groups * outputs, channels, *kernel)
    return x, w, (n, groups * outputs, *counts), settings


@st.composite
def of_x_and_w(draw):
    x, w, y, settings = draw(shapes())
    return Case(("x", "w"), values(draw, x, w), settings | {"counts": y[2:]})


@st.composite
def with_bias(draw, cases, axis):
    case = draw(cases)
    outputs = case.arrays[1].shape[axis] * (case.settings["groups"] if axis else 1)
    (bias,) = values(draw, (outputs,))
    return Case((*case.names, "bias"), (*case.arrays, bias), case.settings)


def plus_bias(function):
    def of(x, w, bias, **settings):
        y = function(x, w, **settings)
        return y + bias.reshape((-1, *(1,) * (y.ndim - 2)))

    return of


@st.composite
def of_y_and_w(draw):
    x, w, y, settings = draw(shapes())
    return Case(("y", "w"), values(draw, y, w), settings | {"lengths": x[2:]})


@st.composite
def of_x_and_y(draw):
    x, w, y, settings = draw(shapes())
    return Case(("x", "y"), values(draw, x, y), settings | {"lengths": w[2:]})


def terms(x, w, y, stride, dilation, before, groups):
    """The index of each product of the definition, in x, w and y: (n, channel, *place) …"""
    _, outputs, *counts = y
    _, channels, *kernel = w
    for o, c in product(range(outputs), range(channels)):
        source = o // (outputs // groups) * channels + c
        for place, element in product(np.ndindex(*counts), np.ndindex(*kernel)):
            settings = zip(place, element, stride, dilation, before, strict=True)
            at = tuple(r * s + i * d - b for r, i, s, d, b in settings)
            if all(0 <= a < length for a, length in zip(at, x[2:], strict=True)):
                yield (slice(None), source, *at), (o, c, *element), (slice(None), o, *place)


def convolved(x, w, counts, groups, **settings):
    y = np.zeros((len(x), len(w), *counts), np.result_type(x, w))
    for i, j, k in terms(x.shape, w.shape, y.shape, groups=groups, **settings):
        y[k] += x[i] * w[j]
    return y


def spread_out(y, w, lengths, groups, **settings):
    x = np.zeros((len(y), groups * w.shape[1], *lengths), np.result_type(y, w))
    for i, j, k in terms(x.shape, w.shape, y.shape, groups=groups, **settings):
        x[i] += y[k] * w[j]
    return x


def correlated(x, y, lengths, groups, **settings):
    w = np.zeros((y.shape[1], x.shape[1] // groups, *lengths), np.result_type(x, y))
    for i, j, k in terms(x.shape, w.shape, y.shape, groups=groups, **settings):
        w[j] += (x[i] * y[k]).sum()
    return w


# ---- what is public ------------------------------------------------------------------------------


@st.composite
def layers(draw):
    """x, weights and a bias, of one example or several."""
    x, w, _, settings = draw(shapes())
    del settings["before"]
    padding = draw(st.sampled_from(["valid", "same", 1, (0,) * (len(x) - 2)]))
    if padding == "same":
        settings["stride"] = 1
    border = padding if isinstance(padding, int) else 0
    extents = [d * (k - 1) + 1 for d, k in zip(settings["dilation"], w[2:], strict=True)]
    room = 0 if padding == "same" else 2 * border
    x = (*x[:2], *(max(s, e - room) for s, e in zip(x[2:], extents, strict=True)))
    x = x[1:] if draw(st.booleans()) else x
    return Case(("x", "weight", "bias"), values(draw, x, w, w[:1]), settings | {"padding": padding})


@st.composite
def transposed_layers(draw):
    _, w, y, settings = draw(shapes())
    settings["padding"] = settings.pop("before")
    sizes = zip(y[2:], w[2:], settings["stride"], settings["dilation"], settings["padding"],
                strict=True)  # fmt: skip
    more = tuple(draw(st.integers(0, max(s, d) - 1)) for _, _, s, d, _ in sizes)
    sizes = zip(y[2:], w[2:], more, strict=True)
    rows = zip(settings["stride"], settings["dilation"], settings["padding"], strict=True)
    settings["padding"] = tuple(
        min(p, ((c - 1) * s + d * (k - 1) + o) // 2)
        for (c, k, o), (s, d, p) in zip(sizes, rows, strict=True)
    )
    y = y[1:] if draw(st.booleans()) else y
    bias = (settings["groups"] * w[1],)
    settings["output_padding"] = more
    return Case(("x", "weight", "bias"), values(draw, y, w, bias), settings)


def conv(x, weight, bias, stride, padding, dilation, groups):
    if x.ndim < weight.ndim:
        return conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    count = weight.ndim - 2
    stride = (stride,) * count if isinstance(stride, int) else stride
    extents = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    number = 0 if padding == "valid" else padding
    pads = [(number,) * 2] * count if isinstance(number, int) else [(p, p) for p in number]
    pads = [(e // 2, e - e // 2) for e in extents] if padding == "same" else pads
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    counts = [(n - e - 1) // s + 1 for n, e, s in zip(x.shape[2:], extents, stride, strict=True)]
    settings = {"stride": stride, "dilation": dilation, "before": (0,) * count}
    y = convolved(x, weight, counts, groups, **settings)
    return y + bias.reshape((-1, *(1,) * count))


def conv_transpose(x, weight, bias, stride, padding, dilation, groups, output_padding):
    if x.ndim < weight.ndim:
        x = x[None]
        return conv_transpose(x, weight, bias, stride, padding, dilation, groups, output_padding)[0]
    sizes = zip(x.shape[2:], weight.shape[2:], stride, dilation, padding, output_padding,
                strict=True)  # fmt: skip
    lengths = [(c - 1) * s - 2 * p + d * (k - 1) + o + 1 for c, k, s, d, p, o in sizes]
    settings = {"stride": stride, "dilation": dilation, "before": padding}
    y = spread_out(x, weight, lengths, groups, **settings)
    return y + bias.reshape((-1, *(1,) * len(stride)))


# ---- pooling -------------------------------------------------------------------------------------


@st.composite
def lines(draw, domain=apart):
    """x, and windows along one axis, counted from the end."""
    ndim = draw(st.integers(1, 3))
    axis = draw(st.integers(-ndim, -1))
    kernel, stride, dilation = (draw(st.integers(1, 3)) for _ in range(3))
    shape = [draw(st.integers(0, 3)) for _ in range(ndim)]
    shape[axis] = dilation * (kernel - 1) + 1 + draw(st.integers(0, 4))
    settings = {"axis": axis, "kernel": kernel, "stride": stride, "dilation": dilation}
    return Case(("x",), values(draw, tuple(shape), domain=domain), settings)


def windows(x, axis, kernel, stride, dilation):
    """All windows along an axis, with a new last axis for their elements."""
    view = np.lib.stride_tricks.sliding_window_view(x, dilation * (kernel - 1) + 1, axis)
    return view[(..., slice(None, None, stride), *(slice(None),) * -axis)][..., ::dilation]


@st.composite
def with_places(draw, name):
    """Results of windows or what they were read from, with the numbers of elements."""
    case = draw(lines())
    (x,), settings = case.arrays, dict(case.settings)
    count = windows(x, **settings).shape[:-1]
    places = generator_of(draw).integers(0, settings["kernel"], count)
    if name == "y":
        settings["length"] = x.shape[settings["axis"]]
        (x,) = values(draw, count)
    return Case((name, "places"), (x, places), settings)


def generator_of(draw):
    return np.random.default_rng(draw(st.integers(0, 99)))


@st.composite
def sums(draw):
    case = draw(lines())
    (x,), settings = case.arrays, dict(case.settings)
    (y,) = values(draw, windows(x, **settings).shape[:-1])
    return Case(("y",), (y,), settings | {"length": x.shape[settings["axis"]]})


def picked(x, places, **settings):
    return np.take_along_axis(windows(x, **settings), places[..., None], -1)[..., 0]


def transpose(forward, y, length, axis):
    """The transpose of a linear function of arrays of this length along an axis."""
    shape = list(y.shape)
    shape[axis] = length
    x = np.zeros(shape, y.dtype)
    for place in np.ndindex(*shape):
        unit = np.zeros(shape, y.dtype)
        unit[place] = 1
        x[place] = (forward(unit) * y).sum()
    return x


def placed(y, places, length, **settings):
    return transpose(lambda x: picked(x, places, **settings), y, length, settings["axis"])


def spread_along(y, length, **settings):
    return transpose(lambda x: windows(x, **settings).sum(-1), y, length, settings["axis"])


@st.composite
def unfoldings(draw, name):
    x, w, y, settings = draw(shapes())
    del settings["groups"]
    settings |= {"kernel": w[2:]}
    if name == "x":
        return Case(("x",), values(draw, x), settings | {"counts": y[2:]})
    return Case(("y",), values(draw, (*x[:2], *w[2:], *y[2:])), settings | {"lengths": x[2:]})


def places_of(lengths, kernel, counts, stride, dilation, before):
    """The index of each element of the windows, and of its place in x."""
    for element, place in product(np.ndindex(*kernel), np.ndindex(*counts)):
        rows = zip(place, element, stride, dilation, before, strict=True)
        at = tuple(r * s + i * d - b for r, i, s, d, b in rows)
        if all(0 <= a < length for a, length in zip(at, lengths, strict=True)):
            yield (..., *element, *place), (..., *at)


def unfolded(x, kernel, counts, **settings):
    y = np.zeros((*x.shape[:2], *kernel, *counts), x.dtype)
    for i, j in places_of(x.shape[2:], kernel, counts, **settings):
        y[i] = x[j]
    return y


def folded(y, kernel, lengths, **settings):
    x = np.zeros((*y.shape[:2], *lengths), y.dtype)
    for i, j in places_of(lengths, kernel, y.shape[2 + len(kernel) :], **settings):
        x[j] += y[i]
    return x


@st.composite
def pools(draw):
    """Windows along the last axes, with a border."""
    count = draw(st.integers(1, 2))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(count))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    shape = [draw(st.integers(0, 2)) for _ in range(draw(st.integers(0, 2)))]
    shape += [k + draw(st.integers(0, 3)) for k in kernel]
    stride = draw(st.sampled_from([None, 1, 2]))
    settings = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return Case(("x",), values(draw, tuple(shape), domain=apart), settings)


def pooled(reduce, border):
    def of(x, kernel_size, stride, padding):
        lead = [(0, 0)] * (x.ndim - len(kernel_size))
        x = np.pad(x, lead + [(p, p) for p in padding], constant_values=border)
        axes = tuple(range(-len(kernel_size), 0))
        view = np.lib.stride_tricks.sliding_window_view(x, kernel_size, axes)
        steps = kernel_size if stride is None else (stride,) * len(kernel_size)
        index = (..., *(slice(None, None, s) for s in steps), *(slice(None),) * len(steps))
        return reduce(view[index], axes)

    return of


def places_of_maxima(x, kernel_size, stride, padding):
    """The places in the joined last axes of x."""
    shape = x.shape[-len(kernel_size) :]
    places = np.broadcast_to(np.arange(np.prod(shape)).reshape(shape), x.shape)
    lead = [(0, 0)] * (x.ndim - len(shape)) + [(p, p) for p in padding]
    pair = (np.pad(x, lead, constant_values=-np.inf), np.pad(places, lead))
    views = [pooled(lambda view, axes: view, 0)(a, kernel_size, stride, (0,) * len(shape))
             for a in pair]  # fmt: skip
    count = views[0].ndim - len(shape)
    values, found = (v.reshape((*v.shape[:count], np.prod(kernel_size))) for v in views)
    best = values.argmax(-1)[..., None]
    return np.take_along_axis(found, best, -1)[..., 0]


def of_the_first(dtype, _):
    return dtype


def with_keywords(function, x, w, bias, **settings):
    return function(x, w, bias=bias, **settings)


RULE = ("stride", "dilation", "before", "groups")
LINE = ("axis", "kernel", "stride", "dilation")
CONVOLUTION = [
    Row("_convolution", of_x_and_w(),
        {"x": ("w", *RULE, "x_shape"), "w": ("x", *RULE, "w_shape")}, convolved, complex=True,
        never=("0-d",)),
    Row("_convolution_x", of_y_and_w(),
        {"y": ("w", *RULE, "y_shape"), "w": ("y", *RULE, "w_shape")}, spread_out, complex=True,
        never=("0-d",)),
    Row("_convolution", with_bias(of_x_and_w(), 0),
        {"x": ("w", *RULE, "x_shape"), "w": ("x", *RULE, "w_shape"), "bias": ("stride",)},
        plus_bias(convolved), complex=True, variant="with bias", never=("0-d",),
        call=with_keywords),
    Row("_convolution_x", with_bias(of_y_and_w(), 1),
        {"y": ("w", *RULE, "y_shape"), "w": ("y", *RULE, "w_shape"), "bias": ("stride",)},
        plus_bias(spread_out), complex=True, variant="with bias", never=("0-d",),
        call=with_keywords),
    Row("_unfold", unfoldings("x"), {"x": ("kernel", *RULE[:3], "x_shape")}, unfolded, linear=True,
        complex=True, never=("0-d",)),
    Row("_fold", unfoldings("y"), {"y": ("kernel", *RULE[:3], "y_shape")}, folded, linear=True,
        complex=True, never=("0-d",)),
    Row("_convolution_w", of_x_and_y(),
        {"x": ("y", *RULE, "x_shape"), "y": ("x", *RULE, "y_shape")}, correlated, complex=True,
        never=("0-d",)),
    Row("conv", layers(), {"x": (), "weight": (), "bias": ()}, conv, complex=True, never=("0-d",)),
    Row("conv_transpose", transposed_layers(), {"x": (), "weight": (), "bias": ()}, conv_transpose,
        complex=True, never=("0-d",)),
    Row("_max_along", lines(), {"x": ("x", "out", *LINE)},
        lambda x, **settings: windows(x, **settings).max(-1), flat=True, never=("0-d",)),
    Row("_placed", with_places("y"), {"y": ("places", *LINE)}, placed, linear=True, complex=True,
        dtype=of_the_first, never=("0-d",)),
    Row("_picked", with_places("x"), {"x": ("places", *LINE, "x_shape")}, picked, linear=True,
        complex=True, dtype=of_the_first, never=("0-d",)),
    Row("_sums_along", lines(), {"x": (*LINE, "x_shape")},
        lambda x, **settings: windows(x, **settings).sum(-1), linear=True, complex=True,
        never=("0-d",)),
    Row("_spread_along", sums(), {"y": LINE}, spread_along, linear=True, complex=True,
        never=("0-d",)),
    Row("max_pool", pools(), {"x": ()}, pooled(np.max, -np.inf), flat=True, never=("0-d",)),
    Row("max_pool_indices", pools(), {}, places_of_maxima, dtype=index, never=("0-d",)),
    Row("avg_pool", pools(), {"x": ()}, pooled(np.mean, 0), linear=True, complex=True,
        never=("0-d",)),
]  # fmt: skip
