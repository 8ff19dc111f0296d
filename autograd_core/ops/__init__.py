"""The tables of operations, by family. Each operation is declared in one place, with its rules."""

from autograd_core.ops import elementwise, indexing, products, reductions, shaping
from autograd_core.ops.elementwise import *
from autograd_core.ops.indexing import *
from autograd_core.ops.products import *
from autograd_core.ops.reductions import *
from autograd_core.ops.shaping import *

__all__ = elementwise.__all__ + indexing.__all__
__all__ += products.__all__ + reductions.__all__ + shaping.__all__
