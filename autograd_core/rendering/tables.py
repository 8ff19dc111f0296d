"""A flow as a text table of its layers, from the input to the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograd_core.engine.scope import Scope
from autograd_core.rendering.loops import repetitions
from autograd_core.rendering.measured import Measured
from autograd_core.rendering.scene import SOURCES, Box
from autograd_core.rendering.statistics import Statistics
from autograd_core.rendering.training import update_ratio
from autograd_core.rendering.wording import one_line, shortened

HEAD = ("layer", "result", "gradient rms", "zeros", "parameter", "its rms", "÷ parameter", "")
UPDATE = "update ÷ value"  # the column before the last, if an optimiser is known
LEFT = {0, 1, 4, 7, 8}  # columns of text, and those that may be


@dataclass(slots=True)
class Layer:
    """One module call, or an operation outside any module, with the gradient of its result."""

    name: str
    shape: tuple[int, ...]
    gradient: Statistics | None
    parameters: list[Box] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    unique_name: str = ""
    path: str = ""  # the dotted name of the module, if it has one
    extent: tuple[float, float] | None = None  # of the rms, if this stands for several layers


def layers(flow: Measured) -> list[Layer]:
    """The innermost module calls, and the operations outside any module, in the order in which they
    ran."""
    flow.require()
    found: dict[Scope | str, list[Box]] = {}
    boxes = {box.id: box for box in flow.scene.boxes}
    for box in flow.scene.boxes:
        if box.kind not in SOURCES:
            found.setdefault(box.scope or box.id, []).append(box)
    users: dict[str, list[Box]] = {}
    cut: dict[str, list[Box]] = {}
    for arrow in flow.scene.arrows:
        source, target = boxes[arrow.source], boxes[arrow.target]
        if source.kind in ("parameter", "leaf") and source not in users.get(source.id, ()):
            users.setdefault(source.id, []).append(target)
        elif source.stopped:
            cut.setdefault(target.id, []).append(source)
    made: list[Layer] = []
    names: dict[str, int] = {}
    for key, group in found.items():
        last = max(group, key=lambda box: box.number)
        name, path = last.title, ""
        if isinstance(key, Scope):
            path = flow.scene.module_names.get(key, "")
            name = f"{key.kind} {path}".strip()
        layer = Layer(name, last.shape, last.gradient, path=path)
        count = names[name] = names.get(name, 0) + 1
        layer.unique_name = name if count == 1 else f"{name} ({count})"
        members = {box.id for box in group}
        for id_, targets in users.items():
            if targets[0].id in members:
                layer.parameters.append(boxes[id_])
        blamed = [*group, *layer.parameters, *(b for box in group for b in cut.get(box.id, ()))]
        layer.findings = list(dict.fromkeys(text for box in blamed for text in box.findings))
        made.append(layer)
    return made


def table(flow: Measured, limit: int) -> str:
    """The flow's layers as aligned lines, followed by the findings."""
    rows, _ = rows_of(flow, limit, whole=True)
    return "\n".join([*aligned(rows), "", *said_of(flow)])


