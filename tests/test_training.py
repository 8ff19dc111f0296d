"""The main job: hand-derived backpropagation, the published run, and what can go wrong."""

import csv
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from examples import mnist_mlp, mnist_options, mnist_split

ROOT = Path(__file__).parent.parent
DATA = ROOT / "examples" / "data" / "mnist"


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def small_network(seed=0):
    generator = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(6, 4, generator=generator), nn.Sigmoid(),
        nn.Linear(4, 3, generator=generator), nn.Sigmoid(),
    )  # fmt: skip
    for parameter in model.parameters():
        parameter.data = generator.normal(size=parameter.shape)
    return model, generator.normal(size=(5, 6)), np.eye(3)[generator.integers(0, 3, 5)]


def test_the_lectures_backpropagation_by_hand():
    """Each factor of the chain rule as the lecture writes it, on every weight and bias."""
    model, x, y = small_network()
    w_h, b_h, w_out, b_out = (parameter.data for parameter in model.parameters())
    z_h = x @ w_h.T + b_h
    a_h = sigmoid(z_h)
    z_out = a_h @ w_out.T + b_out
    a_out = sigmoid(z_out)
    dl_da_out = 2 * (a_out - y) / len(y)
    delta_out = dl_da_out * a_out * (1 - a_out)  # ∂L/∂a · ∂a/∂z, kept and reused
    delta_h = (delta_out @ w_out) * a_h * (1 - a_h)  # the sum over the paths through both outputs
    by_hand = [delta_h.T @ x, delta_h.sum(0), delta_out.T @ a_h, delta_out.sum(0)]

    loss = nn.MSE("batch")(model(x), y)
    loss.backward()
    np.testing.assert_allclose(loss.item(), ((a_out - y) ** 2).sum(1).mean(), rtol=1e-14)
    for parameter, gradient in zip(model.parameters(), by_hand, strict=True):
        np.testing.assert_allclose(parameter.grad.data, gradient, rtol=1e-12)


def test_one_hidden_weight_is_the_sum_over_its_two_paths():
    """The lecture's small network: two inputs, two hidden, two outputs, number by number."""
    w_h, w_out = np.array([[0.1, 0.4], [-0.3, 0.2]]), np.array([[0.5, -0.2], [0.3, 0.6]])
    x, y = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    h = sigmoid(w_h @ x)
    out = sigmoid(w_out @ h)
    paths = [
        2 * (out[k] - y[k]) * out[k] * (1 - out[k]) * w_out[k, 0] * h[0] * (1 - h[0]) * x[0]
        for k in range(2)
    ]
    hidden = ac.Tensor(w_h, requires_grad=True)
    prediction = ac.sigmoid(w_out @ ac.sigmoid(hidden @ x))
    ((prediction - y) ** 2).sum().backward()
    np.testing.assert_allclose(hidden.grad.data[0, 0], sum(paths), rtol=1e-13)


def test_primitives_and_nn_agree():
    model, x, y = small_network()
    leaves = [ac.Tensor(p.data.copy(), requires_grad=True) for p in model.parameters()]
    w_h, b_h, w_out, b_out = leaves
    out = ac.sigmoid(ac.sigmoid(x @ w_h.T + b_h) @ w_out.T + b_out)
    (((out - y) ** 2).sum(axis=1).mean()).backward()
    nn.MSE("batch")(model(x), y).backward()
    for parameter, leaf in zip(model.parameters(), leaves, strict=True):
        np.testing.assert_allclose(parameter.grad.data, leaf.grad.data, rtol=1e-12)


