"""The gradients of a GRU in hand-written NumPy, to compare programs of `nn.GRU` with."""

from __future__ import annotations

from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), in place."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    np.add(x, 1, out=x)
    return np.reciprocal(x, out=x)


class Gru:
    """The gradients of the sum of y · weight, where y are the states at all steps. What does not
    depend on the state is one product for all steps, and so are the gradients of the weights. All
    arrays of a step are parts of arrays of all steps, and nothing is allocated."""

    def __init__(self, steps: int, n: int, features: int, units: int, dtype: Any) -> None:
        self.shape = steps, n, features, units
        self.given = np.empty((steps, n, 3 * units), dtype)
        self.products = np.empty((steps, n, 3 * units), dtype)  # with the state, then gradients
        self.gradients = np.empty((steps, n, 3 * units), dtype)  # of the gates
        self.h = np.zeros((steps + 1, n, units), dtype)
        self.candidate = np.empty((steps, n, units), dtype)
        self.g, self.a, self.b, self.c = (np.empty((n, units), dtype) for _ in range(4))

    def gradient(self, parameters: list[Any], x: Any, weight: Any) -> list[Any]:
        """The gradients of the weights, the biases and x."""
        steps, _, features, units = self.shape
        w_x, w_h, b_x, b_h = parameters
        a, b, c, w_h_t = self.a, self.b, self.c, w_h.T
        np.dot(x.reshape(-1, features), w_x.T, out=self.given.reshape(-1, 3 * units))
        np.add(self.given, b_x, out=self.given)
        for t in range(steps):
            given, product, h = self.given[t], self.products[t], self.h[t]
            np.dot(h, w_h_t, out=product)
            np.add(product, b_h, out=product)
            gates = given[:, : 2 * units]
            np.add(gates, product[:, : 2 * units], out=gates)
            sigmoid(gates)
            r, z, new = gates[:, :units], gates[:, units:], self.candidate[t]
            np.multiply(r, product[:, 2 * units :], out=new)
            np.add(new, given[:, 2 * units :], out=new)
            np.tanh(new, out=new)
            out = self.h[t + 1]
            np.subtract(h, new, out=out)
            np.multiply(out, z, out=out)
            np.add(out, new, out=out)
        g = self.g
        g[...] = 0
        for t in reversed(range(steps)):
            given, product, h = self.given[t], self.products[t], self.h[t]
            new, gradient = self.candidate[t], self.gradients[t]
            r, z = given[:, :units], given[:, units : 2 * units]
            np.add(g, weight[t], out=g)
            np.subtract(1, z, out=a)  # of the candidate
            np.multiply(g, a, out=a)
            np.multiply(new, new, out=b)
            np.subtract(1, b, out=b)
            d = gradient[:, 2 * units :]
            np.multiply(a, b, out=d)
            np.subtract(h, new, out=b)  # of z
            np.multiply(b, g, out=b)
            np.subtract(1, z, out=a)
            np.multiply(a, z, out=a)
            np.multiply(a, b, out=gradient[:, units : 2 * units])
            np.multiply(d, product[:, 2 * units :], out=b)  # of r
            np.subtract(1, r, out=a)
            np.multiply(a, r, out=a)
            np.multiply(a, b, out=gradient[:, :units])
            product[:, : 2 * units] = gradient[:, : 2 * units]
            np.multiply(d, r, out=product[:, 2 * units :])
            np.dot(product, w_h, out=c)
            np.multiply(g, z, out=g)
            np.add(g, c, out=g)
        flat, states = (array.reshape(-1, 3 * units) for array in (self.gradients, self.products))
        before = self.h[:-1].reshape(-1, units)
        return [
            flat.T @ x.reshape(-1, features), states.T @ before, flat.sum(0), states.sum(0),
            (flat @ w_x).reshape(x.shape),
        ]  # fmt: skip
