"""Rows: numbers in even steps between Tensors."""

from dataclasses import replace

from hypothesis import strategies as st

from autograd_core.testing.strategies import between
from tests.table.cases import elementwise
from tests.table.row import Row, positive


@st.composite
def spans(draw, domain):
    case = draw(elementwise(start=domain, stop=domain))
    steps = {"num": draw(st.integers(0, 4)), "endpoint": draw(st.booleans()),
             "axis": draw(st.sampled_from([0, -1]))}  # fmt: skip
    return replace(case, settings=steps)


both = {"start": (), "stop": ()}

CREATION = [
    Row("linspace", spans(between(-2, 2)), both, linear=True, complex=True),
    Row("logspace", spans(between(-1, 1)), both),
    Row("geomspace", spans(positive), both),
]  # fmt: skip
