"""Fixed points and their derivatives."""

import gc
import weakref

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.testing import check_gradients

TIGHT = {"tol": 1e-14}


def halved(a, x):
    return (x + a / x) / 2


def mixed(a, x):
    return np.tanh(np.stack([0.5 * x[1] + a[0], 0.3 * x[0] * a[1]]))


def in_trees(a, x):
    return {"p": np.tanh(a[0] @ x["q"] + a[1]["b"]), "q": np.cos(x["p"]) / 3}


A = ([[0.3, -0.2], [0.1, 0.4]], {"b": np.array([0.2, -0.5])})
A = (np.array(A[0]), A[1])
START = {"p": np.zeros(2), "q": np.zeros(2)}


def root(a):
    return ac.fixed_point(halved, a, np.ones(np.shape(a)), **TIGHT)


def test_a_root_and_its_derivatives_to_third_order():
    a = np.array([2.0, 9.0])
    np.testing.assert_allclose(root(a), np.sqrt(a), rtol=1e-14)
    derivative = root
    for expected in (a**-0.5 / 2, -(a**-1.5) / 4, a**-2.5 * 3 / 8):
        derivative = ac.elementwise_grad(derivative)
        np.testing.assert_allclose(derivative(a), expected, rtol=1e-10)


def test_derivatives_of_several_numbers():
    check_gradients(lambda a: ac.fixed_point(mixed, a, np.zeros(2), **TIGHT), np.array([0.4, 1.2]))


def test_devices(device):
    a = ac.Tensor(device.array(np.array([2.0, 9.0])), requires_grad=True)
    x = ac.fixed_point(halved, a, device.array(np.ones(2)), tol=1e-14)
    x.backward(device.array(np.ones(2)))
    np.testing.assert_allclose(device.numpy(x), np.sqrt([2.0, 9.0]), rtol=1e-14)
    np.testing.assert_allclose(device.numpy(a.grad), 0.5 / np.sqrt([2.0, 9.0]), rtol=1e-12)


def test_trees():
    check_gradients(lambda *a: ac.fixed_point(in_trees, a, START, **TIGHT), *A)
    found = ac.fixed_point(in_trees, A, START)
    assert found.keys() == START.keys()


def test_jacobians_and_forward_derivatives():
    a = np.array([0.4, 1.2])

    def f(a):
        return ac.fixed_point(mixed, a, np.zeros(2), **TIGHT)

    x = f(a)
    by_a, by_x = ac.jacobian(mixed)(a, x), ac.jacobian(mixed, 1)(a, x)
    expected = np.linalg.solve(np.eye(2) - by_x, by_a)
    np.testing.assert_allclose(ac.jacobian(f)(a), expected, rtol=1e-12)
    np.testing.assert_allclose(ac.jvp(f, (a,), (np.ones(2),))[1], expected.sum(1), rtol=1e-12)


def test_no_gradient_flows_to_the_start():
    x0 = ac.Tensor([1.0, 2.0], requires_grad=True)
    a = ac.Tensor([2.0, 9.0], requires_grad=True)
    ac.fixed_point(halved, a, x0).sum().backward()
    assert x0.grad is None
    assert not ac.fixed_point(halved, a.detach(), x0).requires_grad


def test_a_constant_function_is_its_own_fixed_point():
    assert ac.grad(lambda a: ac.fixed_point(lambda a, x: a * a, a, 0.0))(3.0) == 6.0


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_the_size_of_the_incoming_gradient_does_not_matter(scale):
    found = ac.grad(lambda a: scale * ac.fixed_point(lambda a, x: np.cos(a * x), a, 1.0))(0.7)
    expected = ac.grad(lambda a: ac.fixed_point(lambda a, x: np.cos(a * x), a, 1.0, **TIGHT))(0.7)
    assert found / scale == pytest.approx(expected, rel=1e-9)


