"""Rules that users declare: what they may return, and what is refused."""

import numpy as np
import pytest

import autograd_core as ac
from tests.host import assert_equal

pytestmark = pytest.mark.usefixtures("there")


def test_a_rule_may_return_a_constant_of_its_own():
    constant = ac.ones(2).data

    @ac.op(x=lambda g: constant)
    def weighed(x):
        return x.sum()

    x = ac.Tensor([1.0, 2.0], requires_grad=True)
    (weighed(x) + x.sum()).backward()
    assert_equal(x.grad, [2, 2])
    assert_equal(ac.Tensor(constant), [1, 1])


@pytest.mark.parametrize(
    ("rule", "error", "message"),
    [
        (lambda g: np.ones(5), ac.ShapeError, r"halved.*'x'.*\(5,\).*\(3,\)"),
        (lambda g: np.ones((2, 2)), ac.ShapeError, r"halved.*'x'.*\(2, 2\).*\(3,\)"),
        (lambda g: 1.0, TypeError, "halved.*'x'.*an array.*float"),
        (lambda g: None, TypeError, "halved.*'x'.*an array.*NoneType"),
    ],
)
@pytest.mark.parametrize("pointwise", [False, True])
def test_a_rule_that_returns_nonsense_is_named(rule, error, message, pointwise):
    @ac.op(x=rule, pointwise=pointwise)
    def halved(x):
        return x / 2

    x = ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(error, match=message):
        halved(x).backward(np.ones(3))
    assert x.grad is None


def test_a_declaration_that_cannot_work_is_refused_at_once():
    with pytest.raises(TypeError, match="keyword-only"):

        @ac.op(x=lambda g: g)
        def scaled(x, *, k=1):
            return x * k

    with pytest.raises(TypeError, match="wrap it"):
        ac.op(x=np.negative)(lambda x: -x)
    with pytest.raises(TypeError, match="wrap it"):
        ac.op(x=lambda g: g)(np.negative)
