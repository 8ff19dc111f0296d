"""Operands at which a formula that is right elsewhere is not: found one by one, tested as kinds."""

import numpy as np
import pytest
import scipy.special

import autograd_core as ac
import nn
from autograd_core import functions, operations
from autograd_core.errors import DTypeError, LinAlgError, NotDifferentiableError
from autograd_core.scipy import special, stats

INF, NAN = np.inf, np.nan
EYE, TURN = np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]])
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


# ---- integers, booleans, infinities --------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
@pytest.mark.parametrize(
    "name", ["logsumexp", "softmax", "log_softmax", "expit", "log_expit", "entr"]
)
def test_integers_are_computed_in_floating_numbers(name, dtype):
    x = np.array([1, 0, 1] if dtype is bool else [1, 0, 100]).astype(dtype)
    found = np.asarray(getattr(special, name)(x))
    expected = getattr(scipy.special, name)(x.astype(float))
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(found.dtype).eps, atol=1e-6)


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "?"])
@pytest.mark.parametrize(
    "name", sorted(name for name, op in operations.items() if op.pointwise and hasattr(np, name))
)
def test_integers_give_numpys_results(name, dtype):
    generator = np.random.default_rng(0)
    low, high = (0, 2) if dtype == "?" else (0, 100)
    count = len(operations[name].operands)
    arrays = [generator.integers(low, high, 9).astype(dtype) for _ in range(count)]
    try:
        expected = getattr(np, name)(*arrays)
    except (TypeError, ValueError):
        with pytest.raises((TypeError, ValueError)):
            functions[name](*map(ac.Tensor, arrays))
        return
    found = functions[name](*map(ac.Tensor, arrays)).numpy()
    assert found.dtype == expected.dtype
    close = {"e": 2e-3, "f": 1e-6}.get(expected.dtype.char, 1e-13)
    np.testing.assert_allclose(found, expected, rtol=close, atol=close)


def test_integers_of_polygamma_and_losses():
    expected = scipy.special.polygamma(2, [1, 2, 3])
    for x in (np.array([1, 2, 3]), [1, 2, 3]):
        np.testing.assert_allclose(np.asarray(special.polygamma(2, x)), expected)
    assert special.polygamma(2, 2) == expected[1]
    small = (np.array([v], np.uint8) for v in (0, 20))
    assert nn.MSE()(*small).item() == 400
    assert nn.MSE()(*(np.array([v], np.int8) for v in (100, -100))).item() == 40000


def test_softmax_at_infinity_is_as_scipys():
    for x in ([INF, 1.0], [-INF, 1.0], [INF, -INF], [-INF, -INF], [0.0, INF]):
        found, expected = ac.log_softmax(np.array(x)), scipy.special.log_softmax(x)
        np.testing.assert_array_equal(np.asarray(found), expected)
        np.testing.assert_array_equal(np.asarray(ac.logsumexp(np.array(x))), np.logaddexp(*x))


