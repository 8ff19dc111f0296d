"""Samplers and parts of datasets."""

import itertools

import numpy as np
import pytest
from scipy import stats

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from tests.host import assert_equal

GENERATOR = np.random.default_rng(0)
MADE = [
    nn.WeightedRandomSampler([1, 2, 0, 3], 10),
    nn.WeightedRandomSampler([1, 2, 0, 3], 3, replacement=False),
    nn.StratifiedSampler([0, 1, 1, 2, 2, 2, 2]),
    nn.SubsetRandomSampler([4, 0, 9]),
]
NAMES = [type(sampler).__name__ for sampler in MADE]


@pytest.mark.parametrize("sampler", MADE, ids=NAMES)
def test_a_pass_is_drawn_from_the_generator(sampler):
    first = sampler.indices(3)
    assert first.dtype == np.int64
    assert first.shape == (len(sampler),)
    assert_equal(sampler.indices(np.random.default_rng(3)), first)
    generator = np.random.default_rng(3)
    passes = [tuple(sampler.indices(generator)) for _ in range(10)]
    assert len(set(passes)) > 2
    assert sampler.indices(np.random.RandomState(0)).shape == first.shape
    assert len(sampler.indices(None)) == len(sampler)


@pytest.mark.parametrize("scale", [1, 1e-300, 1e307])
def test_weights_are_probabilities(scale):
    weights = np.array([0, 5, 1, 0, 3, 1, 0]) * scale
    counts = np.bincount(nn.WeightedRandomSampler(weights, 20_000).indices(0), minlength=7)
    assert not counts[weights == 0].any()
    possible = weights > 0
    expected = weights[possible] / scale / 10 * 20_000
    assert stats.chisquare(counts[possible], expected).pvalue > 0.01


def test_without_replacement_each_comes_from_those_left():
    """The probability of every order, by the definition."""
    weights = {1: 0.5, 2: 0.1, 4: 0.4}
    sampler = nn.WeightedRandomSampler([weights.get(i, 0) for i in range(6)], 3, replacement=False)
    generator = np.random.default_rng(0)
    drawn = [tuple(sampler.indices(generator)) for _ in range(6000)]
    orders = list(itertools.permutations(weights))
    expected = [6000 * weights[a] * weights[b] / (1 - weights[a]) for a, b, _ in orders]
    counts = [drawn.count(order) for order in orders]
    assert sum(counts) == 6000
    assert stats.chisquare(counts, expected).pvalue > 0.01


def test_tiny_weights_without_replacement():
    sampler = nn.WeightedRandomSampler([1e-320, 1e300, 1], 2, replacement=False)
    assert_equal(sampler.indices(0), [1, 2])


CLASSES = [
    np.repeat([0, 1], [90, 10]),
    np.repeat([0, 1, 2], [5, 1, 1]),
    np.repeat(np.arange(10), 20),
    np.repeat(np.arange(12), GENERATOR.integers(1, 60, 12)),
    np.repeat(np.arange(30), [300] + [1] * 29),
    np.zeros(7, int),
    np.arange(5),
]


@pytest.mark.parametrize("labels", CLASSES, ids=lambda labels: str(np.bincount(labels))[:20])
def test_every_window_has_the_proportions(labels):
    labels = GENERATOR.permutation(labels)
    shares = np.bincount(labels) / len(labels)
    bound = 1 + shares * (len(shares) - 2)
    for seed in range(20):
        order = nn.StratifiedSampler(labels).indices(seed)
        assert_equal(np.sort(order), np.arange(len(labels)))
        before = np.zeros((len(labels) + 1, len(shares)))
        before[1:] = (labels[order][:, None] == np.arange(len(shares))).cumsum(axis=0)
        for m in range(1, len(labels) + 1):
            counts = before[m:] - before[:-m]
            assert (abs(counts - m * shares) <= bound + 1e-9).all()


