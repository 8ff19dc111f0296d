"""Vector spaces of a user's own types, and tracing with a user's own nodes."""

import numpy as onp
import pytest

import autograd_core as ac
import autograd_core.hips.numpy as np
from autograd_core.hips import (
    grad,
    make_jvp,
)
from autograd_core.hips.extend import (
    Box,
    VSpace,
    defvjp,
    primitive,
    vspace,
)
from autograd_core.hips.test_util import check_grads
from autograd_core.hips.tracer import Node, toposort, trace

# ---- vector spaces -------------------------------------------------------------------------------


class Polynomial:
    """Coefficients by exponent."""

    def __init__(self, terms):
        self.terms = terms

    @primitive
    def __call__(self, x):
        return sum(c * x**n for n, c in self.terms.items())

    def degree(self):
        return max(self.terms)


class PolynomialBox(Box, Polynomial):
    @property
    def terms(self):
        return self._value.terms


class PolynomialSpace(VSpace):
    def __init__(self, value):
        pass

    def zeros(self):
        return Polynomial({})

    def randn(self):
        return Polynomial({n: onp.random.randn() for n in range(3)})

    def _add(self, x, y):
        exponents = {*x.terms, *y.terms}
        return Polynomial({n: x.terms.get(n, 0.0) + y.terms.get(n, 0.0) for n in exponents})

    def _scalar_mul(self, x, a):
        return Polynomial({n: c * a for n, c in x.terms.items()})

    def _inner_prod(self, x, y):
        return sum(c * y.terms.get(n, 0.0) for n, c in x.terms.items())


PolynomialBox.register(Polynomial)
PolynomialSpace.register(Polynomial)
POWERS = range(3)
defvjp(
    Polynomial.__call__,
    lambda ans, p, x: lambda g: vspace(p).scalar_mul(Polynomial({n: x**n for n in p.terms}), g),
    lambda ans, p, x: lambda g: g * sum(n * c * x ** (n - 1) for n, c in p.terms.items() if n),
)
SOME = Polynomial({0: 1.0, 1: -2.0, 2: 0.5})


def test_a_value_of_a_users_type_has_a_gradient_in_its_space():
    def loss(p, x):
        assert isinstance(p, Polynomial)
        assert p.degree() == 2
        return (p(x) - 3.0) ** 2 + p(2 * x)

    slope = grad(loss)(SOME, 1.5)
    assert type(slope) is Polynomial
    expected = {n: 2 * (SOME(1.5) - 3) * 1.5**n + 3.0**n for n in POWERS}
    assert slope.terms == pytest.approx(expected)
    check_grads(loss, modes=["rev"], order=1)(SOME, 1.5)
    check_grads(loss, 1, order=2)(SOME, 1.5)


def test_a_users_type_stands_in_trees_and_its_operations_are_differentiable():
    space = vspace(SOME)

    def f(tree):
        doubled = space.add(tree["p"], space.scalar_mul(tree["p"], tree["a"]))
        return space.inner_prod(doubled, doubled) * tree["a"]

    slope = grad(f)({"p": SOME, "a": 0.5})
    assert slope["p"].terms == pytest.approx(
        {n: 2 * 1.5**2 * 0.5 * c for n, c in SOME.terms.items()}
    )
    size = space.inner_prod(SOME, SOME)
    assert slope["a"] == pytest.approx(size * (1.5**2 + 2 * 1.5 * 0.5))
    check_grads(f, modes=["rev"], order=1)({"p": SOME, "a": 0.5})


def test_a_gradient_that_does_not_arrive_is_the_spaces_zero():
    with pytest.warns(UserWarning, match="Output seems independent"):
        assert grad(lambda p, x: x * 1.0)(SOME, 2.0).terms == {}


def test_a_derivative_in_a_users_type_can_be_differentiated_in_a_number():
    mixed = grad(lambda x: vspace(SOME).inner_prod(grad(lambda p: p(x) ** 2)(SOME), SOME))(1.5)
    step = 1e-6

    def inner(x):
        return vspace(SOME).inner_prod(grad(lambda p: p(x) ** 2)(SOME), SOME)

    assert mixed == pytest.approx((inner(1.5 + step) - inner(1.5 - step)) / (2 * step), rel=1e-7)


