"""Random NumPy programs with writes, decisions, numbers, draws and loops, compiled: the results,
the state and the random numbers of plain calls. RANDOM_COMPILED=5000 runs more of them."""

import os
import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradWarning
from tests.test_compiling import bits

COUNT = int(os.environ.get("RANDOM_COMPILED", "150"))
UNARY = [np.sin, np.tanh, np.negative, np.abs, lambda v: np.exp(-np.abs(v)), lambda v: v * 1.0]
BINARY = [np.add, np.subtract, np.multiply, np.maximum]


def random_program(rng, size):
    """A list of steps, each a function of the variables, of the state, a generator and indices."""
    steps = []

    def pick():
        return int(rng.integers(0, 1 << 30))

    for _ in range(rng.integers(3, 14)):
        kind, a, b, c = rng.integers(0, 16), pick(), pick(), pick()
        number = round(float(rng.normal()), 2)
        one, two = UNARY[a % len(UNARY)], BINARY[b % len(BINARY)]
        steps.append((int(kind), a, b, c, number, one, two))
    return steps


def run(steps, x, rows, places, state, generator):
    """The variables after all steps."""
    values = [x, x * 2]

    def of(number):
        return values[number % len(values)]

    for kind, a, b, c, number, one, two in steps:
        v, w = of(a), of(b)
        if kind < 3:
            values.append(one(v))
        elif kind < 5:
            values.append(two(v, w))
        elif kind == 5:
            values.append(v * v.sum())
        elif kind == 6:
            u = v * 1 + w
            u += one(w)
            u[c % 3] = number
            values.append(u)
        elif kind == 7:
            u = np.zeros_like(v)
            two(v, w, out=u)
            u += v
            values.append(u)
        elif kind == 8:
            state[...] = state * 0.5 + v[:3]
        elif kind == 9:
            u = v + 0
            u[:3] += state
            values.append(u)
        elif kind == 10:
            values.append(v * 2 if v.sum() > number else w - 1)
        elif kind == 11:
            t = v.max().item()
            values.append(w * (t + number) if t > number else w * abs(t))
        elif kind == 12:
            values.append(v + generator.normal(size=3).sum())
        elif kind == 13:
            u = one(v)
            u[:3] = one(w)[places]
            values.append(u)
        elif kind == 14:
            values.append(np.ones_like(v) * number - np.ones_like(w))
        else:
            h, total = rows[0], rows[0] * number
            for row in rows[1:]:
                h = one(h * number + row)
                total = total + h * row
            values.append(v * total.sum())
    return [*values[2:], state * 1, values[-1].sum()]


@pytest.mark.filterwarnings("ignore:compile")
def test_random_programs_with_state():
    programs = 0
    for seed in range(COUNT):
        rng = np.random.default_rng(seed)
        size = 70_000 if seed % 10 == 0 else int(rng.integers(3, 40))
        steps = random_program(rng, size)
        sides = []
        for compile_it in (False, True):
            state, generator = np.ones(3), np.random.default_rng(seed)

            def f(x, rows, places, state=state, generator=generator):
                return run(steps, x, rows, places, state, generator)  # noqa: B023

            sides.append((Compiled(f) if compile_it else f, state, generator))
        for call in range(5):
            x = rng.normal(size=size) * (1 + call)
            rows, places = rng.normal(size=(10, 16)), rng.integers(0, 3, 3)
            found = []
            for step, state, generator in sides:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    out = step(x.copy(), rows.copy(), places.copy())
                found.append((bits(out), bits(state), bits(generator.normal(size=2))))
                for array in out[:-1]:
                    array[...] = 99  # it belongs to the caller
            assert found[0] == found[1], f"seed {seed}, call {call}"
        programs += bool(sides[1][0].programs)
    assert programs > 0.8 * COUNT


def slope(steps, x, rows, places, state):
    """The gradient of the same programs, without writes to the state, draws and decisions."""

    def total(x, rows):
        values = [x, x * 2]
        for _, a, b, _, number, one, two in steps:
            v, w = values[a % len(values)], values[b % len(values)]
            values.append(two(one(v), w) * number - v)
        h, acc = 0.0, 0.0
        for row in rows:
            h = ac.tanh(h + row)
            acc = acc + ac.sum(h * row)
        return sum(ac.sum(v) for v in values) + acc * ac.sum(state * values[-1][places])

    return ac.grad(total, (0, 1))(x, rows)


@pytest.mark.filterwarnings("ignore:compile")
def test_gradients_of_random_programs():
    for seed in range(COUNT // 2):
        rng = np.random.default_rng(seed)
        size = 70_000 if seed % 10 == 0 else int(rng.integers(3, 40))
        steps, state = random_program(rng, size), rng.normal(size=3)
        compiled = Compiled(lambda x, rows, places: slope(steps, x, rows, places, state))  # noqa: B023
        for call in range(3):
            x, rows = rng.normal(size=size) * 0.1 * (1 + call), rng.normal(size=(10, 16))
            places = rng.integers(0, 3, 3)
            expected = bits(slope(steps, x, rows, places, state))
            assert bits(compiled(x, rows, places)) == expected, f"seed {seed}, call {call}"


def test_a_constructor_that_draws_is_not_called_by_a_step():
    """A model may make a generator in `__init__`; a function that makes a model may not."""

    class Model(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.random.default_rng(0).normal(size=3))

        def forward(self, x):
            return x * self.weight

    class Larger(Model):
        pass

    for kind in (Model, Larger):
        model = kind()
        compiled = Compiled(lambda x, model=model: ac.sum(model(x)).detach())
        compiled(ac.ones(3))
        assert compiled.programs
        made = Compiled(lambda x, kind=kind: ac.sum(kind()(x)).detach())
        with pytest.warns(AutogradWarning, match="it makes a generator of random numbers"):
            made(ac.ones(3))
