"""Convolutions and pooling beyond the rows of the tables: memory, layouts, blocks, mistakes."""

import tracemalloc

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.ops import lowering, shifting
from tests.table.convolution import convolved

RANDOM = np.random.default_rng(0)


def conv_and_gradients(x, w, **settings):
    """The result of a convolution, and the gradients for ones."""
    x, w = ac.Tensor(x, requires_grad=True), ac.Tensor(w, requires_grad=True)
    y = ac.conv(x, w, **settings)
    y.backward(np.ones(y.shape))
    return [y.detach().numpy(), x.grad.numpy(), w.grad.numpy()]


# ---- memory --------------------------------------------------------------------------------------

LARGE = {
    "many channels": ((8, 64, 96, 96), (64, 64, 3, 3), {"padding": 1}),
    "few channels": ((8, 8, 256, 256), (16, 8, 5, 5), {"padding": 2}),
    "stride": ((8, 32, 160, 160), (64, 32, 3, 3), {"stride": 2}),
    "a long row": ((64, 32, 4, 2000), (8, 32, 3, 5), {}),
    "one axis": ((4, 16, 100_000), (16, 16, 9), {"dilation": 3}),
    "volumes": ((2, 8, 24, 64, 64), (16, 8, 3, 3, 3), {"padding": 1}),
    "large weights": ((2, 1024, 6, 6), (1024, 1024, 3, 3), {"padding": 1}),
    "points": ((8, 128, 96, 96), (128, 128, 1, 1), {}),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_that_of_operands_and_results_and_64_mb(name):
    """For the forward and the backward pass; the gradients are among the results."""
    shape, weights, settings = LARGE[name]
    x = np.ones(shape, np.float32)
    w = np.ones(weights, np.float32)
    tracemalloc.start()
    try:
        bias = np.ones(len(w), np.float32)
        given = [ac.Tensor(a, requires_grad=True) for a in (x, w, bias)]
        y = ac.conv(*given, **settings)
        forward = tracemalloc.get_traced_memory()[1]
        assert forward - y.data.nbytes < 64e6
        g = np.ones(y.shape, np.float32)
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        y.backward(g)
        # a gradient and the private copy that `grad` is
        results = 2 * (x.nbytes + w.nbytes)
        assert tracemalloc.get_traced_memory()[1] - start - results < 64e6
    finally:
        tracemalloc.stop()


# ---- the ways of computing it --------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 300, 3000])
@pytest.mark.parametrize("terms", [1, 1000])
def test_blocks_of_any_size_give_the_same(size, terms, monkeypatch):
    """Whatever the limits at which arrays are divided, transposed, and windows gathered."""
    x, w = RANDOM.normal(size=(3, 4, 9, 8)), RANDOM.normal(size=(6, 4, 3, 3))
    cases = [{}, {"padding": 2}, {"stride": (2, 1)}, {"dilation": (1, 2), "padding": 1}]
    expected = [conv_and_gradients(x, w, **settings) for settings in cases]
    for module, name, value in [
        (lowering, "BLOCK", size), (lowering, "WHOLE", 0), (shifting, "TERMS", terms),
        (shifting, "PART", size), (ac.ops.convolution, "BLOCK", size),
    ]:  # fmt: skip
        monkeypatch.setattr(module, name, value)
    for settings, arrays in zip(cases, expected, strict=True):
        for a, b in zip(conv_and_gradients(x, w, **settings), arrays, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (3, 1, 0, 2), (1, 2, 3, 0), (3, 2, 1, 0)])
