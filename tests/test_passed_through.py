"""Functions of SciPy that have no gradient: the modules pass them through."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats

import autograd_core as ac
from autograd_core.errors import NotDifferentiableError
from autograd_core.scipy import linalg, signal, special, stats

DISTRIBUTIONS = [name for name in stats.__all__ if name != "support"]
MODULES = [
    "integrate",
    "special",
    "linalg",
    "signal",
    "stats",
    *(f"stats.{name}" for name in DISTRIBUTIONS),
]
M = np.array([[2.0, 1.0], [0.0, 3.0]])
CALLS = {
    "stats.norm.ppf": ([0.1, 0.9], 1.0, 2.0),
    "stats.norm.isf": (np.array([0.1, 0.9]),),
    "stats.t.ppf": (0.2, 3.0),
    "stats.beta.mean": (2.0, 3.0),
    "stats.gamma.ppf": (0.2, 3.0),
    "stats.chi2.isf": (0.2, 3.0),
    "stats.poisson.ppf": (0.2, 3.0),
    "stats.dirichlet.rvs": ([1.0, 2.0], 2, 0),
    "stats.dirichlet.mean": ([1.0, 2.0],),
    "stats.multivariate_normal.cdf": (np.zeros(1), np.ones(1), np.eye(1)),
    "stats.skew": (np.array([1.0, 2.0, 5.0]),),
    "linalg.block_diag": (M, [[1.0]]),
    "linalg.solve": (M, np.ones(2)),
    "linalg.lu": (M,),
    "signal.fftconvolve": ([1.0, 2.0], [3.0, 4.0]),
    "signal.windows.hann": (4,),
    "special.struve": (1.0, np.array([0.5, 1.0])),
    "special.binom": (5, 2),
}


def attribute(module, path):
    for part in path.split("."):
        module = getattr(module, part)
    return module


def ours(path):
    home, _, rest = path.partition(".")
    return attribute(
        {"stats": stats, "linalg": linalg, "signal": signal, "special": special}[home], rest
    )


@pytest.mark.parametrize("path", CALLS)
def test_arrays_go_to_scipys_function(path):
    found, expected = ours(path)(*CALLS[path]), attribute(scipy, path)(*CALLS[path])
    assert type(found) is type(expected)
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def test_random_samples_are_scipys():
    found, expected = (m.norm.rvs(1.0, 2.0, (2, 3), random_state=0) for m in (stats, scipy.stats))
    np.testing.assert_array_equal(found, expected)


REFUSED = {
    "stats.norm.ppf": lambda x: stats.norm.ppf(x),
    "stats.norm.rvs": lambda x: stats.norm.rvs(scale=x),
    "stats.dirichlet.mean": lambda x: stats.dirichlet.mean(x),
    "stats.skew": lambda x: stats.skew(x),
    "linalg.block_diag": lambda x: linalg.block_diag(np.eye(2), x),
    "special.struve": lambda x: special.struve(1.0, x),
    "signal.lfilter": lambda x: signal.lfilter([1.0], [1.0, 0.5], x),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_tracked_tensor_is_refused(path):
    with pytest.raises(NotDifferentiableError, match=rf"scipy\.{path} has no gradient.*detach\(\)"):
        REFUSED[path](ac.Tensor([0.25, 0.5], requires_grad=True))
    REFUSED[path](ac.Tensor([0.25, 0.5]))


@pytest.mark.parametrize("name", ["det", "solve", "inv"])
def test_the_function_that_has_a_gradient_is_named(name):
    x = ac.Tensor(M, requires_grad=True)
    with pytest.raises(NotDifferentiableError, match=rf"Use autograd_core\.linalg\.{name}"):
        getattr(linalg, name)(x, *([np.ones(2)] if name == "solve" else []))


def test_another_distribution_lets_no_tensor_leave_silently():
    x = ac.Tensor([0.25, 0.5], requires_grad=True)
    with pytest.raises(ac.AutogradError):
        stats.lognorm.pdf(x, 1.0)
    assert stats.lognorm.pdf(0.5, 1.0) == scipy.stats.lognorm.pdf(0.5, 1.0)


def test_an_untracked_tensor_gives_tensors():
    found = stats.norm.ppf(ac.Tensor([0.25, 0.5]))
    assert isinstance(found, ac.Tensor)
    np.testing.assert_array_equal(found, scipy.stats.norm.ppf([0.25, 0.5]))
    factors = linalg.lu(ac.Tensor(M))
    assert [type(x) for x in factors] == [ac.Tensor] * 3


def test_values_and_classes_are_scipys():
    assert linalg.LinAlgWarning is scipy.linalg.LinAlgWarning
    assert signal.windows is scipy.signal.windows
    assert stats.uniform is scipy.stats.uniform
    assert stats.norm.ppf is stats.norm.ppf
    assert stats.norm.ppf.__name__ == "ppf"


@pytest.mark.parametrize("path", MODULES)
def test_a_name_that_scipy_does_not_have_is_an_attribute_error(path):
    module = importlib.import_module(f"autograd_core.scipy.{path}")
    with pytest.raises(AttributeError, match=rf"scipy\.{path} has no 'unheard_of'"):
        module.unheard_of  # noqa: B018
    assert not hasattr(module, "_private")


@pytest.mark.parametrize("path", MODULES)
def test_no_import_of_a_module_hides_a_function_of_scipy(path):
    """A function of SciPy that is not in __all__ is SciPy's, not one of the names that the module
    imports for itself."""
    module = importlib.import_module(f"autograd_core.scipy.{path}")
    theirs = attribute(scipy, path)
    public = {name for name in dir(theirs) if not name.startswith("_")}
    hidden = (public & vars(module).keys()) - {*module.__all__} - {"LinAlgError"}
    assert not hidden


def test_scipys_distributions_are_imported_when_they_are_used():
    code = (
        "import sys; from autograd_core.scipy import stats;"
        "assert 'scipy.stats' not in sys.modules;"
        "print(round(stats.norm.ppf(0.5), 3)); assert 'scipy.stats' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.0"
