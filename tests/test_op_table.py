"""What holds for every operation, row by row of tests/table."""

import functools
import gc
import operator
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core import functions, operations
from autograd_core.engine.op import gradient_free
from autograd_core.engine.views import VALUE, base_of
from autograd_core.testing import check_gradients
from tests.devices import Host
from tests.table.cases import Case
from tests.table.checks import (
    assert_close,
    called,
    check_batched,
    check_gradient,
    check_kept,
    check_precision,
    check_second_order,
    check_value,
    first,
    gradients,
    leaves,
    locked,
    moved,
    normal,
    operands,
    reference,
)
from tests.table.rows import DIFFERENTIABLE, POINTWISE, ROWS

DRAWN = st.data()
every_row = pytest.mark.parametrize("row", ROWS, ids=operator.attrgetter("id"))
every_rule = pytest.mark.parametrize("row", DIFFERENTIABLE, ids=operator.attrgetter("id"))


# ---- the table itself ----------------------------------------------------------------------------


def test_every_operation_has_a_row():
    parts = {n for n in functions if n.rpartition(".")[2].startswith("_")}
    # factors of a density, in float64 only: its own rows test them, and test_densities.py
    factors = ("scipy.stats.", "scipy.psi.")
    parts -= operations.keys() - {n for n in operations if n.startswith(factors)}
    rows = {row.name for row in ROWS}
    for name in sorted(functions.keys() - parts - rows):
        pytest.fail(f"{name} has no row: add Row({name!r}, …) to a file of tests/table/")
    for name in sorted(rows - functions.keys()):
        pytest.fail(f"the row {name!r} is of no function of the library: is its name right?")
    assert not any(row.keeps for row in ROWS if row.name in gradient_free)
    assert len({row.id for row in ROWS}) == len(ROWS)


COMPLEX = {row.name for row in ROWS if row.complex}
REAL = {r.name: r for r in DIFFERENTIABLE if not r.composed and r.op.pointwise}


@pytest.mark.parametrize("name", sorted(n for n in REAL.keys() - COMPLEX if "._" not in f".{n}"))
def test_complex_operands_are_refused_or_differentiated(name):
    op, generator = operations[name], np.random.default_rng(0)
    arrays = [generator.uniform(0.2, 0.8, 3) + generator.uniform(0.2, 0.8, 3) * 1j
              for _ in op.operands]  # fmt: skip
    tensors = [ac.Tensor(a, p in op.rules) for p, a in zip(op.operands, arrays, strict=True)]
    try:
        np.sum(functions[name](*tensors)).backward(1)
    except TypeError:
        return
    try:
        check_gradients(functions[name], *arrays, order=1)
    except AssertionError as error:
        pytest.fail(
            f"{name} takes complex operands, for which its rules are wrong. Refuse them, as "
            f"np.fabs does, or correct the rules and give the row complex=True. {error}"
        )


@every_row
def test_the_cases_of_a_row_reach_everything(row):
    if "several" not in row.never:
        first(row.cases, lambda case: reference(row, case).size > 1)
    if "empty" not in row.never:
        first(row.cases, lambda case: any(array.size == 0 for array in case.arrays))
    if "0-d" not in row.never:
        first(row.cases, lambda case: any(array.ndim == 0 for array in case.arrays))
    if len(row.keeps) > 1 and row.name in {r.name for r in POINTWISE}:
        first(row.cases, lambda case: len({array.shape for array in case.arrays}) > 1)


@every_row
@given(data=DRAWN)
def test_value_dtype_and_shape(row, device, data):
    case = data.draw(row.cases).cast(data.draw(st.sampled_from(row.dtypes)))
    check_value(row, case, device)


# ---- gradients -----------------------------------------------------------------------------------


@every_rule
@given(data=DRAWN)
def test_gradient(row, device, data):
    check_gradient(row, smooth(row, data), device)


def smooth(row, data):
    """A case in double precision; real and complex operands meet where the row is complex."""
    dtypes = st.sampled_from(["f8", "c16"] if row.complex else ["f8"])
    return data.draw(row.cases).cast(data.draw(dtypes), data.draw(dtypes))


@every_rule
@given(data=DRAWN)
def test_second_order(row, device, data):
    check_second_order(row, smooth(row, data), device)


# ---- dtypes --------------------------------------------------------------------------------------


@every_rule
@given(data=DRAWN)
def test_precision_is_kept(row, device, data):
    dtype = data.draw(st.sampled_from([d for d in row.dtypes if d not in ("f8", "c16")]))
    check_precision(row, data.draw(row.cases).cast(dtype), device)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "maximum",
                                  "minimum", "remainder"])  # fmt: skip
def test_python_numbers_are_weak_and_numpy_scalars_strong(name, dtype, device):
    function = operations[name].function
    for swap in (False, True):
        for value, expected in [(3, dtype), (2.5, dtype), (np.float64(2.5), "f8"),
                                (np.float32(2.5), "f4")]:  # fmt: skip
            x = ac.Tensor(device.array(np.full((2, 3), 1.5, dtype)), requires_grad=True)
            out = function(value, x) if swap else function(x, value)
            assert out.dtype == expected, (value, swap)
            for _, rule, saved in out.node.edges():  # those of float16 run in float32
                came = rule.function(device.array(np.ones((2, 3), expected)), *saved).dtype
                assert came == ("f4" if expected == "f2" and rule.names else expected)
            out.sum().backward()
            assert x.grad.dtype == dtype


