"""Programs that reviews found wrong or stale: writes, numbers and state."""

import math
import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from tests.test_compiling import bits

pytestmark = pytest.mark.filterwarnings("ignore:compile")
TWO = np.ones(2)


def accumulated(x):
    total = np.zeros_like(x)
    total += x
    total += x
    return total


def named(x):
    largest = x.max().item()
    return x * 2 if largest else x * 3


def numbers(x):
    t = x.sum().item()
    return t // 2, t % 2, divmod(t, 2), +t, t * 1j, t == 2, t < 1, (t - 5) ** 0.5, -t, abs(t)


FUNCTIONS = {
    "gradients that are added": ac.grad(lambda x: ac.sum(x * x - x)),
    "writes to zeros": accumulated,
    "writes to ones": lambda x: np.add(np.ones_like(x), x, out=np.ones_like(x)),
    "a finite number": lambda x: x * 2 if math.isfinite(x.sum().item()) else x * 0,
    "a converted number": lambda x: x * float(x.sum().item()),
    "a clipped norm": lambda x: x * min(1.0, 1 / math.sqrt((x * x).sum().item() + 1)),
    "a named number": named,
    "a complex number": lambda x: x * abs((x.sum().item() - 5) ** 0.5),
    "an integer": lambda x: x * int(x.sum().item()),
    "numbers": numbers,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_writes_and_numbers(name):
    f = FUNCTIONS[name]
    compiled = Compiled(f)
    for x in (TWO * 5, TWO, np.array([np.nan, 1.0]), TWO * 0, -TWO, TWO * 2.5):
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if np.isnan(x).any() and name == "an integer":
                continue
            assert repr(compiled(x)) == repr(f(x))


def test_a_gradient_by_places_is_left_once():
    table = nn.Parameter(np.ones((5, 2)))
    optimizer = nn.SGD([table], lr=0.1)

    @ac.compile
    def step(i):
        optimizer.zero_grad()
        loss = ac.sum(table[i] ** 2)
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(np.array([0, 0, 1])).item() for _ in range(6)]
    np.testing.assert_allclose(losses, [6, 2.72, 1.3376, 0.7109, 0.4027, 0.2389], rtol=1e-3)
    assert len(step.programs) == 2


def test_a_gradient_from_elsewhere_is_noticed():
    p, q = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer, other = nn.SGD([p], lr=0.1), nn.SGD([q], lr=0.1)

    @ac.compile
    def add_and_step(x):
        ac.sum(p * x).backward()
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(2):
        add_and_step(np.ones(1))
    p.grad = ac.Tensor(np.full(1, 100.0))
    add_and_step(np.ones(1))
    np.testing.assert_allclose(p.data, [-9.3])
    assert p.grad is None
    step = ac.compile(lambda: other.step())
    step()
    q.grad = ac.Tensor(np.ones(1))
    step()
    np.testing.assert_allclose(q.data, [0.9])


@pytest.mark.parametrize("steps", [7, 8, 13])
def test_sigmoids_near_one_in_loops(steps):
    def f(x):
        h = 0.0
        for t in range(steps):
            h = h + ac.sigmoid(x[t] * 1.0)
        return ac.sum(h**2)

    compiled, x = Compiled(ac.grad(f)), np.ones((steps, 2, 3))
    for scale in (1, 40, -40, 3):
        assert bits(compiled(x * scale)) == bits(ac.grad(f)(x * scale))


def test_an_error_after_writes_is_raised_once():
    table = np.arange(5.0)
    for f, right, wrong, state in (
        (lambda x: table[x.astype(int)], TWO, TWO * 9, {}),
        (np.log, TWO, -TWO, {"all": "raise"}),
        (lambda x: x.take(np.array([0, 1])) / x, TWO, TWO * 0, {"all": "raise"}),
    ):
        count = np.zeros(2)

        def step(x, f=f, count=count):
            count[...] = count + 1
            return f(x)

        compiled = Compiled(step)
        for _ in range(3):
            compiled(right)
        with np.errstate(**state), pytest.raises((IndexError, FloatingPointError)):
            compiled(wrong)
        assert count.tolist() == [4, 4]


def test_counters_count_once():
    class K:
        n = 0

    n = 0

    def of_class(x):
        K.n += 1
        return x * K.n

    def of_closure(x):
        nonlocal n
        n += 1
        return x * n

    for f in (of_class, of_closure):
        compiled = Compiled(f)
        assert [compiled(np.ones(1)).item() for _ in range(3)] == [1, 2, 3]


def test_a_traced_step_is_a_write():
    p = nn.Parameter(np.ones(3))
    optimizer = nn.SGD([p], lr=0.1)

    @ac.compile
    def step(x):
        optimizer.zero_grad()
        ac.sum(p * p * x).backward()
        optimizer.step()

    for _ in range(3):
        loss = ac.sum(p * p)
        step(np.ones(3))
        with pytest.raises(ac.StaleArrayError):
            loss.backward()


def test_the_learning_rate_may_be_a_numpy_number():
    p = nn.Parameter(np.ones(2))
    optimizer = nn.SGD([p], lr=0.1)

    @ac.compile
    def step(x):
        optimizer.zero_grad()
        ac.sum(p * x).backward()
        optimizer.step()

    for i in range(12):
        optimizer.lr = np.float64(0.1 / (i + 1))
        step(np.ones(2))
    assert len(step.programs) == 2
    np.testing.assert_allclose(p.data, 1 - 0.1 * sum(1 / (i + 1) for i in range(12)))
