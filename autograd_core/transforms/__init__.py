"""Functions into their derivatives: `grad`, `jacobian`, `hessian`, `jvp`, `vjp`, `hvp` …

    value, slope = value_and_grad(loss)(weights, images)

A function is given Tensors where it is differentiated, and everything else as it came. Arguments
and results may be trees: arrays in lists, tuples, dicts and dataclasses. Arrays in, arrays out;
Tensors in, Tensors out. What still depends on something that is tracked outside comes back as a
tracked Tensor: transforms nest freely, and nothing leaves the graph silently.

`argnum` says in what to differentiate: an argument's position, its name, or a tuple of these, which
gives a tuple of results.
"""

from autograd_core.transforms.gradients import (
    elementwise_grad,
    grad,
    gradients,
    stop_gradient,
    value_and_grad,
)
from autograd_core.transforms.jacobians import hessian, jacobian
from autograd_core.transforms.joint import checkpoint, custom_gradient
from autograd_core.transforms.products import hvp, jvp, linearize, vhp, vjp

__all__ = [
    "checkpoint",
    "custom_gradient",
    "elementwise_grad",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "stop_gradient",
    "value_and_grad",
    "vhp",
    "vjp",
]
