"""Time to record the flow of gradients, and to draw small and large graphs.

    python -m benchmarks.drawings

Bounds: a recorded backward pass takes at most 1.5 times as long (784-1024-1024-10 network, batch
size 256, float32); drawing and saving as SVG takes at most 0.5 s for a 784-50-10 network, 2 s for
1,000 nodes and 10 s for 100,000 nodes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure

BOUNDS = {
    "784-50-10 network": 0.5,
    "1,000 nodes": 2.0,
    "100,000 nodes": 10.0,
    "100,000 nodes in modules": 10.0,
}
FLOW = 1.5


def backward(watched: bool) -> Callable[[], tuple[float]]:
    """Seconds of one backward pass of the wide network, with or without recording its flow."""
    import autograd_core as ac
    import nn
    from autograd_core.rendering import record_flow

    rng = np.random.default_rng(0)
    first, second, third = (
        nn.Linear(n, m, generator=rng, dtype=np.float32)
        for n, m in ((784, 1024), (1024, 1024), (1024, 10))
    )
    model = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)
    x = ac.Tensor(rng.standard_normal((256, 784), dtype="f4"))
    y = ac.Tensor(np.eye(10, dtype="f4")[rng.integers(0, 10, 256)])
    loss_of = nn.MSE()

    def once() -> tuple[float]:
        model.zero_grad()
        loss = loss_of(model(x), y)
        start = time.perf_counter()
        if watched:
            with record_flow(model):
                loss.backward()
        else:
            loss.backward()
        return (time.perf_counter() - start,)

    return once


def graphs() -> dict[str, tuple[Any, Any]]:
    """The results to draw, each with its model."""
    import autograd_core as ac
    import nn
    from autograd_core.engine.state import module_scope

    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(784, 50, generator=rng), nn.Sigmoid(),
        nn.Linear(50, 10, generator=rng), nn.Sigmoid(),
    )  # fmt: skip
    images, labels = rng.random((100, 784)), np.eye(10)[rng.integers(0, 10, 100)]
    small = nn.MSE("batch")(model(ac.Tensor(images)), ac.Tensor(labels))

    def chain(count: int, modules: bool) -> Any:
        x = ac.Tensor(np.ones(9), requires_grad=True)
        for _ in range(count):
            if modules:
                with module_scope("Block"):
                    x = ac.tanh(x * 0.5)
            else:
                x = ac.tanh(x * 0.5)
        return x

    return {
        "784-50-10 network": (small, model),
        "1,000 nodes": (chain(500, True), None),
        "100,000 nodes": (chain(50_000, False), None),
        "100,000 nodes in modules": (chain(50_000, True), None),
    }


def drawing(output: Any, model: Any, path: Path) -> Callable[[], tuple[float]]:
    """Seconds to draw a result and to save it as SVG."""
    from autograd_core.rendering import draw

    def once() -> tuple[float]:
        start = time.perf_counter()
        draw(output, model=model).save(path)
        return (time.perf_counter() - start,)

    return once


def main() -> None:
    """Print the times and the ratio; exit 1 if a bound is exceeded."""
    chosen = measure.options("time to record and draw gradients")
    found = measure.interleaved(
        {"backward()": backward(False), "backward(), recorded": backward(True)}, chosen.repeats
    )
    plain, watched = (figures[0] for figures in found.values())
    measure.table(
        "recording",
        ["", "ms", "÷ backward()", "bound"],
        [
            ["backward()", f"{1e3 * plain:.2f}", "1.00", ""],
            ["with record_flow", f"{1e3 * watched:.2f}", f"{watched / plain:.2f}", f"{FLOW:.2f}"],
        ],
    )
    missed = ["recording"] if watched > FLOW * plain else []
    with tempfile.TemporaryDirectory() as folder:
        peers = {
            name: drawing(output, model, Path(folder) / f"{number}.svg")
            for number, (name, (output, model)) in enumerate(graphs().items())
        }
        times = measure.interleaved(peers, min(chosen.repeats, 3))
    rows = [[name, f"{seconds:.2f}", f"{BOUNDS[name]:.1f}"] for name, (seconds,) in times.items()]
    measure.table("drawing and saving as SVG", ["", "s", "bound"], rows)
    missed += [name for name, (seconds,) in times.items() if seconds > BOUNDS[name]]
    print(f"\n{measure.machine(chosen)}")
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
