"""A strict stand-in for CuPy: what runs on it uses nothing that CuPy has not got."""
