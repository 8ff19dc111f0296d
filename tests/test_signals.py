"""Transforms, signals, special functions and densities: conventions, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.special
import scipy.stats

import autograd_core as ac
from autograd_core.errors import (
    DTypeError,
    IndexingError,
    LinAlgError,
    NotDifferentiableError,
    ShapeError,
)
from autograd_core.scipy import linalg, signal, special, stats
from autograd_core.testing import check_gradients


def tracked(*values):
    return ac.Tensor(np.array(*values), requires_grad=True)


# ---- conventions ---------------------------------------------------------------------------------


def test_of_equal_largest_elements_the_first_has_the_gradient(device):
    x = ac.Tensor(device.array(np.array([1.0, 3, 3, 2])), requires_grad=True)
    ac.cummax(x).backward(device.array(np.ones(4)))
    np.testing.assert_array_equal(device.numpy(x.grad), [1, 3, 0, 0])


def test_a_gradient_has_the_dtype_of_the_samples_and_not_of_their_coordinates():
    samples, places = np.arange(4, dtype="f4"), np.array([0.0, 1.0, 3.0, 4.0])
    assert ac.gradient(ac.Tensor(samples), places).dtype == np.gradient(samples, places).dtype


def test_a_running_maximum_keeps_a_nan(device):
    x = ac.Tensor(device.array(np.array([1.0, np.nan, 5.0])))
    np.testing.assert_array_equal(device.numpy(ac.cummax(x)), [1, np.nan, np.nan])


def test_at_a_point_of_a_polygon_x_has_the_slope_behind_it(device):
    x = ac.Tensor(device.array(np.array([0.0, 1.0])), requires_grad=True)
    points = device.array(np.array([0.0, 1.0, 2.0])), device.array(np.array([0.0, 1.0, 5.0]))
    ac.interp(x, *map(ac.Tensor, points)).backward(device.array(np.ones(2)))
    np.testing.assert_array_equal(device.numpy(x.grad), [1, 4])


def test_nothing_leaks_from_outside_of_a_support():
    x = tracked([-1.0, 2.0])
    log = stats.gamma.logpdf(x, 2.0)
    assert log.data[0] == -np.inf
    log.backward(np.ones(2))
    np.testing.assert_allclose(x.grad.numpy(), [0, 1 / 2 - 1])


def test_xlogy_at_0():
    y = tracked([0.0, 4.0])
    out = special.xlogy(np.array([0.0, 2.0]), y)
    out.backward(np.ones(2))
    np.testing.assert_array_equal(out.data, [0, 2 * np.log(4)])
    np.testing.assert_array_equal(y.grad.numpy(), [0, 0.5])


@pytest.mark.parametrize("name", ["j1", "i1", "i1e"])
def test_bessel_functions_at_0(name):
    """To the third order: their slope is 1/2 there, and i1's third derivative 3/8."""
    x = tracked(0.0)
    getattr(special, name)(x).backward(create_graph=True)
    assert x.grad.item() == pytest.approx(0.5)
    if name == "i1e":
        return
    for expected in (0.0, {"j1": -0.375, "i1": 0.375}[name]):
        derivative, x.grad = x.grad, None
        derivative.backward(create_graph=True)
        assert x.grad.item() == pytest.approx(expected)


def test_float32_stays_float32_in_densities():
    x = ac.Tensor(np.array([0.5, 1.5], "f4"))
    assert stats.norm.logpdf(x, 0.1, 2).dtype == np.float32
    assert stats.t.logpdf(x, 3, 0.5, 2.0).dtype == np.float32
    assert stats.gamma.cdf(x, 2).dtype == np.float32
    assert stats.chi2.logpdf(x, 3).dtype == np.float32
    assert stats.poisson.logpmf(x, 2).dtype == np.float32


def test_densities_of_lists_and_numbers():
    assert stats.norm.logpdf(1.0, 0.5, 2) == pytest.approx(scipy.stats.norm.logpdf(1.0, 0.5, 2))
    found = stats.multivariate_normal.logpdf([0.5, 1.0], [0.0, 1.0], [[2.0, 0.3], [0.3, 1.0]])
    expected = scipy.stats.multivariate_normal.logpdf([0.5, 1.0], [0.0, 1.0], [[2, 0.3], [0.3, 1]])
    assert found == pytest.approx(expected)


