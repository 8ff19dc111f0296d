"""docs/conventions.md, line by line: the elementwise functions beyond the first ones."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import AutogradError, DTypeError, NotDifferentiableError
from autograd_core.interface import protocols
from autograd_core.ops import aliases
from autograd_core.scipy import special

INF, NAN = np.inf, np.nan

# (function, operands, the gradient of the sum of the result for each; None where it has none)
AT_KINKS = {
    "sinc near 0": (ac.sinc, [[0.0, 1e-300, 0.5]], [[0, -(np.pi**2) / 3 * 1e-300, -8 / np.pi / 2]]),
    "hypot at the origin": (ac.hypot, [[0.0, 3.0], [0.0, -4.0]], [[0, 0.6], [0, -0.8]]),
    "hypot without overflow": (ac.hypot, [[3e300], [4e300]], [[0.6], [0.8]]),
    "arctan2 at the origin": (ac.arctan2, [[0.0, 3.0], [0.0, 4.0]], [[0, 0.16], [0, -0.12]]),
    "logaddexp of equal infinities": (
        ac.logaddexp,
        [[-INF, INF, -INF, INF], [-INF, INF, 2.0, 2.0]],
        [[0.5, 0.5, 0, 1], [0.5, 0.5, 1, 0]],
    ),
    "logaddexp far apart": (ac.logaddexp, [[-1e4, 1e4], [1e4, -1e4]], [[0, 1], [1, 0]]),
    "logaddexp2 of equal infinities": (ac.logaddexp2, [[-INF], [-INF]], [[0.5], [0.5]]),
    "fabs at 0": (ac.fabs, [[-1.0, 0.0, 2.0]], [[-1, 0, 1]]),
    "copysign": (
        ac.copysign,
        [[-2.0, 2.0, 0.0, -3.0, 3.0], [1.0, -1.0, 1.0, -0.0, 0.0]],
        [[-1, -1, 0, 1, 1], None],
    ),
    "fmax, a tie and NaN": (
        ac.fmax,
        [[1.0, NAN, 2.0, 3.0], [1.0, 2.0, NAN, 2.0]],
        [[0.5, 0, 1, 1], [0.5, 1, 0, 0]],
    ),
    "fmin, a tie and NaN": (
        ac.fmin,
        [[1.0, NAN, 2.0, 3.0], [1.0, 2.0, NAN, 2.0]],
        [[0.5, 0, 1, 0], [0.5, 1, 0, 1]],
    ),
    "fmod beside a jump": (ac.fmod, [[6.0, -6.0, 5.5], [2.0, 2.0, -2.0]], [[1] * 3, [-3, 3, 2]]),
    "fmod where the quotient rounds up": (ac.fmod, [[1 - 2**-53], [2**-53]], [[1], [-(2**53) + 1]]),
    "modf beside a jump": (lambda x: ac.modf(x)[0], [[2.0, -2.5, INF]], [[1, 1, 1]]),
    "frexp": (lambda x: ac.frexp(x)[0], [[4.0, -3.0, 0.0]], [[0.125, 0.25, 1]]),
    "divmod": (lambda x, y: ac.divmod(x, y)[1], [[4.0], [2.0]], [[1], [-2]]),
    "heaviside": (ac.heaviside, [[-1.0, 0.0, 1.0], [5.0] * 3], [None, [0, 1, 0]]),
    "ldexp": (lambda x: ac.ldexp(x, 3), [[1.0, -2.0]], [[8, 8]]),
    "nan_to_num": (ac.nan_to_num, [[NAN, INF, -INF, 2.0]], [[0, 0, 0, 1]]),
    "float_power at 0": (ac.float_power, [[0.0, 2.0, 0.0], [0.0, 0.0, 2.0]],
                         [[0, 0, 0], [0, np.log(2.0), 0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_KINKS)
def test_gradients_at_kinks(name, device):
    function, operands, expected = AT_KINKS[name]
    tensors = [
        ac.Tensor(device.array(np.array(x)), requires_grad=g is not None)
        for x, g in zip(operands, expected, strict=True)
    ]
    out = function(*tensors)
    out.backward(device.array(np.ones(out.shape)))
    for tensor, gradient in zip(tensors, expected, strict=True):
        if gradient is not None:
            np.testing.assert_allclose(device.numpy(tensor.grad), gradient, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [(ac.cbrt, 0, INF), (ac.arcsin, 1, INF), (ac.arccos, -1, -INF), (ac.arctanh, 1, INF),
     (ac.arccosh, 1, INF)],
    ids=["cbrt", "arcsin", "arccos", "arctanh", "arccosh"],
)  # fmt: skip
def test_where_the_graph_is_vertical_the_derivative_is_infinite(function, at, expected, device):
    x = ac.Tensor(device.array(np.array([float(at)])), requires_grad=True)
    with np.errstate(divide="ignore"):
        function(x).backward(device.array(np.ones(1)))
    np.testing.assert_array_equal(device.numpy(x.grad), [expected])


def test_derivatives_of_sinc_of_every_order_at_0(device):
    """The series 1 - (pi x)² / 3! + (pi x)⁴ / 5! …"""
    x = ac.Tensor(device.array(np.zeros(1)), requires_grad=True)
    out = ac.sinc(x)
    for expected in [0, -(np.pi**2) / 3, 0, np.pi**4 / 5]:
        x.grad = None
        out.backward(device.array(np.ones(1)), create_graph=True)
        out = x.grad
        np.testing.assert_allclose(device.numpy(out), [expected], rtol=1e-15)


@pytest.mark.parametrize("function", [ac.arcsinh, ac.arccosh])
def test_far_out_nothing_overflows(function, device):
    """Where x * x would. The result, 461, has been rounded: that is what the tolerance is for."""
    x = ac.Tensor(device.array(np.array([1e200])), requires_grad=True)
    function(x).backward(device.array(np.ones(1)))
    np.testing.assert_allclose(device.numpy(x.grad), [1e-200], rtol=461 * np.finfo(float).eps)


def test_arcsin_is_exact_near_1(device):
    x = ac.Tensor(device.array(np.array([1 - 2.0**-40])), requires_grad=True)
    ac.arcsin(x).backward(device.array(np.ones(1)))
    exact = 1 / np.sqrt(2.0**-39 - 2.0**-80)
    np.testing.assert_allclose(device.numpy(x.grad), [exact], rtol=1e-15)


# ---- complex numbers -----------------------------------------------------------------------------


def test_angle_turns_with_the_number(device):
    """dθ = Im(dz / z), so the gradient is -i / z; it is 0 at 0."""
    z = ac.Tensor(device.array(np.array([0j, 3 + 4j])), requires_grad=True)
    ac.angle(z).backward(device.array(np.ones(2)))
    np.testing.assert_allclose(device.numpy(z.grad), [0, -1j / (3 + 4j)], rtol=1e-15)


def test_the_sign_of_a_complex_number_turns_with_it(device):
    z = ac.Tensor(device.array(np.array([0j, 2j])), requires_grad=True)
    ac.sum(ac.real(np.sign(z))).backward()  # moving 2i to the right by h adds h / 2
    np.testing.assert_allclose(device.numpy(z.grad), [0, 0.5], atol=1e-16)


def test_the_sign_of_a_real_number_carries_no_gradient(device):
    x = ac.Tensor(device.array(np.array([-1.0, 2.0])), requires_grad=True)
    assert not ac.sign(x).requires_grad


def test_real_if_close(device):
    small, large = (
        ac.Tensor(device.array(np.array([1 + part * 1j, 2])), requires_grad=True)
        for part in (1e-15, 0.1)
    )
    closed = ac.real_if_close(small)
    assert closed.dtype == np.float64
    closed.sum().backward()
    np.testing.assert_array_equal(device.numpy(small.grad), [1, 1])
    assert ac.real_if_close(large).dtype == np.complex128
    assert ac.real_if_close(large, tol=0.5).dtype == np.float64


def test_nan_to_num_looks_at_both_parts(device):
    z = ac.Tensor(device.array(np.array([complex(NAN, 1), complex(2, INF)])), requires_grad=True)
    ac.nan_to_num(z, posinf=7.0).backward(device.array(np.array([1 + 2j, 3 + 4j])))
    np.testing.assert_array_equal(device.numpy(z.grad), [2j, 3])


# ---- what is refused -----------------------------------------------------------------------------

WRONG = {
    "nan_to_num in place": (lambda x: ac.nan_to_num(x, copy=False), NotDifferentiableError),
    "NumPy's nan_to_num in place": (lambda x: np.nan_to_num(x, False), NotDifferentiableError),
    "shapes": (lambda x: ac.hypot(x, np.ones(2)), ValueError),
    "shapes, composed": (lambda x: ac.divmod(x, np.ones(2)), ValueError),
    "gcd of floats": (lambda x: ac.gcd(x, x), DTypeError),
    "ldexp by floats": (lambda x: ac.ldexp(x, x), DTypeError),
    "degrees of complex": (lambda x: ac.degrees(x * 1j), DTypeError),
    "isposinf of complex": (lambda x: ac.isposinf(x * 1j), DTypeError),
    "a setting": (lambda x: ac.angle(x, deg=x), NotDifferentiableError),
    "decimals": (lambda x: ac.round(x, x), NotDifferentiableError),
    "out": (lambda x: np.tan(x, out=np.zeros(3)), NotDifferentiableError),
    "where": (lambda x: np.tan(x, where=np.array([True, False, True])), NotDifferentiableError),
    "dates": (np.isnat, NotDifferentiableError),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_raises_our_errors(name):
    call, error = WRONG[name]
    x = ac.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    with pytest.raises(AutogradError) as caught:
        call(x)
    assert isinstance(caught.value, error)


# ---- names ---------------------------------------------------------------------------------------

# Ufuncs without a place here: dates are no Tensors.
UNCOVERED = {"isnat"}
ELSEWHERE = {"matvec", "vecdot", "vecmat"}  # products


def test_every_ufunc_of_numpy_is_covered():
    ufuncs = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    missing = {name for name in ufuncs if getattr(np, name) not in protocols.ufunc_table()}
    assert missing - ELSEWHERE == UNCOVERED


@pytest.mark.parametrize("name", sorted({n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)}
                                        - UNCOVERED - ELSEWHERE))  # fmt: skip
def test_every_ufunc_has_its_name_here(name):
    assert getattr(ac, name) is protocols.ufunc_table()[getattr(np, name)]
    assert name in ac.__all__


# NumPy has amax beside max: two functions that do the same
@pytest.mark.parametrize("alias", sorted({*aliases.__all__} - {"amax", "amin"}))
def test_an_alias_is_one_in_numpy_too(alias):
    assert getattr(np, alias) is getattr(np, getattr(ac, alias).__name__)


def test_divmod_and_round_of_tensors(device):
    x = ac.Tensor(device.array(np.array([7.0, -7.5])), requires_grad=True)
    for quotient, rest in (divmod(x, 2), np.divmod(x, 2)):
        np.testing.assert_array_equal(device.numpy(quotient), [3, -4])
        np.testing.assert_array_equal(device.numpy(rest), [1, 0.5])
        assert rest.requires_grad
        assert not quotient.requires_grad
    np.testing.assert_array_equal(device.numpy(divmod(15.0, x)[0]), [2, -2])
    np.testing.assert_array_equal(device.numpy(x.round()), [7, -8])


def test_ive_of_a_float_order_has_a_real_derivative():
    """Without NumPy's warning about complex numbers, which would be an error here."""
    slope = ac.elementwise_grad(special.ive, 1)(0.5, np.array([0.5, 3.0, 40.0]))
    assert slope.dtype == np.float64
    assert np.all(slope != 0)
