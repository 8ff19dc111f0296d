"""A flow as rows of numbers, for pandas and for CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from autograd_core.rendering.measured import Measured
from autograd_core.rendering.tables import layers
from autograd_core.rendering.training import update_ratio

COLUMNS = (
    *("layer", "shape", "gradient_rms", "gradient_zeros", "gradient_not_finite"),
    *("parameter", "parameter_gradient_rms", "gradient_per_value", "update_per_value", "findings"),
)


def records(flow: Measured) -> list[dict[str, Any]]:
    """A row for each parameter of each layer, and one for each layer without parameters. What is
    not known is None."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in _rows(flow)]


def _rows(flow: Measured) -> Iterator[tuple[Any, ...]]:
    for layer in layers(flow):
        g = layer.gradient
        head = layer.unique_name, str(layer.shape)
        sizes = (g.rms, g.zeros, g.not_finite) if g is not None else (None, None, None)
        said = "; ".join(layer.findings)
        for box in layer.parameters:
            slope, value = box.gradient, flow.parameters.get(box.number)
            known = slope is not None and value is not None and value.norm
            ratio = slope.norm / value.norm if known else None  # type: ignore[union-attr]
            update = update_ratio(flow.rates.get(box.number), slope, value)
            rms = slope.rms if slope is not None else None
            yield (*head, *sizes, box.title, rms, ratio, update, said)
        if not layer.parameters:
            yield (*head, *sizes, None, None, None, None, said)


def to_csv(flow: Measured, path: Any) -> None:
    """Write the rows to a file."""
    rows = records(flow)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def to_pandas(flow: Measured) -> Any:
    """The rows as a DataFrame."""
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        message = "to_pandas() needs pandas, which is not installed; to_csv() does not need it"
        raise ImportError(message, name="pandas") from error
    return pandas.DataFrame(records(flow), columns=list(COLUMNS))
