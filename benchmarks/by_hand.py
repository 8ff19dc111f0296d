"""Hand-written NumPy that the compiled programs are compared with.

Each program has the formulas and the order of operations of `autograd_core` and `nn`, writes every
array in place and allocates nothing, as somebody writes it who wants the last microsecond.
"""

from __future__ import annotations

from contextvars import Context
from typing import Any

import numpy as np

checked = Context()  # in which an overflow raises FloatingPointError
checked.run(np.seterr, over="raise", divide="raise")
quiet = Context()
quiet.run(np.seterr, over="ignore", divide="ignore")


def mend(slope: Any, late: Any, z: Any) -> None:
    """Recompute the slope of the sigmoid from z where `late`, as 1 - sigmoid(z) has no digits."""
    if late.any():
        decay = np.exp(-np.abs(z[late]))
        slope[late] = decay / (1 + decay) ** 2


class Network:
    """One step of gradient descent for features - hidden - classes with sigmoids and the squared
    error, summed over classes and averaged over the batch."""

    def __init__(self, parameters: list[Any], batch: int, lr: float = 0.1) -> None:
        self.parameters = [p.copy() for p in parameters]
        self.gradients = [np.zeros_like(p) for p in parameters]
        self.scratch = [np.empty_like(p) for p in parameters]
        dtype = parameters[0].dtype
        self.lr = lr
        hidden, classes = (len(b) for b in parameters[1::2])
        self.z_h, self.a_h, self.slope_h, self.delta_h = (
            np.empty((batch, hidden), dtype) for _ in range(4)
        )
        self.z_o, self.a_o, self.slope_o, self.delta_o = (
            np.empty((batch, classes), dtype) for _ in range(4)
        )
        self.late_h, self.late_o = np.empty((batch, hidden), bool), np.empty((batch, classes), bool)
        self.w_h_t, self.w_o_t = self.parameters[0].T, self.parameters[2].T
        self.delta_h_t, self.delta_o_t = self.delta_h.T, self.delta_o.T
        self.flat = self.delta_o.ravel()
        self.scale = 1 / batch

    def step(self, x: Any, y: Any) -> Any:
        """The loss before the step."""
        _, b_h, w_o, b_o = self.parameters
        g_w_h, g_b_h, g_w_o, g_b_o = self.gradients
        z_h, a_h, slope_h, delta_h = self.z_h, self.a_h, self.slope_h, self.delta_h
        z_o, a_o, slope_o, delta_o = self.z_o, self.a_o, self.slope_o, self.delta_o

        np.dot(x, self.w_h_t, out=z_h)
        np.add(z_h, b_h, out=z_h)
        np.multiply(z_h, -1.0, out=a_h)
        checked.run(np.exp, a_h, a_h)
        np.add(a_h, 1, out=a_h)
        np.reciprocal(a_h, out=a_h)
        np.dot(a_h, self.w_o_t, out=z_o)
        np.add(z_o, b_o, out=z_o)
        np.multiply(z_o, -1.0, out=a_o)
        checked.run(np.exp, a_o, a_o)
        np.add(a_o, 1, out=a_o)
        np.reciprocal(a_o, out=a_o)

        np.subtract(a_o, y, out=delta_o)
        loss = np.vdot(self.flat, self.flat) * self.scale

        np.multiply(2 * self.scale, delta_o, out=delta_o)
        np.subtract(1, a_o, out=slope_o)
        np.multiply(a_o, slope_o, out=slope_o)
        mend(slope_o, np.greater(a_o, 0.99, out=self.late_o), z_o)
        np.multiply(delta_o, slope_o, out=delta_o)
        np.dot(self.delta_o_t, a_h, out=g_w_o)
        np.add.reduce(delta_o, 0, out=g_b_o)
        np.dot(delta_o, w_o, out=delta_h)
        np.subtract(1, a_h, out=slope_h)
        np.multiply(a_h, slope_h, out=slope_h)
        mend(slope_h, np.greater(a_h, 0.99, out=self.late_h), z_h)
        np.multiply(delta_h, slope_h, out=delta_h)
        np.dot(self.delta_h_t, x, out=g_w_h)
        np.add.reduce(delta_h, 0, out=g_b_h)

        for w, g, scratch in zip(self.parameters, self.gradients, self.scratch, strict=True):
            np.multiply(g, self.lr, out=scratch)
            np.subtract(w, scratch, out=w)
        return loss


class Chain:
    """The gradient of 1,000 operations on x: times 0.99, plus itself, times 0.5, sin."""

    def __init__(self, x: Any, operations: int) -> None:
        self.rounds = operations // 4
        self.angles = [np.empty_like(x) for _ in range(self.rounds)]
        self.y, self.g, self.slope = (np.empty_like(x) for _ in range(3))

    def gradient(self, x: Any) -> Any:
        """The gradient of the sum of the last result, in a new array."""
        y, g, slope = self.y, self.g, self.slope
        for angle in self.angles:
            np.multiply(x, 0.99, out=angle)
            np.add(angle, angle, out=angle)
            np.multiply(angle, 0.5, out=angle)
            np.sin(angle, out=y)
            x = y
        g.fill(1.0)
        for angle in reversed(self.angles):
            np.cos(angle, out=slope)
            np.multiply(g, slope, out=g)
            np.multiply(g, 0.5, out=g)
            np.add(g, g, out=g)
            np.multiply(g, 0.99, out=g)
        return g.copy()


