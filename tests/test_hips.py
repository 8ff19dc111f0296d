"""The names of HIPS autograd in `autograd_core.hips`: modules, transforms and values."""

import inspect
import subprocess
import sys

import numpy as onp
import pytest
from autograd_core.hips.numpy.numpy_boxes import ArrayBox

import autograd_core as ac
import autograd_core.hips as autograd
import autograd_core.hips.numpy as np
from autograd_core.hips import (
    core,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    value_and_grad,
)
from autograd_core.hips.builtins import DictBox, SequenceBox
from autograd_core.hips.builtins import isinstance as isinstance_
from autograd_core.hips.builtins import type as type_
from autograd_core.hips.misc import const_graph, flatten
from autograd_core.hips.misc.flatten import flatten_func
from autograd_core.hips.misc.optimizers import adam, rmsprop, sgd
from autograd_core.hips.tracer import getval, isbox

NAMES = {
    "": "checkpoint deriv dict elementwise_grad grad grad_and_aux grad_named hessian "
    "hessian_tensor_product hessian_vector_product holomorphic_grad isinstance jacobian list "
    "make_ggnvp make_hvp make_jvp make_vjp multigrad_dict primitive tensor_jacobian_product tuple "
    "type value_and_grad value_and_multigrad vector_jacobian_product",
    "builtins": "DictBox SequenceBox dict isinstance list tuple type",
    "core": "Box defjvp defvjp getval make_jvp make_vjp primitive_jvps primitive_vjps vspace "
    "VSpace",
    "extend": "Box VSpace def_linear defjvp defjvp_argnum defjvp_argnums defvjp defvjp_argnum "
    "defvjp_argnums notrace_primitive primitive vspace",
    "misc": "const_graph flatten",
    "misc.fixed_points": "fixed_point",
    "misc.flatten": "flatten flatten_func",
    "misc.optimizers": "adam rmsprop sgd",
    "numpy": "LinAlgError array int64 linalg make_diagonal pi random sum testing where",
    "numpy.fft": "fft fftfreq rfftfreq",
    "numpy.linalg": "LinAlgError inv norm",
    "numpy.numpy_boxes": "ArrayBox",
    "numpy.numpy_vjps": "unbroadcast unbroadcast_f",
    "numpy.numpy_vspaces": "ArrayVSpace",
    "numpy.random": "RandomState randn",
    "scipy.integrate": "odeint",
    "scipy.linalg": "solve_triangular sqrtm block_diag",
    "scipy.signal": "convolve",
    "scipy.special": "gammaln logsumexp",
    "scipy.stats": "beta chi2 dirichlet gamma multivariate_normal norm poisson t",
    "scipy.stats.norm": "cdf logpdf pdf rvs",
    "test_util": "check_equivalent check_grads combo_check scalar_close",
    "tracer": "Box Node getval isbox notrace_primitive primitive toposort trace",
    "util": "func quick_grad_check subval subvals",
    "wrap_util": "unary_to_nary",
}


@pytest.mark.parametrize("module", NAMES)
def test_every_public_name_is_here(module):
    text = (
        f"from autograd_core.hips{module and '.'}{module} import {NAMES[module].replace(' ', ', ')}"
    )
    exec(text.replace("LinAlgError", "linalg") if module == "numpy" else text, {})


def test_submodules_are_attributes_and_one_object_under_both_names():
    import autograd_core.hips.scipy.stats.norm as norm

    import autograd_core.scipy.stats.norm as ours

    assert norm is ours
    assert norm.__spec__.name == "autograd_core.scipy.stats.norm"
    assert autograd.numpy is np
    assert autograd.tracer.isbox is isbox
    assert autograd.scipy.stats.norm is ours
    assert autograd.scipy.special.gammaln(3.0) == onp.log(2)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = autograd.nothing
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        import autograd_core.hips.scipy.nothing  # noqa: F401