def test_the_published_run(tmp_path, capsys):
    """All 50 epochs of Raschka et al. (2022), chapter 11, and the test accuracy."""
    mnist_mlp.main(["--out", str(tmp_path / "run")])
    with (tmp_path / "run" / "metrics.csv").open() as file:
        ours = list(csv.DictReader(file))
    with (ROOT / "tests" / "data" / "published_trajectory.csv").open() as file:
        published = list(csv.DictReader(file))
    assert len(ours) == len(published) == 50
    for row, expected in zip(ours, published, strict=True):
        for name in ("train_acc", "valid_acc"):
            assert abs(float(row[name]) - float(expected[name])) <= 0.05, row
        for name in ("train_mse", "valid_mse"):
            assert float(row[name]) == pytest.approx(float(expected[name]), rel=1e-3)
    said = capsys.readouterr().out
    accuracy = float(said.split("test accuracy")[1].split("%")[0])
    assert abs(accuracy - 94.54) <= 0.15
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"weights.npz", "metrics.csv", "curves.png", "confusion.png", "mistakes.png"} <= names
    assert "graph.html" in names


@pytest.mark.oracle
def test_the_stored_split_is_the_published_one():
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install -e '.[oracles]'")
    mnist = nn.read_mnist(DATA)
    drawn = mnist_split.draw_split(np.concatenate([mnist.train_labels, mnist.test_labels]))
    for stored, expected in zip(mnist_split.stored(), drawn, strict=True):
        np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize(
    "options",
    [
        ["--activation", "relu", "--loss", "cross_entropy", "--lr", "0.05", "--dtype", "float32"],
        ["--hidden", "30", "20", "--activation", "tanh", "--loss", "cross_entropy", "--l2", "1e-4"],
        ["--batch", "0", "--activation", "tanh"],
        ["--batch", "1", "--epochs", "1"],
    ],
    ids=" ".join,
)
def test_options(options, tmp_path, capsys):
    mnist_mlp.main(["--quick", "--out", str(tmp_path), *options])
    accuracy = float(capsys.readouterr().out.split("test accuracy")[1].split("%")[0])
    assert accuracy > (8 if "0" in options else 60)


# ---- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--lr", "0"], "--lr must be positive"),
        (["--lr", "-1"], "--lr must be positive"),
        (["--lr", "nan"], "--lr must be positive"),
        (["--batch", "55001"], "there are 55,000"),
        (["--quick", "--batch", "5001"], "there are 5,000"),
        (["--batch", "-1"], "--batch must be 0 or more"),
        (["--epochs", "0"], "at least 1"),
        (["--hidden", "0"], "--hidden must be positive"),
        (["--l2", "-1"], "--l2 must be 0 or more"),
        (["--activation", "swish"], "invalid choice"),
        (["--unknown"], "unrecognized arguments"),
        (["--device", "cuda:99"], "CUDA device"),
        (["--out", "/dev/null/x"], "not a folder that can be written to"),
        (["--device", "gpu"], "a device is 'cpu', 'cuda' or"),
    ],
)
def test_bad_options_are_refused_before_any_work(options, complaint, tmp_path, capsys):
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as stopped:
        mnist_mlp.main(["--out", str(out), "--data", str(tmp_path / "nowhere"), *options])
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered", "not gzip", "too short"])
def test_a_bad_data_file_is_named_and_nothing_is_written(damage, tmp_path):
    data, out = tmp_path / "mnist", tmp_path / "run"
    shutil.copytree(DATA, data)
    victim = data / "t10k-labels-idx1-ubyte.gz"
    content = gzip.decompress(victim.read_bytes())
    if damage == "missing":
        victim.unlink()
    elif damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-100])
    elif damage == "altered":
        victim.write_bytes(gzip.compress(content[:-1] + b"\x05"))
    elif damage == "not gzip":
        victim.write_bytes(b"<html>")
    else:
        victim.write_bytes(gzip.compress(content[:500]))
    with pytest.raises(nn.DataError) as raised:
        mnist_mlp.main(["--quick", "--data", str(data), "--out", str(out)])
    message = str(raised.value)
    assert "t10k-labels-idx1-ubyte" in message
    assert "Get it from https://" in message
    assert damage == "missing" or ("expected" in message and "found" in message)
    assert not out.exists()


