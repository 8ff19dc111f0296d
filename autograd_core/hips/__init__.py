"""HIPS autograd's public names, so that a program written for it runs with one import changed.

    import autograd_core.hips as autograd
    import autograd_core.hips.numpy as np
    from autograd_core.hips import grad

The functions are those of `autograd_core` under other names; docs/from-autograd.md lists what
differs.
"""

from __future__ import annotations

import importlib
from typing import Any

from autograd_core.hips.builtins import dict, isinstance, list, tuple, type
from autograd_core.hips.differential_operators import (
    checkpoint,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    value_and_multigrad,
    vector_jacobian_product,
)
from autograd_core.hips.primitives import primitive
from autograd_core.numpy.renamed import RENAMED as _seconds

__all__ = [
    "checkpoint",
    "deriv",
    "dict",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "isinstance",
    "jacobian",
    "list",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "primitive",
    "tensor_jacobian_product",
    "tuple",
    "type",
    "value_and_grad",
    "value_and_multigrad",
    "vector_jacobian_product",
]

_MODULES = {"builtins", "core", "extend", "misc", "numpy", "scipy", "test_util", "tracer", "util"}
# names below this module → modules that differ in their names only
_RENAMED = {
    "numpy.fft": "autograd_core.numpy.fft",
    "numpy.linalg": "autograd_core.numpy.linalg",
    "numpy.random": "numpy.random",
    "numpy.numpy_boxes": "autograd_core.hips.boxes",
    "numpy.numpy_vjps": "autograd_core.hips.unbroadcasting",
    "numpy.numpy_vspaces": "autograd_core.hips.vspace",
    "numpy.numpy_wrapper": "autograd_core.hips.numpy",
    "scipy": "autograd_core.scipy",
    "scipy.signal": "autograd_core.hips.signal",
}
_seconds |= {f"{__name__}.{name}": own for name, own in _RENAMED.items()}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
