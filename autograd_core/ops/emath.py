"""NumPy's ``np.emath``: roots, logarithms, powers and inverse functions whose result is complex if
an operand is outside the domain of real results. If an operand is on a device, the host waits for
the result of this test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import composed
from autograd_core.engine.types import Array, Operand
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.ops import elementwise, trigonometry
from autograd_core.ops.operands import as_operand
from autograd_core.ops.shaping import astype

__all__ = [
    "arccos",
    "arcsin",
    "arctanh",
    "log",
    "log2",
    "log10",
    "logn",
    "power",
    "sqrt",
]

SINGLE = tuple(map(np.dtype, ("f4", "i1", "u1", "i2", "u2")))  # the dtypes that become complex64


def _operand(x: Array) -> Array:
    """x as an array. In np.emath, a Python number has a dtype, so it becomes a NumPy scalar."""
    return np.asarray(x)[()] if isinstance(x, int | float | complex) else as_operand(x)


def _any(x: Array, condition: Callable[[Any], Any]) -> bool:
    """Return True if x is real and the condition is true for any element."""
    values = unwrap_nested(x)
    if values.dtype.kind == "c":
        return False
    return bool(backend.run_there(values, lambda: condition(values).any()))


def _complex_where(x: Array, condition: Callable[[Any], Any]) -> Array:
    """x, converted to a complex dtype if x is real and the condition is true for any element."""
    x = _operand(x)
    if not _any(x, condition):
        return x
    return astype(x, np.complex64 if x.dtype in SINGLE else np.complex128)


def _below_0(x: Array) -> Array:
    return x < 0


def _beyond_1(x: Array) -> Array:
    return abs(x) > 1


@composed
def sqrt(x: Operand) -> Array:
    """The square root; complex if an element of x is negative. Its derivative at 0 is inf."""
    return elementwise.sqrt(_complex_where(x, _below_0))


@composed
def log(x: Operand) -> Array:
    """The natural logarithm; complex if an element of x is negative."""
    return elementwise.log(_complex_where(x, _below_0))


@composed
def log2(x: Operand) -> Array:
    """The logarithm to base 2; complex if an element of x is negative."""
    return trigonometry.log2(_complex_where(x, _below_0))


@composed
def log10(x: Operand) -> Array:
    """The logarithm to base 10; complex if an element of x is negative."""
    return trigonometry.log10(_complex_where(x, _below_0))


@composed
def logn(n: Operand, x: Operand) -> Array:
    """The logarithm of x to base n; complex if an element of x or n is negative."""
    return log(x) / log(n)


@composed
def power(x: Operand, p: Operand) -> Array:
    """x ** p. The result is complex if an element of x is negative; it is floating-point if an
    element of p is negative."""
    x, p = _complex_where(x, _below_0), _operand(p)
    return elementwise.power(x, p * 1.0 if _any(p, _below_0) else p)


@composed
def arccos(x: Operand) -> Array:
    """The angle with cosine x; complex if an element of x is outside [-1, 1]. The derivative at
    -1 and 1 is -inf."""
    return trigonometry.arccos(_complex_where(x, _beyond_1))


@composed
def arcsin(x: Operand) -> Array:
    """The angle with sine x; complex if an element of x is outside [-1, 1]. The derivative at -1
    and 1 is inf."""
    return trigonometry.arcsin(_complex_where(x, _beyond_1))


@composed
def arctanh(x: Operand) -> Array:
    """The number with hyperbolic tangent x; complex if an element of x is outside [-1, 1]. The
    derivative at -1 and 1 is inf."""
    return trigonometry.arctanh(_complex_where(x, _beyond_1))
