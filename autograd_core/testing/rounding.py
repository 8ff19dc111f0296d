"""The effect of round-off on a gradient: all intermediate results are perturbed by round-off.

This is Monte Carlo arithmetic (Parker, Pierce and Eggert, "Monte Carlo arithmetic: how to gamble
with floating point and win", 2000). It detects, for example, the cancellation in
``g * (1 - out * out)`` near ``out = 1``, which perturbing the operands does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Parts, fit
from autograd_core.engine.state import Observer, observed
from autograd_core.engine.types import Array, Gradient
from autograd_core.testing.differences import ROUNDING, UNITS
from autograd_core.testing.values import host, terms_of, wide

SHAKES = 4


def noise(subject: Any, weights: list[Any], found: list[Any]) -> list[Any]:
    """Return how much round-off changes each element of the subject's gradients. In some runs the
    operands and cotangents are perturbed by two units of round-off, in others all intermediate
    results; the maximum over the runs is returned. A change by more than the square root of the
    accuracy is not counted as round-off, because it shows that the gradient is discontinuous, not
    ill-conditioned."""
    rng, accuracy = subject.rng, subject.accuracy
    limit = accuracy**0.5 * max((np.abs(g).max(initial=0) for g in found), default=0)
    limit += UNITS * accuracy * max(np.abs(w).max(initial=0) for w in weights)
    most = [np.zeros(g.shape) for g in found]
    exact = _exact(subject, weights)

    def moves(others: list[Any]) -> list[Any]:
        return [np.abs(wide(a) - wide(b)) for a, b in zip(found, others, strict=True)]

    for _ in range(SHAKES):
        points = [shaken(rng, point) for point in subject.points]
        arriving = [shaken(rng, np.asarray(weight)) for weight in weights]
        moved = moves(subject.gradients_at(points, arriving))
        most = [np.fmax(m, np.minimum(a, limit)) for m, a in zip(most, moved, strict=True)]
    for seed in range(SHAKES // 2):
        once, twice = (
            moves(_rounded(subject, weights, found, exact, seed, units)) for units in (2, 4)
        )
        for i, (a, b) in enumerate(zip(once, twice, strict=True)):
            # a jump or an overflow is not proportional to the perturbation
            rounds = (a <= limit) | ((b >= 1.5 * a) & np.isfinite(b))
            most[i] = np.fmax(most[i], np.where(rounds, a, 0.0))
    return most


def _exact(subject: Any, weights: list[Any]) -> list[Any]:
    """The results of all operations, computed in double precision; empty if the operands already
    have double precision."""
    results = Results()
    if subject.accuracy > ROUNDING:
        with observed(results):
            subject.gradients_at(list(map(wide, subject.points)), weights)
    return results.found


def _rounded(
    subject: Any, weights: list[Any], found: list[Any], exact: list[Any], seed: int, units: int
) -> list[Any]:
    """The gradients with the results of all operations and rules perturbed by round-off."""
    try:
        with _rounding(seed, exact, units):
            return [np.array(g) for g in subject.gradients_at(subject.points, weights)]
    except (ArithmeticError, ValueError):  # the function rejects perturbed values
        return found


def blurred(subject: Any, weights: list[Any], middle: Any) -> tuple[Any, Any]:
    """Return how much round-off changes each term of the subject's weighted results, whose values
    are `middle`, in double precision. In some runs the operands are perturbed by two units of
    round-off, in others all intermediate results. This detects a loss of accuracy inside the
    function that its results do not show. Also return the change due to the intermediate results
    only, without jumps."""
    points = [wide(point) for point in subject.points]

    def moves(results: list[Any]) -> Any:
        return np.abs(terms_of(weights, results) - middle)

    def rounded(seed: int, units: int) -> Any:
        try:
            with _rounding(seed, [], units):
                return moves(subject.results_at(points))
        except (ArithmeticError, ValueError):  # the function rejects perturbed values
            return np.zeros(middle.shape)

    with np.errstate(all="ignore"):
        limit = subject.accuracy**0.5 * np.abs(middle)
        of_operands, of_results = np.zeros((2, middle.size))
        for seed in range(SHAKES // 2):
            shakes = moves(subject.called([shaken(subject.rng, point) for point in points]))
            of_operands = np.fmax(of_operands, np.where(np.isfinite(shakes), shakes, 0.0))
            moved = rounded(seed, 2)
            if not (moved <= limit).all():  # a jump is not proportional to the perturbation
                moved = np.where((moved <= limit) | (rounded(seed, 4) >= 1.5 * moved), moved, 0.0)
            of_results = np.fmax(of_results, np.where(np.isfinite(moved), moved, 0.0))
    return np.maximum(of_operands, of_results), of_results


@contextmanager
def _rounding(seed: int, exact: list[Any], units: int) -> Iterator[None]:
    """In this context, the results of all operations and rules are perturbed in place by round-off.
    They are restored at the end, so results that are needed later must be copied before."""
    rounding = Rounding(np.random.default_rng(seed), exact, units)
    try:
        with observed(rounding):
            yield
    finally:
        rounding.restore()


def shaken(rng: Any, values: Any, more: Any = 0.0, units: int = 2) -> Any:
    """`values`, each perturbed up or down by `units` units of round-off plus `more`."""
    signs = rng.choice([-1, 1], values.shape)
    finite = np.where(np.isfinite(values), values, 0)
    moved = finite + signs * (units * np.finfo(values.dtype).eps * np.abs(finite) + more)
    kept = np.isfinite(values) & np.isfinite(moved)
    return np.asarray(np.where(kept, moved, values), values.dtype)


class Results(Observer):
    """Keeps the result of every operation."""

    def __init__(self) -> None:
        self.found: list[tuple[Any, Any]] = []

    def forward(self, node: Any, out: Array, operands: tuple[Any, ...]) -> None:
        self.found.append((node.op, np.array(host(out))))


class Rounding(Observer):
    """Perturbs the result of every operation and of every rule, until `restore` is called.

    Each result is perturbed by `units` units of round-off. In less than double precision, it is
    also perturbed by its distance from the result in double precision. For operations, the results
    in double precision are taken from `exact`, the list of the results of an earlier run, in order.
    Operations that are not in this list, such as casts, are perturbed by round-off only.
    """

    def __init__(self, rng: Any, exact: list[Any], units: int) -> None:
        self.rng, self.units = rng, units
        self.exact = list(reversed(exact))
        self.moved: list[tuple[Any, Any]] = []

    def restore(self) -> None:
        for array, values in reversed(self.moved):
            array[...] = values

    def forward(self, node: Any, out: Array, operands: tuple[Any, ...]) -> None:
        exact = None
        if self.exact and self.exact[-1][0] is node.op:
            exact = self.exact.pop()[1]
        known = exact is not None and exact.shape == out.shape
        if backend.is_array(out) and out.base is None:
            self.move(out, np.abs(exact - host(out)) if known else 0.0)

    def backward(self, node: Any, rule: Any, g: Gradient, gx: Gradient) -> None:
        if isinstance(g, Parts) or not backend.is_array(gx):
            return
        saved = next((kept for _, r, kept in node.edges() if r is rule), ())
        given = [value for value in (g, *saved) if backend.is_array(value)]
        if not any(np.may_share_memory(host(gx), host(value)) for value in given):
            self.move(gx, self.own(rule, g, gx, saved))

    def own(self, rule: Any, g: Gradient, gx: Gradient, saved: Any) -> Any:
        """The distance of a rule's result from its result in double precision."""
        if np.finfo(gx.dtype).eps <= np.finfo(float).eps or not rule.operand:
            return 0.0
        exact = rule.function(_widened(g), *map(_widened, saved))
        return np.abs(host(fit(exact, gx.shape, wide(host(gx)).dtype, 0)) - host(gx))

    def move(self, array: Array, more: Any) -> None:
        whole = array.flags.writeable if isinstance(array, np.ndarray) else array.base is None
        if array.dtype.kind not in "fc" or not whole:
            return
        before = array.copy()
        more = self.units / 2 * np.where(np.isfinite(more), more, 0.0)
        moved = shaken(self.rng, host(array), more, self.units)
        array[...] = backend.asarray(moved, device=backend.device_of(array))
        self.moved.append((array, before))


def _widened(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_widened, value))
    if not backend.is_array(value) or value.dtype.kind not in "fc":
        return value
    return backend.asarray(wide(host(value)), device=backend.device_of(value))
