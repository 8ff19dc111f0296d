"""Orders of elements in memory: the same strides as NumPy's, and a view where it gives one."""

import numpy as np
import pytest

import autograd_core as ac

A = np.arange(24.0).reshape(2, 3, 4)
LAID = {
    "C": A,
    "F": np.asfortranarray(A),
    "neither": A.transpose(1, 0, 2),
    "strided": np.arange(96.0).reshape(2, 3, 16)[..., ::4],
    "reversed": A[:, ::-1, ::-1],
    "broadcast": np.broadcast_to(A[:, :1, :], A.shape),
    "broadcast behind": np.broadcast_to(A.T[:, :, 1:], (4, 3, 2)),
    "length 1": np.asfortranarray(A[:, :1, :]),
    "empty": A[:0],
    "vector": A[0, 0, ::2],
    "0-d": np.array(1.5),
}
CALLS = {
    **{f"np.copy {o}": lambda x, o=o: np.copy(x, order=o) for o in "CFAK"},
    **{f"x.copy {o}": lambda x, o=o: x.copy(order=o) for o in "CFAK"},
    **{f"np.ravel {o}": lambda x, o=o: np.ravel(x, order=o) for o in "CFAK"},
    **{f"x.ravel {o}": lambda x, o=o: x.ravel(o) for o in "CFAK"},
    **{f"x.flatten {o}": lambda x, o=o: x.flatten(o) for o in "CFAK"},
    **{f"np.reshape {o}": lambda x, o=o: np.reshape(x, (-1, 2), order=o) for o in "CFA"},
    **{f"x.reshape {o}": lambda x, o=o: x.reshape(2, -1, order=o) for o in "CFA"},
    **{f"x.reshape {o} flat": lambda x, o=o: x.reshape(-1, order=o) for o in "CFA"},
    "np.copy": np.copy,
    "x.copy": lambda x: x.copy(),
    "np.array": lambda x: ac.array(x) if isinstance(x, ac.Tensor) else np.array(x),
    "x.flatten": lambda x: x.flatten(),
    "copied": lambda x: np.reshape(x, x.shape, order="F", copy=True),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAID)
@pytest.mark.parametrize("call", CALLS)
def test_it_lies_in_memory_as_numpys_does(call, layout):
    array, run = LAID[layout], CALLS[call]
    try:
        expected = run(array)
    except ValueError:  # elements that do not suffice for the shape
        with pytest.raises(ac.ShapeError):
            run(ac.Tensor(array))
        return
    found = run(ac.Tensor(array, requires_grad=True))
    assert found.requires_grad
    np.testing.assert_array_equal(found.data, expected)
    assert found.data.strides == expected.strides or not array.size
    assert np.shares_memory(found.data, array) == np.shares_memory(expected, array)


@pytest.mark.parametrize("order", "FA")
def test_without_a_copy(order):
    x = ac.Tensor(LAID["F"])
    assert np.shares_memory(np.reshape(x, (6, 4), order=order, copy=False).data, x.data)
    with pytest.raises(ac.ShapeError, match="needs a copy"):
        np.reshape(x[:, ::-1], (6, 4), order=order, copy=False)


@pytest.mark.parametrize("name", ["ravel", "reshape"])
def test_an_order_that_there_is_not(name):
    with pytest.raises(ac.ShapeError, match=f"{name}: order must be one of C, F, A.*'X'"):
        getattr(ac, name)(ac.Tensor(A), *[(6, 4)] * (name == "reshape"), order="X")
    with pytest.raises(ac.ShapeError, match="reshape: order must be one of C, F, A, not 'K'"):
        ac.reshape(A, (6, 4), order="K")
