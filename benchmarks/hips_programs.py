"""Ten programs as users of HIPS autograd write them, timed with both libraries.

Each is a function of the library, whose modules it imports under HIPS autograd's names, and returns
a function to time. Both must compute the same numbers.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as onp

from benchmarks.measure import table

Program = Callable[[], Any]
RELATIVE = 1e-7  # of results; those of iterations agree less


class Library:
    """The modules of a library by their names in HIPS autograd."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.np: Any = self("numpy")

    def __call__(self, name: str = "") -> Any:
        return importlib.import_module(f"{self.root}.{name}" if name else self.root)


def logistic_regression(lib: Library) -> Program:
    """100 steps of gradient descent on 200 examples of 10 numbers."""
    np, grad = lib.np, lib().grad
    rng = onp.random.RandomState(0)
    inputs, targets = rng.randn(200, 10), rng.rand(200) > 0.5

    def loss(weights: Any) -> Any:
        predictions = 0.5 * (np.tanh(np.dot(inputs, weights)) + 1)
        likelihood = predictions * targets + (1 - predictions) * (1 - targets)
        return -np.sum(np.log(likelihood))

    slope = grad(loss)

    def run() -> Any:
        weights = onp.zeros(10)
        for _ in range(100):
            weights = weights - 0.001 * slope(weights)
        return weights

    return run


def neural_network(lib: Library) -> Program:
    """10 steps of Adam on the list of layers of 784-200-100-10, in batches of 256."""
    np, grad = lib.np, lib().grad
    adam = lib("misc.optimizers").adam
    logsumexp = lib("scipy.special").logsumexp
    rng = onp.random.RandomState(0)
    sizes = [784, 200, 100, 10]
    start = [(rng.randn(m, n) * 0.1, rng.randn(n) * 0.1) for m, n in zip(sizes, sizes[1:])]  # noqa: B905, RUF007
    images, labels = rng.rand(256, 784), onp.eye(10)[rng.randint(0, 10, 256)]

    def loss(params: Any, _: int) -> Any:
        hidden = images
        for weights, bias in params:
            outputs = np.dot(hidden, weights) + bias
            hidden = np.tanh(outputs)
        scores = outputs - logsumexp(outputs, axis=1, keepdims=True)
        return -np.sum(scores * labels) / 256

    return lambda: adam(grad(loss), start, step_size=0.01, num_iters=10)[0][0]


def recurrent_network(lib: Library) -> Program:
    """The gradient of a network of 40 units over 30 steps of 60 sequences."""
    np, value_and_grad = lib.np, lib().value_and_grad
    rng = onp.random.RandomState(0)
    params = {"hidden": rng.randn(60, 40) * 0.1, "change": rng.randn(104, 40) * 0.1,
              "predict": rng.randn(40, 64) * 0.1}  # fmt: skip
    inputs = onp.eye(64)[rng.randint(0, 64, (30, 60))]

    def loss(params: Any) -> Any:
        hidden, total = params["hidden"], 0.0
        for step in inputs:
            hidden = np.tanh(np.dot(np.hstack([step, hidden]), params["change"]))
            scores = np.dot(hidden, params["predict"])
            scores = scores - np.max(scores, axis=1, keepdims=True)
            logs = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
            total = total - np.sum(logs * step)
        return total

    return lambda: value_and_grad(loss)(params)[1]["change"]


def gaussian_process(lib: Library) -> Program:
    """20 gradients of the marginal likelihood of 60 points."""
    np, grad = lib.np, lib().grad
    mvn = lib("scipy.stats.multivariate_normal")
    rng = onp.random.RandomState(0)
    x = onp.sort(rng.rand(60) * 8)
    y = onp.cos(x) + 0.1 * rng.randn(60)

    def loss(params: Any) -> Any:
        mean, scale, noise = params[0], np.exp(params[1]), np.exp(params[2]) + 0.001
        differences = x[:, None] / scale - x[None, :] / scale
        covariance = np.exp(-0.5 * differences**2) + noise * np.eye(60)
        return -mvn.logpdf(y, mean * np.ones(60), covariance)

    params = onp.array([0.1, 0.0, -2.0])
    return lambda: [grad(loss)(params + 0.01 * i) for i in range(20)][-1]


def gaussian_mixture(lib: Library) -> Program:
    """Gradient and Hessian-vector product of the likelihood of 300 points under 10 Gaussians."""
    np, grad, product = lib.np, lib().grad, lib().hessian_vector_product
    flatten_func = lib("misc.flatten").flatten_func
    mvn = lib("scipy.stats.multivariate_normal")
    logsumexp = lib("scipy.special").logsumexp
    rng = onp.random.RandomState(0)
    data = rng.randn(300, 2)
    start = {"logs": rng.randn(10) * 0.1, "means": rng.randn(10, 2),
             "roots": onp.zeros((10, 2, 2)) + onp.eye(2)}  # fmt: skip

    def loss(params: Any) -> Any:
        shares = params["logs"] - logsumexp(params["logs"])
        rows = [
            share + mvn.logpdf(data, mean, np.dot(root.T, root))
            for share, mean, root in zip(shares, params["means"], params["roots"], strict=True)
        ]
        return -np.sum(logsumexp(np.vstack(rows), axis=0))

    flat, _, x = flatten_func(loss, start)
    return lambda: [grad(flat)(x), product(flat)(x, x)]


