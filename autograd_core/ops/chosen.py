"""NumPy's ``initial=`` and ``where=`` for reductions. They are composed of other operations,
because CuPy does not have them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np

from autograd_core.engine.op import listed
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import shorten
from autograd_core.ops.elementwise import where as choose


def reduction(
    neutral: Any, join: Callable[[Any, Any], Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Tensor]]:
    """A decorator that adds the keyword `where` to a declared reduction and, if `join` is given,
    the keyword `initial`. `join` combines two results of the reduction. Elements that `where`
    excludes count as `neutral` or, if `neutral` is None, as `initial`."""

    def declare(plain: Callable[..., Any]) -> Callable[..., Tensor]:
        name = plain.__name__

        def reduced(
            x: Array, *args: Any, where: Any = None, initial: Any = None, **more: Any
        ) -> Array:
            try:
                if where is None and initial is None:
                    return plain(x, *args, **more)
                if where is not None and where is not True:
                    filler = initial if neutral is None else neutral
                    if filler is None:
                        raise ShapeError(f"{name}: `initial` is required with `where`")
                    x = choose(where, x, filler)
                out = plain(x, *args, **more)
                if initial is None or join is None:
                    return out
                if not hasattr(initial, "dtype"):
                    initial = np.asarray(initial, out.dtype)[()]  # raises where NumPy does
                return join(out, initial)
            except Exception as error:
                shorten(error)
                raise

        return with_description(reduced, plain, ["where"] if join is None else ["initial", "where"])

    return declare


def with_description(
    function: Callable[..., Any], plain: Callable[..., Any], keywords: list[str]
) -> Callable[..., Tensor]:
    """`function` with the name, the docstring and the signature of `plain`, to which `keywords` are
    added."""
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(function, attribute, getattr(plain, attribute))
    parameters = [
        *signature(plain).parameters.values(),
        *(Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in keywords),
    ]
    function.__signature__ = signature(plain).replace(parameters=parameters)  # type: ignore[attr-defined]
    return listed(function)
