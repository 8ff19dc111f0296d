"""Losses: complex squared errors, likelihoods exact to the dtype, and what they refuse."""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from autograd_core.testing import check_gradients
from nn.losses import logistic_density, logistic_loss, logistic_surplus
from tests.host import assert_close, assert_equal, host

pytestmark = pytest.mark.usefixtures("there")

INF, NAN = np.inf, np.nan
BCE, LOGIT_BCE, CE = nn.BCELoss, nn.BCEWithLogitsLoss, nn.CrossEntropyLoss


# ---- complex numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_squared_error_of_complex_numbers_is_real(dtype):
    z = ac.Tensor(np.array([1 + 2j, -1j], dtype), requires_grad=True)
    target = ac.Tensor(np.array([1j, 2.0], dtype), requires_grad=True)
    loss = nn.MSE()(z, target)
    assert loss.dtype == np.empty(0, dtype).real.dtype
    assert loss.item() == pytest.approx((2 + 5) / 2)
    loss.backward()
    difference = np.array([1 + 1j, -2 - 1j])
    assert_close(z.grad, difference.conj(), rtol=1e-6)  # ∂L/∂x - i ∂L/∂y
    assert_close(target.grad, -difference.conj(), rtol=1e-6)


def test_the_squared_error_of_a_real_and_a_complex_operand():
    x = ac.Tensor([1.0, 2.0], requires_grad=True)
    nn.MSE("sum")(x, ac.Tensor([3 + 1j, 0])).backward()
    assert_equal(x.grad, [-4.0, 4.0])


def test_the_squared_error_of_complex_numbers_to_second_order():
    z = np.array([[1 + 2j, -1j], [0.5, 2 - 1j]])
    for reduction in ("mean", "batch", "sum"):
        check_gradients(lambda a, b, r=reduction: nn.MSE(r)(a, b), z, z[::-1] * 1j + 1)


def test_the_penalty_of_complex_weights_is_real():
    w = nn.Parameter(np.array([[1 + 2j, 3.0]]))
    penalty = nn.l2_penalty([w], 0.5)
    assert penalty.dtype == np.float64
    penalty.backward()
    assert (penalty.item(), host(w.grad)[0, 0]) == (7.0, 1 - 2j)


@pytest.mark.parametrize("loss", [BCE(), LOGIT_BCE(), CE(), nn.NLLLoss()])
def test_losses_of_probabilities_are_real(loss):
    real, imaginary = ac.Tensor([[0.5, 0.5]]), ac.Tensor([[0.5j, 0.5]])
    with pytest.raises(DTypeError, match=r"real numbers; the input .* complex128.*ac.real"):
        loss(imaginary, real)
    with pytest.raises(DTypeError, match="real numbers; the target"):
        loss(real, imaginary)


# ---- from logits, exact to the dtype ------------------------------------------------------------

LOGITS = [0.0, 1e-3, 0.1, 0.7, 1.0, 3.0, 8.0, 12.0, 16.0, 40.0, 88.0, 110.0, 300.0, 700.0, 740.0]
TARGETS = [0.0, 1.0, 0.5, 0.25, 2.0**-10, 1 - 2.0**-10]


@cache
def softplus_and_exp(z):
    e = z.exp()
    return (1 + e).ln(), e


