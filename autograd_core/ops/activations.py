"""Activations: sigmoid, tanh, softplus, relu.

The derivatives are accurate where the functions saturate. There the result is rounded to its limit
(1 - tanh(20)² is 0 in floating point), so the derivative is computed from x.
"""

from _thread import _local  # threading.local, without the 2 ms of importing threading
from contextvars import Context
from typing import Literal

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.op import elementwise, op
from autograd_core.engine.types import Array, Gradient
from autograd_core.ops.elementwise import masked

__all__ = ["relu", "sigmoid", "softplus", "tanh"]
BEYOND_NUMPY = ("relu", "sigmoid", "softplus")


class _Treated(_local):
    """Calls functions with NumPy's error state set to `treatment` for overflow and division by 0:
    ``quiet.run(function, x)`` ignores both. Each thread keeps a context in which the error state is
    set, and a call costs a tenth of np.errstate."""

    def __init__(self, treatment: Literal["ignore", "raise"]) -> None:
        context = Context()
        context.run(np.seterr, over=treatment, divide=treatment)
        self.run = context.run


quiet, strict = _Treated("ignore"), _Treated("raise")


def _decayed(x: Array) -> Array:
    """exp(-|x|); for complex x, exp(x) where the real part is below 0, else exp(-x)."""
    if np.iscomplexobj(x):
        return np.exp(np.where(x.real < 0, x, -x))
    return np.exp(np.abs(x) * -1.0)  # np.fabs takes ten times as long, np.copysign three times


def _sigmoid(x: Array) -> Array:
    # x * -1.0, not -x, which wraps around if x is an unsigned integer
    try:
        out = strict.run(np.exp, x * -1.0)
    except FloatingPointError:  # overflow: some results are below 1 / (largest float)
        small = _decayed(x)
        return np.where(x.real < 0, small, 1) / (small + 1)
    out += 1
    return np.reciprocal(out)


def _bell(x: Array) -> Array:
    """exp(-|x|) / (1 + exp(-|x|))²."""
    out = _decayed(x)
    below = out + 1
    below *= below
    out /= below
    return out


def _sech_square(x: Array) -> Array:
    """1 / cosh(x)²."""
    grown = quiet.run(np.exp, x)
    out = 2 / (grown + quiet.run(np.divide, 1, grown))
    out *= out
    return out


FEW = 16  # if more than 1 / FEW of the elements need recomputing, all are recomputed


def _on_host(value: Array) -> bool:
    return backend.on_host(value) and value.ndim > 0


def recompute_sigmoid_slope(out: Array, value: Array, x: Array) -> None:
    """Where `value`, the sigmoid of x, is nearly 1, compute its slope from x. If that is so for
    many elements, it is computed for all of them, which gives the same numbers."""
    real = value.dtype.kind == "f" and value.size
    if real and value.item(value.argmax()) <= 0.99:  # the usual case, in half the time
        return
    late = value > 0.99
    few = np.count_nonzero(late)
    if few * FEW > out.size:
        np.copyto(out, _bell(x), where=late)
    elif few:
        out[late] = _bell(x[late])


def _sigmoid_slope_x(g: Gradient, x: Array, out: Array) -> Gradient:
    return -g * out * tanh(x * 0.5)


def _tanh_slope_x(g: Gradient, x: Array, out: Array) -> Gradient:
    return -2 * g * out * tanh(x)


@op(pointwise=True, x=_sigmoid_slope_x, value=None)
def _sigmoid_slope(x: Array, value: Array = None) -> Array:
    """The derivative of sigmoid at x, accurate even where `value`, which is sigmoid(x), is rounded
    to 1. On the host, exponentials are computed only for the elements whose `value` is near 1."""
    if not _on_host(value):
        return _bell(x)
    out = value * (1 - value)
    backend.write_elements(recompute_sigmoid_slope, out, value, x)
    return out


@op(pointwise=True, x=_tanh_slope_x, value=None)
def _tanh_slope(x: Array, value: Array = None) -> Array:
    """The derivative of tanh at x, accurate even where `value`, which is tanh(x), is rounded to -1
    or 1."""
    if not _on_host(value) or value.dtype.kind != "c":
        return _sech_square(x)
    return 1 - value * value


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(np.copysign(x, -1.0)))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


_sigmoid.__name__, _softplus.__name__, _relu.__name__ = "sigmoid", "softplus", "relu"

sigmoid = elementwise(
    _sigmoid,
    "The logistic function 1 / (1 + exp(-x)). No overflow for any x.",
    x=lambda g, x, out: g * _sigmoid_slope(x, out),
)
tanh = elementwise(np.tanh, "The hyperbolic tangent.", x=lambda g, x, out: g * _tanh_slope(x, out))
softplus = elementwise(
    _softplus,
    "log(1 + exp(x)) of real x, the smooth ReLU. No overflow for any x.",
    x=lambda g, x: g * sigmoid(x),
)
relu = elementwise(
    _relu,
    "max(x, 0). The derivative at 0 is 0.",
    x=lambda g, out: masked(g, out > 0),
)
