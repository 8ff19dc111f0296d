"""The sections Parameters and Returns of the docstrings of declared functions.

A declaration has a summary and, where needed, more text. Its parameters are those of NumPy, so
their descriptions come from one table, `PARAMETERS`, and their defaults from the function. All of
this runs at import, for each function; `inspect.signature` would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import CO_VARARGS, CO_VARKEYWORDS, Signature
from typing import Any, TypeVar

from autograd_core.engine.parameters import PARAMETERS, RESULTS
from autograd_core.errors.tracebacks import public

F = TypeVar("F", bound=Callable[..., Any])

TENSOR = "Tensor: Or an array, if no operand is a Tensor."
BROADCAST = "Tensor: Of the shape to which the operands broadcast; an array if none is a Tensor."
# by the annotation of the result
KINDS = {"Tensor": "Tensor:", "tuple": "tuple of Tensors:", "list": "list of Tensors:"}
NO_DEFAULT = Signature.empty
PLACES = {key.rpartition(".")[0] for key in PARAMETERS} - {""}  # with descriptions of their own


def describe(function: Callable[..., Any], key: str, broadcasts: bool = False) -> None:
    """Append the sections to the docstring of a function, whose name in the tables is `key`."""
    doc = function.__doc__
    inner = function if hasattr(function, "__signature__") else _inner(function)
    if doc is None or key.rpartition(".")[2].startswith("_"):  # python -OO, or not public
        return
    text = doc.rstrip().replace("\n    ", "\n")
    text = text.partition("\n\nParameters\n-")[0]  # those of a function without `where`
    places = [place for place in _places(key) if place in PLACES]
    parameters = [_parameter(places, *named) for named in _signature(inner)]
    result = RESULTS.get(key) or (BROADCAST if broadcasts else _result(inner))
    kind, _, words = result.partition(":")
    if parameters:
        text += "\n\nParameters\n----------\n" + "\n".join(parameters)
    if result:
        text += f"\n\nReturns\n-------\n{kind}" + (f"\n   {words}" if words else "")
    function.__doc__ = text + "\n"


def described(function: F) -> F:
    """Declare a public function that is in no table, such as those that create arrays."""
    shown: Any = public(function)
    module = function.__module__.removeprefix("autograd_core.").removeprefix("ops.")
    namespace = "" if module.startswith("interface.") else f"{module}."
    describe(shown, namespace + function.__name__)
    return shown  # type: ignore[no-any-return]


def _result(function: Callable[..., Any]) -> str:
    annotations = function.__annotations__
    annotation = str(annotations.get("return", "Array"))
    return "" if annotation == "None" else KINDS.get(annotation.partition("[")[0], TENSOR)


def _signature(function: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield (stars, name, default) for each parameter."""
    if hasattr(function, "__signature__"):
        for parameter in function.__signature__.parameters.values():
            yield "", parameter.name, parameter.default
        return
    code, defaults = function.__code__, function.__defaults__ or ()
    positional, named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    further = iter(code.co_varnames[named:])
    for i, name in enumerate(code.co_varnames[:positional], len(defaults) - positional):
        yield "", name, defaults[i] if i >= 0 else NO_DEFAULT
    if code.co_flags & CO_VARARGS:
        yield "*", next(further), NO_DEFAULT
    for name in code.co_varnames[positional:named]:
        yield "", name, function.__kwdefaults__[name]
    if code.co_flags & CO_VARKEYWORDS:
        yield "**", next(further), NO_DEFAULT


def _inner(function: Any) -> Any:
    """The function in its wrappers, such as the one that shortens tracebacks."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def _places(key: str) -> Iterator[str]:
    """The function and the modules that it is in, such as ``linalg.norm`` and ``linalg``."""
    while key:
        yield key
        key = key.rpartition(".")[0]


def _parameter(places: list[str], stars: str, name: str, default: Any) -> str:
    """The description of a parameter: that of the function, of its module, or of all functions."""
    for place in places:
        if f"{place}.{name}" in PARAMETERS:
            return _written(f"{place}.{name}", stars, name, default)
    return _written(name, stars, name, default)


@lru_cache(maxsize=None, typed=True)
def _written(key: str, stars: str, name: str, default: Any) -> str:
    kind, _, words = PARAMETERS.get(key, "Any: ").partition(":")
    if default is not NO_DEFAULT:
        value = default.__name__ if isinstance(default, type) else repr(default)
        kind += ", optional" if default is None else f", default {value}"
    return f"{stars}{name} : {kind}\n   {words}"
