"""Writes and views: NumPy's values, and the gradients that belong to them.

`make thorough` runs 20,000 random programs (VIEW_PROGRAMS); otherwise a sample is run.
"""

import copy
import operator
import os
import pickle
import sys
import threading
import warnings
import weakref

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import AutogradError
from tests.conftest import Host
from tests.fake_cupy import device as fake_device
from tests.view_programs import Programs, names_in, run, shortest, total

COUNT = int(os.environ.get("VIEW_PROGRAMS", 300))


class Wrong(AssertionError):
    """A program whose values or gradients are not NumPy's; its text is the program."""


UNJUDGED = object()  # too steep, or not finite: differences tell nothing of a gradient


def slope(lines, values, directions):
    """The derivative of a program's number along `directions`, by differences of NumPy's runs, and
    how far two of them are apart."""

    def number(t):
        moved = {n: v + t * directions[n] if n in directions else v for n, v in values.items()}
        return total(run(lines, {n: np.array(v) for n, v in moved.items()}).bound)

    rough, narrow, wide = ((number(s) - number(-s)) / (2 * s) for s in (2e-5, 1e-4, 2e-4))
    sharp = (4 * narrow - wide) / 3
    return sharp, abs(sharp - rough)


def fault(lines, values, array):
    """What is wrong with a program on Tensors, or the error that it ended in."""
    expected = run(lines, {n: np.array(v) for n, v in values.items()})
    if expected.error is not None:
        return None
    tensors = {n: ac.Tensor(array(v), requires_grad=n != "c0") for n, v in values.items()}
    outcome = run(lines, tensors)
    if outcome.error is not None:
        return outcome.error
    for name in names_in(outcome.bound):
        found = outcome.bound[name]
        found = backend.asnumpy(found.data) if isinstance(found, ac.Tensor) else found
        if np.shape(found) != np.shape(expected.bound[name]):
            return f"{name} has shape {np.shape(found)}"
        if not np.allclose(found, expected.bound[name], 1e-12, 1e-12, equal_nan=True):
            return f"{name} is {found.tolist()} and not {expected.bound[name].tolist()}"
    try:
        return gradient_fault(lines, values, tensors, total(outcome.bound))
    except AutogradError as error:
        return error


def gradient_fault(lines, values, tensors, number):
    if isinstance(number, ac.Tensor) and number.node is not None:
        number.backward()
    rng = np.random.default_rng(0)
    directions = {n: rng.uniform(-1, 1, np.shape(v)) for n, v in values.items() if n != "c0"}
    found = sum(
        np.vdot(backend.asnumpy(tensors[n].grad.data), d)
        for n, d in directions.items()
        if tensors[n].grad is not None
    )
    expected, apart = slope(lines, values, directions)
    size = max(1.0, abs(expected), abs(total(run(lines, values_of(values)).bound)))
    if apart > 1e-6 * size or not np.isfinite([expected, size]).all():
        return UNJUDGED
    if not abs(found - expected) < 1e-6 * size:
        return f"the slope is {found} and not {expected}"
    return None


def values_of(values):
    return {n: np.array(v) for n, v in values.items()}


class OnTensors(Programs):
    """Runs every program on Tensors, and counts those that end in an error that NumPy lacks."""

    array = staticmethod(np.array)

    def check(self):
        type(self).ran += 1
        wrong = fault(self.lines, self.values, self.array)
        type(self).judged += wrong is not UNJUDGED
        if isinstance(wrong, Exception):
            self.errors.append((type(wrong).__name__, str(wrong), list(self.lines)))
        elif isinstance(wrong, str):

            def fails(lines):
                again = fault(lines, self.values, self.array)
                return isinstance(again, str)

            lines = shortest(self.lines, fails)
            raise Wrong("\n".join([fault(lines, self.values, self.array), *lines]))


class OnTheStandIn(OnTensors):
    """The same on the stand-in for a device, which lays results out as NumPy does."""

    repeats = False
    array = staticmethod(lambda values: fake_device.asarray(np.array(values)))


