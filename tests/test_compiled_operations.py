"""Every operation and its gradient, compiled: the bits of plain calls."""

import operator

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
from tests import compiling_page
from tests.table.checks import first
from tests.table.rows import HERE, ROWS
from tests.table.writing import WRITING
from tests.test_compiling import bits

# Rows of the op table that run without a program when their arguments are plain arrays, as they
# call functions that convert their arguments; their rules are traced.
UNTRACED = {
    "sigmoid", "bincount", "histogram", "histogram2d", "histogramdd", "overlap_add",
    "scipy.special.polygamma", "scipy.linalg._triangular", "scipy.linalg.solve_triangular",
    "scipy.linalg.solve_sylvester", "scipy.linalg.sqrtm", "scipy.signal._overlaps",
    "scipy.signal.convolve", "assign", "interp", "gradient",
}  # fmt: skip


def placed(settings):
    """The settings of a case, on the host."""
    return {name: "cpu" if value is HERE else value for name, value in settings.items()}


SEVERAL = [row for row in ROWS if row not in WRITING]


def functions_of(row):
    """An operation, its gradient and the gradient of that, each with arguments."""
    case = first(row.cases, lambda case: case.arrays and all(a.size for a in case.arrays))
    places = [i for i, (name, array) in enumerate(zip(case.names, case.arrays, strict=True))
              if name in row.keeps and array.dtype.kind == "f"]  # fmt: skip

    call, function, given = row.call, row.function, placed(case.settings)

    def value(*arrays):
        return call(function, *arrays, **given)

    def total(*floats):
        arrays = list(whole)
        for place, array in zip(places, floats, strict=True):
            arrays[place] = array
        out = value(*arrays)
        parts = [
            p for p in (out if isinstance(out, tuple | list) else [out]) if p.dtype.kind in "fc"
        ]
        parts = [ac.real(p) + ac.imag(p) if p.dtype.kind == "c" else p for p in parts]
        return sum(ac.sum(part * part) for part in parts)

    whole = case.arrays
    yield value, case.arrays
    if places and not row.refused:
        floats = tuple(case.arrays[place] for place in places)
        slopes = ac.grad(total, numbers := tuple(range(len(places))))

        def bend(*floats):
            return sum(ac.sum(ac.real(g * g)) for g in slopes(*floats))

        yield slopes, floats
        yield ac.grad(bend, numbers), floats


@pytest.mark.parametrize("row", SEVERAL, ids=operator.attrgetter("id"))
@pytest.mark.filterwarnings("ignore:compile")
def test_an_operation_and_its_derivatives_keep_their_bits(row):
    listed = compiling_page.listed()
    for plain, arguments in functions_of(row):
        compiled = Compiled(plain)
        expected = bits(plain(*arguments))
        assert bits(compiled(*map(np.copy, arguments))) == expected
        assert bits(compiled(*map(np.copy, arguments))) == expected
        assert not compiled.plain or row.name in UNTRACED, compiled.plain
        assert compiling_page.opaque_in(compiled) <= listed


PLACES = np.random.default_rng(1).integers(0, 300, 5000)
LARGE = {
    "relu": lambda x: ac.relu(x) * ac.sin(x), "gather": lambda x: ac.tanh(x[PLACES]),
    "gather of two": lambda x: x[PLACES, PLACES % 200] ** 2, "maximum": lambda x: ac.max(x, axis=0),
    "take": lambda x: ac.take(x, PLACES, axis=0) ** 2, "sort": lambda x: ac.sort(x, axis=0)[::2],
    "where": lambda x: ac.where(x > 0, x**3, ac.exp(x)), "mask": lambda x: x[x > 0.5] ** 2,
    "cumsum": lambda x: ac.cumsum(x, axis=1) ** 2, "logsumexp": lambda x: ac.logsumexp(x, axis=1),
    "einsum": lambda x: ac.einsum("ij,kj->ik", x, x), "clip": lambda x: ac.clip(x, -1, 1) * x,
    "std": lambda x: ac.std(x, axis=0), "fft": lambda x: ac.abs(ac.fft.fft(x)) ** 2,
    "solve": lambda x: ac.linalg.solve(x[:200].T + 20 * np.eye(200), x[0]),
    "reflected": lambda x: ac.pad(x, 3, mode="reflect") ** 2, "median": lambda x: ac.median(x, 0),
    "float32": lambda x: ac.sigmoid(x.astype(np.float32)), "prod": lambda x: ac.prod(x[:5], axis=0),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_operations_on_large_arrays_keep_their_bits(name):
    plain = ac.value_and_grad(lambda x: ac.sum(LARGE[name](x) * 2))
    compiled = Compiled(plain)
    x = np.random.default_rng(0).normal(size=(300, 200))
    for i in range(3):
        assert bits(compiled(x * (i + 1))) == bits(plain(x * (i + 1)))
    assert not compiled.plain, compiled.plain
    assert not compiling_page.opaque_in(compiled)