@pytest.mark.parametrize("channels", [2, 32])
def test_any_layout_gives_the_same(axes, channels):
    x, w = RANDOM.normal(size=(3, channels, 6, 5)), RANDOM.normal(size=(4, channels, 3, 2))
    laid = np.empty([x.shape[axis] for axis in axes]).transpose(np.argsort(axes))
    laid[...] = x
    every_second = np.zeros((6, channels, 6, 10))[::2, :, :, 1::2]
    every_second[...] = x
    expected = conv_and_gradients(x, w, padding=1)
    for given in (laid, every_second, np.asfortranarray(x)):
        before = given.copy()
        for a, b in zip(conv_and_gradients(given, w, padding=1), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(given, before)


def test_results_lie_as_the_next_layer_reads_them():
    """In memory the examples come last, so only the first of several layers transposes."""
    x = RANDOM.normal(size=(8, 3, 12, 12))
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
    with ac.no_grad():
        y = nn.MaxPool2d(2)(nn.ReLU()(first(x))).data
        z = second(y).data
    for array in (y, z):
        assert array.transpose(2, 1, 3, 0).flags.c_contiguous
    assert y.transpose(2, 1, 3, 0).reshape(5, 4, 40).base is not None, "a view of its rows"


# ---- ends ----------------------------------------------------------------------------------------


def test_extreme_sizes():
    """The only window, kernels as large as x, a dilation beyond it, one example, none."""
    w = RANDOM.normal(size=(2, 3, 4, 5))
    for n in (0, 1):
        x = RANDOM.normal(size=(n, 3, 4, 5))
        y = ac.conv(x, w)
        assert y.shape == (n, 2, 1, 1)
        np.testing.assert_allclose(y[..., 0, 0], np.tensordot(x, w, ((1, 2, 3), (1, 2, 3))))
        found = conv_and_gradients(x, w)
        assert [a.shape for a in found] == [(n, 2, 1, 1), x.shape, w.shape]
    x, w = RANDOM.normal(size=(1, 1, 5, 5)), RANDOM.normal(size=(1, 1, 3, 3))
    settings = {"stride": (1, 1), "dilation": (50, 50), "before": (50, 50)}
    y = ac.conv(x, w, padding=50, dilation=50)
    np.testing.assert_allclose(y, convolved(x, w, (5, 5), 1, **settings))
    np.testing.assert_allclose(y, x * w[0, 0, 1, 1])
    for size in (1, 2, 3, 4):
        for k in (1, 2, 3, 6):
            assert ac.conv(np.ones((1, 1, size)), np.ones((1, 1, k)), padding="same").shape == (
                1, 1, size)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda: nn.Conv2d(0, 3, 3), ArgumentError, "at least 1 channel, not 0, 3"),
        (lambda: nn.Conv2d(4, 6, 3, groups=4), ArgumentError, r"does not divide .*\(4, 6\)"),
        (lambda: nn.Conv2d(4, 6, 0), ArgumentError, "kernel_size must be an integer of at least 1"),
        (lambda: nn.Conv2d(4, 6, (3, 3, 3)), ArgumentError, "one for each of 2 axes"),
        (lambda: nn.Conv2d(4, 6, 3, 2, "same"), ArgumentError, "needs a stride of 1"),
        (lambda: nn.Conv2d(4, 6, 3, padding_mode="edge"), ArgumentError, "padding_mode is one of"),
        (lambda: nn.ConvTranspose2d(2, 2, 3, padding="same"), ArgumentError, "number of zeros"),
        (lambda: nn.Conv2d(1, 1, 5)(np.ones((1, 1, 4, 9))), ShapeError,
         r"Conv2d: conv: a kernel of \(5, 5\), .* does not fit into x of shape \(1, 1, 4, 9\)"),
        (lambda: nn.Conv2d(1, 1, 3, dilation=4)(np.ones((1, 1, 8, 8))), ShapeError, "does not fit"),
        (lambda: nn.Conv2d(2, 1, 3)(np.ones((1, 3, 8, 8))), ShapeError,
         r"Conv2d: expects \(n, 2, H, W\), x has shape \(1, 3, 8, 8\)"),
        (lambda: nn.Conv1d(2, 1, 3)(np.ones((5, 5))), ShapeError, r"expects \(n, 2, W\)"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, 2, output_padding=2)(np.ones((1, 1, 3, 3))),
         ArgumentError, "output_padding .* must be less than stride"),
        (lambda: nn.ConvTranspose2d(1, 1, 3, 2)(np.ones((1, 1, 3, 3)), output_size=(9, 9)),
         ShapeError, r"output_size must be in \[7, 7\] to \[8, 8\], not \(9, 9\)"),
        (lambda: nn.ConvTranspose1d(1, 1, 1, padding=3)(np.ones((1, 1, 3))), ShapeError, "be"),
        (lambda: nn.MaxPool2d(2, padding=2)(np.ones((1, 1, 4, 4))), ArgumentError, "more than"),
        (lambda: nn.MaxPool2d(5)(np.ones((1, 1, 4, 4))), ShapeError, "does not fit into x"),
        (lambda: nn.MaxPool2d(2)(np.ones((4, 4))), ShapeError, "MaxPool2d: expects 4 axes"),
        (lambda: nn.AvgPool2d(2, divisor_override=0)(np.ones((1, 4, 4))), ArgumentError, "be 0"),
        (lambda: nn.AdaptiveAvgPool2d((2, 0)), ArgumentError, "output_size must be an integer"),
        (lambda: nn.AdaptiveMaxPool1d(2)(np.ones((1, 1, 0))), ShapeError, "no elements"),
        (lambda: nn.Conv2d(1, 1, 3.5), ArgumentError, "kernel_size must be an integer"),
        (lambda: nn.Conv2d(1, 1, 3, padding=None), ArgumentError, "padding must be an integer"),
        (lambda: nn.Conv2d(4, 4, 3, groups=2.0), ArgumentError, "groups must be integers"),
        (lambda: nn.Conv1d(1, 1, 1, padding=1)(np.ones((1, 1, 0))), ShapeError, "does not fit"),
        (lambda: nn.Conv1d(1, 1, 1, padding=2, padding_mode="reflect")(np.ones((1, 1, 2))),
         ShapeError, "Conv1d: a border .* is too wide to reflect x"),
        (lambda: nn.Conv1d(1, 1, 1)(None), DTypeError, "Conv1d: the input is None"),
        (lambda: ac.conv(np.ones((1, 1, 3)), np.ones((1, 1, 3)), padding="full"), ArgumentError,
         '"same" or "valid"'),
        (lambda: nn.LPPool2d(0, 2), ArgumentError, "norm_type must be positive"),
        (lambda: nn.MaxPool1d(2)(np.ones((1, 1, 4), complex)), DTypeError, "no largest one"),
        (lambda: nn.AdaptiveAvgPool2d("a"), ArgumentError, "output_size must be an integer"),
        (lambda: nn.Upsample(2.5)(np.ones((1, 1, 4))), ArgumentError, "size must be integers"),
        (lambda: nn.Fold(4, 5)(np.ones((1, 25, 0))), ShapeError, "does not fit into images"),
        (lambda: nn.Upsample(), ArgumentError, "either size or scale_factor"),
        (lambda: nn.Upsample(2, mode="bilinear")(np.ones((1, 1, 3))), ShapeError, "does not fit x"),
        (lambda: nn.Upsample(scale_factor=0.1)(np.ones((1, 1, 3))), ShapeError, "no elements"),
        (lambda: nn.PixelShuffle(2)(np.ones((1, 6, 2, 2))), ShapeError, "not a multiple of 2²"),
        (lambda: nn.PixelUnshuffle(2)(np.ones((1, 6, 3, 2))), ShapeError, "not multiples of 2"),
        (lambda: nn.PixelShuffle(2)(np.ones((4, 2))), ShapeError, "PixelShuffle: expects"),
        (lambda: nn.PixelUnshuffle(2)(np.ones((4, 2))), ShapeError, "PixelUnshuffle: expects"),
        (lambda: nn.ReflectionPad1d(3)(np.ones((1, 1, 3))), ShapeError, "does not fit x"),
        (lambda: nn.CircularPad1d(4)(np.ones((1, 1, 3))), ShapeError, "does not fit x"),
        (lambda: nn.ZeroPad2d((1, 2, 3)), ArgumentError, "an integer or 4 of them"),
        (lambda: nn.ZeroPad1d(-2)(np.ones((1, 1, 4))), ShapeError, "does not fit x"),
        (lambda: nn.Unfold(5)(np.ones((1, 1, 4, 4))), ShapeError, "does not fit into"),
        (lambda: nn.Fold(4, 2)(np.ones((1, 4, 8))), ShapeError, r"expects \(n, C · 4, 9\)"),
    ],
)  # fmt: skip
def test_mistakes(call, error, complaint):
    with pytest.raises(error, match=complaint):
        call()