def test_a_forward_derivative_in_a_users_type_is_refused():
    with pytest.raises(ac.NotDifferentiableError, match="use the gradient"):
        make_jvp(lambda p: p(2.0))(SOME)(SOME)
    with pytest.raises(ac.NotDifferentiableError, match="use the gradient"):
        make_jvp(lambda a: vspace(SOME).scalar_mul(SOME, a))(2.0)(1.0)


class Opaque:
    def __init__(self, value):
        self.value = value


class Boxed(Opaque):
    pass


class BoxedBox(Box, Boxed):
    pass


def test_a_users_type_without_a_space_is_refused_by_its_place():
    with pytest.raises(TypeError, match=r"argument 0\['c'\] is of type Opaque"):
        grad(lambda d: d["c"].value * d["x"])({"c": Opaque(1.0), "x": 2.0})
    BoxedBox.register(Boxed)
    with pytest.raises(TypeError, match="VSpace"):
        grad(lambda d: d.value)(Boxed(1.0))
    del Box.types[Boxed], Box.types[BoxedBox]


@pytest.mark.parametrize("value", [3, "a", None.__class__, [1.0, "b"]])
def test_a_value_without_a_vector_space_is_refused(value):
    with pytest.raises(TypeError, match="Can't find vector space"):
        vspace(value)


def test_spaces_of_arrays_and_trees():
    space = vspace({"a": 1.0, "b": [onp.ones((2, 3), onp.float32), onp.ones(2, complex)]})
    assert space.size == 1 + 6 + 4
    assert space.iscomplex
    assert space == vspace(space.randn()) == vspace(space.zeros()) == vspace(space.ones())
    assert space != vspace(1.0)
    assert vspace(onp.ones((2, 3))).shape == (2, 3)
    basis = list(space.standard_basis())
    assert len(basis) == space.size
    assert all(space.inner_prod(x, x) == 1 for x in basis)
    assert repr(vspace(onp.ones(2))) == "ArrayVSpace(float64[2])"


def test_a_space_that_defines_too_little_says_what_is_missing():
    class Empty(VSpace):
        pass

    space = Empty(None)
    for name in ("zeros", "ones", "standard_basis", "randn"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(space, name)()
    with pytest.raises(NotImplementedError, match="_inner_prod"):
        space.inner_prod(1.0, 2.0)


# ---- following a function ------------------------------------------------------------------------


class Written(Node):
    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        self.parents = parents
        self.text = f"{fun.__name__}({', '.join(map(str, args))}) = {value}"

    def initialize_root(self):
        self.parents, self.text = (), "root"


def test_trace_makes_a_node_for_each_call():
    value, node = trace(Written.new_root(), lambda x: np.sin(x + 1.0) * x, 2.0)
    assert value == onp.sin(3.0) * 2
    assert type(value) is onp.float64
    texts = [each.text for each in toposort(node)]
    assert texts[0].startswith("multiply(0.14")
    assert texts[-1] == "root"
    assert len(texts) == 4
    value, node = trace(
        Written.new_root(), lambda x: np.sum(np.stack([x, x[::-1]])[0]), onp.ones(3)
    )
    assert value == 3
    assert {t.text.split("(")[0] for t in toposort(node)} >= {"stack", "sum"}


def test_trace_follows_a_gradient():
    value, node = trace(Written.new_root(), grad(lambda x: np.sin(x) * 2), 1.0)
    assert value == 2 * onp.cos(1.0)
    assert any(each.text.startswith("cos(1.0)") for each in toposort(node))


def test_trace_of_a_constant_gives_a_warning():
    with pytest.warns(UserWarning, match="Output seems independent of input"):
        assert trace(Written.new_root(), lambda x: 1.0, 2.0) == (1.0, None)
    with pytest.raises(NotImplementedError, match="does not define initialize_root"):
        type("Bare", (Node,), {}).new_root()
