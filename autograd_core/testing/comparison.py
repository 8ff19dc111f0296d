"""The gradients of one function, compared with differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.state import no_grad, observed
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import NotDifferentiableError
from autograd_core.testing.differences import ROUNDING, UNITS, Slope, slope
from autograd_core.testing.rounding import blurred, noise
from autograd_core.testing.rules import RuleObserver
from autograd_core.testing.values import (
    drawn,
    entered,
    floats,
    host,
    is_floating,
    named,
    terms_of,
    text_of,
    untracked,
    wide,
)
from autograd_core.transforms import jvp, vjp
from autograd_core.transforms.tree import filled, leaves

__all__ = ["Comparison", "GradientError", "InconclusiveError"]

WHOLE = 6  # up to this many elements are checked one by one; more, along a random direction
LEAST = 2.0**-10  # smaller operands are perturbed as if they had this size


def extent(values: Any, least: float = LEAST) -> float:
    """The size of values to perturb, between `least` and 1."""
    sizes = np.abs(values)
    return min(max(float(np.max(sizes, initial=0, where=np.isfinite(sizes))), least), 1.0)


class GradientError(AssertionError):
    """A gradient is wrong. The message names the operand and the element, both values, the error of
    the differences, and how to reproduce it."""


class InconclusiveError(AssertionError):
    """The gradient cannot be judged: differences do not converge, as the function jumps, is not
    finite, or oscillates. The operands are too close to a singular point."""


class Comparison:
    """A function whose gradients are compared with differences."""

    def __init__(
        self, f: Any, args: Any, seed: int, what: str, shown: Any = None, given: Any = None
    ) -> None:
        self.f, self.args, self.seed, self.what = f, args, seed, what
        self.shown, self.given = shown or f, args if given is None else given
        self.places = [i for i, arg in enumerate(args) if floats(arg)]
        entries = [
            (f"operand {i}{path}", leaf) for i in self.places for path, leaf in leaves(args[i])
        ]
        self.names = [name for name, _ in entries]
        self.operands = [untracked(leaf) for _, leaf in entries]
        self.points = [host(leaf) for leaf in self.operands]
        self.rng = np.random.default_rng(seed)
        self.middle: Any = None  # the terms of the weighted results at the given operands
        self.blur: Any = 0.0
        self.inside = 0.0
        kinds = [p.dtype for p in self.points]
        self.accuracy = max((float(np.finfo(dtype).eps) for dtype in kinds), default=2.0**-52)
        self.least = max((float(np.finfo(k).smallest_subnormal) for k in kinds), default=0.0)

    # the function and its gradient

    def called(self, values: list[Any]) -> list[Any]:
        """The floating results at these operands, on the host, in their own dtypes."""
        placed = iter(self.there(values))
        args = [filled(a, placed) if i in self.places else a for i, a in enumerate(self.args)]
        with no_grad():
            result = self.f(*args)
        return [host(leaf) for _, leaf in leaves(result) if is_floating(leaf)]

    def there(self, values: list[Any]) -> Iterator[Tensor]:
        for value, like in zip(values, self.operands, strict=True):
            yield make(backend.asarray(value, device=backend.device_of(like._array)), None)

    def pulled(self) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
        """The floating results, and a function that maps their cotangents to gradients."""

        def chosen(*operands: Any) -> Any:
            args = list(self.args)
            for place, value in zip(self.places, operands, strict=True):
                args[place] = value
            out = self.f(*args)
            return tuple(leaf for _, leaf in leaves(out) if is_floating(leaf))

        self.chosen = chosen
        results, pullback = vjp(chosen, *(entered(self.args[i]) for i in self.places))

        def gradients(arriving: list[Any]) -> list[Any]:
            return [leaf for _, leaf in leaves(pullback(tuple(arriving)))]

        return list(results), gradients

    # checks

    def check(self) -> None:
        if not self.operands:
            raise self.wrong("nothing to differentiate: no argument is a floating array or number")
        results, pull = self.pulled()
        cotangents = [drawn(self.rng, result) for result in results]
        observer = RuleObserver()
        with observed(observer):
            found = pull(cotangents)
        if observer.faults:
            raise self.wrong(observer.faults[0])
        self.check_kinds(found)
        hosts = [host(g) for g in found]
        again = [host(g) for g in self.pulled()[1](cotangents)]
        self.check_same(hosts, again)
        self.check_zeros([np.zeros_like(host(c)) for c in cotangents], pull)
        weights = [host(c) for c in cotangents]
        moves = noise(self, weights, hosts)
        self.check_values(hosts, weights, moves)
        self.check_transposed(cotangents, hosts, moves)

    def check_kinds(self, found: list[Any]) -> None:
        for name, operand, g in zip(self.names, self.operands, found, strict=True):
            for attribute in ("shape", "dtype", "device"):
                has, should = getattr(g, attribute), getattr(operand, attribute)
                if has != should:
                    raise self.wrong(f"for {name} has {attribute} {has} and not {should}")

    def check_same(self, found: list[Any], again: list[Any]) -> None:
        for name, one, other in zip(self.names, found, again, strict=True):
            if not np.array_equal(one, other, equal_nan=True):
                i = tuple(
                    map(int, np.argwhere((one != other) & ~(np.isnan(one) & np.isnan(other)))[0])
                )
                raise self.wrong(
                    f"for {name} is not deterministic: element {i} is {one[i]!r} in one run and "
                    f"{other[i]!r} in the next"
                )

    def check_zeros(self, zeros: list[Any], pull: Any) -> None:
        arriving = [
            make(backend.asarray(z, device=o.device), None)
            for z, o in zip(zeros, self.pulled()[0], strict=True)
        ]
        for name, g in zip(self.names, pull(arriving), strict=True):
            values = host(g)
            if (values != 0).any():
                i = tuple(map(int, np.argwhere(values != 0)[0]))
                raise self.wrong(
                    f"for {name} is {values[i]!r} at element {i} for a cotangent of zeros; "
                    "a rule must be linear in g"
                )

    def check_values(self, found: list[Any], weights: list[Any], noise: list[Any]) -> None:
        count = sum(point.size for point in self.points)
        if not count or not sum(w.size for w in weights):
            return
        with np.errstate(all="ignore"):
            self.middle = terms_of(weights, self.called(list(map(wide, self.points))))
        blur, inside = blurred(self, weights, self.middle)
        self.blur, self.inside = 2 * blur, math.fsum(inside) / ROUNDING
        if count <= WHOLE:
            for which, i, direction in self.units():
                self.compare(found, weights, direction, noise, which, i)
            return
        for direction in self.through():
            try:
                self.compare(found, weights, direction, noise)
            except GradientError as error:
                raise self.located(error, found, weights, direction, noise) from None

    def through(self) -> Iterator[list[Any]]:
        """A random direction for each operand separately: the gradient of one operand may be too
        small to be detected next to that of another."""
        for which, (operand, point) in enumerate(zip(self.operands, self.points, strict=True)):
            if np.isfinite(point).any():
                direction = [np.zeros_like(p) for p in self.points]
                random = host(drawn(self.rng, operand)) * extent(point)
                direction[which] = np.where(np.isfinite(point), random, 0).astype(point.dtype)
                yield direction

    def located(
        self, error: GradientError, found: list[Any], weights: list[Any],
        direction: list[Any], noise: list[Any],
    ) -> GradientError:  # fmt: skip
        """The same error at one element: the direction is halved as long as a half shows it."""
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
                    self.compare(found, weights, part, noise, *alone)
                except GradientError as again:
                    error, places = again, half
                    break
            else:
                return error  # the error is only detected in a sum of many elements
        return error

    def units(self) -> Iterator[tuple[int, tuple[int, ...], list[Any]]]:
        """Every direction along a single element, real and imaginary."""
        for which, point in enumerate(self.points):
            for i in map(tuple, np.argwhere(np.isfinite(point))):
                for unit in (1, 1j) if point.dtype.kind == "c" else (1,):
                    direction = [np.zeros_like(p) for p in self.points]
                    direction[which][i] = unit
                    yield which, i, direction

    def line(self, weights: list[Any], direction: list[Any]) -> Callable[[float], Any]:
        """The terms of the weighted results along a line through the operands."""
        points, ways = map(wide, self.points), map(wide, direction)
        pairs = list(zip(points, ways, strict=True))

        def terms(t: float) -> Any:
            if t == 0:
                return self.middle
            moved = [np.where(d == 0, p, p + t * d) if d.any() else p for p, d in pairs]
            return terms_of(weights, self.called(moved))

        return terms

    def gradients_at(self, points: list[Any], weights: list[Any]) -> list[Any]:
        outs, pull = Comparison(self.f, self.replaced(points), self.seed, self.what).pulled()
        arriving = [
            make(backend.asarray(np.asarray(w, o.dtype), device=o.device), None)
            for w, o in zip(weights, outs, strict=True)
        ]
        return [host(g) for g in pull(arriving)]

    def results_at(self, points: list[Any]) -> list[Any]:
        """The floating results, recorded, so that an observer sees all operations."""
        outs, _ = Comparison(self.f, self.replaced(points), self.seed, self.what).pulled()
        return [np.array(host(out)) for out in outs]

    def replaced(self, values: list[Any]) -> list[Any]:
        placed = iter(self.there(values))
        return [filled(a, placed) if i in self.places else a for i, a in enumerate(self.args)]

    def compare(
        self,
        found: list[Any],
        weights: list[Any],
        direction: list[Any],
        noise: list[Any],
        which: int | None = None,
        i: tuple[int, ...] = (),
    ) -> None:
        """Compare the gradient along one direction."""
        gradients = [wide(np.asarray(g)) for g in found]
        if not all(
            np.isfinite(g).all() for g, d in zip(gradients, direction, strict=True) if d.any()
        ):
            self.judge_not_finite(found, which, i)
        terms = terms_of(direction, gradients)
        actual = math.fsum(terms)
        moves = math.fsum(terms_of([np.abs(d) for d in direction], noise))
        own = UNITS * (self.accuracy * math.fsum(abs(terms)) + moves + self.least)
        line = self.line(weights, direction)
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
        """The slope by differences. If it does not confirm the gradient, smaller steps are tried
        for tiny operands, as the domain may end or the function may bend close to them."""
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
        """The largest step: a sixteenth of the size of the perturbed values, or of 1."""
        pairs = zip(self.points, direction, strict=True)
        sizes = [extent(p[d != 0], least) / np.abs(d).max() for p, d in pairs if d.any()]
        return float(min(sizes)) / 16

    def require_sharp(self, expected: Slope, actual: float, which: int | None, i: Any) -> None:
        """Raise InconclusiveError if the differences are too coarse to confirm a gradient."""
        here = math.fsum(abs(self.middle))
        if not math.isfinite(here):
            raise InconclusiveError(
                f"{self.what} of {named(self.shown)}: the function itself is not finite at these "
                f"operands, so nothing can be compared\n{self.repeat()}"
            )
        size = here + abs(actual) + self.inside  # and the sums inside the function, if larger
        if not expected.error <= 1e-4 * (size + 1):
            raise InconclusiveError(
                f"{self.what} of {named(self.shown)} {self.where(which, i)}: differences give "
                f"{expected.value} ± {expected.error:.1e}, too coarse to judge the gradient, "
                f"{actual}. The operands are too close to a point where the function is not smooth"
                f"\n{self.repeat()}"
            )

    def judge_not_finite(self, found: list[Any], which: int | None, i: Any) -> None:
        for name, g, point in zip(self.names, found, self.points, strict=True):
            bad = np.argwhere(~np.isfinite(g))
            if bad.size:
                place = tuple(map(int, bad[0]))
                raise self.wrong(
                    f"for {name} is {g[place]!r} at element {place}, where the operand is "
                    f"{point[place]!r}"
                )

    def check_transposed(self, cotangents: list[Any], found: list[Any], noise: list[Any]) -> None:
        """⟨g, jvp(d)⟩ = ⟨vjp(g), d⟩."""
        ways = [drawn(self.rng, operand) for operand in self.operands]
        placed = iter(ways)
        primals = tuple(entered(self.args[i]) for i in self.places)
        tangents = tuple(filled(self.args[i], placed) for i in self.places)
        try:
            _, forward = jvp(self.chosen, primals, tangents)
        except NotDifferentiableError:
            return  # a rule that is declared once_differentiable
        one = terms_of([host(c) for c in cotangents], [host(t) for _, t in leaves(forward)])
        other = terms_of([host(w) for w in ways], found)
        left, right = math.fsum(one), math.fsum(other)
        own = UNITS * math.fsum(terms_of([np.abs(host(w)) for w in ways], noise))
        size = math.fsum(abs(one)) + math.fsum(abs(other))
        if not abs(left - right) <= 64 * UNITS * self.accuracy * size + own:
            raise self.wrong(
                f"is not the transpose of its jvp: ⟨vjp(g), d⟩ = {right}, ⟨g, jvp(d)⟩ = {left}. "
                "Its rules compute different values on Tensors and on arrays"
            )

    # messages

    def where(self, which: int | None, i: Any) -> str:
        if which is None:
            return "along a random direction"
        return f"for {self.names[which]} at element {tuple(map(int, i))}"

    def differs(
        self, actual: float, expected: Slope, own: float, which: int | None, i: Any
    ) -> GradientError:
        text = (
            f"{self.where(which, i)} is {actual!r}, and differences give {expected.value!r} ± "
            f"{expected.error:.1e} (the gradient's own rounding: {own:.1e})"
        )
        if expected.below is not None:
            text += f"; there is a kink, with slopes {expected.below!r} and {expected.above!r}"
        return self.wrong(text)

    def wrong(self, text: str) -> GradientError:
        return GradientError(f"the {self.what} of {named(self.shown)} {text}\n{self.repeat()}")

    def repeat(self) -> str:
        """The lines that reproduce the error."""
        return (
            "To see it again:\n"
            "    from autograd_core.testing import check_gradients; from numpy import *\n"
            f"    args = ({''.join(f'{text_of(arg)}, ' for arg in self.given)})\n"
            f"    check_gradients({named(self.shown)}, *args, seed={self.seed})"
        )