def test_the_order_within_a_class_is_random():
    labels = np.array(["a", "b", "a", "a"])
    sampler, generator = nn.StratifiedSampler(labels), np.random.default_rng(0)
    passes = [tuple(i for i in sampler.indices(generator) if i != 1) for _ in range(3000)]
    counts = [passes.count(order) for order in itertools.permutations([0, 2, 3])]
    assert stats.chisquare(counts).pvalue > 0.01
    assert len(nn.StratifiedSampler(ac.Tensor([0, 1])).indices(0)) == 2
    assert len(nn.StratifiedSampler(np.array([True, False])).indices(0)) == 2


def test_a_subset():
    data = nn.TensorDataset(np.arange(10) * 1.5, np.arange(10))
    subset = nn.Subset(data, [7, 2, 2, 9])
    assert len(subset) == 4
    assert subset[0] == (10.5, 7)
    assert subset[-1] == (13.5, 9)
    assert_equal(subset[np.array([1, 3])][1], [2, 9])
    assert_equal(subset[1:][1], [2, 2, 9])
    assert [int(y) for _, y in subset] == [7, 2, 2, 9]
    assert_equal(nn.Subset(subset, [3, 0])[:][1], [9, 7])
    assert [y.item() for _, y in nn.DataLoader(subset)] == [7, 2, 2, 9]
    letters = nn.Subset("abc", [2, 0])
    assert list(letters) == ["c", "a"]
    assert len(nn.Subset(data, [])) == 0


@pytest.mark.parametrize(
    ("total", "lengths", "expected"),
    [
        (10, [3, 7], [3, 7]),
        (10, [0, 10], [0, 10]),
        (10, [0.5, 0.5], [5, 5]),
        (10, [0.25, 0.75], [3, 7]),
        (11, [0.5, 0.3, 0.2], [6, 3, 2]),
        (5, [0.33, 0.33, 0.34], [2, 2, 1]),
        (4, [0.1] * 10, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]),
        (7, [0.7, 0.2, 0.1], [5, 2, 0]),
        (5, [1, 0], [5, 0]),
        (1, [1], [1]),
        (5, (np.int64(2), np.int64(3)), [2, 3]),
        (0, [0.5, 0.5], [0, 0]),
    ],
)
def test_random_parts(total, lengths, expected):
    data = np.arange(total)
    parts = nn.random_split(data, lengths, generator=4)
    assert [len(part) for part in parts] == expected
    assert_equal(np.sort(np.concatenate([part[:] for part in parts])), data)
    again = nn.random_split(data, lengths, np.random.default_rng(4))
    for part, same in zip(parts, again, strict=True):
        assert_equal(part.indices, same.indices)


@pytest.mark.oracle
def test_the_lengths_are_pytorchs():
    split = pytest.importorskip("torch").utils.data.random_split
    for total, parts in itertools.product(range(12), range(1, 6)):
        shares = GENERATOR.dirichlet(np.ones(parts)).round(2)[1:].tolist()
        shares = [1 - sum(shares), *shares]
        if total and sum(shares) <= 1 and all(int(total * share) for share in shares):
            theirs = split(range(total), shares)
            ours = nn.random_split(np.arange(total), shares)
            assert [len(part) for part in ours] == [len(part) for part in theirs]


@pytest.mark.parametrize("labels", CLASSES, ids=lambda labels: str(np.bincount(labels))[:20])
@pytest.mark.parametrize("shares", [[0.8, 0.2], [0.7, 0.2, 0.1], [0.2] * 5, [1]])
def test_stratified_parts(labels, shares):
    labels = GENERATOR.permutation(labels)
    counts = np.bincount(labels)
    for seed in range(10):
        parts = nn.stratified_split(np.arange(len(labels)), shares, labels, seed)
        sizes = [len(part) for part in nn.random_split(labels, shares)]
        assert [len(part) for part in parts] == sizes
        assert_equal(np.sort(np.concatenate([part[:] for part in parts])), np.arange(len(labels)))
        for part in parts:
            share = len(part) / len(labels)
            found = np.bincount(labels[part.indices], minlength=len(counts))
            bound = 1 + share * (len(shares) - 2)
            assert (abs(found - counts * share) <= bound + 1e-9).all()


