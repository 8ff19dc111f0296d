"""Flows as matplotlib figures. matplotlib is imported when the first one is drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from autograd_core.rendering.measured import Measured
from autograd_core.rendering.tables import layers
from autograd_core.rendering.wording import shortened

STYLES = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."))  # distinguishable without colour
NAMES = 40  # the most labels on an axis


def plot_flows(flows: Mapping[str, Measured]) -> Any:
    """The rms of the gradient at each layer, one line for each flow."""
    rows = {name: layers(flow) for name, flow in flows.items()}
    longest = max(rows.values(), key=len)
    figure, axes = _figure(max(6.0, min(0.32 * len(longest) + 2, 11)), 4.6)
    lowest = math.inf
    for place, (name, found) in enumerate(rows.items()):
        marker, line = STYLES[place % len(STYLES)]
        sizes = np.array([layer.gradient.rms if layer.gradient else np.nan for layer in found])
        sizes[sizes == 0] = np.nan  # a zero gradient has no logarithm and leaves a gap
        axes.plot(sizes, linestyle=line, marker=marker, markersize=4.5, label=name)
        lowest = min(lowest, np.nanmin(sizes, initial=math.inf))
    if lowest < math.inf:
        axes.set_yscale("log")
    step = -(-len(longest) // NAMES)
    axes.set_xticks(
        range(0, len(longest), step),
        [shortened(layer.name, 24) for layer in longest[::step]],
        rotation=55,
        ha="right",
        fontsize=8,
    )
    axes.set_ylabel("rms of the gradient")
    axes.set_title("from the input to the loss; the gradient flows from right to left", fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    if len(flows) > 1:
        axes.legend(frameon=False)
    return figure


def plot_history(rows: Mapping[str, Mapping[int, float]], steps: list[int]) -> Any:
    """A heat-map over time: a row for each name, a column for each recorded step."""
    names = list(rows)
    sizes = np.array([[rows[name].get(step, np.nan) for step in steps] for name in names])
    with np.errstate(divide="ignore"):
        decades = np.where(sizes > 0, np.log10(sizes), np.nan)
    figure, axes = _figure(8.0, max(2.6, min(0.26 * len(names) + 1.6, 14)))
    top = float(np.nanmax(decades, initial=-math.inf))
    top = top if top > -math.inf else 0.0
    low = max(float(np.nanmin(decades, initial=math.inf)), top - 12)
    first, last = steps[0], steps[-1]
    half = (last - first) / max(len(steps) - 1, 1) / 2 or 0.5
    image = axes.imshow(
        decades,
        aspect="auto",
        cmap="cividis_r",
        vmin=min(low, top - 2),
        vmax=top,
        interpolation="nearest",
        extent=(first - half, last + half, len(names) - 0.5, -0.5),
    )
    axes.set_facecolor("#f3d9d4")  # gradients that are 0 or not finite
    step = -(-len(names) // NAMES)
    axes.set_yticks(
        range(0, len(names), step), [shortened(n, 28) for n in names[::step]], fontsize=8
    )
    axes.set_xlabel("step")
    axes.set_title("rms of the gradient, input at the top, loss at the bottom", fontsize=10)
    figure.colorbar(image, ax=axes, label="log₁₀ rms", pad=0.02)
    return figure


def _figure(width: float, height: float) -> Any:
    figure = _kind()(figsize=(width, height), layout="constrained", dpi=110)
    return figure, figure.add_subplot()


@cache
def _kind() -> Any:
    """matplotlib's Figure, as one that a notebook shows without pyplot and without a magic command.
    (It shows a plain Figure only once matplotlib's inline backend is active.)"""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "a plot needs matplotlib: pip install matplotlib", name="matplotlib"
        ) from error

    class Plot(Figure):
        def _repr_png_(self) -> bytes:
            return png(self)

        def __reduce__(self) -> Any:  # this class has no name that pickle could import
            return _unmade, (), self.__getstate__()

    return Plot


def _unmade() -> Any:
    return _kind().__new__(_kind())


def png(figure: Any) -> bytes:
    """A figure as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
