"""What SciPy users come with: special functions, densities, and a little of its linear algebra and
signal processing. SciPy (``pip install autograd-core[scipy]``) is imported with these modules, and
only then; on a device CuPy's counterparts compute, where it has them.

>>> from autograd_core.scipy import special, stats
"""
