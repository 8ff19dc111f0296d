"""Reverse-mode automatic differentiation for people who write NumPy.

>>> import autograd_core as ac
>>> x = ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = ac.sum(ac.tanh(x) ** 2)
>>> y.backward()
>>> x.grad.shape
(3,)
"""

from autograd_core import errors, methods, ops, protocols
from autograd_core.backend import available_devices, device, keep_heap
from autograd_core.debug import detect_anomaly
from autograd_core.errors import *
from autograd_core.methods import from_dlpack
from autograd_core.op import (
    composed,
    each,
    elementwise,
    functions,
    nested,
    not_differentiable,
    op,
    operations,
)
from autograd_core.ops import *
from autograd_core.recording import enable_grad, is_recording, no_grad
from autograd_core.tensor import Tensor

abs = absolute
methods.bind()
protocols.bind()

__version__ = "0.1.0"
__all__ = [
    "Tensor",
    "abs",
    "available_devices",
    "composed",
    "detect_anomaly",
    "device",
    "each",
    "elementwise",
    "enable_grad",
    "from_dlpack",
    "is_recording",
]
__all__ += ["keep_heap", "nested", "no_grad", "not_differentiable", "op"]
__all__ += ["functions", "operations"]
__all__ += errors.__all__
__all__ += [name for name in vars(ops) if name in functions]
