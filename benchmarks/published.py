"""The published network in hand-written NumPy: the reference for the MNIST example.

The network of Raschka, Liu and Mirjalili (2022, chapter 11) in float64, written from its equations
as in a textbook; and the same network, optimised as far as NumPy allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z))."""
    return 1.0 / (1.0 + np.exp(-z))


class Network:
    """features - hidden - classes, sigmoid in both layers, weights (out, in) from N(0, 0.1)."""

    def __init__(self, features: int = 784, hidden: int = 50, classes: int = 10) -> None:
        generator = np.random.RandomState(123)
        self.w_h = generator.normal(0.0, 0.1, size=(hidden, features))
        self.b_h = np.zeros(hidden)
        self.w_out = generator.normal(0.0, 0.1, size=(classes, hidden))
        self.b_out = np.zeros(classes)

    def parameters(self) -> list[Any]:
        """Weights and biases, hidden layer first."""
        return [self.w_h, self.b_h, self.w_out, self.b_out]

    def forward(self, x: Any) -> tuple[Any, Any]:
        """Activations of the hidden and of the output layer."""
        a_h = sigmoid(np.dot(x, self.w_h.T) + self.b_h)
        return a_h, sigmoid(np.dot(a_h, self.w_out.T) + self.b_out)

    def backward(self, x: Any, a_h: Any, a_out: Any, y: Any) -> list[Any]:
        """Gradients of the squared error, summed over outputs and averaged over the batch."""
        one_hot = np.zeros((y.shape[0], a_out.shape[1]))
        one_hot[np.arange(y.shape[0]), y] = 1
        delta_out = 2.0 * (a_out - one_hot) / y.shape[0] * a_out * (1.0 - a_out)
        delta_h = np.dot(delta_out, self.w_out) * a_h * (1.0 - a_h)
        gradients = [np.dot(delta_h.T, x), np.sum(delta_h, axis=0)]
        return [*gradients, np.dot(delta_out.T, a_h), np.sum(delta_out, axis=0)]

    def train_epoch(self, x: Any, y: Any, order: Any, batch: int = 100, lr: float = 0.1) -> None:
        """One pass over the rows in `order`; y holds integer labels."""
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            a_h, a_out = self.forward(x[rows])
            gradients = self.backward(x[rows], a_h, a_out, y[rows])
            for parameter, gradient in zip(self.parameters(), gradients, strict=True):
                parameter -= lr * gradient


class Tight(Network):
    """The same network with all temporaries written in place, in any floating-point dtype."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.w_h, self.b_h = self.w_h.astype(dtype), self.b_h.astype(dtype)
        self.w_out, self.b_out = self.w_out.astype(dtype), self.b_out.astype(dtype)

    @staticmethod
    def _activated(z: Any, bias: Any) -> Any:
        z += bias
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        return np.reciprocal(z, out=z)

    def train_epoch(self, x: Any, y: Any, order: Any, batch: int = 100, lr: float = 0.1) -> None:
        """One pass over the rows in `order`; y holds one-hot labels."""
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            inputs = x.take(rows, axis=0)
            a_h = self._activated(np.dot(inputs, self.w_h.T), self.b_h)
            a_out = self._activated(np.dot(a_h, self.w_out.T), self.b_out)
            delta_out = a_out - y.take(rows, axis=0)
            delta_out *= 2.0 / batch
            delta_out *= a_out
            np.subtract(1, a_out, out=a_out)
            delta_out *= a_out
            delta_h = np.dot(delta_out, self.w_out)
            g_w_out = np.dot(delta_out.T, a_h)
            delta_h *= a_h
            np.subtract(1, a_h, out=a_h)
            delta_h *= a_h
            g_w_h = np.dot(delta_h.T, inputs)
            gradients = [g_w_h, delta_h.sum(axis=0), g_w_out, delta_out.sum(axis=0)]
            for parameter, gradient in zip(self.parameters(), gradients, strict=True):
                gradient *= lr
                parameter -= gradient
