"""Linear algebra where matrices are singular, degenerate, empty or wrong."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import linalg
from autograd_core.errors import DTypeError, LinAlgError, NotDifferentiableError, ShapeError
from autograd_core.testing import check_gradients
from tests.conftest import Host

ROTATION = np.linalg.qr(np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 10]]))[0]
EQUAL = ROTATION @ np.diag([1.0, 2, 2]) @ ROTATION.T  # eigenvalues and singular values 1, 2, 2
RANK_2 = ROTATION @ np.diag([1.0, 2, 0]) @ ROTATION.T
RANK_1 = np.ones((3, 3))


def gradient(function, *arrays, device):
    """Of the sum of the result, for each array."""
    tensors = [ac.Tensor(device.array(np.asarray(a)), requires_grad=True) for a in arrays]
    ac.sum(function(*tensors)).backward()
    return [device.numpy(tensor.grad) for tensor in tensors]


def gradient_of(function, x, device):
    return gradient(function, x, device=device)[0]


def second(function, x, direction):
    """The gradient of the gradient's part in a direction."""
    tensor = ac.Tensor(x, requires_grad=True)
    function(tensor).backward(create_graph=True)
    first, tensor.grad = tensor.grad, None
    ac.sum(first * direction).backward()
    return tensor.grad.numpy()


# ---- equal values --------------------------------------------------------------------------------


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
    with pytest.raises(LinAlgError, match=r"are equal.*smooth there"):
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


# ---- singular matrices ---------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", [RANK_2, RANK_1, np.zeros((3, 3))], ids=["2", "1", "0"])
def test_the_determinant_of_a_singular_matrix(matrix, device):
    """Its gradient are the cofactors: the determinants of what is left."""
    cofactors = np.empty((3, 3))
    for i, j in np.ndindex(3, 3):
        minor = np.delete(np.delete(matrix, i, 0), j, 1)
        cofactors[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    np.testing.assert_allclose(gradient_of(linalg.det, matrix, device), cofactors, atol=1e-12)


@pytest.mark.parametrize("matrix", [RANK_2, RANK_1, np.zeros((3, 3))], ids=["2", "1", "0"])
def test_the_second_derivative_of_the_determinant_of_a_singular_matrix(matrix):
    direction = np.arange(9.0).reshape(3, 3) ** 2 / 9
    small = 1e-4

    def cofactors(x):
        return np.array([[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1))
                          for j in range(3)] for i in range(3)])  # fmt: skip

    expected = cofactors(matrix + small * direction) - cofactors(matrix - small * direction)
    np.testing.assert_allclose(second(linalg.det, matrix, direction), expected / (2 * small),
                               atol=1e-9)  # fmt: skip


@pytest.mark.parametrize("function", [linalg.inv, lambda x: linalg.solve(x, x),
                                      lambda x: linalg.matrix_power(x, -1),
                                      lambda x: linalg.tensorinv(x, 1)])  # fmt: skip
def test_no_inverse_of_a_singular_matrix(function):
    with pytest.raises(LinAlgError, match=r"\(3, 3\).*Singular.*pinv") as told:
        function(ac.Tensor(RANK_1))
    assert isinstance(told.value, np.linalg.LinAlgError)
    assert isinstance(told.value, ValueError)


def test_the_logarithm_of_a_determinant_of_0_is_refused_in_the_backward_pass():
    x = ac.Tensor(np.zeros((2, 2)), requires_grad=True)
    _, logabsdet = linalg.slogdet(x)
    assert logabsdet.item() == -np.inf
    with pytest.raises(LinAlgError, match="Singular"):
        logabsdet.backward()
    assert x.grad is None


def test_least_squares_of_lower_rank_is_the_shortest_solution(device):
    x, y = device.array(RANK_1), device.array(np.array([1.0, 2, 4]))
    found, residuals, rank, s = linalg.lstsq(ac.Tensor(x, requires_grad=True), ac.Tensor(y))
    expected = np.linalg.lstsq(RANK_1, np.array([1.0, 2, 4]), rcond=None)
    np.testing.assert_allclose(device.numpy(found), expected[0], rtol=1e-14)
    assert (residuals.shape, rank) == ((0,), expected[2] == 1)
    np.testing.assert_allclose(device.numpy(s), expected[3], atol=1e-14)


