"""The examples of operations of one's own."""

import numpy as np
import pytest

import autograd_core as ac
from examples.fixed_point import fixed_point
from examples.fixed_point import main as show_fixed_point
from examples.minimize import main as show_minimize
from examples.odeint import main as show_odeint
from examples.odeint import odeint
from tests.differences import assert_agrees

START, TIMES, THETA = np.array([1.0, -0.5]), np.array([0.0, 0.4, 1.0]), np.array([0.7, -0.3])


def halved(a, x):
    return (x + a / x) / 2


def mixed(a, x):
    return np.tanh(np.stack([0.5 * x[1] + a[0], 0.3 * x[0] * a[1]]))


def test_a_fixed_point_has_the_gradient_of_what_it_is():
    a = ac.Tensor([2.0, 9.0], requires_grad=True)
    fixed_point(a, np.ones(2), halved).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), 0.5 / np.sqrt([2.0, 9.0]), rtol=1e-12)


def test_a_fixed_point_of_several_numbers():
    values, weights = np.array([0.4, 1.2]), np.array([1.0, -2.0])
    a = ac.Tensor(values, requires_grad=True)
    (fixed_point(a, np.zeros(2), mixed) * weights).sum().backward()
    for direction in np.eye(2):
        assert_agrees(
            np.array([a.grad.numpy() @ direction]),
            lambda t, d=direction: fixed_point(values + t * d, np.zeros(2), mixed) * weights,
        )


def test_what_is_no_fixed_point():
    with pytest.raises(ArithmeticError, match="no fixed point"):
        fixed_point(ac.Tensor(1.0), np.ones(()), lambda a, x: x + a)


def slope(y, t, theta):
    return np.stack([theta[0] * y[1] + t, theta[1] * y[0] * y[1]])


@pytest.mark.parametrize("which", [0, 1, 2], ids=["start", "times", "theta"])
def test_the_solution_of_a_differential_equation(which):
    arrays = [START, TIMES, THETA]
    weights = np.array([[1.0, 2], [0.5, -1], [-2, 1]])
    tensors = [ac.Tensor(x, requires_grad=i == which) for i, x in enumerate(arrays)]
    (odeint(*tensors, slope) * weights).sum().backward()
    for k in range(len(arrays[which])):
        moved = [x.copy() for x in arrays], [x.copy() for x in arrays]
        for sign, each in zip((1, -1), moved, strict=True):
            each[which][k] += sign * 1e-4
        up, down = ((odeint(*each, slope) * weights).sum() for each in moved)
        np.testing.assert_allclose(tensors[which].grad.numpy()[k], (up - down) / 2e-4, atol=1e-5)


def test_a_rule_that_is_declared_so_is_differentiated_once():
    a = ac.Tensor([2.0], requires_grad=True)
    with pytest.raises(ac.NotDifferentiableError, match=r"fixed_point.*no second derivative"):
        fixed_point(a, np.ones(1), halved).sum().backward(create_graph=True)
    assert a.grad is None


@pytest.mark.parametrize(
    ("show", "text"),
    [(show_fixed_point, "gradient"), (show_odeint, "gradient"), (show_minimize, "rate 2.007")],
)
def test_the_examples_run(show, text, capsys):
    show()
    assert text in capsys.readouterr().out
