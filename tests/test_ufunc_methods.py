"""The methods of ufuncs (reduce, accumulate, outer, reduceat), and their where= and out=."""

import operator

import numpy as np
import pytest

import autograd_core as ac
from tests.devices import Host
from tests.leaves import leaf

# not power and arctan2: NumPy 2.4 reduces them with vector instructions, and then takes the first
# and the last element only
REDUCIBLE = ["add", "multiply", "maximum", "minimum", "logaddexp", "logaddexp2", "hypot", "fmax",
             "fmin", "subtract", "divide"]  # fmt: skip
M = np.array([[1.5, 0.5, 2.0], [1.25, 3.0, 0.75]])


def agrees(f, x, device):
    """NumPy's value, and a gradient that differences confirm."""
    t = leaf(x, device)
    out = f(t)
    np.testing.assert_allclose(device.numpy(out), f(x), rtol=1e-14)
    weights = np.cos(np.arange(np.size(f(x))).reshape(np.shape(f(x))))
    out.backward(device.array(weights))
    found = device.numpy(t.grad)
    for place in np.ndindex(x.shape):
        h = np.zeros(x.shape)
        h[place] = 1e-6
        expected = (weights * (f(x + h) - f(x - h))).sum() / 2e-6
        np.testing.assert_allclose(found[place], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", REDUCIBLE)
def test_the_methods_of_a_ufunc(name, there):
    ufunc = getattr(np, name)
    agrees(lambda x: ufunc.reduce(x), M, there)
    agrees(lambda x: ufunc.reduce(x, axis=1, keepdims=True), M, there)
    agrees(lambda x: ufunc.reduce(x, axis=-1, initial=1.5), M, there)
    agrees(lambda x: ufunc.accumulate(x, axis=1), M, there)
    agrees(lambda x: ufunc.outer(x, x[0]), M, there)
    agrees(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1), M, there)


@pytest.mark.parametrize("name", REDUCIBLE)
def test_a_reduction_of_what_is_chosen(name):
    ufunc, mask = getattr(np, name), M > 0.6
    agrees(lambda x: ufunc.reduce(x, axis=1, where=mask, initial=2.25), M, Host())


def test_a_reduction_over_all_axes_and_in_another_dtype(there):
    agrees(lambda x: np.logaddexp.reduce(x, axis=None), M, there)
    agrees(lambda x: np.hypot.reduce(x, axis=(0, 1)), M, there)
    assert np.add.reduce(leaf(M, there), dtype="f4").dtype == "f4"
    assert np.add(leaf(M, there), 1.0, dtype="f4").dtype == "f4"
    with pytest.raises(ac.ShapeError, match="not reorderable"):
        np.subtract.reduce(leaf(M, there), axis=None)
    with pytest.raises(ac.ShapeError, match=r"zero-size|identity"):
        np.maximum.reduce(leaf(np.ones((0, 2)), there))
    assert (
        np.logaddexp.reduce(leaf(np.ones((0, 2)), there)).detach().cpu().tolist() == [-np.inf] * 2
    )


def test_a_mask_leaves_the_rest_alone(there):
    """Nothing is computed where it does not hold: the root of 0 has no finite slope."""
    x, out = leaf([4.0, 0.0, 9.0], there), ac.zeros(3)
    mask = ac.Tensor(there.array(np.array([True, False, True])))
    assert np.sqrt(x, out=out, where=mask) is out
    assert out.detach().cpu().tolist() == [2.0, 0.0, 3.0]
    out.sum().backward()
    np.testing.assert_allclose(there.numpy(x.grad), [0.25, 0.0, 1 / 6])


@pytest.mark.parametrize("dtypes", [("f8", "f4"), ("f4", "f8")], ids=["narrower", "wider"])
@pytest.mark.parametrize("name", ["sum", "mean", "std", "cumsum", "nansum", "add.reduce"])
def test_a_result_is_computed_as_precisely_as_numpy_does_it(name, dtypes):
    function, (given, wanted) = operator.attrgetter(name)(np), dtypes
    values = np.full((10_000, 1), 0.1, given)
    expected = function(values, axis=0, out=np.zeros(np.shape(function(values, axis=0)), wanted))
    out = ac.Tensor(np.zeros_like(expected))
    assert function(ac.Tensor(values), axis=0, out=out) is out
    np.testing.assert_array_equal(out.data, expected)