def run_programs(machine, count):
    machine.ran, machine.judged, machine.errors = 0, 0, []
    quick = settings(
        max_examples=count, stateful_step_count=16, phases=[Phase.generate], deadline=None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of division by 0, where NumPy warns too
        run_state_machine_as_test(machine, settings=quick)
    assert machine.ran >= count // 2
    print(f"{machine.ran} programs, {machine.judged} judged, {len(machine.errors)} errors")
    slack = 2 * np.sqrt(0.02 * machine.ran) if machine.ran < 5000 else 0  # a sample is one
    assert len(machine.errors) <= 0.02 * machine.ran + slack, machine.errors[:5]


def test_programs_of_views_and_writes():
    run_programs(OnTensors, COUNT)
    assert OnTensors.judged > 0.9 * OnTensors.ran


def test_programs_of_views_and_writes_on_a_device(monkeypatch):
    backend.install(fake_device)
    fake_device.shuffle_strides(None)
    try:
        run_programs(OnTheStandIn, COUNT)
    finally:
        fake_device.shuffle_strides(0)
        backend.install(None)


class BesideTorch(Programs):
    """Values and gradients beside torch's, where torch runs the program and computes what NumPy
    does: it writes to overlapping memory in no order, and saves what a program overwrites."""

    torch = True
    repeats = False  # torch gives the gradient of an element that is named twice to both values

    def check(self):
        type(self).ran += 1
        import torch

        lines = [
            line.replace(".copy()", ".clone()").replace("np.", "torch.") for line in self.lines
        ]
        theirs = {n: torch.tensor(v, requires_grad=n != "c0") for n, v in self.values.items()}
        outcome = run(lines, theirs, {"torch": torch})
        if outcome.error is not None:
            return
        for name, found in outcome.bound.items():
            if not np.allclose(found.detach().numpy(), self.bound[name], equal_nan=True):
                return
        number = total(outcome.bound, lambda v: (v * v).sum() * 0.5 + v.sum())
        try:
            number.backward()
        except RuntimeError:
            return
        ours = {n: ac.Tensor(np.array(v), requires_grad=n != "c0") for n, v in self.values.items()}
        mine = run(self.lines, ours)
        assert mine.error is None, (mine.error, self.lines)
        total(mine.bound).backward()
        for name in ("x0", "x1"):
            expected = theirs[name].grad
            expected = np.zeros(ours[name].shape) if expected is None else expected.numpy()
            grad = ours[name].grad
            found = np.zeros(ours[name].shape) if grad is None else grad.data
            np.testing.assert_allclose(
                found, expected, rtol=1e-9, atol=1e-9, err_msg="\n".join(self.lines)
            )
        type(self).compared += 1


@pytest.mark.oracle
def test_programs_beside_torch():
    pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    BesideTorch.compared = 0
    run_programs(BesideTorch, COUNT)
    assert BesideTorch.compared > COUNT // 4


# ---- by hand -------------------------------------------------------------------------------------


def leaf(values, device=None):
    array = np.asarray(values, dtype=float)
    return ac.Tensor(array if device is None else device.array(array), requires_grad=True)


def through_a_view(u):
    v = u[1:-1]
    v += 1
    return u


def seen_by_a_view(u):
    v = u[1:]
    u += 1
    return v


def an_element_of_a_row(u):
    u = u.reshape(2, 2)
    u[1][0] += 5
    return u


def a_row_of_another_shape(u):
    u.reshape(2, 2)[0] *= u[2:]
    return u


def views_of_views(u):
    w = u.reshape(2, 2).T[::-1]
    w[0, 1] = u[0] * u[1]
    w[1:] /= 2.0
    return u


def a_base_whose_name_is_gone(u):
    v, w = u[:3], u[1:]
    del u
    v *= 2.0
    return v[1] * w


def overlapping(u):
    u[1:] += u[:-1]
    u[:-1] = u[1:]
    return u


def numbers_are_values(u):
    s, t = u[0], u.sum()
    same = s
    s += 1
    t *= 2
    return u * s * t * same


def rows(u):
    for row in u.reshape(2, 2):
        row += row[::-1] * row
    return u


def swapped(u):
    u[[0, 1]] = u[[1, 0]]
    u[[2, 2]] = u[:2]  # the last one stands
    return u


def computed_into(u):
    np.multiply(u, u, out=u[::-1])
    np.sum(u.reshape(2, 2), axis=0, out=u[:2])
    return u


def at_places(u):
    np.add.at(u, [0, 0, 1], u[1:])
    np.multiply.at(u, [0, 3, 0], 2.0)
    return u


def parts_of_complex_numbers(u):
    z = u + 1j * u[::-1]
    z.real[1:] *= 2.0
    z.imag = z.real
    return z.imag * z.real


def by_methods(u):
    v = u[:2]
    v.fill(2.5)
    u.put([3], u[1] * 2)
    u[2:].sort()
    return u


def moved_parts(u):
    a, b = np.split(u.reshape(2, 2), 2)
    a -= b
    np.moveaxis(u.reshape(2, 2, 1), 0, -1)[0, 0] *= 3.0
    np.expand_dims(u, 0)[0, 1:] += 1.0
    return u


PROGRAMS = [
    through_a_view,
    seen_by_a_view,
    an_element_of_a_row,
    a_row_of_another_shape,
    views_of_views,
    a_base_whose_name_is_gone,
    overlapping,
    numbers_are_values,
    rows,
    swapped,
    computed_into,
    at_places,
    parts_of_complex_numbers,
    by_methods,
    moved_parts,
]
U = np.array([1.0, 2.0, 3.5, 0.5])


def by_differences(program):
    def number(x):
        return (program(x.copy()) ** 2).sum()

    step = 1e-6 * np.eye(4)
    return np.array([(number(U + h) - number(U - h)) / 2e-6 for h in step])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_is_numpys(program, device):
    if device.name != "cpu" and program is swapped:
        pytest.skip("a device refuses an index that names an element twice")
    x = leaf(U, device)
    y = program(x.copy())
    np.testing.assert_allclose(device.numpy(y), program(U.copy()), rtol=1e-14)
    (y * y).sum().backward()
    np.testing.assert_allclose(device.numpy(x.grad), by_differences(program), rtol=1e-7, atol=1e-8)
    np.testing.assert_array_equal(device.numpy(x), U)


def test_an_untracked_write_goes_into_the_memory(device):
    array = device.array(U)
    x = ac.Tensor(array)
    y, v = x, x[1:]
    x += 1
    v *= 2
    assert y is x
    np.testing.assert_array_equal(device.numpy(ac.Tensor(array)), [2.0, 6.0, 9.0, 3.0])
    np.testing.assert_array_equal(device.numpy(x), device.numpy(ac.Tensor(array)))


def test_a_leaf_is_written_under_no_grad_and_stays_it(device):
    w = leaf([1.0, 2.0], device)
    (w * w).sum().backward()
    memory = w.data
    w.data -= 0.1 * w.grad
    with ac.no_grad():
        w -= 0.1 * w.grad
        w[1:] += 1.0
    assert w.is_leaf
    assert w.data is memory
    np.testing.assert_allclose(device.numpy(w), [0.6, 2.2])
    b = leaf(2.0, device)
    with ac.no_grad():
        b -= 0.5
    assert (b.item(), b.is_leaf) == (1.5, True)


def under_no_grad(x):
    with ac.no_grad():
        return (x * 1.0)[1:]


REFUSED = {
    "a leaf": (lambda x: x.__iadd__(1.0), ac.GraphError, "no_grad.*copy"),
    "a view of a leaf": (lambda x: x[1:].__imul__(2.0), ac.GraphError, "view.*no_grad.*copy"),
    "out= of a leaf": (lambda x: np.sin(x, out=x), ac.GraphError, "np.sin.*leaf"),
    "growing": (lambda x: (x * 1.0).__iadd__(np.ones((2, 4))), ac.ShapeError, r"\(4,\).*\(2, 4\)"),
    "a part of a complex number": (lambda x: (x * 1.0).__iadd__(1j), ac.DTypeError, "same_kind"),
    "an integer": (lambda x: ac.Tensor([1]).__iadd__(x[:1]), ac.DTypeError, "same_kind"),
    "of integers": (lambda x: ac.Tensor([1]).__itruediv__(2), ac.DTypeError, "same_kind"),
    "a diagonal": (lambda x: np.diagonal((x * 1.0).reshape(2, 2)).__iadd__(1.0), ValueError,
                   "diagonal is read-only.*copy"),
    "what was repeated": (lambda x: np.broadcast_to(x * 1.0, (2, 4)).__iadd__(1.0), ValueError,
                          "read-only.*copy"),
    "windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x * 1.0, 2).__iadd__(1.0),
                ValueError, "read-only.*copy"),
    "a view made under no_grad": (lambda x: ac.Tensor(U)[1:].__iadd__(1.0) is None or
                                  under_no_grad(x).__iadd__(x[1:]), ac.GraphError, "no_grad"),
    "a number as out=": (lambda x: np.sin(x[0], out=x[1]), TypeError, "number"),
    "where= without out=": (lambda x: np.sqrt(x, where=x.data > 1), ac.NotDifferentiableError,
                            "out="),
    "an array as out=": (lambda x: np.sin(x, out=np.zeros(4)), ac.NotDifferentiableError,
                         "zeros_like"),
    "array += tensor": (lambda x: np.zeros(4).__iadd__(x), ac.NotDifferentiableError, "zeros_like"),
    "a gradient of a part": (lambda x: setattr(_shared_view(), "requires_grad", True),
                             ac.GraphError, "copy"),
}  # fmt: skip
KEPT = []


