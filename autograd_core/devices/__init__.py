"""Arrays on the host (NumPy) and on devices (CuPy)."""
