"""Linear algebra where eigenvalues or singular values are equal."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import linalg
from autograd_core.errors import LinAlgError
from autograd_core.testing import check_gradients
from tests.degenerate import EQUAL, RANK_1, ROTATION, gradient_of
from tests.devices import Host


def powers_of_values(x):
    return ac.sum(linalg.eigvalsh(x) ** 3)


def rebuilt(x):
    w, v = linalg.eigh(x)
    return ((v * w**3) @ v.mT)[0, 1]


def rebuilt_from_svd(x):
    u, s, vh = linalg.svd(x)
    return ((u * s**3) @ vh)[0, 1]


def cubed(x):
    return (x @ x @ x)[0, 1]


def test_a_function_that_treats_equal_eigenvalues_alike_has_its_gradient(device):
    found = gradient_of(powers_of_values, EQUAL, device)
    np.testing.assert_allclose(found, 3 * EQUAL @ EQUAL, atol=1e-12)


@pytest.mark.parametrize("matrix", [np.eye(3), 0 * np.eye(3), EQUAL], ids=["eye", "0", "2, 2"])
@pytest.mark.parametrize("function", [linalg.eigvalsh, linalg.svdvals, lambda x: linalg.norm(x, 2),
                                      lambda x: linalg.norm(x, "nuc")])  # fmt: skip
def test_values_have_finite_gradients_wherever_they_are_equal(function, matrix, device):
    assert np.isfinite(gradient_of(function, matrix, device)).all()


def test_the_projector_on_an_eigenspace_does_not_depend_on_the_gap_in_it(device):
    """Onto the eigenvectors of the two equal values: as the resolvent says, for a small change."""

    def projector(x):
        return linalg.spectral_projector(x, 1)[0, 1]

    found = gradient_of(lambda x: projector((x + x.mT) / 2), EQUAL, device)
    outer, inner = ROTATION[:, :1] @ ROTATION[:, :1].T, ROTATION[:, 1:] @ ROTATION[:, 1:].T

    def moved(d):  # the first-order change of the projector, its eigenvalue 1 away from the others
        return (inner @ d @ outer + outer @ d @ inner)[0, 1]

    for direction in np.eye(9).reshape(9, 3, 3):
        d = (direction + direction.T) / 2
        np.testing.assert_allclose((found * direction).sum(), moved(d), atol=1e-13)


def test_singular_values_that_are_equal_do_not_spoil_what_does_not_depend_on_them(device):
    """u @ vh, the nearest orthogonal matrix, has a gradient where all singular values are equal."""

    def nearest(x):
        return linalg.polar(x)[0][0, 1]

    found = gradient_of(nearest, 2 * ROTATION, device)
    assert np.isfinite(found).all()


SYMMETRIC = {
    "eye": np.eye(3),
    "2, 2, 1": EQUAL,
    "0": np.zeros((3, 3)),
    "1, 0, 0": np.diag([1.0, 0, 0]),
}
WEIGHTS = np.arange(1.0, 10).reshape(3, 3) ** 2


def from_eigh(f):
    def function(x):
        w, v = linalg.eigh((x + x.mT) / 2)
        return ac.sum((v * f(w)) @ v.mT * WEIGHTS)

    return function


def from_svd(x):
    u, s, vh = linalg.svd(x)
    return ac.sum((u * s) @ vh * WEIGHTS)


@pytest.mark.parametrize("matrix", SYMMETRIC)
@pytest.mark.parametrize("function", [from_eigh(lambda w: w), from_eigh(ac.exp), from_svd])
def test_what_vectors_of_equal_values_do_not_tell_is_refused(function, matrix):
    with pytest.raises(LinAlgError, match=r"are equal.*smooth where"):
        ac.grad(function)(SYMMETRIC[matrix])


@pytest.mark.parametrize("matrix", SYMMETRIC)
@pytest.mark.parametrize("values", [linalg.eigvalsh, linalg.svdvals])
def test_second_derivatives_of_equal_values_are_refused(values, matrix):
    function = lambda x: ac.sum(values((x + x.mT) / 2) ** 2)  # noqa: E731
    assert np.isfinite(ac.grad(function)(SYMMETRIC[matrix])).all()
    with pytest.raises(LinAlgError, match="are equal"):
        ac.hessian(function)(SYMMETRIC[matrix])


def test_the_trace_has_its_second_derivative_wherever_values_are_equal():
    assert not ac.hessian(lambda x: ac.sum(linalg.eigvalsh((x + x.mT) / 2)))(np.eye(3)).any()


def test_a_vector_with_a_gap_keeps_its_gradient():
    grad = ac.grad(lambda x: linalg.eigh((x + x.mT) / 2)[1][0, 0] * ac.sum(x))
    assert np.isfinite(grad(EQUAL)).all()


OF_POSITIVE = [linalg.sqrtm, linalg.logm, linalg.whiten,
               lambda x: linalg.matrix_function(x, ac.exp, ac.exp),
               lambda x: linalg.polar(x @ ROTATION)[0]]  # fmt: skip


@pytest.mark.parametrize(
    "matrix", [np.eye(3), EQUAL, np.stack([EQUAL, np.eye(3)])], ids=["eye", "equal", "stack"]
)
@pytest.mark.parametrize("function", OF_POSITIVE)
def test_functions_of_a_matrix_are_exact_where_values_are_equal(function, matrix):
    check_gradients(lambda x: ac.sum(function((x + x.mT) / 2) * WEIGHTS), matrix, order=2)


def test_a_function_of_a_matrix_that_is_not_symmetric_or_not_finite_is_refused():
    with pytest.raises(LinAlgError, match=r"sqrtm.*not symmetric.*adjoint"):
        linalg.sqrtm(WEIGHTS)
    with pytest.raises(LinAlgError, match=r"logm.*infs or NaNs"):
        linalg.logm(np.full((2, 2), np.nan))


def test_the_gradient_of_expm_is_linear_in_what_arrives_and_apart_for_each_matrix():
    x = ac.Tensor(np.stack([EQUAL, 20 * RANK_1, EQUAL / 8]).astype("f4"), requires_grad=True)
    one = ac.vjp(linalg.expm, x.data)[1](np.ones((3, 3, 3), "f4"))
    for scale in (2.0**-100, 2.0**60):
        x.grad = None
        g = np.ones((3, 3, 3), "f4") * np.array([scale, 1, 1], "f4")[:, None, None]
        linalg.expm(x).backward(g)
        np.testing.assert_array_equal(
            x.grad.data[0] / np.float32(scale), np.asarray(one).reshape(3, 3, 3)[0]
        )
        np.testing.assert_array_equal(x.grad.data[1:], np.asarray(one).reshape(3, 3, 3)[1:])


@pytest.mark.parametrize("matrix", [np.eye(3), EQUAL, RANK_1], ids=["eye", "2, 2, 1", "1, 0, 0"])
def test_the_determinant_is_exact_at_third_order(matrix):
    def expanded(x):
        a, b, c = x
        return ac.sum(a * ac.cross(b, c))

    def third(f):
        slope = ac.grad(lambda x: ac.sum(ac.grad(f)(x) * WEIGHTS))
        return ac.grad(lambda x: ac.sum(slope(x) * WEIGHTS.T))(matrix)

    np.testing.assert_allclose(third(linalg.det), third(expanded), rtol=1e-12, atol=1e-10)


def test_equal_values_give_nan_on_a_device_and_new_functions_run_there(device):
    """Nothing can be raised there without waiting for it."""
    if device.name == "cpu":
        return
    refused = [lambda x: linalg.eigh(x)[1], lambda x: linalg.spectral_projector(x, 2)]
    for function in refused:
        assert np.isnan(gradient_of(function, EQUAL, device)).any()
    for function in (linalg.sqrtm, linalg.logm, linalg.whiten, lambda x: linalg.polar(x)[0]):
        np.testing.assert_allclose(
            gradient_of(function, EQUAL, device), gradient_of(function, EQUAL, Host()), rtol=1e-12,
            atol=1e-12,
        )  # fmt: skip


@pytest.mark.parametrize("function", [linalg.sqrtm, linalg.logm, linalg.whiten,
                                      lambda x: linalg.polar(x)[0],
                                      lambda x: linalg.spectral_projector(x, 1)])  # fmt: skip
def test_functions_of_a_matrix_keep_float32(function):
    single, double = (ac.grad(lambda x: ac.sum(function(x) * WEIGHTS.astype(x.dtype)))(
        EQUAL.astype(dtype)) for dtype in ("f4", "f8"))  # fmt: skip
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-3)


def test_a_projector_in_float32_is_refused_where_float32_can_not_tell_the_values():
    with pytest.raises(LinAlgError, match="is repeated"):
        ac.grad(lambda x: linalg.spectral_projector(x, 2)[0, 1])(EQUAL.astype("f4"))


def test_a_function_without_a_finite_value_or_slope_is_refused():
    with pytest.raises(LinAlgError, match=r"sqrtm: its function is not finite at .* -1"):
        linalg.sqrtm(np.diag([1.0, -1]))
    with pytest.raises(LinAlgError, match=r"sqrtm: derivative 1 .* at the eigenvalue 0"):
        ac.grad(lambda x: linalg.sqrtm(x)[0, 0])(np.diag([1.0, 0]))
    assert np.isfinite(linalg.sqrtm(RANK_1)).all()
