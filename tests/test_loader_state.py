"""The position of a loader, threads, samplers, transforms and shards."""

import threading
import time

import numpy as np
import pytest

import nn
from autograd_core.errors import ArgumentError, ShapeError

X = np.arange(20)


def rows(loader, count=None):
    """The first batches of a pass, as lists."""
    found = []
    for batch in loader:
        found.append(batch.numpy().tolist())
        if len(found) == count:
            break
    return found


def flat(lists):
    return [entry for entries in lists for entry in entries]


class Slow:
    """A dataset whose items take different times."""

    def __init__(self, fails_at=None):
        self.fails_at, self.threads = fails_at, set()

    def __len__(self):
        return 20

    def __getitem__(self, i):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.003 * (i % 3 == 0))
        if i == self.fails_at:
            raise KeyError("broken")
        return np.array(i)


def noisy(batch, draws):
    return batch + draws.uniform(0.0, 0.5)


SETTINGS = {
    "in order": {},
    "shuffled": {"shuffle": True},
    "threads": {"shuffle": True, "num_workers": 2},
    "transform": {"shuffle": True, "transform": noisy, "num_workers": 1},
    "part": {"shuffle": True, "shard": (1, 3)},
    "weights": {"sampler": nn.WeightedRandomSampler(np.arange(20.0), 20)},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("stop", [0, 1, 2, 3, 5])
def test_a_pass_continues_where_its_state_was_taken(name, stop):
    def made():
        return nn.DataLoader(X * 1.0, 4, generator=3, **SETTINGS[name])

    whole = made()
    expected = [rows(whole) for _ in range(3)]
    stop = min(stop, len(whole))
    first = made()
    seen = [rows(first)]
    part = rows(first, stop) if stop else []
    state = first.state_dict()
    second = made()
    rows(second, 2)  # whatever it did before
    second.load_state_dict(state)
    seen.append(part + rows(second))
    seen.append(rows(second))
    assert seen == expected


def test_the_generator_may_be_shared_with_layers():
    """It is not drawn from again for the rest of the pass."""
    generator = np.random.default_rng(0)
    loader = nn.DataLoader(X, 4, shuffle=True, generator=generator)
    part = rows(loader, 2)
    generator.random(5)
    state, following = loader.state_dict(), generator.random()
    other = np.random.default_rng(9)
    again = nn.DataLoader(X, 4, shuffle=True, generator=other)
    again.load_state_dict(state)
    rest = rows(again)
    assert sorted(flat(part + rest)) == X.tolist()
    assert other.random() == following


def test_a_pass_that_is_left_half_way_is_over():
    loader = nn.DataLoader(X, 4, shuffle=True, generator=0)
    rows(loader, 2)
    assert (loader.epoch, loader.batch) == (0, 2)
    assert len(rows(loader)) == 5
    assert (loader.epoch, loader.batch) == (2, 0)


def test_the_last_of_several_iterators_is_the_position():
    loader = nn.DataLoader(X, 4)
    first, second = iter(loader), iter(loader)
    next(first), next(first), next(second)
    next(first)
    assert loader.batch == 1


def test_threads_keep_the_order_and_end():
    dataset = Slow()
    before = threading.active_count()
    loader = nn.DataLoader(dataset, 4, shuffle=True, generator=1, num_workers=3)
    plain = nn.DataLoader(Slow(), 4, shuffle=True, generator=1)
    assert rows(loader) == rows(plain)
    assert all(name.startswith("DataLoader") for name in dataset.threads)
    assert rows(loader, 1)  # left half-way
    assert threading.active_count() == before


def test_no_more_batches_are_made_than_the_bound_allows():
    dataset = Slow()
    seen = []
    dataset.__class__ = type("Counted", (Slow,), {
        "__getitem__": lambda self, i: seen.append(i) or Slow.__getitem__(self, i)})  # fmt: skip
    batches = iter(nn.DataLoader(dataset, 1, num_workers=2, prefetch_factor=2))
    next(batches)
    time.sleep(0.1)
    assert len(seen) == 5  # one that was given out, four in advance
    batches.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_that_raises_is_named(workers):
    before = threading.active_count()
    with pytest.raises(KeyError, match="broken") as found:
        rows(nn.DataLoader(Slow(fails_at=13), 4, num_workers=workers))
    assert found.value.__notes__ == ["DataLoader: raised by item 13 of the dataset"]
    assert threading.active_count() == before


def test_the_shards_of_a_pass_are_equally_long_and_cover_it():
    parts = [nn.DataLoader(X, 4, shuffle=True, generator=5, shard=(i, 3)) for i in range(3)]
    assert {len(part) for part in parts} == {2}
    found = [flat(rows(part)) for part in parts]
    assert {len(part) for part in found} == {7}
    assert set(flat(found)) == set(X.tolist())
    single = nn.DataLoader(X[:2], 1, shard=(2, 3))  # more shards than samples
    assert rows(single) == [[0]]


def test_draws_belong_to_the_example_not_to_the_batch():
    def of(size, workers, **more):
        loader = nn.DataLoader(
            X * 1.0, size, generator=2, transform=noisy, num_workers=workers, **more
        )
        return [sorted(flat(rows(loader))) for _ in range(2)]

    assert of(4, 0) == of(7, 2) == of(20, 1)
    assert of(4, 0)[0] != of(4, 0)[1], "new draws in each pass"


def test_transforms_of_the_parts_of_a_batch():
    data = nn.TensorDataset(X * 1.0, X)
    loader = nn.DataLoader(data, 20, transform=(noisy, None))
    ((x, y),) = loader
    assert np.all((x.numpy() >= X) & (x.numpy() < X + 0.5))
    assert y.numpy().tolist() == X.tolist()
    samples = [{"image": float(i), "mask": float(i), "label": i} for i in range(5)]
    loader = nn.DataLoader(samples, 5, transform={"image": noisy, "mask": noisy})
    (batch,) = loader
    assert batch["image"].numpy().tolist() == batch["mask"].numpy().tolist() != [0, 1, 2, 3, 4]
    assert batch["label"].numpy().tolist() == [0, 1, 2, 3, 4]


def test_samples_of_other_libraries_are_taken_all_at_once():
    class Table:
        def __len__(self):
            return 6

        def __getitem__(self, i):
            raise AssertionError

        def __getitems__(self, rows):
            return [{"x": np.float32(i)} for i in rows]

    assert [b["x"].numpy().tolist() for b in nn.DataLoader(Table(), 3)] == [[0, 1, 2], [3, 4, 5]]


def test_a_file_that_is_mapped_to_memory(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(6, 2))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert [b.shape for b in nn.DataLoader(mapped, 4, num_workers=1)] == [(4, 2), (2, 2)]


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"num_workers": -1}, ArgumentError, "num_workers is an integer, at least 0"),
        ({"num_workers": 1.5}, ArgumentError, "num_workers is an integer, at least 0"),
        ({"prefetch_factor": 0}, ArgumentError, "prefetch_factor is an integer, at least 1"),
        ({"shard": (3, 3)}, ArgumentError, r"shard is \(i, n\) with 0 <= i < n"),
        ({"sampler": [], "shuffle": False}, ShapeError, "empty"),
        ({"sampler": [1], "shuffle": True}, ArgumentError, "a sampler decides the order"),
    ],
)
def test_settings_that_are_none(settings, error, words):
    with pytest.raises(error, match=words):
        nn.DataLoader(X, 4, **settings)


def test_states_that_do_not_fit():
    loader = nn.DataLoader(X, 4)
    with pytest.raises(ArgumentError, match="lacks"):
        loader.load_state_dict({"epoch": 1})
    state = nn.DataLoader(X[:9], 4).state_dict()
    with pytest.raises(ArgumentError, match="9 samples in batches of 4; this loader has 20 in"):
        loader.load_state_dict(state)


def test_an_example_that_a_sampler_gives_twice_has_its_own_draws():
    loader = nn.DataLoader(X * 1.0, 4, sampler=[3, 3, 3, 3], transform=noisy)
    (batch,) = loader
    assert len(set(batch.numpy().tolist())) == 4


def test_parts_of_datasets_are_taken_at_once():
    class Rows(nn.TensorDataset):
        def __getitem__(self, i):
            raise AssertionError("one by one")

    part, _ = nn.random_split(Rows(X * 1.0, X), [12, 8], generator=0)
    inner = nn.Subset(part, [3, 1, 2])
    expected = part.indices[[3, 1, 2]].tolist()
    ((x, y),) = nn.DataLoader(inner, 3)
    assert x.numpy().tolist() == y.numpy().tolist() == expected
