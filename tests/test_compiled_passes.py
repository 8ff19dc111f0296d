"""Programs that single passes got wrong: blocks, the order of writes, sums of loops, constants."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from tests.test_compiling import bits

pytestmark = pytest.mark.filterwarnings("ignore:compile")
RNG = np.random.default_rng(0)
LARGE = 70_000


def same(f, *arguments, states=(), rounds=4, **settings):
    """Calls of the program and of the function, with other arguments, leave and return the same."""
    compiled = Compiled(f, **settings)
    held = [[state.copy() for state in states] for _ in range(2)]
    for i in range(rounds):
        given = [np.array(a * (i + 1), a.dtype) for a in arguments]
        results = []
        for run, kept in zip((compiled, f), held, strict=True):
            for state, value in zip(states, kept, strict=True):
                state[...] = value
            with np.errstate(all="ignore"):
                results.append(run(*given))
            for state, value in zip(states, kept, strict=True):
                value[...] = state
        assert bits(results[0]) == bits(results[1])
        assert bits(held[0]) == bits(held[1])
    return compiled


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(x) * 2 / (np.exp(x) * 2).sum(),
        lambda x: (np.sin(x) * 2) * (np.sin(x) * 2).sum() + x,
        lambda x: (lambda v: v / v.sum() - v.sum() * v)(np.tanh(x) * 2 + 3),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_sum_that_its_own_chain_uses(f, threads):
    assert not same(f, RNG.normal(size=LARGE) * 0.1, threads=threads).plain


def test_a_write_does_not_overtake_a_read_in_blocks():
    q = np.ones(2)

    def f(x):
        v = np.tanh(x) * 2 + 1
        w = v[:2] + q
        q[...] = 7.0
        return w, v

    same(f, RNG.normal(size=LARGE), states=[q])


def test_a_write_before_a_decision_does_not_overtake_a_read():
    p = np.zeros(2)

    def f(x):
        b = np.zeros_like(x)
        p[...] = p + 1
        y = b + x
        b[1] = 2.0
        return y if b.sum() < 5 else -y

    same(f, np.ones(2), states=[p])


@pytest.mark.parametrize("shape", [(2,), (1,), (1, 1), (3, 16)])
@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.float32, np.float64, np.complex128])
def test_sums_of_loops(shape, dtype):
    def f(x):
        h = x[0]
        total = h * x[0]
        for t in range(1, 20):
            h = np.negative(h + x[t]) * dtype(0.5 if dtype in (np.float32, np.float64) else 0)
            total = total + h * x[t]
        return total

    def products(x):
        total = x[0] * x[1]
        for t in range(1, 19):
            total = total + x[t] * x[t + 1]
        return total

    for function in (f, products):
        same(function, RNG.normal(size=(20, *shape)).astype(dtype) * dtype(1))


def test_the_result_of_the_first_call_belongs_to_the_caller():
    compiled = Compiled(ac.grad(lambda x: ac.sum(x)))
    first = compiled(np.zeros(2))
    first *= 5
    assert compiled(np.zeros(2)).tolist() == [1, 1]
    p = nn.Parameter(np.ones(2))

    @ac.compile
    def slope():
        p.grad = None
        ac.sum(p).backward()

    for _ in range(3):
        slope()
        p.grad.data[...] += 2
    slope()
    assert p.grad.data.tolist() == [1, 1]


def test_writes_to_arrays_without_axes():
    def f(x):
        z = np.zeros_like(x.sum())
        np.multiply(2.0, 3.0, out=z)
        return z

    same(f, np.ones(2, np.float32))


def test_reassociate_does_not_read_what_was_written():
    r = np.ones(2)

    def f(x):
        s = r * 2.0
        r[...] = x
        return s * 3.0

    same(f, np.ones(2), states=[r], reassociate=True)


N = np.zeros(1)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.clip(x, 0, 1, out=np.empty_like(x)),
        lambda x: np.round(x, 1, out=np.empty_like(x)) * 2,
        lambda x: np.cumsum(x, out=np.empty_like(x)) + 1,
        lambda x: x.clip(0, 1, out=np.empty_like(x)),
        lambda x: np.dot(x[:, None], x[None], out=np.empty((3, 3))),
        lambda x: np.stack([x, x], out=np.empty((2, 3))) * x,
        lambda x: np.multiply(*np.modf(x, out=(np.empty_like(x), np.empty_like(x)))),
        lambda x: np.matmul(np.broadcast_to(2.0, (3, 3)), x),
        lambda x: np.matmul(np.ones((1, 1)), x[:1, None]),
        lambda x: x * complex(np.inf, 1),
        lambda x: x * round(x.sum().item(), 2),
    ],
)
def test_out_of_functions_and_other_calls(f):
    def counted(x):
        N[...] = N + 1
        return f(x)

    same(counted, np.array([0.3, -1.25, 2.5]), states=[N])


def test_a_step_that_accumulates_is_not_saved(tmp_path):
    p = nn.Parameter(np.ones(2))

    @ac.compile
    def add(x):
        loss = ac.sum(p * x)
        loss.backward()
        return loss

    for _ in range(3):
        add(np.ones(2))
    with pytest.raises(ac.AutogradError, match="no place"):
        add.save(tmp_path / "add.py")


def test_numbers_and_arrays_as_text_and_functions_in_variables():
    inverse, texts = np.linalg.inv, []

    def f(x):
        texts.append(f"{x[0, 0]:.2f} {x}") if not texts else None
        return inverse(x)

    x = np.eye(2) * 2
    assert bits(Compiled(f)(x)) == bits(np.linalg.inv(x))
    compiled = Compiled(lambda x: inverse(x) + 1)
    compiled(x)
    assert not compiled.plain


# ---- products, dtypes, memory orders, errors -----------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.dot(np.tanh(x), np.tanh(x).T),
        lambda x: np.tanh(x).T @ np.tanh(x),
        lambda x: (x * 1.0) @ x.T,
        ac.grad(lambda x: ac.sum(ac.matmul(ac.tanh(x), ac.tanh(x).T) ** 2)),
        lambda x: x @ x.T,
    ],
)
def test_products_of_equal_arrays(f):
    same(f, RNG.normal(size=(67, 45)) * 0.1)


def test_loops_of_two_dtypes():
    def f(x, y, w, v):
        rows = [((x[t] + w) if t % 2 else (y[t] + v)) * 0.3 for t in range(10)]
        return [np.abs(row) * 1.1 for row in rows]

    given = [RNG.normal(size=shape) for shape in ((10, 16), (10, 16), 16, 16)]
    same(f, given[0].astype("f"), given[1], given[2].astype("f"), given[3])


def test_memory_orders_of_arrays_that_are_written():
    def f(x, y):
        out = np.empty_like(x.T)
        np.multiply(x, y, out=out)
        return out, out.sum()

    x, y = RNG.normal(size=(2, 37, 37))
    compiled = same(f, x, y)
    assert compiled(x, y)[0].strides == f(x, y)[0].strides


def test_powers_of_numbers():
    compiled = Compiled(lambda x: x * 2 if isinstance(x.sum().item() ** 0.5, complex) else x)
    for x in (np.ones(2), -np.ones(2), np.ones(2)):
        assert bits(compiled(x)) == bits(compiled.function(x))


ERRORS = {
    "a place": (lambda x, i: (np.add.at(np.zeros_like(x), i, 1.0), x * 2)[1], IndexError, 9),
    "a start": (lambda x, i: (np.add.reduceat(x, i), x * 2)[1], IndexError, 9),
    "a choice": (lambda x, i: (i.choose((x[:1], x[:1] * 2)), x * 2)[1], ValueError, 9),
    "an integer power": (lambda x, i: (np.power(i, i), x * 2)[1], ValueError, -3),
    "a count": (lambda x, i: (x[:1].repeat(i), x * 2)[1], ValueError, -3),
    "an index": (lambda x, i: x[i] * 2, IndexError, 9),
    "a number": (lambda x, i: x * (1 / (i.sum().item() * 1.0 - 9)), ZeroDivisionError, 9),
}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_come_before_writes_and_draws_are_not_repeated(name, large):
    f, kind, wrong = ERRORS[name]
    results = []
    for compile_it in (False, True):
        count, generator = np.zeros(2), np.random.default_rng(0)

        def step(x, i, count=count, generator=generator):
            drawn = generator.normal(size=1)
            y = np.abs(x) * 2 + 1
            out = f(y, i)
            count[...] = count + 1
            return out, drawn, y

        run = Compiled(step) if compile_it else step
        x, i, found = np.ones(LARGE if large else 3), np.array([0]), []
        for place in (0, 0, 0, wrong, 0):
            try:
                found.append(run(x, i + place))
            except kind:
                found.append([np.zeros(1)])
        results.append((found, count))
    assert bits(results[0][0]) == bits(results[1][0])
    assert bits(results[0][1]) == bits(results[1][1])


def test_unaligned_arrays_after_a_write():
    p, x = np.zeros(1), np.ones(LARGE)
    unaligned = np.empty(x.nbytes + 1, np.uint8)[1:].view(float)
    unaligned[...] = x

    def f(x):
        p[...] = p + 1
        return np.exp(x) * 2 + 1

    compiled = Compiled(f)
    for given in (x, x, unaligned, x, unaligned):
        assert bits(compiled(given)) == bits(np.exp(x) * 2 + 1)
    assert p.tolist() == [5]


def test_numbers_are_written_to_elements():
    p = np.zeros(2)

    def f(x):
        p[...] = p + 1
        p[0] = x.sum().item()
        return x * np.sum(a=x)

    same(f, np.ones(3), states=[p])


def test_transposed_arrays_have_buffers():
    """Results that lie in memory in another order than their axes are written in place too."""

    def f(x):
        y = np.swapaxes(x, 0, 1).copy("K") * 2.0
        z = np.maximum(y + 1.0, 0.0)
        return np.exp(z[:, ::2]).sum() + (z * y).sum()

    compiled = same(f, RNG.normal(size=(30, 40)))
    (text,) = compiled.programs
    assert "np.empty((30, 40)).transpose((1, 0))" in text
    body = text[text.index("def step") :]
    assert body.count("np.multiply(") == 2
    assert body.count("out=") == 5


def test_products_need_buffers_in_c_order():
    """np.dot refuses others, matmul and ufuncs do not."""
    a, b = RNG.normal(size=(2, 5, 5))
    same(lambda x: np.dot(x.T, b).sum() + np.matmul(x.T, b.T).sum() + (x.T * 2).sum(), a)


def test_views_of_windows_are_made_once():
    window = np.lib.stride_tricks.sliding_window_view

    def f(x):
        y = x * 2.0
        return (window(y, 3, 0).transpose((0, 2, 1)) ** 2).sum() + window(x, 2, 1).sum()

    compiled = same(f, RNG.normal(size=(6, 4)))
    (text,) = compiled.programs
    made, body = text.split("def step")
    assert "np.lib.stride_tricks.sliding_window_view(y, 3, 0)" in made
    assert body.count("np.lib.stride_tricks.sliding_window_view(") == 1, "that of the argument"


def test_whole_parts_are_left_out():
    compiled = same(
        lambda x: (x * 2.0)[:, :][..., :].sum() + x[:][...].sum(), RNG.normal(size=(3, 4))
    )
    lines = compiled.programs[0].splitlines()
    assert not [line for line in lines if "[" in line and "# " not in line]
