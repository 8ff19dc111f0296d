"""A Scene in the DOT language: styles, escaping, and clusters for module calls.

Kinds of boxes differ in outline and text, not only in colour.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autograd_core.engine.scope import Scope
from autograd_core.rendering.layout import Placing, placing
from autograd_core.rendering.metrics import text_width
from autograd_core.rendering.scale import Scale, in_words
from autograd_core.rendering.scene import Arrow, Box, Kind, Scene
from autograd_core.rendering.wording import printable, shortened

FONT = "Helvetica"  # all renderers know its letter widths, but not those of a list of fonts
WRAP = 72  # characters in a line of the heading
INK, MUTED, LINE = "#1f2933", "#52606d", "#7b8794"

HEADER = (
    "\tgraph [bgcolor=white, rankdir=TB, ranksep=0.38, nodesep=0.3, pad=0.25, labelloc=t, "
    f'labeljust=l, fontname="{FONT}", fontsize=11, fontcolor="{INK}"]\n'
    f'\tnode [shape=box, fontname="{FONT}", fontsize=12, fontcolor="{INK}", '
    'margin="0.16,0.07", height=0.3, penwidth=1.1]\n'
    f'\tedge [fontname="{FONT}", fontsize=9, fontcolor="{MUTED}", color="{LINE}", '
    "arrowsize=0.65]\n"
)

ALARM = "#7a120c"

LOOK: dict[Kind, str] = {
    "input": 'style="filled,dashed", fillcolor="#eef4f0", color="#5f8a73"',
    "leaf": 'style="filled", fillcolor="#eef4f0", color="#5f8a73"',
    "parameter": 'style="filled,bold", fillcolor="#f8f0df", color="#a8843f"',
    "operation": 'style="rounded,filled", fillcolor="#edf1f6", color="#7d8fa6"',
    "output": 'style="filled", peripheries=2, fillcolor="#e9e5f3", color="#6c5c9c"',
    "failed": 'style="filled,bold", fillcolor="#fdecea", color="#b3261e"',
    "group": 'style="rounded,filled,diagonals", fillcolor="#edf1f6", color="#7d8fa6"',
    "omitted": 'style="rounded,filled,dotted", fillcolor="#ffffff", color="#7b8794"',
}
WORDS: dict[Kind, str] = {
    "input": "no gradient",
    "leaf": "leaf",
    "parameter": "parameter",
    "operation": "operation",
    "output": "output",
    "group": "folded",
    "failed": "failed",
}
CLUSTER = 'style="rounded,filled", color="#c3ccd6", penwidth=1, margin=12, fontsize=11'
CLUSTER_SHADES = ("#f8f9fb", "#f1f3f7")  # alternate with the depth of nesting


def dot_lines(scene: Scene) -> list[str]:
    """The lines of the graph's body, without the enclosing braces."""
    lines = [HEADER, f"\tlabel=<{_heading(scene)}>\n"]
    placed = placing(scene)
    lines += _boxes(scene, placed, Scale(scene))
    scale = Scale(scene)
    for arrow, attributes in zip(scene.arrows, placed.attributes, strict=True):
        lines.append(_arrow(arrow, attributes, scale))
    return lines


def _boxes(scene: Scene, placed: Placing, scale: Scale) -> Iterator[str]:
    """All boxes, each inside the clusters of its scope. Clusters nest without recursion."""
    inside: dict[Scope | None, list[Box | Scope]] = {None: []}
    for box in scene.boxes:
        content: Box | Scope = box
        scope = box.scope
        while scope is not None and scope not in inside:
            inside[scope] = [content]
            content, scope = scope, scope.outer
        inside[scope].append(content)
    number = 0
    open_clusters = [iter(inside[None])]
    while open_clusters:
        indent = "\t" * len(open_clusters)
        found = next(open_clusters[-1], None)
        if found is None:
            open_clusters.pop()
            if open_clusters:
                yield indent[1:] + "}\n"
        elif isinstance(found, Box):
            yield indent + _box(found, scale)
            if found.id in placed.beside:
                row = "; ".join([found.id, *placed.beside[found.id]])
                yield f"{indent}{{rank=same; {row}}}\n"
        else:
            shade = CLUSTER_SHADES[len(open_clusters) % 2 - 1]
            label = _title(found, scene)
            yield f"{indent}subgraph cluster_{number} {{\n"
            yield f'{indent}\tgraph [id="c{number}", label=<{label}>, {CLUSTER}, '
            yield f'fillcolor="{shade}", tooltip={quoted(found.kind)}]\n'
            open_clusters.append(iter(inside[found]))
            number += 1