def test_stratified_parts_are_random():
    labels = np.repeat(["a", "b"], 4)
    firsts = [nn.stratified_split(labels, [4, 4], labels, seed)[0].indices for seed in range(2000)]
    counts = np.bincount(np.concatenate(firsts))
    assert stats.chisquare(counts).pvalue > 0.01
    assert len({tuple(indices) for indices in firsts}) > 500


WEIGHTED, STRATIFIED, SUBSET = (
    nn.WeightedRandomSampler, nn.StratifiedSampler, nn.SubsetRandomSampler
)  # fmt: skip
X = np.arange(10)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: WEIGHTED([1, -2], 1), ArgumentError, r"not negative, but weight 1 is -2\.0"),
        (lambda: WEIGHTED([1, 2, np.nan], 1), ArgumentError, "finite, but weight 2 is nan"),
        (lambda: WEIGHTED([np.inf, 2], 1), ArgumentError, "finite, but weight 0 is inf"),
        (lambda: WEIGHTED([0, 0], 1), ArgumentError, "all weights are zero"),
        (lambda: WEIGHTED([], 1), ShapeError, r"not empty; they have \(0,\)"),
        (lambda: WEIGHTED([[1, 2]], 1), ShapeError, r"\(examples,\).* they have \(1, 2\)"),
        (lambda: WEIGHTED(["a"], 1), DTypeError, "real numbers"),
        (lambda: WEIGHTED([1], 0), ArgumentError, "num_samples is an integer of 1 or more, not 0"),
        (lambda: WEIGHTED([1], 1.5), ArgumentError, r"not 1\.5"),
        (lambda: WEIGHTED([1, 0, 1], 3, False), ArgumentError, "num_samples is 3, but 2 weights"),
        (lambda: STRATIFIED([]), ShapeError, "not empty"),
        (lambda: STRATIFIED([[1]]), ShapeError, r"they have \(1, 1\)"),
        (lambda: STRATIFIED([0.5]), DTypeError, "integers, booleans or strings, not float64"),
        (lambda: SUBSET([]), ShapeError, "indices are empty"),
        (lambda: SUBSET([1.0]), DTypeError, "integers, not float64"),
        (lambda: SUBSET([True]), DTypeError, r"write np\.flatnonzero\(mask\)"),
        (lambda: SUBSET([2, -1]), ArgumentError, "the least is -1"),
        (lambda: SUBSET(3), ShapeError, r"not \(\)"),
        (lambda: SUBSET([1]).indices("a"), DTypeError, "generator is an int"),
        (lambda: nn.Subset(X, [10]), IndexingError, "index 10 of a dataset of 10 samples"),
        (lambda: nn.Subset(X, [-1]), ArgumentError, "the least is -1"),
        (lambda: nn.Subset(X, [1])[1], IndexError, "out of bounds"),
        (lambda: nn.random_split(X, [0.5, 0.4]), ArgumentError, r"shares to 1; .* sum to 0\.9"),
        (lambda: nn.random_split(X, [5, 4]), ArgumentError, "the number of samples, 10"),
        (lambda: nn.random_split(X, [1.2, -0.2]), ArgumentError, "lengths are not negative"),
        (lambda: nn.random_split(X, [np.nan, 1]), ArgumentError, "lengths are not negative"),
        (lambda: nn.random_split(X, []), ArgumentError, "numbers of samples or shares"),
        (lambda: nn.random_split(X, ["a"]), ArgumentError, "numbers of samples or shares"),
        (lambda: nn.stratified_split(X, [1], X[1:]), ShapeError, "9 labels for a dataset of 10"),
        (lambda: nn.stratified_split(X, [0.6, 0.6], X), ArgumentError, r"sum to 1\.2"),
        (lambda: nn.stratified_split(X, [1], X / 2), DTypeError, "not float64"),
    ],
)
def test_what_is_refused(make, error, told):
    with pytest.raises(error, match=told):
        make()
