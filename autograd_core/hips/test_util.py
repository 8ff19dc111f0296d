"""Checks of gradients against finite differences, in all vector spaces.

`autograd_core.testing.check_gradients` checks more, and reports which element differs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from autograd_core.hips.core import make_jvp, make_vjp
from autograd_core.hips.vspace import vspace
from autograd_core.hips.wrap_util import unary_to_nary
from autograd_core.transforms.calls import Function, called

TOLERANCE = 1e-6  # of the absolute and of the relative difference
STEP = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """True if two numbers differ by less than 1e-6, or by less than 1e-6 of their sum."""
    return bool(abs(a - b) < TOLERANCE or abs(a - b) < TOLERANCE * abs(a + b))


def make_numerical_jvp(f: Function, x: Any) -> Function:
    """A function of a tangent that returns the central difference of f along it."""
    space, values = vspace(x), vspace(f(x))

    def pushed(v: Any) -> Any:
        above = f(space.add(x, space.scalar_mul(v, STEP / 2)))
        below = f(space.add(x, space.scalar_mul(v, -STEP / 2)))
        return values.scalar_mul(values.add(above, values.scalar_mul(below, -1.0)), 1 / STEP)

    return pushed


def check_equivalent(x: Any, y: Any) -> None:
    """Raise AssertionError unless x and y are close elements of the same vector space."""
    space, other = vspace(x), vspace(y)
    assert space == other, f"VSpace mismatch:\nx: {space}\ny: {other}"
    v = space.randn()
    close = scalar_close(space.inner_prod(x, v), space.inner_prod(y, v))
    assert close, f"Value mismatch:\nx: {x}\ny: {y}"


def check_vjp(f: Function, x: Any) -> None:
    """Raise AssertionError if the gradient of f at x is not that of finite differences."""
    pullback, y = make_vjp(f, x)
    space, values = vspace(x), vspace(y)
    v, w = space.randn(), values.randn()
    pulled = space.covector(pullback(values.covector(w)))
    assert vspace(pulled) == space, f"the gradient of {called(f)} is not in the space of {x}"
    exact = space.inner_prod(v, pulled)
    numeric = values.inner_prod(w, make_numerical_jvp(f, x)(v))
    assert scalar_close(numeric, exact), (
        f"Derivative (VJP) check of {called(f)} failed with arg {x}:\nanalytic: {exact}\n"
        f"numeric:  {numeric}"
    )


def check_jvp(f: Function, x: Any) -> None:
    """Raise AssertionError if the forward derivative of f at x is not that of finite
    differences."""
    v = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(v)[1], make_numerical_jvp(f, x)(v))


@unary_to_nary
def check_grads(f: Function, x: Any, modes: Any = None, order: int = 2) -> None:
    """A function of f's arguments that checks the derivatives of f there up to `order`, in the
    `modes` "fwd" and "rev" (both by default), along random directions. It raises AssertionError if
    one differs from central differences."""
    modes = ["fwd", "rev"] if modes is None else modes
    unknown = {*modes} - {"fwd", "rev"}
    assert not unknown, f"modes must be 'fwd' and 'rev', not {unknown}"
    for mode, check, derivative, at in (
        ("fwd", check_jvp, lambda x, v: make_jvp(f, x)(v)[1], x),
        ("rev", check_vjp, lambda x, v: make_vjp(f, x)[0](v), None),
    ):
        if mode not in modes:
            continue
        check(f, x)
        if order > 1:
            derivative.__name__ = f"{'jvp' if mode == 'fwd' else 'vjp'}_{called(f)}"
            v = vspace(x if at is x else f(x)).randn()
            check_grads(derivative, (0, 1), modes, order=order - 1)(x, v)


def combo_check(fun: Function, *args: Any, **settings: Any) -> Callable[..., None]:
    """A function of lists that runs ``check_grads(fun, …)`` for each combination of their
    entries."""

    def check(*choices: Any, **named: Any) -> None:
        pairs = [[(name, value) for value in values] for name, values in named.items()]
        for given in product(*choices):
            for chosen in product(*pairs):
                check_grads(fun, *args, **settings)(*given, **dict(chosen))

    return check
