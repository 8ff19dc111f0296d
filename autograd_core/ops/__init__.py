"""The tables of operations, by family. Each operation is declared in one place, with its rules."""

from autograd_core.ops import emath as emath
from autograd_core.ops import fft as fft
from autograd_core.ops import linalg as linalg
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
