"""Checks of gradients: of this library's operations, of your own, and of any other function.

    check_gradients(f, *args)             compare with differences of bounded error
    gradient_test(x=between(-1, 1))(f)    a property test of a function
    strategies, programs                  Hypothesis strategies, and random programs

All except `check_gradients` need Hypothesis (``pip install 'autograd-core[testing]'``), which is
imported at their first use.
"""

from typing import Any

from autograd_core.testing.checking import check_gradients
from autograd_core.testing.subject import GradientError, InconclusiveError

__all__ = ["GradientError", "InconclusiveError", "check_gradients"]
__all__ += ["gradient_test", "programs", "strategies"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "gradient_test":
        return import_module("autograd_core.testing.properties").gradient_test
    if name in ("programs", "strategies"):
        return import_module(f"autograd_core.testing.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
