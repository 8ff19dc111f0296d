"""Operators on functions of several arguments, made from operators on functions of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Signature, signature
from typing import Any

from autograd_core.errors.tracebacks import public
from autograd_core.hips.arguments import subvals
from autograd_core.transforms.calls import called


def unary_to_nary(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Turn ``operator(fun, x)`` into a function of (fun, argnum=0). It returns a function of fun's
    arguments that applies `operator` to `fun` as a function of the positional argument `argnum`
    alone, or of the tuple of several arguments for a list or tuple of positions."""

    @wraps(operator)
    def of_function(fun: Callable[..., Any], argnum: Any = 0, *more: Any, **further: Any) -> Any:
        check_argnum(operator, argnum)

        @public
        def of_arguments(*args: Any, **settings: Any) -> Any:
            places: Sequence[int] = (argnum,) if isinstance(argnum, int) else argnum
            if places and not all(-len(args) <= i < len(args) for i in places):
                raise IndexError(
                    f"{called(operator)}: argnum={argnum}, but {called(fun)} was called with "
                    f"{len(args)} positional arguments"
                )

            @wraps(fun)
            def unary(x: Any) -> Any:
                given = (x,) if isinstance(argnum, int) else x
                return fun(*subvals(args, zip(places, given, strict=True)), **settings)

            chosen = args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in argnum)
            return operator(unary, chosen, *more, **further)

        return named(of_arguments, operator, fun, argnum)

    own = signature(of_function, follow_wrapped=False)  # `wraps` would show that of `operator`
    shown = list(own.parameters.values())
    if len(signature(operator).parameters) == 2:
        shown = shown[:2]
    of_function.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    return of_function


def check_argnum(operator: Callable[..., Any], argnum: Any) -> None:
    """Raise TypeError unless `argnum` is a position or a list or tuple of them."""
    if type(argnum) not in (int, tuple, list):
        raise TypeError(
            f"{called(operator)}: argnum must be an int, or a tuple or list of them, not {argnum!r}"
        )


def named(
    derivative: Callable[..., Any], operator: Callable[..., Any], fun: Any, argnum: Any
) -> Callable[..., Any]:
    """`derivative` with a name and a docstring that say what it is."""
    derivative.__name__ = f"{called(operator)}_of_{called(fun)}_wrt_argnum_{argnum}"
    derivative.__doc__ = (
        f"    {called(operator)} of function {called(fun)} with respect to argument number "
        f"{argnum}. It takes the same arguments as {called(fun)}."
    )
    return derivative
