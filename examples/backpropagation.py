"""Backpropagation step by step in a small network: two inputs, two hidden units, two outputs.

    python -m examples.backpropagation

The gradient of an output weight is a product of three factors; that of a hidden weight is the sum
over the two paths that lead from the loss to it, one through each output. The program prints the
value of every factor and compares the products with the gradients of `backward()`. It also writes
an HTML page that steps through the same forward and backward pass.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import autograd_core as ac
from autograd_core.rendering import draw, explain
from examples.lecture import options

X, TARGET = (0.6, 0.9), (1.0, 0.0)
HIDDEN = ((0.1, 0.2), (0.3, 0.4))  # w of unit j for input i
OUTPUT = ((0.5, 0.6), (0.7, 0.8))


def forward() -> dict[str, Any]:
    """All Tensors of one forward pass by name, in the order in which they are computed."""
    t: dict[str, Any] = {}
    for layer, weights in (("h", HIDDEN), ("out", OUTPUT)):
        for j, row in enumerate(weights, start=1):
            for i, weight in enumerate(row, start=1):
                name = f"w{j}{i}_{layer}"
                t[name] = ac.Tensor(weight, requires_grad=True, name=name)
    below = X
    for layer in ("h", "out"):
        for j in (1, 2):
            t[f"z{j}_{layer}"] = t[f"w{j}1_{layer}"] * below[0] + t[f"w{j}2_{layer}"] * below[1]
            t[f"a{j}_{layer}"] = ac.sigmoid(t[f"z{j}_{layer}"])
        below = t[f"a1_{layer}"], t[f"a2_{layer}"]
    t["L"] = ((t["a1_out"] - TARGET[0]) ** 2 + (t["a2_out"] - TARGET[1]) ** 2) / 2
    return t


def local(t: dict[str, Any], of: str, by: str) -> float:
    """∂of/∂by, where `of` is computed from `by` in one step."""
    return ac.gradients(t[of], [t[by]], retain_graph=True)[0].item()  # type: ignore[no-any-return]


def trace(t: dict[str, Any], *path: str) -> float:
    """Print the factors along one path from the loss, and return their product."""
    product, symbols, numbers = 1.0, [], []
    for above, below in pairwise(path):
        factor = local(t, above, below)
        product *= factor
        symbols.append(f"∂{above}/∂{below}")
        numbers.append(f"{factor:.6f}")
    print("  ", " · ".join(symbols))
    print("  =", " · ".join(numbers), f"= {product:.8f}")
    return product


def main(arguments: list[str] | None = None) -> None:
    """Trace one output weight and one hidden weight; --quick has no effect."""
    chosen = options("Backpropagation on a small network.", "backpropagation", arguments)
    t = forward()
    for name in ("z1_h", "a1_h", "z1_out", "a1_out", "a2_out", "L"):
        print(f"{name:7} = {t[name].item():.6f}")

    print("\nan output weight: one path, three factors")
    output = trace(t, "L", "a1_out", "z1_out", "w11_out")
    print("\na hidden weight: the sum over two paths")
    hidden = trace(t, "L", "a1_out", "z1_out", "a1_h", "z1_h", "w11_h")
    print("   +")
    hidden += trace(t, "L", "a2_out", "z2_out", "a1_h", "z1_h", "w11_h")

    print("\nforward and backward pass step by step (shared factors are computed once):")
    explain(t["L"], names=t)
    page = draw(t["L"], names=t).save(chosen.out / "backpropagation.html")

    t["L"].backward()
    print(f"\n{'':9} {'traced':>13} {'engine':>13}")
    for name, traced in (("w11_out", output), ("w11_h", hidden)):
        print(f"∂L/∂{name:7} {traced:11.8f}   {t[name].grad.item():11.8f}")
    print("\npage:", page)


if __name__ == "__main__":
    main()
