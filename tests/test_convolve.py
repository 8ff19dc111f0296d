"""`scipy.signal.convolve` along chosen axes."""

import numpy as np
import pytest
import scipy.signal

import autograd_core as ac
from autograd_core.errors import ShapeError
from autograd_core.scipy.signal import convolve
from autograd_core.testing import check_gradients

MODES = ("full", "same", "valid")
RNG = np.random.default_rng(0)
IMAGES, FILTERS = RNG.normal(size=(2, 3, 5, 4)), RNG.normal(size=(3, 2, 2, 3))


def layer(x, y, mode="valid"):
    return convolve(x, y, mode, axes=([2, 3], [2, 3]), dot_axes=([1], [0]))


@pytest.mark.parametrize("mode", MODES)
def test_a_layer_of_a_network_is_a_sum_of_scipys_convolutions(mode):
    expected = [
        [sum(scipy.signal.convolve(x, y, mode) for x, y in zip(image, filters, strict=True))
         for filters in FILTERS.swapaxes(0, 1)]
        for image in IMAGES
    ]  # fmt: skip
    np.testing.assert_allclose(layer(IMAGES, FILTERS, mode), expected, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_axes_that_are_all_axes_are_the_default(mode):
    x, y = IMAGES[0, 0], FILTERS[0, 0]
    expected = scipy.signal.convolve(x, y, mode)
    for axes in (None, ([0, 1], [0, 1]), ([-1, 0], [1, -2]), ((0, -1), (0, 1))):
        found = convolve(x, y, mode, axes=axes, dot_axes=([], []))
        if axes == ([-1, 0], [1, -2]):  # the convolved axes are in the order of `axes`
            found = found.T
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_derivatives_of_a_layer(mode):
    check_gradients(lambda x, y: layer(x, y, mode), IMAGES[:1, :, :3], FILTERS[..., :2])


def test_the_shorter_array_may_be_the_first():
    x, y = RNG.normal(size=(2, 2)), RNG.normal(size=(3, 5))
    swapped = convolve(y, x, "valid", axes=([1], [1]))
    found = convolve(x, y, "valid", axes=([1], [1]))
    np.testing.assert_allclose(found, swapped.swapaxes(0, 1), rtol=1e-12)
    check_gradients(lambda x, y: convolve(x, y, "valid", axes=([1], [1])), x, y)
    check_gradients(lambda x, y: convolve(x, y, "full", axes=([1], [1])), x, y)


def test_without_convolved_axes_it_is_a_tensordot():
    x, y = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4))
    found = convolve(x, y, axes=([], []), dot_axes=([1], [0]))
    np.testing.assert_allclose(found, x @ y, rtol=1e-12)


