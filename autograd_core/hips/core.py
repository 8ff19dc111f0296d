"""make_vjp and make_jvp of functions of one argument, and what HIPS autograd has in this module."""

from __future__ import annotations

from typing import Any

from autograd_core.errors.tracebacks import public
from autograd_core.hips.primitives import (
    forward_mode,
    notrace_primitive,
    primitive,
    primitive_jvps,
    primitive_vjps,
    tracked_in,
)
from autograd_core.hips.rules import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
)
from autograd_core.hips.vspace import VSpace, vspace
from autograd_core.transforms import jvp
from autograd_core.transforms.calls import Function
from autograd_core.transforms.products import called_for_pullback, pullback_of

__all__ = [
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "make_jvp",
    "make_vjp",
    "notrace_primitive",
    "primitive",
    "primitive_jvps",
    "primitive_vjps",
    "vspace",
]


def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return (pullback, fun(x)); ``pullback(g)`` is the product of g and the Jacobian. If the
    result does not depend on x, which gives a warning, it returns zeros for any g."""
    call = called_for_pullback("make_vjp", fun, (x,))
    value = call.value(call.out)
    if not tracked_in(call.out):
        call.warn_unreached()
        return lambda g: vspace(x).zeros(), value
    pullback = pullback_of(call, call.out)
    return public(lambda g: pullback(g)[0]), value


def make_jvp(fun: Function, x: Any) -> Function:
    """A function of a tangent that returns fun(x) and its derivative along the tangent."""

    @public
    def pushed(tangent: Any) -> tuple[Any, Any]:
        token = forward_mode.set(True)  # primitives with a rule for the forward derivative use it
        try:
            return jvp(fun, (x,), (tangent,))
        finally:
            forward_mode.reset(token)

    return pushed
