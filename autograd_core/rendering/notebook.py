"""How Tensors, flows and pages show themselves in a notebook: as small pieces of HTML.

Each piece has its styles in its elements, since a notebook is one document, and takes its colours
from around it, which may be light or dark. Nothing here raises an error: what cannot be shown is
shown as text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from html import escape
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.types import Array
from autograd_core.rendering.measured import Measured
from autograd_core.rendering.statistics import measure, resolved
from autograd_core.rendering.tables import LEFT, compared_rows, rows_of, said_of
from autograd_core.rendering.wording import byte_size, counted, printable, shortened

if TYPE_CHECKING:
    from autograd_core.engine.tensor import Tensor

P = ParamSpec("P")

ALL = 100  # arrays of up to this many elements are printed completely
AXES = 4  # of a large array with more axes, a matrix is printed
ROWS = 60  # rows of a table
WORDS = 200  # characters of a name, a cell or a finding

FAINT = "1px solid color-mix(in srgb, currentColor 25%, transparent)"
BOX = "color: inherit; background: transparent; margin: 0.2em 0; overflow-x: auto"
TEXT = (
    "color: inherit; background: transparent; margin: 0.3em 0 0 0; padding: 0; border: 0; "
    "white-space: pre; font-family: monospace"
)
TABLE = (
    "color: inherit; background: transparent; border-collapse: collapse; border: 0; "
    "margin: 0.4em 0; font-size: 0.92em"
)
CELL = f"color: inherit; padding: 0.15em 0.7em 0.15em 0; border: 0; border-bottom: {FAINT}"


# Parts, also for `nn`


def text(value: Any, length: int = WORDS) -> str:
    """Any value as the text of an element, on one line."""
    return escape(printable(shortened(" ".join(str(value).split()), length)))


def guarded(show: Callable[P, str]) -> Callable[P, str]:
    """`show`, or if it raises an error, the text of the object and the error, as HTML."""

    @wraps(show)
    def shown(*args: P.args, **settings: P.kwargs) -> str:
        try:
            return show(*args, **settings)
        except Exception as error:
            kind = type(args[0]).__name__
            try:
                said = repr(args[0])
            except Exception:
                said = f"<{kind}>"
            why = f"{type(error).__name__}: {error}"
            return box(pre(shortened(said, 2000)), line(f"{kind} is shown as text. {why}"))

    return shown


def box(*parts: str) -> str:
    """Pieces of HTML as one."""
    return f'<div style="{BOX}">{"".join(parts)}</div>'


def title(kind: str, *notes: str, name: Any = None) -> str:
    """The line above what is shown: its kind in bold, its name, and notes."""
    named = "" if name is None else f" <i>{text(name)}</i>"
    return f"<div><b>{text(kind)}</b>{named} {' · '.join(map(text, notes))}</div>"


def line(said: str) -> str:
    """A line of text."""
    return f"<div>{text(said, 600)}</div>"


def pre(said: str) -> str:
    """Text in its own lines."""
    return f'<pre style="{TEXT}">{escape(printable(said))}</pre>'


def listed(lines: Iterable[str]) -> str:
    """Lines as a list; many of them are cut."""
    lines = list(lines)
    more = [f"… and {len(lines) - ROWS:,} more"] if len(lines) > ROWS else []
    items = "".join(f"<li>{text(said, 600)}</li>" for said in (*lines[:ROWS], *more))
    return f'<ul style="margin: 0.3em 0; padding-left: 1.4em">{items}</ul>'


def table(rows: Iterable[Sequence[Any]], left: Iterable[int] = (0,)) -> str:
    """A table whose first row is its head. The columns `left` hold text, the others numbers."""
    left = set(left)
    made = []
    for i, row in enumerate(rows):
        tag = "td" if i else "th"
        sides = ["left" if j in left else "right" for j in range(len(row))]
        cells = [
            f'<{tag} style="{CELL}; text-align: {side}">{text(cell)}</{tag}>'
            for cell, side in zip(row, sides, strict=True)
        ]
        made.append(f'<tr style="background: transparent">{"".join(cells)}</tr>')
    head, body = "".join(made[:1]), "".join(made[1:])
    return f'<table style="{TABLE}"><thead>{head}</thead><tbody>{body}</tbody></table>'


# Tensors


@guarded
def of_tensor(tensor: Tensor) -> str:
    """A Tensor: what it is, and its elements, or for many of them the first and the last and their
    statistics."""
    array, node = tensor._array, tensor.node
    notes = [str(tensor.shape or "scalar"), str(tensor.dtype), tensor.device]
    if node is None:
        notes.append("not tracked")
    elif node.name == "argument" or (node.watch is not None and node.watch.argument):
        notes.append("argument of a transform")
    elif tensor.is_leaf:
        notes.append("leaf, requires a gradient")
    else:
        notes.append(f"result of {node.name}")
        notes += ["its graph has been released"] if node.released else []
    if tensor._grad is not None:
        notes.append(_gradient(tensor._grad._array))
    head = title(type(tensor).__name__, *notes, name=tensor.name)
    if not tensor.size:
        return box(head, line("no elements"))
    host = backend.asnumpy(array)
    if tensor.size <= ALL:
        return box(head, pre(_elements(host)))
    first = f"of [{'0, ' * (host.ndim - 2)}:, :]:" if host.ndim > AXES else ""
    part = host[(0,) * (host.ndim - 2)] if first else host
    return box(head, line(first) if first else "", pre(_elements(part)), line(_statistics(host)))


def _elements(values: Any) -> str:
    """The elements, or of many the first and the last along each axis."""
    with np.printoptions(threshold=ALL, edgeitems=max(1, min(3, 5 - values.ndim))):
        return np.array2string(values, separator=", ", max_line_width=110)


def _gradient(array: Array) -> str:
    """The size of a gradient in words."""
    found = resolved(measure(array))
    if found.not_finite:
        return f"has a gradient, {found.not_finite:,} of it not finite"
    return f"has a gradient of rms {found.rms:.2g}"


def _statistics(values: Any) -> str:
    """The least, mean and greatest finite element, and the number of those that are not finite."""
    kind = values.dtype.kind
    if kind == "b":
        return f"{int(np.count_nonzero(values)):,} of {values.size:,} are True"
    sizes = f"{values.size:,} elements, {byte_size(values.nbytes)}"
    said, missing = [sizes], []
    finite = values.ravel()
    if kind in "fc":
        nan, finite_at = np.isnan(finite), np.isfinite(finite)
        nans = int(np.count_nonzero(nan))
        infs = finite.size - nans - int(np.count_nonzero(finite_at))
        missing = [counted(n, word, word) for n, word in ((nans, "NaN"), (infs, "inf")) if n]
        finite = finite[finite_at] if missing else finite
    if finite.size:
        sized = np.abs(finite) if kind == "c" else finite
        of = "absolute value" if kind == "c" else "element"
        ends = f"least {of} {_digits(sized.min())}", f"greatest {_digits(sized.max())}"
        said += [ends[0], f"mean {_digits(_mean(finite))}", ends[1]]
    return ", ".join([*said, *missing])


def _mean(values: Any) -> Any:
    """The mean, whose sum does not overflow."""
    wide = np.result_type(values.dtype, np.float64)
    with np.errstate(all="ignore"):
        mean = np.mean(values, dtype=wide)
        return mean if np.isfinite(mean) else np.sum(values / values.size, dtype=wide)


def _digits(number: Any) -> str:
    value = number.item()
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float | complex) else str(number)


# Flows


@guarded
def of_flow(flow: Measured) -> str:
    """The findings of a flow, and its table."""
    if not flow.passes:
        return box(title("Flow", "no backward pass has been recorded"))
    rows, more = rows_of(flow, ROWS)
    parts = [listed(said_of(flow)), table(rows, LEFT), *map(line, more)]
    return box(title("Flow", *flow.scene.heading[:1]), *parts)


@guarded
def of_flows(flows: Mapping[str, Measured]) -> str:
    """The table of several flows, and the findings of each."""
    head, *rows = compared_rows(flows)
    said = [f"{name}: {text}" for name, flow in flows.items() for text in said_of(flow)]
    kept, more = cut(rows)
    return box(title("Flows", "rms of the gradient"), listed(said), table([head, *kept]), more)


def cut(rows: Sequence[Any]) -> tuple[list[Any], str]:
    """The first and the last of many rows, and a line that says so."""
    if len(rows) <= ROWS:
        return list(rows), ""
    out = len(rows) - ROWS + 1
    gap = ("…", *("" for _ in rows[0][1:]))
    return (
        [*rows[: ROWS * 2 // 3], gap, *rows[out + ROWS * 2 // 3 :]],
        line(f"{counted(out, 'row')} in the middle not shown"),
    )


@guarded
def of_history(history: Any) -> str:
    """The findings of a FlowHistory and its plot; its table where matplotlib is missing."""
    head = title(
        "FlowHistory", f"{len(history.steps):,} of {history.count:,} steps have been recorded"
    )
    if not history.steps:
        return box(head)
    try:
        from autograd_core.rendering.plots import png

        picture = base64.b64encode(png(history.plot())).decode()
        name = "the rms of the gradient of each parameter at each step"
        shown = f'<img alt="{name}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
    except Exception:  # matplotlib is missing, or cannot draw it
        names, *rows = history._rows()
        kept, more = cut(rows)
        shown = table([names, *kept]) + more
    return box(head, listed(history._said()), shown)


# Pages


class Frame:
    """A page that a notebook shows in a frame of its own."""

    def __init__(self, page: str, height: int) -> None:
        self.page = page
        self.height = height

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="the graph, step by step" sandbox="allow-scripts" '
            f'style="width: 100%; height: {self.height}px; border: {FAINT}" '
            f'srcdoc="{escape(self.page)}"></iframe>'
        )

    def __repr__(self) -> str:
        size = byte_size(len(self.page.encode()))
        return f'<page of {size}; a notebook shows it, drawing.save("graph.html") writes it>'
