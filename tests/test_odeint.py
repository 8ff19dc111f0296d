"""The solution of differential equations and its derivatives."""

import numpy as np
import pytest
import scipy.integrate

import autograd_core as ac
from autograd_core.scipy import integrate
from autograd_core.scipy.integrate import odeint

EXACT = {"rtol": 1e-12, "atol": 1e-12}
START, TIMES, THETA = np.array([1.0, -0.5]), np.array([0.0, 0.4, 1.0]), np.array([0.7, -0.3])
STEP = 1e-3
NOISE = 1e-12 / STEP * 8  # what the solver's error adds to differences, for six weighted elements
WEIGHTS = np.array([[1.0, 2], [0.5, -1], [-2, 1]])


def slope(y, t, theta):
    return np.stack([theta[0] * y[1] + t, theta[1] * y[0] * y[1]])


def weighted(y0, t, theta):
    return np.sum(odeint(slope, y0, t, (theta,), **EXACT) * WEIGHTS)


def differences(f, x, step=STEP):
    """The gradient of f by central differences of the fourth order."""
    found = []
    for direction in np.eye(x.size):
        d = direction.reshape(x.shape) * step
        one, two = f(x + d) - f(x - d), f(x + 2 * d) - f(x - 2 * d)
        found.append((8 * one - two) / (12 * step))
    return np.stack(found).reshape(x.shape + np.shape(found[0]))


@pytest.mark.parametrize("which", [0, 1, 2], ids=["y0", "t", "args"])
def test_gradients(which):
    operands = [START, TIMES, THETA]

    def moved(x):
        return weighted(*operands[:which], x, *operands[which + 1 :])

    expected = differences(moved, operands[which])
    np.testing.assert_allclose(ac.grad(moved)(operands[which]), expected, rtol=1e-8, atol=NOISE)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["y0", "t", "args"])
def test_second_derivatives(which):
    """Of each operand in all three."""
    operands = [START, TIMES, THETA]
    gradients = ac.grad(weighted, (0, 1, 2))

    def moved(x):
        found = gradients(*operands[:which], x, *operands[which + 1 :])
        return np.concatenate([np.ravel(g) for g in found])

    expected = differences(moved, operands[which])
    found = ac.jacobian(moved)(operands[which]).T
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


def test_third_derivatives_of_an_exponential():
    def grown(rate):
        return odeint(lambda y, t, r: r * y, [1.0], [0.0, 2.0], (rate,), **EXACT)[-1, 0]

    derivative = grown
    for power in range(4):
        assert derivative(0.5) == pytest.approx(2**power * np.e, rel=1e-9)
        derivative = ac.grad(derivative)


def test_trees_in_args():
    def net(y, t, layers, options):
        for layer in layers:
            y = np.tanh(y @ layer["w"] + layer["b"])
        return y * options["scale"] - options["n"] * t

    rng = np.random.default_rng(0)
    layers = [{"w": rng.normal(size=(2, 3)), "b": rng.normal(size=3)},
              {"w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}]  # fmt: skip

    def loss(layers, scale):
        args = (layers, {"scale": scale, "n": 2, "name": None})
        return np.sum(odeint(net, START, TIMES, args, **EXACT) * WEIGHTS)

    found, for_scale = ac.grad(loss, (0, 1))(layers, 0.7)
    assert for_scale == pytest.approx(
        differences(lambda s: loss(layers, s), np.array(0.7)), rel=1e-8
    )
    for i, name in ((0, "w"), (1, "b")):

        def moved(x, i=i, name=name):
            return loss(
                [{**layer, name: x} if j == i else layer for j, layer in enumerate(layers)], 0.7
            )

        expected = differences(moved, layers[i][name])
        np.testing.assert_allclose(found[i][name], expected, rtol=1e-8, atol=NOISE)


def test_arrays_give_scipys_array():
    found = odeint(slope, START, TIMES, (THETA,))
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, scipy.integrate.odeint(slope, START, TIMES, (THETA,)))


@pytest.mark.parametrize(
    "settings",
    [{"tfirst": True}, {"hmax": 0.01}, {"h0": 0.01}, {"rtol": [1e-10, 1e-9], "atol": [1e-10] * 2},
     {"ml": 1, "mu": 1}, {"mxstep": 5000}],
    ids=lambda settings: next(iter(settings)),
)  # fmt: skip
def test_scipys_keywords(settings):
    def func(*operands):
        t, y, theta = operands if "tfirst" in settings else (operands[1], operands[0], operands[2])
        return slope(y, t, theta)

    settings = {"rtol": 1e-10, "atol": 1e-10} | settings
    x = ac.Tensor(THETA, requires_grad=True)
    out = odeint(func, START, TIMES, (x,), **settings)
    expected = scipy.integrate.odeint(func, START, TIMES, (THETA,), **settings)
    np.testing.assert_array_equal(out.detach(), expected)
    ac.sum(out * WEIGHTS).backward()
    expected = ac.grad(weighted, 2)(START, TIMES, THETA)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-6)


