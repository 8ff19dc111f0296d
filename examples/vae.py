"""A variational autoencoder of MNIST with a plane of two latent variables.

    python -m examples.vae [--quick]

The encoder gives a normal distribution of z for each image, the decoder the probability of each
pixel for z. Both are trained by the evidence lower bound (Kingma and Welling, 2014, equation 10),
with z = μ + σ ε. The step is compiled, the draws of ε included. The picture shows where the test
images lie in the plane, and what the decoder makes of its points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.images import DATA
from examples.lecture import options, save, takes

BATCH, UNITS = 128, 400


def images(count: int) -> tuple[Any, Any, Any]:
    """Training images with pixels in [0, 1], test images and their labels."""
    mnist = nn.read_mnist(DATA)
    x, test = (array.reshape(-1, 784).astype(np.float32) / 255
               for array in (mnist.train_images, mnist.test_images))  # fmt: skip
    return x[:count], test[: count // 5], mnist.test_labels[: count // 5]


class Autoencoder(nn.Module):
    """784 - 400 - 400 - (μ, log σ²) and back."""

    def __init__(self, generator: Any) -> None:
        how: Any = {"generator": generator, "dtype": np.float32}
        self.encoder = nn.Sequential(
            nn.Linear(784, UNITS, **how), nn.SiLU(), nn.Linear(UNITS, UNITS, **how), nn.SiLU(),
            nn.Linear(UNITS, 4, **how),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(2, UNITS, **how), nn.SiLU(), nn.Linear(UNITS, UNITS, **how), nn.SiLU(),
            nn.Linear(UNITS, 784, **how),
        )  # fmt: skip
        self.generator = generator

    def forward(self, x: Any) -> Any:
        """The logits of the pixels for a draw of z, and μ and log σ²."""
        mean, log_variance = ac.split(self.encoder(x), 2, axis=1)
        noise = self.generator.standard_normal((len(x), 2), np.float32)
        z = mean + ac.exp(log_variance / 2) * noise
        return self.decoder(z), mean, log_variance


def bound(model: Autoencoder, x: Any) -> tuple[Any, Any]:
    """The two parts of the negative lower bound, in nats per image: the cross entropy of the pixels
    and the divergence of the distribution of z from the standard normal."""
    logits, mean, log_variance = model(x)
    pixels = ac.sum(ac.softplus(logits) - x * logits) / len(x)
    divergence = ac.sum(mean**2 + ac.exp(log_variance) - 1 - log_variance) / (2 * len(x))
    return pixels, divergence


def fitted(x: Any, epochs: int, seed: int = 0) -> Autoencoder:
    """The trained autoencoder."""
    generator = np.random.default_rng(seed)
    model = Autoencoder(generator)
    optimizer = nn.Adam(model.parameters())
    batches = len(x) // BATCH
    schedule = nn.OneCycleLR(optimizer, max_lr=2e-3, total_steps=batches * epochs)

    @ac.compile
    def step(x: Any) -> Any:
        pixels, divergence = bound(model, x)
        optimizer.zero_grad()
        (pixels + divergence).backward()
        optimizer.step()
        return pixels, divergence

    for epoch in range(1, epochs + 1):
        order, sums = generator.permutation(len(x)), np.zeros(2)
        for i in range(batches):
            sums += [float(part.item()) for part in step(x[order[i * BATCH : (i + 1) * BATCH]])]
            schedule.step()
        pixels, divergence = sums / batches
        print(f"epoch {epoch:2}: {pixels + divergence:.1f} nats per image "
              f"({pixels:.1f} pixels, {divergence:.1f} divergence)", flush=True)  # fmt: skip
    return model


def plane(model: Autoencoder, side: int, most: float = 2.2) -> Any:
    """What the decoder makes of a grid of points, as one picture."""
    along = np.linspace(-most, most, side, dtype=np.float32)
    points = np.stack(np.meshgrid(along, along[::-1]), axis=-1).reshape(-1, 2)
    with ac.no_grad():
        digits = ac.sigmoid(model.decoder(points)).data
    return digits.reshape(side, side, 28, 28).swapaxes(1, 2).reshape(side * 28, side * 28)


def plot(model: Autoencoder, test: Any, labels: Any) -> Any:
    """The means of the test images, and the plane."""
    import matplotlib.pyplot as plt

    with ac.no_grad():
        means = model.encoder(test).data[:, :2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    dots = left.scatter(*means.T, c=labels, s=3, cmap="tab10", vmin=-0.5, vmax=9.5)
    figure.colorbar(dots, ax=left, ticks=range(10), label="digit")
    left.set(xlabel="z₁", ylabel="z₂", title="test images", xlim=(-4, 4), ylim=(-4, 4))
    right.imshow(plane(model, 20), cmap="gray", extent=(-2.2, 2.2, -2.2, 2.2))
    right.set(xlabel="z₁", ylabel="z₂", title="what the decoder makes of the plane")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Train, print the bound on test images, and draw."""
    chosen = options("A variational autoencoder of MNIST", "vae", arguments)
    takes("five minutes", chosen.quick)
    ac.keep_heap()
    x, test, labels = images(3_000 if chosen.quick else 60_000)
    model = fitted(x, 2 if chosen.quick else 20)
    with ac.no_grad():
        pixels, divergence = bound(model, test)
    print(f"test images: {pixels.item() + divergence.item():.1f} nats per image")
    print(f"picture: {save(plot(model, test, labels), chosen.out / 'vae.png')}")


if __name__ == "__main__":
    main()
