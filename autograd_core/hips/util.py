"""Small functions under HIPS autograd's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core.engine.exits import warn_user
from autograd_core.hips.arguments import subval, subvals
from autograd_core.hips.test_util import check_grads

__all__ = ["func", "quick_grad_check", "subval", "subvals"]


def func(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function f itself; programs for Python 2 use it on methods."""
    return f


def quick_grad_check(
    fun: Callable[..., Any], arg0: Any, extra_args: Any = (), kwargs: Any = None, **_: Any
) -> None:
    """Check the gradient of `fun` in its first argument. Deprecated: use test_util.check_grads."""
    warn_user("quick_grad_check is deprecated; use test_util.check_grads")
    check_grads(lambda x: fun(x, *extra_args, **(kwargs or {})), modes=["rev"], order=1)(arg0)
