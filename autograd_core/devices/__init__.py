"""Where arrays are: NumPy's on the host, CuPy's on a device."""
