"""What a review of `fit` found: whatever decides how a run goes on is saved, or refused."""

import numpy as np
import pytest

import nn
from autograd_core.errors import ArgumentError
from tests.fits import Interrupts, X, Y, parts, weights


def test_a_folder_in_use_is_refused_unless_the_run_is_resumed(tmp_path):
    model, *rest = parts()
    nn.fit(model, *rest, epochs=2, checkpoints=tmp_path)
    with pytest.raises(ArgumentError, match="has checkpoints of another run: pass resume=True"):
        nn.fit(model, *rest, checkpoints=tmp_path)
    nn.Checkpoints(tmp_path).clear()
    nn.fit(model, *rest, checkpoints=tmp_path)


class Noisy(nn.Module):
    """A loss with a weight and generators of its own, in a list and in a closure."""

    def __init__(self):
        self.scale = nn.Parameter(np.array(1.0))
        self.generators = [np.random.default_rng(5)]
        hidden = np.random.default_rng(6)
        self.noise = lambda: hidden.normal() + self.generators[0].normal()
        self.loss = nn.CrossEntropyLoss()

    def forward(self, outputs, y):
        return self.loss(outputs * self.scale, y) + 0.01 * self.noise() * self.scale


class Shuffled:
    """A loader without a state, which draws from np.random, and chains two loaders with states."""

    def __init__(self):
        self.loaders = [nn.DataLoader(nn.TensorDataset(X, Y), 10, shuffle=True, generator=i)
                        for i in range(2)]  # fmt: skip

    def __iter__(self):
        order = np.random.permutation(len(X))
        yield X[order[:10]], Y[order[:10]]
        for loader in self.loaders:
            yield from loader


@pytest.mark.parametrize("stop", [1, 3, 8, 13])
def test_whatever_draws_is_saved(stop, tmp_path):
    def run(**settings):
        np.random.seed(3)
        model, _, _, _ = parts()
        loss = Noisy()
        optimizer = nn.Adam([*model.parameters(), loss.scale], lr=0.01)
        history = nn.fit(model, Shuffled(), loss, optimizer, epochs=3, compile=False, accumulate=4,
                         every=1, **settings)  # fmt: skip
        return history["loss"] if len(history) == 3 else None, weights(model), loss.scale.item()

    losses, expected, scale = run(checkpoints=tmp_path / "a")
    run(checkpoints=tmp_path / "b", callbacks=[Interrupts(stop)])
    again, found, other = run(checkpoints=tmp_path / "b", resume=True)
    assert again == losses
    assert np.array_equal(found, expected)
    assert other == scale


def test_the_last_group_of_a_loader_without_a_length():
    """It ends with its epoch, as with a length."""

    class Batches:
        def __iter__(self):
            return iter([(X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8)])

    ends = []
    for loader in (Batches(), [*Batches()]):
        model, _, loss, optimizer = parts()
        optimizer.parameters[0].grad = np.full_like(optimizer.parameters[0].data, 9.0)  # left
        nn.fit(model, loader, loss, optimizer, epochs=2, accumulate=2)
        ends.append(weights(model))
    assert np.array_equal(*ends)


def test_iterators_and_empty_loaders_are_refused():
    model, loader, loss, optimizer = parts()
    with pytest.raises(ArgumentError, match="gives its batches once"):
        nn.fit(model, iter([(X, Y)]), loss, optimizer, epochs=2)
    with pytest.raises(ArgumentError, match="no batch in epoch 1"):
        nn.fit(model, [], loss, optimizer)
    with pytest.raises(ArgumentError, match="need different names"):
        nn.fit(model, loader, loss, optimizer, metrics=[nn.Accuracy(), nn.Accuracy()])
    with pytest.raises(ArgumentError, match=r"LBFGS calls the loss several times"):
        nn.fit(model, loader, loss, nn.LBFGS(model.parameters()))
    with pytest.raises(ArgumentError, match="every is an integer, at least 1"):
        nn.fit(model, loader, loss, optimizer, every=0)


def test_a_run_that_stops_by_itself_while_it_is_interrupted_stays_stopped(tmp_path):
    class Both(nn.Callback):
        def on_epoch(self, run):
            run.interrupt()
            run.stop = "enough"

    model, *rest = parts()
    nn.fit(model, *rest, epochs=5, checkpoints=tmp_path, callbacks=[Both()])
    assert len(nn.fit(model, *rest, epochs=5, checkpoints=tmp_path, resume=True)) == 1


def test_the_best_weights_are_those_of_the_averaged_model():
    model, *rest = parts(lr=3.0)
    average = nn.AveragedModel(model)
    best = nn.EarlyStopping(patience=3, restore_best=True)
    nn.fit(model, *rest, epochs=6, average=average, valid=rest[0], callbacks=[best])
    found = nn.evaluate(average, rest[0], rest[1])["loss"]
    assert found == pytest.approx(best.best, rel=1e-12)


def test_a_checkpoint_of_something_else(tmp_path):
    nn.Checkpoints(tmp_path).save(1, {"model": {}})
    model, *rest = parts()
    with pytest.raises(ArgumentError, match="not one of fit"):
        nn.fit(model, *rest, checkpoints=tmp_path, resume=True)


def test_evaluation_leaves_frozen_modules_frozen():
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3))
    model[1].eval()
    nn.evaluate(model, [(X, Y)], nn.CrossEntropyLoss())
    assert (model.training, model[0].training, model[1].training) == (True, True, False)
