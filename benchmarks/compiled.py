"""Compiled programs against hand-written NumPy (`by_hand`), the plain engine, JAX and Advect.

    python -m benchmarks.compiled

JAX and Advect (which needs Python 3.12) are compared where they are installed.

All peers of a row compute the same numbers, which is checked first. The times are those of a call,
in interleaved rounds; ratios are to the hand-written program.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from benchmarks import by_hand, measure
from benchmarks.apart import apart

Call = Callable[[], Any]  # one call; returns arrays to compare


class Row(NamedTuple):
    """What is timed, with the largest ratio of the compiled to the hand-written program."""

    title: str
    peers: Callable[[], dict[str, Call]]
    bound: float


def parameters(features: int, hidden: int, classes: int) -> list[Any]:
    """Weights and biases."""
    rng = np.random.default_rng(0)
    shapes = [(hidden, features), (hidden,), (classes, hidden), (classes,)]
    return [rng.normal(0, 0.1, shape) for shape in shapes]


def training_step(features: int, hidden: int, start: list[Any]) -> tuple[Any, list[Any]]:
    """A step of gradient descent of features - hidden - 10, and the parameters, which begin with
    the arrays in `start`."""
    model = nn.Sequential(
        nn.Linear(features, hidden), nn.Sigmoid(), nn.Linear(hidden, 10), nn.Sigmoid()
    )
    for parameter, array in zip(model.parameters(), start, strict=True):
        parameter.data = array.copy()
    loss_of, optimizer = nn.MSE("batch"), nn.SGD(model.parameters(), lr=0.1)

    def step(images: Any, labels: Any) -> Any:
        loss = loss_of(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, list(model.parameters())


def network(hidden: int, batch: int) -> dict[str, Call]:
    """Gradient descent of 784 - hidden - 10."""
    start, rng = parameters(784, hidden, 10), np.random.default_rng(1)
    x = rng.normal(size=(batch, 784))
    y = np.eye(10)[rng.integers(0, 10, batch)]
    written = by_hand.Network(start, batch)

    def ours(compiled: bool) -> Call:
        step, weights = training_step(784, hidden, start)
        run = Compiled(step) if compiled else step
        return lambda: [run(x, y), *weights]

    peers: dict[str, Call] = {
        "by hand": lambda: [written.step(x, y), *written.parameters],
        "plain": ours(False),
        "compiled": ours(True),
    }
    return peers | _jax_network(start, x, y) | _advect_network(start, x, y)


def _advect_network(start: list[Any], x: Any, y: Any) -> dict[str, Call]:
    def loss_of(w_h: Any, b_h: Any, w_o: Any, b_o: Any, images: Any, labels: Any) -> Any:
        hidden = 1 / (1 + np.exp(-(images @ w_h.T + b_h)))
        return np.sum((1 / (1 + np.exp(-(hidden @ w_o.T + b_o))) - labels) ** 2) / len(x)

    both = _staged(lambda ad: ad.value_and_grad(loss_of, (0, 1, 2, 3)), *start, x, y)
    if both is None:
        return {}
    weights = [p.copy() for p in start]

    def call() -> list[Any]:
        loss, slopes = both(*weights, x, y)
        for w, g in zip(weights, slopes, strict=True):
            w -= 0.1 * g
        return [loss, *weights]

    return {"Advect": call}


def _staged(make: Callable[[Any], Any], *examples: Any) -> Any:
    """Advect's program for ``make(advect)``; None if it is not installed."""
    try:
        import advect  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return advect.stage(make(advect), *examples)


