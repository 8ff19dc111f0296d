"""Interleaved timing, and tables with a description of the machine."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

# Variables that override the kernel or block size of OpenBLAS; removed for measurements.
MISLEADING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def options(
    description: str, more: Callable[[argparse.ArgumentParser], None] = lambda parser: None
) -> argparse.Namespace:
    """The common options and those that `more` adds. Restarts the process if NumPy needs other
    environment variables."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repeats", type=int, default=15, help="rounds; each runs every peer once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--default-heap", action="store_true", help="leave glibc's heap as it is")
    parser.add_argument("--quick", action="store_true", help="a few rounds, as a test")
    more(parser)
    chosen = parser.parse_args()
    chosen.repeats = 3 if chosen.quick else chosen.repeats
    wanted = {
        name: str(chosen.threads)
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    }
    if any(name in os.environ for name in MISLEADING) or not wanted.items() <= os.environ.items():
        clean = {k: v for k, v in os.environ.items() if k not in MISLEADING} | wanted
        module = sys.modules["__main__"].__spec__
        arguments = ["-m", module.name] if module else [sys.argv[0]]
        os.execve(sys.executable, [sys.executable, *arguments, *sys.argv[1:]], clean)
    if not chosen.default_heap:
        import autograd_core

        autograd_core.keep_heap()
    return chosen


def available(peers: Mapping[str, tuple[str, Callable[[], Any]]]) -> dict[str, Any]:
    """The peers whose package is installed, created by their functions; prints the others."""
    found = {}
    for name, (package, make) in peers.items():
        try:
            importlib.import_module(package)
        except ImportError as error:
            print(f"skipped: {name} ({error}); pip install -e '.[bench]' installs it")
            continue
        found[name] = make()
    return found


def interleaved(
    peers: Mapping[str, Callable[[], tuple[float, ...]]], repeats: int
) -> dict[str, tuple[float, ...]]:
    """The median of each value that a peer returns, over `repeats` rounds after a warm-up."""
    rounds: dict[str, list[tuple[float, ...]]] = {name: [] for name in peers}
    for count in range(repeats + 1):
        for name, once in peers.items():
            figures = once()
            if count:
                rounds[name].append(figures)
    return {
        name: tuple(statistics.median(column) for column in zip(*figures, strict=True))
        for name, figures in rounds.items()
    }


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print rows under a header, with aligned columns."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    print(f"\n{title}")
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells))


def markdown(header: list[str], rows: list[list[str]]) -> None:
    """Print rows as a table in Markdown."""
    print()
    for row in [header, ["---", *["---:"] * (len(header) - 1)], *rows]:
        print(f"| {' | '.join(row)} |")


def machine(chosen: argparse.Namespace) -> str:
    """One paragraph: processor, versions, BLAS kernel, settings."""
    names = ["numpy", "jax", "torch", "autograd", "mygrad", "advect"]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in names if _installed(name)]
    heap = "default heap" if chosen.default_heap else "freed memory kept (mallopt), for all peers"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {chosen.threads} thread; Python "
        f"{platform.python_version()}, {', '.join(versions)}; {_blas()}; {heap}; median of "
        f"{chosen.repeats} interleaved rounds"
    )


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            line = next(line for line in file if line.startswith("model name"))
            return line.split(":")[1].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _blas() -> str:
    if not _installed("threadpoolctl"):
        return "BLAS unknown (threadpoolctl is not installed)"
    from threadpoolctl import threadpool_info

    found = [f"{p['internal_api']} {p.get('architecture', '')}" for p in threadpool_info()]
    return "BLAS " + ", ".join(sorted(set(found)))
