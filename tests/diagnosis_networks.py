"""Small networks drawn from a generator of random numbers, healthy or with a planted fault."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

import autograd_core as ac
import nn
from nn.data import one_hot


@dataclass
class Case:
    """A network with its data, loss and optimiser. `accumulated` is the number of backward passes
    before each step, `zeroes` whether the gradients are set to zero after it."""

    model: nn.Module
    x: np.ndarray
    y: np.ndarray
    loss: nn.Module
    optimizer: object
    described: str
    accumulated: int = 1
    zeroes: bool = True

    def error(self):
        return self.loss(self.model(ac.Tensor(self.x)), self.target())

    def target(self):
        return self.y if self.y.dtype.kind == "i" else ac.Tensor(self.y)

    def step(self):
        """One step of training, with the gradients of `accumulated` passes."""
        for _ in range(self.accumulated):
            self.error().backward()
        self.optimizer.step()
        if self.zeroes:
            self.optimizer.zero_grad()


@dataclass
class Draw:
    """What the networks of a case have in common."""

    generator: np.random.Generator
    dtype: type = np.float64
    batch: int = 32
    words: list = field(default_factory=list)

    def one_of(self, *options):
        return options[self.generator.integers(len(options))]

    def between(self, low, high):
        return int(self.generator.integers(low, high + 1))

    def said(self, word):
        self.words.append(str(word))
        return word

    @property
    def settings(self):
        return {"generator": self.generator, "dtype": self.dtype}

    def linear(self, n, m, **more):
        return nn.Linear(n, m, **self.settings, **more)

    def normal(self, *shape):
        return self.generator.standard_normal(shape).astype(self.dtype)


ACTIVATIONS = {
    "ReLU": nn.ReLU, "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid, "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU, "SiLU": nn.SiLU, "GELU": partial(nn.GELU, "tanh"), "Softplus": nn.Softplus,
    "exact GELU": nn.GELU, "PReLU": nn.PReLU, "GLU": nn.GLU,
}  # fmt: skip
NORMS = ("BatchNorm1d", "LayerNorm", "GroupNorm", "RMSNorm")


def started(seed, salt):
    """The draws of a seed: dtype and batch."""
    draw = Draw(np.random.default_rng([seed, salt]))
    draw.dtype = draw.one_of(np.float32, np.float64)
    draw.batch = draw.one_of(8, 16, 32, 64)
    draw.said(draw.dtype.__name__)
    draw.said(f"batch {draw.batch}")
    return draw


def normalization(draw, width, kind):
    settings = {"GroupNorm": (2, width), "RMSNorm": (width, 1e-5)}
    return [getattr(nn, kind)(*settings.get(kind, (width,)), dtype=draw.dtype)] if kind else []


def activation_of(draw, name):
    return nn.PReLU(dtype=draw.dtype) if name == "PReLU" else ACTIVATIONS[name]()


def mlp(draw, inputs, outputs, activation=None, depth=None, width=None, norm=None):
    """Linear layers with an activation, and perhaps a normalisation, between them."""
    name = activation or draw.one_of(*ACTIVATIONS)
    most = {"Sigmoid": 2, "Softplus": 3}.get(name, 6)
    depth = depth or draw.between(1, most)
    width = width or draw.one_of(8, 16, 32)
    norm = norm if norm is not None else draw.one_of("", "", "", *NORMS)
    draw.said(f"mlp {name} depth {depth} width {width} {norm}")
    layers, size = [], inputs
    for _ in range(depth):
        made = 2 * width if name == "GLU" else width  # of which one half are the gates
        layers += [draw.linear(size, made), *normalization(draw, made, norm)]
        layers += [activation_of(draw, name)]
        size = width
    return nn.Sequential(*layers, draw.linear(size, outputs))


def residual(draw, inputs, outputs):
    width, depth = draw.one_of(8, 16), draw.between(2, 6)
    name = draw.one_of("ReLU", "Tanh", "GELU")
    draw.said(f"residual {name} depth {depth}")
    blocks = [
        nn.Residual(nn.Sequential(nn.LayerNorm(width, dtype=draw.dtype), draw.linear(width, width),
                                  ACTIVATIONS[name](), draw.linear(width, width)))
        for _ in range(depth)
    ]  # fmt: skip
    return nn.Sequential(draw.linear(inputs, width), *blocks, draw.linear(width, outputs))


class Branches(nn.Module):
    """Two networks of different depths beside each other, whose results are added."""

    def __init__(self, short, long):
        self.short, self.long = short, long

    def forward(self, x):
        return self.short(x) + self.long(x)


def branches(draw, inputs, outputs):
    draw.said("branches")
    return Branches(mlp(draw, inputs, outputs, depth=1), mlp(draw, inputs, outputs))


def convolutional(draw, outputs):
    channels = draw.one_of(4, 8)
    name = draw.one_of("ReLU", "Tanh", "LeakyReLU")
    norm = draw.one_of(True, False)
    draw.said(f"conv {name} {'BatchNorm2d' if norm else ''}")
    layers = []
    for n in (1, channels):
        layers += [nn.Conv2d(n, channels, 3, padding=1, **draw.settings)]
        layers += [nn.BatchNorm2d(channels, dtype=draw.dtype)] * norm
        layers += [ACTIVATIONS[name]()]
    return nn.Sequential(*layers, nn.Flatten(), draw.linear(36 * channels, outputs))


class Last(nn.Module):
    """A recurrent network and a linear layer on its last result."""

    def __init__(self, recurrent, head):
        self.recurrent, self.head = recurrent, head

    def forward(self, x):
        return self.head(self.recurrent(x)[0][-1])


def recurrent(draw, inputs, outputs, kind=None):
    kind = kind or draw.one_of("RNN", "LSTM", "GRU")
    size = draw.one_of(6, 12)
    draw.said(f"{kind} {size}")
    module = getattr(nn, kind)(inputs, size, **draw.settings)
    return Last(module, draw.linear(size, outputs))


class Attention(nn.Module):
    """An attention block with a residual connection, the mean over the sequence, and a head."""

    def __init__(self, first, attention, norm, head, causal):
        self.first, self.attention, self.norm, self.head = first, attention, norm, head
        self.causal = causal

    def forward(self, x):
        h = self.first(x)
        h = self.norm(h + self.attention(h, is_causal=self.causal)[0])
        return self.head(ac.mean(h, axis=0))


def attention(draw, inputs, outputs):
    size, heads, causal = draw.one_of(8, 16), draw.one_of(1, 2), draw.one_of(True, False)
    draw.said(f"attention {size}, {heads} heads{', causal' if causal else ''}")
    return Attention(
        draw.linear(inputs, size), nn.MultiheadAttention(size, heads, **draw.settings),
        nn.LayerNorm(size, dtype=draw.dtype), draw.linear(size, outputs), causal,
    )  # fmt: skip


# ---- data and losses -----------------------------------------------------------------------------


def data_of(draw, family):
    """Inputs in the shape that the family takes, and numbers that can be learned from them."""
    n = draw.batch
    if family == "conv":
        x = draw.normal(n, 1, 6, 6)
        return x, x.reshape(n, -1)
    if family in ("recurrent", "attention"):
        x = draw.normal(draw.between(4, 20) if family == "recurrent" else 6, n, 4)
        return x, x[-3:].mean(axis=0) if family == "recurrent" else x.mean(axis=0)
    x = draw.normal(n, 6)
    return x, x


LOSSES = ("mse", "mse of sigmoid", "cross-entropy", "cross-entropy of one-hot", "bce", "bce logits")


def case_of(draw, family, make, loss=None):
    """A case of the family; ``make(draw, outputs)`` makes the network."""
    x, features = data_of(draw, family)
    loss = draw.said(loss or draw.one_of(*LOSSES))
    outputs = draw.between(3, 10) if "cross" in loss else draw.between(1, 4)
    teacher = draw.normal(features.shape[1], outputs)
    scores = features @ teacher
    model = make(draw, outputs)
    if loss in ("mse of sigmoid", "bce"):
        model = nn.Sequential(model, nn.Sigmoid())
    labels = scores.argmax(axis=1)
    y = {
        "mse": np.tanh(scores),
        "cross-entropy": labels,
        "cross-entropy of one-hot": one_hot(labels, outputs, draw.dtype),
    }.get(loss, (scores > 0).astype(draw.dtype))
    losses = {"cross-entropy": nn.CrossEntropyLoss, "cross-entropy of one-hot": nn.CrossEntropyLoss,
              "bce": nn.BCELoss, "bce logits": nn.BCEWithLogitsLoss}  # fmt: skip
    accumulated = draw.one_of(1, 1, 1, 2)
    optimizer = optimizer_of(draw, model)
    return Case(
        model, x, y, losses.get(loss, nn.MSE)(), optimizer, ", ".join(draw.words), accumulated
    )


def optimizer_of(draw, model):
    if draw.one_of(True, False):
        rate = draw.one_of(0.01, 0.02)
        draw.said(f"Adam {rate}")
        return nn.Adam(model.parameters(), lr=rate)
    rate = draw.one_of(0.05, 0.1)
    draw.said(f"SGD {rate}")
    return nn.SGD(model.parameters(), lr=rate, momentum=0.9)


FAMILIES = {
    "mlp": lambda draw, x: lambda d, m: mlp(d, 6, m),
    "residual": lambda draw, x: lambda d, m: residual(d, 6, m),
    "branches": lambda draw, x: lambda d, m: branches(d, 6, m),
    "conv": lambda draw, x: convolutional,
    "recurrent": lambda draw, x: lambda d, m: recurrent(d, 4, m),
    "attention": lambda draw, x: lambda d, m: attention(d, 4, m),
}


def drawn(seed, attempt):
    """A case that may be healthy."""
    draw = started(seed, attempt)
    family = draw.one_of("mlp", "mlp", *FAMILIES)
    return case_of(draw, family, FAMILIES[family](draw, None))
