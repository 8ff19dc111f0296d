"""The checker: each planted error is caught, and nothing that is right is flagged."""

import math
import re

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core.testing import GradientError, InconclusiveError, check_gradients
from autograd_core.testing.differences import slope
from tests.right_calls import ROWS, SATURATED, SCALES, call_of, saturated

X = np.array([[0.7, -1.2, 0.4], [1.1, 0.3, -0.6]])
Y = np.array([0.9, 1.3, -0.8])
counter = [0]
BUFFER = np.zeros_like(X)


@pytest.mark.parametrize("f", [lambda x: x**2, lambda x: (x + 1j).sum(), lambda x: "text"])
def test_a_function_of_another_library_returns_one_number(f):
    with pytest.raises(ac.ShapeError, match="has to return one real number; it returned"):
        check_gradients(f, np.ones(2), gradient=lambda x: 2 * x)


def shared(g, x):
    BUFFER[...] = g * 2 * x
    return BUFFER


def drifting(g, x):
    counter[0] += 1
    return g * 2 * x * (1 + 1e-9 * counter[0])


def writing(g, x):
    if isinstance(g, np.ndarray):
        g *= 2
        return g * x
    return 2 * g * x


def summed(x, axis):
    return np.sum(x, axis=axis)


# what is wrong → the kernel, its rules, operands, and what the message says
SQUARE = (lambda x: x * x, (X,))
PLANTED = {
    "a sign": (*SQUARE, {"x": lambda g, x: -2 * g * x}, r"operand 0 at element \(0, 0\)"),
    "a missing factor": (*SQUARE, {"x": lambda g, x: g * x}, "differences give"),
    "a factor that is nearly right": (*SQUARE, {"x": lambda g, x: g * x * 2.00000001}, "±"),
    "one element": (
        *SQUARE,
        {"x": lambda g, x: 2 * g * x * (1 + (x == 0.3))},
        r"at element \(1, 1\)",
    ),
    "a lost term": (
        lambda x: x * np.sin(x),
        (X,),
        {"x": lambda g, x: g * np.sin(x)},
        "differences give",
    ),
    "a wrong axis": (
        lambda x: np.sum(x, axis=0),
        (X[:, :2],),
        {"x": lambda g: np.stack([g, g], -1)},
        "differences give",
    ),
    "a wrong operand": (
        lambda x, y: x * y,
        (X[0], Y),
        {"x": lambda g, y: g * y, "y": lambda g, y: g * y},
        "operand 1",
    ),
    "a wrong broadcast": (
        lambda x, y: x * y,
        (X, Y),
        {"x": lambda g, y: g * y,
         "y": lambda g, x: np.mean(g * x, 0)},
        "operand 1",
    ),
    "only for 0-d": (
        lambda x: x * x,
        (np.array(3.0),),
        {"x": lambda g, x: 2 * g * x if x.ndim else g * x},
        r"element \(\)",
    ),
    "only where an operand repeats": (
        lambda x, y: x * y,
        (Y, Y + 0),
        {"x": lambda g, x, y: g * y if x is not y else g * y / 2, "y": lambda g, x: g * x},
        "are the same Tensor",
    ),
    "only at second order": (
        *SQUARE,
        {"x": lambda g, x: 2 * g * (x.data if isinstance(x, ac.Tensor) else x)},
        "order 2",
    ),
    "no form for Tensors": (
        lambda x: np.asarray(scipy.special.erf(x)),
        (X,),
        {"x": ac.once_differentiable(lambda g, x: g * 2 / math.sqrt(math.pi) * np.exp(-x * x))},
        "order=1",
    ),
    "not linear in g": (*SQUARE, {"x": lambda g, x: 2 * g * x + 1e-7}, "linear in g"),
    "a promotion": (
        lambda x: x * x,
        (X.astype("f4"),),
        {"x": lambda g, x: g * x * np.float64(2)},
        "promotes",
    ),
    "too little precision": (
        *SQUARE,
        {"x": lambda g, x: (2 * g * x).astype("f4")},
        "differences give",
    ),
    "a write to g": (*SQUARE, {"x": writing}, "writes"),
    "one buffer for all": (*SQUARE, {"x": shared}, "one buffer"),
    "another value in each run": (*SQUARE, {"x": drifting}, "deterministic"),
    "a conjugate": (
        lambda x: x * x,
        (X[0] + 1j * Y,),
        {"x": lambda g, x: 2 * g * x.conj()},
        "operand 0",
    ),
    "NaN": (
        lambda x: np.sqrt(x),
        (np.array([4.0, 0.0]),),
        {"x": lambda g, out: g / (2 * out)},
        "element",
    ),
    "the other slope at a kink": (
        lambda x: np.abs(x),
        (np.array([1.0, 0.0]),),
        {"x": lambda g, x: g * np.where(x == 0, 3.0, np.sign(x))},
        "kink",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_planted_error_is_caught(name):
    kernel, operands, rules, text = PLANTED[name]
    if len(operands) == 1:

        def planted(x):
            return kernel(x)

    else:

        def planted(x, y):
            return kernel(x, y)

    wrong = ac.op(**rules)(planted)
    with pytest.raises(GradientError, match=text) as caught:
        check_gradients(wrong, *operands)
    assert "planted" in str(caught.value)


def test_the_reproduction_can_be_pasted():
    def wrong(x):
        return ac.sum(x) + ac.sum(x.detach() ** 3)

    with pytest.raises(GradientError) as caught:
        check_gradients(wrong, X[:, :1], seed=5)
    lines = [line.strip() for line in str(caught.value).splitlines()[-3:]]
    with pytest.raises(GradientError) as again:
        exec("\n".join(lines).replace("test_the_reproduction_can_be_pasted.<locals>.", ""),
             {"wrong": wrong})  # fmt: skip
    assert str(again.value) == str(caught.value)
    number = re.search(r"is (-?[\d.]+), and differences give (-?[\d.]+) ± (\S+)", str(caught.value))
    assert abs(float(number[1]) - float(number[2])) > float(number[3])


def test_the_error_says_that_the_results_were_weighted():
    said = "sum of the results with random weights"
    with pytest.raises(GradientError, match=said):
        check_gradients(lambda x: x.detach() ** 2 * x, X)
    with pytest.raises(GradientError) as caught:  # a gradient of another library is not
        check_gradients(lambda x: (x**2).sum(), X, gradient=lambda x: 3 * x)
    assert said not in str(caught.value)


@pytest.mark.parametrize("name", [*SATURATED, *ROWS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=1)
@given(data=st.data())
def test_what_is_right_is_not_flagged(name, data):  # `make checker` takes 20,000 of them
    call = saturated(name, data) if name in SATURATED else call_of(ROWS[name], data)
    if call is not None:
        check_gradients(*call)


# ---- rounding ------------------------------------------------------------------------------------

SATURATING = np.array([5.0, 9.0, 16.0, 17.5, 30.0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", [name for name in SATURATED if "anh" in name or "sig" in name])
def test_a_rule_may_round_where_it_saturates(name, order, dtype):
    function, *_ = SATURATED[name]
    check_gradients(function, SATURATING.astype(dtype), order=order)
    check_gradients(ac.sigmoid, np.linspace(15, 30, 4, dtype=dtype), order=order)


# a wrong rule of tanh, or of a product → what is wrong with it
WRONG_TANH = {
    "1 % more": lambda g, out: 1.01 * g * (1 - out * out),
    "another sign": lambda g, out: g * (1 + out * out),
    "a sign": lambda g, out: -g * (1 - out * out),
    "a lost term": lambda g, out: g,
}
WRONG_PRODUCT = {
    "1 % more": {"x": lambda g, y: 1.01 * g * y, "y": lambda g, x: g * x},
    "operands changed about": {"x": lambda g, x: g * x, "y": lambda g, y: g * y},
    "a mean for a sum": {"x": lambda g, y: g * y, "y": lambda g, x: np.mean(g * x, 0)},
    "a sign": {"x": lambda g, y: -g * y, "y": lambda g, x: g * x},
}


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("size", SCALES[1:])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("error", WRONG_TANH)
def test_an_error_is_caught_at_every_scale(error, factor, size, dtype):
    def planted(x):
        return np.tanh(x)

    wrong = ac.op(x=WRONG_TANH[error])(planted)
    x = np.asarray(size * np.array([0.3, -0.7, 2.0]), dtype)
    with pytest.raises(GradientError, match="differences give"):
        check_gradients(lambda x: factor * wrong(x * (1 / size)), x, order=1)


@pytest.mark.parametrize("sizes", [(1e-6, 1e-6), (1e6, 1e6), (1e-6, 1e6), (1e6, 1e-6)])
@pytest.mark.parametrize("error", WRONG_PRODUCT)
def test_an_error_in_a_product_is_caught_at_every_scale(error, sizes):
    def planted(x, y):
        return x * y

    wrong = ac.op(**WRONG_PRODUCT[error])(planted)
    with pytest.raises(GradientError, match="differences give"):
        check_gradients(wrong, sizes[0] * X, sizes[1] * Y, order=1)


def test_an_error_is_caught_beside_elements_that_are_much_larger():
    def planted(x):
        return 1 / x

    wrong = ac.op(x=lambda g, x: -g / (x * x) * (1 + 0.01 * (x > 1e5)))(planted)
    with pytest.raises(GradientError, match=r"at element \(1,\)"):
        check_gradients(wrong, np.array([1e-6, 1e6]), order=1)


def test_what_rounding_moved_is_put_back():
    table, x = np.array([1.0, 2.0]), np.array([0.5, 0.25])
    before = table.copy(), x.copy()
    check_gradients(lambda x: ac.tanh(x) * table, x)
    assert (table == before[0]).all()
    assert (x == before[1]).all()


def test_a_function_that_is_not_ours():
    check_gradients(lambda x, y: np.sum(np.sin(x) * y), X, Y,
                    gradient=lambda x, y: (np.cos(x) * y, np.sin(x).sum(0)))  # fmt: skip
    with pytest.raises(GradientError, match="operand 1"):
        check_gradients(lambda x, y: np.sum(np.sin(x) * y), X, Y,
                        gradient=lambda x, y: (np.cos(x) * y, np.sin(x).mean(0)))  # fmt: skip


def test_trees_and_large_operands():
    rng = np.random.default_rng(0)
    tree = {"w": rng.normal(size=(30, 20)), "b": [rng.normal(size=20)]}

    def layer(tree, x):
        return {"out": ac.tanh(x @ tree["w"] + tree["b"][0])}

    check_gradients(layer, tree, rng.normal(size=(5, 30)))

    def wrong(tree, x):
        return ac.tanh(x @ tree["w"] + 2 * tree["b"][0] - tree["b"][0].detach())

    with pytest.raises(GradientError, match=r"operand 0\['b'\]\[0\] at element \(0,\)"):
        check_gradients(wrong, tree, rng.normal(size=(5, 30)))


def test_a_kink_is_no_error_and_a_jump_no_answer():
    check_gradients(ac.relu, np.array([-1.0, 0.0, 2.0]), order=1)
    check_gradients(ac.absolute, np.array([0.0]), order=1)
    check_gradients(ac.max, np.array([1.0, 1.0, 0.5]), order=1)
    with pytest.raises(InconclusiveError, match="too coarse"):
        check_gradients(lambda x: ac.floor(x) + x, np.array([2.0]), order=1)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_any_order(order):
    check_gradients(lambda x: ac.sin(x) * ac.exp(x), X[0], order=order)


def test_on_a_device(device):
    check_gradients(lambda x, y: ac.tanh(x * y), device.array(X), device.array(Y))


SLOPES = [
    (lambda t: math.exp(t), 1.0),
    (lambda t: math.sin(20 * t), 20.0),
    (lambda t: 1 / (1.01 - t), 1 / 1.01**2),
    (lambda t: math.log(1e-3 + t), 1e3),
    (lambda t: 1e8 + t, 1.0),
    (lambda t: t**3, 0.0),
    (lambda t: math.cosh(t) * 1e-20, 0.0),
]


@pytest.mark.parametrize(("function", "expected"), SLOPES)
def test_differences_know_their_error(function, expected):
    found = slope(lambda t: np.array([function(t)]))
    assert abs(found.value - expected) <= found.error <= 1e-4 * (abs(expected) + 1)
    assert found.below is None


def test_what_oscillates_is_judged():
    check_gradients(lambda x: ac.sin(1e6 * x), X, order=1)
    with pytest.raises(GradientError, match="differences give"):
        check_gradients(lambda x: ac.sin(1e6 * x) + x.detach(), X, order=1)


@pytest.mark.parametrize("slopes", [(-1.0, 1.0), (0.0, 1.0), (2.0, 2.5)])
def test_a_kink_is_seen(slopes):
    below, above = slopes
    found = slope(lambda t: np.array([t * (above if t > 0 else below) + math.sin(t)]))
    np.testing.assert_allclose([found.below, found.above], [below + 1, above + 1], atol=1e-2)


def test_one_wrong_element_of_many_is_found():
    def doubled(g, x):
        at = np.zeros(x.shape)
        at.flat[7_777] = 1
        return g * np.cos(x) * (1 + at)

    @ac.op(x=doubled)
    def sine(x):
        return np.sin(x)

    x = np.random.default_rng(0).random(10_000)
    with pytest.raises(GradientError, match=r"at element \(7777,\) is"):
        check_gradients(sine, x, order=1)


def test_where_the_function_is_not_finite_nothing_is_judged():
    with np.errstate(all="ignore"), pytest.raises(InconclusiveError, match="itself is not finite"):
        check_gradients(np.log, np.array([-1.0, 2.0]))


def test_tiny_operands_at_the_end_of_the_domain():
    check_gradients(lambda x: np.sum(np.sqrt(x)), np.array([3e-150, 1e-140]), order=1)


# ---- functions that leave the graph --------------------------------------------------------------


def into_an_array(take):
    def f(x):
        out = np.zeros(2)
        for i in range(2):
            out[i] = take(x[i])
        return out.sum()

    return f


@pytest.mark.parametrize(
    ("take", "said"),
    [
        (lambda v: v**2, r"leaves the graph.*ac\.stack"),
        (lambda v: v.item() ** 2, r"is 0\.0.*A value left the graph by item\(\) at .*\.py:\d+"),
        (lambda v: v.detach().data ** 2, r"is 0\.0.*by detach\(\)"),
        (lambda v: np.sin(v.data), r"is 0\.0.*does not depend on argument 0"),
    ],
    ids=["a tracked element", "item", "detach", "data"],
)
def test_a_function_that_fills_a_plain_array_is_flagged(take, said):
    with pytest.raises(GradientError) as caught:
        check_gradients(into_an_array(take), np.ones(2))
    assert re.search(said, str(caught.value), re.DOTALL), str(caught.value)
