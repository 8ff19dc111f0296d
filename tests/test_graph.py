"""The record and the backward pass: what arrives, and what is refused."""

import math
import threading

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import FreedGraphError, GraphError, ShapeError, StaleArrayError
from autograd_core.testing import check_gradients
from tests.host import assert_close, assert_equal
from tests.leaves import leaf

pytestmark = pytest.mark.usefixtures("there")


# ---- the pass -----------------------------------------------------------------------------------


def test_gradients_of_shared_operands_add_up():
    x = leaf([2.0, 3.0])
    y = x * x
    (y * x + y).sum().backward()
    assert_equal(x.grad.data, 3 * x.data**2 + 2 * x.data)


def test_gradients_accumulate_over_passes():
    x = leaf([1.0, 2.0])
    (3 * x).sum().backward()
    (4 * x).sum().backward()
    assert_equal(x.grad.data, [7.0, 7.0])


def test_a_gradient_is_private_writable_and_contiguous():
    x, y = leaf(np.ones((3, 2))), leaf(np.ones((3, 2)))
    seed = np.ones((3, 2))
    (x + y).backward(seed)
    x.grad.data[...] = 7
    assert_equal(y.grad, seed)
    z = leaf(np.ones((2, 3)))
    z.T.backward(seed)
    z.grad.data[0] = 5
    assert z.grad.data.flags.c_contiguous
    assert seed.max() == 1
    w = leaf(np.ones((2, 3)))
    w.sum().backward()  # what arrives is a broadcast view
    w.grad.data[0, 0] = 5
    assert_equal(w.grad, [[5, 1, 1], [1, 1, 1]])


def test_no_buffer_is_written_that_a_rule_may_have_handed_on():
    x = leaf([1.0, 2.0])
    y = x + 0.0  # hands g on as it is
    kept = []
    z = y * 1.0
    z.register_hook(lambda g: kept.append((g.data, g.data.copy())))
    (z + z + y + y + x).backward(np.ones(2))
    for array, copy in kept:
        assert_equal(array, copy)
    assert_equal(x.grad.data, [5.0, 5.0])


def test_higher_orders_come_from_the_same_rules():
    x = leaf(0.7)
    y = ac.sin(x)
    expected = [np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)]
    for value in expected:
        x.grad = None
        y.backward(create_graph=True)
        y = x.grad
        assert_close(y, value, rtol=1e-14)


def test_create_graph_inside_no_grad_still_records():
    x = leaf(2.0)
    y = x**3
    with ac.no_grad():
        y.backward(create_graph=True)
    assert x.grad.requires_grad


def test_an_error_in_the_middle_leaves_every_grad_as_it_was():
    @ac.op(x=lambda g: g.no_such_attribute)
    def faulty(x):
        return x * 1

    x, y = leaf([1.0]), leaf([1.0])
    x.grad = y.grad = None
    loss = y * 2 + faulty(x * 3)
    with pytest.raises(AttributeError):
        loss.backward()
    assert x.grad is None
    assert y.grad is None


def test_hooks_see_the_total_and_may_replace_it():
    x = leaf([1.0, 2.0])
    seen = []
    remove = x.register_hook(lambda g: seen.append(g.data.copy()))
    x.register_hook(lambda g: g * 10)
    (x + x).sum().backward()
    assert_equal(seen, [[2.0, 2.0]])
    assert_equal(x.grad.data, [20.0, 20.0])
    remove()
    x.sum().backward()
    assert len(seen) == 1
    x.grad = None
    y = leaf([1.0, 2.0])
    y.register_hook(lambda g: np.array([3, 4], np.float32))
    y.sum().backward()
    assert_equal(y.grad.data, [3.0, 4.0])
    assert y.grad.dtype == np.float64
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match="a hook must return"):
        x.sum().backward()


def test_retain_grad_keeps_an_intermediate_gradient():
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert_equal(y.grad.data, 2 * y.data)


def test_passes_in_threads_lose_nothing():
    x = leaf(np.zeros(100))

    def work():
        for _ in range(50):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_equal(x.grad.data, np.full(100, 400.0))


# ---- what is refused ----------------------------------------------------------------------------


