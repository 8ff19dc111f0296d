"""Comparison for functions and gradients of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.engine.tensor import make
from autograd_core.testing.comparison import Comparison
from autograd_core.testing.rounding import noise
from autograd_core.transforms.tree import filled, leaves

__all__ = ["Foreign"]


class Foreign(Comparison):
    """A function of plain arrays that returns one number, with a given gradient."""

    def __init__(self, f: Any, args: Any, seed: int, gradient: Any) -> None:
        super().__init__(f, args, seed, "gradient")
        self.gradient = gradient

    def called(self, values: list[Any]) -> list[Any]:
        return [np.asarray(self.f(*self.arrays(values)))]

    def arrays(self, values: list[Any]) -> list[Any]:
        placed = iter(values)
        return [filled(a, placed) if i in self.places else a for i, a in enumerate(self.args)]

    def check(self) -> None:
        found = [leaf for _, leaf in leaves(self.gradient(*self.args))]
        if len(found) != len(self.points):
            raise self.wrong(f"has {len(found)} arrays for {len(self.points)} operands")
        self.check_kinds([make(np.asarray(g), None) for g in found])
        again = [leaf for _, leaf in leaves(self.gradient(*self.args))]
        self.check_same([np.asarray(g) for g in found], [np.asarray(g) for g in again])
        hosts, weights = [np.asarray(g) for g in found], [np.ones(())]
        self.check_values(hosts, weights, noise(self, weights, hosts))

    def results_at(self, points: list[Any]) -> list[Any]:
        return self.called(points)

    def gradients_at(self, points: list[Any], weights: list[Any]) -> list[Any]:
        return [np.asarray(leaf) for _, leaf in leaves(self.gradient(*self.arrays(points)))]
