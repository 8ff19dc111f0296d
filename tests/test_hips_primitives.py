"""Functions whose derivatives a user declares as in HIPS autograd, and the checks of them."""

import sys

import numpy as onp
import pytest

import autograd_core as ac
import autograd_core.hips.numpy as np
from autograd_core.hips import (
    deriv,
    grad,
    jacobian,
    make_jvp,
)
from autograd_core.hips.extend import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
)
from autograd_core.hips.test_util import check_equivalent, check_grads, combo_check, scalar_close
from autograd_core.testing import check_gradients

# ---- primitives ----------------------------------------------------------------------------------


def declared(**rules):
    """x * sin(y) as a primitive that counts its calls."""

    @primitive
    def product(x, y):
        """A docstring."""
        assert not isinstance(x, ac.Tensor)
        assert not isinstance(y, ac.Tensor)
        product.calls += 1
        return x * onp.sin(y)

    product.calls = 0
    return product


def with_vjps():
    f = declared()
    defvjp(
        f, lambda ans, x, y: lambda g: g * np.sin(y), lambda ans, x, y: lambda g: g * x * np.cos(y)
    )
    return f


def with_jvps():
    f = declared()
    defjvp(f, "same", lambda g, ans, x, y: g * x * np.cos(y))
    return f


# a rule "same" is transposed by a call of the primitive for each element of a basis
@pytest.mark.parametrize(("make", "calls"), [(with_vjps, 1), (with_jvps, 3)])
def test_a_primitive_has_derivatives_of_both_modes_and_every_order(make, calls):
    f = make()
    assert f.__doc__ == "A docstring."
    assert f.__name__ == "product"
    x, y = 1.5, 0.7
    assert f(x, y) == x * onp.sin(y)
    f.calls = 0
    slopes = grad(f, (0, 1))(x, y)
    assert f.calls == calls
    onp.testing.assert_allclose(slopes, (onp.sin(y), x * onp.cos(y)), rtol=1e-15)
    onp.testing.assert_allclose(grad(grad(f, 1), 1)(x, y), -x * onp.sin(y), rtol=1e-15)
    onp.testing.assert_allclose(make_jvp(f, 1)(x, y)(2.0)[1], 2 * x * onp.cos(y), rtol=1e-15)
    check_grads(f, (0, 1), order=3)(x, y)
    check_gradients(lambda x, y: ac.sum(f(x, y)), onp.ones(3), onp.arange(3.0))


def test_a_jacobian_runs_a_rule_for_each_row():
    f = with_vjps()
    y = onp.array([0.1, 0.2, 0.3])
    onp.testing.assert_allclose(jacobian(f, 1)(2.0, y), onp.diag(2 * onp.cos(y)))


def test_the_result_is_given_to_the_rule_and_is_differentiable():
    @primitive
    def square(x):
        return x**2

    defvjp(square, lambda ans, x: lambda g: g * 2 * ans / x)
    assert grad(square)(3.0) == 6
    assert grad(grad(square))(3.0) == 2
    assert abs(grad(grad(grad(square)))(3.0)) < 1e-15


def test_rules_for_chosen_arguments():
    @primitive
    def f(x, y, z):
        return x + 2 * y + 3 * z

    defvjp(f, lambda ans, *args: lambda g: 3 * g, None, argnums=(2, 0))
    assert grad(f, 2)(1.0, 1.0, 1.0) == 3
    assert grad(f, 0)(1.0, 1.0, 1.0) == 0
    with pytest.raises(NotImplementedError, match="VJP of f wrt argnum 1 not defined"):
        grad(f, 1)(1.0, 1.0, 1.0)


def test_the_other_ways_to_declare_a_rule():
    scale = {0: 2.0, 1: 5.0}
    for declare, rule in (
        (defvjp_argnum, lambda i, ans, args, settings: lambda g: scale[i] * g),
        (defvjp_argnums, lambda all_, ans, args, settings: lambda g: [scale[i] * g for i in all_]),
        (defjvp_argnum, lambda i, g, ans, args, settings: scale[i] * g),
        (
            defjvp_argnums,
            lambda all_, gs, ans, args, settings: sum(
                scale[i] * g for i, g in zip(all_, gs, strict=True)
            ),
        ),
    ):
        f = primitive(lambda x, y: 2 * x + 5 * y)
        declare(f, rule)
        assert grad(f, (0, 1))(1.0, 1.0) == (2, 5)
        assert make_jvp(f, (0, 1))(1.0, 1.0)((1.0, 2.0))[1] == 12
    linear = primitive(lambda x, y: 3 * x)
    def_linear(linear)
    assert grad(linear)(1.0, 2.0) == 3


