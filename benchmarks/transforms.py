"""Time of transforms relative to gradients: Hessian-vector products and jvps of a small network, a
Jacobian in one pass compared with a loop over vjps, and grad compared with backward().

    python -m benchmarks.transforms

The bounds are 2.5 times a gradient for hvp, and a fifth of the loop's time for the Jacobian.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import measure

BOUNDS = {"hvp ÷ gradient": 2.5, "jacobian ÷ a forward and 100 vjps": 0.2}


def seconds(function: Callable[[], Any]) -> Callable[[], tuple[float]]:
    """Seconds of one call."""

    def timed() -> tuple[float]:
        start = time.perf_counter()
        function()
        return (time.perf_counter() - start,)

    return timed


def network(batch: int = 1_000) -> tuple[Callable[..., Any], list[Any]]:
    """The loss of the 784-50-10 network on random images, and its parameters, float32."""
    import autograd_core as ac

    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype="f4")

    images, targets = draw(batch, 784), np.eye(10, dtype="f4")[rng.integers(0, 10, batch)]

    def loss(parameters: Any) -> Any:
        first, shift, second, offset = parameters
        hidden = ac.sigmoid(images @ first + shift)
        return ac.mean((ac.sigmoid(hidden @ second + offset) - targets) ** 2)

    return loss, [draw(784, 50) / 28, draw(50), draw(50, 10) / 7, draw(10)]


def mixed() -> tuple[Callable[[Any], Any], Any]:
    """A function with 100 inputs and 100 outputs: matmul, a reduction and getitem."""
    import autograd_core as ac

    rng = np.random.default_rng(0)
    weights = rng.standard_normal((100, 100)) / 10

    def function(x: Any) -> Any:
        hidden = ac.tanh(x @ weights)
        turned = hidden[::-1] * ac.sum(hidden * x)
        return ac.tanh(turned @ weights) + turned[:1]

    return function, rng.standard_normal(100)


def peers() -> dict[str, Callable[[], tuple[float]]]:
    """The timed functions, by name."""
    import autograd_core as ac

    loss, parameters = network()
    rng = np.random.default_rng(1)
    vectors = [rng.standard_normal(p.shape).astype("f4") for p in parameters]
    function, x = mixed()
    leaves = [ac.Tensor(p, requires_grad=True) for p in parameters]
    gradient, product = ac.grad(loss), ac.hvp(loss)
    whole = ac.jacobian(function)

    def backward() -> None:
        for leaf in leaves:
            leaf.grad = None
        loss(leaves).backward()

    def loop() -> Any:
        _, pullback = ac.vjp(function, x)
        return np.stack([pullback(unit)[0] for unit in np.eye(100)])

    one = np.float32(1)
    assert np.allclose(loop(), whole(x))
    return {
        "backward()": seconds(backward),
        "gradient": seconds(lambda: gradient(parameters)),
        "hvp": seconds(lambda: product(parameters, vectors)),
        "vjp": seconds(lambda: ac.vjp(loss, parameters)[1](one)),
        "jvp": seconds(lambda: ac.jvp(loss, (parameters,), (vectors,))),
        "jacobian": seconds(lambda: whole(x)),
        "a forward and 100 vjps": seconds(loop),
    }


PAIRS = [
    ("gradient", "backward()"),
    ("hvp", "gradient"),
    ("jvp", "vjp"),
    ("jacobian", "a forward and 100 vjps"),
]


def main() -> None:
    """Print milliseconds and the ratios; exit 1 if a bound is exceeded."""
    chosen = measure.options("time of transforms")
    found = measure.interleaved(peers(), chosen.repeats)
    measure.table("time", ["", "ms"], [[name, f"{1e3 * t:.2f}"] for name, (t,) in found.items()])
    rows, missed = [], []
    for name, unit in PAIRS:
        title, ratio = f"{name} ÷ {unit}", found[name][0] / found[unit][0]
        bound = BOUNDS.get(title)
        missed += [title] if bound is not None and ratio > bound else []
        rows.append([title, f"{ratio:.2f}", "" if bound is None else f"{bound:.2f}"])
    measure.table("ratios", ["", "", "bound"], rows)
    print(f"\n{measure.machine(chosen)}")
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