def test_windows_that_are_far_apart():
    """Unfold and its gradient take the time and the memory of their results."""
    layer, x = nn.Unfold(16, stride=16), ac.Tensor(np.ones((2, 3, 224, 224), np.float32), True)
    tracemalloc.start()
    try:
        y = layer(x)
        y.backward(np.ones(y.shape, np.float32))
        assert tracemalloc.get_traced_memory()[1] < 6 * x.data.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "layer",
    [nn.AdaptiveAvgPool2d(4), nn.AdaptiveMaxPool2d(4), nn.AdaptiveAvgPool2d(None), nn.Upsample(4),
     nn.PixelShuffle(1), nn.PixelUnshuffle(1), nn.Unfold(1), nn.MaxPool2d(1), nn.ZeroPad2d(0),
     nn.ReflectionPad2d(0), nn.ZeroPad2d(-1), nn.Fold((4, 4), 1)],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_results_are_arrays_of_their_own(layer):
    x = np.ones((1, 16)) if isinstance(layer, nn.Fold) else np.ones((1, 1, 4, 4))
    for given in (x, ac.Tensor(x)):
        y = layer(given)
        y[...] = 5
        assert x.max() == 1


def test_maxima_of_nan():
    """The gradient goes to the NaN, as its index does."""
    x = ac.Tensor([[[1.0, np.nan, 2.0, 3.0, np.nan, 5.0]]], requires_grad=True)
    out, places = nn.MaxPool1d(2, return_indices=True)(x)
    np.testing.assert_array_equal(places, [[[1, 3, 4]]])
    out.backward(np.ones(out.shape))
    np.testing.assert_array_equal(x.grad.data, [[[0, 1, 0, 1, 1, 0]]])


