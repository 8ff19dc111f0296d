"""A diffusion model of points in the plane, and an animation of how it makes new ones.

    python -m examples.diffusion [--quick]

Noise is added to points of two spirals in 100 steps, and a network learns to predict it (Ho et al.,
2020, algorithm 1). From noise alone, the network then removes the noise that it predicts, step by
step (algorithm 2). The training step is compiled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save, takes

STEPS, UNITS, BATCH = 100, 128, 512
BETAS = np.geomspace(1e-4, 0.2, STEPS)  # variances of the noise that is added in each step
KEPT = np.cumprod(1 - BETAS)  # share of the variance that is left of the points


def spirals(count: int, generator: Any) -> Any:
    """Points (count, 2) of two spirals, with mean 0 and deviation about 1."""
    angle = np.sqrt(generator.random(count)) * 3 * np.pi
    side = generator.choice([-1, 1], count)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * (side * angle / 5)[:, None]
    return (points + 0.03 * generator.normal(size=(count, 2))).astype(np.float32)


class Denoiser(nn.Module):
    """Predicts the noise in x (n, 2) after step t (n,). It sees both as sines and cosines of
    several frequencies too (Tancik et al., 2020)."""

    def __init__(self, generator: Any) -> None:
        how: Any = {"generator": generator, "dtype": np.float32}
        inputs = 2 + 2 * (2 * 4 + 8)
        self.layers = nn.Sequential(
            nn.Linear(inputs, UNITS, **how), nn.SiLU(), nn.Linear(UNITS, UNITS, **how), nn.SiLU(),
            nn.Linear(UNITS, UNITS, **how), nn.SiLU(), nn.Linear(UNITS, 2, **how),
        )  # fmt: skip

    def forward(self, x: Any, t: Any) -> Any:
        """The noise (n, 2)."""
        times = t[:, None] * (np.pi / STEPS * 2.0 ** np.arange(8)).astype(np.float32)
        places = [x * np.float32(frequency) for frequency in (1, 2, 4, 8)]
        angles = ac.concatenate([*places, times], axis=1)
        return self.layers(ac.concatenate([x, ac.sin(angles), ac.cos(angles)], axis=1))


def fitted(steps: int, seed: int = 0) -> nn.Module:
    """The average of the trained network over its last steps."""
    generator = np.random.default_rng(seed)
    model, loss_of = Denoiser(generator), nn.MSELoss()
    averaged = nn.AveragedModel(model, nn.get_ema_avg_fn(0.995))
    optimizer = nn.Adam(model.parameters())
    schedule = nn.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)

    @ac.compile
    def step(x: Any, t: Any, noise: Any) -> Any:
        loss = loss_of(model(x, t), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for i in range(steps):
        points, noise = spirals(BATCH, generator), generator.standard_normal((BATCH, 2), np.float32)
        t = generator.integers(0, STEPS, BATCH)
        kept = KEPT[t, None].astype(np.float32)
        noisy = np.sqrt(kept) * points + np.sqrt(1 - kept) * noise
        losses.append(step(noisy, t.astype(np.float32), noise).item())
        averaged.update_parameters(model)
        schedule.step()
        if (i + 1) % max(1, steps // 8) == 0:
            print(f"step {i + 1:5}: squared error of the noise {np.mean(losses[-100:]):.3f}")
    return averaged.module


def sampled(model: nn.Module, count: int, seed: int = 1) -> list[Any]:
    """Points at each step, from noise to new points of the spirals."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, 2), np.float32)
    found = [x]
    with ac.no_grad():
        for t in reversed(range(STEPS)):
            noise = model(x, np.full(count, t, np.float32)).data
            x = (x - BETAS[t] / np.sqrt(1 - KEPT[t]) * noise) / np.sqrt(1 - BETAS[t])
            if t:
                x = x + np.sqrt(BETAS[t]) * generator.normal(size=x.shape)
            x = x.astype(np.float32)
            found.append(x)
    return found


def distance(points: Any, generator: Any) -> float:
    """The mean distance of points from the nearest of 4,000 points of the spirals."""
    true = spirals(4000, generator)
    return float(np.mean([np.sqrt(((true - p) ** 2).sum(1)).min() for p in points]))


def animate(frames: list[Any], path: Path, every: int = 2) -> Path:
    """The points at every second step, as a GIF."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter

    figure, axes = plt.subplots(figsize=(4, 4), layout="constrained")
    (dots,) = axes.plot([], [], ".", ms=2)
    axes.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    shown = [*frames[::every], *[frames[-1]] * (30 // every)]

    def draw(i: int) -> list[Any]:
        dots.set_data(*shown[i].T)
        axes.set_title(f"step {min(every * i, len(frames) - 1)} of {len(frames) - 1}")
        return [dots]

    FuncAnimation(figure, draw, frames=len(shown)).save(path, PillowWriter(fps=15), dpi=70)
    plt.close(figure)
    return path


def plot(frames: list[Any]) -> Any:
    """Five of the steps, and true points."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 6, figsize=(15, 2.8), layout="constrained")
    places = [0, STEPS // 2, STEPS * 3 // 4, STEPS * 9 // 10, STEPS]
    panels = [(f"step {place}", frames[place]) for place in places]
    panels.append(("true points", spirals(len(frames[0]), np.random.default_rng(3))))
    for one, (title, points) in zip(axes, panels, strict=True):
        one.plot(*points.T, ".", ms=1.5)
        one.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", title=title)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Train, sample, and draw."""
    chosen = options("A diffusion model of points", "diffusion", arguments)
    takes("three minutes", chosen.quick)
    ac.keep_heap()
    model = fitted(200 if chosen.quick else 8000)
    frames = sampled(model, 300 if chosen.quick else 1500)
    generator = np.random.default_rng(4)
    print(f"mean distance from the spirals: {distance(frames[-1], generator):.3f} "
          f"(noise: {distance(frames[0], generator):.3f})")  # fmt: skip
    every = 20 if chosen.quick else 2
    print(f"animation: {animate(frames, chosen.out / 'diffusion.gif', every)}")
    print(f"picture: {save(plot(frames), chosen.out / 'diffusion.png')}")


if __name__ == "__main__":
    main()