class Recurrent:
    """The gradients of sum(h_T ** 2) for h_t = tanh(x_t @ w_x + h_{t-1} @ w_h + b). What does not
    depend on h is one product for all steps, and so are the gradients of the weights."""

    def __init__(self, steps: int, batch: int, features: int, hidden: int) -> None:
        self.inputs = np.empty((steps * batch, hidden))
        self.states = np.zeros((steps + 1, batch, hidden))
        self.deltas = np.empty((steps, batch, hidden))
        self.product, self.slope, self.g = (np.empty((batch, hidden)) for _ in range(3))
        self.rows = [*zip(self.inputs.reshape(steps, batch, hidden), self.states, self.states[1:],
                          self.deltas, strict=False)]  # fmt: skip
        self.steps, self.batch, self.features, self.hidden = steps, batch, features, hidden

    def gradient(self, w_x: Any, w_h: Any, b: Any, x: Any) -> list[Any]:
        """The gradients of w_x, w_h and b for inputs x (steps, batch, features)."""
        product, slope, g, w_h_t = self.product, self.slope, self.g, w_h.T
        flat = x.reshape(-1, self.features)
        np.dot(flat, w_x, out=self.inputs)
        np.add(self.inputs, b, out=self.inputs)
        for given, before, state, _ in self.rows:
            np.dot(before, w_h, out=product)
            np.add(given, product, out=given)
            np.tanh(given, out=state)
        np.multiply(2.0, self.states[-1], out=g)
        for given, _, _, delta in reversed(self.rows):
            quiet.run(np.exp, given, slope)  # 4 / (exp(z) + exp(-z))², which has digits everywhere
            quiet.run(np.divide, 1, slope, product)
            np.add(slope, product, out=slope)
            np.divide(2, slope, out=slope)
            np.multiply(slope, slope, out=slope)
            np.multiply(g, slope, out=delta)
            np.dot(delta, w_h_t, out=g)
        deltas = self.deltas.reshape(-1, self.hidden)
        before = self.states[:-1].reshape(-1, self.hidden)
        return [np.dot(flat.T, deltas), np.dot(before.T, deltas), deltas.sum(0)]


class Logistic:
    """Hessian-vector products of mean(log(1 + exp(x @ w)) - y (x @ w))."""

    def __init__(self, rows: int) -> None:
        self.z, self.u, self.s = (np.empty(rows) for _ in range(3))

    def product(self, w: Any, v: Any, x: Any) -> Any:
        """x.T @ (sigmoid(x @ w) sigmoid(-x @ w) (x @ v)) / n."""
        z, u, s = self.z, self.u, self.s
        np.dot(x, w, out=z)
        np.dot(x, v, out=u)
        np.abs(z, out=z)
        np.multiply(z, -1.0, out=z)
        np.exp(z, out=z)
        np.add(z, 1, out=s)
        np.multiply(s, s, out=s)
        np.divide(z, s, out=s)
        np.multiply(u, s, out=u)
        np.divide(u, len(u), out=u)
        return np.dot(u, x)


class Blocks:
    """tanh(2 x + 1) sigmoid(x) summed, and its gradient, in blocks that stay in the cache."""

    def __init__(self, block: int = 20_000) -> None:
        self.block = block
        self.buffers = [np.empty(block) for _ in range(5)]

    def gradient(self, x: Any) -> tuple[float, Any]:
        """The sum, and the gradient in a new array."""
        out, total = np.empty_like(x), 0.0
        for start in range(0, len(x), self.block):
            part, g = x[start : start + self.block], out[start : start + self.block]
            z, t, s, u, v = (buffer[: len(part)] for buffer in self.buffers)
            np.multiply(part, 2, out=z)
            np.add(z, 1, out=z)
            np.tanh(z, out=t)
            np.multiply(part, -1.0, out=s)
            checked.run(np.exp, s, s)
            np.add(s, 1, out=s)
            np.reciprocal(s, out=s)
            np.multiply(t, s, out=u)
            total += float(np.add.reduce(u, None))
            np.subtract(1, s, out=u)
            np.multiply(s, u, out=u)
            mend(u, s > 0.99, part)
            np.multiply(t, u, out=u)
            quiet.run(np.exp, z, z)
            quiet.run(np.divide, 1, z, v)
            np.add(z, v, out=v)
            np.divide(2, v, out=v)
            np.multiply(v, v, out=v)
            np.multiply(s, v, out=v)
            np.multiply(v, 2, out=v)
            np.add(u, v, out=g)
        return total, out
