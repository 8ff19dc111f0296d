"""`check_gradients`: compare gradients with differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from warnings import catch_warnings, simplefilter, warn_explicit

import numpy as np

from autograd_core.engine.state import observed
from autograd_core.errors import AutogradWarning, GraphError, NotDifferentiableError
from autograd_core.errors.tracebacks import public
from autograd_core.testing.comparison import Comparison
from autograd_core.testing.differences import UNITS
from autograd_core.testing.foreign import Foreign
from autograd_core.testing.laws import check_kinds, check_same, check_transposed, check_zeros
from autograd_core.testing.rounding import noise
from autograd_core.testing.rules import RuleObserver
from autograd_core.testing.subject import GradientError, Subject
from autograd_core.testing.values import (
    array_of,
    floats,
    host,
    is_floating_leaf,
    plain,
    random_like,
)
from autograd_core.transforms import vjp
from autograd_core.transforms.tree import leaves


@public
def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    gradient: Callable[..., Any] | None = None,
    seed: int = 0,
) -> None:
    """Compare the derivatives of a function with finite differences.

    All floating-point arguments are differentiated with respect to. Nothing is returned if the
    gradients are right.

    Parameters
    ----------
    f : callable
        The function to check. It returns arrays, Tensors, numbers, or trees of them.
    *args : arrays, Tensors, numbers, or trees of them
        The arguments at which f is differentiated.
    order : int, default 2
        The highest order of the derivatives that are checked.
    gradient : callable, optional
        For a function f of another library, a function of the same arguments that returns the
        gradient of f with respect to each of them, as a tuple if there are several. f must return
        one real number. Only the first order is checked.
    seed : int, default 0
        The seed of the random cotangents.

    Raises
    ------
    GradientError
        If a gradient is wrong, if there is no derivative up to `order`, or if no argument is a
        floating-point array or number.
    InconclusiveError
        If the differences are too inaccurate to decide.
    ShapeError
        With `gradient`, if f does not return one real number.

    See Also
    --------
    gradient_test : Checks a function at arguments that Hypothesis draws.

    Notes
    -----
    Gradients in float32 are compared with differences in float64. Tolerances are derived from the
    error estimate of Richardson's extrapolation, from the round-off of the terms and of
    intermediate results, and from the change of the gradient when the operands and the results of
    all operations and rules are perturbed by round-off. Errors below the tolerance are not
    detected. At a kink any slope between the one-sided slopes is accepted.

    These properties are also checked, up to `order`: each gradient has the dtype, shape and device
    of its operand; two runs agree; a zero cotangent gives exact zeros; no rule promotes the dtype
    of a gradient or writes to its arguments; vjp and jvp are transposes; and one Tensor may be
    passed as two operands.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.testing import check_gradients
    >>> check_gradients(np.tanh, np.linspace(-2, 2, 5))
    >>> check_gradients(lambda x: (x**2).sum(), np.ones(2), gradient=lambda x: 2 * x)

    A wrong gradient:

    >>> try:
    ...     check_gradients(lambda x: (x**2).sum(), np.ones(2), gradient=lambda x: 3 * x)
    ... except AssertionError as error:
    ...     print(type(error).__name__)
    GradientError
    """
    if gradient is not None:
        Foreign(f, args, seed, gradient).check()
        return
    with _exits_reported():
        _check_orders(f, args, order, seed)


@contextmanager
def _exits_reported() -> Iterator[None]:
    """In this context, a GradientError also states where a value left the graph, for example by
    filling a plain array. The warning that a function is constant is suppressed."""
    with catch_warnings(record=True) as said:
        simplefilter("always", AutogradWarning)
        try:
            yield
        except GradientError as error:
            hints = [str(w.message) for w in said if w.category is AutogradWarning]
            if not hints:
                raise
            raise GradientError(f"{error}\n{hints[0]}") from None
        except ValueError as error:  # raised by NumPy if a Tensor is assigned into an array
            if not isinstance(error.__cause__, GraphError):
                raise
            raise GradientError(f"the function leaves the graph: {error.__cause__}") from error
    for other in said:
        if other.category is not AutogradWarning:
            warn_explicit(other.message, other.category, other.filename, other.lineno)


def _check_orders(f: Any, args: Any, order: int, seed: int) -> None:
    _check(Subject(f, args, seed, "gradient"))
    function, operands = f, args
    for level in range(2, order + 1):
        function, operands = _gradient_of(function, operands, seed + level)
        what = f"derivative of order {level}"
        try:
            _check(Subject(function, operands, seed + level, what, f, args))
        except NotDifferentiableError as error:
            raise GradientError(
                f"there is no {what}: {error}. Pass order={level - 1} if that is intended"
            ) from error
    for i, j in _alike(args):
        _check_twice(f, args, i, j, seed)


def _check(subject: Subject) -> None:
    """Check the gradients of a function with respect to all its floating operands, for random
    cotangents."""
    if not subject.operands:
        raise subject.wrong("cannot be checked: no argument is a floating-point array or number")
    results, pull = subject.pulled()
    cotangents = [random_like(subject.rng, result) for result in results]
    observer = RuleObserver()
    with observed(observer):
        found = pull(cotangents)
    if observer.faults:
        raise subject.wrong(observer.faults[0])
    check_kinds(subject, found)
    hosts = [host(g) for g in found]
    check_same(subject, hosts, [host(g) for g in subject.pulled()[1](cotangents)])
    check_zeros(subject, [np.zeros_like(host(c)) for c in cotangents], pull)
    weights = [host(c) for c in cotangents]
    moves = noise(subject, weights, hosts)
    Comparison(subject, hosts, weights, moves).check()
    check_transposed(subject, cotangents, hosts, moves)


def _check_twice(f: Any, args: Any, i: int, j: int, seed: int) -> None:
    """Check that if one Tensor is passed as two operands, its gradient is the sum of the gradients
    of the two operands."""

    def joined(x: Any) -> Any:
        given = list(args)
        given[i] = given[j] = x
        return f(*given)

    def apart(x: Any, y: Any) -> Any:
        given = list(args)
        given[i], given[j] = x, y
        return f(*given)

    with np.errstate(all="ignore"):
        try:
            together = Subject(joined, (args[i],), seed, "gradient", f, args)
            outs, pull = together.pulled()
            _, pull_both = Subject(apart, (args[i], args[i]), seed, "gradient", f, args).pulled()
        except (ArithmeticError, ValueError):
            return  # f is not defined for two equal operands
        arriving = [random_like(together.rng, out) for out in outs]
        (found,) = map(host, pull(arriving))
        first, second = map(host, pull_both(arriving))
        both = first + second
        size = UNITS * together.accuracy * (abs(first) + abs(second))
        apart_from = abs(found - both)
    if np.isfinite(both).all() and not (apart_from <= size).all():
        place = tuple(map(int, np.argwhere(~(apart_from <= size))[0]))
        raise together.wrong(
            f"is wrong if operands {i} and {j} are the same Tensor: at element {place} it is "
            f"{found[place]!r}, but it should be {first[place]!r} + {second[place]!r}, the sum of "
            "the gradients for two separate, equal Tensors"
        )


def _gradient_of(f: Any, args: Any, seed: int) -> tuple[Any, Any]:
    """Return the gradient of f as a function of the arguments and the cotangents of f, and operands
    for that function."""
    result = plain(f, args)
    floating = [leaf for _, leaf in leaves(result) if is_floating_leaf(leaf)]
    rng = np.random.default_rng(seed)
    arriving = tuple(random_like(rng, leaf) for leaf in floating)
    count = len(args)

    def function(*operands: Any) -> Any:
        places = [i for i in range(count) if floats(operands[i])]
        fixed = list(operands[:count])

        def of_floats(*chosen: Any) -> Any:
            for place, value in zip(places, chosen, strict=True):
                fixed[place] = value
            out = f(*fixed)
            return tuple(leaf for _, leaf in leaves(out) if is_floating_leaf(leaf))

        _, pullback = vjp(of_floats, *(operands[i] for i in places))
        return pullback(tuple(operands[count:]))

    return function, (*args, *arriving)


def _alike(args: Any) -> Iterator[tuple[int, int]]:
    """The positions of all pairs of arguments that have the same shape and a common floating-point
    dtype."""
    arrays = [(i, a) for i, a in enumerate(args) if is_floating_leaf(a) and np.ndim(a) is not None]
    for n, (i, a) in enumerate(arrays):
        for j, b in arrays[n + 1 :]:
            if np.shape(a) == np.shape(b) and array_of(a).dtype == array_of(b).dtype:
                yield i, j
