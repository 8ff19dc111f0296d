"""Random numbers by the coordinates of an example: reproducible, and random."""

import time

import numpy as np
import pytest
from scipy import stats

import nn
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from tests.host import assert_close, assert_equal

MANY = np.arange(20_000)


def every_kind(draws):
    """One call of each method, in turn."""
    yield draws.uniform(-1, 2, size=3)
    yield draws.integers(-5, 5)
    yield draws.normal(size=(2, 2))
    yield draws.bernoulli(0.3, size=2)
    yield draws.uniform()


def test_an_example_gets_the_same_numbers_in_every_batch():
    together = list(every_kind(nn.Draws(5, 2, np.arange(30))))
    order = np.random.default_rng(0).permutation(30)
    for rows in np.split(order, [1, 2, 13]):
        for whole, part in zip(together, every_kind(nn.Draws(5, 2, rows)), strict=True):
            assert_equal(part, whole[rows])


def test_shapes_and_dtypes():
    draws = nn.Draws(0, 0, [4, 9])
    assert len(draws) == 2
    for made, dtype in [
        (draws.uniform, np.float64),
        (draws.normal, np.float64),
        (lambda size=(): draws.integers(0, 3, size), np.int64),
        (lambda size=(): draws.bernoulli(0.5, size), np.bool_),
    ]:
        assert made().shape == (2,)
        assert made(size=3).shape == (2, 3)
        assert made(size=(3, 0)).shape == (2, 3, 0)
        assert made(size=(2, 3)).dtype == dtype
    assert nn.Draws(0, 0, []).normal(size=4).shape == (0, 4)


def test_numbers_of_one_call_are_those_of_several():
    one, several = nn.Draws(1, 2, [3]), nn.Draws(1, 2, [3])
    assert_equal(one.uniform(size=3)[0], [several.uniform()[0] for _ in range(3)])


def test_the_hash_is_splitmix64s():
    """By Python's integers, from the paper's program."""
    word = (1 << 64) - 1

    def mix(z):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & word
        z = (z ^ z >> 27) * 0x94D049BB133111EB & word
        return z ^ z >> 31

    gamma, (seed, epoch, index) = 0x9E3779B97F4A7C15, (2**63 + 11, 7, 2**40 + 1)
    key = mix(seed + gamma & word)
    key = mix(key + gamma * (epoch + 1) & word)
    key = mix(key + gamma * index & word)
    expected = [(mix(key + gamma * (i + 1) & word) >> 11) / 2**53 for i in range(5)]
    assert_equal(nn.Draws(seed, epoch, [index]).uniform(size=5)[0], expected)


def test_known_numbers():
    """So that a seed means the same in later versions."""
    draws = nn.Draws(0, 0, [0, 1])
    assert_close(draws.uniform(), [0.7682768830978309, 0.1296456182997474], rtol=1e-15)
    assert_equal(draws.integers(0, 1000), [539, 49])


@pytest.mark.parametrize(
    "numbers",
    [
        nn.Draws(0, 0, MANY).uniform(),
        nn.Draws(0, 1, MANY).uniform(size=3)[:, 2],
        nn.Draws(0, 0, [0]).uniform(size=20_000)[0],
        np.concatenate([nn.Draws(seed, 0, [0]).uniform() for seed in range(3000)]),
        np.concatenate([nn.Draws(0, epoch, [0]).uniform() for epoch in range(3000)]),
        nn.Draws(0, 0, MANY << 32).uniform(),
    ],
    ids=["indices", "third draw", "draws", "seeds", "epochs", "far indices"],
)
def test_uniform_along_each_coordinate(numbers):
    assert stats.kstest(numbers, "uniform").pvalue > 0.01
    counts = np.bincount((numbers * 50).astype(int), minlength=50)
    assert stats.chisquare(counts).pvalue > 0.01
    bits = (numbers * 2.0**53).astype(np.uint64)[:, None] >> np.arange(53, dtype=np.uint64) & 1
    deviations = (bits.mean(axis=0) - 0.5) * 2 * np.sqrt(len(numbers))
    assert abs(deviations).max() < 4.5, "every bit is 1 half of the time"
    for apart in (1, 2, 8):
        together = np.corrcoef(numbers[:-apart], numbers[apart:])[0, 1]
        assert abs(together) * np.sqrt(len(numbers)) < 3.5


