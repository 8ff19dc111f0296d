"""Functions and gradients of other libraries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core.engine.tensor import make
from autograd_core.errors import ShapeError
from autograd_core.testing.comparison import Comparison
from autograd_core.testing.laws import check_kinds, check_same
from autograd_core.testing.rounding import noise
from autograd_core.testing.subject import Subject
from autograd_core.transforms.tree import leaves


class Foreign(Subject):
    """A function of arrays that returns one number, and a function `gradient` that returns its
    gradients."""

    def __init__(self, f: Any, args: Any, seed: int, gradient: Any) -> None:
        super().__init__(f, args, seed, "gradient")
        self.gradient = gradient

    def called(self, values: list[Any]) -> list[Any]:
        value = np.asarray(self.f(*self.replaced(values)))
        if value.size != 1 or value.dtype.kind not in "fiu":
            raise ShapeError(
                "check_gradients: with gradient=, the function has to return one real number; it "
                f"returned {value.dtype} of shape {value.shape}"
            )
        return [value.reshape(())]

    def there(self, values: list[Any]) -> Iterator[Any]:
        yield from values

    def check(self) -> None:
        """Raise GradientError where the gradient is wrong."""
        found = [leaf for _, leaf in leaves(self.gradient(*self.args))]
        if len(found) != len(self.points):
            raise self.wrong(f"has {len(found)} arrays for {len(self.points)} operands")
        check_kinds(self, [make(np.asarray(g), None) for g in found])
        again = [leaf for _, leaf in leaves(self.gradient(*self.args))]
        check_same(self, [np.asarray(g) for g in found], [np.asarray(g) for g in again])
        hosts, weights = [np.asarray(g) for g in found], [np.ones(())]
        Comparison(self, hosts, weights, noise(self, weights, hosts)).check()

    def results_at(self, points: list[Any]) -> list[Any]:
        return self.called(points)

    def gradients_at(self, points: list[Any], weights: list[Any]) -> list[Any]:
        return [np.asarray(leaf) for _, leaf in leaves(self.gradient(*self.replaced(points)))]