def test_places_of_maxima():
    x = RANDOM.normal(size=(2, 3, 7, 6))
    layer = nn.MaxPool2d((3, 2), stride=2, padding=1, return_indices=True)
    out, places = layer(x)
    flat = x.reshape(2, 3, 42)
    assert places.dtype == np.int64
    np.testing.assert_array_equal(np.take_along_axis(flat, places.reshape(2, 3, -1), 2),
                                  out.reshape(2, 3, -1))  # fmt: skip
    assert ac.max_pool_indices(np.zeros((4,)), 4) == 0, "the first of equal elements"


def test_initial_weights():
    layer = nn.Conv2d(4, 6, (3, 5), groups=2, generator=0)
    bound = 1 / np.sqrt(2 * 15)
    for p in layer.parameters():
        assert 0.5 * bound < np.abs(p.data).max() <= bound
    layer = nn.Conv2d(4, 6, 3, initializer=nn.init.kaiming_normal_, generator=0)
    assert not layer.bias.data.any()
    assert abs(layer.weight.data.std() / np.sqrt(2 / 36) - 1) < 0.2
    summary = str(nn.summary(nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 1, 5, 5)))
    assert "162" in summary, "9 · 2 · 9 multiplications"


# ---- recurrent networks --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
def test_lengths_are_those_of_sequences_alone(kind, options):
    """A padded sequence gives what it gives alone; behind its end, results are 0 and no gradient
    flows. A sequence of length 0 keeps the initial state."""
    model = getattr(nn, kind)(3, 4, generator=0, **options)
    x, lengths = RANDOM.normal(size=(5, 4, 3)), np.array([3, 5, 0, 1])
    given = ac.Tensor(x, requires_grad=True)
    y, last = model(given, lengths=lengths)
    ends = last if isinstance(last, tuple) else (last,)
    ac.sum(y**2).backward()
    for i, length in enumerate(lengths):
        assert not y.data[length:, i].any()
        assert not given.grad.data[length:, i].any()
        if not length:
            assert not any(end.data[:, i].any() for end in ends)
            continue
        alone, end = model(x[:length, i])
        np.testing.assert_allclose(y.data[:length, i], alone.data, rtol=1e-12)
        for a, b in zip(ends, end if isinstance(end, tuple) else (end,), strict=True):
            np.testing.assert_allclose(a.data[:, i], b.data, rtol=1e-12)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_padding_may_hold_anything(kind):
    model = getattr(nn, kind)(2, 3, generator=0)
    x = RANDOM.random((4, 2, 2))
    results = []
    for filling in (0.0, np.nan, np.inf):
        x[2:, 1] = filling
        model.zero_grad()
        y, _ = model(ac.Tensor(x), lengths=[4, 2])
        ac.sum(y).backward()
        results.append([y.data, *(p.grad.data.copy() for p in model.parameters())])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_lengths_in_a_program_may_change():
    model = nn.GRU(3, 4, generator=0)

    @ac.compile
    def f(x, lengths):
        return model(x, lengths=lengths)[0].detach()

    x = RANDOM.normal(size=(5, 2, 3))
    for lengths in ([5, 3], [1, 2], [0, 5], [4, 4]):
        lengths = np.array(lengths)
        np.testing.assert_array_equal(f(x, lengths), model(x, lengths=lengths)[0].data)


