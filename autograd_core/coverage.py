"""What becomes of each function of NumPy: differentiable, declared to carry no gradient, a plain
answer, or not covered, and then what to use instead. `python -m autograd_core.coverage` writes the
table in docs/coverage.md; what it does not know, a test reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core import creation, namespace
from autograd_core.alternatives import INSTEAD
from autograd_core.op import constant, functions
from autograd_core.protocols import PLAIN, operation_of

__all__ = ["OUTSIDE", "kind_of", "names", "table"]

PATH = Path(__file__).parent.parent / "docs" / "coverage.md"
NAMESPACES = {"": np, "linalg.": np.linalg, "fft.": np.fft, "emath.": np.emath}

# They take no array that could be tracked: files, texts, settings, dates, types, index grids.
OUTSIDE = frozenset(
    [
        "base_repr",
        "binary_repr",
        "busday_count",
        "busday_offset",
        "datetime_as_string",
        "datetime_data",
        "fft.fftfreq",
        "fft.rfftfreq",
        "format_float_positional",
        "format_float_scientific",
        "from_dlpack",
        "frombuffer",
        "fromfile",
        "fromfunction",
        "fromiter",
        "frompyfunc",
        "fromregex",
        "fromstring",
        "genfromtxt",
        "get_include",
        "get_printoptions",
        "getbufsize",
        "geterr",
        "geterrcall",
        "info",
        "is_busday",
        "isdtype",
        "isfortran",
        "isnat",
        "isscalar",
        "issubdtype",
        "iterable",
        "load",
        "loadtxt",
        "mintypecode",
        "nested_iters",
        "printoptions",
        "promote_types",
        "save",
        "savetxt",
        "savez",
        "savez_compressed",
        "set_printoptions",
        "setbufsize",
        "seterr",
        "seterrcall",
        "show_config",
        "show_runtime",
        "test",
        "typename",
        "broadcast_shapes",
        "bmat",
        "diag_indices",
        "mask_indices",
        "tril_indices",
        "triu_indices",
        "bartlett",
        "blackman",
        "hamming",
        "hanning",
        "kaiser",
    ]
)


def names() -> Iterator[tuple[str, Any]]:
    """Every function of NumPy, of its linalg, its fft and its emath, by name."""
    for prefix, owner in NAMESPACES.items():
        for name in sorted(owner.__all__):
            function = getattr(owner, name)
            if callable(function) and not isinstance(function, type):
                yield prefix + name, function


def kind_of(name: str, function: Any) -> str:
    """What becomes of NumPy's `function` called `name`; "unknown" where we have not said."""
    if name in OUTSIDE:
        return "takes no array"
    if name in PLAIN or name in namespace.__all__:
        return "plain answer"
    if name in creation.__all__ and name not in functions:
        return "makes a Tensor"
    if operation_of(function) is not None:
        return "not differentiable" if name in constant else "differentiable"
    return "use instead" if name in INSTEAD else "unknown"


def table() -> str:
    """docs/coverage.md."""
    rows = [(name, kind_of(name, function)) for name, function in names()]
    counts = {kind: sum(k == kind for _, k in rows) for kind in dict.fromkeys(k for _, k in rows)}
    head = [
        "# NumPy's functions",
        "",
        "Written by `python -m autograd_core.coverage`. On a tracked Tensor each of them gives a",
        "tracked one, is declared to carry no gradient, gives a plain answer, or raises and says",
        "what to use instead: nothing leaves the graph silently.",
        "",
        ", ".join(f"{count} {kind}" for kind, count in counts.items()) + ".",
        "",
        "| NumPy's function | here |",
        "|---|---|",
    ]
    lines = [
        f"| `{name}` | {kind}{': ' + INSTEAD[name] if kind == 'use instead' else ''} |"
        for name, kind in rows
    ]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    PATH.write_text(table())
