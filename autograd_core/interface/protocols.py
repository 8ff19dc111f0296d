"""NumPy's functions called with Tensors: ``np.exp(tensor)`` is ``autograd_core.exp(tensor)``.

Nothing leaves the graph silently: a function that is not supported raises an error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from autograd_core import ops
from autograd_core.devices.backend import run_there
from autograd_core.engine.op import NAMESPACES, functions
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Operand
from autograd_core.engine.untracked import tensors_in, unwrap_nested
from autograd_core.errors import AutogradError, DeviceError, NotDifferentiableError
from autograd_core.errors.alternatives import instead
from autograd_core.errors.tracebacks import public, shorten
from autograd_core.interface import creation
from autograd_core.interface.writes import check_out, write_out

ALIASES: dict[str, Callable[..., Any]] = {
    "amax": ops.max,
    "amin": ops.min,
    "row_stack": ops.vstack,
    "permute_dims": ops.transpose,
    "concat": ops.concatenate,
    "trapz": ops.trapezoid,
}
# Functions whose results have no gradient. They return what NumPy returns, not Tensors.
UNRECORDED = ("shape", "ndim", "size", "result_type", "can_cast", "common_type", "min_scalar_type",
         "iscomplexobj", "isrealobj", "may_share_memory", "shares_memory", "array_equal",
         "array_equiv", "allclose", "isclose", "array_repr", "array_str", "array2string",
         "diag_indices_from", "tril_indices_from", "triu_indices_from",
         )  # fmt: skip
SHORTER = {"a_min": "min", "a_max": "max"}  # parameters that NumPy has under two names
# parameters that permit something, such as a subclass of ndarray, and never change the values
PERMITS = ("overwrite_input", "subok")
LIKE = ("zeros_like", "ones_like", "empty_like", "full_like")
# default values that NumPy 2.0 passes explicitly, and that are ignored
PASSED_ON = {"order": ("C", "K"), "ndmin": (0,), "subok": (False,)}
MADE_LIKE = (
    "arange",
    "array",
    "asarray",
    "empty",
    "eye",
    "full",
    "identity",
    "ones",
    "tri",
    "zeros",
)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls NumPy's `function` with the arrays of the Tensors, on their device."""

    def answer(*args: Any, **settings: Any) -> Any:
        tensors = list(tensors_in((args, settings)))
        homes = sorted({tensor.device for tensor in tensors})
        if len(homes) > 1:
            raise DeviceError(
                f"{function.__name__}: the Tensors are on {' and '.join(homes)}; move one of them "
                f"first, as in tensor.to({homes[-1]!r})"
            )
        run = partial(function, *unwrap_nested(args), **unwrap_nested(settings))
        return run_there(tensors[0].data, run)

    return answer


def _numpys(name: str) -> Any:
    """NumPy's function called `name`, such as ``"exp"``, ``"linalg.norm"`` or
    ``"sliding_window_view"``; None if there is none."""
    function: Any = np.lib.stride_tricks if hasattr(np.lib.stride_tricks, name) else np
    for part in name.split("."):
        function = getattr(function, part, None)
    return function


@cache
def function_table() -> dict[Any, Callable[..., Any]]:
    """A dict from NumPy's functions to the functions for Tensors. It is built at the first use; the
    functions of np.fft and np.linalg are added when they are first called."""
    table: dict[Any, Callable[..., Any]] = {}
    for name, ours in (functions | ALIASES).items():
        if name.partition(".")[0] in ops.LATER:
            continue
        function = _numpys(name)
        if function is not None and not isinstance(function, np.ufunc):
            table[function] = ours
    table |= {getattr(np, name): _plain(getattr(np, name)) for name in UNRECORDED}
    table |= {getattr(np, name): getattr(creation, name) for name in LIKE}
    return table


def made_like(function: Any) -> Callable[..., Any] | None:
    """The function for Tensors for NumPy's `function` if that has the argument `like`, on which
    alone NumPy dispatches it; else None."""
    return _table_of_made_like().get(function)


@cache
def _table_of_made_like() -> dict[Any, Callable[..., Any]]:
    return {getattr(np, name): getattr(creation, name) for name in MADE_LIKE}