def test_dropout_between_layers():
    """Only in training, and not behind the last layer."""
    model = nn.LSTM(3, 4, num_layers=2, dropout=1.0, generator=0)
    x = RANDOM.normal(size=(5, 2, 3))
    dead = model(x)[0].data
    np.testing.assert_array_equal(dead, model(RANDOM.normal(size=(5, 2, 3)))[0].data)
    assert np.abs(dead).min() > 0
    assert np.abs(model.eval()(x)[0].data - dead).max() > 1e-3


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda: nn.GRU(0, 4), ArgumentError, "at least 1 feature, unit and layer"),
        (lambda: nn.GRU(3, 4, dropout=2.0), ArgumentError, r"dropout must be in \[0, 1\], not 2.0"),
        (lambda: nn.RNN(3, 4, nonlinearity="elu"), ArgumentError, '"tanh" or "relu", not'),
        (lambda: nn.LSTM(3, 4, proj_size=4), ArgumentError, "proj_size must be in"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 4))), ShapeError, r"GRU: expects \(length, n, 3\)"),
        (lambda: nn.GRU(3, 4)(np.ones((0, 2, 3))), ShapeError, "a sequence has no steps"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), np.ones((1, 3, 4))), ShapeError,
         r"expects states of the shapes \[\(1, 2, 4\)\], not \[\(1, 3, 4\)\]"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), lengths=[3, 6]), ArgumentError, r"in \[0, 5\]"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), lengths=[3.0, 5.0]), ShapeError, "2 integers"),
        (lambda: nn.LSTM(3, 4)(np.ones((5, 2, 3)), np.ones((1, 2, 4))), ShapeError,
         r"the state is a pair \(h, c\), not 1 arrays"),
        (lambda: nn.GRU(3, 4)(np.ones((5, 2, 3)), (1, 2)), ShapeError, "is an array, not 2"),
        (lambda: nn.GRUCell(3, 4)(np.ones((2, 4))), ShapeError, r"GRUCell: expects \(n, 3\)"),
        (lambda: nn.LSTMCell(3, 4)(np.ones((2, 3)), (np.ones((2, 4)), np.ones((2, 3)))), ShapeError,
         r"expects states of shape \(2, 4\)"),
        (lambda: nn.RNNCell(3, 0), ArgumentError, "at least 1 feature and unit"),
    ],
)  # fmt: skip
def test_mistakes_with_sequences(call, error, complaint):
    with pytest.raises(error, match=complaint):
        call()


def test_one_step_is_a_cell():
    for kind in ("RNN", "GRU", "LSTM"):
        model, cell = getattr(nn, kind)(3, 4, generator=0), getattr(nn, f"{kind}Cell")(3, 4)
        state = {k.removesuffix("_l0"): v for k, v in model.state_dict().items()}
        cell.load_state_dict(state)
        x = RANDOM.normal(size=(1, 2, 3))
        found, expected = cell(x[0]), model(x)[1]
        pair = (found, expected) if isinstance(found, tuple) else ((found,), (expected,))
        for a, b in zip(*pair, strict=True):
            np.testing.assert_allclose(a.data, b.data[0], rtol=1e-14)
