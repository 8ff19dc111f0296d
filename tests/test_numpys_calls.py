"""NumPy's functions that are reached in ways of their own: ``like=``, np.emath, np.lib."""

import numpy as np
import pytest

import autograd_core as ac

MADE = {
    "array": lambda **like: np.array([1, 2], **like),
    "array, float32": lambda **like: np.array([1, 2], "f4", **like),
    "array, defaults": lambda **like: np.array([1.5], order="K", ndmin=0, **like),
    "asarray": lambda **like: np.asarray([1.5, 2], **like),
    "zeros": lambda **like: np.zeros((2, 3), **like),
    "zeros, integers": lambda **like: np.zeros(2, int, order="C", **like),
    "ones": lambda **like: np.ones(3, **like),
    "empty": lambda **like: np.empty((0, 2), **like),
    "full": lambda **like: np.full((2,), 7, **like),
    "eye": lambda **like: np.eye(2, M=3, k=1, **like),
    "identity": lambda **like: np.identity(2, **like),
    "tri": lambda **like: np.tri(2, 3, **like),
    "arange": lambda **like: np.arange(3, **like),
    "arange, steps": lambda **like: np.arange(1, 4, 0.5, dtype="f4", **like),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_an_array_like_a_tensor_is_a_tensor_on_its_device(make, device):
    x = ac.Tensor(device.array(np.ones(2, "f4")), requires_grad=True)
    made, expected = make(like=x), make()
    assert type(made) is ac.Tensor
    assert not made.requires_grad
    assert (made.device, made.dtype) == (x.device, expected.dtype)
    np.testing.assert_array_equal(device.numpy(made), expected)


def test_an_array_of_tensors_keeps_their_gradients(device):
    x, y = (ac.Tensor(device.array(np.ones(2)), requires_grad=True) for _ in range(2))
    (np.array([x, y * 2], like=x) * 3).sum().backward()
    np.testing.assert_array_equal(device.numpy(x.grad), [3, 3])
    np.testing.assert_array_equal(device.numpy(y.grad), [6, 6])
    np.full((3, 2), x, like=x).sum().backward()
    np.testing.assert_array_equal(device.numpy(x.grad), [6, 6])


def test_a_layout_of_what_is_made_is_refused():
    with pytest.raises(ac.NotDifferentiableError, match=r"np\.zeros\(order\) is not supported"):
        np.zeros((2, 3), order="F", like=ac.Tensor(1.0))


# ---- np.emath ------------------------------------------------------------------------------------

POWERS = [(2.0, 3), (-8.0, 1 / 3), (-2.0, 2), (2, -2), (-2, -2), (3, 2), (np.float32(2), 3)]


@pytest.mark.parametrize(("x", "p"), POWERS)
def test_a_power_and_its_dtype(x, p, device):
    expected = np.emath.power(np.array([x, 1.5], np.asarray(x).dtype), p)
    operand = ac.Tensor(device.array(np.array([x, 1.5], np.asarray(x).dtype)))
    for function in (ac.emath.power, np.emath.power):
        found = function(operand, p)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(device.numpy(found), expected, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("x", [-2.0, -1.5, 1.5, 3.0])
@pytest.mark.parametrize("name", ["arccos", "arcsin", "arctanh", "sqrt", "log", "log2", "log10"])
def test_a_gradient_is_that_of_the_side_above_the_cut(name, x):
    leaf = ac.Tensor([x, x], requires_grad=True)
    getattr(np.emath, name)(leaf)[0].imag.backward()
    step = 1e-6
    high, low = (getattr(np.emath, name)(x + s).imag for s in (step, -step))
    np.testing.assert_allclose(leaf.grad.numpy(), [(high - low) / (2 * step), 0], atol=1e-7)


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", "f2", "f4", "f8", "c8"])
@pytest.mark.parametrize("name", ["sqrt", "arcsin", "logn"])
def test_the_dtype_of_a_result_is_numpys(name, dtype):
    values = np.array([2, 3] if dtype == "u2" else [-2, 3], dtype)
    operands = [3, values] if name == "logn" else [values]
    expected = getattr(np.emath, name)(*operands)
    tensors = [ac.Tensor(v) if v is values else v for v in operands]
    for found in (getattr(ac.emath, name)(*operands), getattr(np.emath, name)(*tensors)):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(getattr(found, "data", found)), expected, rtol=1e-3)


# ---- np.lib, histograms --------------------------------------------------------------------------


def test_a_window_that_does_not_fit():
    view, x = np.lib.stride_tricks.sliding_window_view, ac.Tensor(np.ones((2, 3)))
    with pytest.raises(ac.ShapeError, match="does not fit into axis 0"):
        view(x, (3, 3))
    with pytest.raises(ac.ShapeError, match="a length for each of the 2 axes"):
        view(x, 2)
    with pytest.raises(ac.ShapeError, match="axis"):
        view(x, 2, axis=2)
    with pytest.raises(ac.NotDifferentiableError, match="writeable"):
        view(x, 2, axis=0, writeable=True)
    with pytest.raises(ac.ShapeError, match="no windows"):
        ac.overlap_add(np.ones((0, 2)), -1)


def test_windows_are_a_view():
    x = ac.Tensor(np.ones((3, 4)), requires_grad=True)
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2))
    assert np.shares_memory(windows.data, x.data)
    assert not windows.data.flags.writeable
    windows.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]])


def test_the_places_of_a_histogram_have_no_gradient(device):
    x = ac.Tensor(device.array(np.array([0.5, 1.5, 1.6])), requires_grad=True)
    weights = ac.Tensor(device.array(np.array([1.0, 2, 4])), requires_grad=True)
    counts, edges = np.histogram(x, 2, (0, 2), weights=weights)
    (counts * counts).sum().backward()
    assert x.grad is None
    assert type(edges) is ac.Tensor
    np.testing.assert_array_equal(device.numpy(counts), [1, 6])
    np.testing.assert_array_equal(device.numpy(weights.grad), [2, 12, 12])


SAMPLES = {
    "rows": lambda x: x,
    "columns": lambda x: [x[:, 0], x[:, 1]],
    "one column": lambda x: x[:, 0],
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_samples_may_be_rows_or_columns(sample, device):
    places = np.random.default_rng(0).uniform(-1, 1, (9, 2))
    weights = np.arange(1.0, 10)
    expected, _ = np.histogramdd(sample(places), 3, weights=weights)
    x, w = (ac.Tensor(device.array(a), requires_grad=True) for a in (places, weights))
    found, edges = np.histogramdd(sample(x), 3, weights=w)
    np.testing.assert_array_equal(device.numpy(found), expected)
    assert len(edges) == expected.ndim
    found.sum().backward()
    assert x.grad is None
    np.testing.assert_array_equal(device.numpy(w.grad), np.ones(9))


def test_a_histogram_of_plain_places_with_weights_that_are_tracked():
    weights = ac.Tensor([1.0, 2.0, 4.0], requires_grad=True)
    counts, edges = np.histogram(np.array([0, 1, 1]), [0, 1, 2], weights=weights)
    assert counts.requires_grad
    np.testing.assert_array_equal(counts.data, [1, 6])
    np.testing.assert_array_equal(edges.data, [0, 1, 2])


def test_weights_that_do_not_fit_a_histogram():
    weights = ac.Tensor(np.ones(2), requires_grad=True)
    with pytest.raises(ValueError, match="same shape"):
        np.histogram(np.ones(3), weights=weights)
    with pytest.raises(TypeError, match="not supported for weighted data"):
        np.histogram(np.ones(2), "auto", weights=weights)