def test_backward_says_what_to_pass():
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match=r"call backward\(gradient\) with an array of that shape"):
        (x * 2).backward()
    with pytest.raises(ShapeError, match=r"shape \(2,\).*\(3,\)"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(GraphError, match="requires_grad=True"):
        ac.Tensor([1.0]).backward()
    y = (x * x).sum()
    y.backward()
    with pytest.raises(FreedGraphError, match="retain_graph=True"):
        y.backward()


def test_retain_graph_allows_a_second_pass():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert_equal(x.grad.data, 4 * x.data)


def test_an_integer_leaf_is_refused():
    with pytest.raises(TypeError, match="dtype=float"):
        ac.Tensor([1, 2], requires_grad=True)


def test_a_stale_leaf_is_refused_by_name():
    w = leaf([1.0, 2.0], name="w")
    loss = (w * w).sum()
    w.data -= 0.1
    with pytest.raises(StaleArrayError, match="'w'"):
        loss.backward()
    (w * w).sum().backward()  # recorded after the write


@pytest.mark.parametrize("write", ["view", "constant", "out"])
def test_staleness_is_a_matter_of_memory(write):
    w, constant = leaf(np.ones(4)), ac.Tensor(np.ones(4))
    if write == "view":
        loss = (w[:2] * w[:2]).sum()
        written = ac.Tensor(w.data[1:])
    elif write == "constant":
        loss, written = (w * constant).sum(), constant
    else:
        out = ac.exp(w)
        loss, written = out.sum(), out.detach()
    with ac.no_grad():
        written[0] = 7.0
    with pytest.raises(StaleArrayError):
        loss.backward()


def test_writes_that_no_rule_needs_are_fine():
    w = leaf([1.0, 2.0])
    loss = (w + 1).sum()
    w.data -= 5
    loss.backward()
    other = leaf([1.0])
    loss = (w * w).sum()
    other.data -= 1
    loss.backward()
    assert_equal(w.grad.data, 1 + 2 * w.data)


def test_rebinding_data_leaves_the_record_intact():
    w = leaf([3.0])
    loss = (w * w).sum()
    w.data = np.array([100.0])
    loss.backward()
    assert_equal(w.grad.data, [6.0])
    loss = (w * w).sum()
    w.data = np.array([1.0, 2.0])
    with pytest.raises(GraphError, match="rebound"):
        loss.backward()


def test_setitem_is_functional_on_a_tracked_tensor():
    x = leaf([1.0, 2.0, 3.0])
    v = leaf(5.0)
    with pytest.raises(GraphError, match="leaf"):
        x[0] = 1.0
    y = x * 2
    before = y.data
    y[1] = v
    assert_equal(before, [2, 4, 6])
    assert_equal(y.data, [2, 5, 6])
    (y * y).sum().backward()
    assert_equal(x.grad.data, [8.0, 0.0, 24.0])
    assert_equal(v.grad.data, 10.0)
    with ac.no_grad():
        x[0] = 9.0
    assert x.data[0] == 9


def test_a_gradient_that_is_no_tensor():
    x = ac.Tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match="grad is a Tensor, an array or None, not a str"):
        x.grad = "1"
    with pytest.raises(ShapeError, match=r"\(1,\).*\(2,\)"):
        x.grad = np.ones(2)
    with pytest.raises(ac.DTypeError, match=r"float64.*complex128"):
        x.grad = np.ones(1, complex)
    assert x.grad is None


def test_a_gradient_may_be_set_to_an_array_or_a_number(there):
    x = leaf([3.0, 4.0])
    (x * x).sum().backward()
    x.grad = np.clip(x.grad, -1, 7)
    assert_equal(x.grad.data, [6.0, 7.0])
    x.grad = x.grad.data.astype("f4")
    assert x.grad.dtype == "f8"
    x.grad = 0
    (x * x).sum().backward()
    assert_equal(x.grad.data, [6.0, 8.0])


def test_the_gradient_of_an_intermediate_that_was_not_asked_for_warns():
    w = leaf(2.0)
    w = w * 0.5
    with pytest.warns(ac.AutogradWarning, match=r"retain_grad.*no_grad.*lr"):
        assert w.grad is None
    w.retain_grad()
    assert w.grad is None