def _shared_view():
    KEPT[:] = [ac.Tensor(U.copy())]
    return KEPT[0][1:]


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_has_no_write_for_or_would_lose_a_gradient_is_refused(name):
    attempt, error, text = REFUSED[name]
    x = leaf(U)
    with pytest.raises(error, match=text):
        attempt(x)
    np.testing.assert_array_equal(x.data, U)


def test_no_write_overtakes_what_a_graph_needs(device):
    x = leaf(U, device)
    h = x * 1.0
    y = (h * h).sum()
    h += 5.0  # functional: the graph keeps the old array
    y.backward()
    np.testing.assert_allclose(device.numpy(x.grad), 2 * U)
    w = ac.Tensor(device.array(U))
    y = (x * w).sum()
    w += 1.0  # in memory
    with pytest.raises(ac.StaleArrayError):
        y.backward()


def test_a_function_may_write_into_its_own_argument(device):
    def f(x):
        x += 1.0
        x[1:] *= x[:-1]
        return (x * x).sum()

    given = device.array(U)
    expected = by_differences(lambda x: (x.__iadd__(1.0), x[1:].__imul__(x[:-1]), x)[2])
    found = ac.grad(f)(given)
    np.testing.assert_allclose(device.numpy(found), expected, rtol=1e-7)
    _, pull = ac.vjp(f, given)
    np.testing.assert_allclose(device.numpy(pull(device.array(1.0))[0]), expected, rtol=1e-7)
    np.testing.assert_allclose(device.numpy(ac.jacobian(f)(given)), expected, rtol=1e-7)
    _, tangent = ac.jvp(f, (given,), (device.array(np.ones(4)),))
    np.testing.assert_allclose(device.numpy(tangent), expected.sum(), rtol=1e-7)
    np.testing.assert_array_equal(device.numpy(given), U)

    def with_no_grad(x):
        with ac.no_grad():
            x += 1.0
        return (x * x).sum()

    np.testing.assert_allclose(device.numpy(ac.grad(with_no_grad)(given)), 2 * (U + 1))
    np.testing.assert_array_equal(device.numpy(given), U)
    assert ac.grad(lambda s: s.__iadd__(1.0) ** 2)(3.0) == 8


