"""The results of a training run: curves, confusion matrix, worst mistakes, metrics, graph."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.rendering import RendererError, draw

METRICS = "metrics.csv"
COLUMNS = ("epoch", "seconds", "train_mse", "train_acc", "valid_mse", "valid_acc")


def write(
    out: Path, history: list[dict[str, float]], test: Any, outputs: Any, loss: Tensor, model: Any
) -> None:
    """Write all results to `out`. `outputs` (n, 10) are those of the model for the test images."""
    import matplotlib

    matplotlib.use("Agg")
    written = [out / "weights.npz", out / METRICS, _curves(out, history)]
    written += [_confusion(out, test.labels, outputs), _mistakes(out, test, outputs)]
    written += _graph(out, loss, model)
    print("written:", *written, sep="\n  ")


def begin(out: Path) -> None:
    """Remove the files of an earlier run from `out`, and start the table of metrics."""
    for name in ("weights.npz", "curves.png", "confusion.png", "mistakes.png", "graph.svg",
                 "graph.html"):  # fmt: skip
        (out / name).unlink(missing_ok=True)
    with (out / METRICS).open("w", newline="") as file:
        csv.writer(file).writerow(COLUMNS)


def add(out: Path, row: dict[str, float]) -> None:
    """Append the metrics of an epoch to the table on disk."""
    with (out / METRICS).open("a", newline="") as file:
        csv.DictWriter(file, COLUMNS).writerow(row)


def _curves(out: Path, history: list[dict[str, float]]) -> Path:
    import matplotlib.pyplot as plt

    epochs = [row["epoch"] for row in history]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, quantity, label in zip(
        axes, ["acc", "mse"], ["accuracy / %", "mean squared error"], strict=True
    ):
        for part, style in (("train", "-"), ("valid", "--")):
            values = [row[f"{part}_{quantity}"] for row in history]
            axis.plot(epochs, values, style, marker="." if len(epochs) < 20 else None, label=part)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle("Learning curves")
    return _saved(figure, out / "curves.png")


def _confusion(out: Path, labels: Any, outputs: Any) -> Path:
    import matplotlib.pyplot as plt

    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, outputs.argmax(1)), 1)
    mistakes = counts - np.diag(counts.diagonal())
    figure, axis = plt.subplots(figsize=(6.5, 6), layout="constrained")
    axis.imshow(mistakes, cmap="Oranges")
    for true in range(10):
        for predicted in range(10):
            weight = "bold" if true == predicted else "normal"
            dark = mistakes[true, predicted] > 0.6 * mistakes.max()
            axis.text(
                predicted,
                true,
                str(counts[true, predicted]),
                ha="center",
                va="center",
                fontsize=9,
                fontweight=weight,
                color="white" if dark else "black",
            )
    axis.set(xticks=range(10), yticks=range(10), xlabel="predicted digit", ylabel="true digit")
    accuracy = counts.trace() / counts.sum() * 100
    axis.set_title(f"Test images: {accuracy:.2f} % correct (mistakes in colour)")
    return _saved(figure, out / "confusion.png")


def _mistakes(out: Path, test: Any, outputs: Any) -> Path:
    """Plot the wrong predictions with the largest margin over the true class."""
    import matplotlib.pyplot as plt

    rows = np.arange(len(outputs))
    predicted = outputs.argmax(1)
    surplus = outputs[rows, predicted] - outputs[rows, test.labels]
    worst = np.argsort(-surplus)[:25]
    worst = worst[surplus[worst] > 0]
    figure, axes = plt.subplots(5, 5, figsize=(7.5, 9.2), layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, worst, strict=False):
        axis.imshow(test.x[i].reshape(28, 28), cmap="gray_r", interpolation="nearest")
        true, wrong = test.labels[i], predicted[i]
        text = f"predicted {wrong} ({outputs[i, wrong]:.1%})\ntrue {true} ({outputs[i, true]:.1%})"
        axis.set_title(text, fontsize=9)
    figure.suptitle(
        "Worst mistakes on the test images\nIn brackets: the confidence, the output for that digit"
    )
    return _saved(figure, out / "mistakes.png")


def _graph(out: Path, loss: Tensor, model: Any) -> list[Path]:
    """Write an interactive page, which needs no renderer, and a picture, which does."""
    drawing = draw(loss, model=model)
    written = [drawing.save(out / "graph.html")]
    try:
        written.append(drawing.save(out / "graph.svg"))
    except RendererError as error:
        print(f"no SVG of the graph, only the page: {error}")
    return written


def _saved(figure: Any, path: Path) -> Path:
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
