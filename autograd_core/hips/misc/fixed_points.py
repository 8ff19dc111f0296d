"""Fixed points of functions, with HIPS autograd's arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core import transforms


def fixed_point(
    f: Callable[[Any], Callable[[Any], Any]],
    a: Any,
    x0: Any,
    distance: Callable[[Any, Any], Any],
    tol: float,
) -> Any:
    """The fixed point of ``f(a)`` that the iteration from x0 reaches, differentiable in a. The
    iteration ends when ``distance(x, previous)`` is at most `tol`. See `autograd_core.fixed_point`.
    """
    return transforms.fixed_point(lambda a, x: f(a)(x), a, x0, distance=distance, tol=tol)