def test_neighbours_are_independent():
    first = nn.Draws(3, 4, MANY).uniform(size=2)
    neighbours = {
        "seed": nn.Draws(4, 4, MANY).uniform(),
        "epoch": nn.Draws(3, 5, MANY).uniform(),
        "index": nn.Draws(3, 4, MANY + 1).uniform(),
        "exchanged": nn.Draws(4, 3, MANY).uniform(),
        "draw": first[:, 1],
    }
    for name, numbers in neighbours.items():
        together = np.corrcoef(first[:, 0], numbers)[0, 1]
        assert abs(together) * np.sqrt(len(MANY)) < 3.5, name
        squares = np.histogram2d(first[:, 0], numbers, 10, [(0, 1), (0, 1)])[0]
        assert stats.chisquare(squares.ravel()).pvalue > 0.005, name


def test_the_distributions():
    draws = nn.Draws(8, 0, MANY)
    assert stats.kstest(draws.normal(), "norm").pvalue > 0.01
    assert stats.kstest(draws.normal(size=2)[:, 1], "norm").pvalue > 0.01
    counts = np.bincount(draws.integers(-3, 4) + 3)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 0.01
    for p in (0.1, 0.8):
        assert stats.binomtest(int(draws.bernoulli(p).sum()), len(MANY), p).pvalue > 0.01
    assert not draws.bernoulli(0).any()
    assert draws.bernoulli(1).all()
    scaled = draws.uniform(-4, 8)
    assert stats.kstest(scaled, stats.uniform(-4, 12).cdf).pvalue > 0.01
    assert_equal(draws.uniform(2, 2), np.full(len(MANY), 2.0))
    assert draws.integers(0, 2**32).max() > 2**31


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: nn.Draws(-1, 0, [0]), ArgumentError, r"seed is an integer of \[0, 2\*\*64\)"),
        (lambda: nn.Draws(2**64, 0, [0]), ArgumentError, "seed"),
        (lambda: nn.Draws(0.5, 0, [0]), DTypeError, "seed is an integer, not a float"),
        (lambda: nn.Draws(0, None, [0]), DTypeError, "epoch is an integer, not a NoneType"),
        (lambda: nn.Draws(0, 0, 3), ShapeError, r"the shape \(n,\), not \(\)"),
        (lambda: nn.Draws(0, 0, [[1]]), ShapeError, r"not \(1, 1\)"),
        (lambda: nn.Draws(0, 0, [0.5]), DTypeError, "integers, not float64"),
        (lambda: nn.Draws(0, 0, [3, -1]), ArgumentError, "the least is -1"),
        (lambda: nn.Draws(0, 0, [0]).uniform(2, 1), ArgumentError, "low ≤ high"),
        (lambda: nn.Draws(0, 0, [0]).uniform(0, np.inf), ArgumentError, "finite"),
        (lambda: nn.Draws(0, 0, [0]).integers(3, 3), ArgumentError, "low is 3 and high is 3"),
        (lambda: nn.Draws(0, 0, [0]).integers(0, 2**33), ArgumentError, r"2\*\*32"),
        (lambda: nn.Draws(0, 0, [0]).integers(0, 2.5), TypeError, "float"),
        (lambda: nn.Draws(0, 0, [0]).bernoulli(1.5), ArgumentError, r"p is .* not 1.5"),
        (lambda: nn.Draws(0, 0, [0]).bernoulli(np.nan), ArgumentError, "p is a probability"),
        (lambda: nn.Draws(0, 0, [0]).uniform(size=-1), ArgumentError, "no negative lengths"),
    ],
)
def test_what_is_refused(make, error, told):
    with pytest.raises(error, match=told):
        make()


def test_a_draw_of_256_examples_takes_less_than_a_tenth_of_a_millisecond():
    draws = nn.Draws(0, 0, np.arange(256))
    seconds = []
    for _ in range(200):
        start = time.perf_counter()
        draws.uniform()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1e-4
