"""Why gradients vanish: twenty layers of sigmoids, of hyperbolic tangents and of ReLUs.

    python -m examples.vanishing_gradients

The derivative of a sigmoid is at most 1/4, and the backward pass multiplies the gradient by it in
every layer. `record_flow` measures the gradient at each layer, reports problems and can be drawn. A
short training run shows the consequence: the first layers of the sigmoid network hardly change. Its
last bias learns the mean of the targets, which is then the output for every input; what is left of
the gradients is about 1e-12 in every layer, and no layer learns any more.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from autograd_core.rendering import Flow, FlowHistory, RendererError, compare, draw, record_flow
from examples.lecture import options, save

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU}
FUNCTIONS = {"sigmoid": ac.sigmoid, "tanh": ac.tanh, "ReLU": ac.relu}
WIDTH = 32
FLOOR = -11  # log₁₀ of the rms: smaller gradients have the lightest colour


def network(activation: type[nn.Module], layers: int) -> nn.Sequential:
    """Layers of equal width; weights of variance 2 / inputs (He et al., 2015)."""
    how: Any = {
        "initializer": partial(nn.init.normal_, std=(2 / WIDTH) ** 0.5),
        "generator": np.random.default_rng(0),
    }
    stack: list[nn.Module] = []
    for _ in range(layers):
        stack += [nn.Linear(WIDTH, WIDTH, **how), activation()]
    return nn.Sequential(*stack, nn.Linear(WIDTH, 1, **how))


def task(count: int) -> tuple[Any, Any]:
    """Random points; 1 if their first two coordinates have the same sign, else -1."""
    x = np.random.default_rng(1).normal(size=(count, WIDTH))
    return x, np.sign(x[:, :1] * x[:, 1:2])


def first_flow(model: nn.Sequential, x: Any, y: Any) -> Flow:
    """The flow of the first backward pass."""
    loss = nn.MSE()(model(x), y)
    with record_flow(model) as flow:
        loss.backward()
    return flow


def train(model: nn.Sequential, x: Any, y: Any, steps: int) -> FlowHistory:
    """Gradient descent that records the flow every few steps."""
    optimizer = nn.SGD(model.parameters(), lr=0.02)
    history, loss_of = FlowHistory(model, every=max(1, steps // 40)), nn.MSE()
    for _ in range(steps):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        with history.step():
            loss.backward()
        optimizer.step()
    return history


def over_time(path: Path, history: FlowHistory, spread: float) -> Path:
    """Plot the history. Its caption says where the colours end, and how the outputs differ."""
    figure = history.plot()
    axis, bar = figure.axes
    image = axis.images[0]
    low, high = image.get_clim()
    image.set_clim(max(low, FLOOR), high)
    text = f"rms of the gradient, input at the top, loss at the bottom;\nafter the {history.count} "
    text += f"steps, the outputs for different inputs differ by at most {spread:.1g}"
    axis.set_title(text, fontsize=10)
    if low < FLOOR:
        bar.set_ylabel(f"log₁₀ rms; lightest: {FLOOR} or less")
    return save(figure, path)


def slopes(path: Path) -> Path:
    """Plot the activation functions and their derivatives."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    z = np.linspace(-5, 5, 401)
    for (name, function), style in zip(FUNCTIONS.items(), ("-", "--", ":"), strict=True):
        axes[0].plot(z, function(z), style, linewidth=2.2, label=name)
        axes[1].plot(z, ac.elementwise_grad(function)(z), style, linewidth=2.2, label=name)
    axes[0].set(title="f(z)", xlabel="z", ylim=(-1.3, 3))
    axes[1].set(title="df/dz: the factor of the gradient", xlabel="z", ylim=(-0.05, 1.15))
    axes[0].legend()
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Compare the flows, train two of the networks, and save the pictures."""
    chosen = options("Why gradients vanish.", "vanishing_gradients", arguments)
    layers, steps = 20, 10 if chosen.quick else 400
    x, y = task(128)
    models = {name: network(kind, layers) for name, kind in ACTIVATIONS.items()}
    flows = {name: first_flow(model, x, y) for name, model in models.items()}
    both = compare(**flows)
    print(both.table())
    pictures = [slopes(chosen.out / "activations.png")]
    pictures.append(save(both.plot(), chosen.out / "flows.png"))
    try:
        pictures.append(draw(flows["sigmoid"], depth=1).save(chosen.out / "sigmoid.svg"))
    except RendererError as error:
        print(f"\nno SVG of the graph, DOT text instead: {error}")
        pictures.append(draw(flows["sigmoid"], depth=1).save(chosen.out / "sigmoid.dot"))
    for name in ("sigmoid", "ReLU"):
        before = [parameter.data.copy() for parameter in models[name].parameters()]
        history = train(models[name], x, y, steps)
        after = [parameter.data for parameter in models[name].parameters()]
        moved = np.linalg.norm(after[0] - before[0]) / np.linalg.norm(before[0])
        print(f"\n{name}: after {steps} steps the first layer's weights differ by {moved:.1e}")
        spread = np.ptp(models[name](x).detach().numpy())
        print(f"the outputs for the {len(x)} inputs differ by at most {spread:.1e}")
        pictures.append(over_time(chosen.out / f"history_{name}.png", history, spread))
    print("\npictures:", *pictures, sep="\n  ")


if __name__ == "__main__":
    main()
