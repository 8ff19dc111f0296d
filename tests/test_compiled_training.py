"""Compiled training steps: what they write, in the bits of plain steps."""

import re

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from tests.test_compiling import bits

# ---- training ------------------------------------------------------------------------------------


def network(compiled, momentum=0.0, dtype=np.float64, loss_of=None):
    model = nn.Sequential(nn.Linear(6, 5, generator=0, dtype=dtype), nn.Sigmoid(),
                          nn.Linear(5, 3, generator=1, dtype=dtype), nn.Sigmoid())  # fmt: skip
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=momentum)
    loss_of = loss_of or nn.MSE("batch")

    def step(x, y):
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, Compiled(step) if compiled else step


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss_of", [nn.MSE("batch"), nn.BCELoss(), nn.BCEWithLogitsLoss()])
def test_twenty_steps_of_training_keep_their_bits(momentum, dtype, loss_of):
    rng = np.random.default_rng(0)
    plain = network(False, momentum, dtype, loss_of)
    compiled = network(True, momentum, dtype, loss_of)
    for i in range(20):
        x, y = rng.normal(size=(7, 6)).astype(dtype), rng.integers(0, 2, (7, 3)).astype(dtype)
        if i == 12:
            plain[1].lr = compiled[1].lr = 0.03
        assert bits(plain[2](x, y)) == bits(compiled[2](x, y))
        for p, q in zip(plain[0].parameters(), compiled[0].parameters(), strict=True):
            assert bits(p.data) == bits(q.data)
            assert bits(p.grad) == bits(q.grad)
    assert not compiled[2].plain
    assert len(compiled[2].programs) <= 4


def test_a_write_of_a_program_is_stamped():
    model, _, step = network(True)
    x, y = np.ones((7, 6)), np.zeros((7, 3))
    for _ in range(3):
        step(x, y)
    loss = ac.sum(model(x))
    step(x, y)
    with pytest.raises(ac.StaleArrayError):
        loss.backward()


def test_gradients_accumulate_over_calls():
    results = []
    for compile_it in (False, True):
        model = nn.Linear(3, 2, generator=0)

        def add(x, model=model):
            ac.sum(model(x) ** 2).backward()

        run = Compiled(add) if compile_it else add
        for i in range(4):
            run(np.full((2, 3), i + 1.0))
        results.append([p.grad.numpy() for p in model.parameters()])
    assert bits(results[0]) == bits(results[1])


def test_an_error_while_tracing_changes_nothing_twice():
    model, _, _ = network(False)
    before = [p.data.copy() for p in model.parameters()]

    def broken(x):
        with ac.no_grad():
            for parameter in model.parameters():
                parameter.data += x[0]
        raise RuntimeError("in the middle")

    compiled = Compiled(broken)
    with pytest.raises(RuntimeError, match="in the middle"):
        compiled(np.ones(1))
    assert not compiled.plain
    for parameter, was in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, was + 1)


@pytest.mark.filterwarnings("ignore:compile")
def test_an_argument_that_is_a_parameters_memory():
    plain, compiled = (nn.Parameter(np.ones(3)) for _ in range(2))
    run = []
    for parameter in (plain, compiled):

        def move(x, parameter=parameter):
            with ac.no_grad():
                parameter.data -= 0.5 * x
                parameter.data -= 0.5 * x

        run.append(move)
    program = Compiled(run[1])
    for array in (np.ones(3), np.ones(3), None, np.ones(3)):
        run[0](plain.data if array is None else array)
        with np.errstate(all="ignore"):
            program(compiled.data if array is None else array)
        assert bits(plain.data) == bits(compiled.data)


def test_a_gradient_that_is_computed_in_blocks_is_left_once():
    results = []
    for compile_it in (False, True):
        weight = nn.Parameter(np.linspace(-1, 1, 100_000))
        optimizer = nn.SGD([weight], lr=0.1)

        def step(x, weight=weight, optimizer=optimizer):
            loss = ac.sum(ac.sin(weight * x) * ac.tanh(weight))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        run = Compiled(step) if compile_it else step
        x = np.random.default_rng(0).normal(size=(5, 100_000))
        results.append([[run(row), weight.data.copy(), weight.grad.data] for row in x])
    assert bits(results[0]) == bits(results[1])
    assert len(run.programs) == 2


def test_the_numbers_of_a_float32_program_are_in_its_text():
    """As scalars of NumPy, which the text defines. Python numbers stand where they are used."""
    model, loss_of = nn.Linear(2, 2, dtype=np.float32), nn.MSE("batch")

    @ac.compile
    def step(x, y):
        loss = loss_of(model(x), y)
        loss.backward()
        return loss

    step(np.ones((5, 2), np.float32), np.zeros((5, 2), np.float32))
    assert re.search(r"^d_squared_error\w* = np\.float32\(0\.4\)$", step.source, re.MULTILINE)