def test_importing_the_library_imports_none_of_it():
    text = "import sys, autograd_core; print([m for m in sys.modules if 'hips' in m])"
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


# ---- transforms ----------------------------------------------------------------------------------


def test_transforms_take_argnum_as_an_int_a_tuple_or_a_list():
    def f(x, y, scale=1.0):
        return np.sum(x * y**2) * scale

    x, y = onp.array([1.0, 2.0]), onp.array([0.5, 4.0])
    gradient = grad(f, 1)
    onp.testing.assert_allclose(gradient(x, y, scale=2.0), 4 * x * y)
    assert gradient.__name__ == "grad_of_f_wrt_argnum_1"
    for argnum in ((0, 1), [0, 1]):
        first, second = grad(f, argnum)(x, y)
        onp.testing.assert_allclose(first, y**2)
        onp.testing.assert_allclose(second, 2 * x * y)
    value, slope = value_and_grad(f)(x, y)
    assert value == f(x, y)
    onp.testing.assert_allclose(slope, y**2)
    with pytest.raises(TypeError, match="argnum must be an int"):
        grad(f, "x")
    with pytest.raises(IndexError, match="2 positional arguments"):
        grad(f, 2)(x, y)


def test_products_and_further_transforms():
    a = onp.arange(6.0).reshape(2, 3) / 5

    def f(x):
        return np.tanh(np.dot(a, x))

    def total(x):
        return np.sum(f(x) ** 2)

    x, v = onp.array([0.2, -0.4, 0.1]), onp.array([1.0, 0.5, -1.0])
    j = jacobian(f)(x)
    pullback, value = make_vjp(f)(x)
    onp.testing.assert_allclose(value, f(x))
    onp.testing.assert_allclose(pullback(onp.ones(2)), j.sum(0))
    onp.testing.assert_allclose(make_jvp(f)(x)(v)[1], j @ v)
    product, slope = make_hvp(total)(x)
    onp.testing.assert_allclose(product(v), hessian(total)(x) @ v)
    onp.testing.assert_allclose(slope, grad(total)(x))
    onp.testing.assert_allclose(make_ggnvp(f)(x)(v), j.T @ (j @ v))
    onp.testing.assert_allclose(
        autograd.tensor_jacobian_product(f)(x, onp.array([1.0, 3.0])), [1, 3] @ j
    )
    onp.testing.assert_allclose(autograd.hessian_vector_product(total)(x, v), hessian(total)(x) @ v)
    assert holomorphic_grad(lambda z: z**3)(1.0 + 2.0j) == 3 * (1 + 2j) ** 2
    assert deriv(lambda t: t**3)(2.0) == 12
    slope, more = grad_and_aux(lambda x: (np.sum(x**3), x + 1))(x)
    onp.testing.assert_allclose(slope, 3 * x**2)
    onp.testing.assert_allclose(more, x + 1)
    assert grad_named(lambda x, y: x * y**2, "y")(3.0, 2.0) == 12
    assert multigrad_dict(lambda x, y=2.0, *z: x * y * z[0])(3.0, 4.0, 5.0) == {
        "x": 20.0,
        "y": 15.0,
        "z": (12.0,),
    }


def test_cotangents_and_tangents_may_be_numbers_and_lists():
    x = onp.ones(2)
    for g in (2.0, [2.0, 2.0]):
        assert make_vjp(lambda x: 3 * x)(x)[0](g).tolist() == [6.0, 6.0]
        assert make_jvp(lambda x: 3 * x)(x)(g)[1].tolist() == [6.0, 6.0]
        assert make_hvp(lambda x: np.sum(x**3))(x)[0](g).tolist() == [12.0, 12.0]
        product_ = autograd.hessian_vector_product(lambda x: np.sum(x**3))(x, g)
        assert product_.tolist() == [12.0, 12.0]
    assert autograd.differential_operators.make_jvp_reversemode(lambda x: 3 * x)(2.0)(1.0) == 3