# ---- layouts, writes, life -----------------------------------------------------------------------

LAYOUTS = {
    "transposed": lambda values, device: device.array(values.T.copy()).T,
    "strided": lambda values, device: device.array(np.repeat(values, 2, -1))[..., ::2],
    "reversed": lambda values, device: device.array(values[..., ::-1].copy())[..., ::-1],
}


@every_rule
@given(data=DRAWN)
def test_layout_in_memory_makes_no_difference(row, device, data):
    case = data.draw(row.cases)
    layout = LAYOUTS[data.draw(st.sampled_from(list(LAYOUTS)))]

    def laid(values):
        return locked(layout(values, device) if values.ndim else device.array(values))

    tensors = operands(row, case, device)
    for tensor, values in zip(tensors, case.arrays, strict=True):
        tensor.data = laid(values)
    out = called(row, case, tensors, device)
    assert_close(device.numpy(out), reference(row, case))
    cotangent = normal(device.numpy(out))
    out.backward(laid(cotangent))
    expected = gradients(row, case, device, cotangent)
    for leaf, gradient in zip(leaves(tensors), expected, strict=True):
        assert_close(device.numpy(leaf.grad), gradient)


@every_row
@given(data=DRAWN)
def test_nothing_that_was_given_is_written_to(row, device, data):
    case = data.draw(row.cases)
    tensors = operands(row, case, device)
    watched = [tensor.data for tensor in tensors]
    out = called(row, case, tensors, device)
    if row.keeps:
        g = locked(device.array(normal(device.numpy(out))))
        saved = [value for *_, values in out.node.edges() for value in values]
        watched += [g, out.data] + [value for value in saved if isinstance(value, type(g))]
        before = [device.numpy(locked(array)).copy() for array in watched]
        out.backward(g, retain_graph=True)
        out.backward(g, create_graph=True)
    else:
        before = [*case.arrays]
    for array, values in zip(watched, before, strict=True):
        np.testing.assert_array_equal(device.numpy(array), values)


@every_rule
@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "second"])
def test_no_reference_ring(row, device, create_graph):
    case = first(row.cases, lambda case: reference(row, case).size > 0)
    gc.disable()
    try:
        tensors = operands(row, case, device)
        out = called(row, case, tensors, device)
        g = ac.Tensor(device.array(normal(device.numpy(out))), requires_grad=create_graph)
        out.backward(g, create_graph=create_graph)
        objects = [*tensors, out, g, *(leaf.grad for leaf in leaves(tensors))]
        watched = [weakref.ref(o) for o in objects] + [weakref.ref(o.data) for o in objects]
        del tensors, out, g, objects
        assert [reference() for reference in watched if reference() is not None] == []
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "row", [row for row in DIFFERENTIABLE if not row.composed], ids=operator.attrgetter("id")
)
@given(data=DRAWN)
def test_an_edge_keeps_what_its_rule_names(row, device, data):
    check_kept(row, data.draw(row.cases), device)


@every_rule
@given(data=DRAWN)
def test_a_stack_of_gradients_is_like_one_after_the_other(row, device, data):
    case = data.draw(row.cases)
    lengths = {n for array in case.arrays for n in array.shape} | {3}
    count = data.draw(st.sampled_from(sorted(lengths)))
    check_batched(row, case, count, device)


# ---- polymorphism --------------------------------------------------------------------------------


@every_row
@given(data=DRAWN)
def test_recorded_only_where_a_gradient_is_wanted(row, device, data):
    case = data.draw(row.cases)
    arrays = [device.array(array) for array in case.arrays]
    plain = called(row, case, arrays, device)
    assert isinstance(plain, ac.Tensor) == (row.name in ac.creation.__all__)
    tracked = operands(row, case, device)
    recorded = called(row, case, tracked, device)
    assert recorded.requires_grad == bool(row.keeps)
    with ac.no_grad():
        silent = called(row, case, tracked, device)
    untracked = called(row, case, operands(row, case, device, ()), device)
    for tensor in (recorded, silent, untracked):
        device.assert_same(device.numpy(tensor), device.numpy(plain))
    itself = any(silent is tensor for tensor in tracked)  # NumPy hands some operands on as they are
    assert not silent.requires_grad or itself
    assert not untracked.requires_grad


@every_row
@given(data=DRAWN)
def test_an_operation_that_is_declared_so_carries_no_gradient(row, device, data):
    case = data.draw(row.cases)
    others = {n for n in case.names if n not in row.keeps and n not in row.refused}
    floating = {n for n, a in zip(case.names, case.arrays, strict=True) if a.dtype.kind == "f"}
    if not row.composed:
        others = {n for n in others if n not in row.op.rules}
        assert row.keeps.keys() <= row.op.rules.keys()
    if tracked := others & floating:
        out = called(row, case, operands(row, case, device, tracked), device)
        assert not out.requires_grad


