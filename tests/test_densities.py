"""Densities: NaN, bad parameters, the ends of their support, and exact values and slopes."""

from itertools import product

import mpmath as mp
import numpy as np
import pytest

import autograd_core as ac
from autograd_core.scipy import stats
from tests.accuracy.exact_densities import EXACT

NAN = np.nan


@pytest.mark.parametrize(
    ("function", "operands"),
    [(stats.gamma.pdf, (NAN, 1.0)), (stats.gamma.logpdf, (1.0, -1.0)), (stats.t.pdf, (0.0, 0.0)),
     (stats.t.logpdf, (NAN, np.inf)), (stats.beta.pdf, (2.0, -1.0, 1.0)),
     (stats.norm.cdf, (0.0, 0.0, -1.0)), (stats.norm.logpdf, (0.0, NAN, 1.0))],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:backward")
def test_nan_and_bad_parameters_give_nan_and_nan_gradients(function, operands):
    tensors = [ac.Tensor(x, True) for x in operands]
    out = function(*tensors)
    out.backward()
    assert np.isnan([out.item(), *(t.grad.item() for t in tensors)]).all()


@pytest.mark.parametrize(("a", "slope"), [(1.0, -1), (2.0, 1), (3.0, 0), (1.5, np.inf)])
def test_slope_of_the_gamma_density_at_zero(a, slope):
    with np.errstate(divide="ignore"):
        assert ac.grad(lambda x: stats.gamma.pdf(x, a))(0.0) == slope


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize(
    ("name", "operands", "position"),
    [("t.logpdf", (1.0, 32768.0, 0.0, 1.0), 1), ("t.logpdf", (1.0, 20.0, 0.0, 1.0), 1),
     ("gamma.pdf", (32768.0, 32768.0, 0.0, 1.0), 1), ("gamma.logcdf", (1.0, 2048.0, 0.0, 1.0), 0),
     ("beta.logpdf", (0.5, 1024.0, 1024.0, 0.0, 1.0), 1),
     ("t.logcdf", (-512.0, 200.0, 0.0, 1.0), 0)],
)  # fmt: skip
def test_value_and_slope_are_exact(name, operands, position, dtype):
    owner, function = name.split(".")
    tensors = [ac.Tensor(np.array(x, dtype), i == position) for i, x in enumerate(operands)]
    out = getattr(getattr(stats, owner), function)(*tensors)
    out.backward()
    numbers = list(map(mp.mpf, operands))
    used = [(i, x) for i, x in enumerate(numbers) if x]
    with mp.workdps(60):
        value, slope = (_partial(name, numbers, [position] * n) for n in (0, 1))
        conditions = [
            sum(abs(x * _partial(name, numbers, [position] * n + [i])) for i, x in used)
            for n in (0, 1)
        ]
    limits = np.finfo(dtype)
    got = [out.item(), tensors[position].grad.item()]
    for found, exact, condition in zip(got, (value, slope), conditions, strict=True):
        allowed = 64 * float(limits.eps) * (abs(exact) + condition)
        assert abs(found - exact) <= allowed + float(limits.smallest_subnormal)


def _partial(name, numbers, places):
    """The derivative of the exact density in the operands at `places`."""
    order = tuple(places.count(i) for i in range(len(numbers)))
    return mp.diff(EXACT[name], tuple(numbers), order) if places else EXACT[name](*numbers)


def test_complex_operands_are_refused():
    with pytest.raises(TypeError, match=r"norm\.pdf: operands must be real"):
        stats.norm.pdf(np.array(1j))


@pytest.mark.filterwarnings("error")
@mp.workdps(400)
def test_logarithms_of_distributions_with_tiny_shapes():
    """log(P) near 0, where the logarithm of the density and that of their ratio would cancel. Of
    beta with shapes below 1e-12 SciPy's complement is 1 where it is 0."""
    for shape, x in product((1e-8, 1e-12, 1e-100, 1e-300), (1e-300, 1e-5, 0.2)):
        expected = mp.log(EXACT["gamma.cdf"](mp.mpf(x), mp.mpf(shape), 0, 1))
        np.testing.assert_allclose(stats.gamma.logcdf(x, shape).item(), float(expected), rtol=1e-6)
        if shape > 1e-13:
            expected = mp.log(mp.betainc(mp.mpf(shape), 2, 0, mp.mpf(x), regularized=True))
            found = stats.beta.logcdf(x, shape, 2.0).item()
            np.testing.assert_allclose(found, float(expected), rtol=1e-6)
        assert -0.7 < stats.t.logcdf(-1.0, shape).item() < -0.69