def _box(box: Box, scale: Scale) -> str:
    lines = [*box.lines, *([in_words(box.gradient)] if box.gradient is not None else [])]
    colour = INK if scale.flow else MUTED  # legible on every shade
    rows = [Text(shortened(box.title), 12, INK, bold=True)]
    rows += [Text(shortened(line, 64), 9, colour) for line in lines]
    rows += [Text(shortened(text, 64), 10, ALARM, bold=True) for text in box.findings]
    return (
        f'{box.id} [id="{box.id}", class="{box.kind}", {LOOK[box.kind]}{scale.fill(box)}, '
        f"label=<{_table(rows, padding=1)}>, tooltip={quoted(box.tooltip or box.title)}]\n"
    )


def _arrow(arrow: Arrow, attributes: str, scale: Scale) -> str:
    # the spaces separate the text from the arrow
    space = "\u00a0\u00a0" if scale.flow else "\u00a0"
    words = [f"{space}{text}\u00a0" for text in (arrow.operand, arrow.keeps) if text]
    rows = [Text(word, 9, MUTED) for word in words]
    label = f", label=<{_table(rows, align='LEFT')}>" if rows else ""
    tip = quoted(arrow.tooltip)
    ends = arrow.source, arrow.target
    tail, head = ends[::-1] if "dir=back" in attributes else ends
    return (
        f'\t{tail} -> {head} [id="{arrow.id}"{label}, {attributes}'
        f"{scale.line(arrow)}, tooltip={tip}, labeltooltip={tip}]\n"
    )


class Text(NamedTuple):
    """A line of a label; it may contain line breaks."""

    text: str
    size: int
    colour: str
    bold: bool = False

    @property
    def width(self) -> float:
        """In points, in the widest common font."""
        return max(text_width(row, self.size, self.bold) for row in self.text.split("\n"))

    @property
    def cell(self) -> str:
        """The text in an HTML-like label."""
        inner = markup(self.text)
        inner = f"<B>{inner}</B>" if self.bold else inner
        return f'<FONT POINT-SIZE="{self.size}" COLOR="{self.colour}">{inner}</FONT>'


class Line(NamedTuple):
    """Texts in one line."""

    texts: tuple[Text, ...]

    @property
    def width(self) -> float:
        """In points, in the widest common font."""
        return sum(text.width for text in self.texts)

    @property
    def cell(self) -> str:
        """The texts in an HTML-like label."""
        return "".join(text.cell for text in self.texts)


def _table(
    rows: Sequence[Text | Line], align: str = "CENTER", padding: int = 0, room: int = 0
) -> str:
    """Rows below each other, as wide as the widest text in the widest common font, and `room`."""
    width = math.ceil(max((row.width for row in rows), default=0)) + 2 * padding + room
    cells = "".join(f'<TR><TD ALIGN="{align}">{row.cell}</TD></TR>' for row in rows)
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}" '
        f'WIDTH="{width}">{cells}</TABLE>'
    )


def _title(scope: Scope, scene: Scene) -> str:
    """A cluster's label, with empty space to its right, because arrows enter the cluster in the
    middle."""
    name = scene.module_names.get(scope, "")
    title = Text(shortened(f"{scope.kind} {name}".strip(), 64), 11, INK, bold=True)
    return _table([title], "LEFT", room=min(round(title.width), 150))


def _heading(scene: Scene) -> str:
    rows = [Text(row, 11, INK) for line in scene.heading for row in _wrapped(line)]
    rows += [Text(row, 11, ALARM, bold=True) for line in scene.alarms for row in _wrapped(line)]
    return _table([*rows, Text("", 3, INK), *_legend(scene), Text("", 6, INK)], "LEFT")


def _legend(scene: Scene) -> list[Text | Line]:
    """What the colours and the arrows mean."""
    present = {box.kind for box in scene.boxes}
    words = {**WORDS, "input": "argument", "parameter": "array outside"} if scene.program else WORDS
    kinds = [(word, re.findall(r'color="(#\w+)"', LOOK[kind])[-1])
             for kind, word in words.items() if kind in present]  # fmt: skip
    marks: list[Text] = []
    for word, colour in kinds:
        marks += [Text("■\u00a0", 9, colour), Text(f"{word}\u00a0\u00a0 ", 9, MUTED)]
    if not scene.flow:
        arrows = "arrows: data" + "; gradients flow back along them" * (not scene.program)
        return [Line((*marks, Text(arrows, 9, MUTED)))]
    scale = Scale(scene)
    meaning = "a darker box, a wider arrow: a greater gradient"
    if scale.found:
        meaning += f", rms {10**scale.bottom:.0e} to {10**scale.top:.0e} (logarithmic)"
    return [Line(tuple(marks)), Text(meaning + "; dotted: none", 9, MUTED)]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WRAP) or [line]


def markup(text: str) -> str:
    """`text`, escaped for an HTML-like label, in which backslashes are escape characters, too."""
    text = printable(text).replace("\\", "\\\\")
    for letter, entity in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"):
        text = text.replace(letter, entity)
    return text.replace("\n", "<BR/>") or "&#160;"


def quoted(text: str) -> str:
    """`text` as a quoted string of the DOT language."""
    text = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return '"' + text.replace("\n", "\\n") + '"'
