"""Writes that NumPy has not either, or that would lose a gradient, are refused."""

import numpy as np
import pytest

import autograd_core as ac
from tests.leaves import U, leaf


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
    "a view made under no_grad": (lambda x: ac.Tensor(U.copy())[1:].__iadd__(1.0) is None or
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
