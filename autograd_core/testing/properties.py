"""Property tests of gradients, on operands drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from autograd_core.testing.checking import check_gradients
from autograd_core.testing.strategies import SEEDS, Domain, operands


def gradient_test(
    *, order: int = 2, dtypes: tuple[str, ...] = ("float64", "float32"), **parameters: Any
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Turn a function into a test of its gradients, at operands that Hypothesis draws.

    An operation needs no wrapper: ``test_swish = gradient_test(x=between(-3, 3))(swish)``.

    A check may take longer than the 200 ms after which Hypothesis fails a test by default: apply
    ``hypothesis.settings(deadline=None)`` to the test, or load a profile that has it.

    Parameters
    ----------
    order : int, default 2
        The highest order of the derivatives that are checked.
    dtypes : tuple of str, default ('float64', 'float32')
        The dtypes of operands drawn from domains.
    **parameters : domain or Hypothesis strategy
        For each parameter of the function a domain (see `strategies`) or a Hypothesis strategy for
        its value. The operands drawn from domains broadcast with each other.

    Returns
    -------
    callable
        A decorator, which turns the function into a test without parameters, as pytest collects
        them. The function is called with keyword arguments.

    Raises
    ------
    GradientError, InconclusiveError
        In the test, as in `check_gradients`.

    See Also
    --------
    check_gradients : Checks a function at given arguments.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import settings, strategies as st
    >>> from autograd_core.testing import gradient_test
    >>> from autograd_core.testing.strategies import away_from
    >>> @settings(deadline=None, max_examples=10)
    ... @gradient_test(x=away_from(0), power=st.sampled_from([-1, 2]))
    ... def test_my_power(x, power):
    ...     return x**power
    >>> print(test_my_power())
    None
    """
    drawn = {n: value for n, value in parameters.items() if isinstance(value, st.SearchStrategy)}
    domains: dict[str, Domain] = {n: parameters[n] for n in parameters if n not in drawn}
    floats = st.sampled_from(dtypes)

    def decorate(function: Callable[..., Any]) -> Callable[[], None]:
        @given(
            values=operands(*domains.values(), dtype=floats) if domains else st.just(()),
            settings=st.fixed_dictionaries(drawn),
            seed=SEEDS,
        )
        def test(values: tuple[Any, ...], settings: dict[str, Any], seed: int) -> None:
            def called(*given: Any) -> Any:
                return function(**dict(zip(domains, given, strict=True)), **settings)

            name = getattr(function, "__name__", repr(function))
            called.__qualname__ = f"{name}, with {settings}" if settings else name
            pairs = zip(domains, values, strict=True)
            note(f"{name}: " + ", ".join(f"{n} {v.dtype}{list(v.shape)}" for n, v in pairs))
            check_gradients(called, *values, order=order, seed=seed)

        test.__name__ = getattr(function, "__name__", "test")
        test.__qualname__ = getattr(function, "__qualname__", "test")
        test.__doc__ = function.__doc__
        test.__module__ = function.__module__
        return test

    return decorate
