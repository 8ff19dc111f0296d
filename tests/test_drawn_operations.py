"""Every operation of the op table can be drawn, played, explained and watched, by what its cases
draw: empty arrays, 0-d ones, float32 and complex numbers among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core.rendering import draw, explain, record_flow
from tests.devices import Host
from tests.table import checks as op_checks
from tests.table import rows as op_table

ROWS = [row for row in op_table.DIFFERENTIABLE if not row.transfer]


def results(found):
    if isinstance(found, ac.Tensor):
        yield found
    elif isinstance(found, tuple | list):
        for entry in found:
            yield from results(entry)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@settings(max_examples=2)
@given(data=st.data())
def test_an_operation_is_drawn_and_watched(row, data):
    dtype = data.draw(st.sampled_from(["f8", "f4", "c16"] if row.complex else ["f8", "f4"]))
    case = data.draw(row.cases).cast(dtype)
    operands = list(case.arrays)
    for i, name in enumerate(case.names):
        if name in row.keeps and operands[i].dtype.kind in "fc":
            operands[i] = ac.Tensor(operands[i], requires_grad=True, name=name)
    tracked = [t for t in operands if isinstance(t, ac.Tensor)]
    with np.errstate(all="ignore"):
        found = [t for t in results(op_checks.called(row, case, operands, Host)) if t.requires_grad]
        if not found:
            return
        total = ac.sum(np.real(found[0]))
        for other in found[1:]:
            total = total + ac.sum(np.real(other))
        assert draw(total).html().startswith("<!DOCTYPE html>")
        explain(total)
        assert all(t.grad is None for t in tracked)
        with record_flow() as flow:
            total.backward()
    assert flow.table()
    assert draw(flow).dot
    measured = {box.number: box.gradient for box in flow.scene.boxes}
    for tensor in tracked:
        if tensor.grad is not None:
            g = tensor.grad.data
            finite = g[np.isfinite(g)].astype(complex)
            assert measured[tensor.node.seq].norm == pytest.approx(np.linalg.norm(finite), rel=1e-5)
            assert measured[tensor.node.seq].not_finite == g.size - finite.size
