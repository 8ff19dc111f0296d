"""Lists of Tensors are arrays: every operation accepts them, nested and mixed with numbers."""

import operator

import numpy as np
import pytest

import autograd_core as ac
import autograd_core.numpy as anp
from tests.devices import Host
from tests.table.checks import assert_close, called, first, operands, reference
from tests.table.rows import ROWS
from tests.table.writing import WRITING

# Rows that are left out, with the reason.
APART = {
    "block": "the depth of the lists determines along which axes blocks are joined",
    "interp": "its row draws no call in which every operand has an axis",
}
# Those that write to their first argument need an array to write to.
LISTED = [
    row
    for row in ROWS
    if row.keeps
    and row not in WRITING
    and row.name not in APART
    and not row.name.rpartition(".")[2].startswith("_")
]


def nested(value):
    """A Tensor, or each Tensor in a list, as nested lists of Tensors without axes."""
    arrays = isinstance(value, ac.Tensor) and value.ndim
    return [nested(entry) for entry in value] if arrays or isinstance(value, list) else value


@pytest.mark.parametrize("row", LISTED, ids=operator.attrgetter("id"))
def test_lists_of_tensors_are_arrays(row):
    case = first(row.cases, lambda case: all(a.ndim and 0 < a.size < 30 for a in case.arrays))
    device = Host()

    def of_lists(*args, **settings):
        return row.function(*map(nested, args), **settings)

    out = called(row, case, operands(row, case, device), device, of_lists)
    assert out.requires_grad
    assert_close(out.detach().numpy(), reference(row, case))


x, y = 0.5, 2.0
CALLS = {
    "sum": lambda np, x, y: np.sum([x, y]),
    "of nested lists": lambda np, x, y: np.sum([[x, y], [y, 3.0]], axis=0)[0] * x,
    "mixed with arrays": lambda np, x, y: np.sum([np.ones(2) * x, np.array([1.0, 2.0])]),
    "mean": lambda np, x, y: np.mean((x, y)),
    "prod": lambda np, x, y: np.prod([x, y, 2]),
    "max": lambda np, x, y: np.max([x, y * x]),
    "std": lambda np, x, y: np.std([x, y]),
    "var": lambda np, x, y: np.var([x, y, 1.0], ddof=1),
    "norm": lambda np, x, y: np.linalg.norm([x, y]),
    "dot": lambda np, x, y: np.dot([x, 1.0], [y, x]),
    "matmul": lambda np, x, y: np.matmul([[x, y]], [x, 2.0])[0],
    "cumsum": lambda np, x, y: np.cumsum([x, y])[-1],
    "reshape": lambda np, x, y: np.reshape([x, y], (2, 1))[1, 0],
    "outer": lambda np, x, y: np.outer([x, y], [y, 1.0])[0, 0],
    "minimum": lambda np, x, y: np.minimum([x, y], 1.0)[0],
    "diag": lambda np, x, y: np.diag([x, y])[1, 1],
    "append": lambda np, x, y: np.append([x], [y, 1.0])[1],
    "array times a list": lambda np, x, y: np.sum(np.array([x, y]) * [x, y]),
    "list times an array": lambda np, x, y: np.sum([y, x] * np.array([x, y])),
    "r_": lambda np, x, y: np.sum(np.r_[x, y, 1.0] ** 2),
    "c_": lambda np, x, y: np.sum(np.c_[np.array([x, y]), [1.0, 2.0]] ** 2),
    "where": lambda np, x, y: np.sum(np.where([True, False], [x, y], [y, 2.0 * y])),
    "stack": lambda np, x, y: np.sum(np.stack([x, 2.0]) ** 2),
    "concatenate": lambda np, x, y: np.sum(np.concatenate([[x, 1.0], [y]]) ** 2),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_program_with_lists_has_numpys_value_and_the_gradient_of_differences(name):
    call = CALLS[name]
    value, slopes = ac.value_and_grad(lambda x, y: call(anp, x, y), (0, 1))(x, y)
    np.testing.assert_allclose(value, call(np, x, y), rtol=1e-14)
    step = 1e-6
    for slope, (dx, dy) in zip(slopes, ((step, 0), (0, step)), strict=True):
        ends = [call(np, x + sign * dx, y + sign * dy) for sign in (1, -1)]
        np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-8, atol=1e-8)


def test_a_list_with_an_array_of_another_shape_is_refused():
    with pytest.raises(ac.ShapeError, match="stack"):
        ac.sum([ac.Tensor([1.0, 2.0]), ac.Tensor(1.0)])


def test_a_list_is_placed_on_the_device_of_its_tensors(device):
    first_, second = device.array(np.array(1.0)), 2.0
    tensor = ac.Tensor(first_, requires_grad=True)
    out = ac.sum([tensor * 3, second])
    assert out.device == tensor.device
    out.backward()
    assert tensor.grad.item() == 3