@cache
def ufunc_table() -> dict[Any, Callable[..., Any]]:
    """A dict from the ufuncs of NumPy and SciPy to the operations for Tensors."""
    pairs = ((_numpys(name), ours) for name, ours in functions.items())
    return {ufunc: ours for ufunc, ours in pairs if isinstance(ufunc, np.ufunc)}


def _uncovered(call: str, instead: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"np.{call} is not supported for Tensors, and nothing leaves the graph silently. "
        f"Use {instead}"
    )


_EXIT = "tensor.detach().numpy() if no gradient is wanted, or declare an op for it"


def _name_and_alternative(function: Any) -> tuple[str, str]:
    """The name of a function that is not supported, and what to use instead."""
    place = function.__module__.removeprefix("numpy").strip(".")
    name = f"{place}.{function.__name__}" if place in NAMESPACES else function.__name__
    return name, instead(name)


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """Tensor's `__array_ufunc__`, which NumPy calls: run the operation for the ufunc."""
    try:
        ours = operation_of(ufunc)
        if ours is None:
            name = ufunc.__name__
            raise _uncovered(name if method == "__call__" else f"{name}.{method}", _EXIT)
        if method == "__call__" and not settings:
            return ours(*inputs)
        from autograd_core.interface import ufuncs  # imported here, as few programs need it

        if method == "__call__":
            return ufuncs.call(ufunc, ours, inputs, settings)
        if method == "reduceat" and len(inputs) > 1:
            settings.pop("indices", None)  # NumPy passes it by position and by keyword
        return ufuncs.UFUNC_METHODS[method](ufunc, ours, *inputs, **settings)
    except Exception as error:
        shorten(error)
        raise


class _Parameters:
    """How the parameters of a NumPy function correspond to those of the function for Tensors."""

    def __init__(
        self, agree: int, defaults: dict[str, Any], renamed: dict[str, str], foreign: set[str]
    ) -> None:
        self.agree = agree  # number of leading parameters with the same meaning
        self.defaults = defaults  # NumPy's parameters, in order
        self.renamed = renamed  # NumPy's name → this package's, where they differ
        self.foreign = foreign  # parameters that only NumPy's function has
        self.shared = {*defaults} - foreign - {*renamed}  # parameters of the same name


@cache
def _parameters(function: Any, ours: Any) -> _Parameters | None:
    """The `_Parameters` of a pair of functions; None if one takes ``*operands``, or NumPy's has no
    signature."""
    import inspect  # imported here: slow, half the import time of this package

    try:
        theirs = inspect.signature(function).parameters
    except ValueError:
        return None
    mine = inspect.signature(ours).parameters
    if any(p.kind is p.VAR_POSITIONAL for p in (*theirs.values(), *mine.values())):
        return None
    in_order = [name for name, p in mine.items() if p.kind is not p.KEYWORD_ONLY]
    pairs = [(a, b) for a, b in zip(theirs, in_order, strict=False)]
    renamed = {a: b for a, b in pairs if a not in mine and b not in theirs} | SHORTER
    agree = next((i for i, (a, b) in enumerate(pairs) if renamed.get(a, a) != b), len(pairs))
    defaults = {name: p.default for name, p in theirs.items()}
    return _Parameters(agree, defaults, renamed, {*theirs} - {*mine} - {*renamed})


