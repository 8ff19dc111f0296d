"""Reverse-mode automatic differentiation for people who write NumPy.

>>> import autograd_core as ac
>>> x = ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> y = ac.sum(ac.tanh(x) ** 2)
>>> y.backward()
>>> x.grad.shape
(3,)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import errors, ops, transforms
from autograd_core.debug import detect_anomaly
from autograd_core.devices.backend import available_devices, device
from autograd_core.devices.memory import keep_heap
from autograd_core.engine import op as _op
from autograd_core.engine.op import (
    composed,
    each,
    elementwise,
    nested,
    not_differentiable,
    once_differentiable,
    op,
)
from autograd_core.engine.state import enable_grad, is_recording, no_grad
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import *
from autograd_core.errors.alternatives import missing
from autograd_core.interface import array_api, creation, methods, protocols, random
from autograd_core.interface.array_api import *
from autograd_core.interface.array_api import (
    __array_api_version__ as __array_api_version__,
)
from autograd_core.interface.array_api import (
    __array_namespace_info__ as __array_namespace_info__,
)
from autograd_core.interface.bessel import i0
from autograd_core.interface.creation import *
from autograd_core.interface.methods import from_dlpack
from autograd_core.ops import *
from autograd_core.ops import emath
from autograd_core.transforms import *

methods.bind()
protocols.bind()

__version__ = "0.1.0"
__all__ = [
    "Tensor",
    "available_devices",
    "composed",
    "detect_anomaly",
    "device",
    "each",
    "elementwise",
    "emath",
    "enable_grad",
    "from_dlpack",
    "i0",
    "is_recording",
]
__all__ += ["keep_heap", "nested", "no_grad", "not_differentiable", "once_differentiable"]
__all__ += ["op"]
__all__ += ["random"]
__all__ += creation.__all__
__all__ += array_api.__all__
__all__ += ["compile", "functions", "operations"]
__all__ += errors.__all__
__all__ += transforms.__all__
__all__ += [*ops.LATER, *vars(ops)["__all__"]]

_PARTS = {"einops", "numpy", "rendering", "scipy", "testing"}  # imported explicitly


def __dir__() -> list[str]:
    return sorted({*__all__, *(_PARTS & globals().keys()), "__version__"})


if TYPE_CHECKING:
    from autograd_core.compiling import compile
    from autograd_core.engine.op import functions, operations
    from autograd_core.ops import fft as fft
    from autograd_core.ops import linalg as linalg
else:

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ops.LATER:
            globals()[name] = ops.load(name)  # so that this is called once
            return globals()[name]
        if name == "compile":
            globals()[name] = import_module("autograd_core.compiling").compile
            return globals()[name]
        if name in ("functions", "operations"):
            for namespace in ops.LATER:
                ops.load(namespace)
            return getattr(_op, name)
        raise AttributeError(missing(name, __all__, hasattr(np, name)))
