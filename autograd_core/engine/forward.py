"""Generates the function of a declared operation, which runs the kernel and records the call.

The source is generated because a general ``*args, **kwargs`` wrapper costs more than the recording
itself. To read it: ``import linecache; linecache.getlines("<operation multiply>")`` after the first
call.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from functools import cache
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any

import numpy as np

from autograd_core.devices import backend
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
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor, result
from autograd_core.engine.untracked import unwrap_nested, wrapped
from autograd_core.engine.views import VALUE, note_view
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import shorten

__all__ = ["function_of", "meanings"]


def _mark(parameters: tuple[str, ...]) -> str:
    """The prefix of the generated source's own names, so that no parameter has one of them:
    underscores, one more than any parameter begins with."""
    return "_" * max(1 + len(p) - len(p.lstrip("_")) for p in ("", *parameters))


@cache
def _globals(mark: str) -> dict[str, Any]:
    return {"__name__": "autograd_core"} | {mark + name: value for name, value in _NAMES.items()}


def meanings(declared: Operation, operand: str) -> Iterator[tuple[str, str, str]]:
    """The names that the rule for `operand` may use: each with its expression in the generated
    source and its meaning in words. A name that occurs twice is ambiguous."""
    for p in declared.parameters:
        yield p, p, f"the parameter {p}"
    for p in declared.operands:
        yield f"{p}_shape", f"{p}.shape", f"the shape of {p}"
    for one in declared.results:
        yield one.name, f"$out.{one.name}", f"the result {one.name}"
    if not declared.results:
        yield "out", "$out", "the result"
        yield "out_shape", "$out_shape", "the shape of the result"
    if operand in declared.variadic:
        yield "position", "$position", f"the position in {operand}"
        yield "shapes", "$shapes", f"the shapes of {operand}"


def function_of(declared: Operation) -> Callable[..., Any]:
    """A function whose source is generated at its first call, so that importing hundreds of
    declarations is cheap; from the second call on it is that plain function."""
    mark = _mark(declared.parameters)

    def complete() -> Callable[..., Any]:
        source = "\n".join(_source(declared)).replace("$", mark)
        filename = f"<operation {declared.name}>"
        exec(compile(source, filename, "exec"), names)
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        written = names.pop("function")
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


def _source(declared: Operation) -> Iterator[str]:
    """The source of a function that runs and records one operation. ``$`` stands for the prefix of
    our own names."""
    parameters = declared.parameters
    first_default = len(parameters) - len(declared.defaults)
    signature = [
        p if i < first_default else f"{p}=$defaults[{i - first_default}]"
        for i, p in enumerate(parameters)
    ]
    call = ", ".join(parameters)
    foreign = [f for f, own in {"dim": "axis", "keepdim": "keepdims"}.items()
               if own in declared.settings and f not in parameters]  # fmt: skip
    if foreign:  # single keywords are cheaper than **unknown
        signature += ["*", *(f"{name}=None" for name in foreign)]
    yield f"def function({', '.join(signature)}):"
    yield "    try:"
    for name in foreign:
        yield f"        if {name} is not None: raise $unexpected($declared, {name!r})"
    yield from _indent(_body(declared, call))
    yield "    except $Exception as $error:"
    needed = "".join(
        f"({p!r}, {p}), " for p in parameters[:first_default] if p in declared.operands
    )
    yield "        $shorten($error)"
    yield f"        $absent = $none_given($declared, $error, ({needed}))"
    yield "        if $absent is not None: raise $absent from None"
    yield "        raise"


def _body(declared: Operation, call: str) -> Iterator[str]:
    """The lines that unwrap the operands, run the kernel and record it."""
    parameters = declared.parameters
    for setting in declared.settings:
        yield f"    if $isinstance({setting}, $Tensor):"
        yield f"        raise $setting_error($declared, {setting!r})"
    yield from _indent(_unwrap(declared, call))
    chained = declared.pointwise and hasattr(declared.kernel, "__code__")
    kernel = "$chain" if chained else "$kernel"
    there = f"$run_there($declared, $home, {kernel}, ({call},))"
    yield "    try:"
    half = " and $home.dtype is not $HALF" if chained else ""
    yield f"        $out = $kernel({call}) if $type($home) is $ndarray{half} else {there}"
    operands = ", ".join(f"{p!r}: {p}" for p in declared.operands)
    nodes = ", ".join(
        f"{p!r}: $nodes_{p}" if p in declared.variadic else f"{p!r}: [$node_{p}]"
        for p in declared.operands
        if p not in declared.nested
    )
    yield "    except $AutogradError as $error:"
    yield f"        $failed($declared, $error, {{{nodes}}})"
    yield "        raise"
    yield "    except ($ValueError, $IndexError, $TypeError) as $error:"
    yield f"        $explained = $explanation($declared, $error, {{{operands}}})"
    yield f"        raise $failed($declared, $explained, {{{nodes}}}) from $error"
    if declared.results:
        yield from _indent(_record(declared, ["return $untracked($out)"]))
        yield "    return $tracked($out, $record)"
        return
    yield "    $tensor = $new($Tensor)"
    yield "    if $type($out) is not $ndarray:"
    yield "        $out = $as_array($out)"
    yield "        if not $out.ndim: $tensor._memory = $VALUE"
    yield "    $tensor._array = $out"
    yield "    $tensor._grad = None"
    seen = []
    if declared.view is not None:
        settings = "".join(f"{p}, " for p in parameters[1:])
        seen = [f"$note_view($tensor, $viewed, $declared, ({settings}), $recording)"]
    if declared.rules:
        silent = ["$tensor.node = None", *seen, "return $tensor"]
        if "dtype" in declared.settings and not {declared.operands[0]} & declared.variadic:
            node = f"$node_{declared.operands[0]}"
            noted = f"$noted($declared, {node}, $out)"
            silent.insert(0, f"if $recording and {node} is not None: {noted}")
        yield from _indent(_record(declared, silent))
        yield "    $tensor.node = $record"
        yield from _indent(iter(seen))
    else:
        first = declared.operands[0]
        if not {first} & (declared.variadic | declared.nested):
            yield f"    if $node_{first} is not None: $noted($declared, $node_{first}, $out)"
        yield "    $tensor.node = None"
    yield "    return $tensor"


def _indent(lines: Iterator[str]) -> Iterator[str]:
    return ("    " + line for line in lines)


def _unwrap(declared: Operation, call: str) -> Iterator[str]:
    """Replace every operand by its array, and keep its node."""
    first, *others = declared.operands
    if not others and first not in declared.variadic:
        yield f"if not $isinstance({first}, $Tensor): return $kernel({call})"
        if declared.view is not None:
            yield f"$viewed = {first}"
        yield f"$node_{first} = {first}.node"
        yield f"$home = {first} = {first}._array"
        return
    yield "$home = None"
    for p in declared.operands:
        if p in declared.variadic:
            yield f"{p}, $nodes_{p}, $home = $unwrap_each({p})"
        elif p in declared.nested:
            yield f"{p} = $unwrap_nested({p})"
        else:
            yield f"if $isinstance({p}, $Tensor):"
            if declared.view is not None and p == first:
                yield f"    $viewed = {p}"
            yield f"    $node_{p} = {p}.node"
            yield f"    $home = {p} = {p}._array"
            yield "else:"
            yield f"    $node_{p} = None"
            yield f"    if $type({p}) not in $PLAIN: {p} = $operand({p})"
    yield f"if $home is None: return $kernel({call})"


def _record(declared: Operation, silent: list[str]) -> Iterator[str]:
    """Create the node, with an edge for every operand that needs a gradient; `silent` are the last
    lines if none does."""
    tracked, pointwise = list(declared.rules), declared.pointwise
    nobody = " and ".join(
        f"not $any($nodes_{p} or ())" if p in declared.variadic else f"$node_{p} is None"
        for p in tracked
    )
    yield "$recording, $scope, $observer = $now()"
    changes_dtype = " or $out.dtype.kind not in 'fc'" if "dtype" in declared.settings else ""
    yield f"if {nobody} or not $recording{changes_dtype}:"
    yield from _indent(iter(silent))
    yield "$record = $new($Node)"
    yield "$record.seq = $next($sequence_numbers)"
    yield "$record.op = $declared"
    yield "$record.scope = $scope"
    yield "$record.watch = None"
    # several results have their own nodes; the operation's node has its operand's shape
    result = "$home" if declared.results else "$out"
    yield f"$out_shape = {result}.shape"
    yield f"$out_dtype = $record.dtype = {result}.dtype"
    if pointwise:
        for p in tracked:
            yield f"if $node_{p} is not None:"
            yield f"    if $node_{p}.shape == $out_shape:"
            yield f"        $out_shape = $node_{p}.shape"  # one tuple for a whole chain of nodes
            yield f"        $fits_{p} = $node_{p}.dtype is $out_dtype"
            yield f"    else: $fits_{p} = False"
    yield "$record.shape = $out_shape"
    yield from _edges(declared)
    if pointwise:
        numpys = hasattr(declared.kernel, "__code__") or hasattr(np, declared.kernel.__name__)
        dtype = "$out_dtype" if numpys else "$home.dtype"  # SciPy returns float32 for float16
        yield f"if {dtype} is $HALF: $widen($record)"
    if not declared.results:
        yield "if $observer is not None: $observer.forward($record, $out)"


def _edges(declared: Operation) -> Iterator[str]:
    tracked, variadic = list(declared.rules), declared.variadic

    def edge(p: str, more: str) -> str:
        fits = f"$fits_{p}" if declared.pointwise and declared.rules[p].trusted else "False"
        return f"$node_{p}, $rule_{p}, {_saved(declared, p)}, {fits}, {more}"

    slots = "$record.parent, $record.rule, $record.saved, $record.fits, $record.more = "
    if len(tracked) == 1 and not variadic:
        yield slots + edge(tracked[0], "None")
        return
    if len(tracked) == 2 and not variadic:
        x, y = tracked
        yield f"if $node_{x} is None: {slots}{edge(y, 'None')}"
        yield f"else: {slots}" + edge(x, f"None if $node_{y} is None else ({edge(y, 'None')})")
        return
    yield "$edge = None"
    for p in reversed(tracked):
        if p in variadic:
            yield f"$shapes = [$x.shape for $x in {p}]"
            yield f"for $position in $range($len({p}) - 1, -1, -1):"
            yield f"    $node_{p} = $nodes_{p}[$position]"
            yield f"    if $node_{p} is not None: $edge = ({edge(p, '$edge')})"
        else:
            yield f"if $node_{p} is not None: $edge = ({edge(p, '$edge')})"
    yield slots + "$edge"


def _saved(declared: Operation, operand: str) -> str:
    """The tuple of the values that an edge saves."""
    expressions = {name: text for name, text, _ in meanings(declared, operand)}
    return f"({''.join(f'{expressions[name]}, ' for name in declared.rules[operand].names)})"


def _noted(declared: Operation, node: Node, out: Any) -> None:
    """Note that no gradient flows through this call of an operation."""
    what = f"{declared.name} to {out.dtype}" if declared.rules else declared.name
    note_exit(f"{what}, which has no gradient", node.name, out, node.scope)


def _tracked(out: Any, record: Node) -> Any:
    """The several results of an operation, as Tensors with their own nodes."""
    _, _, observer = STATE.get()
    tensors = []
    for position, array in enumerate(out):
        node = record.result(position, array.shape, array.dtype)
        tensors.append(result(array, node))
        if observer is not None:
            observer.forward(record, array)
            observer.forward(node, array)
    return type(out)(*tensors)


def _unwrap_each(values: Any) -> tuple[list[Any], list[Node | None] | None, Any]:
    """The arrays in a list of operands, their nodes, and the first Tensor's array (or None)."""
    if isinstance(values, Tensor):
        values = list(values)
    home = next((value._array for value in values if isinstance(value, Tensor)), None)
    if home is None:
        return values, None, None
    nodes = [value.node if isinstance(value, Tensor) else None for value in values]
    arrays = [
        value._array if isinstance(value, Tensor) else backend.operand(value) for value in values
    ]
    return arrays, nodes, home


def _run_there(
    declared: Operation, home: Any, kernel: Callable[..., Any], values: tuple[Any, ...]
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
        return backend.run_there(home, in_single, kernel, *values)
    return backend.run_there(home, kernel, *values)


_NAMES: dict[str, Any] = {
    "AutogradError": AutogradError,
    "Exception": Exception,
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
    "isinstance": isinstance,
    "len": len,
    "ndarray": np.ndarray,
    "none_given": none_given,
    "new": object.__new__,
    "next": next,
    "note_view": note_view,
    "noted": _noted,
    "now": STATE.get,
    "operand": backend.operand,
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
