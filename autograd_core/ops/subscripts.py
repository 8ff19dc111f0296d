"""Einstein summation without arrays: parsing subscripts, and planning the order of products.

A term consists of the letters of one operand's axes. Letters that are not in the result are summed
over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

from autograd_core.engine.types import Shape
from autograd_core.errors import ShapeError

ascii_letters = "".join(map(chr, (*range(97, 123), *range(65, 91))))  # a … z, A … Z


def from_sublists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Convert ``(x, [0, 1], y, [1, 2], [0, 2])`` to ``"ab,bc->ac", (x, y)``."""

    def term(sublist: Any) -> str:
        try:
            return "".join("..." if i is ... else ascii_letters[i] for i in sublist)
        except (TypeError, IndexError) as error:
            raise ShapeError(
                f"einsum: a sublist must hold integers from 0 to {len(ascii_letters) - 1} and ..., "
                f"one for each axis, not {sublist!r}. Or write subscripts as a string, as in "
                'einsum("ij,jk->ik", x, y)'
            ) from error

    pairs = arguments[: len(arguments) // 2 * 2]
    subscripts = ",".join(map(term, pairs[1::2]))
    if len(arguments) % 2:
        subscripts += "->" + term(arguments[-1])
    return subscripts, tuple(pairs[::2])


@lru_cache(maxsize=1024)
def explicit(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The terms of the operands and the term of the result, with a letter for every axis of an
    ellipsis. Raises ShapeError if `subscripts` do not fit operands with `ndims` axes."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(
            f"einsum: the subscripts {subscripts!r} are for {len(terms)} operands, but there are "
            f"{len(ndims)}"
        )
    used = {letter for letter in subscripts if letter.isalpha()}
    fresh = [letter for letter in ascii_letters if letter not in used]
    hidden = [n - len(term.replace("...", "")) for term, n in zip(terms, ndims, strict=True)]
    for term, n, count in zip(terms, ndims, hidden, strict=True):
        if count < 0 or (count and "..." not in term):
            raise ShapeError(
                f"einsum: {term!r} in {subscripts!r} does not fit an operand with {n} axes"
            )
    count = max((n for n, term in zip(hidden, terms, strict=True) if "..." in term), default=0)
    if count > len(fresh):
        raise ShapeError("einsum: the operands have more axes than there are letters")
    ellipsis = "".join(fresh[:count])
    once = sorted(letter for letter in used if inputs.count(letter) == 1)
    if not arrow:
        output = "..." + "".join(once) if "..." in inputs else "".join(once)
    written = tuple(
        t.replace("...", ellipsis[count - n :]) for t, n in zip(terms, hidden, strict=True)
    )
    result = output.replace("...", ellipsis)
    _check(subscripts, written, result, ellipsis)
    return written, result


def _check(subscripts: str, terms: tuple[str, ...], output: str, ellipsis: str) -> None:
    letters = "".join(terms)
    strange = set(letters + output) - set(ascii_letters)
    if strange:
        raise ShapeError(
            f"einsum: {subscripts!r} may only contain letters, commas, one '->' and '...' in each "
            f"term; it contains {''.join(sorted(strange))!r}"
        )
    for letter in output:
        if output.count(letter) > 1:
            raise ShapeError(f"einsum: {subscripts!r} has {letter!r} twice in the result")
        if letter not in letters:
            raise ShapeError(f"einsum: {subscripts!r} has {letter!r} only in the result")
    if not set(ellipsis) <= set(output):
        raise ShapeError(
            f"einsum: the result in {subscripts!r} needs an ellipsis too: the ellipses "
            f"of the operands match {len(ellipsis)} axes, which would be summed over"
        )


# One step of a plan: the positions of two operands, which are taken from the list of operands; the
# axes of each that are then summed over; and the subscripts of the contraction of both, the result
# of which is appended to the list.
Step = tuple[int, int, tuple[Shape, Shape], str]
# The steps until one operand is left, the axes of this operand that are then summed over, and the
# order that it is transposed to.
Plan = tuple[tuple[Step, ...], Shape, Shape]


@lru_cache(maxsize=1024)
def plan(terms: tuple[str, ...], output: str, shapes: tuple[Shape, ...]) -> Plan:
    """The plan for a sum of products, two operands at a time. Each step combines the pair whose
    product adds the fewest elements in memory. No letter may occur twice in a term."""
    lengths = [dict(zip(t, shape, strict=True)) for t, shape in zip(terms, shapes, strict=True)]
    _check_lengths(terms, output, shapes)
    steps: list[Step] = []
    while len(lengths) > 1:
        first, second = min(
            combinations(range(len(lengths)), 2), key=lambda pair: _growth(lengths, pair, output)
        )
        left, right = lengths[first], lengths[second]
        others = [term for i, term in enumerate(lengths) if i not in (first, second)]
        kept = set(output).union(*others)
        axes = _alone(left, right, kept), _alone(right, left, kept)
        a, b = (
            "".join(letter for i, letter in enumerate(term) if i not in summed)
            for term, summed in zip((left, right), axes, strict=True)
        )
        # the last product is computed in the axis order of the result
        joined = output if not others else "".join(c for c in dict.fromkeys(a + b) if c in kept)
        steps.append((first, second, axes, f"{a},{b}->{joined}"))
        lengths = [*others, {c: max(left.get(c, 1), right.get(c, 1), key=_wider) for c in joined}]
    last = list(lengths[0])
    axes_left = tuple(i for i, letter in enumerate(last) if letter not in output)
    remaining = [letter for letter in last if letter in output]
    return tuple(steps), axes_left, tuple(remaining.index(letter) for letter in output)


def _wider(n: int) -> tuple[bool, int]:
    """A sort key for lengths, by which 1 comes before any other length, including 0."""
    return n != 1, n


def _growth(lengths: list[dict[str, int]], pair: tuple[int, int], output: str) -> int:
    left, right = (lengths[i] for i in pair)
    kept = set(output).union(*(term for i, term in enumerate(lengths) if i not in pair))
    size = math.prod(
        max(left.get(c, 1), right.get(c, 1)) for c in left.keys() | right.keys() if c in kept
    )
    return size - math.prod(left.values()) - math.prod(right.values())


def _alone(term: dict[str, int], other: dict[str, int], kept: set[str]) -> Shape:
    """The axes of `term` to sum over before the product with `other`. Their letters are not in
    `kept`, and `other` does not have them or has them with another length. In the latter case, one
    of the two lengths is 1 and broadcasts."""
    return tuple(
        i
        for i, letter in enumerate(term)
        if letter not in kept and other.get(letter) != term[letter]
    )


def _check_lengths(terms: tuple[str, ...], output: str, shapes: tuple[Shape, ...]) -> None:
    found: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if 1 != found.get(letter, 1) != n != 1:
                raise ShapeError(
                    f"einsum: the operands of {','.join(terms)}->{output} have shapes "
                    f"{', '.join(map(str, shapes))}, so {letter!r} would have both lengths "
                    f"{found[letter]} and {n}"
                )
            if n != 1:
                found[letter] = n


class Layout(NamedTuple):
    """How the product of two operands is computed as a matrix product.

    x is transposed by `x_order` to axes (batch, own, summed), and y by `y_order` to (batch, summed,
    own). The own axes of an operand are those that the other operand does not have. `batch`,
    `x_own`, `y_own` and `summed` are the numbers of such axes. The product has the axes (batch, own
    axes of x, own axes of y) and is transposed by `order`. `x_places` and `y_places` are used if no
    axis is summed over: as indices, they insert the axes that an operand does not have.
    """

    x_order: Shape
    y_order: Shape
    order: Shape
    batch: int
    summed: int
    x_own: int
    y_own: int
    x_places: tuple[Any, ...]
    y_places: tuple[Any, ...]


@lru_cache(maxsize=1024)
def layout(subscripts: str) -> Layout:
    """The layout for subscripts such as ``"ij,jk->ik"``. Each letter occurs in at least two of the
    three terms, and at most once in a term."""
    inputs, _, output = subscripts.partition("->")
    a, b = inputs.split(",")
    batch = [c for c in output if c in a and c in b]
    summed = [c for c in a if c in b and c not in output]
    own_a = [c for c in a if c not in b]
    own_b = [c for c in b if c not in a]
    if not summed:  # the operands are transposed to the order of the result
        own_a = [c for c in output if c in own_a]
        own_b = [c for c in output if c in own_b]
    made = batch + own_a + own_b
    ordered = (batch + own_a + summed, batch + summed + own_b)
    if not summed:
        ordered = ([c for c in output if c in a], [c for c in output if c in b])
    return Layout(
        tuple(map(a.index, ordered[0])),
        tuple(map(b.index, ordered[1])),
        tuple(map(made.index, output)),
        len(batch),
        len(summed),
        len(own_a),
        len(own_b),
        tuple(slice(None) if c in a else None for c in output),
        tuple(slice(None) if c in b else None for c in output),
    )


@lru_cache(maxsize=1024)
def toward(subscripts: str, position: int, g_ndim: int) -> str:
    """The subscripts that compute the gradient of the operand at `position` from g and the other
    operand. Additional leading axes of g are batch axes and stay in front."""
    inputs, _, output = subscripts.partition("->")
    terms = inputs.split(",")
    fresh = [c for c in ascii_letters if c not in subscripts]
    lead = "".join(fresh[: g_ndim - len(output)])
    return f"{lead}{output},{terms[1 - position]}->{lead}{terms[position]}"
