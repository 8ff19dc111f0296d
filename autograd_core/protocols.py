"""NumPy's own functions on Tensors: ``np.exp(tensor)`` is ``autograd_core.exp(tensor)``.

Nothing leaves the graph here: a function that we do not cover raises and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import creation, ops
from autograd_core.errors import NotDifferentiableError
from autograd_core.op import functions
from autograd_core.tensor import Tensor

ALIASES: dict[str, Callable[..., Any]] = {
    "amax": ops.max,
    "amin": ops.min,
    "permute_dims": ops.transpose,
    "concat": ops.concatenate,
    "matrix_transpose": lambda x: ops.swapaxes(x, -1, -2),
}
REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: ops.sum,
    np.maximum: ops.max,
    np.minimum: ops.min,
    np.logical_and: ops.all,
    np.logical_or: ops.any,
}
# Answers about a Tensor that carry no gradient and need none: NumPy's plain result comes out.
PLAIN = ("shape", "ndim", "size", "result_type", "can_cast", "common_type", "min_scalar_type",
         "iscomplexobj", "isrealobj", "may_share_memory", "shares_memory", "array_equal",
         "array_equiv", "allclose", "isclose", "array_repr", "array_str", "array2string",
         )  # fmt: skip
LIKE = ("zeros_like", "ones_like", "empty_like", "full_like")


def _raw(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._data
    if isinstance(value, tuple | list):
        return type(value)(map(_raw, value))
    return value


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **settings: function(*_raw(args), **settings)


def _numpys(name: str) -> Any:
    """NumPy's function of a name such as ``"exp"`` or ``"linalg.norm"``, or None."""
    function: Any = np
    for part in name.split("."):
        function = getattr(function, part, None)
    return function


def _function_table() -> dict[Any, Callable[..., Any]]:
    table: dict[Any, Callable[..., Any]] = {}
    for name, ours in (functions | ALIASES).items():
        function = _numpys(name)
        if function is not None and not isinstance(function, np.ufunc):
            table[function] = ours
    table |= {getattr(np, name): _plain(getattr(np, name)) for name in PLAIN}
    table |= {getattr(np, name): getattr(creation, name) for name in LIKE}
    return table


FUNCTIONS = _function_table()
UFUNCS = {
    ufunc: ours for name, ours in functions.items() if isinstance(ufunc := _numpys(name), np.ufunc)
}


def _uncovered(call: str, instead: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"np.{call} is not covered for Tensors, and nothing leaves the graph silently. "
        f"Use {instead}"
    )


_EXIT = "tensor.detach().numpy() if no gradient is wanted, or declare an op for it"


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """NumPy's `__array_ufunc__`: the operation of the same name."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if "out" in settings:
        raise _uncovered(f"{name}(…, out=array)", "the result itself, as in y = x + tensor")
    if method == "__call__" and ufunc in UFUNCS and settings.keys() <= {"axis"}:
        return UFUNCS[ufunc](*inputs, **settings)
    if method == "reduce" and ufunc in REDUCTIONS:
        return REDUCTIONS[ufunc](*inputs, **{"axis": 0} | settings)
    raise _uncovered(f"{name}({', '.join(settings)})" if settings else name, _EXIT)


def array_function(
    self: Tensor, function: Any, types: Any, args: tuple[Any, ...], settings: dict[str, Any]
) -> Any:
    """NumPy's `__array_function__`: the operation of the same name."""
    ours = FUNCTIONS.get(function)
    if ours is None:
        raise _uncovered(function.__name__, _EXIT)
    if settings.get("out", self) is None:  # NumPy's own wrappers pass the default on
        settings = {name: value for name, value in settings.items() if name != "out"}
    try:
        return ours(*args, **settings)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise _uncovered(f"{function.__name__}({', '.join(settings)})", _EXIT) from error


def bind() -> None:
    """Give Tensor NumPy's two protocols."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
