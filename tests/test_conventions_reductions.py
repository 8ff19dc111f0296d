"""docs/conventions.md for reductions, scans, sorting and quantiles; and what their errors say."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import (
    DTypeError,
    IndexingError,
    NotDifferentiableError,
    ShapeError,
)

NAN, INF = np.nan, np.inf

# (function, operand, the gradient of the sum of the result)
AT_KINKS = {
    "prod, one zero": (ac.prod, [2.0, 0.0, 3.0], [0, 6, 0]),
    "prod, two zeros": (ac.prod, [2.0, 0.0, 0.0], [0, 0, 0]),
    "prod, too small for its dtype": (ac.prod, [1e-200, 1e-200, 1e300], [1e100, 1e100, 0]),
    "cumprod, a zero": (ac.cumprod, [2.0, 0.0, 3.0], [1, 8, 0]),
    "cumprod, two zeros": (ac.cumprod, [0.0, 0.0, 3.0], [1, 0, 0]),
    "norm of zeros": (ac.linalg.norm, [0.0, 0.0], [0, 0]),
    "norm 3 of zeros": (lambda x: ac.linalg.norm(x, 3), [0.0, 0.0], [0, 0]),
    "norm 1/2 at 0": (lambda x: ac.linalg.norm(x, 0.5), [0.0, 4.0], [0, 1]),
    "norm inf, a tie": (lambda x: ac.linalg.norm(x, INF), [-3.0, 3.0, 1.0], [-0.5, 0.5, 0]),
    "norm 0": (lambda x: ac.linalg.norm(x, 1), [-2.0, 0.0], [-1, 0]),
    "ptp, ties": (ac.ptp, [1.0, 3.0, 3.0], [-1, 0.5, 0.5]),
    "nanstd of a constant": (ac.nanstd, [2.0, NAN, 2.0], [0, 0, 0]),
    "std of the chosen, a constant": (
        lambda x: ac.std(x, where=x < 3),
        [2.0, 2.0, 5.0],
        [0, 0, 0],
    ),
    "nanmax, ties": (ac.nanmax, [2.0, NAN, 2.0], [0.5, 0, 0.5]),
    "nansum at NaN": (ac.nansum, [1.0, NAN], [1, 0]),
    "nanmean at NaN": (ac.nanmean, [1.0, NAN, 3.0], [0.5, 0, 0.5]),
    "nanprod at NaN": (ac.nanprod, [2.0, NAN, 3.0], [3, 0, 2]),
    "median of an even number": (ac.median, [4.0, 1.0, 2.0, 9.0], [0.5, 0, 0.5, 0]),
    "a quantile between two": (lambda x: ac.quantile(x, 0.25), [2.0, 1.0, 5.0], [0.5, 0.5, 0]),
    "sort, ties in their order": (
        lambda x: ac.sort(x) * np.arange(3.0)[: x.size],
        [2.0, 1.0, 1.0],
        [2, 0, 1],
    ),
    "unique, the first of equals": (ac.unique, [2.0, 1.0, 2.0], [1, 1, 0]),
}


@pytest.mark.parametrize("name", AT_KINKS)
def test_gradients_at_kinks(name, device):
    function, operand, expected = AT_KINKS[name]
    if "ties in their order" in name and device.name != "cpu":
        weights = device.array(np.arange(3.0))
        function = lambda x: ac.sort(x) * weights  # noqa: E731
    x = ac.Tensor(device.array(np.array(operand)), requires_grad=True)
    out = function(x)
    out.backward(device.array(np.ones(out.shape)))
    np.testing.assert_allclose(device.numpy(x.grad), expected, rtol=1e-14)


SMOOTH_ENOUGH = {
    "norm": ac.linalg.norm,
    "norm 3": lambda x: ac.linalg.norm(x, 3),
    "std": ac.std,
    "nanstd": ac.nanstd,
}


@pytest.mark.parametrize("name", SMOOTH_ENOUGH)
def test_second_derivatives_are_0_where_there_is_none(name, device):
    x = ac.Tensor(device.array(np.zeros(3)), requires_grad=True)
    SMOOTH_ENOUGH[name](x).backward(create_graph=True)
    first, x.grad = x.grad, None
    first.backward(device.array(np.array([1.0, 2.0, 3.0])))
    np.testing.assert_array_equal(device.numpy(x.grad), [0, 0, 0])


def hessian(function, point, device):
    rows = []
    for i in range(len(point)):
        x = ac.Tensor(device.array(np.array(point)), requires_grad=True)
        function(x).backward(create_graph=True)
        first, x.grad = x.grad, None
        first.backward(device.array(np.eye(len(point))[i]))
        rows.append(device.numpy(x.grad))
    return np.stack(rows)


def test_the_second_derivative_of_a_product_is_the_product_of_the_others(device):
    found = hessian(ac.prod, [0.0, 0.0, 3.0], device)
    np.testing.assert_array_equal(found, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_the_third_derivative_of_a_product_with_zeros(device):
    x = ac.Tensor(device.array(np.zeros(3)), requires_grad=True)
    ac.prod(x).backward(create_graph=True)
    first, x.grad = x.grad, None
    first[0].backward(create_graph=True)
    second, x.grad = x.grad, None
    second[1].backward()
    np.testing.assert_array_equal(device.numpy(x.grad), [0, 0, 1])


def test_a_quantile_of_nan_is_nan(device):
    x = ac.Tensor(device.array(np.array([[1.0, NAN, 2.0], [3.0, 4.0, 5.0]])))
    for found in (ac.median(x, axis=1), ac.quantile(x, 0.5, axis=1)):
        np.testing.assert_array_equal(device.numpy(found), [NAN, 4])
    np.testing.assert_array_equal(device.numpy(ac.nanmedian(x, axis=1)), [1.5, 4])


def test_results_of_unique_carry_their_names(device):
    x = ac.Tensor(device.array(np.array([3.0, 1.0, 3.0])))
    found = ac.unique_all(x)
    assert found._fields == ("values", "indices", "inverse_indices", "counts")
    for result, expected in zip(found, ([1, 3], [1, 0], [1, 0, 1], [1, 2]), strict=True):
        np.testing.assert_array_equal(device.numpy(result), expected)


def test_a_method_sorts_in_place_and_others_make_a_tensor(there):
    x = ac.Tensor([3.0, 1.0])
    assert x.sort() is None
    assert x.tolist() == [1, 3]
    x = ac.Tensor([3.0, 1.0])
    assert x.argsort().tolist() == [1, 0]
    assert x.prod().item() == 3
    assert x.cumsum().tolist() == [3, 4]
    assert [places.tolist() for places in x.nonzero()] == [[0, 1]]


def test_numpys_norm_is_ours(there):
    x = ac.Tensor([3.0, 4.0], requires_grad=True)
    np.linalg.norm(x).backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), [0.6, 0.8], rtol=1e-15)


MATRIX = ac.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
WRONG = {
    "no such norm": (lambda: ac.linalg.norm(MATRIX, 3), ShapeError),
    "ord of matrices": (lambda: ac.linalg.norm(MATRIX[0], "fro"), ShapeError),
    "one axis twice": (lambda: ac.linalg.norm(MATRIX, axis=(0, -2)), ShapeError),
    "an axis of norm": (lambda: ac.linalg.norm(MATRIX, axis=2), IndexingError),
    "an axis of sort": (lambda: ac.sort(MATRIX, axis=2), IndexingError),
    "an axis of median": (lambda: ac.median(MATRIX, axis=-3), IndexingError),
    "an axis of prod": (lambda: ac.prod(MATRIX, axis=2), ShapeError),
    "an axis of cumsum": (lambda: ac.cumsum(MATRIX, axis=2), ShapeError),
    "no axis of cumulative_sum": (lambda: ac.cumulative_sum(MATRIX), ShapeError),
    "kth": (lambda: ac.partition(MATRIX, 2), IndexingError),
    "fields": (lambda: ac.sort(MATRIX, order="a"), NotDifferentiableError),
    "q": (lambda: ac.quantile(MATRIX, 1.5), ShapeError),
    "a tracked q": (lambda: ac.quantile(MATRIX, MATRIX[0, 0]), NotDifferentiableError),
    "a method": (lambda: ac.quantile(MATRIX, 0.5, method="guess"), ShapeError),
    "complex order": (lambda: ac.quantile(MATRIX * 1j, 0.5), DTypeError),
    "nothing": (lambda: ac.quantile(MATRIX[:0], 0.5), ShapeError),
    "weights": (lambda: ac.average(MATRIX, weights=np.ones(2)), ShapeError),
    "their axis": (lambda: ac.average(MATRIX, 0, np.ones(3)), ShapeError),
    "ddof twice": (lambda: ac.std(MATRIX, ddof=1, correction=1), ShapeError),
    "a given mean": (lambda: ac.var(MATRIX, mean=1.0), NotDifferentiableError),
    "max without initial": (lambda: ac.max(MATRIX, where=MATRIX > 1), ShapeError),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    wrong, error = WRONG[name]
    with pytest.raises(error):
        wrong()