def exact(z, t):
    """log(1 + e**z) - z t with its first and second derivative in z."""
    with localcontext(prec=700):  # e**-740 beside 1, twice
        z, t = Decimal(float(z)), Decimal(float(t))
        softplus, e = softplus_and_exp(z)
        return [float(v) for v in (softplus - z * t, e / (1 + e) - t, e / (1 + e) ** 2)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_loss_of_a_logit_is_exact_over_the_whole_range(dtype):
    z = np.array([s * v for v in LOGITS for s in (1, -1) for _ in TARGETS], dtype)
    t = np.array(TARGETS * (2 * len(LOGITS)), dtype)
    values, slopes, curvatures = np.transpose([exact(*pair) for pair in zip(z, t, strict=True)])
    small, eps = float(np.finfo(dtype).smallest_subnormal), float(np.finfo(dtype).eps)
    logits, targets = ac.Tensor(z, requires_grad=True), ac.Tensor(t)

    def close(found, expected, beside):
        assert found.dtype == dtype
        error = abs(host(found).astype(float) - expected)
        assert (error <= 8 * eps * (abs(expected) + beside) + 2 * small).all()

    close(logistic_loss(logits, targets), values, 0)
    loss = LOGIT_BCE(reduction="sum")(logits, targets)
    loss.backward(create_graph=True)
    slope, logits.grad = logits.grad, None
    close(slope, slopes, t.astype(float))
    slope.sum().backward()
    close(logits.grad, curvatures, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_loss_of_huge_and_infinite_logits(dtype):
    huge = float(np.finfo(dtype).max)
    z = ac.Tensor(np.array([INF, INF, INF, -INF, -INF, -INF, huge, -huge, NAN, 1], dtype), True)
    t = ac.Tensor(np.array([1, 0, 0.5, 0, 1, 0.5, 1, 1, 1, NAN], dtype))
    assert_equal(logistic_loss(z, t), [0, INF, INF, 0, INF, INF, 0, huge, NAN, NAN])
    logistic_loss(z, t).backward(ac.ones_like(z), create_graph=True)
    slope, z.grad = z.grad, None
    assert_equal(slope, [0, 1, 0.5, 0, -1, -0.5, 0, -1, NAN, NAN])
    slope.backward(ac.ones_like(z))
    assert_equal(z.grad[:-2], np.zeros(8))


@pytest.mark.parametrize("function", [logistic_loss, logistic_surplus])
def test_gradients_of_the_loss_of_a_logit(function):
    generator = np.random.default_rng(3)
    check_gradients(function, generator.normal(size=6) * 3, generator.uniform(0.1, 0.9, 6))


def test_gradients_of_the_density():
    check_gradients(logistic_density, np.random.default_rng(3).normal(size=6) * 3)


def test_likelihoods_of_many_float16():
    logits = ac.Tensor(np.full(10_000, -9, np.float16), requires_grad=True)
    loss = LOGIT_BCE()(logits, ac.ones(10_000, np.float16))
    assert loss.dtype == np.float16
    assert loss.item() == 9
    rows = ac.Tensor(np.tile(np.array([0, 20], np.float16), (10_000, 1)))
    assert CE()(rows, ac.Tensor(np.zeros(10_000, int))).item() == 20


def test_labels_of_any_kind_keep_the_predictions_dtype():
    z = ac.Tensor(np.array([0.5, -1.0], np.float32), requires_grad=True)
    for labels in ([1, 0], [True, False], ac.Tensor([1, 0])):
        assert LOGIT_BCE()(z, labels).dtype == np.float32
        assert BCE()(ac.sigmoid(z), labels).dtype == np.float32
    assert BCE()(ac.Tensor([1, 0]), [1, 0]).item() == pytest.approx(0, abs=1e-15)


# ---- probabilities and labels -------------------------------------------------------------------

EPS = float(np.finfo(np.float32).eps)


@pytest.mark.parametrize("bad", [-0.5, 1.5, 3.2, 1 + 1e-5, -1e-5, INF, -INF])
def test_what_is_no_probability_is_refused(bad, device):
    p = ac.Tensor(np.array([[0.5, bad, NAN]], np.float32), requires_grad=True)
    good = ac.Tensor(np.array([[0.0, 1.0, 0.0]], np.float32))
    cases = [
        (BCE(), p, good, "BCELoss: the input"),
        (BCE(), good, p, "BCELoss: the target"),
        (LOGIT_BCE(), good, p, "BCEWithLogitsLoss: the target"),
        (CE(), good, p, "CrossEntropyLoss: the target"),
    ]
    for loss, prediction, target, told in cases:
        expected = (
            rf"{told} must be in \[0, 1\]; 1 of 3 values are not, the first is {np.float32(bad)!s}"
        )
        if device.name == "cpu":
            with pytest.raises(AutogradError, match=expected):
                loss(prediction, target)
        else:
            with np.errstate(invalid="ignore"):
                loss(prediction, target)  # to look would be to wait
            with ac.detect_anomaly(), pytest.raises(AutogradError, match=expected):
                loss(prediction, target)


def test_logits_for_probabilities_name_the_other_loss(device):
    with ac.detect_anomaly(), pytest.raises(AutogradError, match=r"nn.BCEWithLogitsLoss\(\)"):
        BCE()(ac.Tensor([3.2]), ac.Tensor([1.0]))


@pytest.mark.parametrize("rounded", [-EPS, 1 + 2 * EPS, NAN])
def test_rounding_and_nan_are_no_reason_to_refuse(rounded):
    p = ac.Tensor(np.array([[0.5, rounded]], np.float32))
    good = ac.Tensor(np.array([[1.0, 0.0]], np.float32))
    with ac.no_grad():
        values = [BCE()(p, good), BCE()(good, p), CE()(good, p)]
        assert [np.isnan(value.item()) for value in values] == [np.isnan(rounded)] * 3


def test_labels_that_are_none_are_refused(device):
    logits = ac.Tensor(np.zeros((2, 3)), requires_grad=True)
    for low, high in ([0, 3], [-1, 2]):
        labels = ac.Tensor([high, low])
        told = rf"labels must be in \[0, 3\); these are in \[{low}, {high}\]"
        with ac.detect_anomaly(), pytest.raises(AutogradError, match=told):
            CE()(logits, labels)
        if device.name == "cpu":
            with pytest.raises(AutogradError, match=told):
                CE()(logits, labels)
    with ac.detect_anomaly(), pytest.raises(AutogradError, match="Labels are 0 and 1"):
        BCE()(ac.Tensor([0.5, 0.5]), ac.Tensor([1, 2]))


@pytest.mark.parametrize("labels", [np.array([1.0, 2.0]), np.array([True, False])])
def test_class_labels_are_integers(labels):
    told = rf"indices are integers; these are {labels.dtype}: target.astype\(int\), or prob"
    for loss in (CE(), nn.NLLLoss()):
        with pytest.raises(DTypeError, match=told):
            loss(ac.Tensor(np.full((2, 3), 1 / 3)), ac.Tensor(labels))
    with pytest.raises(
        DTypeError, match=r"labels must be integers, not float64; write labels.astype"
    ):
        nn.one_hot(np.array([1.0]), 3)


# ---- options ------------------------------------------------------------------------------------


def test_a_weight_of_positive_labels_loses_no_digits(device):
    for weight in (1e-17, 1e-12, 1e-3):
        x = ac.Tensor([-1.0], requires_grad=True)
        loss = nn.BCEWithLogitsLoss(pos_weight=weight)(x, ac.Tensor([1.0]))
        loss.backward()
        assert loss.item() == pytest.approx(weight * np.log1p(np.e), rel=1e-14)
        assert x.grad.item() == pytest.approx(-weight / (1 + np.exp(-1)), rel=1e-14)
    for weight, expected in [(0.5, INF), (0.0, 0.0)]:
        loss = nn.BCEWithLogitsLoss(pos_weight=weight)(ac.Tensor([-INF]), ac.Tensor([1.0]))
        assert loss.item() == expected


def test_an_index_to_ignore_is_for_indices():
    with pytest.raises(AutogradError, match="ignore_index is for class indices"):
        nn.CrossEntropyLoss(ignore_index=0)(ac.zeros((2, 3)), ac.ones((2, 3)) / 3)


@pytest.mark.parametrize("weight", [None, [1.0, 1, 1]])
def test_no_examples_and_no_classes(weight):
    with pytest.raises(ShapeError, match="at least one example"):
        nn.CrossEntropyLoss(weight)(ac.zeros((0, 3)), ac.zeros(0, int))
    with pytest.raises(ShapeError, match="no classes"):
        nn.NLLLoss()(ac.zeros((2, 0)), ac.zeros(2, int))


def test_losses_of_arrays_are_plain_whatever_the_labels_are_in():
    for labels in ([1, 0], np.array([1, 0])):
        assert type(CE()(np.zeros((2, 3)), labels)) is np.float64


def test_the_slope_at_a_subnormal_probability_is_finite():
    p = ac.Tensor([1e-320], requires_grad=True)
    BCE()(p, ac.Tensor([1.0])).backward()
    assert np.isfinite(p.grad.item())


# ---- shapes, and nothing at all -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "given", "written"),
    [
        ((4, 1), (4,), r"target.reshape\(\(4, 1\)\) or input.reshape\(4\)"),
        ((4,), (4, 1), r"target.reshape\(4\) or input.reshape\(\(4, 1\)\)"),
        ((1,), (), r"target.reshape\(1\) or input.reshape\(\(\)\)"),
        ((2, 1, 3), (2, 3), r"target.reshape\(\(2, 1, 3\)\) or input.reshape\(\(2, 3\)\)"),
    ],
)
def test_a_missing_axis_comes_with_the_reshape(shape, given, written):
    prediction, target = ac.Tensor(np.full(shape, 0.5)), ac.Tensor(np.full(given, 0.5))
    for loss in (nn.MSE(), BCE(), LOGIT_BCE()):
        with pytest.raises(ShapeError, match=f"must have the same shape.*Write {written}"):
            loss(prediction, target)


def test_shapes_that_do_not_fit_have_their_own_hints():
    prediction = ac.Tensor(np.full((4, 3), 0.5))
    labels = np.array([0, 1, 2, 0])
    for loss in (nn.MSE(), BCE()):
        with pytest.raises(ShapeError, match=r"one-hot labels: nn.one_hot\(target, 3\)"):
            loss(prediction, ac.Tensor(labels))
        with pytest.raises(ShapeError, match=r"they have \(4, 3\) and \(5, 3\)$"):
            loss(prediction, ac.Tensor(np.ones((5, 3))))
    with pytest.raises(ShapeError, match=r"these have \(4, 1\). Write target.reshape\(4\)"):
        CE()(prediction, ac.Tensor(labels[:, None]))
    with pytest.raises(ShapeError, match="no axis of classes"):
        CE()(ac.Tensor(1.0), ac.Tensor(1))


@pytest.mark.parametrize("loss", [nn.MSE(), BCE(), CE()])
def test_none_is_no_operand(loss):
    name = type(loss).__name__
    with pytest.raises(DTypeError, match=f"^{name}: the input is None"):
        loss(None, [1.0])
    with pytest.raises(DTypeError, match=f"^{name}: the target is None"):
        loss(ac.Tensor([1.0]), None)


def test_weights_are_buffers():
    assert list(nn.CrossEntropyLoss(np.ones(3)).state_dict()) == ["weight"]
    assert list(nn.BCEWithLogitsLoss(pos_weight=2.0).state_dict()) == ["pos_weight"]
    assert not nn.BCELoss().state_dict()
    assert nn.NLLLoss(np.ones(3)).float().weight.dtype == np.float32
