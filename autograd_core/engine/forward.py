"""Generates the function of a declared operation, which runs the kernel and records the call.

The source is generated because a general ``*args, **kwargs`` wrapper costs more than the recording
itself. To see the source generated for an operation, such as `exp`, call it once and then run
``linecache.getlines("<operation exp>")``.

``multiply = elementwise(np.multiply, …, x=lambda g, y: g * y, y=…)`` becomes::

    def function(x, y):
        try:
            _home = None
            if _isinstance(x, _Tensor):
                _node_x = x.node
                _home = x = x._array
            elif _type(x) in _PLAIN: _node_x = None
            else:
                x = _operand(x)
                if not _isinstance(x, _Tensor): _node_x = None
                else:
                    _node_x = x.node
                    _home = x = x._array
            if _isinstance(y, _Tensor):
                _node_y = y.node
                _home = y = y._array
            elif _type(y) in _PLAIN: _node_y = None
            else:
                y = _operand(y)
                if not _isinstance(y, _Tensor): _node_y = None
                else:
                    _node_y = y.node
                    _home = y = y._array
            if _home is None: return _kernel(x, y)
            try:
                if _type(_home) is _ndarray: _out = _kernel(x, y)
                else: _out = _run_there(_declared, _home, _kernel, (x, y))
            except _AutogradError as _error:
                _failed(_declared, _error, {"x": [_node_x], "y": [_node_y]})
                raise
            except (_ValueError, _IndexError, _TypeError) as _error:
                _explained = _explanation(_declared, _error, {"x": x, "y": y})
                raise _failed(_declared, _explained, {"x": [_node_x], "y": [_node_y]}) from _error
            _tensor = _new(_Tensor)
            if _type(_out) is not _ndarray:
                _out = _as_array(_out)
                if not _out.ndim: _tensor._memory = _VALUE
            _tensor._array = _out
            _tensor._grad = None
            _recording, _scope, _observer = _now()
            if _node_x is None and _node_y is None or not _recording:
                _tensor.node = None
                return _tensor
            _record = _new(_Node)
            _record.seq = _next(_sequence_numbers)
            _record.op = _declared
            _record.scope = _scope
            _record.watch = None
            _out_shape = _out.shape
            _out_dtype = _record.dtype = _out.dtype
            if _node_x is not None:
                if _node_x.shape == _out_shape:
                    _out_shape = _node_x.shape
                    _fits_x = _node_x.dtype is _out_dtype
                else: _fits_x = False
            if _node_y is not None:
                if _node_y.shape == _out_shape:
                    _out_shape = _node_y.shape
                    _fits_y = _node_y.dtype is _out_dtype
                else: _fits_y = False
            _record.shape = _out_shape
            if _node_x is None:
                _record.parent, _record.rule, _record.saved = _node_y, _rule_y, (x,)
                _record.fits = _fits_y
                _record.more = None
            else:
                _record.parent, _record.rule, _record.saved = _node_x, _rule_x, (y,)
                _record.fits = _fits_x
                _record.more = None if _node_y is None else (_node_y, _rule_y, (x,), _fits_y, None)
            if _out_dtype is _HALF: _widen(_record)
            if _observer is not None: _observer.forward(_record, _out, (x, y))
            _tensor.node = _record
            return _tensor
        except _Foreign:
            return _handed_on(_declared, _locals(), "_")
        except _Exception as _error:
            _shorten(_error)
            _absent = _none_given(_declared, _error, (("x", x), ("y", y)))
            if _absent is not None: raise _absent from None
            raise
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.followers import followed
from autograd_core.devices.fusion import Fused, Symbol
from autograd_core.engine.exits import note_exit
from autograd_core.engine.failures import (
    explanation,
    failed,
    none_given,
    scattered,
    setting_error,
    unexpected,
)
from autograd_core.engine.graph import Node, Operation
from autograd_core.engine.halves import HALF, in_single, widen
from autograd_core.engine.operands import Foreign, gathered, handed_on, operand, stacked
from autograd_core.engine.source import source
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor, result
from autograd_core.engine.types import Array
from autograd_core.engine.untracked import tensors_in, unwrap_nested, wrapped
from autograd_core.engine.views import VALUE, note_view
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import shorten


@cache
def _mark(parameters: tuple[str, ...]) -> str:
    """The prefix of the names in the generated source that are not parameters: one underscore more
    than any parameter begins with, so that no parameter has the same name."""
    return "_" * max(1 + len(p) - len(p.lstrip("_")) for p in ("", *parameters))


@cache
def _globals(mark: str) -> dict[str, Any]:
    return {"__name__": "autograd_core"} | {mark + name: value for name, value in _NAMES.items()}


def function_of(declared: Operation) -> Callable[..., Any]:
    """The function of an operation. Its source is generated and compiled at the first call, so that
    importing hundreds of declarations is fast; later calls run the compiled code directly."""
    mark = _mark(declared.parameters)

    def complete() -> Callable[..., Any]:
        text = "\n".join(source(declared)).replace("$", mark)
        filename = f"<operation {declared.name}>"
        local: dict[str, Any] = {}  # not in `names`, which other threads may be completing
        exec(compile(text, filename, "exec"), names, local)
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        written = local["function"]
        function.__defaults__ = written.__defaults__
        function.__kwdefaults__ = written.__kwdefaults__
        function.__code__ = written.__code__
        return function

    own: dict[str, Any] = {"declared": declared, "kernel": declared.kernel}
    own["defaults"] = declared.defaults
    if declared.pointwise and hasattr(declared.kernel, "__code__"):
        own["chain"] = Fused(declared.kernel)
    own |= {f"rule_{operand}": rule for operand, rule in declared.rules.items()}
    names = _globals(mark) | {mark + name: value for name, value in own.items()}
    names |= {"complete": complete, "shorten": shorten}  # names used in _first_call
    function = FunctionType(_first_call.__code__, names, declared.name)
    function.__qualname__ = declared.name
    function.__signature__ = _signature(declared.parameters, declared.defaults)  # type: ignore[attr-defined]
    return function


def _first_call(*operands: Any, **settings: Any) -> Any:
    try:
        return complete()(*operands, **settings)  # type: ignore[name-defined]  # noqa: F821
    except Exception as error:
        shorten(error)
        raise


@cache
def _signature(parameters: tuple[str, ...], defaults: tuple[Any, ...]) -> Signature:
    missing = (Parameter.empty,) * (len(parameters) - len(defaults))
    pairs = zip(parameters, missing + defaults, strict=True)
    kind = Parameter.POSITIONAL_OR_KEYWORD
    return Signature([Parameter(name, kind, default=default) for name, default in pairs])


def _noted(declared: Operation, node: Node, out: Array) -> None:
    """Log that no gradient flows through this call of an operation."""
    what = f"{declared.name} to {out.dtype}" if declared.rules else declared.name
    note_exit(f"{what}, which has no gradient", node.name, out, node.scope)


def _tracked(out: Array, record: Node) -> Any:
    """The results of an operation with several results, as Tensors with one node each."""
    _, _, observer = STATE.get()
    tensors = []
    for position, array in enumerate(out):
        node = record.result(position, array.shape, array.dtype)
        tensors.append(result(array, node))
        if observer is not None:
            observer.forward(record, array, ())
            observer.forward(node, array, ())
    return type(out)(*tensors)


def _unwrap_each(values: Any) -> tuple[list[Any], list[Node | None] | None, Any]:
    """The arrays in a list of operands, a list of their nodes, and the array of the first Tensor.
    Without a Tensor in it, the list is returned unchanged, with None for the other two."""
    if isinstance(values, Tensor):
        values = list(values)
    first = next(tensors_in(values), None)
    if first is None:
        return values, None, None
    device = first.device
    parts = [value if isinstance(value, Tensor) else stacked(value, device) for value in values]
    nodes = [part.node if isinstance(part, Tensor) else None for part in parts]
    arrays = [part._array if isinstance(part, Tensor) else part for part in parts]
    return arrays, nodes, first._array


def _run_there(
    declared: Operation, home: Array, kernel: Callable[..., Any], values: tuple[Any, ...]
) -> Any:
    """Run a kernel on the device of `home`, in float32 if its operands are float16."""
    operands = {
        name: value
        for name, value in zip(declared.parameters, values, strict=True)
        if name in declared.operands and name not in declared.nested
    }
    found = scattered(declared, operands)
    if found is not None:
        raise found
    if declared.pointwise and home.dtype is HALF:
        kernel, values = in_single, (kernel, *values)
    if backend.is_traced(home):
        return home._trace.kernel(declared.name, kernel, values)
    return followed(backend.run_there(home, kernel, *values), *values)


_NAMES: dict[str, Any] = {
    "AutogradError": AutogradError,
    "Exception": Exception,
    "Foreign": Foreign,
    "HALF": HALF,
    "IndexError": IndexError,
    "Node": Node,
    "PLAIN": backend.PLAIN | {Symbol},
    "Tensor": Tensor,
    "TypeError": TypeError,
    "VALUE": VALUE,
    "ValueError": ValueError,
    "any": any,
    "as_array": backend.as_array,
    "explanation": explanation,
    "failed": failed,
    "handed_on": handed_on,
    "isinstance": isinstance,
    "len": len,
    "gathered": gathered,
    "locals": locals,
    "ndarray": np.ndarray,
    "none_given": none_given,
    "new": object.__new__,
    "next": next,
    "note_view": note_view,
    "noted": _noted,
    "now": STATE.get,
    "operand": operand,
    "range": range,
    "run_there": _run_there,
    "sequence_numbers": sequence_numbers,
    "setting_error": setting_error,
    "shorten": shorten,
    "tracked": _tracked,
    "type": type,
    "unexpected": unexpected,
    "untracked": wrapped,
    "unwrap_each": _unwrap_each,
    "unwrap_nested": unwrap_nested,
    "widen": widen,
}
