"""NumPy's aliases of functions: their names in the Array API, and older names."""

from autograd_core.ops.elementwise import absolute as abs
from autograd_core.ops.elementwise import conjugate as conj
from autograd_core.ops.elementwise import divide as true_divide
from autograd_core.ops.elementwise import invert as bitwise_invert
from autograd_core.ops.elementwise import invert as bitwise_not
from autograd_core.ops.elementwise import left_shift as bitwise_left_shift
from autograd_core.ops.elementwise import power as pow
from autograd_core.ops.elementwise import remainder as mod
from autograd_core.ops.elementwise import right_shift as bitwise_right_shift
from autograd_core.ops.reductions import max as amax
from autograd_core.ops.reductions import min as amin
from autograd_core.ops.shaping import concatenate as concat
from autograd_core.ops.shaping import transpose as permute_dims
from autograd_core.ops.trigonometry import arccos as acos
from autograd_core.ops.trigonometry import arccosh as acosh
from autograd_core.ops.trigonometry import arcsin as asin
from autograd_core.ops.trigonometry import arcsinh as asinh
from autograd_core.ops.trigonometry import arctan as atan
from autograd_core.ops.trigonometry import arctan2 as atan2
from autograd_core.ops.trigonometry import arctanh as atanh

__all__ = [
    "abs",
    "acos",
    "acosh",
    "amax",
    "amin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_right_shift",
    "concat",
    "conj",
    "mod",
    "permute_dims",
    "pow",
    "true_divide",
]
