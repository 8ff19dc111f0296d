"""What the parameters of operations, rules and kernels are. No type checker can tell an array of
NumPy from one of CuPy, or a Tensor from both where one text serves for all: the names do."""

from __future__ import annotations

from typing import Any

Array = Any  # an array of NumPy or CuPy, or a Tensor where an operation is composed or recorded
Gradient = Any  # what a rule is given and returns: an Array, or the Parts of several results
Operand = Any  # what a user gives to an operation: a Tensor, an array, a number, a list of these
Shape = tuple[int, ...]
