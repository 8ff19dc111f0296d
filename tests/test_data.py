"""Datasets and mini-batches."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradError, DeviceError, DTypeError, ShapeError
from tests.host import assert_equal

X = np.arange(10)


def test_every_row_comes_once_and_in_a_new_order_on_each_pass():
    loader = nn.DataLoader(nn.TensorDataset(X, X * 2), batch_size=3, shuffle=True, generator=7)
    passes = [[x.numpy() for x, y in loader if (2 * x.data == y.data).all()] for _ in range(2)]
    for batches in passes:
        assert [len(batch) for batch in batches] == [3, 3, 3, 1]
        assert sorted(np.concatenate(batches)) == list(X)
    assert not np.array_equal(np.concatenate(passes[0]), np.concatenate(passes[1]))
    again = nn.DataLoader(X, batch_size=3, shuffle=True, generator=7)
    assert_equal(next(iter(again)), passes[0][0])
    assert len(loader) == 4


def test_defaults_are_pytorchs():
    assert [x.item() for x in nn.DataLoader(X)] == list(X)
    assert [x.shape for x in nn.DataLoader(X, 4)] == [(4,), (4,), (2,)]
    assert [x.shape for x in nn.DataLoader(X, 4, drop_last=True)] == [(4,), (4,)]
    assert [x.shape for x in nn.DataLoader(X, 100)] == [(10,)]
    drawn = [next(iter(nn.DataLoader(np.arange(10**6), 9, shuffle=True))) for _ in range(2)]
    assert not np.array_equal(*drawn), "a fresh generator each"


@pytest.mark.parametrize(
    "dataset",
    [
        [(np.ones(2), 1), (np.zeros(2), 0)],
        [(ac.ones(2), np.int64(1)), (ac.zeros(2), np.int64(0))],
        nn.TensorDataset([[1.0, 1.0], [0.0, 0.0]], ac.Tensor([1, 0])),
    ],
)
def test_samples_are_stacked(dataset):
    ((x, y),) = nn.DataLoader(dataset, batch_size=2)
    assert (type(x), type(y)) == (ac.Tensor, ac.Tensor)
    assert_equal(x, [[1.0, 1.0], [0.0, 0.0]])
    assert_equal(y, [1, 0])
    assert y.dtype == np.int64


def test_samples_keep_their_structure():
    samples = [{"x": (1.0, [np.ones(3)]), "y": None} for _ in range(2)]
    (batch,) = nn.DataLoader(samples, batch_size=2)
    assert batch["y"] is None
    assert batch["x"][0].shape == (2,)
    assert batch["x"][1][0].shape == (2, 3)
    rows = [np.ones(n) for n in (1, 3)]
    (padded,) = nn.DataLoader(
        rows, 2, collate_fn=lambda given: np.stack([np.pad(r, (0, 3 - len(r))) for r in given])
    )
    assert_equal(padded, [[1, 0, 0], [1, 1, 1]])
    with pytest.raises(ShapeError, match=r"same shape\. Give a collate_fn"):
        next(iter(nn.DataLoader(rows, 2)))


def test_arrays_are_stacked_by_name():
    (batch,) = nn.DataLoader([{"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0}], 2)
    assert_equal(batch["a"], [1, 10])
    assert_equal(batch["b"], [2, 20])


@pytest.mark.parametrize(
    "samples",
    [
        [{"a": 1.0, "b": 2.0}, {"b": 20.0, "c": 10.0}],
        [(1.0, None), (None, 2.0)],
        [(1.0, (2.0, 3.0)), ((10.0, 20.0), 30.0)],
        [(1.0, 2.0), (1.0,)],
    ],
)
def test_samples_of_two_structures_are_refused(samples):
    with pytest.raises(ShapeError, match=r"one has arrays at .*, another at"):
        next(iter(nn.DataLoader(samples, 2)))


def test_a_dataset_of_ones_own():
    class Squares:
        def __len__(self):
            return 5

        def __getitem__(self, i):
            assert type(i) is int
            return np.float32(i), i * i

    batches = list(nn.DataLoader(Squares(), 2))
    assert_equal(batches[-1][1], [16])
    assert batches[0][0].dtype == np.float32


def test_a_loader_may_be_read_twice_at_once():
    loader = nn.DataLoader(X, 4)
    assert [len(a) + len(b) for a, b in zip(loader, loader, strict=True)] == [8, 8, 4]


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: nn.DataLoader(X, X), TypeError, r"write DataLoader\(TensorDataset\(x, y\)"),
        (lambda: nn.DataLoader(X, X, batch_size=2), TypeError, r"write DataLoader\(TensorDataset"),
        (lambda: nn.DataLoader(X, 0), AutogradError, "batch_size is a positive integer, not 0"),
        (lambda: nn.DataLoader(X, 1.5), TypeError, "batch_size is a float, not an int"),
        (lambda: nn.DataLoader(X, 11, drop_last=True), AutogradError, "10 samples give no batch"),
        (lambda: nn.DataLoader(X, pin_memory=True), TypeError, "copied in advance"),
        (lambda: nn.DataLoader(iter(X)), TypeError, r"with len\(dataset\) and dataset\[i\]"),
        (lambda: nn.DataLoader(None), DTypeError, "the dataset is None"),
        (lambda: nn.DataLoader([]), ShapeError, "the dataset is empty"),
        (lambda: nn.DataLoader(np.zeros((0, 3))), ShapeError, "the dataset is empty"),
        (lambda: nn.DataLoader(np.array(1.0)), ShapeError, "expected an array of rows"),
        (lambda: nn.TensorDataset(), ShapeError, "the same length"),
        (lambda: nn.TensorDataset(X, X[1:]), ShapeError, r"the same length; they have \[9, 10\]"),
        (lambda: nn.TensorDataset(X, None), DTypeError, "TensorDataset: array 1 is None"),
    ],
)
def test_what_is_not_a_dataset_is_refused(make, error, told):
    with pytest.raises(error, match=f"(?i){told}"):
        make()


def test_rows_are_drawn_on_the_host(device):
    if device.name != "cpu":
        for rows in (device.array(X), ac.Tensor(device.array(X))):
            with pytest.raises(DeviceError, match=r"pass host arrays, or tensor\.cpu"):
                nn.TensorDataset(rows)
