"""Every optimiser: in place, of one dtype, on a device, compiled, without allocations."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, ShapeError
from nn.optim.formula import Formula
from nn.optim.optimizer import settings_of
from tests.optimizers import every, made, train

# ---- formulas ------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("shape", [(4, 3), (100_000,)], ids=["small", "in blocks"])
def test_in_place_is_the_formula(name, options, shape):
    """The update writes what its formula gives for arrays, bit by bit."""
    (w,), optimizer = made(name, options, np.float64, [shape])
    memory, group = w.data, optimizer.param_groups[0]
    expected, state, counters = w.data.copy(), {}, {}
    for step in range(4):
        g = np.random.default_rng(step).normal(size=shape)
        if not state:
            names = optimizer.arrays(group)
            state = {n: np.full_like(expected, optimizer.start(n, group)) for n in names}
            counters = {n: np.array(first) for n, first in optimizer.counters.items()}
        if counters:
            optimizer.count(group, counters)
        numbers = optimizer.numbers(group, counters)
        h = SimpleNamespace(**settings_of(group), **numbers, first=step == 0)
        s = SimpleNamespace(**state)
        expected, state = optimizer.update(expected, g, s, h), vars(s)
        w.grad = g.copy()
        optimizer.step()
        np.testing.assert_array_equal(w.data, expected)
        np.testing.assert_array_equal(w.grad.data, g)
    assert w.data is memory


@pytest.mark.parametrize("seed", range(150))
def test_a_random_formula_in_place(seed):
    """Results are replaced and scratch arrays used again in every order."""

    def update(w, g, s, h):
        random = np.random.default_rng(seed)
        known = [w, g, s.a, s.b]
        for _ in range(random.integers(1, 12)):
            x, y = (known[i] for i in random.integers(0, len(known), 2))
            operation = random.choice([np.add, np.subtract, np.multiply, np.maximum])
            result = operation(x, y) if random.random() < 0.7 else h.lr * np.absolute(x)
            known.append(result)
            if random.random() < 0.3:
                setattr(s, random.choice(["a", "b"]), known[random.integers(len(known))])
        return known[random.integers(2, len(known))]

    random = np.random.default_rng(seed + 1000)
    arrays = list(random.normal(size=(4, 6)))
    s = SimpleNamespace(a=arrays[2], b=arrays[3])
    expected = update(arrays[0], arrays[1], s, SimpleNamespace(lr=0.3))
    wanted = [np.array(x) for x in (expected, arrays[1], s.a, s.b)]
    formula = Formula(update, ("a", "b"), {"lr": 0.3})
    formula(arrays, formula.numbers_of({"lr": 0.3}, np.dtype(float)), {})
    for found, value in zip(arrays, wanted, strict=True):
        np.testing.assert_array_equal(found, value, err_msg=formula.text)


@every
def test_the_precision_is_kept(name, options):
    parameters, optimizer = made(name, options, np.float32)
    others, other = made(name, options)
    train(parameters, optimizer, 5)
    train(others, other, 5)
    for p, q in zip(parameters, others, strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-3, atol=1e-4)
        kinds = {optimizer.state[p][n].dtype for n in optimizer.arrays(optimizer.param_groups[0])}
        assert {p.dtype} | kinds == {np.dtype(np.float32)}


@every
def test_nothing_is_allocated_after_the_first_step(name, options):
    parameters, optimizer = made(name, options, np.float32, [(300, 400), (400,)])
    gradients = [np.ones(p.shape, np.float32) for p in parameters]

    def step():
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g
        optimizer.step()

    for _ in range(2):
        step()
    tracemalloc.start()
    step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000, "the weights take 480,000 bytes"


@every
def test_a_complex_parameter_is_two_real_ones(name, options):
    (z,), optimizer = made(name, options, np.complex128, [(4, 3)])
    parts = [nn.Parameter(z.data.real.copy()), nn.Parameter(z.data.imag.copy())]
    twin = getattr(nn, name)(parts, **options)
    random = np.random.default_rng(3)
    for _ in range(4):
        real, imag = random.normal(size=(2, 4, 3))
        z.grad = real - 1j * imag  # the gradient of a real loss is conjugate to the direction
        parts[0].grad, parts[1].grad = real, imag
        optimizer.step()
        twin.step()
    np.testing.assert_array_equal(z.data, parts[0].data + 1j * parts[1].data)


# ---- programs ----------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("skip", [(), (0, 1, 5)], ids=["all", "some without gradient"])
def test_a_compiled_step_has_the_same_bits(name, options, skip):
    plain, first = made(name, options, np.float32)
    compiled, second = made(name, options, np.float32)
    step = Compiled(lambda: second.step())
    train(plain, first, 8, skip)
    train(compiled, SimpleNamespace(step=step), 8, skip)
    assert not step.plain
    first.lr, second.lr = first.lr * 0.5, second.lr * 0.5
    if "betas" in first.param_groups[0]:
        betas = tuple(beta * 0.9 for beta in options.get("betas", (0.9, 0.999)))  # 0 stays 0
        first.param_groups[0]["betas"] = second.param_groups[0]["betas"] = betas
    train(plain, first, 3, start=8)
    programs = len(step.programs)
    train(compiled, SimpleNamespace(step=step), 3, start=8)
    assert len(step.programs) == programs, "a schedule needs no other program"
    for p, q in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        for key, values in first.state.get(p, {}).items():
            np.testing.assert_array_equal(values, second.state[q][key], err_msg=key)


# ---- state ---------------------------------------------------------------------------------------


@every
def test_training_goes_on_from_a_state(name, options):
    parameters, optimizer = made(name, options)
    train(parameters, optimizer, 3, skip=(1,))
    others, other = made(name, options)
    for p, q in zip(parameters, others, strict=True):
        q.data = p.data.copy()
    other.load_state_dict(optimizer.state_dict())
    train(parameters, optimizer, 3, start=3)
    train(others, other, 3, start=3)
    for p, q in zip(parameters, others, strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_a_state_that_does_not_fit_changes_nothing():
    parameters, optimizer = made("Adam", {})
    train(parameters, optimizer, 2)
    _, other = made("Adam", {}, shapes=((3, 4), (6,)))
    with pytest.raises(ShapeError, match=r"state\[0\]\['exp_avg'\].*state\[1\]\['exp_avg_sq'\]"):
        other.load_state_dict(optimizer.state_dict())
    assert not other.state
    _, other = made("Adam", {}, shapes=((3, 4),))
    with pytest.raises(AutogradError, match=r"have \[2\] parameters; these have \[1\]"):
        other.load_state_dict(optimizer.state_dict())


# ---- groups and settings -------------------------------------------------------------------------


def test_groups_have_settings_of_their_own():
    w, b = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.SGD([{"params": [w], "lr": 0.5}, {"params": b, "weight_decay": 1}], lr=0.1)
    w.grad = b.grad = np.ones(1)
    optimizer.step()
    assert (w.item(), b.item()) == (0.5, 0.8)
    with pytest.raises(AutogradError, match=r"different learning rates, \[0.5, 0.1\]"):
        assert optimizer.lr
    optimizer.lr = 0.2
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.2]
    c = nn.Parameter([1.0])
    optimizer.add_param_group({"params": [c]})
    assert optimizer.parameters == [w, b, c]
    with pytest.raises(AutogradError, match="numbers 1 and 3"):
        optimizer.add_param_group({"params": [b]})
    assert len(optimizer.param_groups) == 3


def test_names_with_parameters_and_a_closure():
    model = nn.Linear(2, 1)
    optimizer = nn.Adam(model.named_parameters())

    def closure():
        optimizer.zero_grad()
        loss = nn.MSE()(model([[1.0, 2.0]]), [[3.0]])
        loss.backward()
        return loss

    first = optimizer.step(closure).item()
    for _ in range(100):
        last = optimizer.step(closure).item()
    assert last < first
    assert repr(optimizer).startswith("Adam(2 parameters, lr=0.001, betas=(0.9, 0.999), eps=1e-08")
    optimizer.zero_grad(set_to_none=False)
    assert not model.weight.grad.data.any()


@pytest.mark.parametrize(
    ("name", "settings", "complaint"),
    [
        ("Adam", {"betas": (0.9, 1.0)}, "Adam: betas must be at least 0 and less than 1, not 1.0"),
        ("Adam", {"eps": -1e-8}, "eps must be"),
        ("Adam", {"betas": 0.9}, "betas must be two numbers"),
        ("AdamW", {"weight_decay": -1}, "weight_decay must be"),
        ("RMSprop", {"alpha": 1.0}, "alpha must be"),
        ("Adadelta", {"rho": -0.1}, "rho must be"),
        ("Lion", {"betas": (0.9, "0.99")}, "betas must be"),
    ],
)
def test_settings_outside_their_range(name, settings, complaint):
    with pytest.raises(AutogradError, match=complaint):
        getattr(nn, name)([nn.Parameter([1.0])], **settings)


def test_a_setting_that_does_not_exist():
    with pytest.raises(AutogradError, match=r"SGD has no setting \['rate'\]; it has \['dampening'"):
        nn.SGD([{"params": [nn.Parameter([1.0])], "rate": 0.1}])