@pytest.mark.parametrize("row", [row for row in ROWS if row.refused], ids=operator.attrgetter("id"))
def test_a_derivative_without_a_closed_form_is_refused(row, device):
    case = first(row.cases, lambda case: reference(row, case).size > 0)
    for name in row.refused:
        tensors = operands(row, case, device, (name,))
        out = called(row, case, tensors, device)
        with pytest.raises(ac.NotDifferentiableError, match=r"no closed form.*detach"):
            out.sum().backward()
        assert all(tensor.grad is None for tensor in tensors)


def numpys(name):
    """NumPy's function of a name such as "exp" or "linalg.norm", or None."""
    home = np.lib.stride_tricks if hasattr(np.lib.stride_tricks, name) else np
    return functools.reduce(lambda owner, part: getattr(owner, part, None), name.split("."), home)


NUMPYS = [row for row in ROWS if numpys(row.name) is not None]


@pytest.mark.parametrize("row", NUMPYS, ids=operator.attrgetter("id"))
@given(data=DRAWN)
def test_numpys_function_gives_the_same(row, device, data):
    case = data.draw(row.cases)
    tensors = operands(row, case, device)
    ours = called(row, case, tensors, device)
    theirs = called(row, case, tensors, device, numpys(row.name))
    assert type(theirs) is ac.Tensor
    device.assert_same(device.numpy(theirs), device.numpy(ours))
    assert theirs.requires_grad == ours.requires_grad
    if row.keeps and not row.composed:
        assert theirs.node.op is row.op
        edges = zip(theirs.node.edges(), ours.node.edges(), strict=True)
        assert all(a[:2] == b[:2] for a, b in edges)


# ---- linearity and extremes ----------------------------------------------------------------------


@pytest.mark.parametrize("row", [row for row in ROWS if row.linear], ids=operator.attrgetter("id"))
@given(data=DRAWN)
def test_a_linear_operation_is_linear_and_keeps_no_operand(row, device, data):
    case = data.draw(row.cases)
    kept = {name for names in row.keeps.values() for name in names}
    assert not kept & {"out", *row.keeps}

    def at(scale):
        directions = [
            normal(array, 4) if name in row.keeps else None
            for name, array in zip(case.names, case.arrays, strict=True)
        ]
        return reference(row, replace(case, arrays=moved(case.arrays, directions, scale)))

    np.testing.assert_allclose(at(3.0) - at(1.0), 2 * (at(1.0) - at(0.0)), atol=1e-13)


EXTREMES = [-1e4, -746.0, -104.0, -17.0, 0.0, 1e-8, 17.0, 89.0, 710.0, 1e4]


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.extreme], ids=operator.attrgetter("id"))
@given(data=DRAWN)
def test_no_finite_operand_overflows(row, device, dtype, data):
    """A warning is an error in this suite."""
    case = data.draw(row.cases)
    x = np.random.default_rng(case.arrays[0].size).choice(EXTREMES, case.arrays[0].shape)
    case = Case(case.names, (np.asarray(x, dtype),), case.settings)
    tensors = operands(row, case, device)
    out = called(row, case, tensors, device)
    out.backward(device.array(np.ones(out.shape, dtype)), create_graph=True)
    assert np.isfinite(device.numpy(out)).all()
    assert np.isfinite(device.numpy(tensors[0].grad)).all()


def parts(out):
    """The arrays, numbers or Tensors in a result."""
    if isinstance(out, tuple | list):
        for entry in out:
            yield from parts(entry)
    else:
        yield out


MEMORY = [row for row in ROWS if row.reference is None]


@pytest.mark.parametrize("row", MEMORY, ids=operator.attrgetter("id"))
@given(data=DRAWN)
def test_memory_is_shared_where_numpy_shares_it(row, data):
    """Else a write would reach what NumPy leaves alone, or not reach what it changes. A result that
    is a scalar of NumPy's is a number here; what NumPy can write to can be written to."""
    case = data.draw(row.cases)
    layout = LAYOUTS[data.draw(st.sampled_from(list(LAYOUTS)))]
    arrays = [layout(x, Host()) if x.ndim else np.array(x) for x in case.arrays]
    tensors = [ac.Tensor(array) for array in arrays]
    theirs = parts(called(row, case, arrays, Host(), operator.attrgetter(row.name)(np)))
    for a, b in zip(theirs, parts(called(row, case, tensors, Host())), strict=True):
        if isinstance(a, np.generic):
            assert b._memory is VALUE
        if not isinstance(a, np.ndarray) or not isinstance(b, ac.Tensor) or not a.size:
            continue
        for array, tensor in zip(arrays, tensors, strict=True):
            shared = np.shares_memory(a, array)
            assert np.shares_memory(b.data, array) == shared
            assert shared == (b is tensor or base_of(b) is base_of(tensor) is not None)
        if a.flags.writeable and not b.data.flags.writeable:
            assert row.read_only
