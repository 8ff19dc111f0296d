"""What a differentiated function may return: nothing that has no derivative."""

import warnings

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import hips
from autograd_core.errors import AutogradWarning, DTypeError

X = np.array([1.5, -0.5])

TRANSFORMS = {
    "grad": lambda f: ac.grad(lambda x: f(x[0]))(X),
    "grad of a number": lambda f: ac.grad(f)(1.5),
    "grad with has_aux": lambda f: ac.grad(lambda x: (f(x[0]), x), has_aux=True)(X),
    "grad, strict": lambda f: ac.grad(lambda x: f(x[0]), strict=True)(X),
    "grad, holomorphic": lambda f: ac.grad(lambda x: f(x[0]), holomorphic=True)(X),
    "value_and_grad": lambda f: ac.value_and_grad(lambda x: f(x[0]))(X),
    "grad of grad": lambda f: ac.grad(ac.grad(f))(1.5),
    "elementwise_grad": lambda f: ac.elementwise_grad(f)(X),
    "jacobian": lambda f: ac.jacobian(f)(X),
    "jacobian of a tree": lambda f: ac.jacobian(lambda x: {"a": x, "b": f(x)})(X),
    "hessian": lambda f: ac.hessian(lambda x: f(x[0]))(X),
    "vjp": lambda f: ac.vjp(f, X),
    "vjp of a tree": lambda f: ac.vjp(lambda x: (x, f(x)), X),
    "jvp": lambda f: ac.jvp(f, (X,), (X,)),
    "jvp of a tree": lambda f: ac.jvp(lambda x: (x, [f(x)]), (X,), (X,)),
    "linearize": lambda f: ac.linearize(f, X),
    "hvp": lambda f: ac.hvp(lambda x: f(x[0]))(X, X),
    "vhp": lambda f: ac.transforms.vhp(lambda x: f(x[0]))(X, X),
    "make_vjp": lambda f: hips.make_vjp(f)(X),
    "make_jvp": lambda f: hips.make_jvp(f)(X)(X),
    "make_hvp": lambda f: hips.make_hvp(lambda x: f(x[0]))(X),
    "make_ggnvp": lambda f: hips.make_ggnvp(f)(X)(X),
    "make_ggnvp of a loss": lambda f: hips.make_ggnvp(np.sin, lambda y: f(y[0]))(X)(X),
    "deriv": lambda f: hips.deriv(f)(1.5),
    "grad_and_aux": lambda f: hips.grad_and_aux(lambda x: (f(x[0]), x))(X),
    "grad_named": lambda f: hips.grad_named(lambda x: f(x[0]), "x")(X),
    "holomorphic_grad": lambda f: hips.holomorphic_grad(lambda x: f(x[0].real))(X + 0j),
    "multigrad_dict": lambda f: hips.multigrad_dict(lambda x: f(x[0]))(X),
    "tensor_jacobian_product": lambda f: hips.tensor_jacobian_product(f)(X, X),
    "vector_jacobian_product": lambda f: hips.vector_jacobian_product(f)(X, X),
    "hessian_vector_product": lambda f: hips.hessian_vector_product(lambda x: f(x[0]))(X, X),
}

RESULTS = {
    "booleans": (lambda x: x > 0, "bool"),
    "integers": (lambda x: (x * 3).astype("i4"), "int32"),
    "unsigned": (lambda x: (x * 3).astype("u1"), "uint8"),
    "NumPy's": (lambda x: np.ones(np.shape(x), "i8"), "int64"),
}


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_results_without_a_derivative_are_refused(name, result):
    f, dtype = RESULTS[result]
    with pytest.raises(DTypeError, match=rf"the function returned.*{dtype}.*no derivative"):
        TRANSFORMS[name](f)


@pytest.mark.parametrize(("value", "what"), [(3, "int"), (True, "bool"), (np.bool_(0), "bool")])
def test_plain_numbers_without_a_derivative_are_refused(value, what):
    for transform in (ac.grad, ac.jacobian, ac.elementwise_grad):
        with pytest.raises(DTypeError, match=f"the function returned.*{what}.*no derivative"):
            transform(lambda x: value)(1.0)


def test_the_message_says_what_to_write():
    with pytest.raises(DTypeError, match=r"grad: .*Write 3\.0"):
        ac.grad(lambda x: 3)(1.0)
    with pytest.raises(DTypeError, match=r"vjp: .*comparison.*has_aux=True"):
        ac.vjp(lambda x: (x, x > 0), X)


def test_on_a_device(device):
    x = device.array(X)
    with pytest.raises(DTypeError, match="no derivative"):
        ac.jacobian(lambda x: x > 0)(x)


def test_what_goes_along_may_be_anything():
    slope, more = ac.grad(lambda x: (ac.sum(x), (x > 0, 3, "a")), has_aux=True)(X)
    right = ac.vjp(lambda x: (x * 2, x > 0), X, has_aux=True)[2]
    np.testing.assert_array_equal(slope, [1, 1])
    np.testing.assert_array_equal(more[0], [True, False])
    assert more[1:] == (3, "a")
    np.testing.assert_array_equal(right, [True, False])


def test_a_float_that_does_not_depend_on_the_argument_warns_as_before():
    with pytest.warns(AutogradWarning, match="does not depend"):
        assert ac.grad(lambda x: (x > 0) * 1.0)(1.0) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ac.grad(lambda x: ac.where(x > 0, x, 0))(1.0) == 1


# ---- backward() of a complex number --------------------------------------------------------------


def test_backward_of_a_complex_number_needs_what_arrives(device):
    for value in (1 + 2j, [1 + 2j], np.complex64(1 + 2j)):
        z = ac.Tensor(device.array(value), requires_grad=True)
        for call in (
            lambda z=z: (z * z).backward(),
            lambda z=z: (z * z).backward(create_graph=True),
            lambda z=z: z.backward(),
            lambda z=z: ac.gradients(z * z, z),
        ):
            with pytest.raises(
                DTypeError, match=r"complex.*real or imaginary part.*backward\(ac.ones_like"
            ):
                call()
        assert z.grad is None
        w = z * z
        w.backward(ac.ones_like(w))
        np.testing.assert_allclose(device.numpy(z.grad), 2 * device.numpy(z))
        z.grad = None
        ac.sum((z * z).real).backward()
        np.testing.assert_allclose(device.numpy(z.grad), 2 * device.numpy(z))
