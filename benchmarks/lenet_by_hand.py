"""A training step of LeNet in hand-written NumPy: the im2col of courses and tutorials.

Each convolution gathers its windows from a strided view into rows and is one product of matrices;
its gradient by x adds the 25 columns of the kernel to slices. Arrays are (n, channels, height,
width) throughout. Nothing is compiled, and intermediate arrays are new in each step.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Convolution:
    """A convolution of 5 × 5 with bias."""

    def __init__(self, w: Any, b: Any, padding: int) -> None:
        self.w, self.b, self.padding = w, b, padding

    def forward(self, x: Any) -> Any:
        """(n, channels, height, width) → (n, outputs, height, width)."""
        p, (outputs, channels, k, _) = self.padding, self.w.shape
        self.shape = x.shape
        if p:
            x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), (2, 3))
        n, _, height, width = windows.shape[:4]
        self.rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, channels * k * k)
        out = self.rows @ self.w.reshape(outputs, -1).T + self.b
        return out.reshape(n, height, width, outputs).transpose(0, 3, 1, 2)

    def backward(self, g: Any, needs_x: bool = True) -> Any:
        """The gradient of x; those of w and b are kept."""
        p, (outputs, channels, k, _) = self.padding, self.w.shape
        n, _, height, width = g.shape
        rows = g.transpose(0, 2, 3, 1).reshape(-1, outputs)
        self.gradients = [(rows.T @ self.rows).reshape(self.w.shape), rows.sum(0)]
        if not needs_x:
            return None
        columns = (rows @ self.w.reshape(outputs, -1)).reshape(n, height, width, channels, k, k)
        columns = columns.transpose(0, 3, 4, 5, 1, 2)
        x = np.zeros((n, channels, self.shape[2] + 2 * p, self.shape[3] + 2 * p), g.dtype)
        for i in range(k):
            for j in range(k):
                x[:, :, i : i + height, j : j + width] += columns[:, :, i, j]
        return x[:, :, p : p + self.shape[2], p : p + self.shape[3]]


CORNERS = [
    (slice(None), slice(None), slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)
]


class Pool:
    """The maximum of 2 × 2. The gradient goes to the first maximum."""

    def forward(self, x: Any) -> Any:
        """Half the height and width."""
        first, second, third, fourth = (x[corner] for corner in CORNERS)
        self.x = x
        self.out = np.maximum(np.maximum(first, second), np.maximum(third, fourth))
        return self.out

    def backward(self, g: Any) -> Any:
        """The gradient of x."""
        gx = np.empty_like(self.x)
        free = np.ones(g.shape, bool)
        for corner in CORNERS:
            here = free & (self.x[corner] == self.out)
            gx[corner] = g * here
            free &= ~here
        return gx


class Dense:
    """x @ w.T + b."""

    def __init__(self, w: Any, b: Any) -> None:
        self.w, self.b = w, b

    def forward(self, x: Any) -> Any:
        """(n, features) → (n, outputs)."""
        self.x = x
        return x @ self.w.T + self.b

    def backward(self, g: Any) -> Any:
        """The gradient of x; those of w and b are kept."""
        self.gradients = [g.T @ self.x, g.sum(0)]
        return g @ self.w


class ReLU:
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """The shape of x."""
        self.out = np.maximum(x, 0)
        return self.out

    def backward(self, g: Any) -> Any:
        """The gradient of x."""
        return g * (self.out > 0)


class LeNet:
    """6 and 16 channels with maxima of 2 × 2, then 120, 84 and 10 units."""

    def __init__(self, parameters: list[Any], lr: float) -> None:
        w = [p.copy() for p in parameters]
        self.lr = lr
        self.layers: list[Any] = [
            Convolution(w[0], w[1], 2), ReLU(), Pool(), Convolution(w[2], w[3], 0), ReLU(), Pool(),
            Dense(w[4], w[5]), ReLU(), Dense(w[6], w[7]), ReLU(), Dense(w[8], w[9]),
        ]  # fmt: skip

    def step(self, x: Any, labels: Any) -> Any:
        """One step of gradient descent on images (n, 1, 28, 28); returns the loss before it."""
        for place, layer in enumerate(self.layers):
            x = layer.forward(x.reshape(len(x), -1) if place == 6 else x)
        shifted = x - x.max(1, keepdims=True)
        logarithms = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        here = np.arange(len(x))
        loss = -logarithms[here, labels].mean()
        g = np.exp(logarithms)
        g[here, labels] -= 1
        g /= np.float32(len(x))
        for place in reversed(range(1, len(self.layers))):
            g = self.layers[place].backward(g)
            g = g.reshape(-1, 16, 5, 5) if place == 6 else g
        self.layers[0].backward(g, needs_x=False)
        for layer in self.layers:
            if hasattr(layer, "gradients"):
                for p, gradient in zip((layer.w, layer.b), layer.gradients, strict=True):
                    p -= np.float32(self.lr) * gradient
        return loss