def _for_ours(
    function: Any, ours: Any, args: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Translate the arguments of NumPy's function to those of the function for Tensors. A parameter
    that only NumPy's function has is accepted if it has its default value, as NumPy's wrappers pass
    it."""
    known = _parameters(function, ours)
    if known is None:
        return args, {n: v for n, v in settings.items() if n not in PERMITS}
    if len(args) <= known.agree and _unchanged(args, settings, known.shared):
        return args, settings
    agree, absent, names = known.agree, [v is np._NoValue for v in args], list(known.defaults)
    if len(args) > len(names):
        raise TypeError(f"np.{function.__name__} takes {len(names)} arguments, not {len(args)}")
    if True in absent:
        agree = min(agree, absent.index(True))
    if "out" in settings or "out" in names[: len(args)]:
        agree = min(agree, 1)  # `_as_wide` reads the settings by name
    for name in settings.keys() & {*names[: len(args)]}:
        raise TypeError(f"np.{function.__name__} got two values for the argument {name!r}")
    behind = dict(zip(names[agree:], args[agree:], strict=False))
    return args[:agree], {
        known.renamed.get(name, name): value
        for name, value in (behind | settings).items()
        if value is not np._NoValue
        and name not in PERMITS
        and (name not in known.foreign or not _is(value, known.defaults[name]))
    }


def _unchanged(args: tuple[Any, ...], settings: dict[str, Any], shared: set[str]) -> bool:
    """True if the arguments, of which those in order agree, need no translation."""
    for name, value in settings.items():
        if name not in shared or value is np._NoValue:
            return False
    return all(value is not np._NoValue for value in args)


def _is(value: Any, default: Any) -> bool:
    """True if a setting has its default value; False for an array."""
    return value is default or (isinstance(value, str) and value == default)


def _of_scipy(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The operation for a ufunc of scipy.special; None if the ufunc is not supported. The operation
    is added to `ufunc_table`."""
    theirs = sys.modules.get("scipy.special")
    if getattr(theirs, ufunc.__name__, None) is not ufunc:
        return None
    from autograd_core.scipy import special

    if ufunc.__name__ not in special.__all__:
        return None
    return ufunc_table().setdefault(ufunc, getattr(special, ufunc.__name__))


def operation_of(function: Any) -> Callable[..., Any] | None:
    """The function for Tensors that replaces NumPy's `function`; None if it is not supported."""
    if isinstance(function, np.ufunc):
        return ufunc_table().get(function) or _of_scipy(function)
    table = function_table()
    if function not in table:
        name, _ = _name_and_alternative(function)
        namespace = name.partition(".")[0]
        if namespace not in ops.LATER:
            return None
        ops.load(namespace)
        if name not in functions:
            return None
        table[function] = functions[name]
    return table[function]


@public
def array_function(
    self: Tensor, function: Any, types: Any, args: tuple[Any, ...], settings: dict[str, Any]
) -> Any:
    """Tensor's `__array_function__`, which NumPy calls: run the function for Tensors that has the
    same name and parameters."""
    ours = operation_of(function)
    if ours is None:
        ours = made_like(function)
        if ours is None:
            raise _uncovered(*_name_and_alternative(function))
        settings = settings | {"device": settings.get("device") or self.device}
    return answer(function, ours, args, settings)


def answer(function: Any, ours: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The result of `ours`, the function for Tensors, called with the arguments of NumPy's
    `function`."""
    out = None
    if ours.__module__ == creation.__name__:
        settings = {n: v for n, v in settings.items() if v not in PASSED_ON.get(n, ())}
    if settings or len(args) > 1:
        args, settings = _for_ours(function, ours, args, settings)
        out = settings.pop("out", None)
    try:
        if out is None:
            return ours(*args, **settings)
        name = f"np.{_name_and_alternative(function)[0]}"
        check_out(name, out)
        settings = _as_wide(function, ours, out, args, settings)
        return write_out(name, ours(*args, **settings), out)
    except TypeError as error:
        if "argument" not in str(error) or isinstance(error, AutogradError):
            raise
        known = _parameters(function, ours)
        if known is not None and not known.foreign & settings.keys():
            raise  # it is wrong for NumPy's function too
        name, _ = _name_and_alternative(function)
        given = ", ".join(setting for setting in settings if setting != "device")
        raise _uncovered(f"{name}({given})", _EXIT) from error


def _as_wide(function: Any, ours: Any, out: Operand, args: Any, settings: dict[str, Any]) -> Any:
    """`settings`, with a floating `dtype` added if NumPy computes in the dtype of `out`: a function
    with the parameter `dtype`, such as a sum, does so if `out` has the wider dtype; `var` and `std`
    compute the deviations in the dtype of the operand all the same."""
    known = _parameters(function, ours)
    wide = known is not None and "dtype" in known.shared and "ddof" not in known.defaults
    if not wide or not hasattr(out, "dtype") or settings.get("dtype") is not None:
        return settings
    first = getattr(args[0], "dtype", None) if args else None
    floating = first is not None and first.kind in "fc" and out.dtype.kind in "fc"
    return settings | {"dtype": np.result_type(first, out.dtype)} if floating else settings


def bind() -> None:
    """Add the methods of NumPy's two dispatch protocols to Tensor."""
    Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