def test_dtypes_and_devices(device):
    x, y = IMAGES.astype("f4"), FILTERS.astype("f4")
    found = layer(ac.Tensor(device.array(x)), ac.Tensor(device.array(y)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(device.numpy(found), layer(x, y), rtol=1e-4, atol=1e-5)
    whole = layer(np.ones((1, 1, 3, 3), int), np.ones((1, 1, 2, 2), int))
    assert whole.dtype == int
    np.testing.assert_array_equal(whole, np.full((1, 1, 2, 2), 4))


# ---- random axes ---------------------------------------------------------------------------------


def random_call(rng, ordered=False):
    """Random operands with a random number of convolved, dotted and kept axes. If `ordered`, the
    dotted axes are in ascending order."""
    convolved, dotted, *kept = rng.integers([1, 0, 0, 0], [3, 3, 3, 3])
    long, short = rng.integers(3, 5, convolved), rng.integers(1, 4, convolved)
    common = rng.integers(1, 4, dotted)
    operands, axes, dots = [], [], []
    for side, others in zip(([long, short], [short, long])[rng.integers(2)], kept, strict=True):
        lengths = np.concatenate([side, common, rng.integers(1, 4, others)])
        order = rng.permutation(lengths.size)
        if ordered:
            of_dots = (convolved <= order) & (order < convolved + dotted)
            order[of_dots] = np.sort(order[of_dots])
        place = np.argsort(order)
        operands.append(rng.normal(size=lengths[order]))
        axes.append(place[:convolved].tolist())
        dots.append(place[convolved : convolved + dotted].tolist())
    return operands, {"mode": MODES[rng.integers(3)], "axes": axes, "dot_axes": dots}


def by_definition(x, y, mode, axes, dot_axes):
    """The sum of SciPy's convolutions for every index along the other axes."""
    arranged, kept = [], []
    for array, along, dotted in zip((x, y), axes, dot_axes, strict=True):
        left = [i for i in range(array.ndim) if i not in (*along, *dotted)]
        arranged.append(array.transpose(left + dotted + along))
        kept.append(arranged[-1].shape[: len(left)])
    sums = arranged[0].shape[len(kept[0]) : len(kept[0]) + len(dot_axes[0])]
    parts = [
        sum(
            scipy.signal.convolve(arranged[0][i + k], arranged[1][j + k], mode, method="direct")
            for k in np.ndindex(sums)
        )
        for i in np.ndindex(kept[0])
        for j in np.ndindex(kept[1])
    ]
    return np.reshape(parts, kept[0] + kept[1] + parts[0].shape)


@pytest.mark.parametrize("seed", range(60))
def test_random_axes(seed):
    (x, y), settings = random_call(np.random.default_rng(seed))
    found = convolve(ac.Tensor(x), ac.Tensor(y), **settings)
    np.testing.assert_allclose(found.data, by_definition(x, y, **settings), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_derivatives_along_random_axes(seed):
    operands, settings = random_call(np.random.default_rng(seed))
    check_gradients(lambda x, y: convolve(x, y, **settings), *operands, order=1)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(60))
def test_it_equals_hips_autograd(seed):
    """Where the dotted axes are in ascending order: HIPS autograd transposes the gradient wrongly
    for another order."""
    autograd = pytest.importorskip("autograd", reason="compares with HIPS autograd")
    from autograd.scipy.signal import convolve as theirs

    operands, settings = random_call(np.random.default_rng(seed), ordered=True)
    tensors = [ac.Tensor(each, requires_grad=True) for each in operands]
    found = convolve(*tensors, **settings)
    g = np.random.default_rng(seed).normal(size=found.shape)
    found.backward(g)
    for i, tensor in enumerate(tensors):
        pull, value = autograd.make_vjp(lambda x, y: theirs(x, y, **settings), i)(*operands)
        np.testing.assert_allclose(found.data, value, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(tensor.grad.numpy(), pull(g), rtol=1e-11, atol=1e-12)


# ---- what is refused -----------------------------------------------------------------------------

BAD = {
    "no pair": ({"axes": [2, 3, 1]}, "axes=.*pair of lists"),
    "no lists": ({"axes": (2, 3)}, r"axes=\(2, 3\).*lists of integers"),
    "beyond": ({"axes": ([4], [0])}, r"axes=.*\(2, 3, 5, 4\) does not have"),
    "uneven": ({"axes": ([2, 3], [2])}, "as many axes of x as of y"),
    "twice": ({"axes": ([2, -2], [2, 3])}, "each axis of x at most once"),
    "convolved and dotted": ({"axes": ([1], [3]), "dot_axes": ([0], [3])}, "axis of y at most"),
    "dotted, all convolved": ({"dot_axes": ([1], [0])}, "each axis of x at most once"),
    "lengths": ({"axes": ([2], [2]), "dot_axes": ([0], [0])}, r"dot_axes=\(\(0,\), .*equal"),
    "neither fits": ({"mode": "valid", "axes": ([0, 2], [0, 2])}, "as long as the other"),
    "mode": ({"mode": "some", "axes": ([2], [2])}, "mode must be .* not 'some'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_axes_are_told(name):
    settings, words = BAD[name]
    with pytest.raises(ShapeError, match=words) as caught:
        convolve(IMAGES, FILTERS, **settings)
    if name != "mode":
        assert "(2, 3, 5, 4)" in str(caught.value)
        assert "(3, 2, 2, 3)" in str(caught.value)


def test_an_empty_axis_cannot_be_convolved():
    with pytest.raises(ShapeError, match=r"axes=.*empty axis.*\(2, 0\).*\(3, 3\)"):
        convolve(np.ones((2, 0)), np.ones((3, 3)), axes=([1], [1]))
