"""make_vjp and make_jvp of functions of one argument, and what HIPS autograd has in this module."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.errors.tracebacks import public
from autograd_core.hips.primitives import (
    forward_mode,
    getval,
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
from autograd_core.transforms.boxes import Box
from autograd_core.transforms.calls import Function
from autograd_core.transforms.products import called_for_pullback, pullback_of

__all__ = [
    "Box",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "getval",
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
    return pulling(pullback_of(call, call.out), value), value


def pulling(pullback: Function, value: Any) -> Function:
    """A pullback of one argument, which also takes a number or a list for an array."""
    return public(lambda g: pullback(like(value, g))[0])


def like(value: Any, g: Any) -> Any:
    """A cotangent or tangent g in the structure and shape of `value`, an array or a tree."""
    if isinstance(value, list | tuple | dict):
        return g
    g = np.asarray(g, float) if isinstance(g, list | tuple) else g
    return g * np.ones_like(value) if np.shape(g) == () != np.shape(value) else g


def make_jvp(fun: Function, x: Any) -> Function:
    """A function of a tangent that returns fun(x) and its derivative along the tangent."""

    @public
    def pushed(tangent: Any) -> tuple[Any, Any]:
        token = forward_mode.set(True)  # primitives with a rule for the forward derivative use it
        try:
            return jvp(fun, (x,), (like(x, tangent),))
        finally:
            forward_mode.reset(token)

    return pushed
