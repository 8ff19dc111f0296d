"""What the parameters of operations, rules and kernels are. A type checker cannot distinguish
arrays of NumPy and CuPy from Tensors in code that runs on all of them; these names describe what is
meant."""

from __future__ import annotations

from typing import Any

Array = Any  # an array of NumPy or CuPy, or a Tensor where an operation is composed or recorded
Gradient = Any  # what a rule takes and returns: an Array, or the Parts of several results
Operand = Any  # what a user gives to an operation: a Tensor, an array, a number, a list of these
Shape = tuple[int, ...]