def test_the_gradient_of_a_covariance_matrix_is_symmetric():
    cov = tracked([[2.0, 0.3], [0.3, 1.0]])
    stats.multivariate_normal.logpdf(np.ones((4, 2)), np.zeros(2), cov).sum().backward()
    np.testing.assert_allclose(cov.grad.numpy(), cov.grad.numpy().T)


# Two vectors in the subspace of a singular covariance of rank 2, and one outside.
ROOT = np.array([[1.0, 0.5], [0.2, -1.0], [2.0, 1.0]])
INSIDE = ROOT @ np.array([[0.3, -1.0], [0.7, 0.2]])
SINGULAR = {
    "matrix": (ROOT @ ROOT.T, np.array([1.0, -1, 2]), np.array([[0.0, 0, 1]])),
    "variances": (np.array([2.0, 0.0, 0.5]), np.array([1.0, -1, 2]), np.array([[0.0, 1, 0]])),
    "0": (np.zeros((3, 3)), None, np.array([[0.0, 0, 1]])),
    "regular": (ROOT @ ROOT.T + np.eye(3), np.zeros(3), np.array([[0.0, 0, 1]])),
}


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("function", ["pdf", "logpdf"])
def test_a_singular_covariance_is_scipys(name, function):
    cov, mean, outside = SINGULAR[name]
    inside = INSIDE.T * (1, 0, 1) if cov.ndim == 1 else INSIDE.T
    x = np.concatenate([inside, outside]) + (0 if mean is None else mean)
    ours, theirs = (getattr(m.multivariate_normal, function) for m in (stats, scipy.stats))
    for each in (x, x[0], np.stack([x, x[::-1]])):
        expected = theirs(each, mean, cov, True)
        np.testing.assert_allclose(ours(each, mean, cov, True), expected, rtol=1e-9)
        np.testing.assert_allclose(
            ours(tracked(each), mean, cov, True).detach(), expected, rtol=1e-9
        )
    entropies = [m.multivariate_normal.entropy(mean, cov) for m in (stats, scipy.stats)]
    assert entropies[0] == pytest.approx(entropies[1])


@pytest.mark.parametrize("function", ["pdf", "logpdf"])
def test_the_gradient_at_a_singular_covariance_is_along_the_subspace(function):
    """With respect to coordinates u in the subspace, x = root u, differences exist."""
    cov, density = ROOT @ ROOT.T, getattr(stats.multivariate_normal, function)
    check_gradients(
        lambda u, v: density(u @ ROOT.T, ROOT @ v, cov, True), INSIDE[:2].T, np.array([0.3, 0.1])
    )
    x = tracked(INSIDE.T)
    stats.multivariate_normal.logpdf(x, None, cov, allow_singular=True).sum().backward()
    np.testing.assert_allclose(x.grad, -INSIDE.T @ np.linalg.pinv(cov), rtol=1e-9)
    y = tracked(np.array([[0.0, 0.0, 1.0]]))
    density(y, None, cov, True).sum().backward()
    np.testing.assert_array_equal(y.grad, np.zeros((1, 3)))


def test_a_regular_covariance_has_its_gradient_with_allow_singular():
    cov, x = np.array([[2.0, 0.3], [0.3, 1.0]]), np.ones((4, 2))
    found = []
    for allowed in (False, True):
        c = tracked(cov)
        stats.multivariate_normal.logpdf(x, np.zeros(2), c, allowed).sum().backward()
        found.append(c.grad.numpy())
    np.testing.assert_array_equal(*found)


# ---- SciPy's and NumPy's own functions -----------------------------------------------------------


