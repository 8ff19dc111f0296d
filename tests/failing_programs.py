"""Programs that fail, by kind: what reaches the user of each is looked at in `test_messages`."""

import numpy as np
import scipy.special

import autograd_core as ac
import autograd_core.hips as hips
import autograd_core.numpy as anp
import nn
from autograd_core.scipy import integrate, linalg, special, stats
from autograd_core.testing import check_gradients


def vector(n=3):
    return ac.Tensor(np.arange(1.0, n + 1), requires_grad=True)


def matrix(*shape):
    return ac.Tensor(np.ones(shape), requires_grad=True)


def misfit(x):
    """A user's function with an error in it."""
    return ac.sum(x + np.ones(7))


def broken(x):
    """A user's function with an error that is its own."""
    return ac.sum(x)[()] * {}["missing"]


def freed():
    y = ac.sum(vector() ** 2)
    y.backward()
    y.backward()


def stale():
    w = vector()
    y = ac.sum(w * w)
    with ac.no_grad():
        w -= 1.0
    y.backward()


def anomaly():
    with ac.detect_anomaly():
        ac.log(vector() * 0)


def anomaly_in_backward():
    x = ac.Tensor([0.0, 1.0], requires_grad=True)
    with ac.detect_anomaly():
        ac.sum(ac.sqrt(x)).backward()


def failing_rule():
    @ac.op(x=lambda g: misfit(g))
    def doubled(x):
        return x * 2

    ac.sum(doubled(vector())).backward()


def failing_kernel():
    @ac.op(x=lambda g: g)
    def doubled(x):
        return x + np.ones(7)

    doubled(vector())


def failing_hook():
    x = vector()
    x.register_hook(misfit)
    ac.sum(x * x).backward()


def failing_gradient():
    @ac.custom_gradient
    def f(x):
        return ac.sum(x), lambda g: misfit(ac.ones(3))

    f(vector()).backward()


def failing_module():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(5, 2))
    model(matrix(2, 3))


def written():
    x = vector() * 1.0
    x[5] = 2.0


