"""Rows: inverses, determinants, decompositions, functions of matrices."""

from itertools import permutations, product

import numpy as np
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core.ops.linalg.functions import _Smooth
from tests.table.cases import Case, generator, values
from tests.table.row import Row, index, real

FEW = {"half": False, "never": ("0-d",)}  # NumPy's linear algebra has no float16
STACKS = [(), (), (2,), (0,), (2, 1)]


# ---- matrices ------------------------------------------------------------------------------------


def any_matrix(rng, shape):
    return rng.uniform(-2, 2, shape)


def apart(rng, shape):
    """Singular values, and the eigenvalues of the symmetric part, that are not close."""
    m, n = shape[-2:]
    middle = np.zeros(shape)
    steps = np.arange(min(m, n))
    middle[..., steps, steps] = 1 + steps + rng.uniform(-0.2, 0.2, (*shape[:-2], min(m, n)))
    left, _ = np.linalg.qr(np.eye(m) + 0.3 * rng.uniform(-1, 1, (*shape[:-2], m, m)))
    right, _ = np.linalg.qr(np.eye(n) + 0.3 * rng.uniform(-1, 1, (*shape[:-2], n, n)))
    return left @ middle @ right


def singular(rng, shape):
    """Of rank n - 1 and, one in two, less."""
    x = apart(rng, shape)
    if shape[-1] > 1:
        x[..., 0] = x[..., 1]
    if shape[-1] > 2 and rng.random() < 0.5:
        x[..., 2] = x[..., 1]
    return x


def parted(rng, shape):
    """Eigenvalues that are real and not close: those of 1, 2, 3 …, not far from diagonal."""
    return 0.1 * rng.uniform(-1, 1, shape) + np.diag(np.arange(shape[-1]) + 1.0)


def even(rng, shape):
    """Neither the elements nor those of the inverse are close to 0."""
    return 0.5 + 0.05 * rng.uniform(-1, 1, shape) + np.diag(np.arange(shape[-1]) + 1.5)


@st.composite
def matrices(draw, domain=any_matrix, square=True, tall=None, least=0, stacks=STACKS, **settings):
    sides = st.integers(least, 3)
    m = draw(sides)
    n = m if square else draw(sides)
    if tall is not None and (m < n) == tall:
        m, n = n, m
    shape = (*draw(st.sampled_from(stacks)), m, n)
    x = values(draw, shape, domain=domain)
    return Case(("x",), x, {name: draw(choose(shape)) for name, choose in settings.items()})


@st.composite
def systems(draw, domain=apart):
    """x and y of x @ out = y: vectors, matrices and stacks of them that broadcast."""
    n, k = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    stack = draw(st.sampled_from(STACKS))
    cut = draw(st.integers(0, len(stack)))
    behind = draw(st.sampled_from([(n,), (n, k), (*stack[cut:], n, k)]))
    front = stack[cut:] if draw(st.booleans()) and len(behind) == 2 + len(stack) else stack
    rng = generator(draw)
    return Case(("x", "y"), (domain(rng, (*front, n, n)), rng.uniform(-2, 2, behind)), {})


@st.composite
def least_squares(draw):
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    behind = draw(st.sampled_from([(m,), (m, 2)]))
    rng = generator(draw)
    return Case(("x", "y"), (apart(rng, (m, n)), rng.uniform(-2, 2, behind)), {})


@st.composite
def reshaped(draw, names):
    """A square matrix as a tensor; with a y of its first axes."""
    front, back = draw(st.sampled_from([((2, 3), (6,)), ((4,), (2, 2))]))
    rng = generator(draw)
    n = int(np.prod(front))
    arrays = [apart(rng, (n, n)).reshape(front + back), rng.uniform(-2, 2, front)]
    settings = {"ind": len(front)} if names == ("x",) else {}
    return Case(names, tuple(arrays[: len(names)]), settings)


# ---- calls: what does not depend on the choice of a factor --------------------------------------


