"""What may be an index, what a write does to the graph, and what is refused."""

from collections import namedtuple

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import DTypeError, IndexingError, ShapeError, StaleArrayError

Place = namedtuple("Place", "row column")


def leaf(device, values):
    return ac.Tensor(device.array(np.asarray(values)), requires_grad=True)


def indices(device, values):
    return ac.Tensor(device.array(np.asarray(values)))


# ---- an index that is overwritten before backward ------------------------------------------------

HOLDERS = {
    "alone": lambda i: i,
    "in a tuple": lambda i: (i, 0),
    "behind a slice": lambda i: (slice(None), i),
    "in a list in a tuple": lambda i: ([i], 0),
    "behind an ellipsis": lambda i: (..., i),
}


@pytest.mark.parametrize("held", [h for h in HOLDERS if "list" not in h])
def test_an_index_that_was_overwritten_is_noticed(held, device):
    x, i = leaf(device, [[1.0, 2.0], [3.0, 4.0]]), indices(device, [0, 1])
    y = x[HOLDERS[held](i)].sum()
    i[0] = 1
    with pytest.raises(StaleArrayError, match="'index'"):
        y.backward()
    assert x.grad is None


def test_an_index_in_a_list_that_was_overwritten_is_noticed():
    x, i = ac.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), ac.Tensor([0, 1])
    y = x[HOLDERS["in a list in a tuple"](i)].sum()
    i[0] = 1
    with pytest.raises(StaleArrayError, match="'index'"):
        y.backward()


def test_an_index_list_may_be_changed_afterwards(device):
    x, i = leaf(device, [1.0, 2.0, 3.0]), [0, 1]
    y = x[i].sum()
    i[0] = 2
    y.backward()
    assert device.numpy(x.grad).tolist() == [1.0, 1.0, 0.0]


def test_the_bounds_of_a_slice_may_be_tensors(device):
    x, start = leaf(device, [1.0, 2.0, 3.0]), indices(device, 1)
    y = x[start:].sum()
    start[...] = 2
    y.backward()
    assert device.numpy(x.grad).tolist() == [0.0, 1.0, 1.0]


def test_a_write_with_an_index_that_was_overwritten_is_noticed(device):
    x, i = leaf(device, [[1.0, 2.0], [3.0, 4.0]]) * 1.0, indices(device, [0, 1])
    x[i, 0] = 0.0
    i[0] = 1
    with pytest.raises(StaleArrayError, match="'index'"):
        x.sum().backward()


# ---- kinds of index ------------------------------------------------------------------------------


def test_a_named_tuple_is_a_tuple(device):
    x = leaf(device, [[1.0, 2.0], [3.0, 4.0]])
    y = x[Place(0, 1)]
    y.backward()
    assert y.item() == 2.0
    assert device.numpy(x.grad).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    y = x * 1.0
    y[Place(indices(device, [0, 1]), 1)] = 5.0
    assert device.numpy(y).tolist() == [[1.0, 5.0], [3.0, 5.0]]


POSITIONS = {
    "first": lambda i: i,
    "second": lambda i: (0, i),
    "both": lambda i: (i, i),
    "apart": lambda i: (i, None, i),
    "truths": lambda i: i > 0,
    "truths of a column": lambda i: (slice(None), i > 0),
    "one number": lambda i: i[1],
    "one number, second": lambda i: (0, i[1]),
    "reversed": lambda i: (i, slice(None, None, -1)),
}


@pytest.mark.parametrize("position", POSITIONS)
def test_a_tensor_stands_wherever_an_array_does(position, device):
    values, places = np.arange(4.0).reshape(2, 2), np.array([1, 0])
    expected = values[POSITIONS[position](places)]
    x = leaf(device, values)
    y = x[POSITIONS[position](indices(device, places))]
    np.testing.assert_array_equal(device.numpy(y), expected)
    y.sum().backward()
    gradient = np.zeros((2, 2))
    np.add.at(gradient, POSITIONS[position](places), 1.0)
    np.testing.assert_array_equal(device.numpy(x.grad), gradient)


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (7, "7"),
        ((0, 0, 0), "(0, 0, 0)"),
        ((slice(1, 2), 5), "(1:2, 5)"),
        ((..., None, -4), "(..., None, -4)"),
        (1.5, "1.5"),
        (np.array([0, 9]), "int64 array of shape (2,)"),
        ((np.array([0, 9]), 0), "(int64 array of shape (2,), 0)"),
        (np.array([True, False, True]), "bool array of shape (3,)"),
        (np.array([0.5]), "float64 array of shape (1,)"),
    ],
    ids=str,
)
@pytest.mark.parametrize("tracked", [True, False], ids=["recorded", "in place"])
def test_an_index_that_does_not_fit_is_named_beside_the_shape(index, said, tracked):
    x = ac.Tensor(np.ones((2, 3)), requires_grad=tracked) * 1.0
    for attempt in (lambda: x[index], lambda: x.__setitem__(index, 0.0)):
        with pytest.raises(IndexingError) as caught:
            attempt()
        assert "(2, 3)" in str(caught.value)
        assert f"[{said}]" in str(caught.value)