def test_a_hook_may_write_into_what_it_is_given():
    x = leaf([1.0, 2.0, 3.0])
    h = x * 2.0
    seen = []

    def clip(g):
        seen.append(g.data)
        g[g > 2.0] = 2.0
        g *= 10.0

    h.register_hook(clip)
    k = h + 0.0  # hands the same array on
    (k * np.array([1.0, 5.0, 1.0])).sum().backward()
    assert seen[0].tolist() == [1.0, 5.0, 1.0]
    assert x.grad.tolist() == [20.0, 40.0, 20.0]


def test_a_tracked_write_in_a_hook_changes_nothing_of_the_pass():
    x = leaf([1.0, 2.0])
    h = x * x
    y = h * h
    y.register_hook(lambda g: h.__setitem__(0, 5.0))
    y.sum().backward()
    np.testing.assert_allclose(x.grad.data, 4 * x.data**3)
    assert h.tolist is not None
    assert h.detach().tolist() == [5.0, 4.0]


def test_a_write_in_another_thread():
    x = leaf(U)
    u = x * 1.0
    v = u[1:]
    thread = threading.Thread(target=lambda: u.__imul__(3.0))
    thread.start()
    thread.join()
    (v * v).sum().backward()
    np.testing.assert_allclose(x.grad.data, [0.0, *18 * U[1:]])


