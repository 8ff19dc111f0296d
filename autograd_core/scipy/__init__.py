"""Functions under SciPy's names: special functions, densities, and parts of its linear algebra and
signal processing. SciPy (``pip install autograd-core[scipy]``) is only imported with these modules;
on a device CuPy's counterparts are used, where they exist.

>>> from autograd_core.scipy import special, stats
"""
