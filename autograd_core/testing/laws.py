"""Checks of properties that the gradient of every function has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.tensor import make
from autograd_core.errors import NotDifferentiableError
from autograd_core.testing.differences import UNITS
from autograd_core.testing.subject import Subject
from autograd_core.testing.values import host, random_like, tensors_of, terms_of
from autograd_core.transforms import jvp
from autograd_core.transforms.tree import filled, leaves


def check_kinds(subject: Subject, found: list[Any]) -> None:
    """Check that each gradient has the shape, dtype and device of its operand."""
    for name, operand, g in zip(subject.names, subject.operands, found, strict=True):
        for attribute in ("shape", "dtype", "device"):
            has, should = getattr(g, attribute), getattr(operand, attribute)
            if has != should:
                raise subject.wrong(f"for {name} has {attribute} {has} instead of {should}")


def check_same(subject: Subject, found: list[Any], again: list[Any]) -> None:
    """Check that two runs give the same gradients."""
    for name, one, other in zip(subject.names, found, again, strict=True):
        if not np.array_equal(one, other, equal_nan=True):
            i = tuple(map(int, np.argwhere((one != other) & ~(np.isnan(one) & np.isnan(other)))[0]))
            raise subject.wrong(
                f"for {name} is not deterministic: element {i} is {one[i]!r} in one run and "
                f"{other[i]!r} in the next"
            )


def check_zeros(subject: Subject, zeros: list[Any], pull: Any) -> None:
    """Check that the gradients for cotangents of zeros are zero."""
    arriving = [
        make(backend.asarray(z, device=o.device), None)
        for z, o in zip(zeros, subject.pulled()[0], strict=True)
    ]
    for name, g in zip(subject.names, pull(arriving), strict=True):
        values = host(g)
        if (values != 0).any():
            i = tuple(map(int, np.argwhere(values != 0)[0]))
            raise subject.wrong(
                f"for {name} is {values[i]!r} at element {i} for a cotangent of zeros; "
                "a rule must be linear in g"
            )


def check_transposed(
    subject: Subject, cotangents: list[Any], found: list[Any], moves: list[Any]
) -> None:
    """Check that ⟨g, jvp(d)⟩ = ⟨vjp(g), d⟩ for random tangents d, up to round-off. `moves` is the
    effect of round-off on each element of the gradients."""
    ways = [random_like(subject.rng, operand) for operand in subject.operands]
    placed = iter(ways)
    primals = tuple(tensors_of(subject.args[i]) for i in subject.places)
    tangents = tuple(filled(subject.args[i], placed) for i in subject.places)
    try:
        _, forward = jvp(subject.of_floats, primals, tangents)
    except NotDifferentiableError:
        return  # a rule that is declared once_differentiable
    one = terms_of([host(c) for c in cotangents], [host(t) for _, t in leaves(forward)])
    other = terms_of([host(w) for w in ways], found)
    left, right = math.fsum(one), math.fsum(other)
    own = UNITS * math.fsum(terms_of([np.abs(host(w)) for w in ways], moves))
    size = math.fsum(abs(one)) + math.fsum(abs(other))
    if not abs(left - right) <= 64 * UNITS * subject.accuracy * size + own:
        raise subject.wrong(
            f"is not the transpose of its jvp: ⟨vjp(g), d⟩ = {right}, ⟨g, jvp(d)⟩ = {left}. "
            "Its rules compute different values on Tensors and on arrays"
        )