def test_a_view_of_a_view_of_a_view():
    x = leaf(U)
    u = x * 1.0
    v = u
    for _ in range(10_000):
        v = v[...]
    v += 1.0
    v[0] = 3.0
    u *= 2.0
    np.testing.assert_array_equal(v.detach().numpy(), [6.0, *2 * (U[1:] + 1)])
    (v * v).sum().backward()
    np.testing.assert_allclose(x.grad.data, [0.0, *8 * (U[1:] + 1)])


def test_views_do_not_keep_what_nobody_sees():
    x = leaf(np.ones(10))
    u = x * 1.0
    for i in range(100):
        u[i % 10 :]
    assert len(u._memory.tensors) < 20
    died = weakref.ref(u.data)
    v = u[1:]
    u += 1.0
    assert died() is None
    assert v._memory.base is u._memory


def test_what_was_moved_or_rebound_shares_no_memory_any_more():
    u = leaf(U) * 1.0
    v, w = u[1:], u.to("cpu")
    assert w is u
    u.data = np.zeros(4)
    v += 1.0
    assert u.detach().tolist() == [0.0] * 4
    np.testing.assert_array_equal(v.detach().numpy(), U[1:] + 1)


def test_a_copy_of_a_view_is_a_copy():
    """As NumPy has it; of a leaf the copy is a leaf."""
    w = leaf(U)
    assert copy.copy(w).is_leaf
    assert copy.copy(w).data is not w.data
    u = ac.Tensor(U.copy())
    v = u[1:]
    for same in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v)), v.copy()):
        same += 1.0
    np.testing.assert_array_equal(u.numpy(), U)
    with pytest.raises(ac.GraphError, match="detach"):
        copy.copy((leaf(U) * 1.0)[1:])


def test_a_gradient_that_was_asked_for_follows_a_write():
    x = leaf([1.0, 2.0])
    h = x * 2.0
    h.retain_grad()
    h += 1.0
    (h * h).sum().backward()
    assert h.grad.tolist() == [6.0, 10.0]


def test_a_checkpoint_whose_argument_is_overwritten_is_refused():
    x, b = leaf(U), ac.Tensor(np.ones(4))

    def f(x, b):
        b += 1.0
        return x * b

    with pytest.raises(ac.GraphError, match=r"wrote into .*argument\[0\]\[1\].*copy"):
        ac.checkpoint(f)(x, b)

    def g(x):
        y = x * x
        y[1:] *= y[:-1]
        y += 1.0
        return y

    ac.checkpoint(g)(x).sum().backward()
    found, x.grad = x.grad, None
    g(x).sum().backward()
    np.testing.assert_array_equal(found.data, x.grad.data)


