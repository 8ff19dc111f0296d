"""Random programs of smooth operations whose results are used more than once."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_core as ac
from tests.differences import assert_agrees, terms

UNARY = {
    "sin": (ac.sin, np.sin),
    "tanh": (ac.tanh, np.tanh),
    "sigmoid": (ac.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "turn": (lambda x: x.T, lambda x: x.T),
    "rows": (lambda x: x[::-1], lambda x: x[::-1]),
    "mean": (partial(ac.mean, axis=0, keepdims=True), lambda x: x.mean(0, keepdims=True)),
    "halve": (lambda x: 0.5 * x, lambda x: 0.5 * x),
}
BINARY = {
    "add": (ac.add, np.add),
    "multiply": (lambda x, y: ac.tanh(x) * y, lambda x, y: np.tanh(x) * y),
    "divide": (lambda x, y: x / (2 + y * y), lambda x, y: x / (2 + y * y)),
    "matmul": (lambda x, y: ac.tanh(x @ y), lambda x, y: np.tanh(x @ y)),
}
SIDE = 2
STEEP = 2.0**-8  # a composition has poles close to the real axis, and no kinks on it

# A step names its operation and which earlier results it reads, counted from the latest.
back = st.integers(0, 3)
STEPS = st.lists(
    st.tuples(st.sampled_from(list(UNARY)), back)
    | st.tuples(st.sampled_from(list(BINARY)), back, back),
    min_size=1,
    max_size=8,
)


def result(steps, leaves, side):
    """The last value of the program; `side` 0 runs it on Tensors, 1 on plain arrays."""
    values = list(leaves)
    for name, *reads in steps:
        function = {**UNARY, **BINARY}[name][side]
        operands = [values[-1 - read % len(values)] for read in reads]
        if name == "matmul":  # a mean has one row
            operands = [x + values[0] for x in operands]
        values.append(function(*operands))
    return values[-1] + values[0]


@given(steps=STEPS, seed=st.integers(0, 1000))
@pytest.mark.parametrize("order", [1, 2])
def test_gradient_of_a_program(steps, seed, device, order):
    rng = np.random.default_rng(seed)
    points = [rng.uniform(-1, 1, (SIDE, SIDE)) for _ in range(2)]
    directions = [rng.uniform(-1, 1, (SIDE, SIDE)) for _ in range(2)]
    weights = rng.uniform(-1, 1, (SIDE, SIDE))

    def gradients(arrays, order):
        """The gradient, or that of its sum of squares."""
        leaves = [ac.Tensor(device.array(x), requires_grad=True) for x in arrays]
        loss = ac.sum(result(steps, leaves, 0) * device.array(weights))
        loss.backward(create_graph=order == 2)
        if order == 2:
            first = [leaf.grad for leaf in leaves if leaf.grad is not None]
            for leaf in leaves:
                leaf.grad = None
            squares = sum(ac.sum(g * g) for g in first)
            if squares.requires_grad:
                squares.backward()
        return [
            np.zeros(leaf.shape) if leaf.grad is None else device.numpy(leaf.grad)
            for leaf in leaves
        ]

    def value(t):
        arrays = [x + t * d for x, d in zip(points, directions, strict=True)]
        if order == 1:
            return terms(weights, np.broadcast_to(result(steps, arrays, 1), weights.shape))
        return np.concatenate([(g * g).ravel() for g in gradients(arrays, 1)])

    pairs = zip(gradients(points, order), directions, strict=True)
    assert_agrees(np.concatenate([terms(g, d) for g, d in pairs]), value, largest=STEEP)
