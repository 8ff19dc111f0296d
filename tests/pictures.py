"""Twenty graphs, drawn into one folder with a sheet that shows all of them.

    python -m tests.pictures [folder]

The tests look at the same pictures: no text leaves its box, none is much higher than wide.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import autograd_core as ac
import nn
from autograd_core.rendering import draw, record_flow
from tests.pages import mnist_network

RANDOM = np.random.default_rng(0)
ONES = np.ones((2, 3))
UNARY = (ac.tanh, ac.sin, ac.arctan, ac.cos, ac.sigmoid, ac.arcsinh, ac.abs)


def leaf(*shape, name=None):
    return ac.Tensor(RANDOM.random(shape), requires_grad=True, name=name)


class Residual(nn.Module):
    """A block with a shortcut."""

    def __init__(self, width):
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x):
        return ac.relu(x + self.inner(x))


class Hourglass(nn.Module):
    """A small network in the shape of a U."""

    def __init__(self):
        self.down1 = nn.Conv2d(1, 4, 3, padding=1)
        self.down2 = nn.Conv2d(4, 8, 3, padding=1)
        self.bottom = nn.Conv2d(8, 8, 3, padding=1)
        self.up2 = nn.Conv2d(16, 4, 3, padding=1)
        self.up1 = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        half, double = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
        a = ac.relu(self.down1(x))
        b = ac.relu(self.down2(half(a)))
        c = ac.relu(self.bottom(half(b)))
        d = ac.relu(self.up2(ac.concatenate([double(c), b], axis=1)))
        return self.up1(ac.concatenate([double(d), a], axis=1))


def mlp():
    model, loss = mnist_network()
    return loss, model


def residual():
    model = nn.Sequential(nn.Linear(8, 16), *(Residual(16) for _ in range(4)), nn.Linear(16, 2))
    return nn.MSE()(model(RANDOM.random((5, 8))), np.ones((5, 2))), model


def rnn():
    model = nn.RNNCell(3, 5)
    h = np.zeros((2, 5))
    for _ in range(20):
        h = model(RANDOM.random((2, 3)), h)
    return ac.mean(h**2), model


def plain_rnn():
    W, U, b, h = leaf(3, 5, name="W"), leaf(5, 5, name="U"), leaf(5, name="b"), np.zeros((2, 5))
    for _ in range(20):
        h = ac.tanh(RANDOM.random((2, 3)) @ W + h @ U + b)
    return ac.mean(h**2), None


def lstm():
    model = nn.LSTM(3, 4, num_layers=2)
    out, _ = model(RANDOM.random((6, 2, 3)))
    return ac.sum(out**2), model


def transformer():
    layers = (nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0) for _ in range(12))
    model = nn.Sequential(*layers)
    return ac.mean(model(RANDOM.random((5, 2, 16)))), model


def lenet():
    from examples.lenet import network

    model = network(np.random.default_rng(0))
    x = RANDOM.random((8, 1, 28, 28)).astype(np.float32)
    return nn.CrossEntropyLoss()(model(x), np.arange(8)), model


def hourglass():
    model = Hourglass()
    return ac.mean(model(RANDOM.random((1, 1, 8, 8))) ** 2), model


def chain():
    x = leaf(2, 3, name="x")
    for i in range(1000):
        x = UNARY[i * i % 7 % len(UNARY)](x * 0.5) if i % 5 else x + leaf(3)
    return ac.sum(x), None


def ten_thousand():
    xs = [leaf(2, 3, name=f"x{i}") for i in range(10)]
    draws = np.random.default_rng(1)
    for i in range(3_000):  # three operations each, and all are used: 10,000 with the sum
        a = draws.integers(max(0, len(xs) - 40), len(xs))
        xs.append(UNARY[i % 4](xs[a]) * 0.5 + xs[-1])
    return ac.sum(sum(xs[::3])), None


def scalar():
    a, b, c = (ac.Tensor(v, True, name=n) for v, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c")))
    e = a * b
    d = e + c
    return ac.tanh(d * ac.Tensor(-0.2, True, name="f") + 1), None


def second_order():
    x = ac.Tensor(1.5, True, name="x")
    y = ac.sin(x) * x
    (g,) = ac.gradients(y, [x], create_graph=True)
    return g * g, None


def svd():
    A = leaf(4, 3, name="A")
    u, s, vh = ac.linalg.svd(A, full_matrices=False)
    return ac.sum(s[:2]) + ac.sum((u * s) @ vh), None


def split_and_concat():
    x = leaf(6, 4, name="x")
    a, b, c = ac.split(x, 3)
    return ac.sum(ac.concatenate([ac.exp(a), b * 2, ac.tanh(c)]) ** 2), None


def checkpoint():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    x = leaf(2, 4, name="x")
    return ac.sum(ac.checkpoint(lambda x: ac.tanh(model(x)) * x)(x) + model(x)), model


def custom_op():
    @ac.op(x=lambda g, x: g * 3 * x * x)
    def cube(x):
        return x**3

    return ac.sum(cube(leaf(2, 3, name="x")) + 1), None


def program():
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @ac.compile
    def step(x, y):
        loss = nn.MSE()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    step(RANDOM.random((5, 4)), RANDOM.random((5, 2)))
    return step, None


def failure():
    x, w = leaf(3, 4, name="x"), leaf(3, 2, name="w")
    try:
        return ac.exp(x) @ ac.tanh(w), None
    except ac.errors.AutogradError as error:
        return error, None


def two_losses():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
    first, second = nn.Linear(8, 2), nn.Linear(8, 3)
    h = model(RANDOM.random((5, 4)))
    fit = nn.MSE()(first(h), np.ones((5, 2)))
    classes = nn.CrossEntropyLoss()(second(h), np.arange(5) % 3)
    return fit + 0.5 * classes, nn.Sequential(model, first, second)


def shared_weights():
    model = nn.Linear(4, 4)
    a, b = model(RANDOM.random((5, 4))), model(RANDOM.random((5, 4)))
    return ac.mean((a - b) ** 2), model


def views_and_writes():
    x = leaf(4, 4, name="x")
    y = x * 1.0
    row = y[1]
    row[:2] = 0.0
    y[:, 3] += 2 * row
    return ac.sum(y.T @ y), None


def flow():
    output, model = mlp()
    with record_flow(model) as recorded:
        output.backward()
    return recorded, model


GRAPHS = [
    mlp, residual, rnn, plain_rnn, lstm, transformer, lenet, hourglass, chain, ten_thousand, scalar,
    second_order, svd, split_and_concat, checkpoint, custom_op, program, failure, two_losses,
    shared_weights, views_and_writes, flow,
]  # fmt: skip


def main(folder: Path) -> None:
    """Draw all of them, and print how long each took."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for build in GRAPHS:
        output, model = build()
        start = time.perf_counter()
        drawing = draw(output, model=model)
        drawing.save(folder / f"{build.__name__}.svg")
        seconds = time.perf_counter() - start
        drawing.save(folder / f"{build.__name__}.html")
        both = time.perf_counter() - start
        name = build.__name__
        print(f"{name:16} {len(drawing.scene.boxes):4} boxes, {seconds:5.2f} s to SVG, "
              f"{both - seconds:5.2f} s to the page", flush=True)  # fmt: skip
        cells.append(f'<figure><figcaption>{name}</figcaption><img src="{name}.svg"></figure>')
    style = ("body{display:grid;grid-template-columns:repeat(6,1fr);gap:8px;font-family:sans-serif}"
             "figure{margin:0;border:1px solid #ccc}img{width:100%;height:300px;"
             "object-fit:contain}")  # fmt: skip
    sheet = folder / "sheet.html"
    sheet.write_text(f"<!DOCTYPE html><style>{style}</style>{''.join(cells)}", encoding="utf-8")
    print(sheet)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/pictures"))
