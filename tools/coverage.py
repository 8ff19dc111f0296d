"""The status of each NumPy function: differentiable, declared non-differentiable, returning a plain
value, or not supported, with the replacement. `python -m tools.coverage` writes the table in
docs/coverage.md; a test reports functions without a status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import numpy as np

from autograd_core import functions, ops
from autograd_core.engine.op import gradient_free
from autograd_core.errors.alternatives import INSTEAD
from autograd_core.interface import array_api, creation
from autograd_core.interface.protocols import ALIASES, UNRECORDED, operation_of

PATH = Path(__file__).parent.parent / "docs" / "coverage.md"
NUMPY_NAMESPACES = {"": np, "linalg.": np.linalg, "fft.": np.fft, "emath.": np.emath}

# Functions without an array argument that could be tracked: functions for files, strings, options,
# dates, dtypes and index grids.
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

# Functions that only some of the supported NumPy versions have, with the first and the last version
# that has the function. None means that all older or all newer versions have it. These functions
# are always in the table, so that its text does not depend on the installed NumPy.
VERSIONS: dict[str, tuple[str | None, str | None]] = {
    "cumulative_prod": ("2.1", None),
    "cumulative_sum": ("2.1", None),
    "in1d": (None, "2.3"),
    "matvec": ("2.2", None),
    "row_stack": (None, "2.4"),
    "trapz": (None, "2.3"),
    "unstack": ("2.1", None),
    "vecmat": ("2.2", None),
}


SUMMARY = {
    "differentiable": "are differentiable",
    "not differentiable": "are not differentiable",
    "plain value": "return a plain (non-Tensor) value",
    "creates a Tensor": "create a Tensor",
    "use instead": "are not supported and raise an error that names a replacement",
    "no array argument": "take no array argument",
}


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


def names() -> Iterator[tuple[str, Any]]:
    """Yield (name, function) for the functions of NumPy, linalg, fft and emath. The function is
    None for a name in `VERSIONS` that the installed NumPy does not have. Three private functions
    that NumPy 2.0 lists are left out."""
    for prefix, owner in NUMPY_NAMESPACES.items():
        elsewhere = set() if prefix else VERSIONS.keys() - set(owner.__all__)
        for name in sorted(elsewhere.union(owner.__all__)):
            function = None if name in elsewhere else getattr(owner, name)
            if name in elsewhere or (_is_function(function) and not name.startswith("_")):
                yield prefix + name, function


def beyond() -> Iterator[str]:
    """Yield the names of the public functions that NumPy does not have. The modules in `ops` list
    them as `BEYOND_NUMPY`."""
    for found in walk_packages(ops.__path__, f"{ops.__name__}."):
        namespace = found.name.split(".")[2]
        prefix = f"{namespace}." if f"{namespace}." in NUMPY_NAMESPACES else ""
        for name in getattr(import_module(found.name), "BEYOND_NUMPY", ()):
            yield prefix + name


def _is_ours(name: str, function: Any) -> bool:
    """True if this package has an operation for the function. It is looked up by name if the
    installed NumPy does not have the function."""
    if function is None:
        return name in functions or name in ALIASES
    return operation_of(function) is not None


def kind_of(name: str, function: Any) -> str:
    """The status of NumPy's `function` called `name`; "unknown" if it has none."""
    if name in OUTSIDE:
        return "no array argument"
    if name in UNRECORDED or name in array_api.__all__:
        return "plain value"
    if name in creation.__all__ and name not in functions:
        return "creates a Tensor"
    if _is_ours(name, function):
        return "not differentiable" if name in gradient_free else "differentiable"
    return "use instead" if name in INSTEAD else "unknown"


def _which(name: str) -> str:
    """A text that names the NumPy versions that have the function; empty if all have it."""
    oldest, newest = VERSIONS.get(name, (None, None))
    if oldest is None and newest is None:
        return ""
    return f" (NumPy {oldest} and newer)" if oldest else f" (up to NumPy {newest})"


def _said(name: str, kind: str) -> str:
    return f"{kind}: {INSTEAD[name]}" if kind == "use instead" else kind


def table() -> str:
    """The text of docs/coverage.md, the same with every NumPy version."""
    rows = [(name, kind_of(name, function)) for name, function in names()]
    counts = Counter(kind for _, kind in rows)
    *summary, last = (f"{counts[kind]} {said}" for kind, said in SUMMARY.items())
    head = [
        "# NumPy's functions",
        "",
        "Generated by `python -m tools.coverage`. For a tracked Tensor each function returns a",
        "tracked Tensor, is declared non-differentiable, returns a plain Python or NumPy value",
        "instead of a Tensor, or raises an error that says what to use instead: no value leaves",
        "the graph silently.",
        "",
        f"{', '.join(summary)} and {last}.",
        "",
        "| NumPy's function | here |",
        "|---|---|",
    ]
    lines = [f"| `{name}`{_which(name)} | {_said(name, kind)} |" for name, kind in rows]
    more = [
        "",
        "## Functions that NumPy does not have",
        "",
        ", ".join(f"`{name}`" for name in sorted(beyond())) + ".",
    ]
    return "\n".join([*head, *lines, *more]) + "\n"


if __name__ == "__main__":
    PATH.write_text(table())
