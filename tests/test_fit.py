"""`fit`: the loop, its options, and what goes wrong."""

import csv
import itertools
import json
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradError, AutogradWarning, NonFiniteError
from nn.history import History
from nn.progress import _bar
from nn.run import Run
from tests.fits import Interrupts, X, Y, parts, weights


def by_hand(epochs, accumulate=1, max_norm=None):
    """The loop that `fit` stands for."""
    model, loader, loss_of, optimizer = parts()
    losses = []
    for _ in range(epochs):
        total = []
        for i, (x, y) in enumerate(loader, 1):
            value = loss_of(model(x), y)
            (value * (1 / accumulate)).backward()
            total.append(value.item())
            if i % accumulate == 0 or i == len(loader):
                if max_norm is not None:
                    nn.clip_grad_norm_(model.parameters(), max_norm)
                optimizer.step()
                optimizer.zero_grad()
        losses.append(sum(total) / len(total))
    return model, losses


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("settings", [{}, {"accumulate": 2}, {"max_norm": 0.1}])
def test_it_is_the_loop_written_by_hand(compiled, settings):
    expected, losses = by_hand(3, **settings)
    model, *rest = parts()
    history = nn.fit(model, *rest, epochs=3, compile=compiled, **settings)
    np.testing.assert_allclose(weights(model), weights(expected), rtol=1e-12)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    assert history["step"] == [5, 10, 15]


def test_validation_and_metrics():
    model, *rest = parts()
    valid = nn.DataLoader(nn.TensorDataset(X[:10], Y[:10]), 4)
    metrics = [nn.Accuracy(), nn.ConfusionMatrix(3)]
    history = nn.fit(model, *rest, epochs=2, valid=valid, metrics=metrics)
    found = model(X[:10]).detach().numpy().argmax(axis=1)
    assert history[-1]["valid_accuracy"] == np.mean(found == Y[:10])
    assert history[-1]["valid_confusion"].sum() == 10
    expected = nn.CrossEntropyLoss()(model(X[:10]), Y[:10]).item()
    assert history[-1]["valid_loss"] == pytest.approx(expected, rel=1e-12)
    assert model.training
    again = nn.evaluate(model, valid, nn.CrossEntropyLoss(), metrics)
    assert again["loss"] == history[-1]["valid_loss"]


def test_metrics_of_the_training():
    model, loader, loss, optimizer = parts(lr=1e-12)
    history = nn.fit(model, loader, loss, optimizer, metrics=[nn.Accuracy()], epochs=2)
    expected = np.mean(model(X).detach().numpy().argmax(axis=1) == Y)
    assert history["accuracy"] == [expected, expected]


def test_schedules():
    model, loader, loss, optimizer = parts()
    schedule = nn.OneCycleLR(optimizer, max_lr=0.1, total_steps=10)
    nn.fit(model, loader, loss, optimizer, epochs=2, schedule=schedule)
    assert schedule.last_epoch == 10
    model, loader, loss, optimizer = parts()
    step, plateau = nn.StepLR(optimizer, 1), None
    history = nn.fit(model, loader, loss, optimizer, epochs=3, epoch_schedule=step)
    np.testing.assert_allclose(history["lr"], [0.1, 0.01, 0.001])
    plateau = nn.ReduceLROnPlateau(optimizer, patience=0, threshold=1e9)
    nn.fit(model, loader, loss, optimizer, epochs=3, epoch_schedule=plateau)
    assert optimizer.lr < 1e-4


def test_a_schedule_of_another_length_is_named():
    model, loader, loss, optimizer = parts()
    long = nn.OneCycleLR(optimizer, max_lr=0.1, total_steps=11)
    with pytest.warns(AutogradWarning, match="has 11 steps, the run ends after 10"):
        nn.fit(model, loader, loss, optimizer, epochs=2, schedule=long)
    short = nn.OneCycleLR(optimizer, max_lr=0.1, total_steps=9)
    with pytest.raises(ArgumentError, match="has 9 steps, and the run needs 10"):
        nn.fit(model, loader, loss, optimizer, epochs=2, schedule=short)


def test_early_stopping():
    model, *rest = parts(lr=1e-12)
    stopping = nn.EarlyStopping(patience=2, min_delta=1e-6)
    history = nn.fit(model, *rest, epochs=50, callbacks=[stopping])
    assert len(history) == 3
    assert stopping.best_epoch == 1
    model, *rest = parts(lr=30.0)
    best = nn.EarlyStopping(patience=3, restore_best=True)
    history = nn.fit(model, *rest, epochs=20, callbacks=[best])
    losses = history["loss"]
    assert best.best == min(losses)
    assert np.array_equal(
        weights(model), np.concatenate([w.ravel() for w in best.weights.values()])
    )
    model, *rest = parts()
    with pytest.raises(ArgumentError, match="no 'valid_accuracy' in the history"):
        nn.fit(model, *rest, callbacks=[nn.EarlyStopping("valid_accuracy")])


