"""Shared by the examples that follow the lecture: command-line options and saving of figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def options(description: str, name: str, arguments: list[str] | None) -> argparse.Namespace:
    """The options `quick` and `out`; creates the folder `out`."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}", description=description)
    parser.add_argument("--quick", action="store_true", help="a smaller run of a few seconds")
    parser.add_argument("--out", type=Path, default=Path("runs") / name, help="folder for results")
    found = parser.parse_args(arguments)
    found.out.mkdir(parents=True, exist_ok=True)
    return found


def takes(duration: str, quick: bool = False) -> None:
    """Say before a run of more than ten seconds how long it takes on a processor."""
    if not quick:
        print(f"This takes about {duration} on a processor.", flush=True)


def save(figure: Any, path: Path) -> Path:
    """Write the figure to `path` and close it; returns the path."""
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