def test_arguments_and_results_may_be_trees():
    @primitive
    def f(pair, scale):
        return {"sum": (pair[0] + pair[1]) * scale, "first": [pair[0] * scale, 7]}

    defvjp(
        f,
        lambda ans, pair, scale: lambda g: (scale * (g["sum"] + g["first"][0]), scale * g["sum"]),
        lambda ans, pair, scale: lambda g: g["sum"] * (pair[0] + pair[1]) + g["first"][0] * pair[0],
    )

    def total(pair, scale):
        out = f(pair, scale)
        assert out["first"][1] == 7
        return out["sum"] ** 2 + out["first"][0]

    def plain(pair, scale):
        return ((pair[0] + pair[1]) * scale) ** 2 + pair[0] * scale

    for argnum in (0, 1):
        found = grad(total, argnum)((2.0, 3.0), 1.5)
        onp.testing.assert_allclose(found, grad(plain, argnum)((2.0, 3.0), 1.5))
    check_grads(total, (0, 1))((2.0, 3.0), 1.5)


def test_a_tree_may_contain_constants():
    def forward(g, ans, pair):
        return g[0] * pair[1]

    for declare, rule in (
        (defvjp, lambda ans, pair: lambda g: (g * pair[1], None)),
        (defjvp, forward),
    ):
        f = primitive(lambda pair: pair[0] * pair[1])
        declare(f, rule)
        assert grad(lambda x, f=f: f((x, 3.0)))(2.0) == 3


def test_tensors_inside_a_value_of_another_type_keep_their_gradient():
    class Held:
        def __init__(self, factor):
            self.factor = factor

    f = primitive(lambda held, x: (held.factor * x, x))
    defvjp(
        f,
        None,
        lambda ans, held, x: lambda g: g[0] * held.factor + g[1],
    )
    for one, expected in ((0, 3.0), (1, 0.0)):
        assert grad(lambda a, i=one: f(Held(a), 3.0 * (a / a))[i] + 0 * a)(2.0) == expected


def test_methods_of_primitives_of_old_programs_declare_rules():
    f = primitive(lambda x, y, z: x * y + z)
    for declare in (
        lambda: f.defgrad(lambda ans, x, y, z: lambda g: g * y),
        lambda: f.defvjp(lambda g, ans, vs, gvs, x, y, z: g * x, argnum=1),
        lambda: f.defvjp_is_zero(argnums=(2,)),
    ):
        with pytest.warns(UserWarning, match="deprecated"):
            declare()
    assert grad(f, (0, 1, 2))(2.0, 3.0, 4.0) == (3, 2, 0)


def test_a_primitive_that_lacks_a_rule_says_so():
    f = primitive(lambda x: 2 * x)
    assert f(1.0) == 2
    for derivative in (grad, deriv):
        with pytest.raises(NotImplementedError, match=r"VJP of <lambda> wrt argnums \(0,\) not"):
            derivative(f)(1.0)
    with ac.no_grad():
        assert f(ac.Tensor(1.0, requires_grad=True)) == 2


def rule(ans, x):
    return lambda g: g


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda f: defvjp(f, 3), "Bad VJP 3 for '<lambda>'"),
        (lambda f: defvjp(f, "same"), "Bad VJP 'same'"),
        (lambda f: defjvp(f, "other"), "Bad JVP 'other'"),
        (lambda f: defvjp(f, rule, rule), "2 rules were given, but it has 1 positional"),
        (lambda f: defvjp(f, rule, argnums=(0, 1)), "1 rules were given for 2 argnums"),
        (lambda f: defvjp(onp.sin, rule), r"Write f = primitive\(sin\)"),
        (lambda f: defjvp(np.sin, rule), r"Write f = primitive\(sin\)"),
        (lambda f: defvjp_argnum(lambda x: x, rule), "is not a primitive"),
    ],
)
def test_a_wrong_declaration_is_refused(declare, message):
    with pytest.raises(TypeError, match=message):
        declare(primitive(lambda x: 2 * x))


