"""Examples with convolutions and sequences: each runs quickly, leaves its picture and learns."""

import importlib

import numpy as np
import pytest

import autograd_core as ac
import nn
from examples import adding, conductivity, diffusion, images, lenet, residual, vae
from tests.host import processor_seconds

LEFT = {
    "lenet": ["checkpoints", "lenet.png", "log.jsonl"],
    "residual": ["residual.png"],
    "adding": ["adding.png"],
    "vae": ["vae.png"],
    "diffusion": ["diffusion.gif", "diffusion.png"],
    "conductivity": ["conductivity.png"],
}
STARTS = {".png": b"\x89PNG", ".gif": b"GIF8"}


@pytest.mark.parametrize("name", LEFT)
def test_an_example_runs_quickly_and_leaves_its_picture(name, tmp_path, capsys):
    if name == "conductivity":
        pytest.importorskip("scipy")
    start = processor_seconds()
    importlib.import_module(f"examples.{name}").main(["--quick", "--out", str(tmp_path)])
    assert processor_seconds() - start < 15
    assert sorted(path.name for path in tmp_path.iterdir()) == LEFT[name]
    printed = capsys.readouterr().out
    for file in [file for file in LEFT[name] if file[-4:] in STARTS]:
        assert str(tmp_path / file) in printed
        assert (tmp_path / file).read_bytes().startswith(STARTS["." + file.partition(".")[2]])


def test_images_are_read_at_places_between_their_pixels():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(3, 1, 28, 28)).astype(np.float32)
    still = np.broadcast_to(images.GRID + 13.5, (3, 2, 28, 28))
    np.testing.assert_array_equal(images.read_at(x, still), x)
    moved = images.read_at(x, still + np.array([0, 0.25], np.float32)[:, None, None])
    between = 0.75 * x[..., :-1] + 0.25 * x[..., 1:]
    np.testing.assert_allclose(moved[..., :-1], between, atol=1e-6)
    paper = np.float32(-images.MEAN / images.DEVIATION)
    assert np.all(images.read_at(x, still + 40) == paper)


def test_images_are_deformed_by_a_pixel_or_two():
    places = images.places(500, np.random.default_rng(0))
    assert places.dtype == np.float32
    far = np.linalg.norm(places - (images.GRID + 13.5), axis=1)
    assert 1 < np.sqrt(np.mean(far**2)) < 2.5
    step = np.diff(places[:, 0], axis=1)
    assert np.all((step > 0) & (step < 2)), "no image is folded over"
    given = images.Images(np.zeros((10, 1, 28, 28), np.float32), np.arange(10))
    seen = [labels for _, labels in images.deformed(given, 5, np.random.default_rng(0))]
    assert sorted(np.concatenate(seen)) == list(range(10))


@pytest.mark.parametrize("network", [lenet.network, residual.network])
def test_networks_of_images_learn(network):
    """A few steps on one batch make its loss small."""
    (x, y), _, _ = images.mnist()
    x, y = x[:64], y[:64]
    model, loss_of = network(np.random.default_rng(0)), nn.CrossEntropyLoss()
    optimizer = nn.Adam(model.parameters(), lr=2e-3)

    @ac.compile
    def step(x, y):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(x, y).item() for _ in range(40)]
    assert losses[0] > 2
    assert losses[-1] < 0.3
    assert step.programs


def test_the_lstm_beats_a_constant():
    """On short sequences, after half a minute."""
    model, _ = adding.fitted(600, 8)
    x, y = adding.sequences(500, 8, np.random.default_rng(3))
    with ac.no_grad():
        assert np.mean((model(x).data - y) ** 2) < 0.03
    found = adding.cells(model, x[:, 0])
    assert found.shape == (8, adding.UNITS)


def test_the_bound_of_the_autoencoder_is_pytorchs():
    torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    model = vae.Autoencoder(np.random.default_rng(0))
    x = np.random.default_rng(1).random((5, 784), np.float32)
    state = model.generator.bit_generator.state
    pixels, divergence = vae.bound(model, x)
    model.generator.bit_generator.state = state
    logits, mean, log_variance = (torch.tensor(a.detach().numpy()) for a in model(x))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.tensor(x), reduction="sum") / 5  # fmt: skip
    normal = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    standard = torch.distributions.Normal(0.0, 1.0)
    other = torch.distributions.kl_divergence(normal, standard).sum() / 5
    assert pixels.item() == pytest.approx(expected.item(), rel=1e-4)
    assert divergence.item() == pytest.approx(other.item(), rel=1e-4)


def test_removing_the_true_noise_finds_the_points():
    """With a network that knows the only point, the samples are that point."""
    point = np.array([0.7, -0.4], np.float32)

    class Known(nn.Module):
        def forward(self, x, t):
            kept = diffusion.KEPT[t.astype(int), None]
            return ac.Tensor((x - np.sqrt(kept) * point) / np.sqrt(1 - kept))

    frames = diffusion.sampled(Known(), 200)
    assert len(frames) == diffusion.STEPS + 1
    np.testing.assert_allclose(frames[-1], np.tile(point, (200, 1)), atol=0.02)


def test_the_gradient_of_the_simulation():
    observed = conductivity.simulated(conductivity.true(), 100)
    assert conductivity.misfit(conductivity.true(), observed, 0.0) == 0
    log_k = np.random.default_rng(0).normal(size=conductivity.PLACES) / 10
    gradient = ac.grad(conductivity.misfit)(log_k, observed)
    direction = np.random.default_rng(1).normal(size=conductivity.PLACES)
    step = 1e-5
    ahead, behind = (conductivity.misfit(log_k + s * direction, observed) for s in (step, -step))
    assert gradient @ direction == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("name", ["lenet", "transformer"])
def test_an_example_that_was_interrupted_is_resumed(name, tmp_path, capsys):
    """The steps that are missing are made, and the result is that of a whole run."""
    example = importlib.import_module(f"examples.{name}")
    more = ["--quick"] + ["--epochs", "2"] * (name == "lenet")
    example.main([*more, "--out", str(tmp_path / "whole")])
    expected = capsys.readouterr().out
    run = nn.Run.train

    def interrupted(self):
        self.callbacks.append(Interrupts())
        run(self)

    class Interrupts(nn.Callback):
        def on_step(self, run):
            if run.step == 25:
                run.interrupt()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Run, "train", interrupted)
        with pytest.raises(SystemExit, match="--resume continues the run"):
            example.main([*more, "--out", str(tmp_path / "resumed")])
    capsys.readouterr()
    example.main([*more, "--resume", "--out", str(tmp_path / "resumed")])

    def results(text):  # without the places of the files, and the seconds
        lines = [line for line in text.splitlines() if "picture" not in line]
        numbers = [line.lstrip()[:1].isdigit() for line in lines]
        return [line.rsplit(maxsplit=1)[0] if n else line
                for line, n in zip(lines, numbers, strict=True)]  # fmt: skip

    assert results(capsys.readouterr().out) == results(expected)
