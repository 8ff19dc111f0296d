"""docs/conventions.md, line by line: what is returned where mathematics leaves a choice."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.ops.elementwise import masked

INF, NAN = np.inf, np.nan

# (function, operands, the gradient of the sum of the result for each)
AT_KINKS = {
    "relu at 0": (ac.relu, [[-1.0, 0.0, 2.0]], [[0, 0, 1]]),
    "absolute at 0": (ac.absolute, [[-1.0, 0.0, 2.0]], [[-1, 0, 1]]),
    "maximum, a tie": (ac.maximum, [[1.0, 3.0], [1.0, 2.0]], [[0.5, 1], [0.5, 0]]),
    "minimum, a tie": (ac.minimum, [[1.0, 3.0], [1.0, 2.0]], [[0.5, 0], [0.5, 1]]),
    "max, ties": (ac.max, [[3.0, 1.0, 3.0]], [[0.5, 0, 0.5]]),
    "min, ties": (ac.min, [[2.0, 2.0, 2.0]], [[1 / 3] * 3]),
    "clip at its bounds": (
        ac.clip,
        [[0.0, 1.0, 2.0, 5.0], 1.0, 2.0],
        [[0, 1, 1, 0], 1, 1],
    ),
    "clip where min > max is max": (ac.clip, [[0.0, 5.0], 3.0, 2.0], [[0, 0], 0, 2]),
    "clip between equal bounds": (ac.clip, [[0.0, 2.0, 5.0], 2.0, 2.0], [[0, 1, 0], 1, 1]),
    "clip, x beyond crossed bounds": (ac.clip, [[0.0], 2.0, 0.0], [[0], 0, 1]),
    "x ** 0": (lambda x: x**0, [[0.0, 2.0]], [[0, 0]]),
    "x ** 0.0, the exponent tracked": (ac.power, [[0.0, 2.0], 0.0], [[0, 0], np.log(2.0)]),
    "0 ** y": (ac.power, [[0.0, 0.0], [2.0, 1.0]], [[0, 1], [0, 0]]),
    "std of a constant": (ac.std, [[2.0, 2.0, 2.0]], [[0, 0, 0]]),
    "remainder beside a jump": (ac.remainder, [[4.0], [2.0]], [[1], [-2]]),
}


@pytest.mark.parametrize("name", AT_KINKS)
def test_gradients_at_kinks(name, device):
    function, operands, expected = AT_KINKS[name]
    tensors = [ac.Tensor(device.array(np.array(x)), requires_grad=True) for x in operands]
    out = function(*tensors)
    out.backward(device.array(np.ones(out.shape)))
    for tensor, gradient in zip(tensors, expected, strict=True):
        np.testing.assert_allclose(device.numpy(tensor.grad), gradient, rtol=1e-15)


def test_absolute_of_complex_zero(device):
    z = ac.Tensor(device.array(np.array([0j, 3 - 4j])), requires_grad=True)
    ac.absolute(z).backward(device.array(np.ones(2)))
    np.testing.assert_allclose(device.numpy(z.grad), [0, 0.6 + 0.8j])


def test_sqrt_of_0_has_an_infinite_derivative(device):
    x = ac.Tensor(device.array(np.array([0.0])), requires_grad=True)
    with np.errstate(divide="ignore"):
        ac.sqrt(x).backward(device.array(np.ones(1)))
    np.testing.assert_array_equal(device.numpy(x.grad), [INF])


@pytest.mark.parametrize("bad", [NAN, INF])
def test_where_leaks_nothing_from_the_branch_not_taken(bad, device):
    """Neither its values nor its gradient: 0 · NaN would be NaN."""
    x = ac.Tensor(device.array(np.array([0.0, 4.0])), requires_grad=True)
    y = ac.Tensor(device.array(np.array([bad, bad])), requires_grad=True)
    mask = device.array(np.array([True, True]))
    ac.where(mask, x, y).backward(device.array(np.ones(2)))
    np.testing.assert_array_equal(device.numpy(x.grad), [1, 1])
    np.testing.assert_array_equal(device.numpy(y.grad), [0, 0])
    x.grad = y.grad = None
    ac.where(mask, y, x).backward(device.array(np.array([bad, 1.0])))
    np.testing.assert_array_equal(device.numpy(y.grad), [bad, 1])
    np.testing.assert_array_equal(device.numpy(x.grad), [0, 0])


def test_a_relu_lets_nothing_through_where_it_is_0(device):
    x = ac.Tensor(device.array(np.array([-1.0, 1.0])), requires_grad=True)
    ac.relu(x).backward(device.array(np.array([NAN, 1.0])))
    np.testing.assert_array_equal(device.numpy(x.grad), [0, 1])


def test_logsumexp_of_infinities(device):
    """The limits: log 0 = -inf, and inf where an operand is inf."""
    x = device.array(np.array([[-INF, -INF], [INF, 0.0], [-INF, 1.0]]))
    out = device.numpy(ac.logsumexp(ac.Tensor(x), axis=1))
    np.testing.assert_array_equal(out, [-INF, INF, 1.0])


def test_a_gradient_of_a_real_operand_is_real(device):
    x = ac.Tensor(device.array(np.array([1.0, 2.0])), requires_grad=True)
    z = device.array(np.array([1 + 2j, 3 - 1j]))
    (x * z).backward(device.array(np.array([1j, 1.0 + 0j])))
    np.testing.assert_array_equal(device.numpy(x.grad), [-2.0, 3.0])
    assert x.grad.dtype == np.float64


def test_the_gradient_of_a_real_loss_is_the_conjugate_of_pytorchs(device):
    """∂L/∂x - i ∂L/∂y of L = |z|² = x² + y² is 2x - 2iy."""
    z = ac.Tensor(device.array(np.array([3 + 4j])), requires_grad=True)
    ac.sum(ac.real(z * z.conj())).backward()
    np.testing.assert_array_equal(device.numpy(z.grad), [6 - 8j])


def test_the_mean_of_more_elements_than_float16_can_count(device):
    x = ac.Tensor(device.array(np.zeros(70_000, "f2")), requires_grad=True)
    x.mean().backward()
    np.testing.assert_allclose(device.numpy(x.grad), 1 / 70_000, rtol=0.01)


# ---- large arrays, which are masked bit by bit ---------------------------------------------------


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c16"])
def test_a_mask_lets_nothing_through_whatever_is_there(dtype):
    rng = np.random.default_rng(0)
    g = rng.normal(size=(100, 90)).astype(dtype)[:, ::2]
    g[::3], g[1::3] = NAN, -INF
    mask = rng.random(g.shape) < 0.5
    for m in (mask, mask[:1], mask.astype(int)):
        result = masked(g, m)
        np.testing.assert_array_equal(result, np.where(m, g, 0))
        assert result.dtype == g.dtype


# ---- the ends of the range -----------------------------------------------------------------------


def test_unsigned_integers_do_not_wrap_around(device):
    x = ac.Tensor(device.array(np.array([1, 200], np.uint8)))
    np.testing.assert_allclose(device.numpy(ac.sigmoid(x)), [1 / (1 + np.exp(-1)), 1])
    np.testing.assert_allclose(device.numpy(ac.softplus(x)), [np.log1p(np.e), 200], rtol=1e-3)


def test_softplus_is_for_real_numbers(device):
    with pytest.raises(ac.DTypeError, match="softplus"):
        ac.softplus(ac.Tensor(device.array(np.array([1j]))))


@pytest.mark.filterwarnings("error")
def test_exponents_at_the_end_of_the_range(device):
    x = ac.Tensor(device.array(np.array([-60_000, 60_000], np.float16)))
    np.testing.assert_array_equal(device.numpy(ac.log_softmax(x)), [-INF, 0])
    np.testing.assert_array_equal(device.numpy(ac.softmax(x)), [0, 1])
    assert device.numpy(ac.logsumexp(x)) == 60_000


def test_more_float16_than_float16_can_count(device):
    x = ac.Tensor(device.array(np.zeros(100_000, np.float16)), requires_grad=True)
    assert device.numpy(ac.softmax(x)).max() == np.float16(1e-5)
    np.testing.assert_allclose(device.numpy(ac.logsumexp(x)), np.log(1e5), rtol=1e-3)
    ac.max(x).backward()
    np.testing.assert_array_equal(device.numpy(x.grad), np.float16(1e-5))
