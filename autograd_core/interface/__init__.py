"""The NumPy interface of Tensors."""
