"""Convolutions and a recurrent network beside hand-written NumPy and PyTorch.

``python -m benchmarks.convolution`` measures, on one core:

* a training step of LeNet, compiled, beside im2col written by hand (benchmarks/lenet_by_hand.py),
* a convolution of 64 to 64 channels, 3 × 3, on 16 images of 32 × 32, forward and backward, beside
  its three products of matrices alone: as a layer between other layers, and by itself, with arrays
  in C order in and out, which it transposes,
* the gradients of a GRU of 100 steps, beside NumPy (benchmarks/gru_by_hand.py).

It fails if a ratio is above its bound. With ``--default-heap`` memory goes back to the system.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from benchmarks import gru_by_hand, lenet_by_hand, measure
from benchmarks.compiled import clock

Call = Callable[[], Any]
BOUNDS = {"LeNet": 0.95, "LeNet, default heap": 0.75, "between layers": 1.1, "GRU": 1.3}


def lenet(generator: Any) -> nn.Sequential:
    """6 and 16 channels, then 120, 84 and 10 units."""
    how: Any = {"generator": generator, "dtype": np.float32}
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2, **how), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, **how), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120, **how), nn.ReLU(), nn.Linear(120, 84, **how), nn.ReLU(),
        nn.Linear(84, 10, **how),
    )  # fmt: skip


def training_steps() -> dict[str, Call]:
    """Steps on the same batches, from the same weights."""
    generator = np.random.default_rng(0)
    model, loss_of = lenet(generator), nn.CrossEntropyLoss()
    by_hand = lenet_by_hand.LeNet([p.data for p in model.parameters()], 0.1)
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    x = generator.normal(size=(64, 1, 28, 28)).astype(np.float32)
    y = generator.integers(0, 10, 64)

    @ac.compile
    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        np.testing.assert_allclose(step(x, y).item(), by_hand.step(x, y), rtol=1e-4)
    calls: dict[str, Call] = {
        "hand": lambda: by_hand.step(x, y), "compiled": lambda: step(x, y)}  # fmt: skip
    try:
        import torch
    except ImportError:
        return calls
    twin = _torchs_lenet(torch, model)
    descent = torch.optim.SGD(twin.parameters(), lr=0.1)

    def theirs() -> Any:
        loss = torch.nn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(y))
        descent.zero_grad()
        loss.backward()
        descent.step()
        return loss

    return calls | {"torch": theirs}


def _torchs_lenet(torch: Any, model: nn.Sequential) -> Any:
    t = torch.nn
    twin = t.Sequential(
        t.Conv2d(1, 6, 5, padding=2), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(),
        t.MaxPool2d(2), t.Flatten(), t.Linear(400, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(),
        t.Linear(84, 10),
    )  # fmt: skip
    twin.load_state_dict({k: torch.tensor(v) for k, v in model.state_dict().items()})
    return twin


def convolutions() -> dict[str, Call]:
    """A convolution in two settings, and its products alone. As a layer, what arrives lies in
    memory as other layers leave it, and the gradient of x goes to another layer: the two products
    with numbers, which stand for these layers, are measured and subtracted."""
    generator = np.random.default_rng(0)
    n, channels, size, k = 16, 64, 32, 3
    layer = nn.Conv2d(channels, channels, k, padding=1, generator=generator, dtype=np.float32)
    x, g = (generator.normal(size=(n, channels, size, size)).astype(np.float32) for _ in range(2))
    a, b = (array.transpose(2, 1, 3, 0).copy().transpose(3, 1, 0, 2) for array in (x, g))
    scale = nn.Parameter(np.float32(1.0))

    @ac.compile
    def alone(x: Any, g: Any) -> Any:
        given = ac.Tensor(x, requires_grad=True)
        layer.zero_grad()
        y = layer(given)
        y.backward(g)
        return y.detach(), given.grad

    def between(layer: Any) -> Call:
        @ac.compile
        def step(x: Any, g: Any) -> Any:
            layer.zero_grad()
            scale.grad = None
            y = layer(x * scale)
            y.backward(g)
            return y.detach()

        return lambda: step(a, b)

    w = generator.normal(size=(channels, channels * k * k)).astype(np.float32)
    windows = generator.normal(size=(w.shape[1], size * size * n)).astype(np.float32)
    y, back, weights = w @ windows, np.empty_like(windows), np.empty_like(w)

    def products() -> None:
        np.matmul(w, windows, out=y)
        np.matmul(y, windows.T, out=weights)
        np.matmul(w.T, y, out=back)

    calls: dict[str, Call] = {
        "products": products, "alone": lambda: alone(x, g), "between": between(layer),
        "neighbours": between(nn.Identity())}  # fmt: skip
    try:
        import torch
    except ImportError:
        return calls
    twin = torch.nn.Conv2d(channels, channels, k, padding=1)

    def theirs() -> None:
        twin.zero_grad()
        twin(torch.tensor(x, requires_grad=True)).backward(torch.tensor(g))

    return calls | {"torch": theirs}


def recurrent() -> dict[str, Call]:
    """The gradients of a GRU: 100 steps, 32 sequences, 128 features and units."""
    steps, n, features, units = 100, 32, 128, 128
    generator = np.random.default_rng(0)
    model = nn.GRU(features, units, generator=generator, dtype=np.float32)
    x = generator.normal(size=(steps, n, features)).astype(np.float32)
    weight = generator.normal(size=(steps, n, units)).astype(np.float32)
    by_hand = gru_by_hand.Gru(steps, n, features, units, np.float32)
    arrays = [p.data for p in model.parameters()]

    @ac.compile
    def gradients(x: Any, weight: Any) -> Any:
        given = ac.Tensor(x, requires_grad=True)
        model.zero_grad()
        y, _ = model(given)
        y.backward(weight)
        return given.grad

    for _ in range(3):
        found = gradients(x, weight)
    expected = by_hand.gradient(arrays, x, weight)
    ours = [p.grad for p in model.parameters()] + [found]
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a.data, b, rtol=1e-3, atol=1e-3 * np.abs(b).max())
    calls: dict[str, Call] = {
        "hand": lambda: by_hand.gradient(arrays, x, weight),
        "compiled": lambda: gradients(x, weight)}  # fmt: skip
    try:
        import torch
    except ImportError:
        return calls
    twin = torch.nn.GRU(features, units)

    def theirs() -> None:
        twin.zero_grad()
        twin(torch.tensor(x, requires_grad=True))[0].backward(torch.tensor(weight))

    return calls | {"torch": theirs}


def times(calls: dict[str, Call], repeats: int) -> dict[str, float]:
    """Microseconds of each call, medians of interleaved rounds."""
    for call in calls.values():
        for _ in range(3):
            call()
    clocks = {name: clock(call) for name, call in calls.items()}
    return {name: t for name, (t,) in measure.interleaved(clocks, repeats).items()}


def main() -> None:
    """Print the table; fail if a ratio is above its bound."""
    chosen = measure.options("convolutions and a recurrent network")
    try:
        import torch

        torch.set_num_threads(chosen.threads)
    except ImportError:
        print("PyTorch is not installed: not compared")
    rows, failed = [], []

    def add(name: str, base: float, ours: float, theirs: float | None) -> None:
        ratio = ours / base
        bound = BOUNDS.get(f"{name}, default heap" if chosen.default_heap else name,
                           BOUNDS.get(name))  # fmt: skip
        rows.append([name, f"{base / 1e3:.1f}", f"{ratio:.2f}", f"{bound}" if bound else "",
                     f"{theirs / base:.2f}" if theirs else ""])  # fmt: skip
        if bound and ratio > bound:
            failed.append(f"{name}: {ratio:.2f} > {bound}")

    t = times(training_steps(), chosen.repeats)
    add("LeNet", t["hand"], t["compiled"], t.get("torch"))
    t = times(convolutions(), chosen.repeats)
    add("between layers", t["products"], t["between"] - t["neighbours"], None)
    add("convolution alone", t["products"], t["alone"], t.get("torch"))
    t = times(recurrent(), chosen.repeats)
    add("GRU", t["hand"], t["compiled"], t.get("torch"))
    measure.markdown(["", "hand or products, ms", "compiled ÷", "bound", "PyTorch ÷"], rows)
    print(f"\n{measure.machine(chosen)}")
    if failed and not chosen.quick:
        raise SystemExit("; ".join(failed))


if __name__ == "__main__":
    main()