def test_an_array_without_axes_is_memory(device):
    x = leaf(2.0, device)
    u = ac.Tensor(device.array(np.array(0.0)))
    v = u[...]
    u[...] = x * 3.0
    v += 1.0
    u[()] += v
    u[()] = v
    assert (u.item(), v.item()) == (14.0, 14.0)
    u.backward()
    assert device.numpy(x.grad) == 6.0


def test_writes_keep_the_layout():
    """Else reshape would make a view where NumPy copies, and the other way round."""
    for array in (np.ones((3, 4), order="F"), np.ones((3, 8))[:, ::2], np.ones((3, 4))[::-1].T):
        y = ac.Tensor(array)
        y[0] = leaf(2.0)
        assert y.data.strides == array.strides
        y += np.ones(array.shape)
        assert y.data.strides == array.strides


# ---- methods of ufuncs ---------------------------------------------------------------------------

# not power and arctan2: NumPy 2.4 reduces them with vector instructions, and then takes the first
# and the last element only
REDUCIBLE = ["add", "multiply", "maximum", "minimum", "logaddexp", "logaddexp2", "hypot", "fmax",
             "fmin", "subtract", "divide"]  # fmt: skip
M = np.array([[1.5, 0.5, 2.0], [1.25, 3.0, 0.75]])


def agrees(f, x, device):
    """NumPy's value, and a gradient that differences confirm."""
    t = leaf(x, device)
    out = f(t)
    np.testing.assert_allclose(device.numpy(out), f(x), rtol=1e-14)
    weights = np.cos(np.arange(np.size(f(x))).reshape(np.shape(f(x))))
    out.backward(device.array(weights))
    found = device.numpy(t.grad)
    for place in np.ndindex(x.shape):
        h = np.zeros(x.shape)
        h[place] = 1e-6
        expected = (weights * (f(x + h) - f(x - h))).sum() / 2e-6
        np.testing.assert_allclose(found[place], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", REDUCIBLE)
def test_the_methods_of_a_ufunc(name, there):
    ufunc = getattr(np, name)
    agrees(lambda x: ufunc.reduce(x), M, there)
    agrees(lambda x: ufunc.reduce(x, axis=1, keepdims=True), M, there)
    agrees(lambda x: ufunc.reduce(x, axis=-1, initial=1.5), M, there)
    agrees(lambda x: ufunc.accumulate(x, axis=1), M, there)
    agrees(lambda x: ufunc.outer(x, x[0]), M, there)
    agrees(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1), M, there)


@pytest.mark.parametrize("name", REDUCIBLE)
def test_a_reduction_of_what_is_chosen(name):
    ufunc, mask = getattr(np, name), M > 0.6
    agrees(lambda x: ufunc.reduce(x, axis=1, where=mask, initial=2.25), M, Host())


def test_a_reduction_over_all_axes_and_in_another_dtype(there):
    agrees(lambda x: np.logaddexp.reduce(x, axis=None), M, there)
    agrees(lambda x: np.hypot.reduce(x, axis=(0, 1)), M, there)
    assert np.add.reduce(leaf(M, there), dtype="f4").dtype == "f4"
    assert np.add(leaf(M, there), 1.0, dtype="f4").dtype == "f4"
    with pytest.raises(ac.ShapeError, match="not reorderable"):
        np.subtract.reduce(leaf(M, there), axis=None)
    with pytest.raises(ac.ShapeError, match=r"zero-size|identity"):
        np.maximum.reduce(leaf(np.ones((0, 2)), there))
    assert (
        np.logaddexp.reduce(leaf(np.ones((0, 2)), there)).detach().cpu().tolist() == [-np.inf] * 2
    )


def test_a_mask_leaves_the_rest_alone(there):
    """Nothing is computed where it does not hold: the root of 0 has no finite slope."""
    x, out = leaf([4.0, 0.0, 9.0], there), ac.zeros(3)
    mask = ac.Tensor(there.array(np.array([True, False, True])))
    assert np.sqrt(x, out=out, where=mask) is out
    assert out.detach().cpu().tolist() == [2.0, 0.0, 3.0]
    out.sum().backward()
    np.testing.assert_allclose(there.numpy(x.grad), [0.25, 0.0, 1 / 6])