def test_a_warning_is_given_where_hips_autograd_gives_one():
    with pytest.warns(UserWarning, match="^Output seems independent of input"):
        assert grad(lambda x: 1.0)(2.0) == 0
    with pytest.warns(UserWarning, match="^Input to holomorphic_grad"):
        holomorphic_grad(lambda z: z**2)(1.0)
    with pytest.warns(UserWarning, match="^Output seems independent"):
        pullback, value = core.make_vjp(lambda x: x > 1, 2.0)
    assert value
    assert pullback(1.0) == 0


def test_integer_arrays_are_differentiated_as_floats_with_a_warning():
    with pytest.warns(UserWarning, match="int64; it is differentiated as float64"):
        slopes = elementwise_grad(lambda x: x**2)(onp.array([1, 2]))
    onp.testing.assert_array_equal(slopes, [2.0, 4.0])
    with pytest.raises(TypeError, match="Write 3"):
        grad(lambda x: x**2)(3)
    with pytest.raises(TypeError, match="bool"):
        grad(lambda x: np.sum(x))(onp.array([True]))


@pytest.mark.parametrize("result", ["a", None, True])
def test_a_result_that_is_no_number_is_refused(result):
    with pytest.raises((TypeError, ac.ShapeError), match="grad: the function"):
        grad(lambda x: result)(1.0)


# ---- values --------------------------------------------------------------------------------------


def test_boxes_are_seen_as_their_values():
    def f(x, numbers):
        assert isinstance(x, ArrayBox)
        assert isbox(x)
        assert isinstance_(x, float)
        assert isinstance_(numbers, (list, tuple))
        assert isinstance_(numbers[0], onp.ndarray)
        assert type_(x) is float
        assert not isinstance_(x, onp.floating)
        assert type_(x * 1) is onp.float64
        assert np.isscalar(x)
        assert x._value == 2
        assert getval(x) == 2
        assert not isbox(getval(x))
        return x * np.sum(numbers[0][np.int64(numbers[0])])

    slope, inner = grad(f, (0, 1))(2.0, [onp.array([0.0, 1.0])])
    assert slope == 1
    onp.testing.assert_array_equal(inner[0], [2.0, 2.0])


def test_boxes_of_containers():
    def f(numbers, names):
        assert isinstance(numbers, SequenceBox)
        assert isinstance_(names, DictBox)
        assert not isinstance(numbers, DictBox)
        assert not isinstance(getval(numbers[0]), SequenceBox)
        return numbers[0] * names["a"]

    assert grad(f, (0, 1))((2.0,), {"a": 3.0}) == ((3.0,), {"a": 2.0})
    assert not isinstance({"a": 3.0}, DictBox)


def test_where_of_python_numbers_is_a_python_number():
    assert type(np.where(True, 1, 2.5)) is float
    assert np.where([True, False], [1, 2], 3) == [1, 3]
    assert type(np.where(True, onp.float32(1), 2.0)) is onp.ndarray
    assert np.where([0, 1])[0].tolist() == [1]
    assert grad(lambda x: np.where(True, x, 2.0))(1.0) == 1


# ---- misc ----------------------------------------------------------------------------------------


def test_flatten_and_its_inverse():
    tree = {"b": (1.0, [onp.ones((2, 2))]), "a": onp.arange(3.0), "c": ()}
    vector, unflatten = flatten(tree)
    onp.testing.assert_array_equal(vector, [0, 1, 2, 1, 1, 1, 1, 1])
    again = unflatten(vector * 2)
    assert list(again) == ["b", "a", "c"]
    assert again["b"][0] == 2
    assert again["b"][1][0].shape == (2, 2)
    assert flatten([])[0].shape == (0,)
    onp.testing.assert_array_equal(jacobian(lambda v: flatten(unflatten(v))[0])(vector), onp.eye(8))
    assert grad(lambda x: np.sum(flatten([x, (x * 2, 1.0)])[0]))(1.0) == 3
    with pytest.raises(ValueError, match="the tree has 8 elements"):
        unflatten(onp.ones(7))
    func, inverse, start = flatten_func(lambda t: [t["b"][0] * 2], tree)
    assert func(start) == [2.0]
    assert inverse(start)["b"][0] == 1
    loop = [1.0]
    loop.append(loop)
    with pytest.raises(RecursionError):
        flatten(loop)
    for other in ("abc", {"a": onp.ones(2), "act": "relu"}, [None, 1.0]):
        with pytest.raises(TypeError):
            flatten(other)