def test_a_large_mask_and_large_repeats_are_like_small_ones():
    """Where there are many elements other ways are taken."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 40))
    for index in (
        values > 0,
        values[:, 0] > 0,
        rng.integers(-60, 60, 100),
        rng.integers(-60, 60, (20, 5)),
        (slice(None), rng.integers(-40, 40, 100)),
        (rng.integers(-60, 60, 3000), rng.integers(-40, 40, 3000)),
    ):
        for laid in (values, np.asfortranarray(values), np.repeat(values, 2, 1)[:, ::2]):
            x = ac.Tensor(laid, requires_grad=True)
            y = x[index]
            np.testing.assert_array_equal(y.data, values[index])
            weights = rng.normal(size=y.shape)
            y.backward(weights)
            expected = np.zeros_like(values)
            np.add.at(expected, index, weights)
            np.testing.assert_allclose(x.grad.data, expected, rtol=1e-13, atol=1e-13)


# ---- what is written -----------------------------------------------------------------------------


def test_a_tracked_float_does_not_go_into_integers(device):
    x, value = indices(device, [1, 2, 3]), leaf(device, 2.5)
    with pytest.raises(DTypeError, match=r"float64.*int64.*astype"):
        x[0] = value
    assert not x.requires_grad
    assert device.numpy(x).tolist() == [1, 2, 3]


def test_a_tracked_complex_does_not_go_into_reals(device):
    x, value = indices(device, [1.0, 2.0]), leaf(device, 1 + 2j)
    with pytest.raises(DTypeError, match=r"complex128.*float64"):
        x[0] = value
    with pytest.raises(DTypeError, match=r"complex128.*float64"):
        (leaf(device, [1.0]) * 1.0).__setitem__(0, value)
    assert device.numpy(x).tolist() == [1.0, 2.0]


def test_integers_and_narrower_floats_go_into_floats(device):
    x = leaf(device, np.ones(3, "f4")) * 1
    x[0] = 7
    x[1] = leaf(device, 2.5)
    assert x.dtype == "f4"
    assert device.numpy(x).tolist() == [7.0, 2.5, 1.0]


def test_untracked_numbers_are_written_as_numpy_writes_them(device):
    x = indices(device, [1, 2, 3])
    x[0] = 2.5
    assert device.numpy(x).tolist() == [2, 2, 3]


@pytest.mark.parametrize("tracked", [True, False], ids=["recorded", "in place"])
def test_a_value_that_does_not_fit_is_named(tracked):
    x = ac.Tensor(np.ones((2, 3)), requires_grad=tracked) * 1.0
    with pytest.raises(ShapeError, match=r"\(2,\).*\[0\].*\(2, 3\)"):
        x[0] = np.ones(2)


def test_assign_leaves_its_operand_alone(device):
    x, value = leaf(device, [1.0, 2.0, 3.0]), leaf(device, [5.0, 6.0])
    y = ac.assign(x, slice(1, None), value)
    assert device.numpy(x).tolist() == [1.0, 2.0, 3.0]
    assert device.numpy(y).tolist() == [1.0, 5.0, 6.0]
    (y * y).sum().backward()
    assert device.numpy(x.grad).tolist() == [2.0, 0.0, 0.0]
    assert device.numpy(value.grad).tolist() == [10.0, 12.0]


@pytest.mark.parametrize("index", [(), ..., True], ids=str)
def test_a_number_is_written_to_and_differentiated_at_once(device, index):
    """What arrives at a 0-d result of its own accord is one of NumPy's numbers and no array."""
    x, value = leaf(device, 2.0), leaf(device, 5.0)
    y = ac.assign(x, index, value)
    y.backward()
    assert device.numpy(x.grad) == 0
    assert device.numpy(value.grad) == 1
