"""Compare every operation with HIPS autograd: forward and backward of the sum of its result.

    python -m benchmarks.ops                       # all of them, at five sizes
    python -m benchmarks.ops --only sum einsum     # those whose names start with these
    python -m benchmarks.ops --first               # differentiated in the first operand only

A cell is our time divided by HIPS autograd's, float64, both measured in turn in this process. `*`
marks a cell above 1, `!!` one that is above 1.5 in three measurements, `?` one in which the
gradients differ: the reasons are listed below the table.

HIPS autograd differentiates in several operands as in ``grad(f, (0, 1))``, which adds about 20 µs
for the tuple; ``--first`` excludes this overhead.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks import measure
from benchmarks.ops_table import LEFT_OUT, TABLE, Row

SIZES = (1, 10, 1_000, 100_000, 1_000_000)
BATCH = 0.002  # seconds: the calls of a small operation that are timed together
LIMIT = 1.5
Gradients = Callable[[], list[Any]]


# ---- the two libraries ---------------------------------------------------------------------------


def found(owners: Iterable[Any], name: str) -> Any:
    """The function with a dotted name, from the first module that has it; None if none does."""
    for owner in owners:
        function = owner
        for part in name.split("."):
            function = getattr(function, part, None)
        if function is not None:
            return function
    return None


def our_function(row: Row) -> Any:
    import autograd_core as ac
    from autograd_core.scipy import linalg, signal, special

    return found([signal, ac, special, linalg, ac.ops], row.ours or row.name)


def their_function(row: Row) -> Any:
    import autograd.numpy as anp
    import autograd.scipy.linalg
    import autograd.scipy.signal
    import autograd.scipy.special

    if row.name == "getitem":
        return row.call
    scipy = autograd.scipy
    return found([scipy.signal, anp, scipy.special, scipy.linalg], row.name)


def ours(row: Row, values: list[Any], count: int) -> Gradients:
    """A pass of autograd_core that differentiates in the first `count` operands."""
    import autograd_core as ac

    function = our_function(row)
    leaves = [ac.Tensor(x, requires_grad=True) for x in values[:count]]
    operands = [*leaves, *values[count:]]

    def once() -> list[Any]:
        for leaf in leaves:
            leaf.grad = None
        ac.sum(row.call(function, *operands)).backward()
        return [getattr(leaf.grad, "data", None) for leaf in leaves]

    return once


def hips(row: Row, values: list[Any], count: int) -> Gradients:
    """The same pass of HIPS autograd."""
    import autograd.numpy as anp
    from autograd.core import make_vjp

    function = their_function(row)

    def once() -> list[Any]:
        if count == 1:
            rest = values[1:]
            pull, _ = make_vjp(lambda x: anp.sum(row.call(function, x, *rest)), values[0])
            return [pull(1.0)]
        pull, _ = make_vjp(lambda xs: anp.sum(row.call(function, *xs)), tuple(values))
        return list(pull(1.0))

    return once


# ---- one cell ------------------------------------------------------------------------------------


def seconds(once: Gradients, calls: int) -> tuple[float]:
    start = time.perf_counter()
    for _ in range(calls):
        once()
    return ((time.perf_counter() - start) / calls,)


def ratio(peers: dict[str, Gradients], rounds: int) -> float:
    """Our time divided by theirs."""
    calls = {}
    for name, once in peers.items():
        once()
        calls[name] = max(1, round(BATCH / max(*seconds(once, 1), 1e-7)))
    timed = {name: lambda n=name: seconds(peers[n], calls[n]) for name in peers}
    medians = measure.interleaved(timed, rounds)
    return medians["ours"][0] / medians["hips"][0]


def compared(mine: list[Any], theirs: list[Any]) -> str:
    """How HIPS autograd's gradients differ from ours; empty if they agree."""
    for a, b in zip(mine, theirs, strict=True):
        b = np.asarray(b)
        if np.isfinite(a).all() and not np.isfinite(b).all():
            return "HIPS has NaN or inf"
        if a.shape != b.shape:
            return f"HIPS has shape {b.shape} for an operand of shape {a.shape}"
        size = np.abs(a).max(initial=1e-300)
        if np.isfinite(a).all() and not np.allclose(a, b, rtol=1e-5, atol=1e-6 * size):
            return f"HIPS differs by {np.abs(a - b).max() / size:.1e} of the largest"
        if not np.isfinite(a).all():
            return "ours has NaN or inf" + ("" if np.isfinite(b).all() else ", and HIPS too")
    return ""