def test_an_averaged_model_is_evaluated():
    model, *rest = parts()
    average = nn.AveragedModel(model)
    history = nn.fit(model, *rest, epochs=2, average=average, valid=rest[0])
    assert int(average.n_averaged.data) == 10
    expected = nn.evaluate(average, rest[0], rest[1])["loss"]
    assert history[-1]["valid_loss"] == pytest.approx(expected, rel=1e-12)
    assert expected != pytest.approx(nn.evaluate(model, rest[0], rest[1])["loss"], rel=1e-3)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_the_log(suffix, tmp_path):
    model, *rest = parts()
    path = tmp_path / "new" / f"log.{suffix}"
    history = nn.fit(model, *rest, epochs=3, log=path, metrics=[nn.ConfusionMatrix(3)])
    with path.open() as file:
        rows = [json.loads(line) for line in file] if suffix == "jsonl" else [*csv.DictReader(file)]
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert history.save(tmp_path / f"again.{suffix}").read_text() == path.read_text()
    with pytest.raises(ArgumentError, match=r"a log is a \.jsonl or a \.csv file"):
        nn.fit(model, *rest, log=tmp_path / "log.txt")


def test_the_history_shows_itself():
    model, *rest = parts()
    history = nn.fit(model, *rest, epochs=2, valid=rest[0], metrics=[nn.Accuracy()])
    assert repr(history).startswith("<History, 2 epochs; the last: epoch 2, step 10, loss ")
    assert history.table().splitlines()[0].split()[:3] == ["epoch", "step", "loss"]
    assert "<table" in history._repr_html_()
    figure = history.plot()
    assert [line.get_label() for line in figure.axes[0].lines] == ["loss", "valid_loss"]
    assert [line.get_label() for line in figure.axes[1].lines] == ["valid_accuracy"]
    with pytest.raises(ArgumentError, match="no row has 'speed'"):
        history["speed"]
    assert repr(History()) == "<History: no epoch has ended>"


# ---- losses that are not finite ------------------------------------------------------------------


class Root(nn.Module):
    """Its gradient is infinite where x is 0."""

    def __init__(self):
        self.w = nn.Parameter(np.array([1.0]))

    def forward(self, x):
        return ac.sqrt(self.w * x)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_first_operation_that_is_not_finite_is_named(accumulate):
    x = np.ones((40, 1))
    x[25] = 0.0
    model = Root()
    loader = nn.DataLoader(nn.TensorDataset(x, 2 * x), 5)
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            NonFiniteError,
            match=r"the loss is nan at step \d\. At step \d \(epoch 1, batch \d\): sqrt",
        ) as found,
    ):
        nn.fit(model, loader, nn.MSE(), nn.SGD(model.parameters(), lr=0.01), accumulate=accumulate)
    assert np.isfinite(model.w.data).all(), "the weights before it"
    assert "test_fit.py" in str(found.value)


def test_nan_in_the_data_is_named():
    x = np.ones((12, 1))
    x[7] = np.nan
    model = nn.Linear(1, 1)
    loader = nn.DataLoader(nn.TensorDataset(x, x), 4)
    with pytest.raises(NonFiniteError, match=r"the loss is nan at step 2"):
        nn.fit(model, loader, nn.MSE(), nn.SGD(model.parameters(), lr=0.1))


# ---- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_ends_after_a_whole_step_and_the_run_resumes(tmp_path):
    whole, *rest = parts()
    expected = nn.fit(whole, *rest, epochs=4)
    model, *rest = parts()
    before = signal.getsignal(signal.SIGINT)
    history = nn.fit(model, *rest, epochs=4, checkpoints=tmp_path, callbacks=[Interrupts(8)])
    assert history.interrupted
    assert len(history) == 1
    assert signal.getsignal(signal.SIGINT) is before
    model, *rest = parts()
    history = nn.fit(model, *rest, epochs=4, checkpoints=tmp_path, resume=True,
                     callbacks=[Interrupts(-1)])  # fmt: skip
    assert history["loss"] == expected["loss"]
    assert np.array_equal(weights(model), weights(whole))


def test_the_second_ctrl_c_interrupts_at_once():
    class Twice(Interrupts):
        def on_step(self, run):
            super().on_step(run)
            super().on_step(run)

    model, *rest = parts()
    with pytest.raises(KeyboardInterrupt):
        nn.fit(model, *rest, epochs=4, callbacks=[Twice(3)])


# ---- resuming ------------------------------------------------------------------------------------


def test_a_finished_run_does_nothing_more_and_can_be_made_longer(tmp_path):
    model, *rest = parts()
    first = nn.fit(model, *rest, epochs=2, checkpoints=tmp_path)
    other, *rest = parts()
    assert (
        nn.fit(other, *rest, epochs=2, checkpoints=tmp_path, resume=True)["loss"] == first["loss"]
    )
    assert np.array_equal(weights(other), weights(model))
    longer = nn.fit(other, *rest, epochs=3, checkpoints=tmp_path, resume=True)
    whole, *rest = parts()
    assert longer["loss"] == nn.fit(whole, *rest, epochs=3)["loss"]


