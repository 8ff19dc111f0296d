"""Recording of operations on Tensors, and the backward pass."""
