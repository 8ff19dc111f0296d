"""Writes that a person would make: NumPy's values, and the gradients that belong to them."""

import sys
import threading

import numpy as np
import pytest

import autograd_core as ac
from tests.leaves import U, leaf


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


def test_a_plain_array_written_by_out_is_noticed():
    """The library does this write, so a graph that keeps the array has to find out."""
    c, x = np.ones(3), ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * c
    np.add(ac.Tensor(np.ones(3)), 1, out=c)
    with pytest.raises(ac.StaleArrayError, match="saved as 'y'"):
        y.sum().backward()


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


def test_a_gradient_that_was_asked_for_follows_a_write():
    x = leaf([1.0, 2.0])
    h = x * 2.0
    h.retain_grad()
    h += 1.0
    (h * h).sum().backward()
    assert h.grad.tolist() == [6.0, 10.0]


def test_writes_keep_the_layout():
    """Else reshape would make a view where NumPy copies, and the other way round."""
    for array in (np.ones((3, 4), order="F"), np.ones((3, 8))[:, ::2], np.ones((3, 4))[::-1].T):
        y = ac.Tensor(array)
        y[0] = leaf(2.0)
        assert y.data.strides == array.strides
        y += np.ones(array.shape)
        assert y.data.strides == array.strides


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