def test_the_command_says_it_without_a_traceback(tmp_path):
    done = run(["--quick", "--data", str(tmp_path), "--out", str(tmp_path / "run")])
    assert done.returncode == 1
    assert "train-images-idx3-ubyte.gz is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_unpacked_files_are_read_too(tmp_path):
    for packed in DATA.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    mnist = nn.read_mnist(tmp_path)
    assert mnist.train_images.shape == (60_000, 784)
    assert np.bincount(mnist.test_labels).tolist()[:3] == [980, 1135, 1032]


@pytest.mark.filterwarnings("ignore:backward.. of NaN")
def test_a_loss_that_is_not_finite_stops_training(tmp_path, capsys):
    options = ["--quick", "--activation", "identity", "--loss", "cross_entropy", "--lr", "1e200"]
    with pytest.raises(SystemExit) as stopped:
        mnist_mlp.main([*options, "--out", str(tmp_path)])
    said = stopped.value.code
    assert re.match(r"training stops in epoch 1: fit: the loss is (nan|inf) at step \d\.", said)
    assert re.search(r"At step \d \(epoch 1, batch \d\): \w+ \(.*\) returned", said)
    assert "Try a smaller --lr" in said
    weights = nn.load_state(tmp_path / "weights.npz")
    assert all(np.isfinite(array).all() for array in weights.values())


def run(options, **settings):
    return subprocess.run(
        [sys.executable, "-m", "examples.mnist_mlp", *options],
        capture_output=True, text=True, cwd=ROOT, **settings,
    )  # fmt: skip


def test_an_explicit_option_wins_over_quick():
    assert mnist_options.parsed(["--quick"]).epochs == 3
    assert mnist_options.parsed(["--quick", "--epochs", "7"]).epochs == 7
    assert mnist_options.parsed([]).epochs == 50


def interrupted(folder, *options, at, after=0.1):
    """The files and the rows of metrics of a run that is interrupted after a line of output."""
    # a process in the background has SIGINT ignored by the shell, and so would its child
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.mnist_mlp", "--out", str(folder), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        for line in process.stdout:
            if line.startswith(at):
                time.sleep(after)
                process.send_signal(signal.SIGINT)
                break
        rest, _ = process.communicate(timeout=120)
    finally:
        process.kill()  # one that does not stop would go on beside the tests after this
    assert process.returncode in (0, 130), rest
    assert "Traceback" not in rest
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = {path.name for path in folder.iterdir()}
    assert {"weights.npz", "curves.png", "confusion.png", "mistakes.png"} <= names
    assert any(name.startswith("graph.") for name in names)
    return process.returncode, rows, rest


def test_ctrl_c_leaves_the_files_of_a_finished_run(tmp_path):
    code, rows, said = interrupted(tmp_path / "run", at="epoch   2")
    assert code == 130
    assert "stopped by Ctrl-C after" in said
    assert len(rows) >= 2


def test_ctrl_c_in_the_first_epoch_leaves_them_too_and_nothing_of_an_earlier_run(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "metrics.csv").write_text("of another run")
    code, rows, said = interrupted(out, "--batch", "1", at="  3: Sigmoid", after=1)
    assert code == 130
    assert "after 0 whole epochs" in said
    assert rows == []


def test_ctrl_c_during_the_report_lets_it_end(tmp_path):
    code, rows, _ = interrupted(tmp_path, "--quick", "--epochs", "1", at="test accuracy", after=0)
    assert code == 0
    assert len(rows) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--batch", "0", "--lr", "1.7e308", "--l2", "1000", "--loss", "cross_entropy"],
        ["--batch", "0", "--lr", "1e38", "--l2", "1e3", "--dtype", "float32"],
    ],
)
def test_weights_that_overflow_are_never_the_last_good_ones(options, tmp_path, capsys):
    """The loss is finite, and no gradient is at fault: the step was too long."""
    with pytest.raises(SystemExit) as stopped:
        mnist_mlp.main(
            ["--quick", "--epochs", "1", "--activation", "relu", *options, "--out", str(tmp_path)]
        )
    assert "every gradient was finite, but not 0.weight after it" in stopped.value.code
    weights = nn.load_state(tmp_path / "weights.npz")
    assert all(np.isfinite(array).all() for array in weights.values())
