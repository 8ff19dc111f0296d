"""Schedules, clipping and averaging: values, errors, devices, programs."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, AutogradWarning
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")


def optimizer(**settings):
    w = nn.Parameter([1.0, 2.0])
    w.grad = ac.Tensor([1.0, 1.0])
    return nn.SGD([w], lr=0.8, **settings)


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.lr)
        schedule.optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: nn.StepLR(o, 2, 0.5), [0.8, 0.8, 0.4, 0.4, 0.2]),
        (lambda o: nn.MultiStepLR(o, [1, 3], 0.5), [0.8, 0.4, 0.4, 0.2, 0.2]),
        (lambda o: nn.ExponentialLR(o, 0.5), [0.8, 0.4, 0.2, 0.1, 0.05]),
        (lambda o: nn.LinearLR(o, 0.5, 1.0, 4), [0.4, 0.5, 0.6, 0.7, 0.8]),
        (lambda o: nn.PolynomialLR(o, 4), [0.8, 0.6, 0.4, 0.2, 0.0]),
        (lambda o: nn.LambdaLR(o, lambda t: t), [0.0, 0.8, 1.6, 2.4, 3.2]),
        (lambda o: nn.CosineAnnealingLR(o, 4), [0.8, 0.4 + 0.08**0.5, 0.4, 0.4 - 0.08**0.5, 0]),
        (lambda o: nn.CosineAnnealingWarmRestarts(o, 2), [0.8, 0.4, 0.8, 0.4, 0.8]),
        (lambda o: nn.OneCycleLR(o, 1.0, 5, pct_start=0.4, anneal_strategy="linear",
                                 cycle_momentum=False), [0.04, 1.0, 0.666668, 0.333336, 4e-6]),
    ],
)  # fmt: skip
def test_rates(make, expected):
    np.testing.assert_allclose(rates(make(optimizer()), 5), expected, rtol=1e-6, atol=1e-12)


def test_a_schedule_of_ones_own():
    class Halved(nn.LRScheduler):
        def rate(self, t, base):
            return base / (1 + t)

    assert rates(Halved(optimizer()), 3) == [0.8, 0.4, 0.8 / 3]


def test_the_first_step_out_of_order():
    schedule = nn.StepLR(optimizer(), 1)
    with pytest.warns(AutogradWarning, match=r"StepLR: step\(\) comes before the first step\(\)"):
        schedule.step()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda o: nn.StepLR([o], 1), "takes an optimiser, not a list"),
        (lambda o: nn.LambdaLR(o, [abs, abs]), "2 functions for 1 groups"),
        (lambda o: nn.LinearLR(o, 0.0), "start_factor must be in"),
        (lambda o: nn.OneCycleLR(o, 1.0), "needs total_steps"),
        (lambda o: nn.OneCycleLR(o, 1.0, 5, anneal_strategy="log"), 'must be "cos"'),
        (lambda o: nn.OneCycleLR(nn.Adagrad(o.parameters), 1.0, 5), "Adagrad has no momentum"),
        (lambda o: nn.SequentialLR(o, [nn.StepLR(o, 1)], [3]), "1 schedules need 0 milestones"),
        (lambda o: nn.SequentialLR(o, [nn.StepLR(optimizer(), 1)], []), "another optimiser"),
        (lambda o: nn.ReduceLROnPlateau(o, factor=1), "factor must be less than 1"),
        (lambda o: nn.ReduceLROnPlateau(o, mode="best"), "mode must be"),
        (lambda o: nn.CosineAnnealingWarmRestarts(o, 0), "T_0 and T_mult"),
        (lambda o: nn.PolynomialLR(o, 0), "total_iters must be at least 1"),
        (lambda o: nn.ReduceLROnPlateau(o, min_lr=[0.0, 0.1]), "2 rates for 1 groups"),
        (lambda o: nn.ReduceLROnPlateau(3), "ReduceLROnPlateau takes an optimiser, not a int"),
        (lambda o: nn.OneCycleLR(3, 1.0, 5), "OneCycleLR takes an optimiser, not a int"),
        (lambda o: nn.LambdaLR(3, lambda t: t), "LambdaLR takes an optimiser, not a int"),
    ],
)
def test_mistakes(make, complaint):
    with pytest.raises((AutogradError, TypeError), match=complaint):
        make(optimizer())


def test_one_cycle_ends():
    schedule = nn.OneCycleLR(optimizer(momentum=0.9), 1.0, 3)
    rates(schedule, 3)
    with pytest.raises(AutogradError, match="has 3 steps; it was stepped 4 times"):
        schedule.step()


def test_a_schedule_needs_no_other_program():
    o = optimizer(momentum=0.9)
    schedule = nn.OneCycleLR(o, 1.0, 30)
    step = Compiled(lambda: o.step())
    for _ in range(20):
        step()
        schedule.step()
    assert len(step.programs) == 1
    assert not step.plain


# ---- clipping ------------------------------------------------------------------------------------


def clipped(gradients, **settings):
    parameters = [nn.Parameter(np.zeros(np.shape(g), np.asarray(g).dtype)) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = ac.Tensor(g)
    return parameters, nn.clip_grad_norm_(parameters, **settings)


@pytest.mark.parametrize(
    ("norm_type", "norm"), [(2.0, 13.0), (1.0, 19.0), (np.inf, 12.0), (3.0, 1819 ** (1 / 3))]
)
def test_the_norm_of_all_gradients(norm_type, norm):
    parameters, found = clipped([[3.0, -4.0], [[12.0]]], max_norm=1.0, norm_type=norm_type)
    assert_close(found, norm, rtol=1e-12)
    assert_close(parameters[0].grad, np.array([3.0, -4.0]) / (norm + 1e-6), rtol=1e-12)
    assert_close(parameters[1].grad, np.array([[12.0]]) / (norm + 1e-6), rtol=1e-12)
    assert_close(nn.get_total_norm([ac.Tensor([3.0, -4.0]), ac.Tensor([12.0])], norm_type), norm)


def test_small_gradients_are_left():
    parameters, _ = clipped([[0.3, -0.4]], max_norm=1.0)
    assert_close(parameters[0].grad, [0.3, -0.4], rtol=0)
    without = nn.Parameter([1.0])
    assert nn.clip_grad_norm_([without], 1.0).item() == 0
    assert without.grad is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.complex64])
def test_the_dtype_of_the_gradients_is_kept(dtype):
    parameters, norm = clipped([np.full(100_000, 100, dtype)], max_norm=1.0)
    assert_close(norm, 100 * 100_000**0.5, rtol=1e-3)
    assert parameters[0].grad.dtype == dtype


def test_infinite_gradients():
    with pytest.raises(AutogradError, match="the norm of the gradients is inf; look for the first"):
        clipped([[np.inf, 1.0]], max_norm=1.0, error_if_nonfinite=True)
    with pytest.raises(AutogradError, match="max_norm must be at least 0"):
        clipped([[1.0]], max_norm=-1.0)


def test_values_are_limited():
    p = nn.Parameter([0.0, 0.0, 0.0])
    p.grad = ac.Tensor([3.0, -0.5, -2.0])
    nn.clip_grad_value_(p, 1.0)
    assert_close(p.grad, [1.0, -0.5, -1.0], rtol=0)
    z = nn.Parameter([1j])
    z.grad = ac.Tensor([1j])
    with pytest.raises(AutogradError, match="no order"):
        nn.clip_grad_value_([p, z], 1.0)


def test_clipping_in_a_program():
    results = []
    for through in (lambda f: f, Compiled):
        model = nn.Linear(3, 2, generator=0)
        o = nn.SGD(model.parameters(), lr=0.1)

        def step(x, model=model, o=o):
            o.zero_grad()
            ac.sum(model(x) ** 2).backward()
            norm = nn.clip_grad_norm_(model.parameters(), 0.5)
            o.step()
            return norm

        step = through(step)
        x = ac.Tensor(np.arange(12.0).reshape(4, 3)).detach()
        found = [step(x).item() for _ in range(4)]
        results.append((found, model.weight.detach().cpu().numpy()))
    assert not step.plain
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12)


# ---- averaging -----------------------------------------------------------------------------------


def test_the_mean_of_all_weights():
    model = nn.Linear(1, 1, bias=False)
    averaged = nn.AveragedModel(model)
    for value in (1.0, 2.0, 6.0):
        model.weight.data[...] = value
        averaged.update_parameters(model)
    assert averaged([[1.0]]).item() == 3.0
    assert averaged.n_averaged == 3
    assert averaged.module.weight is not model.weight


def test_the_exponential_mean():
    model = nn.Linear(1, 1, bias=False)
    averaged = nn.AveragedModel(model, avg_fn=nn.get_ema_avg_fn(0.75))
    for value in (1.0, 5.0, 1.0):
        model.weight.data[...] = value
        averaged.update_parameters(model)
    assert_close(averaged.module.weight, [[0.75 * 2 + 0.25]], rtol=1e-12)
    with pytest.raises(AutogradError, match=r"other parameters.*\['bias'\]"):
        averaged.update_parameters(nn.Linear(1, 1))
    with pytest.raises(ac.errors.ShapeError, match=r"other shapes: \['weight'\]"):
        averaged.update_parameters(nn.Linear(2, 1, bias=False))


def test_the_state_of_a_reduction_on_a_plateau():
    def made():
        optimizer = nn.SGD([nn.Parameter(np.ones(2))], lr=1.0)
        return optimizer, nn.ReduceLROnPlateau(optimizer, patience=1)

    optimizer, schedule = made()
    for metric in (1.0, 1.0, 1.0, 1.0):
        schedule.step(metric)
    state = schedule.state_dict()
    assert optimizer.lr == state["_last_lr"][0] == 0.1
    other, again = made()
    other.load_state_dict(optimizer.state_dict())
    again.load_state_dict(state)
    schedule.step(1.0)
    again.step(1.0)
    assert other.lr == optimizer.lr == pytest.approx(0.01)
    assert again.state_dict() == schedule.state_dict()