@pytest.mark.parametrize("dtypes", [("f8", "f4"), ("f4", "f8")], ids=["narrower", "wider"])
@pytest.mark.parametrize("name", ["sum", "mean", "std", "cumsum", "nansum", "add.reduce"])
def test_a_result_is_computed_as_precisely_as_numpy_does_it(name, dtypes):
    function, (given, wanted) = operator.attrgetter(name)(np), dtypes
    values = np.full((10_000, 1), 0.1, given)
    expected = function(values, axis=0, out=np.zeros(np.shape(function(values, axis=0)), wanted))
    out = ac.Tensor(np.zeros_like(expected))
    assert function(ac.Tensor(values), axis=0, out=out) is out
    np.testing.assert_array_equal(out.data, expected)


# ---- windows, scalars, threads, casts -----------------------------------------------------------


def test_windows_follow_their_base(there):
    x = leaf(U, there)
    u = x * 1.0
    windows = np.lib.stride_tricks.sliding_window_view(u, 2)
    u *= 2.0
    np.testing.assert_array_equal(there.numpy(windows)[:, 0], 2 * U[:-1])
    windows.sum().backward()
    np.testing.assert_array_equal(there.numpy(x.grad), [2.0, 4.0, 4.0, 2.0])


def test_scalars_of_numpys_are_values():
    x = ac.Tensor(U.copy())
    for s in (
        *getattr(np, "unstack", ac.unstack)(x),
        np.interp(0.5, [0.0, 1, 2, 3], x),
        np.imag(x[0]),
    ):
        same = s
        s += 1.0
        assert same is not s
    np.testing.assert_array_equal(x.numpy(), U)


@pytest.mark.parametrize(
    "ufunc", [np.multiply, np.divide, np.add], ids=lambda ufunc: ufunc.__name__
)
def test_places_are_computed_from_values_as_they_were(ufunc):
    def program(x):
        ufunc.at(x, [1, 1, 0], x[:3])
        return x

    np.testing.assert_allclose(program(leaf(U) * 1.0).data, program(U.copy()), rtol=1e-14)


def test_no_write_in_a_thread_is_lost():
    x = leaf(np.zeros(4)) * 1.0
    views = [x[i : i + 1] for i in range(4)]

    def write(view):
        for _ in range(500):
            view += 1.0

    threads = [threading.Thread(target=write, args=(view,)) for view in views]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert x.detach().tolist() == [500.0] * 4


def test_a_pullback_keeps_what_it_was_made_of():
    a = U.copy()
    value, pull = ac.vjp(np.square, a)
    _, push = ac.linearize(np.exp, a)
    a[:] = 0.0
    value *= 0.0
    np.testing.assert_allclose(pull(np.ones(4))[0], 2 * U)
    np.testing.assert_allclose(push(np.ones(4)), np.exp(U))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_casts_that_numpy_refuses_are_refused():
    x = ac.Tensor([1, 2])
    for write in (
        lambda: np.put(x, [0], 1 + 2j),
        lambda: np.place(x, np.ones(2, bool), np.array([1.5])),
        lambda: np.putmask(x, np.ones(2, bool), np.array([1.5])),
    ):
        with pytest.raises(ac.DTypeError, match="int64"):
            write()
    assert np.add.reduce(x, initial=2.5) == np.add.reduce([1, 2], initial=2.5) == 5
    for reduce, values, initial in ((np.max, np.int8([1]), 300), (np.sum, np.float32([1]), 1j)):
        with pytest.raises((OverflowError, TypeError)) as numpys:
            reduce(values, initial=initial)
        with pytest.raises(numpys.type):
            reduce(ac.Tensor(values), initial=initial)
    with pytest.raises(TypeError, match="matrix"):
        np.matrix(np.eye(2)) * ac.Tensor(np.eye(2))
    array = np.eye(2)
    array @= ac.Tensor(np.full((2, 2), 2.0))
    assert array.tolist() == [[2.0, 2.0], [2.0, 2.0]]
