"""Functions of SciPy that have no gradient here. The modules pass them through by a ``__getattr__``
that `passed_through` returns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from inspect import isclass
from typing import Any

from autograd_core import ops
from autograd_core.devices import backend
from autograd_core.engine.tensor import make
from autograd_core.engine.untracked import tensors_in, unwrap_nested
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public

__all__ = ["passed_through"]


def passed_through(home: str, name: str = "") -> Callable[[str], Any]:
    """A ``__getattr__`` for a module that stands for the module `home` of SciPy, or for the
    distribution `name` in it. SciPy's module is imported when an attribute is first read."""
    title = f"{home}.{name}" if name else home

    def __getattr__(attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(f"no attribute {attribute!r} in {title}")
        theirs = import_module(home)
        theirs = getattr(theirs, name) if name else theirs
        try:
            value = getattr(theirs, attribute)
        except AttributeError:
            raise AttributeError(f"{title} has no {attribute!r}, here and in SciPy") from None
        plain = isclass(value) or not callable(value) or hasattr(value, "rvs")
        return value if plain else _guarded(f"{title}.{attribute}", value)

    return __getattr__


@cache
def _guarded(title: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's `function`, which refuses tracked Tensors. For untracked Tensors, the arrays in the
    result are Tensors too."""

    @public
    @wraps(function)
    def guarded(*args: Any, **settings: Any) -> Any:
        tensors = list(tensors_in((args, settings)))
        if any(tensor.node is not None for tensor in tensors):
            raise NotDifferentiableError(
                f"{title} has no gradient, and nothing leaves the graph silently. Use "
                f"{_instead(title)}"
            )
        if not tensors:
            return function(*args, **settings)
        return _tensors(function(*unwrap_nested(args), **unwrap_nested(settings)))

    return guarded


def _instead(title: str) -> str:
    _, home, name = title.split(".", 2)
    if home == "linalg" and hasattr(ops.load("linalg"), name):
        return f"autograd_core.linalg.{name}, which has a gradient"
    if home == "linalg" and hasattr(ops, name):
        return f"autograd_core.{name}, which has a gradient"
    return "tensor.detach().numpy() if no gradient is wanted, or declare an op for it"


def _tensors(out: Any) -> Any:
    if type(out) in (tuple, list):
        return type(out)(map(_tensors, out))
    return make(out, None) if backend.is_array(out) and out.dtype.kind in "biufc" else out