def rows_of(
    flow: Measured, limit: int, whole: bool = False
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The rows of the table, the first of which is its head, and a line about layers that are left
    out, if any are. Above `limit` layers, repetitions are folded; if there are still more, those
    behind are left out, unless the table is to be `whole`."""
    head = (*HEAD[:-1], UPDATE, HEAD[-1]) if flow.rates else HEAD
    rows: list[tuple[str, ...]] = [head]
    found = layers(flow)
    shown = _without_repetitions(found) if len(found) > limit else [(layer, 1) for layer in found]
    for layer, times in shown if whole else shown[:limit]:
        rows += _rows(flow, layer, times)
    out = 0 if whole else len(shown) - limit
    return rows, [f"… and {out:,} more layers; flow.table() shows all"] if out > 0 else []


def said_of(flow: Measured) -> list[str]:
    """The findings of a flow as lines."""
    return [str(finding) for finding in flow.findings] or ["no problems found in the gradients"]


def _rows(flow: Measured, layer: Layer, times: int) -> list[tuple[str, ...]]:
    g = layer.gradient
    name = layer.name if times == 1 else f"… {layer.name}, {times:,} times more"
    size = _rms(g) if layer.extent is None else "{:.1e} … {:.1e}".format(*layer.extent)
    cells = [one_line(name, 60), str(layer.shape or "scalar"), size, _zeros(g)]
    rows: list[tuple[str, ...]] = []
    parameters: list[Box | None] = [*layer.parameters] or [None]
    for parameter in parameters:
        ratio, title, rms = "", "", ""
        if parameter is not None:
            title, rms = one_line(parameter.title, 32), _rms(parameter.gradient)
            values = flow.parameters.get(parameter.number)
            if values is not None and values.norm and parameter.gradient is not None:
                ratio = f"{parameter.gradient.norm / values.norm:.1e}"
        update = [_update(flow, parameter)] if flow.rates else []
        rows.append((*cells, title, rms, ratio, *update, "; ".join(layer.findings)))
        cells, layer = ["", "", "", ""], Layer("", (), None)
    return rows


def _update(flow: Measured, parameter: Box | None) -> str:
    """The size of the update of a parameter, divided by that of its value."""
    if parameter is None:
        return ""
    number = parameter.number
    ratio = update_ratio(flow.rates.get(number), parameter.gradient, flow.parameters.get(number))
    return "" if ratio is None else f"{ratio:.1e}"


def _rms(found: Statistics | None) -> str:
    if found is None:
        return "-"
    return f"{found.rms:.1e}" if not found.not_finite else f"{found.not_finite:,} not finite"


def _zeros(found: Statistics | None) -> str:
    return f"{found.zeros:.0%}".replace("%", " %") if found is not None else ""


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of cells as aligned columns: text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i in LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _without_repetitions(found: list[Layer]) -> list[tuple[Layer, int]]:
    """Pairs of a layer and a count. Of a sequence of layers that is repeated, the first and the
    last repetition are listed; one pair with the number of the other repetitions is listed in
    between."""
    keys = [(_kind(layer), layer.shape, tuple(layer.findings)) for layer in found]
    shown: list[tuple[Layer, int]] = []
    at = 0
    for start, period, times in sorted(repetitions(keys)):
        shown += [(layer, 1) for layer in found[at : start + period]]
        at = start + period * (times - 1)
        shown.append((_folded(found[start + period : at], period), times - 2))
    return shown + [(layer, 1) for layer in found[at:]]


def _kind(layer: Layer) -> str:
    """The name without that of the module, and without numbers at its end."""
    return layer.name.removesuffix(layer.path).strip()


def _folded(several: list[Layer], period: int) -> Layer:
    """A layer that stands for several, with the range of their gradients."""
    names = ", ".join(dict.fromkeys(map(_kind, several[:period])))
    first, last = several[0].path, several[-1].path
    if first and last and first != last:
        names = f"{shortened(names, 20)} ({shortened(first, 12)} to {shortened(last, 12)})"
    sizes = [layer.gradient.rms for layer in several if layer.gradient is not None]
    made = Layer(shortened(names, 44), several[0].shape, several[0].gradient)
    made.findings = list(dict.fromkeys(text for layer in several for text in layer.findings))
    made.extent = (min(sizes), max(sizes)) if sizes else None
    return made


def compared(flows: Mapping[str, Measured]) -> str:
    """A table of several flows, followed by the findings of each."""
    lines = columns(compared_rows(flows))
    for name, flow in flows.items():
        said = [str(finding) for finding in flow.findings]
        lines += ["", f"{name}: {said[0] if said else 'no problems'}"]
        lines += [f"{' ' * len(name)}  {text}" for text in said[1:]]
    return "\n".join(lines)


def compared_rows(flows: Mapping[str, Measured]) -> list[tuple[str, ...]]:
    """The gradient's rms at every layer of several flows, matched by the name of the module, or of
    the operation outside any module, and by the number of its call."""
    by_flow = [_by_name(flow) for flow in flows.values()]
    rows: list[tuple[str, ...]] = [("layer", *flows)]
    for key in _merged([list(found) for found in by_flow]):
        there = [found.get(key) for found in by_flow]
        names = dict.fromkeys(layer.name for layer in there if layer is not None)
        rows.append(
            (" / ".join(names), *(_rms(layer.gradient) if layer else "" for layer in there))
        )
    return rows


def _by_name(flow: Measured) -> dict[tuple[str, int], Layer]:
    counts: dict[str, int] = {}
    found = {}
    for layer in layers(flow):
        name = layer.path or layer.name
        counts[name] = counts.get(name, 0) + 1
        found[name, counts[name]] = layer
    return found


def _merged(lists: list[list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """All entries of several lists. An entry that is not in the lists before its own follows the
    entry before it."""
    merged = list(lists[0])
    for entries in lists[1:]:
        known, at = set(merged), 0
        for entry in entries:
            if entry in known:
                at = merged.index(entry) + 1
            else:
                merged.insert(at, entry)
                at += 1
    return merged


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows, each a name followed by numbers, as aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
