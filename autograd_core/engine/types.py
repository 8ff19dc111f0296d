"""Names for the types of parameters of operations, rules and kernels.

The same code runs on arrays of NumPy, arrays of CuPy and Tensors, which a type checker cannot tell
apart there. The names are for the reader.
"""

from __future__ import annotations

from typing import Any

Array = Any  # an array of NumPy or CuPy, or a Tensor where an operation is composed or recorded
Gradient = Any  # what a rule takes and returns: an Array, or the Parts of several results
Operand = Any  # what a user gives to an operation: a Tensor, an array, a number, a list of these
Shape = tuple[int, ...]