def test_scipys_functions_take_tensors_before_anybody_imports_ours():
    code = (
        "import numpy as np, scipy.special, autograd_core as ac;"
        "x = ac.Tensor(np.array([0.5]), requires_grad=True);"
        "scipy.special.erf(x).backward(np.ones(1)); print(x.grad.item())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(2 / np.sqrt(np.pi) * np.exp(-0.25))


def test_a_function_of_scipy_that_is_not_covered_is_refused():
    with pytest.raises(NotDifferentiableError, match="struve"):
        scipy.special.struve(1.0, tracked([1.0]))


def test_numpys_running_extremes():
    x = tracked([1.0, 3.0, 2.0])
    np.maximum.accumulate(x).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad.numpy(), [1, 2, 0])
    np.testing.assert_array_equal(np.minimum.accumulate(x).data, [1, 1, 1])


# ---- what is refused -----------------------------------------------------------------------------

V, M, R = tracked([1.0, 2, 3]), tracked(np.eye(3)), tracked(np.ones((2, 3)))
COMPLEX = tracked([1 + 1j, 2])
BAD = {
    "fft, axis": (lambda: ac.fft.fft(V, axis=5), IndexingError, r"axis 5.*\(3,\)"),
    "fft of a number": (lambda: ac.fft.fft(tracked(1.0)), IndexingError, r"axis -1.*\(\)"),
    "fft, n": (lambda: ac.fft.fft(V, 0), ShapeError, r"\(3,\).*data points \(0\)"),
    "fft, norm": (lambda: ac.fft.fft(V, norm="x"), ShapeError, "norm value x"),
    "hfft, norm": (lambda: ac.fft.hfft(V, norm="x"), ShapeError, "not 'x'"),
    "rfft": (lambda: ac.fft.rfft(COMPLEX), DTypeError, "complex128"),
    "fftn, axes": (lambda: ac.fft.fftn(R, axes=(0, 7)), IndexingError, r"axis 7.*\(2, 3\)"),
    "fftn, s": (lambda: ac.fft.fftn(R, (2,), (0, 1)), ShapeError, r"s=\(2,\), axes=\(0, 1\)"),
    "fftshift": (lambda: ac.fft.fftshift(R, 3), IndexingError, r"axis 3.*\(2, 3\)"),
    "fft, a Tensor as n": (lambda: ac.fft.fft(V, tracked(3.0)), NotDifferentiableError, "'n'"),
    "convolve": (lambda: ac.convolve(R, V), ShapeError, r"\(2, 3\) and \(3,\)"),
    "convolve, mode": (lambda: ac.convolve(V, V, "x"), ShapeError, "not 'x'"),
    "convolve, nothing": (lambda: ac.convolve(V, np.zeros(0)), ShapeError, r"\(0,\)"),
    "convolve, texts": (lambda: np.convolve(V, "a"), DTypeError, "<U1"),
    "interp": (lambda: ac.interp(V, V, V[:2]), ShapeError, r"\(3,\) and \(2,\)"),
    "interp, period": (lambda: ac.interp(V, V, V, period=0), ShapeError, "period"),
    "gradient, axis": (lambda: ac.gradient(V, axis=3), IndexingError, "axis 3"),
    "gradient, spacing": (lambda: ac.gradient(V, V[:2]), ShapeError, r"3 coordinates.*\(2,\)"),
    "gradient, spacings": (lambda: ac.gradient(V, 1.0, 2.0), ShapeError, "1 axes; got 2"),
    "gradient, edge": (lambda: ac.gradient(V, edge_order=3), ShapeError, "not 3"),
    "gradient, short": (lambda: ac.gradient(V[:1]), ShapeError, "2 samples"),
    "trapezoid": (lambda: ac.trapezoid(V, V[:2]), ShapeError, r"3 samples.*\(2,\)"),
    "trapezoid, axis": (lambda: ac.trapezoid(V, axis=4), IndexingError, "axis 4"),
    "cumulative": (lambda: ac.cumulative_trapezoid(V, initial=3), ShapeError, "not 3"),
    "cummax": (lambda: ac.cummax(V, 2), IndexingError, "axis 2"),
    "unwrap": (lambda: ac.unwrap(V, axis=2), IndexingError, "axis 2"),
    "polyval": (lambda: ac.polyval(R, V), ShapeError, r"\(2, 3\)"),
    "polyfit": (lambda: ac.polyfit(V, V[:2], 1), ShapeError, r"\(3,\) and \(2,\)"),
    "polyfit, full": (lambda: np.polyfit(V, V, 1, full=True), NotDifferentiableError, "full"),
    "polyint": (lambda: ac.polyint(V, 2, V), ShapeError, r"m=2.*\(3,\)"),
    "polyder": (lambda: ac.polyder(V, -1), ShapeError, "not -1"),
    "polygamma": (lambda: special.polygamma(-1, V), ShapeError, "not -1"),
    "multigammaln": (lambda: special.multigammaln(V, 0), ShapeError, "not 0"),
    "gammaln": (lambda: special.gammaln(COMPLEX), DTypeError, "complex128"),
    "xlogy": (lambda: special.xlogy(V, V[:2]), ShapeError, r"\(3,\).*\(2,\)"),
    "betainc": (lambda: special.betainc(V, 1.0, 0.5).sum().backward(), NotDifferentiableError,
                r"betainc.*'a'.*detach"),
    "jv": (lambda: special.jv(V, 1.0).sum().backward(), NotDifferentiableError, "jv.*'v'"),
    "poisson": (lambda: stats.poisson.pmf(V, 2.0), NotDifferentiableError, "an integer"),
    "covariance": (lambda: stats.multivariate_normal.pdf(V, None, -np.eye(3)), LinAlgError,
                   "positive definite"),
    "covariance, indefinite": (
        lambda: stats.multivariate_normal.pdf(V, None, -np.eye(3), True), LinAlgError,
        "positive semidefinite"),
    "covariance, singular": (
        lambda: stats.multivariate_normal.pdf(V, None, 0 * M, allow_singular=True),
        NotDifferentiableError, r"singular, of rank 0.*cov.detach\(\)"),
    "covariance, shape": (lambda: stats.multivariate_normal.pdf(V, None, np.eye(2)), ShapeError,
                          r"3 elements.*\(2, 2\)"),
    "dirichlet": (lambda: stats.dirichlet.pdf(V, V[:2]), ShapeError, r"\(3,\) and \(2,\)"),
    "triangular": (lambda: linalg.solve_triangular(M, V[:1]), ShapeError, "3 rows"),
    "triangular, 0": (lambda: linalg.solve_triangular(0 * M, V), LinAlgError, "singular"),
    "triangular, trans": (lambda: linalg.solve_triangular(M, V, "X"), ShapeError, "not 'X'"),
    "banded": (lambda: linalg.solve_banded((1, 1), M, V[:1]), ShapeError, r"\(3, 1\).*\(3, 3\)"),
    "sylvester": (lambda: linalg.solve_sylvester(M, M, R), ShapeError, r"\(2, 3\)"),
    "sylvester, singular": (lambda: linalg.solve_sylvester(M, -M, M), LinAlgError, "eigenvalue"),
    "sqrtm": (lambda: linalg.sqrtm(0 * M).sum().backward(), LinAlgError, "singular"),
    "sqrtm, NaN": (lambda: linalg.sqrtm(np.nan * M).sum().backward(), LinAlgError,
                   "elements are finite|x contains inf|isfinite"),  # SciPy refuses it or does not
    "sylvester, NaN": (lambda: linalg.solve_sylvester(np.nan * M, M, M), LinAlgError, "inf or NaN"),
    "triangular, NaN": (lambda: linalg.solve_triangular(np.nan * M, V), LinAlgError,
                        r"solve_triangular.*\(3, 3\).*isfinite"),
    "windows": (lambda: signal.convolve(R, V), ShapeError, r"\(2, 3\) and \(3,\)"),
    "windows, valid": (lambda: signal.convolve(R[:1], R[:, :1], "valid"), ShapeError, "as long"),
    "np.fft, out": (lambda: np.fft.fft(V, out=np.zeros(3, "c16")), NotDifferentiableError,
                    "np.fft.fft"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_what_is_refused_is_told(name):
    call, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        call()
