"""A training step of the MNIST network at several widths: NumPy, CuPy, and PyTorch on the same GPU.

    python -m benchmarks.gpu

A kernel launch takes about 10 µs on the host, so a small network is not faster on a GPU, and a wide
one is much faster. Without a CUDA device the columns that need one are reported as skipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import measure

STEPS, BATCH = 50, 100
WIDTHS = (50, 500, 2_000, 8_000)


def ours(width: int, device: str, compiled: bool = False) -> Callable[[], tuple[float]]:
    """autograd_core on a device; ms per step."""
    import autograd_core as ac
    import nn

    model = nn.Sequential(
        nn.Linear(784, width, dtype=np.float32),
        nn.Sigmoid(),
        nn.Linear(width, 10, dtype=np.float32),
        nn.Sigmoid(),
    ).to(device)
    loss_of, optimizer = nn.MSE("batch"), nn.SGD(model.parameters(), lr=0.1)
    generator = np.random.default_rng(0)
    x = ac.Tensor(generator.uniform(-1, 1, (BATCH, 784)), dtype=np.float32, device=device)
    y = ac.Tensor(np.eye(10)[generator.integers(0, 10, BATCH)], dtype=np.float32, device=device)

    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    run = ac.compile(step) if compiled else step

    def steps() -> tuple[float]:
        start = time.perf_counter()
        for _ in range(STEPS):
            loss = run(x, y)
        loss.item()  # waits for the device
        return ((time.perf_counter() - start) * 1e3 / STEPS,)

    return steps


def torch(width: int, device: str) -> Callable[[], tuple[float]]:
    """PyTorch eager on a device; ms per step."""
    import torch

    model = torch.nn.Sequential(
        torch.nn.Linear(784, width),
        torch.nn.Sigmoid(),
        torch.nn.Linear(width, 10),
        torch.nn.Sigmoid(),
    ).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.rand(BATCH, 784, device=device) * 2 - 1
    y = torch.eye(10, device=device)[torch.randint(0, 10, (BATCH,), device=device)]

    def steps() -> tuple[float]:
        start = time.perf_counter()
        for _ in range(STEPS):
            loss = ((model(x) - y) ** 2).sum() / BATCH
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()
        return ((time.perf_counter() - start) * 1e3 / STEPS,)

    return steps


def main() -> None:
    """Print ms per step for each width."""
    import autograd_core as ac

    chosen = measure.options("ms per training step, compared")
    device = next((name for name in ac.available_devices() if name != "cpu"), None)
    peers: dict[str, tuple[str, Callable[[int], Any]]] = {
        "NumPy": ("numpy", lambda width: ours(width, "cpu")),
        "NumPy, compiled": ("numpy", lambda width: ours(width, "cpu", True)),
    }
    if device is None:
        print("skipped: CuPy and PyTorch on a GPU (no CUDA device, or no CuPy, on this machine)")
    else:
        peers["CuPy"] = ("cupy", lambda width: ours(width, device))
        peers["CuPy, compiled"] = ("cupy", lambda width: ours(width, device, True))
        peers["PyTorch, same GPU"] = ("torch", lambda width: torch(width, device))
    rows = []
    for width in WIDTHS[: 2 if chosen.quick else None]:
        makers = {
            name: (package, lambda make=make, width=width: make(width))
            for name, (package, make) in peers.items()
        }
        found = measure.interleaved(measure.available(makers), chosen.repeats)
        rows.append(
            [f"784-{width}-10", *(f"{found[n][0]:.2f}" if n in found else "-" for n in peers)]
        )
    measure.table("ms per training step, batch 100, float32", ["", *peers], rows)
    print(f"\n{measure.machine(chosen)}")


if __name__ == "__main__":
    main()
