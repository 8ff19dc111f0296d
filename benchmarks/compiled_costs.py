"""What a program costs beside its calls: tracing, checking what it depends on, memory.

python -m benchmarks.compiled_costs
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.compiling import Compiled
from benchmarks import measure
from benchmarks.compiled import clock, parameters, training_step

RNG = np.random.default_rng(0)


def checks(features: int, repeats: int) -> float:
    """µs of a compiled call beside its program."""
    step = Compiled(training_step(features, 50, parameters(features, 50, 10))[0])
    x, y = RNG.normal(size=(1, features)), np.eye(10)[:1]
    for _ in range(4):
        step(x, y)
    program = step._traced[-1].step
    peers = {"call": clock(lambda: step(x, y)), "program": clock(lambda: program(x, y, 0.1))}
    times = measure.interleaved(peers, 3 * repeats)
    return times["call"][0] - times["program"][0]


def recurrent(steps: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The gradient of a recurrent network."""
    weights: list[Any] = [RNG.normal(0, 0.2, shape) for shape in ((16, 32), (32, 32), (32,))]

    def loss_of(w_x: Any, w_h: Any, b: Any, x: Any) -> Any:
        h: Any = np.zeros((8, 32))
        for inputs in x:
            h = ac.tanh(inputs @ w_x + h @ w_h + b)
        return ac.sum(h * h)

    return ac.grad(loss_of, (0, 1, 2)), (*weights, RNG.normal(size=(steps, 8, 16)))


def tracing(repeats: int) -> tuple[float, int]:
    """µs for each traced call in the first call of a function, and their number."""
    function, given = recurrent(500)
    seconds = []
    for _ in range(max(1, repeats // 3)):
        compiled = Compiled(function)
        gc.collect()
        start = time.perf_counter()
        compiled(*given)
        seconds.append(time.perf_counter() - start)
    calls = compiled._traced[0].traced
    return float(np.median(seconds)) / calls * 1e6, calls


def peak() -> float:
    """The most memory in MB, beside the input, that a gradient of 10⁷ numbers needs."""
    x = RNG.normal(size=10_000_000)
    compiled = Compiled(ac.value_and_grad(lambda x: ac.sum(ac.tanh(2 * x + 1) * ac.sigmoid(x))))
    compiled(x)
    tracemalloc.start()
    program = tracemalloc.get_traced_memory()[0]
    compiled(x)
    found = tracemalloc.get_traced_memory()[1] - program
    tracemalloc.stop()
    buffers = sum(b.array.nbytes for b in compiled._traced[0].source.plan.held.values())
    return float(found + buffers) / 1e6


def main() -> None:
    """Print the table; fail if a figure is above its bound."""
    chosen = measure.options("costs of compiled functions")
    each, calls = tracing(chosen.repeats)
    figures = [
        ("a call beside its program, 8-50-10, µs", checks(8, chosen.repeats), 3.0),
        ("a call beside its program, 784-50-10, µs", checks(784, chosen.repeats), 3.0),
        (f"tracing and planning, for each of {calls:,} calls, µs", each, 100.0),
        ("memory of a gradient of 10⁷ numbers, with the result, MB", peak(), 130.0),
    ]
    rows = [[name, f"{figure:.1f}", f"{bound:.0f}"] for name, figure, bound in figures]
    measure.markdown(["", "measured", "bound"], rows)
    print(f"\n{measure.machine(chosen)}")
    missed = [f"{name}: {figure:.1f}" for name, figure, bound in figures if figure > bound]
    if missed and not chosen.quick:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
