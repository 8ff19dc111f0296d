"""One row per operation: where it is smooth, what NumPy says it is, what its edges keep.

Whatever holds for every operation is tested from here, in test_op_table.py: a new row gets values,
gradients, second order, dtypes, layouts, batching, NumPy's protocols and every device for nothing.
The rows stand by family in rows_….py, beside the families in autograd_core/ops.
"""

from op_row import HERE, Row
from rows_arithmetic import ARITHMETIC
from rows_arranging import ARRANGING
from rows_contraction import CONTRACTION
from rows_creation import CREATION
from rows_elementwise import ELEMENTWISE
from rows_emath import EMATH
from rows_fft import FFT
from rows_indexing import INDEXING
from rows_joining import JOINING
from rows_linalg import LINALG
from rows_matrices import MATRICES
from rows_products import PRODUCTS
from rows_reductions import REDUCTIONS
from rows_rounding import ROUNDING
from rows_scans import SCANS
from rows_scipy import SCIPY
from rows_selecting import SELECTING
from rows_shaping import SHAPING
from rows_signals import SIGNALS
from rows_sorting import SORTING
from rows_special import SPECIAL
from rows_statistics import STATISTICS
from rows_stats import STATS
from rows_trigonometry import TRIGONOMETRY
from rows_windows import WINDOWS
from rows_writing import WRITING

__all__ = ["DIFFERENTIABLE", "HERE", "POINTWISE", "ROWS", "Row"]

POINTWISE = [*ELEMENTWISE, *TRIGONOMETRY, *ARITHMETIC, *ROUNDING]
ROWS = [*POINTWISE, *REDUCTIONS, *SCANS, *SORTING, *STATISTICS, *SHAPING, *ARRANGING,
        *JOINING, *INDEXING, *PRODUCTS, *CONTRACTION, *LINALG, *MATRICES, *FFT, *EMATH,
        *SIGNALS, *SPECIAL, *STATS, *SCIPY, *CREATION, *SELECTING, *WINDOWS, *WRITING]  # fmt: skip
DIFFERENTIABLE = [row for row in ROWS if row.keeps]
