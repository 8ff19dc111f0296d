"""The function to check and its operands: its results and gradients, and the errors about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.state import no_grad
from autograd_core.engine.tensor import make
from autograd_core.testing.values import (
    floats,
    function_name,
    host,
    is_floating_leaf,
    tensor_of,
    tensors_of,
    text_of,
)
from autograd_core.transforms import vjp
from autograd_core.transforms.tree import filled, leaves


class GradientError(AssertionError):
    """A gradient is wrong.

    It is raised by `check_gradients` and by the tests of `gradient_test`. The message gives the
    operand, the element, both values, the estimated error of the finite differences, and code that
    reproduces the failure.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing import GradientError, check_gradients
    >>> try:
    ...     check_gradients(np.sum, np.ones(2), gradient=lambda x: x + 1)
    ... except GradientError as error:
    ...     print(str(error).partition(" is ")[0])
    the gradient of sum for operand 0 at element (0,)
    """


class InconclusiveError(AssertionError):
    """The gradient cannot be checked, because the finite differences do not converge.

    It is raised by `check_gradients` and by the tests of `gradient_test`. The function jumps,
    oscillates or is not finite: the operands are too close to a singular point.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing import InconclusiveError, check_gradients
    >>> try:
    ...     check_gradients(lambda x: np.floor(x) * x, np.array([1.0]))
    ... except InconclusiveError:
    ...     print("a jump")
    a jump
    """


class Subject:
    """A function whose gradients are checked, and its operands."""

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
        self.operands = [tensor_of(leaf) for _, leaf in entries]
        self.points = [host(leaf) for leaf in self.operands]
        self.rng = np.random.default_rng(seed)
        kinds = [p.dtype for p in self.points]
        self.accuracy = max((float(np.finfo(dtype).eps) for dtype in kinds), default=2.0**-52)
        self.least = max((float(np.finfo(k).smallest_subnormal) for k in kinds), default=0.0)

    # the function and its gradient

    def called(self, values: list[Any]) -> list[Any]:
        """The floating-point results at the operands `values`, as arrays on the host, in the dtypes
        that the function returned."""
        with no_grad():
            result = self.f(*self.replaced(values))
        return [host(leaf) for _, leaf in leaves(result) if is_floating_leaf(leaf)]

    def replaced(self, values: list[Any]) -> list[Any]:
        """The arguments, with `values` in place of their floating-point leaves."""
        placed = iter(self.there(values))
        return [filled(a, placed) if i in self.places else a for i, a in enumerate(self.args)]

    def there(self, values: list[Any]) -> Iterator[Any]:
        """The values as Tensors, each on the device of its operand."""
        for value, like in zip(values, self.operands, strict=True):
            yield make(backend.asarray(value, device=backend.device_of(like._array)), None)

    def of_floats(self, *operands: Any) -> Any:
        """The floating-point results, as a function of the floating-point arguments only."""
        args = list(self.args)
        for place, value in zip(self.places, operands, strict=True):
            args[place] = value
        return tuple(leaf for _, leaf in leaves(self.f(*args)) if is_floating_leaf(leaf))

    def pulled(self) -> tuple[list[Any], Callable[[list[Any]], list[Any]]]:
        """Return the floating-point results, and a function that maps their cotangents to
        gradients."""

        results, pullback = vjp(self.of_floats, *(tensors_of(self.args[i]) for i in self.places))

        def gradients(arriving: list[Any]) -> list[Any]:
            return [leaf for _, leaf in leaves(pullback(tuple(arriving)))]

        return list(results), gradients

    def at(self, points: list[Any]) -> Subject:
        """The same function at other operands."""
        return Subject(self.f, self.replaced(points), self.seed, self.what)

    def gradients_at(self, points: list[Any], weights: list[Any]) -> list[Any]:
        """The gradients at the operands `points` for the cotangents `weights`, on the host."""
        outs, pull = self.at(points).pulled()
        arriving = [
            make(backend.asarray(np.asarray(w, o.dtype), device=o.device), None)
            for w, o in zip(weights, outs, strict=True)
        ]
        return [host(g) for g in pull(arriving)]

    def results_at(self, points: list[Any]) -> list[Any]:
        """The floating-point results at the operands `points`. The operations are recorded, so that
        an observer sees them."""
        outs, _ = self.at(points).pulled()
        return [np.array(host(out)) for out in outs]

    # errors

    def wrong(self, text: str) -> GradientError:
        """The GradientError with the message "the gradient of f `text`" and code that reproduces
        it."""
        return GradientError(
            f"the {self.what} of {function_name(self.shown)} {text}\n{self.repeat()}"
        )

    def inconclusive(self, text: str) -> InconclusiveError:
        """The error that explains why the gradient cannot be judged."""
        return InconclusiveError(
            f"{self.what} of {function_name(self.shown)}{text}\n{self.repeat()}"
        )

    def repeat(self) -> str:
        """The lines that reproduce the error."""
        return (
            "To see it again:\n"
            "    from autograd_core.testing import check_gradients; from numpy import *\n"
            f"    args = ({''.join(f'{text_of(arg)}, ' for arg in self.given)})\n"
            f"    check_gradients({function_name(self.shown)}, *args, seed={self.seed})"
        )