@pytest.mark.parametrize("optimizer", [sgd, rmsprop, adam])
def test_optimizers_of_trees(optimizer):
    seen = []
    found = optimizer(
        lambda p, i: {"w": 2 * p["w"], "b": (2 * (p["b"][0] - 3),)},
        {"w": onp.ones(2), "b": (0.0,)},
        callback=lambda p, i, g: seen.append((i, p["b"][0])),
        num_iters=600,
        step_size=0.02,
    )
    assert len(seen) == 600
    assert seen[0] == (0, 0.0)
    onp.testing.assert_allclose(found["w"], 0, atol=2e-2)
    onp.testing.assert_allclose(found["b"][0], 3, atol=2e-2)


def test_fixed_point_and_const_graph():
    from autograd_core.hips.misc.fixed_points import fixed_point

    def root(a):
        return fixed_point(
            lambda a: lambda x: (x + a / x) / 2, a, 1.0, lambda x, y: abs(x - y), 1e-12
        )

    assert root(2.0) == pytest.approx(onp.sqrt(2))
    assert grad(root)(2.0) == pytest.approx(0.5 / onp.sqrt(2), rel=1e-9)
    assert grad(grad(root))(2.0) == pytest.approx(-0.25 * 2**-1.5, rel=1e-6)
    f = const_graph(lambda x, y, z: x + 2 * y + 3 * z, 1.0, z=3.0)
    assert f(2.0) == 14
    assert grad(f)(2.0) == 2


def test_convolve_takes_its_arguments_in_the_order_of_hips_autograd():
    from autograd_core.hips.scipy.signal import convolve

    x, y = onp.arange(12.0).reshape(3, 4), onp.arange(6.0).reshape(3, 2)
    out = convolve(x, y, ([1], [1]), ([0], [0]), "valid")
    expected = sum(onp.convolve(a, b, "valid") for a, b in zip(x, y, strict=True))
    onp.testing.assert_allclose(out, expected)


# ---- beside the other library --------------------------------------------------------------------


@pytest.mark.oracle
def test_a_mix_with_hips_autograd_is_right_or_named():
    theirs = pytest.importorskip(
        "autograd", reason="needs HIPS autograd: pip install -e '.[oracles]'"
    )
    import autograd.numpy as tnp

    x = onp.array([1.0, 2.0])
    for one in (
        theirs.grad(lambda x: np.sum(np.sin(x)))(x),
        ac.grad(lambda x: tnp.sum(tnp.sin(x)))(x),
        theirs.grad(lambda x: ac.sum(ac.sin(x)))(x),
    ):
        onp.testing.assert_allclose(one, onp.cos(x))
    with pytest.raises(TypeError, match="HIPS autograd"):
        theirs.grad(lambda x: ac.Tensor(x).sum())(x)
    with pytest.raises(TypeError, match="HIPS autograd"):
        theirs.grad(lambda y: ac.grad(lambda x: ac.sum(x * y))(x)[0])(2.0)


def test_an_operator_shows_the_parameters_that_it_takes():
    for operator in (deriv, make_jvp, make_vjp, autograd.make_hvp, autograd.grad_and_aux):
        assert list(inspect.signature(operator).parameters) == ["fun", "argnum"]