@pytest.mark.parametrize("result", [True, "a", 3, onp.array([1, 2])])
def test_a_primitive_without_a_floating_result_is_refused(result):
    f = primitive(lambda x: result)
    defvjp(f, rule)
    with pytest.raises(ac.NotDifferentiableError, match="notrace_primitive"):
        grad(f)(1.0)
    assert onp.all(notrace_primitive(lambda x: result)(ac.Tensor(1.0, True)) == result)


def test_a_gradient_of_another_shape_is_refused():
    f = primitive(lambda x: onp.sum(x))
    defvjp(f, lambda ans, x: lambda g: g * onp.ones(5))
    with pytest.raises(ac.ShapeError, match=r"shape \(3,\), its gradient has shape \(5,\)"):
        grad(f)(onp.ones(3))


def test_a_tracked_keyword_is_refused():
    f = primitive(lambda x, scale=1.0: scale * x)
    defvjp(f, lambda ans, x, scale=1.0: lambda g: scale * g)
    assert grad(lambda x: f(x, scale=3.0))(1.0) == 3
    with pytest.raises(ac.NotDifferentiableError, match="pass it by position"):
        grad(lambda s: f(2.0, scale=s))(1.0)


# ---- checks --------------------------------------------------------------------------------------


def test_the_checker_finds_a_wrong_rule_of_either_mode():
    wrong = primitive(lambda x: x**2)
    defvjp(wrong, lambda ans, x: lambda g: 2.001 * g * x)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of <lambda> failed"):
        check_grads(wrong, modes=["rev"])(1.5)
    apart = primitive(lambda x: x**2)
    defvjp(apart, lambda ans, x: lambda g: 2 * g * x)
    check_grads(apart, modes=["rev"])(1.5)
    check_grads(apart, modes=["fwd"])(1.5)
    defjvp(apart, lambda g, ans, x: 2.001 * g * x)
    check_grads(apart, modes=["rev"], order=1)(1.5)
    with pytest.raises(AssertionError, match="Value mismatch"):
        check_grads(apart, modes=["fwd"])(1.5)
    with pytest.raises(AssertionError, match="modes must be"):
        check_grads(apart, modes=["backward"])(1.5)


def test_combinations_and_equivalence():
    combo_check(lambda x, y: np.sum(x * y), (0, 1))([1.5, onp.ones(3)], [2.0, onp.arange(3.0)])
    check_equivalent([1.0, onp.ones(2)], [1.0, onp.ones(2)])
    with pytest.raises(AssertionError, match="Value mismatch"):
        check_equivalent(1.0, 2.0)
    with pytest.raises(AssertionError, match="Value mismatch"):
        check_equivalent(1.0, -1.0)  # their sum is zero
    assert not scalar_close(1.0, -1.0)
    assert scalar_close(1e9, 1e9 + 100)
    with pytest.raises(AssertionError, match="VSpace mismatch"):
        check_equivalent(1.0, onp.ones(2))


def python_calls(run):
    """How many Python functions run() calls."""
    count = 0

    def profiled(frame, event, arg):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profiled)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def test_the_cost_of_a_primitive_of_arrays():
    # a fit by lifelines consists of such calls; with walks through trees they were 39 and 232
    @primitive
    def product(a, x):
        return a * x

    defvjp(product, lambda ans, a, x: lambda g: onp.sum(g * x), lambda ans, a, x: lambda g: g * a)
    a, x = onp.float64(2.0), onp.ones(3)
    product(a, x)
    assert python_calls(lambda: product(a, x)) <= 20

    def chain(length):
        def f(a):
            out = x
            for _ in range(length):
                out = product(a, out)
            return np.sum(out)

        return python_calls(lambda: grad(f)(2.0))

    chain(1)
    assert (chain(12) - chain(2)) / 10 <= 150


def test_a_primitive_that_computes_with_a_tensor_it_is_not_given():
    w, x = ac.Tensor(onp.ones(2), requires_grad=True), ac.Tensor(2.0, requires_grad=True)

    @primitive
    def scaled(x):
        return w * x

    defvjp(scaled, lambda ans, x: lambda g: onp.sum(g))
    scaled(x).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]
    assert x.grad.item() == 2.0