def test_writes_after_the_forward_pass_do_not_change_the_gradient():
    a, factor = ac.Tensor([2.0, 9.0], requires_grad=True), np.ones(2)
    x = ac.fixed_point(lambda a, x: (x + a[0] * a[1] / x) / 2, (a, factor), np.ones(2))
    with ac.no_grad():
        a += 1.0
    factor += 1.0
    result = x.detach()
    result += 1.0
    x.sum().backward()
    np.testing.assert_allclose(a.grad, 0.5 / np.sqrt([2.0, 9.0]))


def test_another_distance():
    calls = []

    def distance(x, previous):
        calls.append(1)
        return np.sum((x - previous) ** 2)

    slope = ac.grad(lambda a: ac.fixed_point(halved, a, 1.0, distance=distance, tol=1e-20))(9.0)
    assert slope == pytest.approx(1 / 6)
    assert len(calls) > 4


def test_under_no_grad_f_runs_only_for_the_iterations():
    runs = []

    def counted(a, x):
        runs.append(1)
        return a * a

    with ac.no_grad():
        ac.fixed_point(counted, ac.Tensor(2.0, requires_grad=True), 0.0)
    assert len(runs) == 2


def test_some_leaves_of_a_need_no_gradient():
    def step(a, x):
        return a["scale"][0] * np.cos(x) / a["n"]

    def solved(scale):
        return ac.fixed_point(step, {"n": 2, "scale": (scale,), "none": None}, 0.5, **TIGHT)

    check_gradients(solved, np.array(0.8))


def test_there_are_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        a = ac.Tensor([2.0, 9.0], requires_grad=True)
        x = ac.fixed_point(halved, a, np.ones(2))
        x.sum().backward(create_graph=True)
        first, a.grad = a.grad, None
        first.sum().backward()
        gone = weakref.ref(x), weakref.ref(first)
        del x, first
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a, x: x + a, "max_iterations=50 steps the distance is 1, more than tol"),
        (lambda a, x: x * np.nan, "NaN after step 1"),
        (lambda a, x: (x + 1) * 1e200, "NaN after step"),
    ],
    ids=["diverges", "nan", "inf"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_does_not_converge(f, words):
    with pytest.raises(ArithmeticError, match=rf"<lambda> does not converge: .*{words}"):
        ac.fixed_point(f, 1.0, np.ones(2), max_iterations=50)


def test_an_adjoint_that_does_not_converge():
    """The iteration starts at the fixed point, which repels."""
    slope = ac.grad(lambda a: ac.fixed_point(lambda a, x: a * x, a, 0.0, max_iterations=20))
    with pytest.raises(ArithmeticError, match="does not converge"):
        slope(2.0)


def test_a_tensor_that_is_not_in_a():
    b = ac.Tensor(3.0, requires_grad=True)
    with pytest.raises(
        ac.NotDifferentiableError, match=r"tracked Tensor that is not in a.*Pass it"
    ):
        ac.fixed_point(lambda a, x: (x + a * b / x) / 2, 3.0, 1.0)


def test_another_structure():
    with pytest.raises(
        ac.ShapeError, match=r"structure of x0.*\[0\].*returned leaves at \['\[0\]'\]"
    ):
        ac.fixed_point(lambda a, x: (x[0],), 1.0, (1.0, 2.0))


@pytest.mark.oracle
def test_it_equals_hips_autograd():
    autograd = pytest.importorskip("autograd", reason="compares with HIPS autograd")
    import autograd.numpy as anp
    from autograd.misc.fixed_points import fixed_point as theirs

    def f(a):
        return lambda x: anp.tanh(anp.dot(a, x) + 0.2)

    def distance(x, y):
        return anp.max(anp.abs(x - y))

    a, start = A[0], np.zeros(2)
    expected = autograd.grad(lambda a: anp.sum(theirs(f, a, start, distance, 1e-14) ** 2))(a)

    def ours(a):
        return np.sum(ac.fixed_point(lambda a, x: np.tanh(a @ x + 0.2), a, start, **TIGHT) ** 2)

    np.testing.assert_allclose(ac.grad(ours)(a), expected, rtol=1e-12)