def test_early_stopping_is_remembered(tmp_path):
    for epochs in (50, 50, 60):
        model, *rest = parts(lr=1e-12)
        history = nn.fit(model, *rest, epochs=epochs, checkpoints=tmp_path, resume=True,
                         callbacks=[nn.EarlyStopping(patience=2, min_delta=1e-6)])  # fmt: skip
        assert len(history) == 3


def test_loaders_without_a_state_are_skipped_to_the_place(tmp_path):
    batches = [(X[i : i + 8], Y[i : i + 8]) for i in range(0, 40, 8)]

    def run(**settings):
        model, _, loss, optimizer = parts()
        return nn.fit(model, batches, loss, optimizer, epochs=3, **settings), model

    expected, whole = run()
    run(checkpoints=tmp_path, callbacks=[Interrupts(7)])
    history, model = run(checkpoints=tmp_path, resume=True, callbacks=[Interrupts(-1)])
    assert history["loss"] == expected["loss"]
    assert np.array_equal(weights(model), weights(whole))


def test_another_architecture_is_refused_and_nothing_is_loaded(tmp_path):
    model, *rest = parts()
    nn.fit(model, *rest, checkpoints=tmp_path)
    other = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    before = weights(other)
    optimizer = nn.SGD(other.parameters(), lr=0.5)
    with pytest.raises(AutogradError, match=r"(?s)0\.weight.*2\.weight"):
        nn.fit(other, rest[0], rest[1], optimizer, checkpoints=tmp_path, resume=True)
    assert np.array_equal(weights(other), before)
    momentum = nn.Adam(model.parameters(), lr=0.5)
    before = weights(model)
    with pytest.raises(ArgumentError, match="optimizer: SGD, now Adam"):
        nn.fit(model, rest[0], rest[1], momentum, checkpoints=tmp_path, resume=True)
    assert np.array_equal(weights(model), before)
    with pytest.raises(ArgumentError, match="valid: nothing, now DataLoader"):
        nn.fit(model, *rest, checkpoints=tmp_path, resume=True, valid=rest[0])


def test_two_runs_on_one_folder(tmp_path):
    code = (
        "import nn, sys, time\n"
        f"with nn.Checkpoints({str(tmp_path)!r}).locked():\n"
        "    print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    model, *rest = parts()
    with pytest.raises(AutogradError, match=rf"used by another run \(process {process.pid}\)"):
        nn.fit(model, *rest, checkpoints=tmp_path)
    process.kill()
    process.communicate()
    nn.fit(model, *rest, checkpoints=tmp_path)  # the lock has ended with the process


def test_the_clock_may_jump(monkeypatch, tmp_path):
    times = itertools.cycle([1e9, 0.0, 5e9])
    monkeypatch.setattr(time, "time", lambda: next(times))
    model, *rest = parts()
    history = nn.fit(model, *rest, epochs=2, checkpoints=tmp_path)
    assert all(0 < s < 60 for s in history["seconds"])
    assert nn.Checkpoints(tmp_path).load().step == 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "epochs is an integer, at least 1"),
        ({"accumulate": 1.5}, "accumulate is an integer, at least 1"),
        ({"every": 3}, "every=, without checkpoints=, has no effect"),
        ({"resume": True}, "resume=True needs checkpoints="),
    ],
)
def test_settings_that_are_none(settings, words):
    model, *rest = parts()
    with pytest.raises(ArgumentError, match=words):
        nn.fit(model, *rest, **settings)


def test_the_bar_is_quiet_without_a_terminal(capfd):
    model, *rest = parts()
    nn.fit(model, *rest, epochs=2)
    assert capfd.readouterr() == ("", "")
    nn.fit(model, *rest, epochs=2, progress=True)
    said = capfd.readouterr().err
    assert "epoch 2/2" in said
    assert "5/5" in said
    assert "loss" in said


def test_the_bar_of_a_notebook_without_widgets_is_text(monkeypatch):
    monkeypatch.setattr("nn.progress._in_notebook", lambda: True)
    monkeypatch.setattr("nn.progress.find_spec", lambda name: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _bar().__module__ == "tqdm.std"


def test_metrics_in_place_of_the_loss():
    model, loader, *_ = parts()
    with pytest.raises(TypeError, match="third argument is the loss"):
        nn.evaluate(model, loader, [nn.Accuracy()])


def test_a_run_is_seen_by_callbacks():
    calls = []

    class Notes(nn.Callback):
        def on_start(self, run):
            assert isinstance(run, Run)
            calls.append("start")

        def on_step(self, run):
            calls.append(run.step)

        def on_epoch(self, run):
            calls.append(run.history[-1]["epoch"])

        def on_end(self, run):
            calls.append("end")

    model, *rest = parts(batch=20)
    nn.fit(model, *rest, epochs=2, callbacks=[Notes()])
    assert calls == ["start", 1, 2, 1, 3, 4, 2, "end"]
