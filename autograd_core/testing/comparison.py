"""Comparison of the gradients of a function with finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.testing.differences import ROUNDING, UNITS, Slope, slope
from autograd_core.testing.rounding import blurred
from autograd_core.testing.subject import GradientError, Subject
from autograd_core.testing.values import host, random_like, terms_of, wide

FEW_ELEMENTS = 6  # up to this many elements are checked one by one, more along a random direction
LEAST = 2.0**-10  # smaller operands are perturbed as if they had this size


def extent(values: Any, least: float = LEAST) -> float:
    """The largest finite absolute value in `values`, clipped to the interval from `least` to 1."""
    sizes = np.abs(values)
    return min(max(float(np.max(sizes, initial=0, where=np.isfinite(sizes))), least), 1.0)


class Comparison:
    """The gradients `found` of the function's results weighted by `weights`, to be compared with
    finite differences. `moves` is how much round-off changes each element of the gradients."""

    def __init__(
        self, subject: Subject, found: list[Any], weights: list[Any], moves: list[Any]
    ) -> None:
        self.subject, self.found, self.weights, self.moves = subject, found, weights, moves
        self.points = subject.points
        self.middle: Any = None  # the terms of the weighted results at the given operands
        self.blur: Any = 0.0
        self.inside = 0.0

    def check(self) -> None:
        """Raise GradientError if a gradient differs from the finite differences by more than the
        sum of their errors. Raise InconclusiveError if the finite differences are too
        inaccurate."""
        subject, weights = self.subject, self.weights
        count = sum(point.size for point in self.points)
        if not count or not sum(w.size for w in weights):
            return
        with np.errstate(all="ignore"):
            self.middle = terms_of(weights, subject.called(list(map(wide, self.points))))
        blur, inside = blurred(subject, weights, self.middle)
        self.blur, self.inside = 2 * blur, math.fsum(inside) / ROUNDING
        if count <= FEW_ELEMENTS:
            for which, i, direction in self.units():
                self.compare(direction, which, i)
            return
        for direction in self.through():
            try:
                self.compare(direction)
            except GradientError as error:
                raise self.located(error, direction) from None

    # directions

    def through(self) -> Iterator[list[Any]]:
        """A random direction for each operand separately, because the gradient of one operand may
        be too small to be detected next to the gradient of another."""
        for which, (operand, point) in enumerate(
            zip(self.subject.operands, self.points, strict=True)
        ):
            if np.isfinite(point).any():
                direction = [np.zeros_like(p) for p in self.points]
                random = host(random_like(self.subject.rng, operand)) * extent(point)
                direction[which] = np.where(np.isfinite(point), random, 0).astype(point.dtype)
                yield direction

    def located(self, error: GradientError, direction: list[Any]) -> GradientError:
        """Narrow the error down to one element. The direction is bisected as long as one half of it
        still reproduces the error."""
        places = [
            (which, i) for which, d in enumerate(direction) for i in map(tuple, np.argwhere(d))
        ]
        while len(places) > 1:
            middle = len(places) // 2
            for half in (places[:middle], places[middle:]):
                part = [np.zeros_like(d) for d in direction]
                for which, i in half:
                    part[which][i] = direction[which][i]
                alone = half[0] if len(half) == 1 else (None, ())
                try:
                    self.compare(part, *alone)
                except GradientError as again:
                    error, places = again, half
                    break
            else:
                return error  # the error is only detected in a sum of many elements
        return error

    def units(self) -> Iterator[tuple[int, tuple[int, ...], list[Any]]]:
        """Every direction along a single element. For a complex element, these are the real and the
        imaginary direction."""
        for which, point in enumerate(self.points):
            for i in map(tuple, np.argwhere(np.isfinite(point))):
                for unit in (1, 1j) if point.dtype.kind == "c" else (1,):
                    direction = [np.zeros_like(p) for p in self.points]
                    direction[which][i] = unit
                    yield which, i, direction

    def line(self, direction: list[Any]) -> Callable[[float], Any]:
        """The terms of the weighted results along a line through the operands."""
        points, ways = map(wide, self.points), map(wide, direction)
        pairs = list(zip(points, ways, strict=True))

        def terms(t: float) -> Any:
            if t == 0:
                return self.middle
            moved = [np.where(d == 0, p, p + t * d) if d.any() else p for p, d in pairs]
            return terms_of(self.weights, self.subject.called(moved))

        return terms

    # comparisons

    def compare(
        self, direction: list[Any], which: int | None = None, i: tuple[int, ...] = ()
    ) -> None:
        """Compare the gradient along one direction."""
        gradients = [wide(np.asarray(g)) for g in self.found]
        if not all(
            np.isfinite(g).all() for g, d in zip(gradients, direction, strict=True) if d.any()
        ):
            self.refuse_not_finite()
        terms = terms_of(direction, gradients)
        actual = math.fsum(terms)
        moves = math.fsum(terms_of([np.abs(d) for d in direction], self.moves))
        own = UNITS * (self.subject.accuracy * math.fsum(abs(terms)) + moves + self.subject.least)
        line = self.line(direction)
        expected = self.expected(line, direction, actual, own)
        if abs(actual - expected.value) <= expected.error + own:
            self.require_sharp(expected, actual, which, i)
            return
        if expected.below is not None and expected.above is not None:
            low, high = sorted((expected.below, expected.above))
            slack = 1e-4 * (abs(low) + abs(high)) + own
            if low - slack <= actual <= high + slack:
                return  # a subgradient
        self.require_sharp(expected, actual, which, i)
        raise self.differs(actual, expected, own, which, i)

    def expected(self, line: Any, direction: list[Any], actual: float, own: float) -> Slope:
        """The slope from finite differences. If it does not confirm the gradient of tiny operands,
        smaller steps are tried, because the domain may end or the function may bend close to the
        operands."""
        found = slope(line, self.reach(direction), self.blur)
        closer = self.reach(direction, least=0.0)
        confirmed = abs(actual - found.value) <= found.error + own
        if 0 < closer < self.reach(direction) and not (
            confirmed and found.error <= 1e-6 * abs(actual)
        ):
            again = slope(line, closer, self.blur)
            found = again if again.error < found.error else found
        return found

    def reach(self, direction: list[Any], least: float = LEAST) -> float:
        """The largest step: a sixteenth of the `extent` of the perturbed values, relative to the
        largest element of the direction."""
        pairs = zip(self.points, direction, strict=True)
        sizes = [extent(p[d != 0], least) / np.abs(d).max() for p, d in pairs if d.any()]
        return float(min(sizes)) / 16

    def require_sharp(self, expected: Slope, actual: float, which: int | None, i: Any) -> None:
        """Raise InconclusiveError if the finite differences are too inaccurate to confirm a
        gradient."""
        here = math.fsum(abs(self.middle))
        if not math.isfinite(here):
            raise self.subject.inconclusive(
                ": the function itself is not finite at these operands, so nothing can be compared"
            )
        size = here + abs(actual) + self.inside  # sums inside the function may be larger
        if not expected.error <= 1e-4 * (size + 1):
            raise self.subject.inconclusive(
                f" {self.where(which, i)}: differences give {expected.value} ± "
                f"{expected.error:.1e}, too coarse to judge the gradient, {actual}. The operands "
                "are too close to a point where the function is not smooth"
            )

    def refuse_not_finite(self) -> None:
        """Raise for the first element of a gradient that is not finite."""
        names = self.subject.names
        for name, g, point in zip(names, self.found, self.points, strict=True):
            bad = np.argwhere(~np.isfinite(g))
            if bad.size:
                place = tuple(map(int, bad[0]))
                raise self.subject.wrong(
                    f"for {name} is {g[place]!r} at element {place}, where the operand is "
                    f"{point[place]!r}"
                )

    def where(self, which: int | None, i: Any) -> str:
        if which is None:
            return "along a random direction"
        return f"for {self.subject.names[which]} at element {tuple(map(int, i))}"

    def differs(
        self, actual: float, expected: Slope, own: float, which: int | None, i: Any
    ) -> GradientError:
        text = (
            f"{self.where(which, i)} is {actual!r}, and differences give {expected.value!r} ± "
            f"{expected.error:.1e} (round-off of the gradient: {own:.1e})"
        )
        if expected.below is not None:
            text += f"; there is a kink, with slopes {expected.below!r} and {expected.above!r}"
        if any((w != 1).any() for w in self.weights):
            text += ". Both are derivatives of a sum of the results with random weights"
        return self.subject.wrong(text)
