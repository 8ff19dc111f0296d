"""A Scene in the DOT language: styles, escaping, and clusters for module calls.

Kinds of boxes differ in outline and text, not only in colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from autograd_core.engine.scope import Scope
from autograd_core.rendering.scale import Scale, in_words
from autograd_core.rendering.scene import Arrow, Box, Kind, Scene
from autograd_core.rendering.wording import printable, shortened

FONT = "Helvetica"  # all renderers know its letter widths, but not those of a list of fonts
BREAK = '<BR ALIGN="LEFT"/>'
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

WIDE = "\u2e80"  # letters from this one on may be as wide as they are high

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
CLUSTER = 'style="rounded,filled", color="#c3ccd6", penwidth=1, margin=12, fontsize=11'
CLUSTER_SHADES = ("#f8f9fb", "#f1f3f7")  # alternate with the depth of nesting


def dot_lines(scene: Scene) -> list[str]:
    """The lines of the graph's body, without the enclosing braces."""
    lines = [HEADER, f"\tlabel=<{_left(scene.heading)}{_alarms(scene)}&#160;>\n"]
    lines += _boxes(scene, Scale(scene))
    operations = {box.id for box in scene.boxes if box.kind in ("operation", "group")}
    scale = Scale(scene)
    for arrow in scene.arrows:
        # the path through the operations is drawn straight; inputs come from the side
        lines.append(_arrow(arrow, 8 if arrow.source in operations else 1, scale))
    return lines


def _boxes(scene: Scene, scale: Scale) -> Iterator[str]:
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
    rows = [_bold(box.title), *(_small(line, colour) for line in lines)]
    rows += [_warning(text) for text in box.findings]
    cells = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
    label = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{cells}</TABLE>'
    return (
        f'{box.id} [id="{box.id}", class="{box.kind}", {LOOK[box.kind]}{scale.fill(box)}, '
        f"label=<{label}>, tooltip={quoted(box.tooltip or box.title)}{_least_width(box)}]\n"
    )


def _arrow(arrow: Arrow, weight: int, scale: Scale) -> str:
    # the spaces separate the text from the arrow
    space = "&#160;&#160;" if scale.flow else "&#160;"
    words = [f"{space}{markup(text)}&#160;" for text in (arrow.operand, arrow.keeps) if text]
    label = f", label=<{''.join(word + BREAK for word in words)}>" if words else ""
    tip = quoted(arrow.tooltip)
    return (
        f'\t{arrow.source} -> {arrow.target} [id="{arrow.id}"{label}, weight={weight}'
        f"{scale.line(arrow)}, tooltip={tip}, labeltooltip={tip}]\n"
    )


def _least_width(box: Box) -> str:
    """A lower bound of the width. It is needed because a renderer without the font underestimates
    the width of wide letters."""
    texts = [(box.title, 12), *((line, 9) for line in box.lines)]
    texts += [(text, 10) for text in box.findings]
    if all(letter < WIDE for text, _ in texts for letter in text):
        return ""
    points = max(
        size * sum(0.6 if letter < WIDE else 1.0 for letter in row)
        for text, size in texts
        for row in shortened(text).split("\n")
    )
    return f", width={points / 72 + 0.32:.2f}"


def _bold(text: str) -> str:
    return f"<B>{markup(shortened(text))}</B>"


def _warning(text: str) -> str:
    return f'<FONT POINT-SIZE="10" COLOR="{ALARM}"><B>{markup(shortened(text, 64))}</B></FONT>'


def _small(text: str, colour: str = MUTED) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{colour}">{markup(shortened(text, 64))}</FONT>'


def _title(scope: Scope, scene: Scene) -> str:
    """A cluster's label, with empty space to its right, because arrows enter the cluster in the
    middle."""
    name = scene.module_names.get(scope, "")
    words = _bold(scope.kind) + (f"&#160; {_small(name)}" if name else "")
    room = min(12 * len(scope.kind + name), 150)
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
        f'<TR><TD>{words}</TD><TD WIDTH="{room}"></TD></TR></TABLE>'
    )


def _alarms(scene: Scene) -> str:
    lines = [row for text in scene.alarms for row in textwrap.wrap(text, 96) or [text]]
    return "".join(f'<FONT COLOR="{ALARM}"><B>{markup(line)}</B></FONT>{BREAK}' for line in lines)


def _left(lines: list[str]) -> str:
    return "".join(markup(line) + BREAK for line in lines)


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
