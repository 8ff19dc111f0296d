"""An inverse problem on several ranks: what is inside a plate, from how it cools.

    python -m examples.heat_equation [--quick]
    mpiexec -n 4 python -m mpi4py -m examples.heat_equation    # needs pip install -e '.[mpi]'

The temperature u of a plate follows the heat equation ∂u/∂t = div(k grad u). Its conductivity k is
that of a homogeneous material with three inclusions, whose places and conductivities are not known.
The plate is heated at nine points, and sensors measure with noise how it cools. The program finds
the ten unknowns: it simulates the plate with explicit time steps, and L-BFGS minimises the squared
deviations from the measurements.

Each rank has some rows of the plate. Before every four time steps, it exchanges the four rows at
each border with the next rank by `sendrecv`, and in the backward pass the gradients of these rows.
At an edge of the plate, where there is no next rank, it receives zeros, and no heat flows. The
unknowns are the same on all ranks, and their gradient is the sum of those of the ranks. The results
do not depend on the number of ranks, except for rounding. A plate of this size is small: the ranks
need more time for the exchange than they save, and much more if there are fewer processors than
ranks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy

import autograd_core as ac
import autograd_core.numpy as np
import nn
from examples.lecture import options, save, takes
from nn.distributed import Group, all_gather, all_reduce, sendrecv, world

CELLS, SIDE = 32, 10.0  # the plate has 32 × 32 cells, and sides of 10 cm
STEP = 0.015  # seconds; stable for k < 1.6 cm²/s
EVERY, GAP = 20, 4  # a sensor in every fourth row and column measures after every 20 steps
HALO = 4  # rows that are received at once, enough for as many steps
WIDTH, NOISE = 1.2, 0.5  # of an inclusion, in cm; of a measurement, in kelvin
NAMES = ["log k of the plate"] + [
    f"inclusion {i}: {what}" for i in (1, 2, 3) for what in ("x [cm]", "y [cm]", "contrast")
]
TRUE = numpy.array([-1.2, 2.5, 2.8, 1.2, 7.2, 4.4, -1.8, 3.6, 7.4, -1.0])
GUESS = numpy.array([-1.5, 3.3, 3.3, 0.3, 6.6, 5.0, -0.3, 4.2, 6.6, -0.3])


class Strip(NamedTuple):
    """The rows of the plate on this rank, and the ranks next to it: None at an edge."""

    start: int
    stop: int
    above: int | None
    below: int | None


def strip(group: Group) -> Strip:
    """The strip of this rank. Each one has a row with sensors."""
    rank, size = group.rank, group.size
    if size > CELLS // GAP:
        raise SystemExit(f"heat_equation: at most {CELLS // GAP} ranks, not {size}")
    above, below = rank - 1 if rank else None, rank + 1 if rank + 1 < size else None
    return Strip(rank * CELLS // size, (rank + 1) * CELLS // size, above, below)


def places(start: int, stop: int) -> Any:
    """The centres of some cells of a column, in cm."""
    return (numpy.arange(start, stop) + 0.5) * SIDE / CELLS


def conductivity(unknowns: Any, start: int, stop: int) -> Any:
    """k of some rows, in cm²/s (of heat capacity 1)."""
    x, y = places(0, CELLS), places(start, stop)[:, None]
    log_k = unknowns[0]
    for i in (1, 4, 7):
        squared = (x - unknowns[i]) ** 2 + (y - unknowns[i + 1]) ** 2
        log_k = log_k + unknowns[i + 2] * np.exp(-squared / (2 * WIDTH**2))
    return np.exp(log_k)


def simulated(unknowns: Any, part: Strip, steps: int) -> list[Any]:
    """The temperatures of the strip at the times of the measurements. The edges are insulated."""
    # k follows from the unknowns: a rank computes that of the next rows instead of receiving it
    start, stop = part.start - HALO, part.stop + HALO
    k = STEP * (CELLS / SIDE) ** 2 * conductivity(unknowns, start, stop)
    border = numpy.arange(start + 1, stop)[:, None]
    inside = (border > 0) & (border < CELLS)  # nothing flows through an edge
    down = (k[1:] + k[:-1]) / 2 * inside
    right = (k[:, 1:] + k[:, :-1]) / 2
    x, y = places(0, CELLS), places(part.start, part.stop)[:, None]
    heated = SIDE / 6 * numpy.array([1, 3, 5])
    u = sum(100 * numpy.exp(-((x - a) ** 2) - (y - b) ** 2) for a in heated for b in heated)
    seen = []
    for step in range(0, steps, HALO):
        above = sendrecv(u[-HALO:], dest=part.below, source=part.above)
        below = sendrecv(u[:HALO], dest=part.above, source=part.below)
        u = np.concatenate([above, u, below])
        for _ in range(HALO):  # each step makes one more of the received rows wrong
            flow_down = np.pad(down * np.diff(u, axis=0), ((1, 1), (0, 0)))
            flow_right = np.pad(right * np.diff(u, axis=1), ((0, 0), (1, 1)))
            u = u + np.diff(flow_down, axis=0) + np.diff(flow_right, axis=1)
        u = u[HALO:-HALO]
        if (step + HALO) % EVERY == 0:
            seen.append(u)
    return seen


def at_sensors(seen: list[Any], part: Strip) -> Any:
    """The temperatures of the sensors of the strip, (times, rows, columns)."""
    first = (GAP // 2 - part.start) % GAP
    return np.stack([u[first::GAP, GAP // 2 :: GAP] for u in seen])


def measured(part: Strip, steps: int) -> Any:
    """What the sensors of the strip measure: with the same noise for any number of ranks."""
    noise = numpy.random.default_rng(0).normal(size=(steps // EVERY, CELLS, CELLS)) * NOISE
    exact = at_sensors(simulated(TRUE, part, steps), part)
    return exact + at_sensors(list(noise[:, part.start : part.stop]), part)


def found(
    observed: Any, part: Strip, steps: int, iterations: int, say: Callable[..., None]
) -> tuple[Any, list[float]]:
    """The unknowns that explain all measurements, and the misfit of each simulation."""
    unknowns = ac.Tensor(GUESS.copy(), requires_grad=True)  # the optimiser writes to it
    optimizer = nn.LBFGS([unknowns], max_iter=iterations, line_search_fn="strong_wolfe",
                         max_eval=10 * iterations, tolerance_grad=1e-5)  # fmt: skip
    count = steps // EVERY * (CELLS // GAP) ** 2
    history: list[float] = []

    def closure() -> Any:
        optimizer.zero_grad()
        deviation = (at_sensors(simulated(unknowns, part, steps), part) - observed) / NOISE
        own = (deviation**2).sum() / count
        own.backward()  # of the sum of what all ranks call it on
        unknowns.grad = all_reduce(unknowns.grad)
        history.append(float(all_reduce(own.detach())))
        if len(history) % 10 == 1:
            say(f"simulation {len(history):3}: misfit {history[-1]:.4f}")
        return history[-1]

    optimizer.step(closure)
    return unknowns.detach().numpy(), history


def plot(estimate: Any, column: Any, size: int) -> Any:
    """The conductivities, and the temperature of a column of cells in time."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 4, figsize=(17, 4.2), layout="constrained")
    fields = {"true": TRUE, "first guess": GUESS, "found": estimate}
    high = conductivity(TRUE, 0, CELLS).max()
    for axis, (title, unknowns) in zip(axes, fields.items(), strict=False):
        image = axis.imshow(conductivity(unknowns, 0, CELLS), extent=(0, SIDE, SIDE, 0),
                            vmin=0, vmax=high)  # fmt: skip
        axis.set(title=f"conductivity: {title}", xlabel="x [cm]", ylabel="y [cm]")
    at = places(0, CELLS)[GAP // 2 :: GAP]
    axes[0].plot(*numpy.meshgrid(at, at), "w.", ms=2)
    axes[0].set_title("conductivity: true (dots: sensors)")
    figure.colorbar(image, ax=axes[:3], label="k [cm²/s]")
    end = len(column) * EVERY * STEP
    image = axes[3].imshow(column.T, extent=(0, end, SIDE, 0), aspect="auto", cmap="inferno")
    axes[3].set(title=f"temperature at x = {SIDE / 2:g} cm; ranks: {size}", xlabel="time [s]",
                ylabel="y [cm]")  # fmt: skip
    for rank in range(1, size):
        axes[3].axhline(rank * CELLS // size * SIDE / CELLS, color="white", lw=0.8, ls="--")
    figure.colorbar(image, ax=axes[3], label="above the surroundings [K]")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Simulate measurements, find the unknowns, and draw."""
    group = world()
    first = group.rank == 0
    chosen = options("What is inside a plate, from how it cools", "heat_equation", arguments)
    takes("ten seconds with one rank", chosen.quick or not first)
    say = partial(print, flush=True) if first else lambda text: None
    steps, iterations = (100, 12) if chosen.quick else (400, 60)
    part = strip(group)
    observed = measured(part, steps)
    start = time.perf_counter()
    estimate, history = found(observed, part, steps, iterations, say)
    seconds = time.perf_counter() - start
    seen = simulated(estimate, part, steps)
    column = all_gather(np.stack(seen)[:, :, CELLS // 2], axis=1)
    if not first:
        return
    print(f"misfit {history[0]:.4g} → {history[-1]:.4g} in {len(history)} simulations, "
          f"{seconds:.1f} s on {group.size} rank{'s' * (group.size > 1)}")  # fmt: skip
    print(f"{'':22} {'true':>8} {'guess':>8} {'found':>8} {'error':>8}")
    for name, *values in zip(NAMES, TRUE, GUESS, estimate, estimate - TRUE, strict=True):
        print(f"{name:22}", *[f"{value:8.3f}" for value in values])
    results = {"found": estimate.tolist(), "misfit": history, "ranks": group.size}
    (chosen.out / "results.json").write_text(json.dumps(results))
    picture = save(plot(estimate, column, group.size), chosen.out / "heat_equation.png")
    print(f"picture: {picture}")


if __name__ == "__main__":
    main()
