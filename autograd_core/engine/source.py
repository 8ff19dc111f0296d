"""Generates the source of an operation's function; `forward` compiles it and shows an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from autograd_core.engine.graph import Operation

__all__ = ["meanings", "source"]


def meanings(declared: Operation, operand: str) -> Iterator[tuple[str, str, str]]:
    """Yield the names that the rule for `operand` may use, each as a tuple of the name, its
    expression in the generated source, and its meaning in words. A name that occurs twice is
    ambiguous."""
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


def source(declared: Operation) -> Iterator[str]:
    """The lines of a function that runs and records one operation. ``$`` stands for the prefix of
    the names that are not parameters."""
    parameters = declared.parameters
    first_default = len(parameters) - len(declared.defaults)
    signature = [
        p if i < first_default else f"{p}=$defaults[{i - first_default}]"
        for i, p in enumerate(parameters)
    ]
    call = ", ".join(parameters)
    foreign = [
        f
        for f, own in {"dim": "axis", "keepdim": "keepdims"}.items()
        if own in declared.settings and f not in parameters
    ]
    if foreign:  # named keywords are faster than **unknown
        signature += ["*", *(f"{name}=None" for name in foreign)]
    yield f"def function({', '.join(signature)}):"
    yield "    try:"
    for name in foreign:
        yield f'        if {name} is not None: raise $unexpected($declared, "{name}")'
    yield from _indent(_body(declared, call))
    yield "    except $Foreign:"
    yield '        return $handed_on($declared, $locals(), "$")'
    yield "    except $Exception as $error:"
    needed = [f'("{p}", {p})' for p in parameters[:first_default] if p in declared.operands]
    yield "        $shorten($error)"
    yield f"        $absent = $none_given($declared, $error, {_tuple(needed)})"
    yield "        if $absent is not None: raise $absent from None"
    yield "        raise"


def _body(declared: Operation, call: str) -> Iterator[str]:
    """The lines that unwrap the operands, run the kernel and record it."""
    parameters = declared.parameters
    for setting in declared.settings:
        yield f"    if $isinstance({setting}, $Tensor):"
        yield f'        raise $setting_error($declared, "{setting}")'
    yield from _indent(_unwrap(declared, call))
    chained = declared.pointwise and hasattr(declared.kernel, "__code__")
    kernel = "$chain" if chained else "$kernel"
    half = " and $home.dtype is not $HALF" if chained else ""
    yield "    try:"
    yield f"        if $type($home) is $ndarray{half}: $out = $kernel({call})"
    yield f"        else: $out = $run_there($declared, $home, {kernel}, {_tuple(parameters)})"
    operands = ", ".join(f'"{p}": {p}' for p in declared.operands)
    nodes = ", ".join(
        f'"{p}": $nodes_{p}' if p in declared.variadic else f'"{p}": [$node_{p}]'
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
    """The lines that replace every operand by its array and keep its node."""
    first, *others = declared.operands
    alone = not others and first not in declared.variadic
    if not alone:
        yield "$home = None"
    for p in declared.operands:
        if p in declared.variadic:
            yield f"{p}, $nodes_{p}, $home = $unwrap_each({p})"
            continue
        if p in declared.nested:
            yield f"{p} = $unwrap_nested({p})"
            continue
        tensor = [f"$viewed = {p}"] if declared.view is not None and p == first else []
        tensor += [f"$node_{p} = {p}.node", f"$home = {p} = {p}._array"]
        array = f"return $kernel({call})" if alone else f"$node_{p} = None"
        yield f"if $isinstance({p}, $Tensor):"
        yield from _indent(iter(tensor))
        yield f"elif $type({p}) in $PLAIN: {array}"
        yield "else:"
        yield f"    {p} = ${'gathered' if alone else 'operand'}({p})"
        yield f"    if not $isinstance({p}, $Tensor): {array}"
        yield "    else:"
        yield from _indent(_indent(iter(tensor)))
    if alone:
        return
    yield f"if $home is None: return $kernel({call})"


def _record(declared: Operation, silent: list[str]) -> Iterator[str]:
    """The lines that create the node, with an edge for every operand that needs a gradient. If no
    operand does, the generated function ends with the lines `silent`."""
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
    # each of several results has its own node; the operation's node has the operand's shape
    result = "$home" if declared.results else "$out"
    yield f"$out_shape = {result}.shape"
    yield f"$out_dtype = $record.dtype = {result}.dtype"
    if pointwise:
        for p in tracked:
            yield f"if $node_{p} is not None:"
            yield f"    if $node_{p}.shape == $out_shape:"
            yield f"        $out_shape = $node_{p}.shape"  # a chain of nodes shares one tuple
            yield f"        $fits_{p} = $node_{p}.dtype is $out_dtype"
            yield f"    else: $fits_{p} = False"
    yield "$record.shape = $out_shape"
    yield from _edges(declared)
    if pointwise:
        numpys = hasattr(declared.kernel, "__code__") or hasattr(np, declared.kernel.__name__)
        dtype = "$out_dtype" if numpys else "$home.dtype"  # SciPy returns float32 for float16
        yield f"if {dtype} is $HALF: $widen($record)"
    if not declared.results:
        given = _tuple(list(declared.operands))
        yield f"if $observer is not None: $observer.forward($record, $out, {given})"


def _edges(declared: Operation) -> Iterator[str]:
    """The lines that store the first edge in the slots of the node and the others in nested
    tuples."""
    tracked, variadic = list(declared.rules), declared.variadic

    def edge(p: str, more: str) -> tuple[str, str, str, str, str]:
        fits = f"$fits_{p}" if declared.pointwise and declared.rules[p].trusted else "False"
        return f"$node_{p}", f"$rule_{p}", _saved(declared, p), fits, more

    def slots(p: str, more: str) -> Iterator[str]:
        parent, rule, saved, fits, more = edge(p, more)
        yield f"$record.parent, $record.rule, $record.saved = {parent}, {rule}, {saved}"
        yield f"$record.fits = {fits}"
        yield f"$record.more = {more}"

    if len(tracked) == 1 and not variadic:
        yield from slots(tracked[0], "None")
        return
    if len(tracked) == 2 and not variadic:
        x, y = tracked
        yield f"if $node_{x} is None:"
        yield from _indent(slots(y, "None"))
        yield "else:"
        yield from _indent(slots(x, f"None if $node_{y} is None else {_tuple(edge(y, 'None'))}"))
        return
    yield "$edge = None"
    for p in reversed(tracked):
        if p in variadic:
            yield f"$shapes = [$x.shape for $x in {p}]"
            yield f"for $position in $range($len({p}) - 1, -1, -1):"
            yield f"    $node_{p} = $nodes_{p}[$position]"
            yield f"    if $node_{p} is not None: $edge = {_tuple(edge(p, '$edge'))}"
        else:
            yield f"if $node_{p} is not None: $edge = {_tuple(edge(p, '$edge'))}"
    yield "$record.parent, $record.rule, $record.saved, $record.fits, $record.more = $edge"


def _saved(declared: Operation, operand: str) -> str:
    """The tuple of the values that an edge saves."""
    expressions = {name: text for name, text, _ in meanings(declared, operand)}
    return _tuple([expressions[name] for name in declared.rules[operand].names])


def _tuple(items: Iterable[str]) -> str:
    """A tuple as Python source."""
    listed = list(items)
    return f"({listed[0]},)" if len(listed) == 1 else f"({', '.join(listed)})"