def test_a_weight_of_0_has_its_slope_and_lets_nothing_through():
    a, b = np.array([3.0, 1.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(ac.grad(lambda b: special.logsumexp(a, b=b))(b), [np.exp(2), 1])
    a[0] = 1e300
    np.testing.assert_array_equal(ac.grad(lambda a: special.logsumexp(a, b=b))(a), [0, 1])


def test_power_has_one_mixed_derivative_at_the_exponent_0():
    for function in (ac.power, ac.float_power):
        found = ac.hessian(lambda v, f=function: f(v[0], v[1]))(np.array([4.0, 0.0]))
        np.testing.assert_allclose(found, [[0, 0.25], [0.25, np.log(4) ** 2]])


def test_directions_at_infinity():
    for point in [(INF, 1.0), (1.0, INF), (-INF, -2.0)]:
        assert np.equal(ac.grad(ac.arctan2, (0, 1))(*point), 0).all()
    assert np.isnan(ac.grad(ac.arctan2, (0, 1))(NAN, 1.0)).all()


def test_the_slope_of_a_small_probability_is_not_cut():
    for p in (1e-8, 1e-20, 1e-300):
        loss = lambda p: nn.BCELoss()(p, np.ones(1))  # noqa: E731
        np.testing.assert_allclose(ac.grad(loss)(np.array([p])), -1 / p)


# ---- densities -----------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [INF, -INF, 0.5])
@pytest.mark.parametrize("name", ["pdf", "logpdf"])
def test_bad_parameters_give_nan_everywhere(name, x):
    for density, *parameters in [
        (stats.t, -1.0), (stats.t, NAN), (stats.gamma, NAN), (stats.beta, -1.0, 2.0),
        (stats.chi2, -1.0), (stats.t, 2.5, 0.5, -1.0), (stats.norm, 0.0, -1.0),
        (stats.gamma, 1.0, NAN),
    ]:  # fmt: skip
        assert np.isnan(getattr(density, name)(x, *parameters).item())


def test_dirichlet_is_0_outside():
    for x in ([-0.5, 1.5], [1.5, -0.5]):
        assert stats.dirichlet.pdf(np.array(x), np.array([2.0, 2.0])).item() == 0
        assert stats.dirichlet.logpdf(np.array(x), np.array([1.0, 2.0])).item() == -INF
    slope = ac.grad(lambda x: stats.dirichlet.pdf(x, np.array([2.0, 3.0])))
    np.testing.assert_allclose(slope(np.array([0.0, 0.5])), [3.0, 0.0])  # 12 x y²


# ---- equal eigenvalues and singular values -------------------------------------------------------


VALUES = {
    "eigh": lambda x: ac.linalg.eigh(x)[0],
    "eigvalsh": ac.linalg.eigvalsh,
    "svd": lambda x: ac.linalg.svd(x)[1],
    "svdvals": ac.linalg.svdvals,
    "eigvals": lambda x: ac.real(ac.linalg.eigvals(x)),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_that_move_alike_are_refused_at_the_second_order(name):
    """h'(w) is 0 where they are equal, so that nothing of h'' is seen."""
    curved = lambda x: ((VALUES[name](x) - 1) ** 2).sum()  # noqa: E731
    with pytest.raises(LinAlgError, match="equal"):
        ac.hvp(curved)(EYE, TURN)


@pytest.mark.parametrize("name", ["eigvalsh", "svdvals", "eigvals"])
def test_a_sum_of_values_has_a_second_derivative_where_they_are_equal(name):
    found = ac.hvp(lambda x: VALUES[name](x).sum())(EYE, TURN)
    np.testing.assert_allclose(found, 0, atol=1e-15)


def test_a_singular_value_of_0_has_a_kink():
    with pytest.raises(LinAlgError, match="singular values 0 and 0"):
        ac.hessian(lambda x: ac.linalg.svdvals(x).sum())(np.diag([1.0, 0.0]))
    found = ac.hessian(lambda x: (ac.linalg.svdvals(x) ** 2).sum())(np.diag([1.0, 0.0]))
    np.testing.assert_allclose(found.reshape(4, 4), 2 * np.eye(4), atol=1e-12)


def test_a_defective_matrix_is_refused():
    with pytest.raises(LinAlgError, match="fewer eigenvectors"):
        ac.grad(lambda x: ac.real(ac.linalg.eigvals(x) ** 2).sum())(np.array([[1.0, 1], [0, 1]]))


def test_what_arrives_may_be_of_any_size():
    def rotation(x, size):
        u, _, vh = ac.linalg.svd(x)
        return (u @ vh).sum() * size

    for size in (1e-200, 1.0, 1e200):
        with pytest.raises(LinAlgError, match="equal"):
            ac.grad(rotation)(EYE, size)


def test_near_values_of_a_large_matrix_are_not_equal():
    rng = np.random.default_rng(0)
    z, weights = rng.normal(size=(300, 600)).astype("f4"), rng.normal(size=(300, 300)).astype("f4")

    def again(x):
        w, v = ac.linalg.eigh(x)
        return (((v * w) @ v.T) * weights).sum()

    found = ac.grad(again)(z @ z.T / 600)
    np.testing.assert_allclose(found, (weights + weights.T) / 2, atol=1e-3)


# ---- functions of matrices -----------------------------------------------------------------------


def test_matrix_functions_refuse_what_they_would_lose():
    x, t = np.array([[2.0, 0.5], [0.5, 1.0]]), ac.Tensor(0.5, True)
    with pytest.raises(NotDifferentiableError, match="requires a gradient"):
        ac.linalg.matrix_function(x, lambda w: ac.exp(t * w), lambda w: t * ac.exp(t * w))
    with pytest.raises(DTypeError, match="complex"):
        ac.linalg.matrix_function(x, lambda w: np.exp(1j * w), lambda w: 1j * np.exp(1j * w))
    for function in (ac.linalg.sqrtm, ac.linalg.logm, ac.linalg.whiten):
        with pytest.raises(LinAlgError, match="not symmetric"):
            function(np.array([[1.0, 1e-6], [0, 1.0]]))


def test_polar_of_a_singular_matrix_has_orthonormal_columns():
    u, p = ac.linalg.polar(np.diag([1.0, 0.0]))
    np.testing.assert_allclose(u.T @ u, EYE, atol=1e-15)
    np.testing.assert_allclose(u @ p, np.diag([1.0, 0.0]), atol=1e-15)
    with pytest.raises(LinAlgError, match=r"polar, of shape \(2, 2\)"):
        ac.linalg.polar(np.array([[1.0, NAN], [0, 1]]))
