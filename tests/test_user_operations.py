"""The examples of operations of one's own."""

import numpy as np
import pytest

import autograd_core as ac
from examples.fixed_point import main as show_fixed_point
from examples.minimize import main as show_minimize
from examples.odeint import main as show_odeint
from examples.odeint import odeint

START, TIMES, THETA = np.array([1.0, -0.5]), np.array([0.0, 0.4, 1.0]), np.array([0.7, -0.3])


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
    @ac.op(x=ac.once_differentiable(lambda g, x: g * 2 * x))
    def squared(x):
        return x * x

    a = ac.Tensor([2.0], requires_grad=True)
    with pytest.raises(ac.NotDifferentiableError, match=r"squared.*no second derivative"):
        squared(a).sum().backward(create_graph=True)
    assert a.grad is None


@pytest.mark.parametrize(
    ("show", "text"),
    [(show_fixed_point, "gradient"), (show_odeint, "gradient"), (show_minimize, "rate 2.007")],
)
def test_the_examples_run(show, text, capsys):
    show()
    assert text in capsys.readouterr().out