def mT(x):
    return x.swapaxes(-1, -2)


def flat(*arrays):
    """All of them in one: a gradient arrives at each, and each time another."""
    return np.concatenate([array.reshape(-1) for array in arrays])


def projectors(vectors):
    """Of each column the matrix column @ row, which has no sign and no phase."""
    return vectors[..., :, None, :] * vectors[..., None, :, :].conj()


def of_symmetric(function, x, **settings):
    return function((x + mT(x).conj()) / 2, **settings)


def of_positive(function, x, **settings):
    return function(x @ mT(x).conj(), **settings)


def eigh_parts(function, x, **settings):
    w, v = of_symmetric(function, x, **settings)
    return flat(w, projectors(v))


def eigh_vectors(function, x):
    return projectors(of_symmetric(function, x)[1])


def parts(function, x, **settings):
    return flat(*function(x, **settings))


def power_sums(w):
    return flat(*((w**p).sum(-1) for p in (1, 2, 3)))


def eig_parts(function, x):
    """LAPACK's order of eigenvalues is not what is tested."""
    w, v = function(x)
    return flat(power_sums(w), (projectors(v) * w[..., None, None, :]).sum(-1))


def eigvals_parts(function, x):
    return power_sums(function(x))


def eigen(dtype):
    """Of what dtype NumPy's eigenvalues are where all are real: complex from NumPy 2.5 on, before
    that those of the matrix."""
    return np.linalg.eigvals(np.eye(1, dtype=dtype)).dtype


def svd_parts(function, x):
    u, s, vh = function(x, False)
    return flat(s, u[..., :, :, None] * vh[..., None, :, :])


def parts_of_thin(function, x):
    u, s, vh = function(x)
    return flat(s, u[..., :, :, None] * vh[..., None, :, :])


def only_values(function, x):
    return function(x)[1]


def svd_sides(function, x):
    u, _, vh = function(x, False)
    return flat(projectors(u), projectors(mT(vh).conj()))


def solution(function, x, y):
    found, residuals, _, s = function(x, y, rcond=None)
    return flat(found, residuals, s)


def with_p(p):
    return lambda function, x: function(x, p)


def with_ord(ord):
    return lambda function, x, **settings: function(x, ord, **settings)


# ---- references ----------------------------------------------------------------------------------


def minor(x, i, j):
    return np.delete(np.delete(x, i, -2), j, -1)


def plain_cofactors(x):
    out = np.empty_like(x)
    for *stack, i, j in np.ndindex(x.shape):
        out[(*stack, i, j)] = (-1) ** (i + j) * np.linalg.det(minor(x[tuple(stack)], i, j))
    return out


def plain_expm(x):
    term = out = x * 0 + np.eye(x.shape[-1])
    for k in range(1, 60):
        term = term @ x / k
        out = out + term
    return out.astype(x.dtype)


def plain_svdvals(x):
    return np.linalg.svd(x, compute_uv=False)


def powers(shape):
    return st.sampled_from([-2, -1, 0, 1, 2, 3])


def triangle(shape):
    return st.sampled_from(["L", "U"])


def flag(shape):
    return st.booleans()


def last(shape):
    return st.sampled_from([(-2, -1), (-1, -2)])


def offsets(shape):
    return st.integers(-2, 2)


@st.composite
def with_matrices(draw, domain=any_matrix):
    """A stack of n × n matrices, and for each one or two matrices of its size."""
    n, stack = draw(st.integers(0, 3)), draw(st.sampled_from(STACKS))
    k = draw(st.integers(1, min(2, max(1, n - 1))))  # of more, a cofactor has nothing
    rng = generator(draw)
    arrays = domain(rng, (*stack, n, n)), rng.uniform(-1, 1, (*stack, k, n, n))
    return Case(("x", "matrices"), arrays, {})


