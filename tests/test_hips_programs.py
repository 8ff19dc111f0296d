"""A user of HIPS autograd changes the imports, and the code runs, with the same results."""

import re

import numpy as np
import pytest

from benchmarks import hips_programs

PROGRAMS = {
    "logistic regression": """
import autograd.numpy as np
from autograd import grad

rng = np.random.RandomState(0)
inputs, targets = rng.randn(8, 3), rng.rand(8) > 0.5

def loss(weights, bias=0.1):
    predictions = 0.5 * (np.tanh(np.dot(inputs, weights) + bias) + 1)
    likelihood = predictions * targets + (1 - predictions) * (1 - targets)
    return -np.sum(np.log(likelihood))

slope = grad(loss)
weights = np.zeros(3)
for _ in range(20):
    weights -= 0.05 * slope(weights)
result = [weights, loss(weights)]
""",
    "a network of layers in a list": """
import autograd.numpy as np
from autograd import value_and_grad
from autograd.scipy.special import logsumexp

rng = np.random.RandomState(1)
sizes = [4, 5, 3]
params = [(rng.randn(m, n), rng.randn(n)) for m, n in zip(sizes[:-1], sizes[1:])]
x, labels = rng.randn(6, 4), np.eye(3)[rng.randint(0, 3, 6)]

def objective(params):
    hidden = x
    for weight, bias in params:
        out = np.dot(hidden, weight) + bias
        hidden = np.maximum(out, 0)
    scores = out - logsumexp(out, axis=1, keepdims=True)
    return -np.mean(np.sum(scores * labels, axis=1))

value, slopes = value_and_grad(objective)(params)
result = [value] + [part for layer in slopes for part in layer]
""",
    "elementwise derivatives": """
import autograd.numpy as np
from autograd import elementwise_grad as egrad

x = np.linspace(-3, 3, 7)

def tanh(x):
    return (1.0 - np.exp(-2 * x)) / (1.0 + np.exp(-2 * x))

result = [tanh(x), egrad(tanh)(x), egrad(egrad(tanh))(x), egrad(egrad(egrad(tanh)))(x)]
""",
    "Rosenbrock's Hessian": """
import autograd.numpy as np
from autograd import grad, hessian, hessian_vector_product, jacobian, make_hvp

def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

x, v = np.array([0.5, -0.3]), np.array([1.0, 2.0])
product, slope = make_hvp(rosenbrock)(x)
result = [hessian(rosenbrock)(x), jacobian(grad(rosenbrock))(x), product(v), slope,
          hessian_vector_product(rosenbrock)(x, v)]
""",
    "arrays out of parts": """
import autograd.numpy as np
from autograd import jacobian

def turned(p):
    angle, length = p
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([np.dot(turn, np.array([length, 1.0])), np.zeros(2) + length])

result = [jacobian(turned)(np.array([0.3, 2.0])), turned((0.3, 2.0))]
""",
    "several arguments": """
import autograd.numpy as np
from autograd import grad, grad_and_aux, grad_named, deriv, make_jvp, make_vjp

def f(x, y):
    return np.sum(x * y ** 2)

x, y = np.array([1.0, 2.0]), np.array([0.5, 4.0])
gx, gy = grad(f, (0, 1))(x, y)
pull, value = make_vjp(lambda x: np.sin(x) * y)(x)
aux = grad_and_aux(lambda x: (np.sum(x ** 3), x + 1))(x)
result = [gx, gy, grad_named(f, "y")(x, y), pull(y), value, *aux,
          *make_jvp(lambda x: np.sin(x) * y)(x)(y), deriv(lambda t: np.exp(t) * y)(0.5)]
""",
    "a dictionary and a Gaussian": """
import autograd.numpy as np
import autograd.numpy.random as npr
import autograd.scipy.stats.norm as norm
from autograd import grad
from autograd.numpy.linalg import inv, slogdet

rng = npr.RandomState(3)
data = rng.randn(10)

def score(p):
    return np.sum(norm.logpdf(data, p["mean"], np.exp(p["log_scale"])))

def kernel(p):
    c = np.exp(-0.5 * (data[:, None] - data) ** 2 / np.exp(p)) + 0.1 * np.eye(10)
    return -0.5 * np.dot(data, np.dot(inv(c), data)) - 0.5 * slogdet(c)[1]

slopes = grad(score)({"mean": 0.1, "log_scale": -0.2})
result = [slopes["mean"], slopes["log_scale"], grad(kernel)(0.3)]
""",
    "Gauss and Newton, and holomorphic functions": """
import autograd.numpy as np
from autograd import holomorphic_grad, make_ggnvp, multigrad_dict, tensor_jacobian_product

a = np.arange(6.0).reshape(2, 3) / 5

def f(x):
    return np.tanh(np.dot(a, x))

x, v = np.array([0.2, -0.4, 0.1]), np.array([1.0, 0.5, -1.0])
result = [make_ggnvp(f)(x)(v), tensor_jacobian_product(f)(x, np.array([1.0, 3.0])),
          holomorphic_grad(lambda z: z ** 3)(1.0 + 2.0j)]
""",
}


def outcome(text):
    names = {}
    exec(compile(text, "<program>", "exec"), names)
    return [np.asarray(one) for one in names["result"]]


def changed(name):
    return outcome(re.sub(r"\bautograd\b", "autograd_core.hips", PROGRAMS[name]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_another_import_and_it_runs(name):
    for one in changed(name):
        assert type(one) is np.ndarray
        assert np.isfinite(one).all()


@pytest.mark.oracle
@pytest.mark.parametrize("name", PROGRAMS)
def test_with_the_same_results(name):
    pytest.importorskip("autograd", reason="needs HIPS autograd: pip install -e '.[oracles]'")
    for one, other in zip(changed(name), outcome(PROGRAMS[name]), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.oracle
@pytest.mark.parametrize("program", hips_programs.PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.filterwarnings("ignore")  # HIPS autograd's own
def test_the_programs_of_the_benchmark_have_the_same_results(program):
    pytest.importorskip("autograd", reason="needs HIPS autograd: pip install -e '.[oracles]'")
    ours, theirs = map(hips_programs.Library, ("autograd_core.hips", "autograd"))
    hips_programs.agree(program.__name__, program(ours)(), program(theirs)())
