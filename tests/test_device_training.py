"""Training on a CUDA device, played by the stand-in: as on the host, and without waiting."""

from functools import partial

import numpy as np
import pytest

import autograd_core as ac
import nn
from examples import mnist_mlp
from tests.fake_cupy import device as fake
from tests.stand_in import cuda  # noqa: F401  (a fixture of every test)

# One step of the lecture's network: 9 launches forward (a layer is product, bias and sigmoid; the
# loss three), 11 backward, 4 for the update of the four parameters. Unfused it is about 32.
LAUNCHES_OF_A_STEP = 24


def network(dtype=np.float32, device="cuda:0"):
    generator = np.random.RandomState(1)
    settings = {
        "initializer": partial(nn.init.normal_, std=0.1),
        "generator": generator,
        "dtype": dtype,
    }
    model = nn.Sequential(
        nn.Linear(784, 50, **settings), nn.Sigmoid(), nn.Linear(50, 10, **settings), nn.Sigmoid()
    )
    return model.to(device)


def batch(dtype=np.float32, device="cuda:0", rows=100):
    generator = np.random.default_rng(2)
    x = ac.Tensor(generator.uniform(-1, 1, (rows, 784)), dtype=dtype, device=device)
    y = ac.Tensor(nn.one_hot(generator.integers(0, 10, rows), 10, dtype), device=device)
    return x, y


def step(model, loss_of, optimizer, x, y):
    loss = loss_of(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# ---- the step -----------------------------------------------------------------------------------


@pytest.fixture
def plain_layout():
    """Results laid out as NumPy and CuPy do it, not at random: a transposed gradient costs one more
    launch for its contiguous copy."""
    fake.shuffle_strides(None)
    yield
    fake.shuffle_strides(0)


def assert_free_running(step):
    """`step` makes the host wait for nothing, moves nothing, and keeps to its launches."""
    model, (x, y) = network(), batch()
    optimizer, loss_of = nn.SGD(model.parameters(), lr=0.1), nn.MSE("batch")
    step(model, loss_of, optimizer, x, y)
    with fake.counting() as counts:
        step(model, loss_of, optimizer, x, y)
    assert counts.waits == 0
    assert counts.transfers_in == 0
    assert counts.transfers_out == 0
    assert counts.launches == LAUNCHES_OF_A_STEP, counts.launches


def test_a_training_step_neither_waits_nor_transfers(plain_layout):
    assert_free_running(step)


@pytest.mark.parametrize(
    "careless",
    [
        lambda loss, x: loss.item(),
        lambda loss, x: bool(loss > 0),
        lambda loss, x: x.cpu(),
        lambda loss, x: x.data[x.data > 0],
        lambda loss, x: ac.Tensor(np.ones(3), device="cuda:0"),
        lambda loss, x: loss + 1,
    ],
    ids=["item", "bool", "cpu", "mask", "host data", "a launch more"],
)
def test_a_step_that_waits_or_transfers_is_seen(careless, plain_layout):
    def wrong(*parts):
        careless(step(*parts), parts[-1])

    with pytest.raises(AssertionError):
        assert_free_running(wrong)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    "loss_of",
    [nn.MSE("batch"), nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss()],
    ids=lambda loss: type(loss).__name__,
)
def test_steps_on_the_device_equal_steps_on_the_host(loss_of, momentum):
    ends = []
    for device in ("cpu", "cuda:1"):
        model = network(np.float64, device)
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=momentum)
        x, y = batch(np.float64, device)
        for _ in range(3):
            step(model, loss_of, optimizer, x, y)
        assert {p.device for p in model.parameters()} == {device}
        ends.append(model.state_dict())
    for name in ends[0]:
        np.testing.assert_allclose(ends[1][name], ends[0][name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_training_goes_on_after_a_move(momentum):
    ends = []
    for places in (["cpu"] * 3, ["cuda:0", "cpu", "cuda:1"]):
        model = network(np.float64, "cpu")
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=momentum)
        for place in places:
            model.to(place)
            step(model, nn.MSE("batch"), optimizer, *batch(np.float64, place))
        ends.append(model.state_dict())
    for name in ends[0]:
        np.testing.assert_allclose(ends[1][name], ends[0][name], rtol=1e-12, atol=1e-14)


def test_the_loss_is_read_once_a_logged_line():
    def waits(batches):
        model = network()
        with fake.counting() as counts:
            nn.fit(model, [batch()] * batches, nn.MSE("batch"), nn.SGD(model.parameters(), lr=0.1))
        return counts.waits + counts.transfers_out

    assert waits(350) - waits(150) == 2, "one look in a hundred steps"


def test_the_main_job_runs_there(tmp_path, capsys):
    said = []
    for device in ("cpu", "cuda"):
        mnist_mlp.main(
            ["--quick", "--epochs", "1", "--device", device, "--out", str(tmp_path / device)]
        )
        lines = capsys.readouterr().out.splitlines()
        said.append([line.split("  mse")[0] for line in lines if line.startswith("epoch")])
    assert said[0] == said[1], "the same start, the same batches, the same result"


def test_weights_on_disk_come_from_anywhere(tmp_path):
    model = network()
    path = nn.save_state(model.state_dict(), tmp_path / "weights.npz")
    other = network(device="cuda:1")
    other.load_state_dict(nn.load_state(path))
    assert other[0].weight.device == "cuda:1"
    np.testing.assert_array_equal(other.state_dict()["0.weight"], model.state_dict()["0.weight"])
