"""The rows of benchmarks/ops.py: every function that has a gradient in HIPS autograd, and its call
at a given size. Both libraries get the same call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = Callable[[int], list[Any]]
RANDOM = np.random.default_rng(0)

# These have a gradient in HIPS autograd too, but are left out deliberately.
LEFT_OUT = {
    "array_from_args": "called by its array()",
    "concatenate_args": "called by its concatenate()",
    "make_diagonal": "an internal function",
    "fft.truncate_pad": "an internal function",
    "gammasgn": "a sign: the gradient is zero",
    "linalg.eig": "complex eigenvalues of real matrices: which are complex depends on the size",
}


@dataclass(frozen=True)
class Row:
    """A function by its NumPy name, called as ``call(function, *operands)`` with `values(size)`."""

    name: str
    values: Values
    call: Callable[..., Any] = lambda function, *operands: function(*operands)
    variant: str = ""
    largest: int = 1_000_000
    ours: str = ""  # our name, if different

    @property
    def title(self) -> str:
        return f"{self.name} {self.variant}".strip()


# ---- operands ------------------------------------------------------------------------------------


def side(n: int, axes: int = 2) -> int:
    """The length of each axis of a cube with `axes` axes and about n elements."""
    length: float = n ** (1 / axes)
    return max(1, round(length))


def normal(*shape: int) -> Any:
    return RANDOM.standard_normal(shape)


def between(low: float, high: float, count: int = 1) -> Values:
    return lambda n: [RANDOM.uniform(low, high, n) for _ in range(count)]


def vectors(count: int = 1) -> Values:
    return lambda n: [normal(n) for _ in range(count)]


def matrices(count: int = 1) -> Values:
    return lambda n: [normal(side(n), side(n)) for _ in range(count)]


def ranged(n: int) -> list[Any]:
    """A matrix whose products are of order 1."""
    return [np.exp(normal(side(n), side(n)) / side(n))]


def roots(count: int = 1) -> Values:
    """Vectors whose outer product has n elements."""
    return lambda n: [normal(side(n)) for _ in range(count)]


def stacks(count: int = 1) -> Values:
    return lambda n: [normal(*[side(n, 3)] * 3) for _ in range(count)]


def even_matrices(n: int) -> list[Any]:
    return [normal(2 * max(1, side(n) // 2), 2 * max(1, side(n) // 2))]


def even_stacks(n: int) -> list[Any]:
    return [normal(*[2 * max(1, side(n, 3) // 2)] * 3)]


def regular(n: int) -> list[Any]:
    """A matrix far from singular."""
    return [normal(side(n), side(n)) + 3 * side(n) * np.eye(side(n))]


def definite(n: int) -> list[Any]:
    """A symmetric positive definite matrix with separate eigenvalues."""
    factor = normal(side(n), side(n))
    return [factor @ factor.T + np.diag(np.arange(1.0, 1 + side(n)))]


def single(n: int) -> list[Any]:
    """A row vector of shape (1, n)."""
    return [normal(1, n)]


def rows(n: int) -> list[Any]:
    """A row vector that broadcasts to a square of n elements."""
    return [normal(1, side(n))]


def triples(n: int) -> list[Any]:
    return [normal(max(1, n // 3), 3), normal(max(1, n // 3), 3)]


def planes(n: int) -> list[Any]:
    """A matrix and a vector that broadcasts along its rows."""
    return [normal(side(n), side(n)), normal(side(n))]


# ---- elementwise ---------------------------------------------------------------------------------

Domain = tuple[float, float]
ANY, POSITIVE, UNIT, ABOVE, INSIDE = (-2.0, 2.0), (0.5, 3.0), (-0.9, 0.9), (1.1, 3.0), (0.1, 0.9)


def each(names: str, domain: Domain) -> dict[str, Domain]:
    return dict.fromkeys(names.split(), domain)


UNARY: dict[str, Domain] = {
    **each("abs absolute angle conj conjugate cos cosh deg2rad degrees exp exp2 expm1 fabs", ANY),
    **each("imag nan_to_num negative rad2deg radians real real_if_close sin sinc sinh", ANY),
    **each("square tan tanh arctan atan arcsinh asinh", ANY),
    **each("log log10 log1p log2 reciprocal sqrt", POSITIVE),
    **each("arccos acos arcsin asin arctanh atanh", UNIT),
    **each("arccosh acosh", ABOVE),
}
BINARY: dict[str, Domain] = {
    **each("add arctan2 atan2 fmax fmin hypot logaddexp logaddexp2 maximum minimum", ANY),
    **each("multiply subtract", ANY),
    **each("divide mod pow power remainder true_divide", POSITIVE),
}
SPECIAL: dict[str, Domain] = {
    **each("erf erfc i0 i1 j0 j1", ANY),
    **each("digamma gamma gammaln psi rgamma y0 y1", POSITIVE),
    **each("erfinv", UNIT),
    **each("erfcinv logit", INSIDE),
}
ELEMENTWISE = [
    *(Row(name, between(*domain)) for name, domain in UNARY.items()),
    *(Row(name, between(*domain, count=2)) for name, domain in BINARY.items()),
    *(Row(name, planes, variant="a row") for name in ("add", "multiply", "maximum")),
    Row("multiply", vectors(), lambda f, x: f(x, 0.5), "0.5"),
    Row("power", between(*POSITIVE), lambda f, x: f(x, 2), "2"),
    Row("power", between(*POSITIVE), lambda f, x: f(x, -1.5), "-1.5"),
    Row("clip", vectors(), lambda f, x: f(x, -0.5, 0.5)),
    Row("where", vectors(2), lambda f, x, y: f(plain(x) > 0, x, y)),
    Row("astype", vectors(), lambda f, x: f(x, np.float32)),
    *(Row(name, between(*domain)) for name, domain in SPECIAL.items()),
    Row("expit", vectors(), ours="sigmoid"),
    *(Row(name, between(*POSITIVE, count=2)) for name in ("beta", "betaln")),
    *(
        Row(name, between(*POSITIVE), lambda f, x: f(1.5, x))
        for name in ("gammainc", "gammaincc", "iv", "ive")
    ),
    Row("betainc", between(*INSIDE), lambda f, x: f(1.5, 2.5, x)),
    *(Row(name, between(*POSITIVE), lambda f, x: f(2, x)) for name in ("jn", "yn", "polygamma")),
    Row("multigammaln", between(2, 5), lambda f, x: f(x, 2)),
]


def plain(x: Any) -> Any:
    """The array in a Tensor or in a box of HIPS autograd, for conditions."""
    return getattr(x, "data", None) if hasattr(x, "requires_grad") else getattr(x, "_value", x)


# ---- reductions, scans, order --------------------------------------------------------------------


def joined(parts: Any) -> Any:
    """The sum of several results, each with a different weight."""
    first, *others = parts
    for weight, part in enumerate(others, 2):
        first = first + weight * part
    return first


AXES = {"": {}, "axis=0": {"axis": 0}, "axis=-1": {"axis": -1}}
REDUCTIONS = [
    *(
        Row(name, matrices(), lambda f, x, s=settings: f(x, **s), variant)
        for name in ("sum", "mean", "var", "std", "max", "min", "amax", "amin")
        for variant, settings in AXES.items()
    ),
    # Products within the range of their dtype. If one underflows, HIPS autograd divides the result
    # by each element, which is fast and gives 0 or NaN; ours is correct and 4 to 5 times slower.
    *(
        Row("prod", ranged, lambda f, x, s=settings: f(x, **s), variant)
        for variant, settings in AXES.items()
    ),
    Row("logsumexp", matrices()),
    Row("logsumexp", matrices(), lambda f, x: f(x, axis=-1), "axis=-1"),
    Row("linalg.norm", vectors()),
    Row("linalg.norm", matrices(), lambda f, x: f(x, axis=-1), "axis=-1"),
    Row("linalg.norm", matrices(), lambda f, x: f(x, ord=3, axis=-1), "ord=3"),
    Row("cumsum", vectors()),
    Row("cumsum", matrices(), lambda f, x: f(x, axis=0), "axis=0"),
    Row("diff", lambda n: [normal(n + 1)]),
    Row("gradient", lambda n: [normal(n + 2)]),
    Row("sort", vectors()),
    Row("sort", matrices(), lambda f, x: f(x, axis=-1), "rows"),
    Row("partition", vectors(), lambda f, x: f(x, plain(x).shape[0] // 2)),
]

# ---- shape, order, joining -----------------------------------------------------------------------


def pair(function: Any, x: Any, y: Any) -> Any:
    return function([x, y])


SHAPING = [
    Row("reshape", matrices(), lambda f, x: f(x, (-1,))),
    Row("ravel", matrices()),
    Row("squeeze", single),
    Row("expand_dims", vectors(), lambda f, x: f(x, 0)),
    Row("transpose", matrices()),
    Row("transpose", stacks(), lambda f, x: f(x, (2, 0, 1)), "of three axes"),
    Row("permute_dims", stacks(), lambda f, x: f(x, (2, 0, 1))),
    Row("swapaxes", matrices(), lambda f, x: f(x, 0, 1)),
    Row("moveaxis", stacks(), lambda f, x: f(x, 0, -1)),
    Row("rollaxis", stacks(), lambda f, x: f(x, 2)),
    *(Row(name, vectors()) for name in ("atleast_1d", "atleast_2d", "atleast_3d")),
    *(Row(name, matrices()) for name in ("fliplr", "flipud", "rot90", "tril", "triu")),
    Row("roll", vectors(), lambda f, x: f(x, 1)),
    Row("broadcast_to", rows, lambda f, x: f(x, (plain(x).shape[1],) * 2)),
    Row("repeat", vectors(), lambda f, x: f(x, 2)),
    Row("tile", vectors(), lambda f, x: f(x, 2)),
    Row("pad", matrices(), lambda f, x: f(x, 1, "constant")),
    Row("diag", roots(), variant="of a vector"),
    Row("diag", matrices(), variant="of a matrix"),
    Row("diagonal", matrices()),
    Row("trace", matrices()),
    Row("concatenate", vectors(2), pair),
    *(Row(name, vectors(2), pair) for name in ("stack", "vstack", "hstack", "column_stack")),
    Row("append", vectors(2)),
    Row("array", vectors(2), pair),
    Row("split", even_matrices, lambda f, x: joined(f(x, 2))),
    Row("array_split", even_matrices, lambda f, x: joined(f(x, 2))),
    Row("hsplit", even_matrices, lambda f, x: joined(f(x, 2))),
    Row("vsplit", even_matrices, lambda f, x: joined(f(x, 2))),
    Row("dsplit", even_stacks, lambda f, x: joined(f(x, 2))),
    Row("full", lambda n: [normal(1)], lambda f, x: f((1000,), x), largest=1),
    Row("linspace", lambda n: [np.array(0.5)], lambda f, x: f(x, 2.0, 1000), largest=1),
    Row("getitem", vectors(), lambda f, x: x[::2], "a slice"),
    Row("getitem", vectors(), lambda f, x: x[0], "an integer"),
    Row("getitem", vectors(), lambda f, x: x[np.arange(plain(x).shape[0])], "integers"),
    Row("getitem", vectors(), lambda f, x: x[plain(x) > 0], "booleans"),
]

# ---- products, linear algebra, Fourier transforms ------------------------------------------------


def summation(subscripts: str) -> Callable[..., Any]:
    return lambda function, *operands: function(subscripts, *operands)


PRODUCTS = [
    Row("matmul", matrices(2)),
    Row("matmul", planes, variant="a vector"),
    Row("matmul", stacks(2), variant="stacks"),
    Row("dot", vectors(2), variant="vectors"),
    Row("dot", matrices(2)),
    Row("dot", planes, variant="a vector"),
    Row("inner", vectors(2), variant="vectors"),
    Row("inner", matrices(2)),
    Row("outer", roots(2)),
    Row("tensordot", stacks(2)),
    Row("tensordot", matrices(2), lambda f, x, y: f(x, y, ([0], [1])), "lists"),
    Row("kron", lambda n: [normal(2, 2), normal(side(n) // 2 + 1, side(n) // 2 + 1)]),
    Row("cross", triples),
    Row("einsum", matrices(2), summation("ij,jk->ik"), "ij,jk->ik", 100_000),
    Row("einsum", stacks(2), summation("bij,bjk->bik"), "bij,bjk->bik"),
    Row("einsum", matrices(2), summation("ij,ij->i"), "ij,ij->i"),
    Row("einsum", matrices(2), summation("ij,ij->ij"), "ij,ij->ij"),
    Row("einsum", roots(2), summation("i,j->ij"), "i,j->ij"),
    Row("einsum", planes, summation("...i,i->..."), "...i,i->..."),
    Row("einsum", matrices(), summation("ij->i"), "ij->i"),
    Row("einsum", matrices(), summation("ij->ji"), "ij->ji"),
    Row("convolve", lambda n: [normal(n), normal(min(n, 100))], largest=100_000),
]
LINALG = [
    *(Row(f"linalg.{name}", regular, largest=100_000) for name in ("det", "inv", "pinv")),
    Row("linalg.slogdet", regular, lambda f, x: f(x)[1], largest=100_000),
    Row("linalg.cholesky", definite, largest=100_000),
    Row("linalg.solve", lambda n: [*regular(n), normal(side(n))], largest=100_000),
    Row("linalg.eigh", definite, lambda f, x: f(x)[0], "values", 100_000),
    Row("linalg.eigh", definite, lambda f, x: f(x)[1], "vectors", 100_000),
    Row("linalg.svd", regular, lambda f, x: f(x, full_matrices=False)[1], "values", 100_000),
    Row("linalg.svd", regular, lambda f, x: f(x, full_matrices=False)[0], "vectors", 100_000),
    Row("sqrtm", definite, largest=10_000),
    Row("solve_triangular", lambda n: [*regular(n), normal(side(n))], largest=100_000),
    Row("solve_sylvester", lambda n: [*definite(n), *definite(n), *regular(n)], largest=10_000),
    Row(
        "solve_banded",
        lambda n: [normal(3, n) + np.array([[0], [8], [0]]), normal(n)],
        lambda f, x, y: f((1, 1), x, y),
        largest=100_000,
    ),
]


def spectrum(function: Any, x: Any) -> Any:
    return abs(function(x)) ** 2


FOURIER = [
    *(Row(f"fft.{name}", vectors(), spectrum) for name in ("fft", "ifft", "rfft")),
    Row("fft.irfft", lambda n: [normal(n + 1)]),
    *(
        Row(f"fft.{name}", matrices(), spectrum)
        for name in ("fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn")
    ),
    *(Row(f"fft.{name}", lambda n: [normal(side(n) + 1, side(n) + 1)]) for name in ("irfft2",)),
    *(Row(f"fft.{name}", lambda n: [normal(side(n) + 1, side(n) + 1)]) for name in ("irfftn",)),
    *(Row(f"fft.{name}", vectors()) for name in ("fftshift", "ifftshift")),
]
TABLE = [*ELEMENTWISE, *REDUCTIONS, *SHAPING, *PRODUCTS, *LINALG, *FOURIER]
