"""Functions as programs of NumPy calls.

A run of the function with tracing arrays gives a list of calls (trace, captured, program). Passes
make the list shorter and reuse memory (simplify, buffers). It is written as Python source (source)
and run (run). Every bit of the results is kept.

This package is not public yet: a program has to notice everything that its function depends on, or
run plainly, and it does not notice everything. tests/test_compiling.py has what it does notice.
"""

from autograd_core.compiling.run import Compiled

__all__ = ["Compiled"]