def _jax_network(start: list[Any], x: Any, y: Any) -> dict[str, Call]:
    jax = _jax()
    if jax is None:
        return {}
    import jax.numpy as jnp

    def loss_of(weights: Any, images: Any, labels: Any) -> Any:
        w_h, b_h, w_o, b_o = weights
        hidden = jax.nn.sigmoid(images @ w_h.T + b_h)
        return jnp.sum((jax.nn.sigmoid(hidden @ w_o.T + b_o) - labels) ** 2) / len(images)

    def step(weights: Any, images: Any, labels: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(weights, images, labels)
        return loss, [w - 0.1 * g for w, g in zip(weights, slopes, strict=True)]

    run = jax.jit(step, donate_argnums=0)
    weights = [jnp.array(p) for p in start]
    images, labels = jnp.array(x), jnp.array(y)

    def call() -> list[Any]:
        nonlocal weights
        loss, weights = run(weights, images, labels)
        return [loss.block_until_ready(), *weights]

    return {"JAX jit": call}


def chain() -> dict[str, Call]:
    """The gradient of 1,000 operations on 10 elements."""
    x = np.linspace(-1, 1, 10)
    written = by_hand.Chain(x, 1_000)

    def total(x: Any, sin: Any = ac.sin, sum: Any = ac.sum) -> Any:
        for _ in range(250):
            x = x * 0.99
            x = x + x
            x = x * 0.5
            x = sin(x)
        return sum(x)

    gradient = ac.grad(total)
    program = Compiled(gradient)
    peers: dict[str, Call] = {
        "by hand": lambda: [written.gradient(x)],
        "plain": lambda: [gradient(x)],
        "compiled": lambda: [program(x)],
    }
    if jax := _jax():
        run, given = jax.jit(jax.grad(lambda x: total(x, jax.numpy.sin, jax.numpy.sum))), x
        peers["JAX jit"] = lambda: [run(given).block_until_ready()]
    if staged := _staged(lambda ad: ad.grad(lambda x: total(x, np.sin, np.sum)), x):
        peers["Advect"] = lambda: [staged(x)]
    return peers


def recurrent(reassociate: bool = False) -> dict[str, Call]:
    """The gradients of a recurrent network of 500 steps, batch 8, 16 inputs, 32 states."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.2, shape) for shape in ((16, 32), (32, 32), (32,))]
    x = rng.normal(size=(500, 8, 16))
    written = by_hand.Recurrent(500, 8, 16, 32)

    def loss_of(w_x: Any, w_h: Any, b: Any, x: Any, np: Any = ac) -> Any:
        h = np.zeros((8, 32))
        for inputs in x:
            h = np.tanh(inputs @ w_x + h @ w_h + b)
        return np.sum(h * h)

    given = (*weights, x)
    gradient = ac.grad(loss_of, (0, 1, 2))
    program = Compiled(gradient, reassociate=reassociate)
    peers: dict[str, Call] = {
        "by hand": lambda: written.gradient(*given),
        "plain": lambda: list(gradient(*given)),
        "compiled": lambda: list(program(*given)),
    }
    if jax := _jax():
        import jax.numpy as jnp

        def scanned(w_x: Any, w_h: Any, b: Any, x: Any) -> Any:
            def next_state(h: Any, inputs: Any) -> Any:
                return jnp.tanh(inputs @ w_x + h @ w_h + b), None

            h, _ = jax.lax.scan(next_state, jnp.zeros((8, 32)), x)
            return jnp.sum(h * h)

        run = jax.jit(jax.grad(scanned, (0, 1, 2)))
        peers["JAX jit"] = lambda: [g.block_until_ready() for g in run(*given)]

    def indexed(w_x: Any, w_h: Any, b: Any, x: Any) -> Any:
        return loss_of(w_x, w_h, b, [x[t] for t in range(500)], np)

    if staged := _staged(lambda ad: ad.grad(indexed, (0, 1, 2)), *given):
        peers["Advect"] = lambda: list(staged(*given))
    return peers


def hessian_vector() -> dict[str, Call]:
    """A Hessian-vector product of a logistic regression on 1,000 rows of 50 numbers."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1_000, 50)), rng.integers(0, 2, 1_000).astype(float)
    w, v = rng.normal(size=(2, 50)) * 0.1
    written = by_hand.Logistic(1_000)

    def loss_of(w: Any, np: Any = ac, softplus: Any = ac.softplus) -> Any:
        z = x @ w
        return np.mean(softplus(z) - y * z)

    product = ac.hvp(loss_of)
    program = Compiled(product)
    peers: dict[str, Call] = {
        "by hand": lambda: [written.product(w, v, x)],
        "plain": lambda: [product(w, v)],
        "compiled": lambda: [program(w, v)],
    }
    if jax := _jax():

        def forward_over_reverse(w: Any, v: Any) -> Any:
            slope = jax.grad(lambda w: loss_of(w, jax.numpy, jax.nn.softplus))
            return jax.jvp(slope, (w,), (v,))[1]

        run = jax.jit(forward_over_reverse)
        peers["JAX jit"] = lambda: [run(w, v).block_until_ready()]

    def in_numpy(w: Any) -> Any:
        return loss_of(w, np, lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))

    if staged := _staged(lambda ad: in_numpy, w):
        from advect import hvp  # which stages no arrays of a closure itself

        curve = hvp(staged)
        peers["Advect"] = lambda: [curve(w, vectors=v)[1]]
    return peers


def elements(threads: int = 1) -> dict[str, Call]:
    """tanh(2 x + 1) sigmoid(x) of 10⁷ elements, summed, with its gradient."""
    x = np.random.default_rng(0).normal(size=10_000_000)
    written = by_hand.Blocks()

    def total(x: Any, np: Any = ac, sigmoid: Any = ac.sigmoid) -> Any:
        return np.sum(np.tanh(2 * x + 1) * sigmoid(x))

    both = ac.value_and_grad(total)
    program = Compiled(both, threads=threads)
    peers: dict[str, Call] = {
        "by hand": lambda: list(written.gradient(x)),
        "plain": lambda: list(both(x)),
        "compiled": lambda: list(program(x)),
    }
    if jax := _jax():
        run = jax.jit(jax.value_and_grad(lambda x: total(x, jax.numpy, jax.nn.sigmoid)))
        given = jax.numpy.array(x)
        peers["JAX jit"] = lambda: [out.block_until_ready() for out in run(given)]
    logistic = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    if staged := _staged(lambda ad: ad.value_and_grad(lambda x: total(x, np, logistic)), x):
        peers["Advect"] = lambda: list(staged(x))
    return peers


