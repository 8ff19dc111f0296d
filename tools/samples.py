"""Examples of functions for the reference: calls with values and gradients, and pictures.

They are made from what the tests know of a function. Where its accuracy is measured, there is a
domain: arguments from it, and a picture of the function and its derivative. Otherwise a case is
drawn from its row of the op table. Values are computed here, when the site is built.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, settings

import autograd_core as ac
import nn
from autograd_core.scipy import integrate, linalg, signal, special, stats
from tests.accuracy.references import EXACT
from tests.table.cases import Case
from tests.table.row import HERE, Row, as_list
from tests.table.rows import ROWS
from tools.calls import CALLS
from tools.gallery import newest_source

WIDTH = 4.0  # of the interval that is shown, on each side of 0 or from a bound
SCIPY = {"integrate": integrate, "linalg": linalg, "signal": signal}
NAMES = {"np": np, "ac": ac, "special": special, "stats": stats} | SCIPY
ACROSS = (nn.GLU, nn.Softmax, nn.LogSoftmax)  # activations that are not elementwise
PLAIN = Row.__dataclass_fields__["call"].default


class Found(Exception):
    """A case that can be shown."""


def key_of(full_name: str) -> str:
    """The name in the tables of a name in the reference."""
    return full_name.removeprefix("autograd_core.")


def called(key: str) -> str:
    """How an example names a function."""
    return key.removeprefix("scipy.") if key.startswith("scipy.") else f"ac.{key}"


@cache
def curves(key: str) -> list[Any]:
    """What is measured of this function in one variable, but not the exponents of `power`."""
    found = [row for row in EXACT.values() if row.name == key and len(row.domains) == 1]
    plain = [row for row in found if not row.variant or row.fixed]
    first = found[0].variant.split(",")[0] if found else ""  # "in x"
    return plain or [
        row for row in found if row.variant.startswith(("in ",)) and first in row.variant
    ]


def interval(low: float, high: float) -> tuple[float, float]:
    """The part of a domain that is shown."""
    if math.isinf(low) and math.isinf(high):
        return -WIDTH, WIDTH
    if math.isinf(high):
        return low + 1e-3, low + 1.5 * WIDTH
    inset = (high - low) * 1e-3
    return max(low + inset, -WIDTH), min(high - inset, WIDTH)


# ---- pictures ------------------------------------------------------------------------------------


class Curve(NamedTuple):
    """A function of one variable, and where it is drawn."""

    label: str
    function: Callable[..., Any]
    low: float
    high: float


def drawn(full_name: str) -> list[Curve]:
    """What is drawn of a function, or of a layer that works element by element."""
    if full_name.startswith("nn."):
        layer: Any = getattr(nn, full_name.removeprefix("nn."), None)
        if getattr(layer, "__module__", "") != "nn.activations" or layer in ACROSS:
            return []
        return [Curve("function", layer().requires_grad_(False), -WIDTH, WIDTH)]
    rows = curves(key_of(full_name))[:3]
    return [
        Curve(row.variant or "function", row.function, *interval(*row.domains[0])) for row in rows
    ]


def draw(curves: list[Curve], path: Path) -> None:
    """Write a picture of functions and their derivatives."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = path.name
    figure = Figure(figsize=(5.2, 2.3), layout="constrained")
    axes = figure.subplots()
    lines = [line for i, curve in enumerate(curves) for line in _lines(f"C{i}", curve)]
    values = np.concatenate([y for _, y, *_ in lines])
    low, high = np.nanpercentile(values, [8, 92])
    margin = 0.4 * (high - low) or 1.0
    low, high = max(low - margin, np.nanmin(values)), min(high + margin, np.nanmax(values))
    for x, y, style, label in lines:
        y[1:][abs(np.diff(y)) > (high - low) / 2] = np.nan  # at a pole or a jump
        axes.plot(x, y, style, label=label)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low) or 1.0)
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    axes.legend(frameon=False, fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _lines(colour: str, curve: Curve) -> Iterator[tuple[Any, Any, str, str]]:
    x = np.linspace(curve.low, curve.high, 801)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at poles, and for a derivative that is 0 everywhere
        y, slope = curve.function(x), ac.elementwise_grad(curve.function)(x)
    yield x, np.array(y), f"{colour}-", curve.label
    yield x, np.array(slope), f"{colour}--", "derivative"


# ---- examples ------------------------------------------------------------------------------------


def example(full_name: str) -> list[str]:
    """The lines of an example, without its picture; none if nothing is known of the function."""
    key = key_of(full_name)
    if key in CALLS:
        given, call = CALLS[key]
        return list(_session([given] if given else [], call, "x" if given else None))
    rows = curves(key)
    if rows and not rows[0].call:
        return list(_of_domain(key, rows[0]))
    found = next(filter(None, map(_case, [row for row in ROWS if row.name == key])), None)
    return list(_of_case(key, *found)) if found else []


def _of_domain(key: str, row: Any) -> Iterator[str]:
    low, high = interval(*row.domains[0])
    x = np.round(np.linspace(low, high, 7)[1:-1], 2)
    x = x if row.inside is None else x[row.inside(x)]
    fixed = "".join(f"{number}, " for number in row.fixed)
    yield from _evaluated(
        [f"x = np.array({x.tolist()})"],
        [
            f"{called(key)}({fixed}x)",
            f"ac.elementwise_grad({called(key)}{f', {len(row.fixed)}' * bool(fixed)})({fixed}x)",
        ],
    )


def _case(row: Row) -> tuple[Row, Case] | None:
    """A small case of the row that can be written as a call."""
    if row.call not in (PLAIN, as_list) or row.variant:
        return None

    @settings(
        max_examples=200,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(row.cases)
    def search(case: Case) -> None:
        sizes = [array.size for array in case.arrays]
        shown = all(map(_is_shown, case.settings.values()))
        flat = all(
            array.ndim < 2 or (array.ndim == 2 and min(array.shape) > 1) for array in case.arrays
        )
        if shown and flat and min(sizes) > 0 and 1 < max(sizes) <= 9:
            raise Found(case)

    try:
        search()
    except Found as found:
        return row, found.args[0]
    return None


def _is_shown(setting: Any) -> bool:
    """Whether the text of a setting is the setting."""
    if isinstance(setting, tuple | list):
        return all(map(_is_shown, setting))
    return setting is not HERE and isinstance(setting, bool | int | float | str | None)


def _of_case(key: str, row: Row, case: Case) -> Iterator[str]:
    listed = row.call is as_list
    names = [f"{'abcdefgh'[i]}" if listed else name for i, name in enumerate(case.names)]
    arrays = [np.round(array, 2) if array.dtype.kind in "fc" else array for array in case.arrays]
    given = [f"{name} = {_text(array)}" for name, array in zip(names, arrays, strict=True)]
    operands = f"[{', '.join(names)}]" if listed else ", ".join(names)
    call = f"{called(key)}({operands}{''.join(f', {k}={v!r}' for k, v in case.settings.items())})"
    tracked = next(
        (names[case.names.index(name)] for name in case.names if name in row.keeps), None
    )
    yield from _session(given, call, tracked)


def _text(array: Any) -> str:
    return re.sub(r"\b(inf|nan)\b", r"np.\1", f"np.array({array.tolist()})")


def _session(given: list[str], call: str, tracked: str | None) -> Iterator[str]:
    """A call and, if it has one real or complex array as a result, the gradient of its sum."""
    values = _values(given)
    shown, out = [call], eval(call, dict(values))
    if tracked and isinstance(out, np.ndarray | np.floating | np.complexfloating):
        summed = f"abs({call}) ** 2" if out.dtype.kind == "c" else call
        gradient = f"ac.grad(lambda {tracked}: ac.sum({summed}))({tracked})"
        if out.dtype.kind in "fc" and _has_gradient(gradient, values):
            shown.append(gradient)
    yield from _evaluated(given, shown)


def _has_gradient(gradient: str, values: dict[str, Any]) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ac.AutogradWarning)
        try:
            eval(gradient, dict(values))
        except (ac.AutogradError, ac.AutogradWarning):  # of integers, or independent
            return False
    return True


def _values(statements: list[str]) -> dict[str, Any]:
    values = dict(NAMES)
    for statement in statements:
        exec(statement, values)
    return values


def _evaluated(statements: list[str], expressions: list[str]) -> Iterator[str]:
    """The lines of a session: statements, and expressions with their values."""
    values = _values(statements)
    for statement in statements:
        yield f">>> {statement}"
    with np.printoptions(precision=4, suppress=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        for expression in expressions:
            yield f">>> {expression}"
            # an empty line, as between matrices, would end the example
            yield from filter(None, repr(eval(expression, values)).splitlines())


def completed(full_name: str, lines: list[str], images: Path) -> list[str]:
    """The lines of a docstring with an example, and a picture that is written to `images`."""
    lines = list(lines)
    if "Examples" not in lines:
        found = example(full_name)
        lines += ["", "Examples", "--------", *found] if found else []
    shown = drawn(full_name)
    if shown:
        path = images / f"{full_name}.svg"
        if not path.exists() or path.stat().st_mtime < newest_source():
            draw(shown, path)
        what = f"{full_name.rpartition('.')[2]} and its derivative"
        lines += ["", f".. image:: images/{path.name}", f"   :alt: {what}", ""]
    return lines