def test_the_pseudoinverse_moves_among_matrices_of_its_rank():
    """pinv(a b') = pinv(b') pinv(a), differentiated in a and b."""
    a, b = np.array([[1.0], [2], [3]]), np.array([[2.0, -1, 1]])
    weights = np.arange(9.0).reshape(3, 3)

    def through(function):
        tensors = [ac.Tensor(m, requires_grad=True) for m in (a, b)]
        ac.sum(function(*tensors) * weights).backward()
        return [t.grad.numpy() for t in tensors]

    product = through(lambda a, b: linalg.pinv(a @ b))
    apart = through(lambda a, b: (b.mT / (b**2).sum()) @ (a.mT / (a**2).sum()))
    for found, expected in zip(product, apart, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_the_condition_of_a_singular_matrix_is_infinite():
    for p in (None, 2, 1, np.inf, "fro"):
        assert linalg.cond(ac.Tensor(np.zeros((2, 2)) if p in (None, 2) else RANK_1), p) > 1e15
    with pytest.raises(LinAlgError, match="Singular"):
        linalg.cond(ac.Tensor(RANK_1, requires_grad=True), 1)


# ---- empty stacks, 0 × 0, 1 × 1 ------------------------------------------------------------------

OF_SQUARES = ["inv", "det", "pinv", "eigvalsh", "svdvals", "expm", "cholesky"]


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0), (0, 0)])
@pytest.mark.parametrize("name", OF_SQUARES)
def test_of_nothing(name, shape, device):
    found = gradient_of(getattr(linalg, name), np.zeros(shape), device)
    assert found.shape == shape


@pytest.mark.parametrize("name", OF_SQUARES)
def test_one_by_one(name, device):
    numbers = {"inv": -1 / 16, "det": 1, "pinv": -1 / 16, "eigvalsh": 1, "svdvals": 1,
               "expm": np.exp(4), "cholesky": 1 / 4}  # fmt: skip
    found = gradient_of(getattr(linalg, name), np.full((1, 1), 4.0), device)
    np.testing.assert_allclose(found, [[numbers[name]]], rtol=1e-14)


# ---- what is refused -----------------------------------------------------------------------------

