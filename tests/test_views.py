"""Views see what is written to their base, and keep nothing that nobody sees."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import autograd_core as ac
from tests.leaves import U, leaf


def test_a_view_of_a_view_of_a_view():
    x = leaf(U)
    u = x * 1.0
    v = u
    for _ in range(10_000):
        v = v[...]
    v += 1.0
    v[0] = 3.0
    u *= 2.0
    np.testing.assert_array_equal(v.detach().numpy(), [6.0, *2 * (U[1:] + 1)])
    (v * v).sum().backward()
    np.testing.assert_allclose(x.grad.data, [0.0, *8 * (U[1:] + 1)])


def test_views_do_not_keep_what_nobody_sees():
    x = leaf(np.ones(10))
    u = x * 1.0
    for i in range(100):
        u[i % 10 :]
    assert len(u._memory.tensors) < 20
    died = weakref.ref(u.data)
    v = u[1:]
    u += 1.0
    assert died() is None
    assert v._memory.base is u._memory


def test_what_was_moved_or_rebound_shares_no_memory_any_more():
    u = leaf(U) * 1.0
    v, w = u[1:], u.to("cpu")
    assert w is u
    u.data = np.zeros(4)
    v += 1.0
    assert u.detach().tolist() == [0.0] * 4
    np.testing.assert_array_equal(v.detach().numpy(), U[1:] + 1)


def test_a_copy_of_a_view_is_a_copy():
    """As NumPy has it; of a leaf the copy is a leaf."""
    w = leaf(U)
    assert copy.copy(w).is_leaf
    assert copy.copy(w).data is not w.data
    u = ac.Tensor(U.copy())
    v = u[1:]
    for same in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v)), v.copy()):
        same += 1.0
    np.testing.assert_array_equal(u.numpy(), U)
    recorded = copy.copy((leaf(U) * 1.0)[1:])
    assert recorded.node is not None
    with pytest.raises(ac.GraphError, match="detach"):
        pickle.dumps(recorded)


def test_an_array_without_axes_is_memory(device):
    x = leaf(2.0, device)
    u = ac.Tensor(device.array(np.array(0.0)))
    v = u[...]
    u[...] = x * 3.0
    v += 1.0
    u[()] += v
    u[()] = v
    assert (u.item(), v.item()) == (14.0, 14.0)
    u.backward()
    assert device.numpy(x.grad) == 6.0


def test_windows_follow_their_base(there):
    x = leaf(U, there)
    u = x * 1.0
    windows = np.lib.stride_tricks.sliding_window_view(u, 2)
    u *= 2.0
    np.testing.assert_array_equal(there.numpy(windows)[:, 0], 2 * U[:-1])
    windows.sum().backward()
    np.testing.assert_array_equal(there.numpy(x.grad), [2.0, 4.0, 4.0, 2.0])


def test_scalars_of_numpys_are_values():
    x = ac.Tensor(U.copy())
    for s in (
        *getattr(np, "unstack", ac.unstack)(x),
        np.interp(0.5, [0.0, 1, 2, 3], x),
        np.imag(x[0]),
    ):
        same = s
        s += 1.0
        assert same is not s
    np.testing.assert_array_equal(x.numpy(), U)


def test_a_pullback_keeps_what_it_was_made_of():
    a = U.copy()
    value, pull = ac.vjp(np.square, a)
    _, push = ac.linearize(np.exp, a)
    a[:] = 0.0
    value *= 0.0
    np.testing.assert_allclose(pull(np.ones(4))[0], 2 * U)
    np.testing.assert_allclose(push(np.ones(4)), np.exp(U))
