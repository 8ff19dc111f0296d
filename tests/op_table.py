"""One row per operation: where it is smooth, what NumPy says it is, what its edges keep.

Whatever holds for every operation is tested from here, in test_op_table.py: a new row gets values,
gradients, second order, dtypes, layouts, batching, NumPy's protocols and every device for nothing.
The rows stand by family in rows_….py, beside the families in autograd_core/ops.
"""

from op_row import HERE, Row
from rows_elementwise import ELEMENTWISE
from rows_indexing import INDEXING
from rows_products import PRODUCTS
from rows_reductions import REDUCTIONS
from rows_shaping import SHAPING

__all__ = ["DIFFERENTIABLE", "ELEMENTWISE", "HERE", "ROWS", "Row"]

ROWS = [*ELEMENTWISE, *REDUCTIONS, *SHAPING, *INDEXING, *PRODUCTS]
DIFFERENTIABLE = [row for row in ROWS if row.keeps]
