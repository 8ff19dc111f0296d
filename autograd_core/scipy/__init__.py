"""Functions under SciPy's names: special functions, densities, and parts of ``scipy.linalg`` and
``scipy.signal``. SciPy (``pip install autograd-core[scipy]``) is imported only when one of these
modules is imported. Arrays on a device are computed with CuPy's functions, where CuPy has them.

>>> from autograd_core.scipy import special, stats
"""
