"""Unrolled loops, compiled: what does not depend on the last step is computed for all at once, with
the bits of plain calls."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
from tests.test_compiling import bits

RNG = np.random.default_rng(0)
STEPS = 12
X = RNG.normal(size=(STEPS, 8, 16))
TARGETS = RNG.normal(size=(STEPS, 8, 3))


def weights(*shapes, dtype=float):
    return tuple(RNG.normal(0, 0.3, shape).astype(dtype) for shape in shapes)


RECURRENT = ((16, 32), (32, 32), (32,))


def recurrent(x, w_x, w_h, bias, unit=ac.tanh):
    h = np.zeros((x[0].shape[0], w_h.shape[0]), x[0].dtype)
    for inputs in x:
        h = unit(inputs @ w_x + h @ w_h + bias)
    return ac.sum(h * h)


def with_losses(x, w_x, w_h, bias, w_out):
    h, loss = np.zeros((8, 32)), 0.0
    for inputs, target in zip(x, TARGETS, strict=True):
        h = ac.tanh(inputs @ w_x + h @ w_h + bias)
        loss = loss + ac.sum((h @ w_out - target) ** 2)
    return loss


def gated(x, w_f, w_i, u_f, u_i):
    h = np.zeros((8, 16))
    for inputs in x:
        forget = ac.sigmoid(inputs @ w_f + h @ u_f)
        h = forget * h + (1 - forget) * ac.tanh(inputs @ w_i + forget * (h @ u_i))
    return ac.sum(h)


def two_layers(x, w_x, w_h, bias, v_x, v_h):
    h, k = np.zeros((8, 32)), np.zeros((8, 8))
    for inputs in x:
        h = ac.tanh(inputs @ w_x + h @ w_h + bias)
        k = ac.tanh(h @ v_x + k @ v_h)
    return ac.sum(k**3)


def reversed_in_time(x, w_x, w_h, bias):
    return recurrent(x[::-1], w_x, w_h, bias)


def apart(x, w):
    """Terms that depend on no other."""
    return sum(ac.sum(ac.exp(-((x[t] @ w) ** 2)) * x[t - 1][:, :4]) for t in range(STEPS))


def polynomial(x, a, b):
    """Sums of elementwise terms, with and without a product."""
    total = a * x[0]
    for t in range(1, STEPS):
        total = total + a * x[t]
    for t in range(STEPS):
        total = total + ac.sin(x[t] * b)
    return ac.sum(total * total)


def in_pieces(x, w_x, w_h, bias):
    """Rows of several arrays, of which some are equal."""
    rows = [x[0], x[0] + 1, x[1], x[1] * 2, *(x[t] for t in range(2, STEPS))]
    return recurrent(rows, w_x, w_h, bias)


def decided(x, w_x, w_h, bias):
    """The loop ends by a decision."""
    h = np.zeros((8, 32))
    for inputs in x:
        h = ac.tanh(inputs @ w_x + h @ w_h + bias)
        if ac.max(h) > 2:
            break
    return ac.sum(h)


PROGRAMS = {
    "recurrent": (recurrent, weights(*RECURRENT)),
    "relu": (lambda *args: recurrent(*args, unit=ac.relu), weights(*RECURRENT)),
    "sigmoid": (lambda *args: recurrent(*args, unit=ac.sigmoid), weights(*RECURRENT)),
    "odd sizes": (recurrent, weights((16, 7), (7, 7), (7,))),
    "losses": (with_losses, weights(*RECURRENT, (32, 3))),
    "gated": (gated, weights((16, 16), (16, 16), (16, 16), (16, 16))),
    "two layers": (two_layers, weights(*RECURRENT, (32, 8), (8, 8))),
    "reversed": (reversed_in_time, weights(*RECURRENT)),
    "apart": (apart, weights((16, 4))),
    "polynomial": (polynomial, weights((8, 16), (8, 16))),
    "in pieces": (in_pieces, weights(*RECURRENT)),
    "decided": (decided, weights(*RECURRENT)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PROGRAMS)
def test_loops_keep_their_bits(name, dtype):
    f, parameters = PROGRAMS[name]
    parameters = [p.astype(dtype) for p in parameters]
    places = tuple(range(len(parameters) + 1))
    slopes = ac.value_and_grad(f, places)
    curve = ac.grad(lambda *args: sum(ac.sum(g * g) for g in ac.grad(f, places)(*args)), places)
    for plain in (slopes, curve):
        compiled = Compiled(plain)
        for i in range(4):
            x = (X * (i - 1) * 0.3).astype(dtype)
            assert bits(compiled(x, *parameters)) == bits(plain(x, *parameters))
        assert not compiled.plain, compiled.plain


def test_what_is_joined():
    compiled = Compiled(ac.grad(recurrent, (1, 2, 3)))
    compiled(X, *PROGRAMS["recurrent"][1])
    lines = compiled.source.splitlines()
    assert sum("np.matmul(" in line for line in lines) == 3  # inputs, and two gradients of weights
    assert sum("np.exp" in line for line in lines) == 1  # the slopes of all steps
    assert sum("np.dot(" in line for line in lines) < 2 * STEPS + 3
    assert sum("initial=-0.0" in line for line in lines) == 3


def test_sums_of_negative_zeros_keep_their_sign():
    def total(x, w):
        out = x[0] @ w
        for t in range(1, STEPS):
            out = out + x[t] @ w
        return out

    compiled, negative = Compiled(total), np.full((STEPS, 2, 2), -0.0)
    for x in (negative, -negative, negative):
        found = compiled(x, np.ones((2, 2)))
        assert bits(found) == bits(total(x, np.ones((2, 2))))
    assert "np.matmul" in compiled.source


def test_reassociate_joins_products_and_factors():
    given = (X, *PROGRAMS["recurrent"][1])
    plain = ac.grad(recurrent, (0, 1, 2, 3))
    compiled = ac.compile(plain, reassociate=True)
    for _ in range(3):
        for found, expected in zip(compiled(*given), plain(*given), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    assert sum("np.matmul(" in line for line in compiled.source.splitlines()) == 1
    scaled = ac.compile(lambda x: 3.0 * (0.1 * (x * 7.0)) + 1, reassociate=True)
    np.testing.assert_allclose(scaled(X), 2.1 * X + 1, rtol=1e-11)
    assert scaled.source.count("np.multiply") == 1
    with pytest.raises(ValueError, match="check compares bits"):
        ac.compile(plain, check=True, reassociate=True)
