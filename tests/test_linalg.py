"""Linear algebra where matrices are singular, empty or wrong."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import linalg
from autograd_core.errors import DTypeError, LinAlgError, NotDifferentiableError, ShapeError
from tests.degenerate import RANK_1, RANK_2, gradient_of


def second(function, x, direction):
    """The gradient of the gradient's part in a direction."""
    tensor = ac.Tensor(x, requires_grad=True)
    function(tensor).backward(create_graph=True)
    first, tensor.grad = tensor.grad, None
    ac.sum(first * direction).backward()
    return tensor.grad.numpy()


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