def cell(row: Row, size: int, chosen: argparse.Namespace) -> tuple[float | None, str]:
    """(ratio, remark); the ratio is None if one of the libraries raises an error."""
    values = row.values(size)
    count = 1 if chosen.first else len(values)
    peers: dict[str, Gradients] = {}
    gradients: dict[str, list[Any]] = {}
    for name, make in (("ours", ours), ("hips", hips)):
        peers[name] = make(row, values, count)
        try:
            gradients[name] = peers[name]()
        except Exception as error:  # any error of either library is reported
            said = str(error).partition("\n")[0][:80]
            return None, f"{name} raises {type(error).__name__}: {said}"
    remark = compared(gradients["ours"], gradients["hips"])
    first = ratio(peers, chosen.repeats)
    if first <= LIMIT:
        return first, remark
    return statistics.median([first, *(ratio(peers, chosen.repeats) for _ in range(2))]), remark


# ---- the table -----------------------------------------------------------------------------------


def shown(value: float | None, remark: str) -> str:
    if value is None:
        return "-"
    mark = "!!" if value > LIMIT else "*" if value > 1 else ""
    return f"{value:.2f}{mark}{'?' if remark else ''}"


def without_row() -> list[str]:
    """Functions with a gradient in HIPS autograd, without a row and not in LEFT_OUT."""
    import autograd.numpy as anp
    import autograd.scipy.special as special
    from autograd.core import primitive_vjps

    known = {row.name for row in TABLE} | LEFT_OUT.keys()
    owners = {"": anp, "linalg.": anp.linalg, "fft.": anp.fft, " ": special}
    names = [
        (prefix + name).strip()
        for prefix, owner in owners.items()
        for name, function in vars(owner).items()
        if not name.startswith("_") and callable(function) and function in primitive_vjps
    ]
    return sorted(set(names) - known)


def selected(chosen: argparse.Namespace) -> list[Row]:
    """The rows to run; prints those that a library does not have."""
    rows = [
        row
        for row in TABLE
        if not chosen.only or any(row.title.startswith(only) for only in chosen.only)
    ]
    if unknown := without_row():
        print(f"in HIPS autograd, but without a row here: {', '.join(unknown)}")
    for who, lookup in (("autograd_core", our_function), ("HIPS autograd", their_function)):
        missing = sorted({row.name for row in rows if lookup(row) is None})
        if missing:
            print(f"not in {who} ({len(missing)}): {', '.join(missing)}")
        rows = [row for row in rows if row.name not in missing]
    return rows


def measured(
    rows: list[Row], sizes: tuple[int, ...], chosen: argparse.Namespace
) -> tuple[list[list[str]], dict[str, list[str]]]:
    """The rows of the table, and the remarks below it, by heading."""
    table = []
    notes: dict[str, list[str]] = {}
    for row in rows:
        cells = {size: cell(row, size, chosen) for size in sizes if size <= row.largest}
        ratios = [value for value, _ in cells.values() if value is not None]
        middle = statistics.median(ratios) if ratios else None
        shows = [shown(*cells[size]) if size in cells else "" for size in sizes]
        table.append([row.title, *shows, shown(middle, "")])
        print(".", end="", flush=True)
        for size, (value, remark) in cells.items():
            if remark:
                heading = "not measured" if value is None else "gradients that differ"
                notes.setdefault(heading, []).append(f"{row.title} at {size:,}: {remark}")
            if value is not None and value > LIMIT:
                notes.setdefault(f"cells above {LIMIT}", []).append(
                    f"{row.title} at {size:,}: {value:.2f}"
                )
        if middle is not None and middle > 1:
            notes.setdefault("medians above 1", []).append(f"{row.title}: {middle:.2f}")
    return table, notes


def more_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", metavar="NAME", help="operations that start with NAME")
    parser.add_argument("--first", action="store_true", help="differentiate in one operand")


def main() -> None:
    """Print the table and the remarks."""
    chosen = measure.options("every operation compared with HIPS autograd", more_options)
    warnings.simplefilter("ignore")  # those of HIPS autograd
    np.seterr(all="ignore")
    sizes = (1, 1_000) if chosen.quick else SIZES
    table, notes = measured(selected(chosen), sizes, chosen)
    header = ["", *(f"{size:,}" for size in sizes), "median"]
    measure.table("time of autograd_core ÷ time of HIPS autograd", header, table)
    for heading, lines in notes.items():
        print(f"\n{heading} ({len(lines)}):", *lines, sep="\n  ")
    print("\nleft out:", *(f"{name}: {why}" for name, why in LEFT_OUT.items()), sep="\n  ")
    print(f"\n{measure.machine(chosen)}")


if __name__ == "__main__":
    main()
