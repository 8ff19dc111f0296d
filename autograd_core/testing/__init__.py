"""Checks of the gradients of this library's operations, of your operations, and of other functions.

    check_gradients(f, *args)             compare gradients with finite differences
    gradient_test(x=between(-1, 1))(f)    a property test of a function
    strategies, programs                  Hypothesis strategies, and random programs

`gradient_test`, `strategies` and `programs` need Hypothesis (``pip install
'autograd-core[testing]'``), which is imported when one of them is first used.
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
