"""The tables of operations, by family. Each operation is declared in one place, with its rules.

The public names of a table are NumPy's, except for the names in its `BEYOND_NUMPY`.
"""

from importlib import import_module as _import_module
from types import FunctionType as _FunctionType
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING

from autograd_core.ops import emath as emath
from autograd_core.ops.activations import *
from autograd_core.ops.aliases import *
from autograd_core.ops.arithmetic import *
from autograd_core.ops.arranging import *
from autograd_core.ops.contraction import *
from autograd_core.ops.convolution import *
from autograd_core.ops.diagonals import *
from autograd_core.ops.elementwise import *
from autograd_core.ops.indexing import *
from autograd_core.ops.joining import *
from autograd_core.ops.orders import *
from autograd_core.ops.padding import *
from autograd_core.ops.polynomials import *
from autograd_core.ops.pooling import *
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
from autograd_core.ops.unfolding import *
from autograd_core.ops.windows import *
from autograd_core.ops.writing import *

if not TYPE_CHECKING:  # type checkers read the star imports
    __all__ = [n for n, f in vars().items() if n[0] != "_" and isinstance(f, _FunctionType)]

LATER = frozenset({"fft", "linalg"})  # a quarter of the import time, and rarely needed


def load(namespace: str) -> _ModuleType:
    """Import and return one of `LATER`. It is imported when it is first used, as NumPy does with
    ``np.fft``."""
    return _import_module(f"{__name__}.{namespace}")
