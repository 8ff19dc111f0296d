"""One row per operation: where it is smooth, what NumPy says it is, what its edges keep.

Whatever holds for every operation is tested from here, in test_op_table.py: a new row gets values,
gradients, second order, dtypes, layouts, batching, NumPy's protocols and every device for nothing.
The rows are in files by family, named as the families in autograd_core/ops.
"""

from tests.table.arithmetic import ARITHMETIC
from tests.table.arranging import ARRANGING
from tests.table.contraction import CONTRACTION
from tests.table.convolution import CONVOLUTION
from tests.table.creation import CREATION
from tests.table.elementwise import ELEMENTWISE
from tests.table.emath import EMATH
from tests.table.fft import FFT
from tests.table.indexing import INDEXING
from tests.table.joining import JOINING
from tests.table.linalg import LINALG
from tests.table.matrices import MATRICES
from tests.table.products import PRODUCTS
from tests.table.reductions import REDUCTIONS
from tests.table.rounding import ROUNDING
from tests.table.row import HERE, Row
from tests.table.scans import SCANS
from tests.table.scipy import SCIPY
from tests.table.selecting import SELECTING
from tests.table.shaping import SHAPING
from tests.table.signals import SIGNALS
from tests.table.sorting import SORTING
from tests.table.special import SPECIAL
from tests.table.statistics import STATISTICS
from tests.table.stats import STATS
from tests.table.trigonometry import TRIGONOMETRY
from tests.table.windows import WINDOWS
from tests.table.writing import WRITING

__all__ = ["DIFFERENTIABLE", "HERE", "POINTWISE", "ROWS", "Row"]

POINTWISE = [*ELEMENTWISE, *TRIGONOMETRY, *ARITHMETIC, *ROUNDING]
ROWS = [*POINTWISE, *REDUCTIONS, *SCANS, *SORTING, *STATISTICS, *SHAPING, *ARRANGING,
        *JOINING, *INDEXING, *PRODUCTS, *CONTRACTION, *CONVOLUTION, *LINALG, *MATRICES,
        *FFT, *EMATH, *SIGNALS, *SPECIAL, *STATS, *SCIPY, *CREATION, *SELECTING, *WINDOWS,
        *WRITING]  # fmt: skip
DIFFERENTIABLE = [row for row in ROWS if row.keeps]
