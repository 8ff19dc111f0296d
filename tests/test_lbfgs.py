"""LBFGS: on functions with a known minimum, its state, mistakes, and PyTorch's iterates."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradError, AutogradWarning
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")
SEARCHES = pytest.mark.parametrize("search", [None, "strong_wolfe"])


def rosenbrock(x, steepness=100):
    return (steepness * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quartic(x):
    return (x**4).sum() + 0.1 * ((x - 1) ** 2).sum()


def valley(x):
    return rosenbrock(x, 4)


def steep(x):
    return ((x - 2) ** 2).sum() * 1e3


def closure_of(optimizer, function, x):
    def closure():
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("compiled", [False, True])
def test_it_finds_the_minimum(compiled):
    x = nn.Parameter([-1.2, 1.0, 0.5])
    optimizer = nn.LBFGS([x], line_search_fn="strong_wolfe", max_iter=100)
    closure = closure_of(optimizer, rosenbrock, x)
    closure = ac.compile(closure) if compiled else closure
    before = optimizer.step(closure)
    assert before.item() > 20
    assert_close(x, [1, 1, 1], rtol=1e-5)


def test_several_parameters_float32_and_complex_numbers():
    a, b = nn.Parameter(np.ones((2, 3), np.float32)), nn.Parameter(np.zeros(4, np.float32))
    unused = nn.Parameter(np.ones(2, np.float32))
    optimizer = nn.LBFGS([a, unused, b], line_search_fn="strong_wolfe")
    optimizer.step(closure_of(optimizer, lambda _: steep(a) + steep(b), None))
    assert_close(a, np.full((2, 3), 2), rtol=1e-6)
    assert_close(b, np.full(4, 2), rtol=1e-6)
    assert a.dtype == np.float32
    assert_close(unused, np.ones(2), rtol=0)
    z = nn.Parameter(np.array([1 + 1j, -2j]))
    optimizer = nn.LBFGS([z], line_search_fn="strong_wolfe")
    wanted = ac.Tensor([3 - 1j, 0.5j])

    def distance(z):
        return ac.sum(ac.absolute(z - wanted) ** 2)

    optimizer.step(closure_of(optimizer, distance, z))
    assert_close(z, [3 - 1j, 0.5j], rtol=1e-6, atol=1e-6)


@SEARCHES
def test_a_state_continues(search):
    ends = []
    for stop in (None, 2):
        x = nn.Parameter([-1.2, 1.0, 0.5])
        optimizer = nn.LBFGS([x], 0.01 if search is None else 1, max_iter=4, line_search_fn=search)
        for i in range(5):
            if i == stop:
                state = optimizer.state_dict()
                optimizer = nn.LBFGS([x], lr=9)
                optimizer.load_state_dict(state)
            optimizer.step(closure_of(optimizer, rosenbrock, x))
        ends.append(x.detach().cpu().numpy())
    assert np.array_equal(*ends)


def test_mistakes():
    x, y = nn.Parameter([1.0]), nn.Parameter([1.0, 2.0])
    with pytest.raises(TypeError, match=r"LBFGS\.step takes a closure"):
        nn.LBFGS([x]).step()
    with pytest.raises(AutogradError, match="one group"):
        nn.LBFGS([{"params": [x]}, {"params": [y]}])
    with pytest.raises(AutogradError, match='line_search_fn is None or "strong_wolfe", not 1'):
        nn.LBFGS([x], line_search_fn=1)
    optimizer = nn.LBFGS([x])
    closure = closure_of(optimizer, quartic, x)
    with pytest.warns(
        AutogradWarning, match=r"LBFGS\.step cannot be compiled; compile the closure"
    ):
        ac.compile(lambda: optimizer.step(closure))()
    optimizer.step(closure)
    with pytest.raises(AutogradError, match="the state is not of 2 numbers"):
        nn.LBFGS([y]).load_state_dict(optimizer.state_dict())


@pytest.mark.oracle
@SEARCHES
@pytest.mark.parametrize("function", [valley, quartic, steep])
@pytest.mark.parametrize("settings", [{"max_iter": 3}, {"history_size": 2, "max_iter": 4},
                                      {"lr": 0.02, "max_iter": 2}, {"max_eval": 3}])  # fmt: skip
def test_the_iterates_are_pytorchs(search, function, settings, device):
    """Few iterations: the history of a hundred pairs of changes amplifies rounding."""
    if device.name != "cpu":
        pytest.skip("the stand-in sums in another order")
    torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    if search is None:
        settings = settings | {"lr": 0.1 if function is quartic else 1e-4}
    start = np.random.default_rng(0).normal(size=5)
    x, u = nn.Parameter(start.copy()), torch.tensor(start, requires_grad=True)
    ours = nn.LBFGS([x], line_search_fn=search, **settings)
    theirs = torch.optim.LBFGS([u], line_search_fn=search, **settings)
    for i in range(10):
        a = ours.step(closure_of(ours, function, x))
        b = theirs.step(closure_of(theirs, function, u))
        assert a.item() == pytest.approx(b.item(), rel=1e-9, abs=1e-10)
        np.testing.assert_allclose(x.data, u.detach().numpy(), rtol=1e-9, atol=1e-10)
        if i == 4:  # the states fit both ways
            mine, other = ours.state_dict(), theirs.state_dict()
            assert mine["state"][0].keys() == other["state"][0].keys() - {"al"}
            ours.load_state_dict(other)
            mine["state"][0] = {
                k: [torch.tensor(e, dtype=torch.float64) for e in v] if isinstance(v, list)
                else torch.tensor(v) if isinstance(v, np.ndarray) else v
                for k, v in mine["state"][0].items()
            }  # fmt: skip
            theirs.load_state_dict(mine)