def test_a_list_of_numbers_as_in_scipys_examples():
    def pendulum(y, t, b, c):
        theta, omega = y
        return [omega, -b * omega - c * np.sin(theta)]

    def last(b):
        return odeint(pendulum, [3.0, 0.0], np.linspace(0, 2, 5), (b, 5.0), **EXACT)[-1, 0]

    assert ac.grad(last)(0.25) == pytest.approx(differences(last, np.array(0.25)), rel=1e-7)


def test_times_that_run_backward_or_repeat():
    times = np.array([1.0, 0.4, 0.4, -0.2])

    def total(y0):
        return np.sum(odeint(slope, y0, times, (THETA,), **EXACT)[1:] * WEIGHTS)

    np.testing.assert_allclose(ac.grad(total)(START), differences(total, START), rtol=1e-8)


def test_one_time_and_one_number():
    found = ac.grad(lambda y0: odeint(lambda y, t: -y, y0, [0.0])[0, 0])(2.0)
    assert found == 1.0
    found = ac.grad(lambda y0: odeint(lambda y, t: -y, y0, [0.0, 1.0], **EXACT)[-1, 0])(2.0)
    assert found == pytest.approx(np.exp(-1), rel=1e-9)


def test_writes_after_the_forward_pass_do_not_change_the_gradient():
    expected = ac.grad(weighted, 2)(START, TIMES, THETA)
    theta, start, times = ac.Tensor(THETA, requires_grad=True), START.copy(), TIMES.copy()
    out = odeint(slope, start, times, (theta,), **EXACT)
    result = out.detach()
    total = np.sum(out * WEIGHTS)
    with ac.no_grad():
        theta += 1.0
    start += 1.0
    times += 1.0
    result += 1.0
    total.backward()
    np.testing.assert_allclose(theta.grad, expected, rtol=1e-9)


def test_a_constant_slope():
    y0, t = START, np.array([0.0, 2.0])
    by_start, by_times = ac.grad(
        lambda y0, t: np.sum(odeint(lambda y, t: [1.0, 2.0], y0, t)[-1]), (0, 1)
    )(y0, t)
    np.testing.assert_allclose(by_start, [1, 1])
    np.testing.assert_allclose(by_times, [-3, 3])


def test_the_backward_pass_stops_where_no_gradient_arrives():
    """func is not called after the last time at which a gradient arrives."""
    times = []

    def func(y, t, a):
        if isinstance(y, ac.Tensor):
            times.append(t)
        return -a * y

    a = ac.Tensor(1.0, requires_grad=True)
    odeint(func, [1.0], np.linspace(0, 4, 9), (a,))[2, 0].backward()
    assert times
    assert max(times) <= 1.0


@pytest.mark.oracle
def test_it_equals_hips_autograd():
    autograd = pytest.importorskip("autograd", reason="compares with HIPS autograd")
    import autograd.numpy as anp
    from autograd.builtins import tuple as boxed
    from autograd.scipy.integrate import odeint as theirs

    def func(y, t, theta):
        return anp.array([theta[0] * y[1] + t, theta[1] * y[0] * y[1]])

    def loss(y0, t, theta):
        return anp.sum(theirs(func, y0, t, boxed((theta,)), **EXACT) * WEIGHTS)

    operands = (START, TIMES, THETA)
    for i, found in enumerate(ac.grad(weighted, (0, 1, 2))(*operands)):
        np.testing.assert_allclose(found, autograd.grad(loss, i)(*operands), rtol=1e-8, atol=NOISE)


# ---- what is refused -----------------------------------------------------------------------------

X = ac.Tensor(2.0, requires_grad=True)
NO, SHAPE = ac.NotDifferentiableError, ac.ShapeError
BAD = {
    "Dfun": (lambda: odeint(slope, START, TIMES, Dfun=slope), NO, "Dfun is not"),
    "full_output": (lambda: odeint(slope, START, TIMES, full_output=1), NO, "full_output"),
    "tcrit": (lambda: odeint(slope, START, TIMES, tcrit=[0.5]), NO, "tcrit.*several calls"),
    "closure": (lambda: odeint(lambda y, t: X * y, START, TIMES), NO, "not in args.*Pass it"),
    "y0": (lambda: odeint(slope, np.ones((2, 2)), TIMES), SHAPE, r"\(2, 2\) and \(3,\)"),
    "t": (lambda: odeint(slope, START, 1.0), SHAPE, r"\(2,\) and \(\)"),
    "result": (lambda: odeint(lambda y, t: y[0], START, TIMES), SHAPE, r"2 elements.*\(\)"),
    "complex": (lambda: odeint(lambda y, t, c: y * c.real, START, TIMES, (X + 1j,)), ac.DTypeError,
                "must be real"),
    "solve_ivp": (lambda: integrate.solve_ivp(lambda t, y: -y, (0, 1), ac.ravel(X)), NO,
                  "solve_ivp has no gradient"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_is_told(name):
    call, kind, words = BAD[name]
    with pytest.raises(kind, match=words):
        call()
