"""Time per operation in a chain of 1,000 small ones: forward, and forward with backward.

    python -m benchmarks.overhead

The chain repeats: multiply by 0.99, add to itself, multiply by 0.5, sin; in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import measure

OPERATIONS = 1_000


def chain(x: Any, sin: Callable[[Any], Any]) -> Any:
    """1,000 operations on x."""
    for _ in range(OPERATIONS // 4):
        x = x * 0.99
        x = x + x
        x = x * 0.5
        x = sin(x)
    return x


def timed(forward: Callable[[], Any], backward: Callable[[Any], Any]) -> tuple[float, float]:
    """ns per operation: forward, forward and backward."""
    start = time.perf_counter()
    y = forward()
    middle = time.perf_counter()
    backward(y)
    end = time.perf_counter()
    return (middle - start) * 1e9 / OPERATIONS, (end - start) * 1e9 / OPERATIONS


def numpy(x: Any) -> Callable[[], tuple[float, float]]:
    """The arithmetic alone, differentiated by hand: a lower bound for any recorded graph."""

    def backward(y: Any) -> None:
        g = np.ones_like(x)
        for _ in range(OPERATIONS // 4):
            g = g * np.cos(y)
            g = g * 0.5
            g = g + g
            g = g * 0.99

    return lambda: timed(lambda: chain(x, np.sin), backward)


def ours(x: Any) -> Callable[[], tuple[float, float]]:
    """autograd_core."""
    import autograd_core as ac

    g = np.ones_like(x)
    leaf = ac.Tensor(x, requires_grad=True)

    def backward(y: Any) -> None:
        leaf.grad = None
        y.backward(g)

    return lambda: timed(lambda: chain(leaf, ac.sin), backward)


def torch(x: Any) -> Callable[[], tuple[float, float]]:
    """PyTorch, eager."""
    import torch

    torch.set_num_threads(1)
    leaf = torch.tensor(x, requires_grad=True)
    g = torch.ones_like(leaf)

    def backward(y: Any) -> None:
        leaf.grad = None
        y.backward(g)

    return lambda: timed(lambda: chain(leaf, torch.sin), backward)


def hips(x: Any) -> Callable[[], tuple[float, float]]:
    """HIPS autograd."""
    import autograd.numpy as anp
    from autograd.core import make_vjp

    g = np.ones_like(x)

    def once() -> tuple[float, float]:
        return timed(lambda: make_vjp(lambda v: chain(v, anp.sin), x), lambda made: made[0](g))

    return once


def mygrad(x: Any) -> Callable[[], tuple[float, float]]:
    """MyGrad."""
    import mygrad

    g = np.ones_like(x)

    def once() -> tuple[float, float]:
        leaf = mygrad.Tensor(x)
        return timed(lambda: chain(leaf, mygrad.sin), lambda y: y.backward(g))

    return once


def results(shape: tuple[int, ...], repeats: int) -> dict[str, tuple[float, ...]]:
    """(forward, forward + backward) in ns per operation, by peer."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    peers = {
        "NumPy, by hand": ("numpy", lambda: numpy(x)),
        "autograd_core": ("autograd_core", lambda: ours(x)),
        "PyTorch eager": ("torch", lambda: torch(x)),
        "HIPS autograd": ("autograd", lambda: hips(x)),
        "MyGrad": ("mygrad", lambda: mygrad(x)),
    }
    return measure.interleaved(measure.available(peers), repeats)


def main() -> None:
    """Print one table for each shape."""
    chosen = measure.options("ns per operation, compared")
    for shape in ((10,), (100, 100)):
        figures = results(shape, chosen.repeats)
        reference = figures["autograd_core"][1]
        rows = [
            [name, f"{forward:,.0f}", f"{both:,.0f}", f"{reference / both:.2f}"]
            for name, (forward, both) in figures.items()
        ]
        header = ["", "forward / ns", "with backward / ns", "ours ÷ this"]
        measure.table(f"1,000 operations on shape {shape}, float32, per operation", header, rows)
    print(f"\n{measure.machine(chosen)}")


if __name__ == "__main__":
    main()