@st.composite
def with_values(draw, square):
    """Matrices, whose values are apart in complex numbers as well, and other values for their
    vectors."""
    stack, m = draw(st.sampled_from(STACKS)), draw(st.integers(0, 3))
    n = m if square else draw(st.integers(0, 3))
    rng = generator(draw)
    arrays = rng.uniform(-2, 2, (*stack, min(m, n))), 8 * apart(rng, (*stack, m, n))
    return Case(("values", "x"), arrays, {})


@st.composite
def with_gaps(draw):
    stack, n = draw(st.sampled_from(STACKS)), draw(st.integers(0, 3))
    rng = generator(draw)
    gaps = rng.uniform(1, 2, (*stack, n, n)) * rng.choice([-1, 1], (*stack, n, n))
    return Case(("x", "gaps"), (rng.uniform(-2, 2, (*stack, n, n)), gaps), {})


def ones(x):
    return 0 * x.real.sum(-2) + 1


def watched(function, x):
    return function(x, np.cumsum(ones(x), -1), "eigh")


def over(function, x, gaps):
    return function(x, gaps, ones(x), 1e-9 + 0 * ones(x).sum(), True, "eigh")


def plain_over(x, gaps, *_):
    return x / gaps * (1 - np.eye(x.shape[-1]))


def seen(function, x):
    """All of what arrives is seen where no two values are equal."""
    straight = 1 + 0 * x
    values = (0 * x.real + 1).cumsum(-1)
    return function(x, straight, straight.sum() + 0 * straight[..., None], values, False, "eigh")


CUBE = _Smooth("cube", lambda w: w**3, lambda w: 3 * w**2)


def symmetric(x):
    return (x + mT(x).conj()) / 2


def of_cube(function, x, *matrices):
    return function(symmetric(x), *matrices, CUBE)


def plain_terms(x, matrices, _):
    words = [x @ x, x, np.eye(x.shape[-1])]
    if matrices.shape[-3] == 1:
        one = matrices[..., 0, :, :]
        return sum(a @ one @ b for a, b in zip(words, words[::-1], strict=True))
    one, two = matrices[..., 0, :, :], matrices[..., 1, :, :]
    return x @ one @ two + one @ x @ two + one @ two @ x


def plain_minors(x, matrices):
    """Cofactors in which each of the matrices takes the place of x in a row, in every way."""
    out = np.zeros(x.shape, np.result_type(x, matrices))
    n, k = x.shape[-1], matrices.shape[-3]
    for (*stack, i, j), rows in product(np.ndindex(x.shape), permutations(range(n - 1), k)):
        mixed = minor(x[tuple(stack)], i, j).astype(out.dtype)
        for matrix, row in zip(matrices[tuple(stack)], rows, strict=True):
            mixed[row] = minor(matrix, i, j)[row]
        out[(*stack, i, j)] += (-1) ** (i + j) * np.linalg.det(mixed)
    return out


def plain_function(f):
    def function(x, *_):
        w, v = np.linalg.eigh(x)
        return (v * f(w)[..., None, :]) @ mT(v).conj()

    return function


def plain_projector(x, start):
    _, v = np.linalg.eigh(x)
    return v[..., start:] @ mT(v[..., start:]).conj()


def plain_polar(x):
    u, s, vh = np.linalg.svd(x, False)
    return u @ vh, mT(vh).conj() @ (s[..., None] * vh)


def plain_spectral(values, x, *_):
    _, v = np.linalg.eigh(x)
    return (v.conj() * values[..., None, :]) @ mT(v)


def plain_sides(values, x, *_):
    u, _, vh = np.linalg.svd(x, False)
    return (u.conj() * values[..., None, :]) @ vh.conj()


MATRICES_OF = ("x", "matrices")
EIGH = {"x": ("eigenvalues", "eigenvectors")}
CONDS = {2: False, -2: False, None: False, 1: True, np.inf: True, "fro": True}

