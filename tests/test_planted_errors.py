"""The checks of the op table find what they are there to find: each of these rules is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core import operations
from tests.table import checks
from tests.table.cases import Case
from tests.table.rows import ROWS

by_id = {row.id: row for row in ROWS}


def closure(function):
    """A rule that computes from an array that it was not given by name."""
    return lambda g, x: g * function(x.data if isinstance(x, ac.Tensor) else x)


def writing(g, x):
    g *= x
    return g


# what is wrong → (row, its rules, the check that has to see it)
PLANTED = {
    "a wrong factor": ("exp", {"x": lambda g, out: 1.000001 * g * out}, checks.check_gradient),
    "a wrong sign": ("negative", {"x": lambda g: g}, checks.check_gradient),
    "one wrong element": (
        "square",
        {"x": lambda g, x: g * 2 * x * (np.cumsum(np.ones_like(x)).reshape(x.shape) > 1)},
        checks.check_gradient,
    ),
    "a conjugate too many": ("square", {"x": lambda g, x: g * 2 * x.conj()}, checks.check_gradient),
    "a value from outside the record": (
        "sin",
        {"x": closure(np.cos)},
        checks.check_second_order,
    ),
    "a rule that is not linear in g": (
        "negative",
        {"x": lambda g: -g + 1e-9 * g * g},
        checks.check_gradient,
    ),
    "a promotion": (
        "square",
        {"x": lambda g, x: g * x * np.float64(2)},
        checks.check_precision,
    ),
    "a sum in too low a precision": (
        "square",
        {"x": lambda g, x: (g * 2 * x).astype("f2")},
        checks.check_precision,
    ),
    "a positive axis": (
        "transpose",
        {"x": lambda g: g.transpose()},
        checks.check_batched,
    ),
    "an operand kept for nothing": ("negative", {"x": lambda g, x: -g}, checks.check_kept),
}  # fmt: skip


def planted(name, rules):
    """An operation with the kernel of `name` and other rules, put into the table and taken for
    ours: a user's would be run row by row where gradients are stacked."""

    def wrong(x):
        return operations[name].kernel(x)

    made = ac.op(**rules)(wrong)
    operations["wrong"] = made(ac.Tensor(CASE.arrays[0], requires_grad=True)).node.op
    for rule in operations["wrong"].rules.values():
        rule.stacked = rule.function
    return made


@pytest.fixture
def restored_table():
    yield
    operations.pop("wrong")


CASE = Case(("x",), (np.array([[0.7, -1.2, 0.4], [1.1, 0.3, -0.6]]),), {})


def arguments(check, row, device):
    if check is checks.check_batched:
        return row, replace(CASE, settings={}), 2, device
    dtype = "f4" if check is checks.check_precision else "c16" if row.complex else "f8"
    return row, CASE.cast(dtype), device


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_seen(error, device, restored_table):
    name, rules, check = PLANTED[error]
    row = replace(by_id[name], cases=st.just(CASE))
    check(*arguments(check, row, device))
    planted(name, rules)
    wrong = replace(row, name="wrong", reference=getattr(np, name))
    with pytest.raises((AssertionError, ValueError)):
        check(*arguments(check, wrong, device))


@pytest.mark.parametrize("rule", [writing], ids=["a write to g"])
def test_a_planted_write_is_seen(rule, device, restored_table):
    x = ac.Tensor(device.array(CASE.arrays[0]), requires_grad=True)
    out = planted("square", {"x": rule})(x)
    g = device.array(np.ones(out.shape))
    before = device.numpy(g).copy()
    try:
        out.backward(checks.locked(g))
    except ValueError:
        return  # the lock has seen it
    assert (device.numpy(g) != before).any()


def in_place_on_a_view(g, x):
    spread = np.broadcast_to(np.sum(g), x.shape)
    if not isinstance(x, np.ndarray):  # NumPy refuses by itself; CuPy writes to shared memory
        spread += g
    return g * 2 * x


def host_index(g, x):
    flat = (g * 2 * x).ravel()
    return flat[np.arange(flat.size)].reshape(x.shape)


# What NumPy lets pass and a device does not: a rule of `square` that is right on the host.
ONLY_THERE = {
    "a bare np.zeros": lambda g, x: np.zeros(x.shape) + g * 2 * x,
    "np.asarray of an array": lambda g, x: np.asarray(g) * 2 * np.asarray(x),
    "a write to a broadcast view": in_place_on_a_view,
    "a host array as an index": host_index,
    "an array from Python numbers": lambda g, x: g * x * np.full_like(np.float64(1), 2),
}


@pytest.mark.parametrize("error", ONLY_THERE)
def test_a_planted_error_is_seen_on_a_device(error, device, restored_table):
    planted("square", {"x": ONLY_THERE[error]})
    row = replace(by_id["square"], name="wrong", reference=np.square, cases=st.just(CASE))
    if device.home == "cpu":
        checks.check_gradient(row, CASE, device)
    else:
        with pytest.raises((TypeError, ValueError, AssertionError)):
            checks.check_gradient(row, CASE, device)


@pytest.mark.parametrize("scalar", [np.float64(2), np.sqrt(4.0)])
def test_a_numpy_scalar_that_promotes_is_seen(scalar, device, restored_table):
    planted("square", {"x": lambda g, x: g * x * scalar})
    wrong = replace(by_id["square"], name="wrong", reference=np.square)
    with pytest.raises(AssertionError):
        checks.check_precision(wrong, CASE.cast("f4"), device)
