"""One-hot labels, and the mean squared error of one prediction.

    python -m examples.one_hot_mse

The image is a 2, and the ten outputs of the network are given. The lecture's slide shows the
one-hot vector of the 2 with nine entries by mistake; ten digits need ten. The gradient
2 (ŷ − y) / n shows which outputs to change; that of the binary cross-entropy has the same signs and
is larger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save

OUTPUT = np.array([0.1, 0.03, 0.9, 0.1, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1])
LABEL = 2
SLIDE = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def picture(path: Path, target: Any, slopes: dict[str, Any]) -> Path:
    """Plot the output and the target above, the gradients below."""
    import matplotlib.pyplot as plt

    digits = np.arange(len(target))
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(9, 6), layout="constrained")
    above.bar(digits - 0.2, target, 0.4, color="lightgray", edgecolor="gray", label="target y")
    bars = above.bar(digits + 0.2, OUTPUT, 0.4, color="tab:blue", label="output ŷ")
    above.bar_label(bars, fmt="%g", fontsize=9)
    above.set(ylabel="value", ylim=(0, 1.15), title=f"An image of a {LABEL}: target and output")
    colours = {-0.2: "tab:orange", 0.2: "tab:purple"}
    for (shift, colour), (name, slope) in zip(colours.items(), slopes.items(), strict=True):
        bars = below.bar(digits + shift, slope, 0.4, color=colour, label=name)
        below.bar_label(bars, fmt="%.2g", fontsize=8, padding=2)
    below.axhline(0, color="black", linewidth=0.8)
    below.margins(y=0.15)
    below.set(xlabel="digit", ylabel="∂L/∂ŷ", title="Gradients: descent moves against them")
    below.set_xticks(digits)
    for axis in (above, below):
        axis.legend()
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Encode the labels, compute losses and gradients; --quick has no effect."""
    chosen = options("One-hot labels and the MSE of one digit.", "one_hot_mse", arguments)
    labels = np.array([1, 0, 2])
    print("labels", labels, "as one-hot rows:", *nn.one_hot(labels, 3).astype(int))

    target = nn.one_hot(LABEL, len(OUTPUT))
    try:
        nn.MSE()(OUTPUT, SLIDE)
    except ac.ShapeError as error:
        print("with the slide's nine entries:", error)

    mse, slope = ac.value_and_grad(nn.MSE())(OUTPUT, target)
    entropy, entropy_slope = ac.value_and_grad(nn.BCELoss())(OUTPUT, target)
    by_hand = 2 * (OUTPUT - target) / len(OUTPUT)
    print(f"\n{'digit':16}", *(f"{digit:7}" for digit in range(len(OUTPUT))))
    for name, row in (
        ("target y", target),
        ("output ŷ", OUTPUT),
        ("squared error", (OUTPUT - target) ** 2),
        ("∂MSE/∂ŷ", slope),
        ("2 (ŷ - y) / n", by_hand),
        ("∂BCE/∂ŷ", entropy_slope),
    ):
        print(f"{name:16}", *(f"{number:7.4f}" for number in row))
    print(f"\nmean squared error    {mse:.5f}")
    print(f"binary cross-entropy  {entropy:.5f}")
    print(f"largest difference of ∂MSE/∂ŷ from 2 (ŷ - y) / n: {abs(slope - by_hand).max():.1e}")
    slopes = {"mean squared error": slope, "binary cross-entropy": entropy_slope}
    print("\npicture:", picture(chosen.out / "one_hot_mse.png", target, slopes))


if __name__ == "__main__":
    main()
