"""Transforms of functions into derivatives: `grad`, `jacobian`, `hessian`, `jvp`, `vjp`, `hvp` …

    value, slope = value_and_grad(loss)(weights, images)

The function is called with Tensors for the arguments to differentiate with respect to; the other
arguments are passed unchanged. Arguments and results may be trees: arrays in lists, tuples, dicts
and dataclasses. If all arguments are arrays, the results are arrays; otherwise they are Tensors. A
result that depends on Tensors that were tracked before the call is a tracked Tensor, so transforms
can be nested, and no gradient is lost silently.

`argnum` selects the argument to differentiate with respect to, by position or by name. A tuple of
these selects several arguments, and the result is then a tuple.
"""

from autograd_core.transforms.checkpoints import checkpoint
from autograd_core.transforms.fixed_points import fixed_point
from autograd_core.transforms.gradients import (
    elementwise_grad,
    grad,
    gradients,
    stop_gradient,
    value_and_grad,
)
from autograd_core.transforms.jacobians import hessian, jacobian
from autograd_core.transforms.joint import custom_gradient
from autograd_core.transforms.products import hvp, jvp, linearize, vhp, vjp

__all__ = [
    "checkpoint",
    "custom_gradient",
    "elementwise_grad",
    "fixed_point",
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
