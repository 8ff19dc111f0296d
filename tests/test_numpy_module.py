"""`autograd_core.numpy` in place of NumPy: its names, imports, Tensors in containers, r_ and c_."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import autograd_core as ac
import autograd_core.numpy as anp
from autograd_core.testing import check_gradients

X, Y = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.5, 2.5])


def tracked(value=X, dtype=None):
    return ac.Tensor(np.array(value, dtype), requires_grad=True)


@pytest.mark.parametrize("place", ["", "linalg", "fft", "random", "testing", "ma", "polynomial"])
def test_every_name_exists(place):
    theirs, ours = (getattr(m, place) if place else m for m in (np, anp))
    own = {"__path__"} if place else set()  # linalg and fft are modules here, packages there
    assert [n for n in dir(theirs) if n not in own and not hasattr(ours, n)] == []
    assert anp.__version__ == np.__version__


IMPORTS = """
import autograd_core.numpy as np
import autograd_core.numpy.linalg as la, autograd_core.numpy.fft as fft
import autograd_core.numpy.random as npr, autograd_core.numpy.polynomial.polynomial as series
import numpy
from autograd_core.numpy.linalg import LinAlgError, expm, inv
from autograd_core.numpy import *
from autograd_core.numpy.testing import assert_allclose
assert la is np.linalg and fft is np.fft and npr is numpy.random
assert series is numpy.polynomial.polynomial and LinAlgError is numpy.linalg.LinAlgError
assert inv is la.inv and sum is np.sum and np.sin is np.sin and isinstance(inv, type(sum))
assert type(fft.fftfreq(4)) is numpy.ndarray and np.float64 is numpy.float64
assert type(expm(numpy.eye(2))) is numpy.ndarray
"""


def test_the_ways_to_import():
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_that_numpy_does_not_have():
    for module in (anp, anp.linalg, anp.fft):
        with pytest.raises(AttributeError, match="nothing"):
            module.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["sin", "sum", "zeros", "linalg.inv", "fft.fft"])
def test_a_function_can_be_pickled_in_another_process(name):
    function = anp
    for part in name.split("."):
        function = getattr(function, part)
    stored = pickle.dumps(function)
    assert pickle.loads(stored) is function
    program = f"import pickle; print(pickle.loads({stored!r}).__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == name.rpartition(".")[2], done.stderr


def test_what_a_ufunc_has():
    assert (anp.add.nin, anp.add.nout, anp.add.identity) == (2, 1, 0)
    assert anp.add.reduce([1, 2, 3]) == 6
    x = tracked()
    anp.multiply.reduce(x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6, 3, 2])
    np.testing.assert_array_equal(anp.add.outer(X, Y), np.add.outer(X, Y))
    a, b = tracked(1.0), tracked(2.0)
    anp.multiply.reduce([a, b, 3.0]).backward()
    assert (a.grad.item(), b.grad.item()) == (6, 3)
    assert anp.add.outer([a, b], [1.0, 2.0]).shape == (2, 2)
    into = np.zeros(3)
    anp.add.at(into, [0, 0], 1.0)
    np.testing.assert_array_equal(into, [2, 0, 0])


def test_a_tensor_in_a_container():
    x, y = tracked(1.0), tracked(2.0)
    assert anp.stack(([x, y][0], y)).requires_grad
    assert anp.concatenate(arrays=[x[None], y[None]]).requires_grad
    assert anp.hstack(tup=(x, y)).requires_grad
    assert anp.array([[x, y], [y, 1.0]]).requires_grad
    assert anp.array([1, 2], like=x).device == x.device
    assert type(anp.where(X > 1, X, Y)) is np.ndarray


def test_a_subclass_of_tensor_is_a_tensor():
    class Weight(ac.Tensor):
        pass

    assert anp.sum(Weight(X, True), axis=0).requires_grad


def test_out_and_where():
    x, t = tracked(), ac.Tensor(np.zeros(3))
    assert anp.exp(x, out=t) is t
    assert anp.exp(x, t) is t
    t.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp(X))
    into = ac.Tensor(np.zeros(3))
    anp.add(x, 1.0, out=into, where=X > 1)
    np.testing.assert_array_equal(into.detach().numpy(), [0, 3, 4])


WRONG = {
    "too many": (lambda x: anp.trapezoid(x, None, 1.0, -1, 7), "4 arguments, not 5"),
    "twice": (lambda x: anp.tile(x, 2, reps=2), "two values for .*'reps'"),
    "twice, under one name": (lambda x: anp.sum(x, 0, axis=0), "multiple values"),
    "of another library": (lambda x: anp.sum(x, dim=0), "name for it is axis="),
}


@pytest.mark.parametrize(("call", "text"), WRONG.values(), ids=WRONG)
def test_arguments_that_numpy_does_not_take(call, text):
    with pytest.raises(TypeError, match=text):
        call(tracked())


@pytest.mark.parametrize(
    "kind", [np.int64, np.float64, np.float32, np.float16, np.complex128, np.bool_, np.longdouble]
)
@pytest.mark.parametrize("value", [2.0, [2.0], [2.0, 3.0]])
def test_a_scalar_of_numpy_of_a_tracked_tensor_is_refused(kind, value):
    for x in (tracked(value), tracked(value) * 2):
        with pytest.raises(ac.GraphError, match="silently"):
            kind(x)
    assert getattr(anp, kind.__name__) is kind
    assert kind(ac.Tensor(2.0)) == kind(2.0)


# ---- r_ and c_ ----------------------------------------------------------------------------------

BRACKETS = {
    "numbers and vectors": lambda m, x, y: m.r_[x, 1.0, 2, y],
    "a range": lambda m, x, y: m.r_[x, 1:4, 0:1:3j],
    "one": lambda m, x, y: m.r_[x],
    "a list": lambda m, x, y: m.r_[[1, 2], x],
    "columns": lambda m, x, y: m.c_[x, y],
    "a matrix and a column": lambda m, x, y: m.c_[m.outer(x, y), x],
    "a column and a range": lambda m, x, y: m.c_[y, 0:3],
}


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8"])
@pytest.mark.parametrize("brackets", BRACKETS.values(), ids=BRACKETS)
def test_brackets(brackets, dtype):
    x, y = X.astype(dtype), Y.astype("f4" if dtype == "f4" else "f8")
    expected = brackets(np, x, y)
    plain = brackets(anp, x, y)
    assert type(plain) is np.ndarray
    np.testing.assert_array_equal(plain, expected)
    found = brackets(anp, tracked(x), ac.Tensor(y))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.detach().numpy(), expected)
    check_gradients(lambda x, y: brackets(anp, x, y), X, Y)


def test_strings_in_brackets():
    np.testing.assert_array_equal(anp.r_["0,2", X, Y], np.r_["0,2", X, Y])
    for brackets in (anp.r_, anp.c_):
        with pytest.raises(ac.NotDifferentiableError, match="concatenate"):
            brackets["r", tracked(), Y]


# ---- parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd", "nansum", "nanprod", "nanmax"])
def test_the_gradient_of_chosen_elements_that_are_not_nan(name):
    values = np.array([[1.0, np.nan, 2.5, 4.0], [0.5, 3.0, 2.0, np.nan]])
    where = np.array([[True, True, True, False], [True, True, False, True]])
    more = {"initial": -1.0} if name in ("nansum", "nanprod", "nanmax") else {}
    x, y = tracked(values), tracked(np.nan_to_num(values))
    found = getattr(anp, name)(x, axis=1, where=where, **more)
    expected = getattr(anp, name[3:])(y, axis=1, where=where & ~np.isnan(values), **more)
    np.testing.assert_allclose(found.detach(), expected.detach(), rtol=1e-14)
    (found**2).sum().backward()
    (expected**2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd", "nanmean"])
def test_the_dtype_of_a_gradient_is_that_of_its_operand(name):
    x = tracked()
    found = getattr(anp, name)(x, dtype=np.float32)
    found.backward()
    assert (found.dtype, x.grad.dtype) == (np.float32, np.float64)
    expected = ac.grad(getattr(ac, name))(X)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_joined_in_another_dtype():
    x, y = tracked(), tracked(Y)
    for found in (anp.concatenate([x, y], dtype="f4"), anp.stack([x, y], dtype="f4")):
        assert found.dtype == np.float32
        (found * found).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 4 * X, rtol=1e-6)
    np.testing.assert_allclose(y.grad.numpy(), 4 * Y, rtol=1e-6)


def test_vectorize_and_ndenumerate_loop_over_tensors():
    f = anp.vectorize(lambda x, y, power=2: x**power * y if x > 1 else y)
    x, y = np.array([0.5, 2.0, 3.0]), np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(f(x, y), np.vectorize(f.pyfunc)(x, y))
    found = ac.grad(lambda x, y: ac.sum(f(x, y)), (0, 1))(x, y)
    np.testing.assert_allclose(found[0], [0, 12, 18])
    np.testing.assert_allclose(found[1], [[14], [14]])
    two = anp.vectorize(lambda x: (x, x * x))(ac.Tensor(x, requires_grad=True))
    np.testing.assert_array_equal(two[1].detach().numpy(), x * x)
    slope = ac.grad(lambda x: sum(i * v for (i,), v in anp.ndenumerate(x)))(x)
    np.testing.assert_array_equal(slope, [0, 1, 2])
    assert list(anp.ndenumerate(x)) == list(np.ndenumerate(x))
    with pytest.raises(ac.NotDifferentiableError, match="signature"):
        anp.vectorize(np.sum, signature="(n)->()")(ac.Tensor(x, requires_grad=True))