ROWS = [
    Row("784-50-10, batch 1", lambda: network(50, 1), 1.25),
    Row("784-50-10, batch 100", lambda: network(50, 100), 1.05),
    Row("784-500-10, batch 1", lambda: network(500, 1), 1.25),
    Row("784-500-10, batch 100", lambda: network(500, 100), 1.05),
    Row("chain of 1,000 operations of 10 elements", chain, 1.10),
    Row("RNN, 500 steps", recurrent, 1.6),
    Row("RNN with reassociate=True", lambda: recurrent(True), 1.3),
    Row("Hessian-vector product", hessian_vector, 1.5),
    Row("10⁷ elements", elements, 1.15),
]
THREADS = [Row("10⁷ elements, two threads", lambda: elements(2), 1.15)]  # by hand: one thread
COLUMNS = ["by hand", "plain", "compiled", "JAX jit", "Advect"]


def _alone(name: str) -> dict[str, Call]:
    """A peer of `THREADS` for a process of its own, which imports nothing for the others."""
    global _jax, _staged
    ac.keep_heap()
    if name != "JAX jit":
        _jax = lambda: None  # noqa: E731
    if name != "Advect":
        _staged = lambda *_: None  # noqa: E731
    call = THREADS[0].peers().get(name)
    return {} if call is None else {name: call}


def _jax() -> Any:
    """JAX in float64 on one thread; None if it is not installed."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    return jax


def _array(out: Any) -> Any:
    return np.array(out.data if isinstance(out, ac.Tensor) else out)


def agree(peers: dict[str, Call], bits: bool) -> None:
    """Fail unless all peers return the same numbers in three calls; the compiled and the plain
    function the same bits."""
    for _ in range(3):
        found = {name: [*map(_array, call())] for name, call in peers.items()}
        for name, outs in found.items():
            for out, wanted in zip(outs, found["by hand"], strict=True):
                np.testing.assert_allclose(out, wanted, rtol=1e-9, atol=1e-12, err_msg=name)
        for out, wanted in zip(found["compiled"], found["plain"], strict=True) if bits else ():
            assert out.tobytes() == wanted.tobytes(), "compiled differs from plain"


def clock(call: Call) -> Callable[[], tuple[float]]:
    """A function that times calls for at least 20 ms; returns µs a call."""
    start = time.perf_counter()
    call()
    count = max(1, int(0.02 / (time.perf_counter() - start)))

    def timed() -> tuple[float]:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return ((time.perf_counter() - start) / count * 1e6,)

    return timed


def _more_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", help="only the rows that contain this text")


@contextmanager
def _peers(row: Row, threads: int) -> Iterator[dict[str, Any]]:
    """The clocks of the peers of a row, whose results agree. With several threads each peer has a
    process of its own: those of XLA would go on waiting for work beside the others."""
    if threads == 1:
        peers = row.peers()
        agree(peers, bits="reassociate" not in row.title)
        yield {name: clock(call) for name, call in peers.items()}
    else:
        with apart(COLUMNS, _alone, clock) as (peers, clocks):
            agree(peers, bits=True)
            yield clocks


def main() -> None:
    """Print a row for each program; fail if a ratio is above its bound."""
    chosen = measure.options("compiled programs", _more_options)
    if hasattr(os, "sched_setaffinity"):  # XLA takes its threads from the processors it may use
        os.sched_setaffinity(0, range(chosen.threads))
    rows, missed = [], []
    for row in ROWS if chosen.threads == 1 else THREADS:
        if chosen.only and chosen.only not in row.title:
            continue
        with _peers(row, chosen.threads) as clocks:
            times = {name: t for name, (t,) in measure.interleaved(clocks, chosen.repeats).items()}
        ratios = {name: t / times["by hand"] for name, t in times.items()}
        shown = [f"{ratios[name]:.2f}" if name in ratios else "—" for name in COLUMNS[1:]]
        rows.append([row.title, f"{times['by hand']:.1f}", *shown, f"{row.bound:.2f}"])
        print(" | ".join(rows[-1]), flush=True)
        if ratios["compiled"] > row.bound:
            missed.append(f"{row.title}: {ratios['compiled']:.2f} > {row.bound}")
    heads = [f"{name} ÷" for name in COLUMNS[1:]]
    measure.markdown(["", "by hand, µs", *heads, "bound"], rows)
    print(f"\n{measure.machine(chosen)}")
    if missed and not chosen.quick:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
