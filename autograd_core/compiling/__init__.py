"""Functions as programs of NumPy calls.

A run of the function with tracing arrays gives a list of calls (trace, tracing, captured, places,
draws, program). Passes make the list shorter and reuse memory (simplify, blocks, buffers). It is
written as Python source (source, expressions), bound to arrays (variant) and run (run). Every bit
of the results is kept.
"""

from autograd_core.compiling.run import Compiled, compile

__all__ = ["Compiled", "compile"]
