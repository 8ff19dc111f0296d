"""The chain rule on f(g(h(u(v(x))))): the derivative of the whole is the product of five factors.

    python -m examples.chain_rule

Each factor is the derivative of one function at its own input. The products of the factors, taken
from the outside in, are the derivatives of f with respect to the intermediate values, which are the
gradients that the backward pass computes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.rendering import Drawing, RendererError, draw
from examples.lecture import options

# innermost first, in the order of application
FUNCTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "v": ("x²", lambda x: x**2),
    "u": ("sin v", np.sin),
    "h": ("exp u", np.exp),
    "g": ("tanh h", np.tanh),
    "f": ("log g", np.log),
}


def composed(x: Any) -> Any:
    """f(g(h(u(v(x)))))."""
    for _, function in FUNCTIONS.values():
        x = function(x)
    return x


def factors(x: float) -> list[tuple[str, float, float, float]]:
    """(name, input, value, derivative at the input) of each function, innermost first."""
    found = []
    for name, (_, function) in FUNCTIONS.items():
        value, slope = ac.value_and_grad(function)(x)
        found.append((name, float(x), float(value), float(slope)))
        x = value
    return found


def annotated(drawing: Drawing, x: float) -> Drawing:
    """The drawing with each factor at its arrow, and the products in the boxes."""
    scene, product = drawing.scene, 1.0
    boxes = {box.title.split(" = ")[0]: box for box in scene.boxes}
    into = {arrow.target: arrow for arrow in scene.arrows if arrow.key}  # not from constants
    inside = ["x", *FUNCTIONS]
    found = factors(x)
    for variable, (name, _, _, slope) in zip(inside[-2::-1], reversed(found), strict=True):
        product *= slope
        arrow = into[boxes[name].id]
        arrow.operand, arrow.keeps = f"d{name}/d{variable} = {slope:.6f}", ""
        boxes[variable].lines.append(f"df/d{variable} = {product:.6f}")
    text = " · ".join(f"{slope:.4g}" for _, _, _, slope in reversed(found))
    boxes["x"].lines.append(f"= {text}")
    scene.heading = ["Each arrow: the derivative of one function. Each box: the product of the"]
    scene.heading += ["factors from there down to f, the gradient of the backward pass."]
    return Drawing(scene, drawing.html)


def picture(folder: Path, x: float) -> Path:
    """Draw the recorded graph; DOT text if there is no renderer. Each arrow shows its factor, and
    each box the product of the factors from there to f."""
    value = ac.Tensor(x, requires_grad=True)
    names = {"x": value}
    for name, (_, function) in FUNCTIONS.items():
        value = names[name] = function(value)
    drawing = annotated(draw(value, names=names), x)
    try:
        return drawing.save(folder / "chain_rule.svg")
    except RendererError as error:
        print(f"no SVG of the graph, DOT text instead: {error}")
        return drawing.save(folder / "chain_rule.dot")


def main(arguments: list[str] | None = None) -> None:
    """Print each factor and their product; --quick has no effect."""
    chosen = options("The chain rule, factor by factor.", "chain_rule", arguments)
    x, product, inside = 0.7, 1.0, ["x", *FUNCTIONS]
    print(f"{'function':12} {'input':>10} {'value':>10}   {'factor':18}   product so far")
    for (name, at, value, slope), variable in zip(
        reversed(factors(x)), reversed(inside[:-1]), strict=True
    ):
        product *= slope
        formula = f"{name} = {FUNCTIONS[name][0]}"
        print(f"{formula:12} {at:10.6f} {value:10.6f}   d{name}/d{variable:5} {slope:9.6f}", end="")
        print(f"   df/d{variable} = {product:.6f}")
    whole = ac.grad(composed)(x)
    print(f"\nproduct of the factors  {product:.15f}")
    print(f"ac.grad of the whole    {whole:.15f}")
    print(f"difference              {abs(product - whole):.1e}")
    print("\npicture:", picture(chosen.out, x))


if __name__ == "__main__":
    main()
