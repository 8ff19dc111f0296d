"""The forward pass of a network, layer by layer, on one digit of MNIST.

    python -m examples.forward_pass

    h⁰ = x;  for k = 1 … l:  aᵏ = bᵏ + Wᵏ hᵏ⁻¹,  hᵏ = f(aᵏ);  ŷ = hˡ;  J = L(ŷ, y) + λ Ω(θ)

(Goodfellow, Bengio and Courville, 2016, algorithm 6.3.) It needs
three operations only: `add`, `matmul` and `sigmoid`. An `nn.Sequential` with the same weights gives
the same values. The weights are trained briefly first, so that the output is meaningful.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import options, save

DATA = Path(__file__).parent / "data" / "mnist"
STRENGTH = 1e-4  # λ


def forward(x: Any, layers: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """(aᵏ, hᵏ) for every layer (Wᵏ, bᵏ), k = 1 … l."""
    h, found = x, []
    for weight, bias in layers:
        a = ac.add(bias, ac.matmul(weight, h))
        h = ac.sigmoid(a)
        found.append((a, h))
    return found


def trained(images: Any, labels: Any, hidden: int, epochs: int) -> nn.Sequential:
    """A network with one hidden layer after a few epochs of mini-batch gradient descent."""
    generator = np.random.default_rng(0)
    how: Any = {"initializer": partial(nn.init.normal_, std=0.1), "generator": generator}
    model = nn.Sequential(
        nn.Linear(784, hidden, **how), nn.Sigmoid(), nn.Linear(hidden, 10, **how), nn.Sigmoid()
    )
    loss_of, optimizer = nn.MSE("batch"), nn.SGD(model.parameters(), lr=0.5)
    dataset = nn.TensorDataset(images / 255, nn.one_hot(labels, 10))
    for _ in range(epochs):
        for x, y in nn.DataLoader(dataset, batch_size=50, shuffle=True, generator=0):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()
    return model


def tested(model: nn.Sequential, images: Any, labels: Any) -> tuple[float, float]:
    """The mean of L over the images, and the proportion that the model recognises."""
    with ac.no_grad():
        outputs = model(images)
    loss = nn.MSE("batch")(outputs, nn.one_hot(labels, 10)).item()
    return loss, float(np.mean(outputs.numpy().argmax(axis=1) == labels))


def picture(path: Path, digit: Any, rows: list[tuple[str, Any]], verdict: str) -> Path:
    """Plot the digit with the verdict on the left, and every aᵏ and hᵏ as a strip of colours on the
    right."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplot_mosaic(
        [["digit", str(k)] for k in range(len(rows))],
        figsize=(9, 1.25 * len(rows)),
        width_ratios=[1, 2],
        layout="constrained",
    )
    axes["digit"].imshow(digit.reshape(28, 28), cmap="gray_r")
    axes["digit"].set_title(f"h⁰ = x, {digit.shape}\nas 28 by 28 pixels")
    axes["digit"].set(xticks=[], yticks=[])
    axes["digit"].spines[:].set_visible(False)
    axes["digit"].set_xlabel(verdict)
    for k, (title, values) in enumerate(rows):
        axis = axes[str(k)]
        is_net_input = k % 2 == 0
        bound = abs(values).max()
        low, high = (-bound, bound) if is_net_input else (0, 1)
        strip = axis.imshow(
            values[None], aspect="auto", cmap="RdBu_r" if is_net_input else "viridis",
            vmin=low, vmax=high,
        )  # fmt: skip
        figure.colorbar(strip, ax=axis, pad=0.01, aspect=8)
        axis.set_title(title, loc="left")
        axis.set(yticks=[], xticks=range(10) if len(values) == 10 else [])
    return save(figure, path)


def main(arguments: list[str] | None = None) -> None:
    """Compute the output for one digit by the algorithm and by `nn`."""
    chosen = options("The forward pass, layer by layer.", "forward_pass", arguments)
    hidden, epochs, rows = (16, 1, 10_000) if chosen.quick else (50, 3, 60_000)
    mnist = nn.read_mnist(DATA)
    model = trained(mnist.train_images[:rows], mnist.train_labels[:rows], hidden, epochs)
    x, label = mnist.test_images[0] / 255, mnist.test_labels[0]

    parameters = model.parameters()
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    found = forward(x, layers)

    print(f"{'':4} {'shape':8} {'smallest':>9} {'mean':>9} {'largest':>9}   computed as")
    shown: list[tuple[str, str, Any]] = [("h⁰", "x", x)]
    for k, ((weight, _), (a, h)) in enumerate(zip(layers, found, strict=True), start=1):
        up, below = "⁰¹²³"[k], "⁰¹²³"[k - 1]
        shapes = f"{weight.shape} times {weight.shape[1:]}"
        shown.append((f"a{up}", f"b{up} + W{up} h{below}, {shapes}", a.detach().numpy()))
        shown.append((f"h{up}", f"sigmoid(a{up})", h.detach().numpy()))
    for name, formula, values in shown:
        numbers = "".join(f"{n:10.4f}" for n in (values.min(), values.mean(), values.max()))
        print(f"{name:4} {values.shape!s:7} {numbers}   {formula}")

    output = found[-1][1].detach()
    print("\nŷ  ", " ".join(f"{number:5.3f}" for number in output.tolist()))
    predicted = output.argmax().item()
    verdict = "right" if predicted == label else "wrong"
    print(f"predicted digit {predicted}, true digit {label}: {verdict}")
    difference = abs(model(x) - output).max().item()
    print(f"largest difference from the nn.Sequential: {difference:.1e}")
    error = nn.MSE("sum")(output, nn.one_hot(label, 10)).item()
    penalty = nn.l2_penalty(parameters, STRENGTH).item()
    losses, right = tested(model, mnist.test_images / 255, mnist.test_labels)
    for of, number in (("this digit", error), ("test images, mean", losses)):
        print(f"J = L + λ Ω = {number:.4f} + {penalty:.4f} = {number + penalty:.4f}   {of}")
    print(f"λ = {STRENGTH}; {right:.1%} of the {len(mnist.test_labels):,} test images are right")
    titles = [(f"{name} = {formula}", values) for name, formula, values in shown[1:]]
    text = (
        f"predicted {predicted}, true {label}: {verdict}\n"
        f"J of this digit: {error + penalty:.4f}\n"
        f"mean J of the test images: {losses + penalty:.4f}"
    )
    print("\npicture:", picture(chosen.out / "forward_pass.png", x, titles, text))


if __name__ == "__main__":
    main()
