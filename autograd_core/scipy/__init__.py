"""Functions under SciPy's names: special functions, densities, and parts of ``scipy.linalg``,
``scipy.signal`` and ``scipy.integrate``. SciPy (``pip install autograd-core[scipy]``) is imported
only when one of these modules is imported. Arrays on a device are computed with CuPy's functions,
where CuPy has them. The modules contain all other functions of SciPy's modules too, for arrays
without gradient.

>>> from autograd_core.scipy import special, stats
"""
