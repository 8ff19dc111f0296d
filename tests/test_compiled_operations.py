"""Every operation and its gradient, compiled: the bits of plain calls."""

import operator

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
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


@pytest.mark.parametrize("row", SEVERAL, ids=operator.attrgetter("id"))
@pytest.mark.filterwarnings("ignore:compile")
def test_an_operation_and_its_gradient_keep_their_bits(row):
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
    tried = [(value, case.arrays)]
    if places and not row.refused:
        floats = tuple(case.arrays[place] for place in places)
        tried.append((ac.grad(total, tuple(range(len(places)))), floats))
    for plain, arguments in tried:
        compiled = Compiled(plain)
        expected = bits(plain(*arguments))
        assert bits(compiled(*map(np.copy, arguments))) == expected
        assert bits(compiled(*map(np.copy, arguments))) == expected
        assert not compiled.plain or row.name in UNTRACED, compiled.plain