MATRICES = [
    Row("linalg.inv", matrices(apart), {"x": ("out",)}, complex=True, **FEW),
    Row("linalg.solve", systems(), {"x": ("x", "y_shape", "out"), "y": ("x", "y_shape")},
        complex=True, **FEW),
    Row("linalg.tensorinv", reshaped(("x",)), {"x": ()}, complex=True, half=False,
        never=("0-d", "empty")),
    Row("linalg.tensorsolve", reshaped(("x", "y")), {"x": (), "y": ()}, complex=True,
        half=False, never=("0-d", "empty")),
    Row("linalg.det", matrices(), {"x": ("x", "out")}, complex=True, **FEW),
    Row("linalg.det", matrices(singular), {"x": ("x", "out")}, variant="of singular", **FEW),
    Row("linalg._cofactors", matrices(apart), {"x": ("x",)}, plain_cofactors, complex=True,
        **FEW),
    Row("linalg._minors", with_matrices(apart), {"x": MATRICES_OF, "matrices": MATRICES_OF},
        plain_minors, complex=True, **FEW),
    Row("linalg.slogdet", matrices(apart), {"x": ("x", "sign")}, complex=True, call=parts,
        parts=True, **FEW),
    Row("linalg.pinv", matrices(apart, square=False), {"x": ()}, complex=True, **FEW),
    Row("linalg._pseudoinverse", matrices(apart, square=False, rtol=lambda _: st.just(1e-15)),
        {"x": ("x", "out")}, lambda x, rtol: np.linalg.pinv(x, rtol), complex=True, **FEW),
    Row("linalg.lstsq", least_squares(), {"x": (), "y": ()}, complex=True, call=solution,
        half=False, never=("0-d", "empty")),
    Row("linalg.matrix_rank", matrices(singular, square=False), dtype=index, **FEW),
    *(
        Row("linalg.cond", matrices(even if square else apart, square=square, least=2),
            {"x": ()}, complex=True, dtype=real, call=with_p(p), variant=f"of {p}", **FEW)
        for p, square in CONDS.items()
    ),
    Row("linalg.cholesky", matrices(apart, upper=flag), {"x": ()}, complex=True, call=of_positive,
        **FEW),
    Row("linalg._lower_factor", matrices(apart), {"x": ("out",)}, np.linalg.cholesky, complex=True,
        call=of_positive, parts=True, **FEW),
    *(
        Row("linalg.qr", matrices(apart, square=False, mode=lambda _, mode=mode: st.just(mode)),
            {"x": ()}, complex=True, call=parts if mode == "reduced" else Row.call,
            variant=mode, **FEW)
        for mode in ("reduced", "r")
    ),
    Row("linalg._tall_qr", matrices(apart, tall=True, square=False), {"x": ("Q", "R")},
        np.linalg.qr, complex=True, call=parts, parts=True, **FEW),
    Row("linalg.eigh", matrices(apart, UPLO=triangle), EIGH, complex=True, call=eigh_parts,
        parts=True, **FEW),
    Row("linalg.eigh", matrices(apart), EIGH, complex=True, call=eigh_vectors, parts=True,
        variant="vectors only", **FEW),
    Row("linalg.eigvalsh", matrices(apart, UPLO=triangle), {"x": ("x", "UPLO")}, complex=True,
        dtype=real, call=of_symmetric, parts=True, **FEW),
    Row("linalg.eig", matrices(parted), {"x": ("eigenvalues", "eigenvectors")}, complex=True,
        call=eig_parts, parts=True, dtype=eigen, **FEW),
    Row("linalg.eigvals", matrices(parted), {"x": ()}, complex=True, call=eigvals_parts,
        dtype=eigen, **FEW),
    Row("linalg.svd", matrices(apart, square=False), {"x": ()}, complex=True, call=svd_parts,
        **FEW),
    Row("linalg.svd", matrices(apart, square=False), {"x": ()}, complex=True, call=svd_sides,
        variant="sides", **FEW),
    Row("linalg._thin_svd", matrices(apart, square=False), {"x": ("U", "S", "Vh")},
        lambda x: np.linalg.svd(x, False), complex=True, call=parts_of_thin, parts=True, **FEW),
    Row("linalg._whole_svd", matrices(apart, square=False), {"x": ("x",)}, np.linalg.svd,
        complex=True, dtype=real, call=only_values, parts=True, **FEW),
    Row("linalg.svdvals", matrices(apart, square=False), {"x": ("x",)}, plain_svdvals, complex=True,
        dtype=real, **FEW),
    *(
        Row("linalg.norm", matrices(apart, square=False, least=1, axis=last, keepdims=flag),
            {"x": ()}, complex=True, dtype=real, call=with_ord(ord), variant=f"{ord} of matrices",
            **FEW)
        for ord in (2, -2, "nuc")
    ),
    Row("linalg.matrix_power", matrices(even, n=powers), {"x": ()}, complex=True, **FEW),
    Row("linalg.expm", matrices(), {"x": ("x",)}, plain_expm, complex=True, **FEW),
    Row("linalg._function", matrices(), {"x": ("x", "divided")}, plain_function(lambda w: w**3),
        complex=True, call=of_cube, parts=True, **FEW),
    Row("linalg._terms", with_matrices(), {"x": MATRICES_OF, "matrices": MATRICES_OF},
        plain_terms, complex=True, call=of_cube, parts=True, **FEW),
    Row("linalg.matrix_function", matrices(), {"x": ()}, plain_function(np.exp), complex=True,
        call=lambda function, x: function(symmetric(x), ac.exp, ac.exp), **FEW),
    Row("linalg.sqrtm", matrices(apart), {"x": ()}, plain_function(np.sqrt), complex=True,
        call=of_positive, **FEW),
    Row("linalg.logm", matrices(apart), {"x": ()}, plain_function(np.log), complex=True,
        call=of_positive, **FEW),
    Row("linalg.whiten", matrices(apart), {"x": ()}, plain_function(lambda w: w**-0.5),
        complex=True, call=of_positive, **FEW),
    Row("linalg.spectral_projector", matrices(apart), {"x": ()}, plain_projector, complex=True,
        call=lambda function, x: of_positive(function, x, start=1), **FEW),
    Row("linalg.polar", matrices(apart, square=False), {"x": ()}, plain_polar, complex=True,
        call=parts, **FEW),
    Row("linalg._spectral", with_values(True), {"values": ("x",), "x": ("values", "x")},
        plain_spectral, complex=True, parts=True,
        call=lambda function, values, x: function(values.real, x @ mT(x).conj(), "L", False),
        **FEW),
    Row("linalg._sides", with_values(False), {"values": ("x",), "x": ("values", "x")},
        plain_sides, complex=True, parts=True,
        call=lambda function, values, x: function(values.real, x, False), **FEW),
    Row("linalg._over", with_gaps(), {"x": (), "gaps": ()}, plain_over, complex=True, call=over,
        parts=True, **FEW),
    Row("linalg._nearest", matrices(apart, square=False), {"x": ("x",)},
        lambda x: plain_polar(x)[0], complex=True, **FEW),
    Row("linalg._watched", matrices(), {"x": ()}, lambda x, *_: x, complex=True, call=watched,
        parts=True, **FEW),
    Row("linalg._independent", matrices(), {"x": ()}, lambda x, *_: x, complex=True,
        call=lambda function, x: function(x, np.cumsum(ones(x), -1)), parts=True, **FEW),
    Row("linalg._seen", matrices(), {"x": ()}, lambda x, *_: x, complex=True, call=seen,
        parts=True, **FEW),
    Row("linalg.trace", matrices(square=False, offset=offsets), {"x": ()}, linear=True,
        complex=True, never=("0-d",)),
    Row("linalg.diagonal", matrices(square=False, offset=offsets), {"x": ()}, linear=True,
        complex=True, never=("0-d",)),
    Row("linalg.matrix_transpose", matrices(square=False), {"x": ()}, linear=True, complex=True,
        never=("0-d",)),
]  # fmt: skip
