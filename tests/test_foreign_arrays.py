"""Operations with arrays of other libraries, which handle NumPy's ufuncs themselves."""

import operator

import numpy as np
import pytest

import autograd_core as ac
import autograd_core.numpy as anp
from autograd_core.devices import backend


class Labelled:
    """An array with a label, as xarray's: it applies ufuncs to what it holds."""

    def __init__(self, data, label="x"):
        self.data, self.label = data, label
        self.shape, self.ndim, self.dtype = data.shape, data.ndim, data.dtype

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        if method != "__call__" or settings:
            return NotImplemented
        values = [x.data if isinstance(x, Labelled) else x for x in inputs]
        return Labelled(ufunc(*values), self.label)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.data, dtype)

    def __mul__(self, other):
        return np.multiply(self, other)

    def __rmul__(self, other):
        return np.multiply(other, self)

    def __radd__(self, other):
        return np.add(other, self)


class Refusing(Labelled):
    """One whose library knows nothing of Tensors."""

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        return NotImplemented


class Converting(Labelled):
    """One whose library converts all operands to plain arrays, as pandas does."""

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        return Converting(ufunc(*map(np.asarray, inputs)))


VALUES = np.array([1.0, 2.0, 3.0])
CALLS = {
    "Tensor times array": lambda x: x * Labelled(VALUES),
    "array times Tensor": lambda x: Labelled(VALUES) * x,
    "NumPy's ufunc": lambda x: np.multiply(x, Labelled(VALUES)),
    "the operation": lambda x: ac.multiply(x, Labelled(VALUES)),
    "of autograd_core.numpy": lambda x: anp.multiply(x, Labelled(VALUES)),
    "holding the Tensor": lambda x: np.add(Labelled(x * VALUES), 0.0),
    "twice": lambda x: x * Labelled(VALUES / x) * x,
    "after another operand": lambda x: ac.add(0.0 * x, Labelled(x * VALUES)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_result_is_the_other_librarys_and_keeps_the_gradient(name):
    def f(x):
        out = CALLS[name](x)
        assert isinstance(out, Labelled)
        assert out.label == "x"
        assert isinstance(out.data, ac.Tensor)
        return ac.sum(out.data)

    assert ac.grad(f)(2.0) == VALUES.sum()
    np.testing.assert_array_equal(ac.grad(f)(np.full(3, 2.0)), VALUES)


def test_a_device_array_is_not_a_foreign_one(device):
    x = ac.Tensor(device.array(VALUES), requires_grad=True)
    ac.sum(x * device.array(VALUES)).backward()
    np.testing.assert_array_equal(device.numpy(x.grad), VALUES)


@pytest.mark.parametrize("kind", [Refusing, Converting])
def test_an_array_whose_library_cannot_hold_tensors_is_converted(kind):
    x = ac.Tensor(VALUES, requires_grad=True)
    out = x * kind(VALUES)
    assert isinstance(out, ac.Tensor)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), VALUES)


def test_an_operation_that_is_no_ufunc_converts_the_array():
    x = ac.Tensor(VALUES, requires_grad=True)
    ac.dot(x, Labelled(VALUES)).backward()
    np.testing.assert_array_equal(x.grad.numpy(), VALUES)
    ac.where(x > 1, x, Labelled(VALUES)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), VALUES + np.array([0, 1, 1]))


def test_a_tensor_in_such_an_array_does_not_leave_the_graph():
    x = ac.Tensor(VALUES, requires_grad=True)
    with pytest.raises(ac.GraphError):
        ac.dot(x, Labelled(x))


@pytest.mark.oracle
@pytest.mark.parametrize(
    "f",
    [
        lambda xr, x, v: x * xr.DataArray(v),
        lambda xr, x, v: xr.DataArray(v) * x,
        lambda xr, x, v: 2.0 - xr.DataArray(v) / x,
        lambda xr, x, v: np.sin(xr.DataArray(v) * x),
        lambda xr, x, v: np.maximum(xr.DataArray(v) * x, 3.0),
        lambda xr, x, v: (xr.DataArray(v) * x) * (xr.DataArray(v) * x),
        lambda xr, x, v: x * (xr.DataArray(v) * x),
        lambda xr, x, v: xr.DataArray(x * v, dims="t") + xr.DataArray(v, dims="t"),
        lambda xr, x, v: (xr.DataArray(x * v, dims="t") ** 2).isel(t=slice(1, None)),
    ],
)
def test_xarray(f):
    xr = pytest.importorskip("xarray", reason="needs xarray: pip install -e '.[oracles]'")
    value = f(xr, 2.0, VALUES)

    def total(x):
        out = f(xr, x, VALUES)
        assert isinstance(out, xr.DataArray)
        assert out.dims == value.dims
        return ac.sum(out.data)

    found, slope = ac.value_and_grad(total)(2.0)
    assert found == pytest.approx(float(value.sum()), rel=1e-14)
    step = 1e-6
    ends = [float(f(xr, 2.0 + s * step, VALUES).sum()) for s in (1, -1)]
    assert slope == pytest.approx(operator.sub(*ends) / (2 * step), rel=1e-7)


def test_another_object_of_cupy_does_not_mean_that_a_device_is_used(monkeypatch):
    """Looking through the attributes of objects meets such objects, as in `checkpoint`."""
    monkeypatch.setattr(backend, "_module", None)
    monkeypatch.setattr(backend, "_arrays", (np.ndarray,))
    ufunc = type("ufunc", (), {"__module__": "cupy._core"})()
    assert not backend.is_array(ufunc)
    assert not backend.in_use()