def test_a_complex_gradient_of_a_real_tensor_is_refused():
    x = ac.Tensor([1.0], requires_grad=True)
    with pytest.raises(ac.DTypeError, match="dtype float64, so its gradient cannot have"):
        (x * 2).backward(np.array([1j]))


# ---- sums of gradients of parts ------------------------------------------------------------------


def zeros_made(monkeypatch, run):
    """The number of elements of the zeros that a backward pass makes."""
    made, zeros = [], backend.zeros
    monkeypatch.setattr(backend, "zeros", lambda g, shape: made.append(shape) or zeros(g, shape))
    run()
    return sum(map(math.prod, made))


@pytest.mark.parametrize("leaf", [True, False])
def test_a_loop_over_rows_takes_linear_time(leaf, monkeypatch):
    """The gradient of a row is added in place to that of the array."""
    x = ac.Tensor(np.arange(60.0).reshape(20, 3), requires_grad=True)
    rows = x if leaf else x * 1.0
    total = sum(ac.sum(rows[i] ** 2) for i in range(20))
    assert zeros_made(monkeypatch, total.backward) == 60
    assert_equal(x.grad, np.arange(0.0, 120, 2).reshape(20, 3))


@pytest.mark.parametrize(
    "parts",
    [
        lambda x: [x[0], x[1:], x[::2], x[-1], x[:, 1], x[..., 0], x[0, 1:], x[0]],
        lambda x: [x[1, 2], x[[0, 1]], x[x.data > 2.5], x[0], x[[0, 0]]],
        lambda x: [x, x[0], x.T[1], x[None, 1], x[...], x[1][0]],
    ],
)
def test_sums_of_parts(parts, device):
    """Rows, columns, repeated and overlapping parts, with other uses between them, in the order of
    a plain sum; any order of derivatives; with hooks, and again from a kept graph."""
    values = np.arange(12.0).reshape(3, 4) / 3

    def f(x):
        return sum((i + 1.0) * ac.sum(part**3) for i, part in enumerate(parts(x)))

    expected = np.zeros((3, 4))
    for i in range(12):
        step = np.zeros(12)
        step[i] = 1e-6
        ahead, behind = (f(ac.Tensor(values + s * step.reshape(3, 4))).item() for s in (1, -1))
        expected.flat[i] = (ahead - behind) / 2e-6
    with ac.device(device.home):
        x = ac.Tensor(device.array(values), requires_grad=True)
        seen = []
        x.register_hook(lambda g: seen.append(device.numpy(g)))
        for scale in (1.0, 2.0):
            out = f(x * scale) if scale > 1 else f(x)
            x.grad = None
            out.backward(retain_graph=True)
            kept = device.numpy(x.grad).copy()
            x.grad = None
            out.backward()
            np.testing.assert_array_equal(device.numpy(x.grad), kept)
            np.testing.assert_array_equal(seen[-1], kept)
            if scale == 1:
                np.testing.assert_allclose(kept, expected, rtol=1e-6, atol=1e-6)
    if device.name == "cpu":  # the stand-in sums in other orders
        check_gradients(f, ac.Tensor(values + 0.1), order=2)


def test_parts_do_not_write_to_what_others_hold():
    """A constant of a user's rule, and a gradient that was kept."""
    x = ac.Tensor(np.ones((2, 2)), requires_grad=True)
    constant = ac.ones((2, 2)).data
    own = ac.op(x=lambda g: constant, name="own")(lambda x: x * 1.0)
    y = x * 1.0
    total = ac.sum(y[0]) + ac.sum(own(y)) + ac.sum(y[1]) + ac.sum(y[0])
    y.retain_grad()
    total.backward()
    assert_equal(ac.Tensor(constant), [[1, 1], [1, 1]])
    assert_equal(y.grad, [[3, 3], [2, 2]])
    y = ac.Tensor(np.ones((2, 2)), requires_grad=True)
    first = ac.sum(y[0])
    first.backward()
    kept = y.grad.cpu().numpy().copy()
    (ac.sum(y[0]) + ac.sum(y[1])).backward()
    np.testing.assert_array_equal(kept, [[1, 1], [0, 0]])
    assert_equal(y.grad, [[2, 2], [1, 1]])
