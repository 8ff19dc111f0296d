"""A small residual network on MNIST, with batch normalisation and images deformed at random.

    python -m examples.residual [--quick] [--seed 0]

Two residual blocks (He et al., 2016, figure 2) of 32 and 64 channels; 73,000 parameters. It is
trained on 50,000 images in batches of 128, each moved, turned and bent a little, and answers with
the mean of its weights over the last steps; the settings were chosen on the other 10,000 images.
The step is compiled. The picture shows the channels that each part of the network makes of some
digits, and where it finds the digit. With seed 0, 99.58 % of the test images are recognised after
twelve epochs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.images import Images, deformed, run, train
from examples.lecture import save

EPOCHS, BATCH, RATE, DECAY, WIDTH = 12, 128, 5e-3, 1e-2, 32


class Block(nn.Module):
    """x and two convolutions of x, added; with a stride, x goes through a convolution too."""

    def __init__(self, inputs: int, outputs: int, stride: int, generator: Any) -> None:
        how: Any = {"bias": False, "generator": generator, "dtype": np.float32}
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, **how)
        self.norm1 = nn.BatchNorm2d(outputs, dtype=np.float32)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, **how)
        self.norm2 = nn.BatchNorm2d(outputs, dtype=np.float32)
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, **how),
            nn.BatchNorm2d(outputs, dtype=np.float32),
        )

    def forward(self, x: Any) -> Any:
        """ReLU of the sum."""
        y = ac.relu(self.norm1(self.conv1(x)))
        return ac.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


def network(generator: Any, width: int = WIDTH) -> nn.Sequential:
    """A convolution with maxima, two blocks, the mean over the picture, and a linear layer."""
    how: Any = {"generator": generator, "dtype": np.float32}
    return nn.Sequential(
        nn.Conv2d(1, width // 2, 3, 1, 1, bias=False, **how),
        nn.BatchNorm2d(width // 2, dtype=np.float32), nn.ReLU(), nn.MaxPool2d(2),
        Block(width // 2, width, 1, generator), Block(width, 2 * width, 2, generator),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1, generator=generator),
        nn.Linear(2 * width, 10, **how),
    )  # fmt: skip


def fitted(images: Images, valid: Images, seed: int, epochs: int = EPOCHS) -> Any:
    """The mean of the trained network over its last steps."""
    generator = np.random.default_rng(seed)
    model, loss_of = network(generator), nn.CrossEntropyLoss()
    averaged = nn.AveragedModel(model, nn.get_ema_avg_fn(0.998), use_buffers=True)
    groups = nn.parameter_groups(model, (nn.biases_and_norms, {"weight_decay": 0.0}))
    optimizer = nn.AdamW(groups, weight_decay=DECAY)
    steps = len(images.x) // BATCH * epochs
    schedule = nn.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)

    @ac.compile
    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    batches = partial(deformed, images, BATCH, generator)
    train(model, step, batches, schedule, epochs, valid, averaged)
    return averaged.module


def plot(model: nn.Sequential, test: Images, path: Path) -> Path:
    """Channels behind each part for three digits, and the score of the digit by place."""
    import matplotlib.pyplot as plt

    model.eval()
    figure, axes = plt.subplots(3, 8, figsize=(13, 5), layout="constrained")
    titles = ["image", "first layer", "", "block 1", "", "block 2", "", "score by place"]
    with ac.no_grad():
        for row, i in zip(axes, (0, 4, 7), strict=True):
            x, shown = test.x[i : i + 1], [test.x[i, 0]]
            for place, layer in enumerate(model):
                if isinstance(layer, nn.AdaptiveAvgPool2d):
                    break
                x = layer(x)
                if place in (3, 4, 5):
                    strongest = np.argsort(-x.data[0].mean((1, 2)))[:2]
                    shown += list(x.data[0, strongest])
            weights = model[-1].weight.data[test.y[i]]
            shown.append(np.tensordot(weights, x.data[0], 1))
            for one, image, title in zip(row, shown, titles, strict=True):
                one.imshow(image, cmap="viridis" if title == titles[-1] else "gray")
                one.set_title(title if i == 0 else "")
                one.axis("off")
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Train, print the accuracy on the test images, and draw."""
    run("residual", "a residual network on MNIST", fitted, plot, EPOCHS, 2, arguments)


if __name__ == "__main__":
    main()
