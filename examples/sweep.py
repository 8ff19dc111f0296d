"""A sweep: a small network on MNIST with 24 choices of its settings, several at a time.

    python -m examples.sweep [--quick] [--jobs 2]     # needs pip install joblib

Each choice of learning rate, units, dropout and activation is trained on the same images, and its
accuracy on other images is measured. The library does not start processes: the engine is the
user's, here `joblib`. With ``joblib.Parallel(n_jobs=1)``, or in a plain loop, the results are the
same.

To use the machines of a dask cluster, replace the line that is marked by

    rows = client.gather(client.map(trained, choices, epochs=epochs, count=count))

with ``client = dask.distributed.Client("scheduler:8786")``. Each process should use one thread for
linear algebra, because the processes are as many as the processors: joblib sees to it, and for dask
set OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import autograd_core as ac
import nn
from examples.images import Images, accuracy, mnist
from examples.lecture import takes

BATCH, RUN = 100, Path("runs") / "sweep"
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class Choice(NamedTuple):
    """The settings of a network. It is passed to another process, so that it has plain values."""

    rate: float
    units: int
    dropout: float
    activation: str


class Row(NamedTuple):
    """The accuracy of a network on images that are not trained on, and the time of training."""

    choice: Choice
    accuracy: float
    seconds: float


def network(choice: Choice, seed: int) -> nn.Sequential:
    """784 - units - 10."""
    how: Any = {"generator": seed, "dtype": "float32"}
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, choice.units, **how), ACTIVATIONS[choice.activation](),
        nn.Dropout(choice.dropout, generator=seed), nn.Linear(choice.units, 10, **how),
    )  # fmt: skip


def trained(choice: Choice, epochs: int, count: int, seed: int = 0) -> Row:
    """Train a network on the first `count` images. It reads the images itself, because that takes
    less time than to send them to the process. Equal choices give equal results."""
    train, valid, _ = mnist()
    train, valid = train.first(count), Images(valid.x[:2_000], valid.y[:2_000])
    model = network(choice, seed)
    loader = nn.DataLoader(nn.TensorDataset(*train), BATCH, shuffle=True, generator=seed)
    optimizer = nn.Adam(model.parameters(), lr=choice.rate)
    start = time.perf_counter()
    nn.fit(model, loader, nn.CrossEntropyLoss(), optimizer, epochs=epochs, progress=False)
    return Row(choice, accuracy(model, valid), time.perf_counter() - start)


def swept(choices: list[Choice], epochs: int, count: int, jobs: int) -> list[Row]:
    """A row for each choice, the best one first."""
    try:
        import joblib
    except ImportError as error:
        raise SystemExit(f"sweep: {error}. The sweep needs joblib: pip install joblib") from error
    # the line that changes for another engine:
    rows = joblib.Parallel(jobs)(joblib.delayed(trained)(c, epochs, count) for c in choices)
    return sorted(rows, key=lambda row: -row.accuracy)


def table(rows: list[Row]) -> str:
    """A line for each row."""
    lines = [f"accuracy {'rate':>8} {'units':>6} {'dropout':>8}  activation {'seconds':>8}"]
    lines += [
        f"{row.accuracy:8.2%} {row.choice.rate:8g} {row.choice.units:6} {row.choice.dropout:8g}"
        f"  {row.choice.activation:10} {row.seconds:8.1f}"
        for row in rows
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Train with all choices, print a table, and write it to results.json."""
    parser = argparse.ArgumentParser(prog="python -m examples.sweep", description="A sweep.")
    parser.add_argument("--quick", action="store_true", help="four choices and few images")
    parser.add_argument("--jobs", type=int, default=-1, help="processes; by default, processors")
    parser.add_argument("--out", type=Path, default=RUN, help="folder for results")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    takes("two minutes", chosen.quick)
    values: Any = ((1e-3, 3e-3, 1e-2), (50, 200), (0.0, 0.3), ACTIVATIONS)
    if chosen.quick:
        values = ((1e-3, 1e-2), (20, 50), (0.0,), ("relu",))
    choices = [Choice(*found) for found in product(*values)]
    epochs, count = (1, 1_000) if chosen.quick else (5, 20_000)
    ac.keep_heap()
    start = time.perf_counter()
    rows = swept(choices, epochs, count, chosen.jobs)
    print(table(rows))
    print(f"{len(rows)} networks in {time.perf_counter() - start:.1f} s")
    results = [row.choice._asdict() | {"accuracy": row.accuracy} for row in rows]
    (chosen.out / "results.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
