"""What a run of `nn.fit` has measured: a row for each epoch."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public

__all__ = ["History"]

Row = dict[str, Any]


class History:
    """What a run of `fit` has measured: a row for each epoch.

    ``history[i]`` is a dict of the numbers of epoch i + 1, and ``history["loss"]`` the list of one
    number over the epochs, with None where it is missing. `interrupted` is True if the run was
    ended by Ctrl-C.

    Parameters
    ----------
    rows : list of dict, optional
        The first rows.

    Raises
    ------
    ArgumentError
        For ``history[name]``, if no row has that name.

    Examples
    --------
    >>> import nn
    >>> history = nn.History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], history[-1]
    ([0.5, 0.25], {'epoch': 2, 'loss': 0.25})
    >>> print(history.table())
    epoch  loss
        1   0.5
        2  0.25
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = [*(rows or [])]
        self.interrupted = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @public
    def __getitem__(self, key: int | str) -> Any:
        if not isinstance(key, str):
            return self.rows[key]
        if key not in self.names():
            raise ArgumentError(f"no row has {key!r}; there are {self.names()}")
        return [row.get(key) for row in self.rows]

    def names(self) -> list[str]:
        """The names of the numbers, in the order of their first appearance."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @public
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file with all rows.

        Parameters
        ----------
        path : str or Path
            The file: JSON lines if it ends in .jsonl, or .csv. Its folder is made if need be.

        Returns
        -------
        Path
            The path of the file.

        Raises
        ------
        ArgumentError
            If the path ends in anything else.
        """
        path = Path(path)
        check_suffix(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            if path.suffix == ".csv":
                writer = csv.DictWriter(file, self.names())
                writer.writeheader()
                writer.writerows({k: as_plain(v) for k, v in row.items()} for row in self.rows)
            else:
                file.writelines(line(row) for row in self.rows)
        return path

    @public
    def plot(self) -> Any:
        """A figure of the numbers over the epochs. It needs matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            The losses of training and validation on the left, on a logarithmic axis if they are
            positive, and the other numbers on the right.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        try:
            import matplotlib.pyplot as plt
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"plot needs matplotlib ({error}): pip install matplotlib", name="matplotlib"
            ) from None
        names = [name for name in self._numbers() if name not in UNPLOTTED]
        losses = [name for name in names if name.removeprefix("valid_") == "loss"]
        others = [name for name in names if name not in losses]
        width = 2 if others else 1
        figure, grid = plt.subplots(
            1, width, figsize=(5.5 * width, 4), layout="constrained", squeeze=False
        )
        for axes, shown, label in zip(grid[0], (losses, others), ("loss", ""), strict=False):
            for name in shown:
                values = [math.nan if v is None else v for v in self[name]]
                axes.plot(self["epoch"], values, label=name, marker=".")
            axes.set_xlabel("epoch")
            axes.set_ylabel(label)
            axes.grid(alpha=0.3)
            if shown:
                axes.legend()
        values = [v for name in losses for v in self[name] if v is not None]
        if values and min(values) > 0:
            grid[0][0].set_yscale("log")
        return figure

    def _numbers(self) -> list[str]:
        """The names whose values are numbers."""
        return [n for n in self.names() if all(isinstance(v, int | float | None) for v in self[n])]

    def table(self) -> str:
        """The numbers as text, with a line for each epoch."""
        rows = self._cells()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)

    def _cells(self) -> list[tuple[str, ...]]:
        names = self._numbers()
        return [tuple(names), *(tuple(shown(row.get(n)) for n in names) for row in self.rows)]

    def __repr__(self) -> str:
        if not self.rows:
            return "<History: no epoch has ended>"
        last = ", ".join(f"{n} {shown(self.rows[-1].get(n))}" for n in self._numbers())
        return f"<History, {len(self)} epochs; the last: {last}>"

    def _repr_html_(self) -> str:
        return import_module("nn.notebook").of_history(self._cells())  # type: ignore[no-any-return]


UNPLOTTED = {"epoch", "step", "seconds", "lr"}


def shown(value: Any) -> str:
    """A number with five digits."""
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def as_plain(value: Any) -> Any:
    """A value for JSON: arrays as lists, inf and NaN as null."""
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def line(row: Row) -> str:
    """A row as a line of JSON."""
    return json.dumps({name: as_plain(value) for name, value in row.items()}) + "\n"


def check_suffix(path: Path) -> None:
    """Raise ArgumentError for a suffix that no log has."""
    if path.suffix not in (".jsonl", ".csv"):
        raise ArgumentError(f"a log is a .jsonl or a .csv file, not {path.name!r}")
