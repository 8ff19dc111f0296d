"""The tables of operations, by family. Each operation is declared in one place, with its rules.

The public names of a table are NumPy's, except for the names in its `BEYOND_NUMPY`.
"""

from importlib import import_module as _import_module
from types import FunctionType as _FunctionType
from typing import TYPE_CHECKING
from typing import Any as _Any

from autograd_core.ops import emath as emath
from autograd_core.ops.activations import *
from autograd_core.ops.aliases import *
from autograd_core.ops.arithmetic import *
from autograd_core.ops.arranging import *
from autograd_core.ops.contraction import *
from autograd_core.ops.diagonals import *
from autograd_core.ops.elementwise import *
from autograd_core.ops.indexing import *
from autograd_core.ops.joining import *
from autograd_core.ops.orders import *
from autograd_core.ops.padding import *
from autograd_core.ops.polynomials import *
from autograd_core.ops.products import *
from autograd_core.ops.quantiles import *
from autograd_core.ops.reductions import *
from autograd_core.ops.rounding import *
from autograd_core.ops.scans import *
from autograd_core.ops.selecting import *
from autograd_core.ops.shaping import *
from autograd_core.ops.signals import *
from autograd_core.ops.sorting import *
from autograd_core.ops.statistics import *
from autograd_core.ops.trigonometry import *
from autograd_core.ops.windows import *
from autograd_core.ops.writing import *

# Public name → the module that has it. It is imported when the name is first used, as NumPy does
# with ``np.fft``: these take a third of the import time and are rarely needed without `nn`.
_CONVOLUTION = dict.fromkeys(("conv", "conv_transpose"), "convolution")
_POOLING = dict.fromkeys(("avg_pool", "max_pool", "max_pool_indices"), "pooling")
LATER = {"fft": "fft", "linalg": "linalg"} | _CONVOLUTION | _POOLING

if TYPE_CHECKING:  # type checkers read the star imports
    from autograd_core.ops.convolution import *
    from autograd_core.ops.pooling import *
else:
    __all__ = [n for n, f in vars().items() if n[0] != "_" and isinstance(f, _FunctionType)]


def load(name: str) -> _Any:
    """Import and return what one of the names in `LATER` stands for."""
    module = _import_module(f"{__name__}.{LATER[name]}")
    return module if name == LATER[name] else getattr(module, name)
