"""Rows: np.emath, with real results and with complex ones."""

import numpy as np

from autograd_core.testing.strategies import between, signed
from tests.table.cases import elementwise, settled
from tests.table.row import Row, anything, positive


def one_outside(domain, outside):
    """Numbers of which the first at least makes the result complex."""

    def drawn(rng, shape):
        x = np.array(domain(rng, shape))
        x.flat[0] = outside
        return x

    return drawn


def widened(*dtypes):
    """The complex dtype that a real operand gets."""
    return np.result_type(*("c8" if dtype in ("f4", "c8") else "c16" for dtype in dtypes))


FROM_0 = {name: (positive, one_outside(signed(0.5, 2.5), -1.5))
          for name in ("sqrt", "log", "log2", "log10")}  # fmt: skip
WITHIN_1 = {name: (between(-0.6, 0.6), one_outside(signed(1.5, 2.5), 1.75))
            for name in ("arccos", "arcsin", "arctanh")}  # fmt: skip
X, N, P = {"x": ()}, {"n": (), "x": ()}, {"x": (), "p": ()}
BASE = between(1.5, 3)

EMATH = [
    *(
        row
        for name, (inside, outside) in (FROM_0 | WITHIN_1).items()
        for row in (
            Row(f"emath.{name}", settled(inside), X, complex=True),
            Row(f"emath.{name}", settled(outside, least_side=1), X, dtype=widened,
                never=("empty",), variant="complex"),
        )
    ),
    Row("emath.logn", elementwise(n=BASE, x=positive), N, complex=True),
    Row("emath.power", elementwise(x=positive, p=anything), P, complex=True),
]  # fmt: skip