def rosenbrock(lib: Library) -> Program:
    """Gradient, Hessian and Hessian-vector product of a small function, 20 times."""
    np, grad, hessian = lib.np, lib().grad, lib().hessian
    make_hvp = lib().make_hvp

    def f(x: Any) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = onp.linspace(-1, 1, 10)
    return lambda: [
        [grad(f)(x), hessian(f)(x)[0], make_hvp(f)(x)[0](x)] for _ in range(20)
    ][-1]  # fmt: skip


def convolution(lib: Library) -> Program:
    """The gradient of one layer of 6 filters, with pooling, for 64 images."""
    np, grad = lib.np, lib().grad
    convolve = lib("scipy.signal").convolve
    rng = onp.random.RandomState(0)
    images, filters = rng.rand(64, 1, 28, 28), rng.randn(1, 6, 5, 5) * 0.1

    def loss(filters: Any) -> Any:
        out = convolve(images, filters, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")
        out = np.tanh(out).reshape(64, 6, 12, 2, 12, 2)
        return np.sum(np.max(np.max(out, axis=3), axis=4) ** 2)

    return lambda: grad(loss)(filters)


def differential_equation(lib: Library) -> Program:
    """The gradient of a path of a small network's equation, at 20 times."""
    np, grad = lib.np, lib().grad
    odeint, pair = lib("scipy.integrate").odeint, lib("builtins").tuple
    rng = onp.random.RandomState(0)
    params = [(rng.randn(2, 20) * 0.3, rng.randn(20) * 0.1), (rng.randn(20, 2) * 0.3, onp.zeros(2))]
    times = onp.linspace(0.0, 1.5, 20)

    def slope(y: Any, t: float, params: Any) -> Any:
        for weights, bias in params:
            out = np.dot(y, weights) + bias
            y = np.tanh(out)
        return out

    def loss(params: Any) -> Any:
        start = np.array([2.0, 0.0])
        return np.mean(np.abs(odeint(slope, start, times, pair((params,)), rtol=1e-4, atol=1e-6)))

    return lambda: grad(loss)(params)[0][0]


def hidden_markov_model(lib: Library) -> Program:
    """The gradient of the likelihood of 100 observations, as in expectation maximisation."""
    value_and_grad, logsumexp = lib().value_and_grad, lib("scipy.special").logsumexp
    rng = onp.random.RandomState(0)
    start, transitions, emissions = rng.rand(5), rng.rand(5, 5), rng.rand(5, 20)
    seen = rng.randint(0, 20, 100)

    def likelihood(natural: Any) -> Any:
        first, move, emit = natural
        alpha = first
        for symbol in seen:
            alpha = logsumexp(alpha[:, None] + move, axis=0) + emit[:, symbol]
        return logsumexp(alpha)

    return lambda: value_and_grad(likelihood)((start, transitions, emissions))[1][1]


def derivatives_of_tanh(lib: Library) -> Program:
    """The first four derivatives of a function at 200 points."""
    np, derivative = lib.np, lib().elementwise_grad

    def tanh(x: Any) -> Any:
        return (1.0 - np.exp(-2 * x)) / (1.0 + np.exp(-2 * x))

    x = onp.linspace(-7, 7, 200)

    def run() -> Any:
        f, found = tanh, []
        for _ in range(4):
            f = derivative(f)
            found.append(f(x))
        return found

    return run


PROGRAMS = (logistic_regression, neural_network, recurrent_network, gaussian_process,
            gaussian_mixture, rosenbrock, convolution, differential_equation, hidden_markov_model,
            derivatives_of_tanh)  # fmt: skip
NEVER, MEDIAN = 1.05, 0.7  # bounds of the ratio of times


def agree(name: str, ours: Any, theirs: Any) -> None:
    """Raise AssertionError unless the results of a program, arrays or lists of them, are close."""
    pairs = zip(*(result if isinstance(result, list) else [result] for result in (ours, theirs)))  # noqa: B905
    for one, other in pairs:
        onp.testing.assert_allclose(
            one, other, rtol=RELATIVE, atol=RELATIVE * onp.abs(other).max(), err_msg=name
        )


def ratios(repeats: int) -> dict[str, tuple[float, float, float]]:
    """For each program the time here, the time with HIPS autograd, and the median of the ratios of
    runs that follow each other."""
    ours, theirs = Library("autograd_core.hips"), Library("autograd")
    found = {}
    for program in PROGRAMS:
        runs = program(ours), program(theirs)
        agree(program.__name__, runs[0](), runs[1]())
        rounds: list[tuple[float, float]] = []
        for i in range(repeats):
            times = [0.0, 0.0]
            for which in (0, 1) if i % 2 else (1, 0):
                began = time.perf_counter()
                runs[which]()
                times[which] = time.perf_counter() - began
            rounds.append((times[0], times[1]))
        mine, other = (statistics.median(column) for column in zip(*rounds, strict=True))
        found[program.__name__] = mine, other, statistics.median(a / b for a, b in rounds)
    return found


def compare(repeats: int) -> list[str]:
    """Print the times. Returns what exceeds the bounds."""
    found = ratios(repeats)
    rows = [
        [name.replace("_", " "), f"{mine * 1e3:.1f}", f"{other * 1e3:.1f}", f"{ratio:.2f}"]
        for name, (mine, other, ratio) in found.items()
    ]
    title = "Programs written for HIPS autograd, time in ms"
    table(title, ["program", "here", "HIPS autograd", "ratio"], rows)
    middle = statistics.median(ratio for _, _, ratio in found.values())
    print(f"median of the ratios: {middle:.2f}")
    slow = [f"{name}: {ratio:.2f}" for name, (_, _, ratio) in found.items() if ratio > NEVER]
    return slow + ([f"median {middle:.2f}"] if middle > MEDIAN else [])