SQUARE, FLAT, VECTOR = ac.Tensor(np.eye(3)), ac.Tensor(np.ones((2, 3))), ac.Tensor(np.ones(3))
TRACKED = ac.Tensor(np.ones((3, 2)), requires_grad=True)
BAD = {
    "inv, not square": (lambda: linalg.inv(FLAT), LinAlgError, r"square.*\(2, 3\)"),
    "inv of a vector": (lambda: linalg.inv(VECTOR), LinAlgError, r"\(3,\)"),
    "det": (lambda: linalg.det(FLAT), LinAlgError, r"square.*\(2, 3\)"),
    "solve": (lambda: linalg.solve(SQUARE, FLAT), ShapeError, r"y needs 3 rows.*\(2, 3\)"),
    "solve for a number": (lambda: linalg.solve(SQUARE, 1.0), ShapeError, "y needs 3 rows"),
    "cholesky": (lambda: linalg.cholesky(-SQUARE), LinAlgError, "positive definite.*small"),
    "eigh, triangle": (
        lambda: linalg.eigh(SQUARE, "X"),
        ShapeError,
        "UPLO must be 'L' or 'U'.*'X'",
    ),
    "qr, mode": (lambda: linalg.qr(SQUARE, "full"), ShapeError, "mode.*'full'"),
    "svd of a vector": (lambda: linalg.svd(VECTOR), LinAlgError, r"matrices.*\(3,\)"),
    "svd, full": (
        lambda: linalg.svd(TRACKED)[0].sum().backward(),
        NotDifferentiableError,
        "full_matrices=False",
    ),
    "qr, complete": (lambda: linalg.qr(TRACKED, "complete"), NotDifferentiableError, "reduced"),
    "float16": (lambda: linalg.inv(SQUARE.astype("f2")), DTypeError, "float16"),
    "matrix_power": (lambda: linalg.matrix_power(SQUARE, 0.5), DTypeError, "integer, not 0.5"),
    "lstsq": (lambda: linalg.lstsq(SQUARE, FLAT), ShapeError, r"\(3, 3\) and \(2, 3\)"),
    "NaN": (lambda: linalg.eigh(SQUARE * np.nan), LinAlgError, "converge"),
    "cross": (lambda: linalg.cross(FLAT, VECTOR, axis=0), ShapeError, r"three elements.*\(2, 3\)"),
    "outer": (lambda: linalg.outer(FLAT, VECTOR), ShapeError, r"must be vectors.*\(2, 3\)"),
    "tensorinv": (lambda: linalg.tensorinv(FLAT, 1), LinAlgError, r"\(2, 3\)"),
    "norm": (lambda: linalg.norm(SQUARE, 3), ShapeError, "ord=3 is not defined"),
    "norm, axes": (lambda: linalg.norm(SQUARE, 2, (0, 0)), ShapeError, "twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_is_told(name):
    call, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        call()


def test_singular_r_is_told_in_the_backward_pass():
    x = ac.Tensor(np.zeros((2, 2)), requires_grad=True)
    _, r = linalg.qr(x)
    with pytest.raises(LinAlgError, match="Singular"):
        r.backward(np.ones((2, 2)))


# ---- several results -----------------------------------------------------------------------------


def test_results_have_numpys_names():
    x = ac.Tensor(np.eye(2), requires_grad=True)
    for name in ("eigh", "eig", "qr", "svd", "slogdet"):
        ours, theirs = getattr(linalg, name)(x), getattr(np.linalg, name)(np.eye(2))
        assert ours._fields == theirs._fields
        assert type(ours).__name__ == type(theirs).__name__


def test_results_are_used_one_by_one_and_together():
    x = ac.Tensor(np.diag([1.0, 3.0]) + 0.2, requires_grad=True)

    def of(weight_w, weight_v):
        x.grad = None
        w, v = linalg.eigh(x)
        ac.sum(weight_w * w[0] + weight_v * v[0, 0] ** 2).backward()
        return x.grad.numpy().copy()

    np.testing.assert_allclose(of(1, 0) * 2 + of(0, 1) * 3, of(2, 3), rtol=1e-12)
    w, v = linalg.eigh(x)
    x.grad = None
    w[0].backward(retain_graph=True)
    (v[0, 0] ** 2).backward()
    np.testing.assert_allclose(x.grad.numpy(), of(1, 1), rtol=1e-12)


def test_a_graph_that_was_used_up_says_so():
    w, v = linalg.eigh(ac.Tensor(np.eye(2), requires_grad=True))
    w.sum().backward()
    with pytest.raises(ac.errors.FreedGraphError, match="eigh"):
        v.sum().backward()


def test_nothing_is_kept_of_several_results_when_nobody_holds_them():
    import gc
    import weakref

    gc.collect()
    gc.disable()
    try:
        x = ac.Tensor(np.diag([1.0, 2.0]), requires_grad=True)
        w, v = linalg.eigh(x)
        watched = [weakref.ref(w.data), weakref.ref(v.data)]
        (w.sum() + v[0, 0] ** 2).backward(create_graph=True)
        x.grad = None
        del w, v
        assert [r() for r in watched] == [None, None]
    finally:
        gc.enable()


def test_anomalies_are_found_in_operations_with_several_results():
    x = ac.Tensor(np.array([[1.0, 0], [0, 1e-320]]), requires_grad=True)
    with ac.detect_anomaly():
        _, s, _ = linalg.svd(x)
        with pytest.raises(ac.errors.NonFiniteError, match="log"):
            ac.log(s - s).sum().backward()
