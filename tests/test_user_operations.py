"""The examples of operations of one's own."""

import pytest

import autograd_core as ac
from examples.fixed_point import main as show_fixed_point
from examples.minimize import main as show_minimize
from examples.odeint import main as show_odeint


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
    [
        (show_fixed_point, "gradient"),
        (show_odeint, "{'stiffness': 4.0, 'friction': 0.5}"),
        (show_minimize, "rate 2.007"),
    ],
)
def test_the_examples_run(show, text, capsys):
    show()
    assert text in capsys.readouterr().out
