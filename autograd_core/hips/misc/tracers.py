"""`const_graph`, which is the function itself here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any


def const_graph(fun: Callable[..., Any], *args: Any, **settings: Any) -> Callable[..., Any]:
    """The function ``partial(fun, *args, **settings)``.

    HIPS autograd runs `fun` once and repeats the operations of that run; this library calls `fun`
    each time, so its result may depend on its arguments in any way.

    Parameters
    ----------
    fun : callable
        Any function.
    *args, **settings : object
        The first positional arguments of `fun`, and keyword arguments.

    Returns
    -------
    callable
        A function of the other arguments.

    Raises
    ------
    TypeError
        If `fun` is not a function.
    """
    return wraps(fun)(partial(fun, *args, **settings))
