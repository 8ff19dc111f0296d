"""Functions under SciPy's names: special functions, densities, and parts of ``scipy.linalg``,
``scipy.signal`` and ``scipy.integrate``. SciPy (``pip install 'autograd-core[scipy]'``) is imported
only when one of these modules is imported. Arrays on a device are computed with CuPy's functions,
where CuPy has them. The modules contain all other functions of SciPy's modules too, for arrays
without gradient.

>>> from autograd_core.scipy import special, stats
"""

from importlib import import_module
from typing import Any

__all__ = ["integrate", "linalg", "signal", "special", "stats"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
