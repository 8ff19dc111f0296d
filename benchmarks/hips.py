"""Check the gradients of every function that has one in HIPS autograd, and time programs.

    python -m benchmarks.hips

Each function is called as in `ops_table`, on small operands. Its first and second derivatives along
a direction are compared with central differences of its values and of its gradients; the largest
relative errors are printed. Functions without a gradient in HIPS autograd follow. Then ten programs
(`hips_programs`) are timed with both libraries. The script fails if a gradient is missing or wrong,
if a program is slower here by more than 5 %, or if the median of the ratios is above 0.7.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.scipy import integrate, linalg, signal, special, stats
from benchmarks.hips_programs import compare
from benchmarks.measure import options
from benchmarks.ops import found
from benchmarks.ops_table import TABLE, Row, between

STEP = 1e-5
FIRST, SECOND = 1e-6, 1e-5  # relative errors of differences with this step are smaller
MODULES = [
    "numpy.linalg",
    "numpy.fft",
    "misc.fixed_points",
    *(f"scipy.{m}" for m in ("special", "stats", "linalg", "signal", "integrate")),
]

# Not public functions: parts of HIPS autograd's graph and of its containers.
PARTS = {
    "core.add": "gradients are added by the backward pass",
    "core.mut_add": "gradients are added by the backward pass",
    "core.sparse_add": "gradients are added by the backward pass",
    "core.scalar_mul": "a Tensor times a number",
    "core.inner_prod": "sum(x * y)",
    "core.covector": "conj(x)",
    "builtins.container_take": "operands may be lists and tuples of Tensors",
    "builtins.container_untake": "as container_take",
    "builtins.sequence_extend_left": "as container_take",
    "builtins.sequence_extend_right": "as container_take",
    "builtins.make_sequence": "as container_take",
    "builtins._make_dict": "as container_take",
    "numpy.numpy_boxes.__getitem__": "getitem: the row below",
    "numpy.numpy_vjps.untake": "scatter, the gradient of getitem",
    "numpy.numpy_vjps.dot_adjoint_0": "the rule of dot, composed of products",
    "numpy.numpy_vjps.dot_adjoint_1": "the rule of dot, composed of products",
    "numpy.numpy_vjps.tensordot_adjoint_0": "the rule of contract, itself a contraction",
    "numpy.numpy_vjps.tensordot_adjoint_1": "the rule of contract, itself a contraction",
    "numpy.numpy_wrapper.array_from_args": "array([tensor, …]): stack",
    "numpy.numpy_wrapper._array_from_scalar_or_array": "array(tensor)",
    "numpy.numpy_wrapper.concatenate_args": "concatenate([…])",
    "numpy.numpy_wrapper.make_diagonal": "diag, embedded",
    "numpy.fft.truncate_pad": "truncation and padding are part of the rules of fft",
    "gammasgn": "declared not differentiable: it is a sign",
}


def symmetric(x: Any) -> Any:
    return x @ x.swapaxes(-1, -2) + 3 * np.eye(x.shape[-1])


def positive(*shape: int) -> Any:
    return np.random.default_rng(0).uniform(0.5, 1.5, shape)


def matrix(m: int = 3, n: int = 3) -> Any:
    return np.random.default_rng(1).uniform(-1, 1, (m, n)) + 3 * np.eye(m, n)


def of_matrix(name: str, call: Callable[..., Any], m: int = 3, n: int = 3) -> Row:
    return Row(name, lambda _: [matrix(m, n)], call)


SHAPES = {"norm": 0, "t": 1, "gamma": 1, "beta": 2, "chi2": 1}
# Not in the table of the benchmark, or there at points where differences are not accurate.
MORE = [
    Row("astype", between(-1, 1), lambda f, x: f(x, complex)),
    of_matrix("linalg.cholesky", lambda f, x: f(symmetric(x))),
    of_matrix("linalg.eigh", lambda f, x: f(symmetric(x))[0]),
    of_matrix("linalg.eigh", lambda f, x: abs(f(symmetric(x))[1]) ** 2),
    Row("jv", between(0.5, 3), lambda f, x: f(2, x)),
    Row("sqrtm", lambda _: [matrix()]),
    Row("solve_triangular", lambda _: [matrix(), positive(3)]),
    Row("solve_banded", lambda _: [matrix(3, 4) + 2, positive(4)], lambda f, x, y: f((1, 1), x, y)),
    Row("solve_sylvester", lambda _: [matrix(), matrix(2, 2), positive(3, 2)]),
    Row("signal.convolve", lambda _: [positive(3, 4), positive(2, 2)]),
    Row("signal.convolve", lambda _: [positive(2, 3, 4), positive(3, 2, 2)],
        lambda f, x, y: f(x, y, "valid", axes=([2], [1]), dot_axes=([1], [0]))),
    of_matrix("linalg.eig", lambda f, x: abs(f(x)[0]) ** 3),
    *(
        Row(f"stats.{name}.{function}", between(0.4, 0.6, 1 + count * (function[-3:] == "pdf")),
            lambda f, x, *shapes, count=count: f(x, *(shapes or (1.5,) * count)))
        for name, count in SHAPES.items()
        for function in ("pdf", "logpdf", "cdf", "logcdf")
    ),
    *(Row(f"stats.norm.{name}", between(0.4, 0.6)) for name in ("sf", "logsf")),
    *(
        Row(f"stats.poisson.{name}", between(1, 2), lambda f, mu: f(2.0, mu))
        for name in ("pmf", "logpmf", "cdf")
    ),
    *(
        Row(f"stats.dirichlet.{name}", lambda _: [positive(3) / positive(3).sum(), positive(3)])
        for name in ("pdf", "logpdf")
    ),
    *(
        Row(f"stats.multivariate_normal.{name}", lambda _: [positive(3), positive(3), matrix()],
            lambda f, x, mean, root: f(x, mean, symmetric(root)))
        for name in ("pdf", "logpdf")
    ),
    Row("stats.multivariate_normal.entropy", lambda _: [matrix()],
        lambda f, root: f(np.zeros(3), symmetric(root))),
]  # fmt: skip
# Functions without a gradient in HIPS autograd.
BEYOND = [
    Row("cumprod", between(0.5, 2)),
    Row("interp", lambda _: [np.array([0.3, 1.6]), np.arange(3.0), positive(3)]),
    Row("convolve", lambda _: [positive(4), positive(3)]),
    Row("correlate", lambda _: [positive(4), positive(3)], lambda f, x, y: f(x, y, "full")),
    Row("polyval", lambda _: [positive(3), positive(4)]),
    of_matrix("linalg.qr", lambda f, x: f(x)[0] * f(x)[1][..., 0], 3, 3),
    Row("linalg.lstsq", lambda _: [matrix(4, 2), positive(4)], lambda f, x, y: f(x, y, None)[0]),
    of_matrix("linalg.eigvalsh", lambda f, x: f(symmetric(x))),
    of_matrix("linalg.svdvals", lambda f, x: f(x), 3, 2),
    of_matrix("linalg.matrix_power", lambda f, x: f(x, -3)),
    of_matrix("linalg.expm", lambda f, x: f(x / 3)),
    of_matrix("linalg.cond", lambda f, x: f(x)),
    Row("fft.rfft", lambda _: [positive(5)], lambda f, x: abs(f(x)) ** 2, "of odd length"),
    Row("fft.hfft", lambda _: [positive(4)]),
    *(
        Row("linalg.norm", lambda _: [matrix()], lambda f, x, p=p: f(x, p), f"{p} of matrices")
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ),
    *(
        Row("linalg.norm", lambda _: [positive(5)], lambda f, x, p=p: f(x, p), f"{p} of vectors")
        for p in (1, 2, 3, 0.5, -1, np.inf, -np.inf)
    ),
    Row("i0", between(0.5, 2)),
    Row("unwrap", between(0, 3)),
    Row("trapezoid", lambda _: [positive(5), np.arange(5.0)]),
]


# ---- evidence ------------------------------------------------------------------------------------


def functions() -> Iterator[tuple[str, str]]:
    """(name, name of its rows) of each function that has a gradient in HIPS autograd."""
    for module in MODULES:
        importlib.import_module(f"autograd.{module}")
    from autograd.core import primitive_vjps

    for primitive in primitive_vjps:
        raw, name = primitive.fun, primitive.__name__
        module = str(getattr(raw, "__module__", ""))
        owner = getattr(raw, "__self__", None)
        if owner is not None and "stats" in module:
            distribution = type(owner).__name__.removesuffix("_gen")
            yield f"scipy.stats.{distribution}.{name}", f"stats.{distribution}.{name}"
        elif module.startswith("autograd.") and f"{module[9:]}.{name}" in PARTS:
            yield f"{module[9:]}.{name}", f"{module[9:]}.{name}"
        elif module == "autograd.scipy.signal":
            yield f"scipy.signal.{name}", "signal.convolve"
        else:
            inner = module.removeprefix("numpy.") if module in ("numpy.linalg", "numpy.fft") else ""
            yield f"{inner}.{name}".strip("."), f"{inner}.{name}".strip(".")


def ours(name: str) -> Any:
    owners = [ac, special, linalg, signal, ac.ops]
    if name.startswith("stats."):
        return found([stats], name.removeprefix("stats."))
    if name == "signal.convolve":
        return signal.convolve
    return found(owners, name)


def total(row: Row, function: Any, operands: list[Any]) -> Any:
    out = row.call(function, *operands)
    if isinstance(out, tuple | list):
        out = np.concatenate([ac.ravel(each) for each in out])
    if np.issubdtype(out.dtype, np.complexfloating):
        out = ac.real(out) + 0.5 * ac.imag(out)
    weights = np.linspace(1, 2, out.size).reshape(out.shape)
    return ac.sum(out * weights)


def gradients(row: Row, function: Any, values: list[Any], create_graph: bool) -> list[Any]:
    leaves = [ac.Tensor(x, requires_grad=x.dtype.kind == "f") for x in values]
    total(row, function, leaves).backward(create_graph=create_graph)
    found = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    if not create_graph:
        return [np.zeros(1) if g is None else g.numpy() for g in found]
    directions = [np.random.default_rng(7).uniform(-1, 1, x.shape) for x in values]
    pairs = [(g, d) for g, d in zip(found, directions, strict=True) if g is not None]
    inner = ac.sum(np.stack([ac.sum(g * d) for g, d in pairs]))
    if inner.requires_grad:
        inner.backward()
    return [np.zeros(1) if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


def errors(row: Row) -> tuple[float, float]:
    """The relative errors of the first and of the second derivative along a direction."""
    function = ours(row.ours or row.name)
    values = [np.asarray(v) for v in row.values(6)]
    real = [v.dtype.kind == "f" for v in values]
    directions = [np.random.default_rng(7).uniform(-1, 1, v.shape) for v in values]

    def at(t: float) -> list[Any]:
        pairs = zip(values, directions, real, strict=True)
        return [v + t * d if moves else v for v, d, moves in pairs]

    def value(t: float) -> float:
        return float(total(row, function, [ac.Tensor(v) for v in at(t)]).item())

    def along(t: float) -> float:
        pairs = zip(gradients(row, function, at(t), False), directions, strict=True)
        return float(sum((g * d).sum() for g, d in pairs if g.shape == d.shape))

    def relative(f: Callable[[float], float], derivative: float) -> float:
        expected = (f(STEP) - f(-STEP)) / (2 * STEP)
        return abs(derivative - expected) / max(1.0, abs(expected), abs(f(0.0)))

    seconds = gradients(row, function, values, True)
    pairs = zip(seconds, directions, strict=True)
    second = float(sum((g * d).sum() for g, d in pairs if g.shape == d.shape))
    return relative(value, along(0.0)), relative(along, second)


def judged(rows: list[Row]) -> tuple[str, bool]:
    first, second = map(max, zip(*map(errors, rows), strict=True))
    text = f"first order within {first:.0e}, second within {second:.0e}"
    return text, first < FIRST and second < SECOND


def examples() -> dict[str, tuple[str, bool]]:
    """Functions that take a function, at a known solution."""
    a = ac.Tensor([2.0, 9.0], requires_grad=True)
    ac.fixed_point(lambda a, x: (x + a / x) / 2, a, np.ones(2)).sum().backward()
    fixed = float(np.abs(a.grad.numpy() - 0.5 / np.sqrt([2, 9])).max())  # type: ignore[union-attr]
    rate = ac.Tensor([0.5], requires_grad=True)
    exact: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-10}
    path = integrate.odeint(lambda y, t, r: y * r[0], [1.0], [0.0, 2.0], (rate,), **exact)
    path[-1].sum().backward()
    grown = float(abs(rate.grad.numpy()[0] - 2 * np.e))  # type: ignore[union-attr]
    return {
        "misc.fixed_points.fixed_point": (f"autograd_core.fixed_point within {fixed:.0e}", True),
        "odeint": (f"scipy.integrate.odeint within {grown:.0e}", grown < 1e-6 > fixed),
    }


def main() -> None:
    """Print the list and the times."""
    chosen = options("Gradients and times, compared with HIPS autograd.")
    mine = {row.name for row in MORE}
    table: dict[str, list[Row]] = {}
    for row in [*MORE, *(row for row in TABLE if row.name not in mine)]:
        stats_too = row.name.startswith("stats.")
        table.setdefault(row.name if stats_too else row.name.split(".")[-1], []).append(row)
    shown, failed = examples(), []
    shown["fixed_point"] = shown["misc.fixed_points.fixed_point"]
    lines = []
    for name, key in functions():
        if key in PARTS:
            lines.append(f"{name:42} {PARTS[key]}")
            continue
        if key in shown:
            text, good = shown[key]
        else:
            rows = table.get(key) or table.get(key.split(".")[-1])
            text, good = judged(rows) if rows else ("missing", False)
        lines.append(f"{name:42} {text}{'' if good else '   <-- !'}")
        failed += [] if good else [name]
    print(*sorted(lines), sep="\n")
    print(f"\n{len(lines)} functions of HIPS autograd, {len(failed)} without a gradient here\n")
    for row in BEYOND:
        text, good = judged([row])
        print(f"{row.title:42} {text}{'' if good else '   <-- !'}")
        failed += [] if good else [row.title]
    failed += compare(chosen.repeats)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