PROGRAMS = {
    # operations
    "add": lambda: vector() + np.ones(4),
    "add on the right": lambda: np.ones(4) + vector(),
    "matmul": lambda: matrix(2, 3) @ matrix(2, 3),
    "sum": lambda: ac.sum(vector(), axis=3),
    "sum, a method": lambda: vector().sum(axis=3),
    "std": lambda: vector().std(axis=3),
    "max, where": lambda: ac.max(vector(), where=np.ones(4, bool), initial=0.0),
    "reshape": lambda: vector().reshape(2, 2),
    "reshape, order": lambda: ac.reshape(vector(), (2, 2), "F"),
    "transpose": lambda: vector().transpose(1, 0),
    "concatenate": lambda: ac.concatenate([matrix(2, 3), matrix(3, 2)]),
    "stack": lambda: ac.stack([vector(), vector(4)]),
    "einsum": lambda: ac.einsum("ij,jk->ik", matrix(2, 3), matrix(2, 3)),
    "tensordot": lambda: ac.tensordot(matrix(2, 3), matrix(4, 3)),
    "where": lambda: ac.where(np.ones(4, bool), vector(), 0.0),
    "take": lambda: ac.take(vector(), [7]),
    "take_along_axis": lambda: ac.take_along_axis(vector(), np.array([7]), 0),
    "sort": lambda: ac.sort(vector(), axis=2),
    "sort in place": lambda: vector().sort(axis=2),
    "quantile": lambda: ac.quantile(vector(), 2.0),
    "median": lambda: ac.median(vector(), axis=4),
    "pad": lambda: ac.pad(vector(), ((1, 1), (1, 1))),
    "split": lambda: ac.split(vector(), 2),
    "insert": lambda: ac.insert(vector(), 9, 1.0),
    "cumsum": lambda: ac.cumsum(vector(), axis=2),
    "convolve": lambda: ac.convolve(matrix(2, 2), vector()),
    "interp": lambda: ac.interp(vector(), [0.0, 1.0], [0.0]),
    "polyfit": lambda: ac.polyfit(vector(), vector(4), 2),
    "cov": lambda: ac.cov(vector(), vector(4)),
    "fft": lambda: ac.fft.fft(vector(), axis=3),
    "fftn": lambda: ac.fft.fftn(vector(), axes=(3,)),
    "emath": lambda: ac.emath.power(vector(), np.ones(4)),
    "tile": lambda: ac.tile(vector(), (-1,)),
    "a setting": lambda: ac.sum(vector(), axis=vector()),
    "None": lambda: vector() + None,
    "None, plain": lambda: ac.exp(None),
    "bits of floats": lambda: vector() & vector(),
    "dim=": lambda: ac.sum(vector(), dim=0),
    "dim= of a plain operation": lambda: ac.cumsum(vector(), dim=0),
    "ragged data": lambda: ac.Tensor([[1.0], [1.0, 2.0]]),
    "None as data": lambda: ac.Tensor(None),
    "a list with None": lambda: ac.stack([vector(), None]),
    "an integer leaf": lambda: ac.Tensor([1, 2], requires_grad=True),
    "a device": lambda: ac.Tensor([1.0], device="tpu"),
    "to a device": lambda: vector().to("tpu"),
    "creation": lambda: ac.zeros((-1,)),
    "linspace": lambda: ac.linspace(0.0, 1.0, -3),
    "draws": lambda: ac.random.default_rng(0).normal(vector()),
    # indices and writes
    "index": lambda: vector()[7],
    "index of two axes": lambda: vector()[0, 0],
    "mask": lambda: vector()[np.ones(4, bool)],
    "write": written,
    "write a shape": lambda: (vector() * 1.0).__setitem__(slice(None), np.ones(4)),
    "in place": lambda: (vector() * 1.0).__iadd__(np.ones(4)),
    "in place, a leaf": lambda: vector().__iadd__(1.0),
    "fill": lambda: vector().fill(np.ones(4)),
    "copy_": lambda: vector().copy_(np.ones(4)),
    # linear algebra and SciPy
    "inv": lambda: ac.linalg.inv(matrix(2, 3)),
    "inv, singular": lambda: ac.linalg.inv(matrix(2, 2)),
    "cholesky": lambda: ac.linalg.cholesky(-matrix(2, 2)),
    "solve": lambda: ac.linalg.solve(matrix(2, 2), vector()),
    "eigh": lambda: ac.linalg.eigh(matrix(2, 3)),
    "svd": lambda: ac.linalg.svd(vector()),
    "norm": lambda: ac.linalg.norm(vector(), ord="nuc"),
    "pinv": lambda: ac.linalg.pinv(vector()),
    "lstsq": lambda: ac.linalg.lstsq(matrix(2, 3), vector()),
    "multi_dot": lambda: ac.linalg.multi_dot([matrix(2, 3), matrix(2, 3)]),
    "tensorsolve": lambda: ac.linalg.tensorsolve(matrix(2, 3), vector()),
    "expm": lambda: linalg.expm(matrix(2, 3)),
    "solve_triangular": lambda: linalg.solve_triangular(matrix(2, 2), vector()),
    "gamma": lambda: special.gammainc(vector(), np.ones(4)),
    "gamma, a ufunc of SciPy": lambda: scipy.special.gammainc(vector(), np.ones(4)),
    "a ufunc of SciPy that has no rule": lambda: scipy.special.pdtri(vector(), vector()),
    "logsumexp": lambda: special.logsumexp(vector(), axis=3),
    "odeint": lambda: integrate.odeint(lambda y, t: vector() * y, np.ones(3), [0.0, 1.0]),
    "fixed_point": lambda: ac.fixed_point(lambda a, x: vector() * x, 1.0, np.ones(3)),
    "fixed_point, distance": lambda: ac.fixed_point(lambda a, x: x + a, 1.0, 1.0),
    "norm.ppf, of SciPy": lambda: stats.norm.ppf(vector()),
    "norm.logpdf": lambda: stats.norm.logpdf(vector(), np.ones(4)),
    "multivariate_normal": lambda: stats.multivariate_normal.logpdf(vector(), None, matrix(2, 2)),
    # NumPy's calls
    "np.exp, out": lambda: np.exp(vector(), out=np.zeros(3)),
    "np.add": lambda: np.add(vector(), np.ones(4)),
    "np.add.reduce": lambda: np.add.reduce(vector(), axis=3),
    "np.add.at": lambda: np.add.at(np.zeros(3), [0], vector()),
    "np.multiply.outer": lambda: np.multiply.outer(vector(), "text"),
    "np.frexp, where": lambda: np.frexp(vector(), where=np.ones(3, bool)),
    "np.concatenate": lambda: np.concatenate([matrix(2, 3), vector()]),
    "np.sum": lambda: np.sum(vector(), axis=3),
    "np.linalg.inv": lambda: np.linalg.inv(matrix(2, 3)),
    "np.roots": lambda: np.roots(vector()),
    "np.einsum": lambda: np.einsum("ij", vector()),
    "np.apply_along_axis": lambda: np.apply_along_axis(misfit, 0, vector()),
    "np.full": lambda: np.full(3, vector()),
    "np.asarray": lambda: np.asarray(vector()),
    "autograd_core.numpy": lambda: anp.concatenate([matrix(2, 3), vector()]),
    "autograd_core.numpy, linalg": lambda: anp.linalg.inv(matrix(2, 3)),
    "autograd_core.numpy, array": lambda: anp.array([vector(), vector(4)]),
    # ways out
    "float": lambda: float(vector()),
    "float of a number": lambda: float(vector()[0]),
    "item": lambda: vector().item(),
    "numpy": lambda: vector().numpy(),
    "bool": lambda: bool(vector()),
    # passes
    "backward of a vector": lambda: vector().backward(),
    "backward of nothing": lambda: ac.Tensor(1.0).backward(),
    "backward of a shape": lambda: (vector() * 2).backward(np.ones(4)),
    "freed": freed,
    "stale": stale,
    "anomaly": anomaly,
    "anomaly in backward": anomaly_in_backward,
    "rule": failing_rule,
    "kernel": failing_kernel,
    "hook": failing_hook,
    "custom_gradient": failing_gradient,
    "module": failing_module,
    "no grad": lambda: ac.Tensor(1.0).register_hook(print),
    # transforms
    "grad": lambda: ac.grad(misfit)(np.ones(3)),
    "grad of a vector": lambda: ac.grad(lambda x: x * 2)(np.ones(3)),
    "grad in an integer": lambda: ac.grad(ac.sum)(1),
    "grad, the user's own": lambda: ac.grad(broken)(np.ones(3)),
    "grad of grad": lambda: ac.grad(lambda x: ac.sum(ac.grad(misfit)(x)))(np.ones(3)),
    "grad, argnum": lambda: ac.grad(misfit, 3)(np.ones(3)),
    "value_and_grad": lambda: ac.value_and_grad(misfit)(np.ones(3)),
    "elementwise_grad": lambda: ac.elementwise_grad(misfit)(np.ones(3)),
    "jacobian": lambda: ac.jacobian(misfit)(np.ones(3)),
    "hessian": lambda: ac.hessian(misfit)(np.ones(3)),
    "hessian of grad": lambda: ac.hessian(lambda x: ac.sum(ac.grad(misfit)(x)))(np.ones(3)),
    "vjp": lambda: ac.vjp(misfit, np.ones(3)),
    "vjp, the pullback": lambda: ac.vjp(ac.exp, np.ones(3))[1](np.ones(4)),
    "jvp": lambda: ac.jvp(misfit, (np.ones(3),), (np.ones(3),)),
    "jvp, the tangents": lambda: ac.jvp(ac.exp, (np.ones(3),), (np.ones(4),)),
    "linearize": lambda: ac.linearize(ac.exp, np.ones(3))[1](np.ones(4)),
    "hvp": lambda: ac.hvp(misfit)(np.ones(3), np.ones(3)),
    "make_vjp": lambda: hips.make_vjp(misfit)(np.ones(3)),
    "make_jvp": lambda: hips.make_jvp(misfit)(np.ones(3))(np.ones(3)),
    "make_ggnvp": lambda: hips.make_ggnvp(misfit)(np.ones(3)),
    "deriv": lambda: hips.deriv(misfit)(np.ones(3)),
    "multigrad_dict": lambda: hips.multigrad_dict(misfit)(np.ones(3)),
    "gradients": lambda: ac.gradients(vector(), [np.ones(3)]),
    "checkpoint": lambda: ac.checkpoint(misfit)(vector()),
    "checkpoint in grad": lambda: ac.grad(ac.checkpoint(misfit))(np.ones(3)),
    # checkers
    "check_gradients": lambda: check_gradients(misfit, np.ones(3)),
    "check_gradients, the user's own": lambda: check_gradients(broken, np.ones(3)),
    "check_gradients, integers": lambda: check_gradients(ac.exp, np.ones(3, int)),
    "check_gradients, a wrong one": lambda: check_gradients(
        ac.exp, np.ones(3), gradient=lambda x, g: x
    ),
}
